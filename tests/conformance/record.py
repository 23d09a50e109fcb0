"""What is written down of an answer: the parts that a step compares, in an order that means something.

Beside `play.py`, which does the asking; `normal.py` reads what is written here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from conformance import paths
from conformance.case import Step
from conformance.wire import Exchange

# Headers that differ by nature (dates, audit ids, lengths, flow control's uids) are not among these.
COMPARED_HEADERS = ("content-type", "warning", "allow", "retry-after", "content-encoding", "www-authenticate")


@dataclass
class Transcript:
    """What a server said to a case. `names` are the values that were made up for it, by their symbol."""

    names: dict[str, str]
    records: list[dict[str, Any]] = field(default_factory=list)
    generated: list[str] = field(default_factory=list)  # the generateName prefixes that were sent


def compared(headers: list[tuple[str, str]]) -> dict[str, list[str]]:
    """The headers that count, names in lower case, every value of each."""
    found: dict[str, list[str]] = {}
    for name, value in headers:
        if name.lower() in COMPARED_HEADERS:
            found.setdefault(name.lower(), []).append(value)
    return found


def recorded(step: Step, exchange: Exchange) -> dict[str, Any]:
    """What of an answer counts for a step."""
    record = {"do": step.do, "code": exchange.code}
    if step.quiet:
        return record
    return cut(step, {**record, "headers": compared(exchange.headers), "body": exchange.body}, "body")


def cut(step: Step, record: dict[str, Any], part: str) -> dict[str, Any]:
    """The record with what the step drops dropped, what it picks picked, and what has no order in order."""
    value = record[part]
    for path in step.drop:
        value = paths.without(value, path)
    if step.unordered:
        value = _ordered(value, step.unordered, part)
    if step.pick:
        value = {path: paths.find(value, path) for path in step.pick}
    return {**record, part: value}


def _ordered(value: Any, where: str, part: str) -> Any:
    if where == part:
        return sorted(value, key=_key)
    rows = paths.find(value, where)
    if isinstance(rows, list):
        rows.sort(key=_key)
    return value


def _key(row: Any) -> str:
    found = paths.find(row, "object.metadata.name") or paths.find(row, "metadata.name") or paths.find(row, "name")
    return str(found or json.dumps(row, sort_keys=True))
