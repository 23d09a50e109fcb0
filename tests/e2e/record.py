"""What a case saw: every change of the watched objects, in the order in which it arrived.

`recorder` fills a `Record` from watches while a case runs; `judges` decides afterwards what it proves. Nothing here
knows HTTP or threads, so a judge can be tried on a record written by hand.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

Object = dict[str, Any]
# Name -> object, of one kind, at one moment.
State = dict[str, Object]

# The types of an entry: the watch's own three, what the first list held, and a hole in the history.
LISTED: Final = "LISTED"
GAP: Final = "GAP"
DELETED: Final = "DELETED"


class Unchecked(Exception):
    """The record does not hold what a verdict needs: the answer is "unknown", never a pass."""


@dataclass(frozen=True)
class Entry:
    """One change. `at` is `time.monotonic()` seconds, `resource` a plural such as "pods".

    A GAP says that the watch lost history before this moment; the entries behind it make up the difference, so
    states are right again, but what happened in between is not known. Its `object` is empty, and so is that of a
    LISTED that stands for a list without items.
    """

    at: float
    resource: str
    type: str
    object: Object


@dataclass(frozen=True)
class Record:
    """All entries of one case, oldest first."""

    entries: tuple[Entry, ...]

    def of(self, resource: str) -> list[Entry]:
        """The entries of one kind."""
        return [entry for entry in self.entries if entry.resource == resource]

    def require_whole(self, resource: str, since: float, until: float) -> None:
        """Raise Unchecked when history of this kind is missing between the two moments, or was never recorded."""
        entries = self.of(resource)
        if not entries:
            raise Unchecked(f"nothing was recorded about {resource}")
        lost = [entry for entry in entries if entry.type == GAP and since < entry.at <= until]
        if lost:
            raise Unchecked(f"the watch of {resource} lost history, {len(lost)} times")

    def states(self, resource: str, since: float = -math.inf, until: float = math.inf) -> Iterator[tuple[float, State]]:
        """The state of one kind at `since` and after each later change, as (moment, name -> object).

        Raises:
            Unchecked: the window has a hole.
        """
        self.require_whole(resource, since, until)
        state: State = {}
        started = False
        for entry in self.of(resource):
            if entry.at > until:
                break
            # The first list comes as many entries at one moment; only the whole of it is a state.
            if not started and entry.at > since and entry.type != LISTED:
                started = True
                yield since, dict(state)
            apply(state, entry)
            if started:
                yield entry.at, dict(state)
        if not started:
            yield since, dict(state)

    def changes(
        self,
        resource: str,
        since: float = -math.inf,
        until: float = math.inf,
    ) -> Iterator[tuple[Entry, Object | None]]:
        """Each change in the window with the object as it was before, None when it was not there.

        Raises:
            Unchecked: the window has a hole.
        """
        self.require_whole(resource, since, until)
        state: State = {}
        for entry in self.of(resource):
            if not entry.object:
                continue
            before = state.get(name_of(entry.object))
            apply(state, entry)
            if entry.type != LISTED and since < entry.at <= until:
                yield entry, before


def apply(state: State, entry: Entry) -> None:
    """Bring a state up to date with one entry, in place."""
    if not entry.object:
        return
    if entry.type == DELETED:
        state.pop(name_of(entry.object), None)
    else:
        state[name_of(entry.object)] = entry.object


def name_of(obj: Object) -> str:
    """`metadata.name`."""
    return str(obj["metadata"]["name"])


def uid_of(obj: Object) -> str:
    """`metadata.uid`."""
    return str(obj["metadata"]["uid"])


def is_terminating(obj: Object) -> bool:
    """Whether its deletion has been asked for."""
    return bool(obj["metadata"].get("deletionTimestamp"))


def condition_of(obj: Object, type_: str) -> Object:
    """One of `status.conditions`; {} when it is not there."""
    conditions = (obj.get("status") or {}).get("conditions") or []
    return next((condition for condition in conditions if condition.get("type") == type_), {})


def is_ready(pod: Object) -> bool:
    """A pod that serves: its Ready condition is True and nobody has asked to delete it."""
    return not is_terminating(pod) and condition_of(pod, "Ready").get("status") == "True"
