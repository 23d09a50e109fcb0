"""Gives names to what differs from run to run, so that two transcripts of one case can be compared field by field.

Between `play.py` and `compare.py`. What is equal must stay equal and what differs must stay different: every uid and
every resource version gets a symbol by its first appearance (`<uid 1>`, `<rv 3>`), and the order of the versions is
written down as a line of its own. A list's or a bookmark's version is the whole server's, which others write to
meanwhile: it is named after the newest version of the case that it is not older than (`<at rv 3>`). A time is
`<time>` when it is about now; one that a case wrote itself stays. Everything else stays as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from conformance.record import Transcript

Json = Any

UID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
TIME = re.compile(r"\b(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)")
# What utilrand.String draws from: no vowels, no look-alikes.
SUFFIX = "[bcdfghjklmnpqrstvwxz2456789]{5}"
# An object quoted within a message, its quotes escaped or not, or one written as YAML.
QUOTED = re.compile(r'(resourceVersion\\*"?: ?\\*")(\d+)')
AGE = re.compile(r"\d+[smh](\d+[smh])?")
NEAR = 3600.0  # seconds: what a server stamps during a run
AGE_COLUMNS = {"Age", "Last Seen", "First Seen"}


def normalised(transcript: Transcript, *, now: float | None = None) -> Json:
    """The records of a transcript with symbols for what is random, and the order of versions at the end."""
    moment = datetime.now(UTC).timestamp() if now is None else now
    versions = Versions()
    versions.learn(transcript.records)
    texts = _Texts(transcript, moment, versions)
    records = [_walk(_tables(record), (), texts.replaced, versions) for record in transcript.records]
    return [*records, {"versions": versions.order()}] if versions.order() else records


class Versions:
    """The resource versions of a case: those of objects exactly, those of lists and bookmarks by what they include."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}

    def learn(self, value: Json) -> None:
        """Name the versions of all objects in `value`, in the order in which they appear."""
        for number in _object_versions(value):
            self._names.setdefault(number, f"rv {len(self._names) + 1}")

    def exact(self, text: str) -> str:
        """The symbol of an object's version."""
        return f"<{self._names[int(text)]}>" if text.isdigit() and int(text) in self._names else text

    def at_least(self, text: str) -> str:
        """The symbol of a list's version: the newest version of an object that it may include."""
        if not text.isdigit():
            return text
        older = [number for number in self._names if number <= int(text)]
        return f"<at {self._names[max(older)]}>" if older else "<before all>"

    def order(self) -> str:
        """All versions from the oldest to the newest, by their symbols."""
        return " < ".join(self._names[number] for number in sorted(self._names))


def _object_versions(value: Json) -> list[int]:
    """The resource versions of the objects in `value`, leaving out those of lists, Tables and bookmarks."""
    if isinstance(value, list):
        return [number for each in value for number in _object_versions(each)]
    if isinstance(value, str):
        return [int(number) for _, number in QUOTED.findall(value)]
    if not isinstance(value, dict):
        return []
    found = [
        number for key, each in value.items() for number in ([] if _shared(value, key) else _object_versions(each))
    ]
    own = [each for key, each in value.items() if _is_version(key) and isinstance(each, str) and each.isdigit()]
    return [int(each) for each in own if int(each) > 1] + found


def _is_version(key: str) -> bool:
    """The field itself, or the path of a picked one."""
    return key == "resourceVersion" or key.endswith(".resourceVersion")


def _shared(parent: Mapping[str, Json], key: str) -> bool:
    """Whether what stands at `key` carries the version of the whole server and not of one object."""
    if key == "object":
        return parent.get("type") == "BOOKMARK"
    return key == "metadata" and ("items" in parent or "columnDefinitions" in parent or "rows" in parent)


class _Texts:
    """Replaces what is random within strings."""

    def __init__(self, transcript: Transcript, now: float, versions: Versions) -> None:
        self._made_up = sorted(transcript.names.items(), key=lambda each: -len(each[1]))
        self._now = now
        self._versions = versions
        self._uids: dict[str, str] = {}
        self._generated: dict[str, str] = {}
        prefixes = "|".join(re.escape(each) for each in sorted(transcript.generated, key=len, reverse=True))
        self._prefixed = re.compile(rf"({prefixes})({SUFFIX})(?![-a-z0-9])") if prefixes else None

    def replaced(self, text: str) -> str:
        for symbol, value in self._made_up:
            text = text.replace(value, f"<{symbol}>")
        text = QUOTED.sub(lambda match: match[1] + self._versions.exact(match[2]), text)
        text = UID.sub(lambda match: _symbol(self._uids, match[0], "uid"), text)
        if self._prefixed:
            text = self._prefixed.sub(lambda m: m[1] + _symbol(self._generated, m[2], "random"), text)
        return TIME.sub(self._time, text)

    def _time(self, match: re.Match[str]) -> str:
        zone = match[3].replace("Z", "+00:00")
        try:
            moment = datetime.fromisoformat(match[1] + zone).timestamp()
        except ValueError:
            return match[0]
        kind = "time" if not match[2] else "microtime" if len(match[2]) == 7 else "precise time"
        return f"<{kind}>" if abs(moment - self._now) < NEAR else match[0]


def _symbol(known: dict[str, str], value: str, kind: str) -> str:
    return known.setdefault(value, f"<{kind} {len(known) + 1}>")


def _walk(value: Json, way: tuple[str, ...], text: Callable[[str], str], versions: Versions) -> Json:
    if isinstance(value, list):
        return [_walk(each, way, text, versions) for each in value]
    if isinstance(value, str):
        return text(value)
    if not isinstance(value, dict):
        return value
    return {text(key): _field(value, key, way, text, versions) for key in value}


def _field(
    parent: dict[str, Json], key: str, way: tuple[str, ...], text: Callable[[str], str], versions: Versions
) -> Json:
    value = parent[key]
    shared = way[-1:] == ("shared",) or _shared(parent, key)
    if _is_version(key) and isinstance(value, str):
        return versions.at_least(value) if way[-1:] == ("shared",) else versions.exact(value)
    if key == "continue" and value and isinstance(value, str):
        return "<continue>"
    # Of what a step picks the key is a path.
    if key.rpartition(".")[2] == "managedFields" and isinstance(value, list):
        value = sorted(value, key=_manager)
    return _walk(value, (*way, "shared") if shared else way, text, versions)


def _manager(entry: Json) -> str:
    """Sorts the entries of managedFields: the server sorts by the second, and a case may run across the end of one."""
    known = entry if isinstance(entry, dict) else {}
    words = (known.get(name, "") for name in ("operation", "manager", "apiVersion", "subresource"))
    return json.dumps([*words, known.get("fieldsV1")], sort_keys=True)


def _tables(value: Json) -> Json:
    """`value` with the ages in the rows of every Table replaced."""
    if isinstance(value, list):
        return [_tables(each) for each in value]
    if not isinstance(value, dict):
        return value
    if value.get("kind") == "Table" and isinstance(value.get("rows"), list):
        value = _without_ages(value)
    return {key: _tables(each) for key, each in value.items()}


def _without_ages(table: dict[str, Json]) -> dict[str, Json]:
    columns = table.get("columnDefinitions") or []
    ages = {index for index, column in enumerate(columns) if column.get("name") in AGE_COLUMNS}
    # A watch sends the columns with its first Table only; an age is the only cell that looks like one.
    rows = [
        {
            **row,
            "cells": [_cell(cell, index in ages or not columns) for index, cell in enumerate(row.get("cells") or [])],
        }
        for row in table["rows"]
    ]
    return {**table, "rows": rows}


def _cell(cell: Json, is_age: bool) -> Json:
    return "<age>" if is_age and isinstance(cell, str) and AGE.fullmatch(cell) else cell


def calm(value: Any) -> Any:
    """With the causes of a 422 in an order: kube-apiserver checks the properties of a schema in that of a Go map."""
    if isinstance(value, list):
        return [calm(each) for each in value]
    if not isinstance(value, dict):
        return value
    found = {key: calm(each) for key, each in value.items()}
    if found.get("reason") == "Invalid" and found.get("details", {}).get("causes"):
        causes = sorted(found["details"]["causes"], key=lambda each: json.dumps(each, sort_keys=True))
        head, _, faults = str(found["message"]).partition(" is invalid: ")
        # The same faults, and as many letters: what the causes say is compared one by one.
        return {**found, "message": f"{head}: {len(faults)} letters", "details": {**found["details"], "causes": causes}}
    return found
