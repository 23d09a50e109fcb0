"""The results of a run as data, and in which ways the two variants' results differ.

`report` fills a `Table` while pytest runs and prints it afterwards; `differences` turns what is not alike into
sentences. Pure: no pytest, no files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

PASS: Final = "pass"
FAIL: Final = "FAIL"
EXPECTED: Final = "expected failure"
UNKNOWN: Final = "unknown"

# Two numbers are told apart only when both their difference and their ratio are beyond what a busy machine does to
# them: unit -> (difference, ratio).
APART: Final = {"s": (3.0, 1.5), "MiB": (5.0, 1.2), "% of a core": (1.0, 1.5)}


@dataclass(frozen=True)
class Observation:
    """A finding that is neither right nor wrong but worth comparing.

    `unit` is "s" for a time, "MiB" or "% of a core" for a size; "" for what must be equal to be alike. What the two
    are bound to put in words of their own is shown side by side but not `compared`.
    """

    name: str
    value: float | str
    unit: str = ""
    compared: bool = True

    def __str__(self) -> str:
        shown = f"{self.value:.1f}" if isinstance(self.value, float) else str(self.value)
        return f"{shown} {self.unit}".strip()


@dataclass
class Outcome:
    """One case with one variant. `writes` maps "verb resource" to a count; None = there was no audit log."""

    result: str = UNKNOWN
    seconds: float = 0.0
    detail: str = "it did not run"
    requests: Mapping[str, int] | None = None
    writes: Mapping[str, int] | None = None
    observations: list[Observation] = field(default_factory=list)

    @property
    def write_count(self) -> int | None:
        """All writes together; None = not known."""
        return None if self.writes is None else sum(self.writes.values())


@dataclass
class Row:
    """One case: what is expected, and its outcome for each variant ("" for a case without an operator)."""

    name: str
    expectation: str
    outcomes: dict[str, Outcome] = field(default_factory=dict)


@dataclass
class Table:
    """All cases of a run in the order in which they were first met."""

    variants: list[str]
    rows: dict[str, Row] = field(default_factory=dict)

    def outcome(self, name: str, expectation: str, variant: str) -> Outcome:
        """The outcome to fill for this case and variant; unknown until it is filled."""
        row = self.rows.setdefault(name, Row(name, expectation))
        return row.outcomes.setdefault(variant, Outcome())

    def compared(self) -> list[Row]:
        """The cases that belong to both variants. An outcome that never came about is unknown."""
        rows = [row for row in self.rows.values() if "" not in row.outcomes]
        for row in rows:
            for variant in self.variants:
                row.outcomes.setdefault(variant, Outcome())
        return rows

    def alone(self) -> list[Row]:
        """The cases that need no operator."""
        return [row for row in self.rows.values() if "" in row.outcomes]


def differences(table: Table) -> list[str]:
    """A sentence for each way in which the variants differ, writes of single cases left out; [] = none was found.

    Unknown does not differ from unknown.
    """
    return [
        *_kinds_of_write(table),
        *_writes_in_all(table),
        *[line for row in table.compared() for line in _differences_in(table, row)],
    ]


def write_differences(table: Table) -> list[str]:
    """A sentence for each case that cost the two a different number of writes, and which."""
    first, second = table.variants
    return [
        f"{row.name}: {one.write_count} writes by {first} and {other.write_count} by {second} "
        f"({_apart(one.writes or {}, other.writes or {}, first, second)})."
        for row in table.compared()
        for one, other in [(row.outcomes[first], row.outcomes[second])]
        if None not in {one.write_count, other.write_count} and one.write_count != other.write_count
    ]


def _kinds_of_write(table: Table) -> Iterator[str]:
    """What one variant writes and another never does, over all cases."""
    totals = {variant: _total(table, variant) for variant in table.variants}
    for variant, mine in totals.items():
        for other, theirs in totals.items():
            for kind in sorted(mine.keys() - theirs.keys()) if mine and theirs else []:
                yield f"Over all cases {variant} did `{kind}` {mine[kind]} times and {other} never."


def _writes_in_all(table: Table) -> Iterator[str]:
    """One sentence for all cases in which both were counted."""
    first, second = table.variants
    counts = [[row.outcomes[variant].write_count for variant in table.variants] for row in table.compared()]
    both = [(one, other) for one, other in counts if one is not None and other is not None]
    one, other = sum(pair[0] for pair in both), sum(pair[1] for pair in both)
    if one != other:
        differing = sum(mine != theirs for mine, theirs in both)
        yield f"{first} wrote {one} times in {len(both)} cases and {second} {other} times; {differing} cases differ."


def _total(table: Table, variant: str) -> dict[str, int]:
    total: dict[str, int] = {}
    for row in table.compared():
        for kind, count in (row.outcomes[variant].writes or {}).items():
            total[kind] = total.get(kind, 0) + count
    return total


def _differences_in(table: Table, row: Row) -> Iterator[str]:
    first, second = table.variants
    one, other = row.outcomes[first], row.outcomes[second]
    if one.result != other.result:
        yield f"{row.name}: {_verdict(first, one)}; {_verdict(second, other)}."
    for mine in one.observations:
        theirs = next((each for each in other.observations if each.name == mine.name), None)
        if theirs and _differs(mine, theirs):
            yield f"{row.name}: {mine.name}: {mine} with {first}, {theirs} with {second}."


def _verdict(variant: str, outcome: Outcome) -> str:
    return f"{outcome.result} with {variant}" + (f" ({outcome.detail})" if outcome.detail else "")


def _apart(one: Mapping[str, int], other: Mapping[str, int], first: str, second: str) -> str:
    more = []
    for kind in sorted(one.keys() | other.keys()):
        difference = one.get(kind, 0) - other.get(kind, 0)
        if difference:
            more.append(f"{first if difference > 0 else second} {abs(difference)} more `{kind}`")
    return ", ".join(more)


def _differs(mine: Observation, theirs: Observation) -> bool:
    if not (mine.compared and theirs.compared):
        return False
    if isinstance(mine.value, str) or isinstance(theirs.value, str) or not mine.unit:
        return mine.value != theirs.value
    low, high = sorted([float(mine.value), float(theirs.value)])
    difference, ratio = APART[mine.unit]
    return high - low > difference and high > low * ratio
