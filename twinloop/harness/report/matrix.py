"""The matrix: a row a scenario, a column a variant, and by what a row can be found.

How a scenario stands is asked of `twinloop.harness.standing`, as by every other page; nothing is judged here.
"""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.harness.report import words
from twinloop.harness.report.formats import count, duration, plural
from twinloop.harness.results import Cell, Report, ScenarioInfo
from twinloop.harness.standing import counts, standing


@dataclass(frozen=True)
class Box:
    """One cell: its verdict, the numbers shown in it, the outcomes of its differences."""

    variant: str
    verdict: str
    details: tuple[str, ...] = ()
    oracles: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """One scenario; how it stands is what the filters look for."""

    scenario: ScenarioInfo
    boxes: tuple[Box, ...]
    standing: str

    @property
    def anchor(self) -> str:
        """The scenario's own section."""
        return words.slug("s", self.scenario.name)


def rows(report: Report) -> list[Row]:
    """All scenarios, in the order of the report."""
    cells = {(each.scenario, each.variant): each for each in report.cells}
    return [_row(report, scenario, cells) for scenario in report.scenarios]


def _row(report: Report, scenario: ScenarioInfo, cells: dict[tuple[str, str], Cell]) -> Row:
    boxes = tuple(_box(report, scenario.name, each.name, cells) for each in report.variants)
    return Row(scenario, boxes, standing(report, scenario.name))


def _box(report: Report, scenario: str, variant: str, cells: dict[tuple[str, str], Cell]) -> Box:
    cell = cells.get((scenario, variant))
    outcomes = outcomes_of(report, scenario, variant)
    if cell is None:
        return Box(variant, "", outcomes=outcomes)
    failed = tuple(each.oracle for each in cell.oracles if each.verdict == "violated" and each.deciding)
    return Box(variant, cell.verdict, _details(cell), failed, outcomes)


def outcomes_of(report: Report, scenario: str, variant: str) -> tuple[str, ...]:
    """Which kinds of differences a cell has."""
    seen = {words.outcome(each) for each in report.differences if (each.scenario, each.variant) == (scenario, variant)}
    return tuple(each for each in words.OUTCOMES if each in seen)


def _details(cell: Cell) -> tuple[str, ...]:
    """The two numbers that say most: how long until the expected end, how many writes."""
    details = []
    if "converged" in cell.numbers and cell.verdict in {"ok", "violated"}:
        details.append(duration(cell.numbers["converged"]))
    if isinstance(cell.numbers.get("writes"), (int, float)):
        writes = cell.numbers["writes"]
        details.append(plural(writes, "write") if writes == int(writes) else f"{count(writes)} writes")
    return tuple(details)


def tally(report: Report) -> list[tuple[str, int]]:
    """How many scenarios stand how, the worst first, as in the verdict's sentence."""
    return [(word, number) for word, number in counts(report).items() if number]
