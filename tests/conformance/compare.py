"""Finds what differs between two normalised transcripts of a case, field by field.

Between `normal.py` and `verdict.py`. Lists are compared in order, mappings by key; a field that one side lacks is a
difference like any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

MISSING = "(nothing)"


@dataclass(frozen=True)
class Difference:
    """`where` is a path such as `2.body.metadata.generation`: step 2 of the case, counted from 0."""

    case: str
    where: str
    real: Any
    embedded: Any

    def __str__(self) -> str:
        return f"{self.case} at {self.where}\n    real:     {_shown(self.real)}\n    embedded: {_shown(self.embedded)}"


def differences(case: str, real: Any, embedded: Any) -> list[Difference]:
    """Every difference, in the order of the transcript."""
    return [Difference(case, ".".join(way), one, other) for way, one, other in _differ((), real, embedded)]


def _differ(way: tuple[str, ...], one: Any, other: Any) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in {**one, **other}:
            yield from _differ((*way, key), one.get(key, MISSING), other.get(key, MISSING))
    elif isinstance(one, list) and isinstance(other, list):
        for index in range(max(len(one), len(other))):
            yield from _differ((*way, str(index)), _at(one, index), _at(other, index))
    elif type(one) is not type(other) or one != other:
        yield way, one, other


def _at(values: list[Any], index: int) -> Any:
    return values[index] if index < len(values) else MISSING


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 600 else f"{text[:600]}... ({len(text)} characters)"
