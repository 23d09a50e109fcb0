"""A trial boiled down: what it was, how it ended, what the judges found, and everything that the report shows of it.

`compare.py` makes one of each folder as soon as it was judged, and forgets the history, which may be large;
`assemble.py` makes the report of all of them. A folder of an earlier run gives the same outcome, so `twinloop report`
needs nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twinloop.harness import extract, lanes
from twinloop.harness.crashplans import what_was_hit, writes_of_story
from twinloop.harness.history import BrokenHistoryError, History, Measured
from twinloop.harness.order import AGAIN, RETRY
from twinloop.harness.results import Footprint, Staircase, Timeline
from twinloop.harness.verdict import Finding

Judge = Callable[[Path], Sequence[Finding]]

OK, VIOLATED, UNKNOWN, INVALID, UNSUPPORTED = "ok", "violated", "unknown", "invalid", "unsupported"


@dataclass
class Outcome:
    """One trial. `state`: complete, or why its findings count for less: unsupported, invalid, unknown (`why` says more)."""

    trial: str  # the folder, relative to the results
    scenario: str
    variant: str
    plan: str = ""
    block: int = 0
    seed: int = 0
    backend: str = ""
    state: str = "complete"
    why: str = ""
    findings: list[Finding] = field(default_factory=list)
    numbers: dict[str, Any] = field(default_factory=dict)
    requests: dict[str, int] = field(default_factory=dict)
    samples: list[Measured] = field(default_factory=list)
    staircases: list[Staircase] = field(default_factory=list)
    timeline: Timeline | None = None
    footprint: Footprint | None = None
    added: list[float] = field(default_factory=list)
    hit: str = ""  # the write at which a crash plan crashed
    story_writes: int = 0

    @property
    def repeated(self) -> bool:
        """Whether it stands for an earlier trial whose fault hit nothing."""
        return self.block >= RETRY

    @property
    def pseudo(self) -> bool:
        """Whether it is the A/A run: its numbers count for the noise only, what it violates is the base variant's violation."""
        return self.variant.endswith(AGAIN)


def of_folder(results: Path, folder: Path, judge: Judge) -> Outcome:
    """Read and judge a trial. A history that cannot be read, or a judge that fails, is unknown and never a pass."""
    trial = folder.relative_to(results).as_posix()
    try:
        history = History.read(folder / "history.jsonl")
    except (OSError, BrokenHistoryError) as error:
        return _unreadable(trial, str(error))
    outcome = of_history(history, trial)
    try:
        outcome.findings = list(judge(folder))
    except Exception as error:  # noqa: BLE001 - whatever it is, the other trials have a report to make
        outcome.state, outcome.why = UNKNOWN, f"the judges failed: {type(error).__name__}: {error}"
    return outcome


def _unreadable(trial: str, why: str) -> Outcome:
    """The folder's name is all that is left."""
    _, story, last = trial.rsplit("/", 2)
    scenario, _, plan = story.partition(".")
    variant, _, block = last.rpartition(".")
    number = int(block) if block.isdigit() else 0
    return Outcome(trial, scenario, variant, plan, number, state=UNKNOWN, why=f"the history cannot be read: {why}")


def of_history(history: History, trial: str) -> Outcome:
    """Everything but the findings."""
    begin, (state, why) = history.begin, _state(history)
    return Outcome(
        trial, begin.scenario, begin.variant, begin.plan, begin.block, begin.seed, begin.backend, state, why,
        numbers=extract.numbers(history),
        requests=extract.requests(history),
        samples=extract.measured(history),
        staircases=extract.staircases(history),
        timeline=lanes.timeline(history, trial),
        footprint=extract.footprint(history),
        added=extract.added(history),
        hit=what_was_hit(history),
        story_writes=len(writes_of_story(history)),
    )  # fmt: skip


def _state(history: History) -> tuple[str, str]:
    end = history.end
    if end is None:
        return UNKNOWN, "the history was cut off"
    if end.outcome == "unsupported":
        return UNSUPPORTED, end.why
    if end.outcome != "complete":
        return UNKNOWN, f"the trial was {end.outcome}: {end.why}" if end.why else f"the trial was {end.outcome}"
    if end.unfired:
        return INVALID, f"never hit anything: {', '.join(end.unfired)}"
    return "complete", ""


def current(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Those that count: a trial that was repeated stands for its first try."""
    repeated = {(each.scenario, each.variant, each.plan, each.block - RETRY) for each in outcomes if each.repeated}
    return [each for each in outcomes if (each.scenario, each.variant, each.plan, each.block) not in repeated]
