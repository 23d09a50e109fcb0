"""Everything about one scenario in one place, and everything about what a variant costs: the page's views of a report.

Gathers what belongs together and lets the charts draw it. `page.py` hands the views to the templates.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from markupsafe import Markup

from twinloop.harness.report import words
from twinloop.harness.report.charts.api_cost import Line, api_cost
from twinloop.harness.report.charts.crash_strip import Strip, crash_strips
from twinloop.harness.report.charts.ecdf import ecdf
from twinloop.harness.report.charts.footprint import POINTS, Prints, footprints
from twinloop.harness.report.charts.staircase import describe, staircase
from twinloop.harness.report.charts.timeline import Group, timelines
from twinloop.harness.report.look import Looks
from twinloop.harness.report.matrix import Row
from twinloop.harness.results import Cell, Footprint, Latency, OracleResult, Ratio, Report, Staircase


@dataclass(frozen=True)
class Detail:
    """How much a page shows, so that it stays small: items of a timeline, points of a footprint."""

    items: int = 400
    points: int = POINTS


@dataclass(frozen=True)
class Measured:
    """One latency measure of a scenario: the curve, a row a variant, the comparisons."""

    name: str
    curve: Markup
    latencies: tuple[Latency, ...]
    ratios: tuple[Ratio, ...]


@dataclass(frozen=True)
class Retries:
    """One failing thing, and how each variant kept at it."""

    scenario: str
    what: str
    chart: Markup
    stairs: tuple[Staircase, ...]
    said: tuple[str, ...]


@dataclass(frozen=True)
class Crashes:
    """The crash points of one scenario."""

    scenario: str
    strips: tuple[Strip, ...]


class Section:
    """One scenario."""

    def __init__(self, report: Report, row: Row, looks: Looks, detail: Detail) -> None:
        self.row = row
        self.scenario = row.scenario
        self._report = report
        self._looks = looks
        self._detail = detail

    @cached_property
    def cells(self) -> list[Cell]:
        """Those that were run, a variant each."""
        found = (self._report.cell(self.scenario.name, each.name) for each in self._report.variants)
        return [each for each in found if each]

    @cached_property
    def oracles(self) -> list[tuple[str, list[OracleResult | None]]]:
        """A row for each oracle that somebody did not pass, with each variant's result; the passed ones are only counted."""
        by_cell = [{each.oracle: each for each in cell.oracles} for cell in self.cells]
        names = sorted({name for cell in by_cell for name in cell}, key=lambda name: (len(name), name))
        lines = [(name, [cell.get(name) for cell in by_cell]) for name in names]
        return [line for line in lines if any(each and each.verdict != "ok" for each in line[1])]

    @cached_property
    def passed(self) -> list[int]:
        """How many oracles each variant passed."""
        return [sum(each.verdict == "ok" for each in cell.oracles) for cell in self.cells]

    @cached_property
    def numbers(self) -> list[str]:
        """The names of all numbers that any cell has, those that say most first."""
        names = dict.fromkeys(name for cell in self.cells for name in cell.numbers)
        return [each for each in words.NUMBERS if each in names] + [each for each in names if each not in words.NUMBERS]

    @cached_property
    def timelines(self) -> list[Group]:
        """A group a plan."""
        return timelines(self._of(self._report.timelines), self._detail.items)

    @cached_property
    def measures(self) -> list[Measured]:
        """All latencies that this scenario takes."""
        latencies, ratios = self._of(self._report.latencies), self._of(self._report.ratios)
        return [
            Measured(
                name,
                ecdf([each for each in latencies if each.measure == name], self._looks),
                tuple(each for each in latencies if each.measure == name),
                tuple(each for each in ratios if each.measure == name),
            )
            for name in dict.fromkeys(each.measure for each in latencies)
        ]

    @cached_property
    def api_cost(self) -> list[Line]:
        """Requests by verb."""
        return api_cost({each.variant: each.cost_by_verb for each in self.cells if each.cost_by_verb}, most=5)

    @cached_property
    def footprints(self) -> list[Prints]:
        """CPU and memory."""
        return footprints(self._of(self._report.footprints), self._looks, self._detail.points)

    def _of(self, given: Sequence[Any]) -> list[Any]:
        return [each for each in given if each.scenario == self.scenario.name]


# Each takes some 3 KB of the page, and a dozen say what there is to say.
MOST_RETRIES = 12


def retries(report: Report, looks: Looks) -> list[Retries]:
    """A chart for each failing thing, those that were tried most; report.json has all of them."""
    most: Counter[tuple[str, str]] = Counter()
    for stairs in report.staircases:
        most[stairs.scenario, stairs.what] = max(most[stairs.scenario, stairs.what], len(stairs.attempts))
    found = []
    for (scenario, what), _ in most.most_common(MOST_RETRIES):
        steps = tuple(each for each in report.staircases if (each.scenario, each.what) == (scenario, what))
        found.append(Retries(scenario, what, staircase(steps, looks), steps, tuple(map(describe, steps))))
    return [each for each in found if each.chart]


def crashes(report: Report) -> list[Crashes]:
    """The strips of each scenario that kills the operator."""
    names = dict.fromkeys(each.scenario for each in report.crash_points)
    return [
        Crashes(name, tuple(crash_strips([each for each in report.crash_points if each.scenario == name])))
        for name in names
    ]


@dataclass(frozen=True)
class Asked:
    """What the variants asked of the API server in `scenarios` scenarios together."""

    scenarios: int
    lines: list[Line]


def asked(report: Report) -> Asked:
    """The sum over the scenarios that every variant ran: a sum over different ones would compare nothing."""
    usable = {each.name for each in report.variants if each.smoke == "ok"}
    cells = [each for each in report.cells if each.cost_by_verb and each.variant in usable]
    shared = [
        each.name
        for each in report.scenarios
        if {cell.variant for cell in cells if cell.scenario == each.name} == usable
    ]
    costs: dict[str, dict[str, int]] = {each.name: {} for each in report.variants if each.name in usable}
    for cell in (each for each in cells if each.scenario in shared):
        for what, number in cell.cost_by_verb.items():
            costs[cell.variant][what] = costs[cell.variant].get(what, 0) + number
    return Asked(len(shared), api_cost(costs))


def shown_footprints(report: Report, looks: Looks, points: int) -> tuple[str, list[Prints]]:
    """The scenario whose footprint stands for all: the idle one if there is one, else the one that took longest."""
    longest: dict[str, float] = {}
    for each in report.footprints:
        if len(each.points) > 1:
            longest[each.scenario] = max(longest.get(each.scenario, 0.0), each.points[-1][0])
    if not longest:
        return "", []
    idle = [name for name in longest if "idle" in name]
    name = idle[0] if idle else max(longest, key=longest.__getitem__)
    chosen: list[Footprint] = [each for each in report.footprints if each.scenario == name]
    return name, footprints(chosen, looks, points)


def ownership(report: Report) -> list[tuple[str, list[Any]]]:
    """What each variant costs to own: a row for everything that any of them says, nested tables taken apart."""
    costs = [dict(_flat(each.cost)) for each in report.variants]
    return [
        (name, [cost.get(name) for cost in costs]) for name in dict.fromkeys(name for cost in costs for name in cost)
    ]


def _flat(cost: Mapping[str, Any], within: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in cost.items():
        called = f"{within}, {name}" if within else name
        if isinstance(value, Mapping):
            found += _flat(value, called.replace("_", " "))
        else:
            found.append((called.replace("_", " "), value))
    return found
