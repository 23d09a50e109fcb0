"""Whose is each field of an object: whoever wrote it last.

Used by the oracles of lost updates and of deletion. Every version of an object is compared with the one before; a field that
changed belongs to the operator when the operator's write made that version, and to somebody else otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from twinloop.harness.checkers.timeline import Version
from twinloop.harness.checkers.trial_view import Trial
from twinloop.kube import Object

Path = tuple[str, ...]

# What the server keeps, and no writer asks for.
_SERVERS = frozenset({"resourceVersion", "generation", "managedFields", "creationTimestamp", "uid", "selfLink",
                      "deletionTimestamp", "deletionGracePeriodSeconds"})  # fmt: skip


@dataclass(frozen=True)
class Taken:
    """An operator's version changed a field that somebody else had written last. `after` is None when it is gone."""

    version: Version
    path: Path
    before: Any
    after: Any


def fields_of(obj: Object) -> dict[Path, Any]:
    """An object's fields by path, as far as somebody writes them; conditions by type, finalizers one by one."""
    metadata = {key: value for key, value in obj["metadata"].items() if key not in _SERVERS}
    whole = {key: value for key, value in obj.items() if key not in {"apiVersion", "kind", "metadata"}}
    return dict(_leaves({"metadata": metadata, **whole}, ()))


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, (*path, str(key)))
    elif isinstance(value, list) and path[-1:] == ("conditions",):
        for each in value:
            yield (*path, str(each.get("type"))), each
    elif isinstance(value, list) and path[-1:] == ("finalizers",):
        for each in value:
            yield (*path, str(each)), True
    elif value not in ({}, [], None):
        yield path, value


def taken(trial: Trial, uid: str) -> Iterator[Taken]:
    """Fields of others that operators changed or removed, in order; each change once."""
    known: dict[Path, Any] = {}
    theirs: set[Path] = set()
    for version in trial.timeline.versions(uid):
        if version.gone:
            return
        now = fields_of(version.object)
        changed = {path for path in known.keys() | now.keys() if known.get(path) != now.get(path)}
        write = trial.author.get(version.number)
        if write is None or write.request.verb == "create":
            theirs |= changed if write is None else set()
        elif write.request.verb != "delete":
            for path in sorted(changed & theirs):
                yield Taken(version, path, known.get(path), now.get(path))
            theirs -= changed
        known = now
