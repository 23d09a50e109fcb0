"""The report of all trials: matrix, differences, latencies, crash points, and everything a page shows.

Pure: outcomes and the frame in, a `Report` out, so that a run which was interrupted and a folder of last month are reported
by the same code. `compare.py` brings the outcomes, `report/` makes the pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from twinloop.harness.cells import Across, by_cell, cell, second_sides
from twinloop.harness.crashplans import of_plan
from twinloop.harness.differences import differences
from twinloop.harness.frame import Frame
from twinloop.harness.latencies import compared, latencies
from twinloop.harness.observed import TOLERANCES, of_counts, of_latencies, of_oracles
from twinloop.harness.outcome import INVALID, OK, UNKNOWN, VIOLATED, Outcome, current
from twinloop.harness.results import Cell, CrashPoint, Report, ScenarioInfo
from twinloop.harness.scenario import Scenario
from twinloop.harness.standing import exit_code, sentence
from twinloop.harness.stats import LEAST_RATIO, quantile
from twinloop.harness.verdict import worst


def assemble(
    frame: Frame, outcomes: Sequence[Outcome], meta: Mapping[str, Any], across: Across | None = None
) -> Report:
    """The whole report. `meta` is kept and completed."""
    counted = current(outcomes)
    real = [each for each in counted if not each.pseudo]
    cells = _cells(frame, counted, across or {})
    ratios, noises = compared(frame, counted)
    observations = [*of_oracles(frame, cells, counted), *of_counts(frame, cells, real), *of_latencies(frame, ratios)]
    report = Report(
        {**meta, "proxy": proxy(counted), "tolerances": tolerances()},
        variants=list(frame.variants),
        scenarios=[scenario_info(each, real) for each in frame.scenarios],
        cells=cells,
        differences=differences(frame, observations),
        latencies=latencies(counted),
        ratios=[each.ratio for each in ratios],
        noise=[each.ratio for each in noises],
        crash_points=crash_points(frame, real),
    )
    _add_what_is_drawn(report, real)
    _name_known(report)
    report.threats = threats(report)
    report.exit_code = exit_code(report)
    report.meta["exit_code"] = report.exit_code
    report.sentence = sentence(report)
    return report


def _cells(frame: Frame, outcomes: Sequence[Outcome], across: Across) -> list[Cell]:
    """All places of the matrix, those that were not run too."""
    trials, seconds = by_cell(outcomes), second_sides(frame, outcomes)
    cells = []
    for scenario in frame.scenarios:
        for variant in frame.variants:
            key = (scenario.name, variant.name)
            made = cell(frame, key, trials.get(key, []), across.get(key, ()), seconds.get(key, ()))
            if variant.smoke != "ok" and key not in trials:
                made.why = f"not run, since it cannot do the simplest thing: {variant.smoke}"
            cells.append(made)
    return cells


def scenario_info(scenario: Scenario, outcomes: Sequence[Outcome]) -> ScenarioInfo:
    """A scenario as pages present it, with the plans that were run."""
    plans = dict.fromkeys(each.plan for each in outcomes if each.scenario == scenario.name and each.plan)
    return ScenarioInfo(
        scenario.name, scenario.set, scenario.description, scenario.expectation, scenario.grade, scenario.long, [*plans]
    )


def crash_points(frame: Frame, outcomes: Sequence[Outcome]) -> list[CrashPoint]:
    """One a crash plan; the worst when it was run several times."""
    points: dict[tuple[str, str, str], CrashPoint] = {}
    for outcome in outcomes:
        if (place := of_plan(outcome.plan)) is None:
            continue
        point = CrashPoint(
            outcome.scenario, outcome.variant, *place, outcome.hit, _standing(frame, outcome), outcome.trial
        )
        key = (outcome.scenario, outcome.variant, outcome.plan)
        if key not in points or _RANK.index(point.verdict) < _RANK.index(points[key].verdict):
            points[key] = point
    return sorted(points.values(), key=lambda each: (each.scenario, each.variant, each.k))


_RANK = (VIOLATED, INVALID, UNKNOWN, "unsupported", OK)


def _standing(frame: Frame, outcome: Outcome) -> str:
    """As in the matrix: what does not decide there makes no crash point bad."""
    if outcome.state != "complete":
        return outcome.state
    scenario = frame.scenario(outcome.scenario)
    deciding = scenario.deciding if scenario else ()
    return str(worst(each.verdict for each in outcome.findings if not deciding or each.oracle in deciding))


def _add_what_is_drawn(report: Report, outcomes: Sequence[Outcome]) -> None:
    """A timeline and a footprint for each cell: of the trial that decided against it, else of its first."""
    for made in report.cells:
        trials = [each for each in outcomes if (each.scenario, each.variant) == (made.scenario, made.variant)]
        if not trials:
            continue
        decisive = next((each.trial for each in made.oracles if each.deciding and each.verdict == VIOLATED), "")
        shown = next((each for each in trials if each.trial == decisive), trials[0])
        report.timelines += [shown.timeline] if shown.timeline else []
        report.footprints += [shown.footprint] if shown.footprint else []
        steps = max(trials, key=lambda each: sum(len(stairs.attempts) for stairs in each.staircases))
        report.staircases += steps.staircases


def _name_known(report: Report) -> None:
    for difference in report.differences:
        made = report.cell(difference.scenario, difference.variant)
        if made and difference.known and not difference.gone and difference.known not in made.known:
            made.known.append(difference.known)


def proxy(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """What the recording proxy added to a request, over all trials, in seconds."""
    added = [each for outcome in outcomes for each in outcome.added]
    return {"requests": len(added), "p50": quantile(added, 0.5), "p99": quantile(added, 0.99)}


def tolerances() -> dict[str, Any]:
    """What is called a difference, for whoever reads the report."""
    return {**{aspect: asdict(each) for aspect, each in TOLERANCES.items()}, "latency": {"ratio": LEAST_RATIO}}


# Seconds: what the proxy may add before a run says so.
SLOW_PROXY = 0.001
BUSY = 0.8


def threats(report: Report) -> list[str]:
    """What makes this very run less than certain."""
    found = []
    median, load = report.meta["proxy"]["p50"], report.meta.get("load")
    if median is not None and median > SLOW_PROXY:
        found.append(f"The proxy added {median * 1000:.1f} ms to half of the requests; its target is 1 ms.")
    if isinstance(load, int | float) and load > BUSY:
        found.append(f"The machine was busy with other things before the run began ({load:.0%} of its cores).")
    few = sorted({each.scenario for each in report.ratios if each.call == "unknown"})
    if few:
        found.append(f"Too few samples to call a latency in {', '.join(few)}.")
    return found + _more_threats(report)


def _more_threats(report: Report) -> list[str]:
    found = []
    never = sum(each.censored for each in report.latencies)
    if never:
        found.append(f"{never} latency samples never ended; they are counted as the longest.")
    wide = sorted(each.scenario for each in report.noise if each.high is None or each.high > 1.5)
    if wide:
        found.append(f"The same variant beside itself differed by half and more in {', '.join(wide)}: a noisy machine.")
    if report.meta.get("dropped"):
        found.append(f"This version has no scenario {report.meta['dropped']}: what was run of it is not judged.")
    if report.meta.get("interrupted"):
        found.append("The run was interrupted; what was not run is unknown.")
    return found
