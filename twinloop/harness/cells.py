"""The matrix: all trials of a scenario under a variant become one cell, an oracle of several trials one verdict.

Pure. The worst counts: one violated trial of twenty is violated. What was not checked is never ok: a trial that failed, a
fault that hit nothing, an oracle that was to decide and said nothing. `assemble.py` asks for the cells.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any

from twinloop.harness.frame import Frame
from twinloop.harness.order import AGAIN
from twinloop.harness.outcome import INVALID, OK, UNKNOWN, UNSUPPORTED, VIOLATED, Outcome
from twinloop.harness.results import Cell, OracleResult
from twinloop.harness.scenario import Scenario
from twinloop.harness.verdict import Finding, Verdict, worst

Key = tuple[str, str]
# They compare trials, and say nothing where there is nothing to compare: of the base variant, of a single plan.
OF_SEVERAL = ("O12", "O16", "O17")
# Findings that took several trials to make, by scenario and variant.
Across = Mapping[Key, Sequence[Finding]]


def by_cell(outcomes: Sequence[Outcome]) -> dict[Key, list[Outcome]]:
    """The trials that count, by scenario and variant."""
    cells: dict[Key, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        if not outcome.pseudo:
            cells[outcome.scenario, outcome.variant].append(outcome)
    return cells


def second_sides(frame: Frame, outcomes: Sequence[Outcome]) -> dict[Key, list[Outcome]]:
    """The base variant's second trials of an A/A run, by the cell of the base: what they violate, it violates."""
    cells: dict[Key, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.pseudo:
            cells[outcome.scenario, frame.base].append(outcome)
    return cells


def cell(
    frame: Frame,
    key: Key,
    outcomes: Sequence[Outcome],
    across: Sequence[Finding] = (),
    seconds: Sequence[Outcome] = (),
) -> Cell:
    """One cell of the matrix. Of the `seconds`, see `second_sides`, the oracles count and no numbers."""
    name, variant = key
    scenario = frame.scenario(name)
    oracles = oracle_results([*outcomes, *seconds], across, scenario)
    doubt = next(_doubts([*outcomes, *seconds], oracles), "")
    verdict, why = _verdict(oracles, _gaps(frame, key, outcomes, seconds), doubt)
    return Cell(
        name, variant, verdict, oracles,
        trials=[each.trial for each in outcomes],
        numbers=numbers(outcomes),
        cost_by_verb=_cost(outcomes),
        repeat=frame.repeat(name, [variant]),
        why=why,
    )  # fmt: skip


def oracle_results(
    outcomes: Sequence[Outcome], across: Sequence[Finding], scenario: Scenario | None
) -> list[OracleResult]:
    """One result an oracle, of the trial that decided: the first with the worst verdict."""
    found: dict[str, list[tuple[Finding, Outcome | None]]] = defaultdict(list)
    for outcome in _spoken(outcomes):
        for finding in outcome.findings:
            found[finding.oracle].append((finding, outcome))
    for finding in across:
        found[finding.oracle].append((finding, None))
    deciding = scenario.deciding if scenario else ()
    results = [_one(oracle, said, not deciding or oracle in deciding) for oracle, said in found.items()]
    if found:
        results += [_silent(each) for each in deciding if each not in found and each not in OF_SEVERAL]
    return sorted(results, key=lambda result: (len(result.oracle), result.oracle))


def _one(oracle: str, said: Sequence[tuple[Finding, Outcome | None]], deciding: bool) -> OracleResult:
    decisive = worst(finding.verdict for finding, _ in said)
    finding, outcome = next(each for each in said if each[0].verdict == decisive)
    return OracleResult(
        oracle, str(decisive), finding.message,
        trial=outcome.trial if outcome else "",
        evidence=list(finding.evidence),
        numbers=dict(finding.numbers),
        deciding=deciding,
    )  # fmt: skip


def _silent(oracle: str) -> OracleResult:
    return OracleResult(oracle, str(Verdict.UNKNOWN), "It was to decide here, and no judge of that name said anything.")


def _verdict(oracles: Sequence[OracleResult], gap: tuple[str, str], doubt: str) -> tuple[str, str]:
    """The verdict, and what was not checked; of a violated cell too. Violated before invalid before unknown."""
    state, why = gap
    if any(each.deciding and each.verdict == VIOLATED for each in oracles):
        return VIOLATED, why or doubt
    if state:
        return state, why
    if doubt or not oracles:
        return UNKNOWN, doubt or "nothing was judged"
    return OK, ""


def _doubts(outcomes: Sequence[Outcome], oracles: Sequence[OracleResult]) -> Iterator[str]:
    """What a deciding oracle could not tell, trial by trial: a violation in one plan says nothing of another."""
    deciding = {each.oracle for each in oracles if each.deciding}
    for outcome in _spoken(outcomes):
        for finding in outcome.findings:
            if finding.oracle in deciding and finding.verdict == UNKNOWN and not _follows(finding, outcome):
                yield f"{finding.oracle}: {finding.message}"
    # An oracle of several trials, and one that said nothing, are of no trial.
    across = [each for each in oracles if each.deciding and each.verdict == UNKNOWN and not each.trial]
    yield from (f"{each.oracle}: {each.message}" for each in across)


def _follows(finding: Finding, outcome: Outcome) -> bool:
    """Whether it is no news that nothing can be said: who never arrived (O1) was never seen at rest (O6)."""
    never = any(each.oracle == "O1" and each.verdict == VIOLATED for each in outcome.findings)
    return finding.oracle == "O6" and never


def _spoken(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """What was violated while a fault failed to hit is violated; a trial that broke down says nothing."""
    return [each for each in outcomes if each.state in {"complete", INVALID}]


def _gaps(frame: Frame, key: Key, outcomes: Sequence[Outcome], seconds: Sequence[Outcome]) -> tuple[str, str]:
    """What is missing of the trials, or of the second trials of an A/A run."""
    state, why = _gap(outcomes, frame.expected.get(key, 0))
    again = frame.expected.get((key[0], key[1] + AGAIN), 0) if key[1] == frame.base else 0
    return (state, why) if state or not again else _gap(seconds, again)


def _gap(outcomes: Sequence[Outcome], expected: int) -> tuple[str, str]:
    """The worst state of a trial that counts for less, or of one that is missing, and why; empty without any."""
    for state in (INVALID, UNKNOWN, UNSUPPORTED):
        bad = [each for each in outcomes if each.state == state]
        if bad:
            return state, _why(bad, outcomes)
    if len(outcomes) < expected or not outcomes:
        return UNKNOWN, f"{len(outcomes)} of {expected} trials were run"
    return "", ""


def _why(bad: Sequence[Outcome], outcomes: Sequence[Outcome]) -> str:
    number = f" ({len(bad)} of {len(outcomes)} trials)" if len(outcomes) > 1 else ""
    return f"{bad[0].why}{number}"


def numbers(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The median of each number over the trials; restarts are added up, of memory and threads the most counts."""
    complete = [each.numbers for each in outcomes if each.state == "complete" and each.numbers]
    if not complete:
        return {}
    summed: dict[str, Any] = {name: _merged(name, [each.get(name) for each in complete]) for name in complete[0]}
    return {**summed, "trials": len(complete)}


def _merged(name: str, values: list[Any]) -> Any:
    known = [each for each in values if each is not None]
    if name == "converged":
        # One that never got there is the longest of all and stays in the count.
        return finite(median([math.inf if each is None else each for each in values]))
    if not known:
        return None
    if name == "restarts":
        return sum(known)
    return max(known) if name in {"rss", "threads"} else median(known)


def finite(value: float | None) -> float | None:
    """A number as JSON can hold it: None for what never ended."""
    return None if value is None or math.isinf(value) else round(value, 4)


def _cost(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """Requests by kind over all trials of the cell."""
    cost: dict[str, int] = defaultdict(int)
    for outcome in outcomes:
        for kind, times in outcome.requests.items():
            cost[kind] += times
    return dict(sorted(cost.items(), key=lambda item: (-item[1], item[0])))
