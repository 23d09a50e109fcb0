"""What a variant asks of the API server: requests by verb and resource, a bar each, to one scale for all variants.

Bars beside each other rather than stacked: a stack of twelve colours can only be read where it begins.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WRITES = ("create", "update", "patch", "delete", "deletecollection")
GROUPS = ("writes", "reads", "watches")
# More rows than this are not looked at; the rest is one row.
MOST = 14


@dataclass(frozen=True)
class Bar:
    """One number and its length from 0 to 1."""

    variant: str
    count: int
    length: float


@dataclass(frozen=True)
class Line:
    """One verb and resource, or the sum of a group."""

    what: str
    group: str
    bars: tuple[Bar, ...]
    total: bool = False


def api_cost(costs: Mapping[str, Mapping[str, int]], most: int = MOST) -> list[Line]:
    """Lines from each variant's requests by "verb resource": for each group its sum, then its parts, the most frequent first."""
    largest = max((sum(_of(group, each).values()) for each in costs.values() for group in GROUPS), default=0) or 1
    lines: list[Line] = []
    for group in GROUPS:
        parts = Counter[str]()
        for each in costs.values():
            parts.update(_of(group, each))
        if parts:
            lines += _lines(group, [what for what, _ in parts.most_common()], costs, largest, most)
    return lines


def _lines(
    group: str, parts: Sequence[str], costs: Mapping[str, Mapping[str, int]], largest: int, most: int
) -> list[Line]:
    lines = [_line(group, group, parts, costs, largest, total=True)]
    shown, rest = parts[:most], parts[most:]
    lines += [_line(what, group, [what], costs, largest) for what in shown]
    return [*lines, _line(f"{len(rest)} others", group, rest, costs, largest)] if rest else lines


def _line(
    what: str,
    group: str,
    parts: Sequence[str],
    costs: Mapping[str, Mapping[str, int]],
    largest: int,
    *,
    total: bool = False,
) -> Line:
    sums = {variant: sum(each.get(part, 0) for part in parts) for variant, each in costs.items()}
    return Line(what, group, tuple(Bar(variant, value, value / largest) for variant, value in sums.items()), total)


def _of(group: str, cost: Mapping[str, int]) -> dict[str, int]:
    return {what: count for what, count in cost.items() if _group(what) == group}


def _group(what: str) -> str:
    verb = what.partition(" ")[0]
    return "writes" if verb in WRITES else "watches" if verb == "watch" else "reads"
