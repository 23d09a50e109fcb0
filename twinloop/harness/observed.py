"""What was observed in a run, one fact at a time: this oracle said violated here, that variant writes more there.

Pure. Each observation is of one scenario, variant and aspect, and says in one word how it came out, also when that is no
difference: `differences.py` needs to know that a thing was looked at and found the same, for an expected difference that
is no longer there is as much of a surprise as a new one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from twinloop.harness.cells import by_cell, oracle_results, second_sides
from twinloop.harness.crashplans import of_plan
from twinloop.harness.frame import Frame
from twinloop.harness.latencies import Compared
from twinloop.harness.outcome import OK, VIOLATED, Outcome
from twinloop.harness.results import Cell, OracleResult, Ratio
from twinloop.harness.stats import rules_out

UNDECIDED, SAME = "undecided", "same"


@dataclass(frozen=True)
class Tolerance:
    """How far a count may lie from the base's: so much, or such a share of it, whichever is more."""

    absolute: float
    relative: float

    def word(self, count: float, base: float) -> str:
        """more, fewer or same; the same whichever of the two is the base."""
        if abs(count - base) <= max(self.absolute, self.relative * min(count, base)):
            return SAME
        return "more" if count > base else "fewer"


# Of writes a few depend on what a loop happens to see first. Of requests the reads depend on much more, so only a
# difference that nobody can miss is one. A restart that nobody asked for is never by chance.
TOLERANCES = {"writes": Tolerance(2, 0.25), "requests": Tolerance(20, 2.0), "restarts": Tolerance(0, 0.5)}

# Where this oracle is violated, it has said already what the count would say again.
_SAID = {"writes": "O9", "restarts": "O13"}


@dataclass(frozen=True)
class Observation:
    """`word`: violated or ok; more, fewer or same; slower, faster or none; undecided for each. `text` is one sentence."""

    scenario: str
    variant: str
    aspect: str
    word: str
    text: str = ""
    trial: str = ""
    evidence: tuple[int, ...] = ()
    gates: bool = True
    # Whether it takes the base variant to see it again.
    relative: bool = False
    plan: str = ""


def of_oracles(frame: Frame, cells: Sequence[Cell], outcomes: Sequence[Outcome]) -> Iterator[Observation]:
    """What each deciding oracle said in each cell, plan by plan: what is known of one plan says nothing of another."""
    trials, seconds = by_cell(outcomes), second_sides(frame, outcomes)
    for cell in cells:
        # A cell in which something was not checked says of no oracle that all is well.
        sure = cell.verdict in {OK, VIOLATED} and not cell.why and not frame.plans
        key = (cell.scenario, cell.variant)
        by_plan = _by_plan_of([*trials.get(key, ()), *seconds.get(key, ())])
        for oracle in cell.oracles:
            if oracle.deciding:
                # One that compared several trials, or said nothing, speaks of no plan.
                said = [(plan, each[oracle.oracle]) for plan, each in by_plan.items() if oracle.oracle in each]
                for plan, result in said if oracle.trial else [("", oracle)]:
                    yield _said(frame, cell, plan, result, sure)


def _by_plan_of(outcomes: Sequence[Outcome]) -> dict[str, dict[str, OracleResult]]:
    """What each oracle said in each plan, the worst over its trials."""
    plans: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        plans[outcome.plan].append(outcome)
    return {plan: {each.oracle: each for each in oracle_results(of, (), None)} for plan, of in plans.items()}


def _said(frame: Frame, cell: Cell, plan: str, result: OracleResult, sure: bool) -> Observation:
    decided = result.verdict == VIOLATED or (sure and result.verdict == OK)
    return Observation(
        cell.scenario, cell.variant, result.oracle, result.verdict if decided else UNDECIDED,
        text=result.message,
        trial=result.trial,
        evidence=tuple(result.evidence),
        gates=gates(frame, cell.scenario),
        plan=plan,
    )  # fmt: skip


def gates(frame: Frame, scenario: str) -> bool:
    """Whether a difference there has consequences: what breaks the API's contract is shown only."""
    found = frame.scenario(scenario)
    return found is None or found.grade != "X"


def of_counts(frame: Frame, cells: Sequence[Cell], outcomes: Sequence[Outcome]) -> Iterator[Observation]:
    """Each count of each variant beside the base's, plan by plan."""
    trials = by_cell(outcomes)
    for cell in cells:
        if cell.variant == frame.base:
            continue
        said = {each.oracle for each in cell.oracles if each.verdict == VIOLATED}
        for aspect in TOLERANCES:
            if _SAID.get(aspect) not in said:
                ones, others = (trials.get((cell.scenario, each), []) for each in (cell.variant, frame.base))
                yield from _counts(frame, cell, aspect, ones, others)


def _counts(
    frame: Frame, cell: Cell, aspect: str, ones: Sequence[Outcome], others: Sequence[Outcome]
) -> Iterator[Observation]:
    """The plan in which they differ most comes first: it is the one that is shown."""
    mine, bases = _by_plan(aspect, ones), _by_plan(aspect, others)
    both = [plan for plan in mine if plan in bases]
    place = (cell.scenario, cell.variant, aspect)
    if not both:
        yield Observation(*place, UNDECIDED, gates=gates(frame, cell.scenario), relative=True)
    for plan in sorted(both, key=lambda each: -abs(mine[each][0] - bases[each][0])):
        (count, trial), (base, _) = mine[plan], bases[plan]
        yield Observation(
            *place, TOLERANCES[aspect].word(count, base),
            text=f"{count:g} {aspect}, where {frame.base} has {base:g}",
            trial=trial,
            gates=gates(frame, cell.scenario),
            relative=True,
            plan=plan,
        )  # fmt: skip


def _by_plan(aspect: str, outcomes: Sequence[Outcome]) -> dict[str, tuple[float, str]]:
    """The median of a count for each plan, with one of its trials.

    Trials that never reached the expected end say nothing here: an operator that gave up writes little. A crash plan is
    left out, since the third write of one variant is not the third write of another.
    """
    values: dict[str, list[float]] = defaultdict(list)
    trials: dict[str, str] = {}
    for each in outcomes:
        count = each.numbers.get(aspect)
        arrived = each.state == "complete" and each.numbers.get("converged") is not None
        if arrived and count is not None and of_plan(each.plan) is None:
            values[each.plan].append(count)
            trials.setdefault(each.plan, each.trial)
    return {plan: (median(counts), trials[plan]) for plan, counts in values.items()}


def of_latencies(frame: Frame, ratios: Sequence[Compared]) -> Iterator[Observation]:
    """Each ratio. One that is called no difference is still undecided when its interval leaves room for one."""
    for each in ratios:
        ratio = each.ratio
        word = ratio.call
        if word == "unknown" or (word == "none" and not _rules_out_both(each)):
            word = UNDECIDED
        yield Observation(
            ratio.scenario, ratio.variant, f"latency:{ratio.measure}", word,
            text=_in_words(ratio),
            gates=gates(frame, ratio.scenario),
            relative=True,
        )  # fmt: skip


def _rules_out_both(each: Compared) -> bool:
    return all(rules_out(each.interval, each.noise, word) for word in ("slower", "faster"))


def _in_words(ratio: Ratio) -> str:
    """As in "2.61 times the latency of handwritten [2.2, 3.1]"."""
    if ratio.ratio is None:
        return f"most samples never ended, where {ratio.base}'s did"
    high = "never" if ratio.high is None else f"{ratio.high:.3g}"
    return f"{ratio.ratio:.3g} times the latency of {ratio.base} [{ratio.low or 0:.3g}, {high}], {ratio.pairs} pairs"
