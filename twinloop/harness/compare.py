"""Runs the trials of a comparison in their order, judges each as soon as it is over, and survives being interrupted.

    order.jobs -> run(job) -> folder -> judge -> Outcome        for all, the crash plans after their reference trials
    outcomes -> judge_group                                     oracles that compare trials, a scenario at a time
    assemble.assemble -> Report -> folder.keep                  `commands.py` makes pages of it

What runs a trial and what judges one come in from outside, and so does whoever watches the progress. Trials that are timed
have the machine to themselves; others may run `jobs` at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from twinloop.harness.crashplans import REFERENCE, of_plan, plans, rule
from twinloop.harness.faults import Rule
from twinloop.harness.job import Job, Variant
from twinloop.harness.order import Wanted, again, jobs, side_by_side
from twinloop.harness.outcome import INVALID, UNKNOWN, Judge, Outcome, of_folder
from twinloop.harness.scenario import Scenario
from twinloop.harness.verdict import Finding

Run = Callable[[Job], Path]
# The folders of one scenario's trials, the base variant's first -> findings by variant.
JudgeGroup = Callable[[Sequence[Path]], Mapping[str, Sequence[Finding]]]


class Watcher(Protocol):
    """Whoever is told how far it is. Called from the threads that run trials."""

    def more(self, jobs: Sequence[Job]) -> None:
        """These are to be run as well."""

    def started(self, job: Job) -> None:
        """A trial begins."""

    def finished(self, job: Job, outcome: Outcome) -> None:
        """A trial is over and judged."""


class Nobody:
    """Does not watch."""

    def more(self, jobs: Sequence[Job]) -> None:
        """Nothing."""

    def started(self, job: Job) -> None:
        """Nothing."""

    def finished(self, job: Job, outcome: Outcome) -> None:
        """Nothing."""


@dataclass
class Trials:
    """What became of a run. `expected`: how many trials each scenario and variant was to have."""

    outcomes: list[Outcome] = field(default_factory=list)
    expected: dict[tuple[str, str], int] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    interrupted: bool = False


@dataclass
class Comparison:
    """A run of many trials. `interrupt` is called on Ctrl-C, to end those that other threads are in the middle of."""

    run: Run
    judge: Judge
    results: Path
    jobs: int = 1
    watcher: Watcher = field(default_factory=Nobody)
    interrupt: Callable[[], None] = lambda: None
    trials: Trials = field(default_factory=Trials)

    def go(self, wanted: Wanted) -> Trials:
        """Run everything that is wanted. Ctrl-C ends it early and leaves what was finished."""
        try:
            self._all(jobs(wanted))
            for scenario in wanted.scenarios:
                if scenario.every_write:
                    self._all(self._crashes(wanted, scenario))
        except KeyboardInterrupt:
            self.trials.interrupted = True
        return self.trials

    def _crashes(self, wanted: Wanted, scenario: Scenario) -> list[Job]:
        """The trials with a crash at every write, plan by plan, the variants side by side."""
        wishes = {variant.name: self._plans(wanted, scenario, variant) for variant in wanted.variants}
        names = sorted({plan for names in wishes.values() for plan in names})
        return [
            job
            for plan in names
            for block in range(wanted.runs or 1)
            for job in side_by_side(wanted, scenario, plan, _crash(plan), block)
            if plan in wishes[job.name]
        ]

    def _plans(self, wanted: Wanted, scenario: Scenario, variant: Variant) -> Sequence[str]:
        """The plans for a variant: those that were asked for, or all that its reference trial gives."""
        if wanted.plans:
            return [plan for plan in wanted.plans if of_plan(plan)]
        place = (scenario.name, variant.name, REFERENCE)
        counted = [each for each in self.trials.outcomes if (each.scenario, each.variant, each.plan) == place]
        return list(plans(max((each.story_writes for each in counted), default=0)))

    def _all(self, todo: Sequence[Job]) -> None:
        """Those that need the machine to themselves first, one after the other; then the others, several at a time."""
        alone = [job for job in todo if self.jobs == 1 or job.scenario.latency or not job.scenario.together]
        self._expect(todo)
        for job in alone:
            self._keep(self._one(job))
        self._side_by_side([job for job in todo if job not in alone])

    def _expect(self, todo: Sequence[Job]) -> None:
        self.watcher.more(todo)
        for job in todo:
            key = (job.scenario.name, job.name)
            self.trials.expected[key] = self.trials.expected.get(key, 0) + 1

    def _side_by_side(self, todo: Sequence[Job]) -> None:
        with ThreadPoolExecutor(self.jobs, thread_name_prefix="trial") as pool:
            futures: list[Future[list[Outcome]]] = []
            try:
                # In here too: interrupted while it hands them out, the pool would run them all to their end.
                futures.extend(pool.submit(self._one, job) for job in todo)
                for future in as_completed(futures):
                    self._keep(future.result())
            except KeyboardInterrupt:
                self._stop(pool, futures)
                raise

    def _stop(self, pool: ThreadPoolExecutor, futures: Sequence[Future[list[Outcome]]]) -> None:
        """End the trials under way; those that had ended without being looked at count."""
        self.interrupt()
        pool.shutdown(wait=True, cancel_futures=True)
        kept = {each.trial for each in self.trials.outcomes}
        for future in futures:
            if not future.cancelled() and not future.exception():
                self._keep([each for each in future.result() if each.trial not in kept])

    def _keep(self, outcomes: Sequence[Outcome]) -> None:
        self.trials.outcomes += outcomes
        self.trials.order += [each.trial for each in outcomes]

    def _one(self, job: Job) -> list[Outcome]:
        """A trial; a crash that hit nothing is tried once more, since the number of a story's writes may vary by one."""
        outcome = self._try(job)
        if outcome.state != INVALID or not of_plan(job.plan):
            return [outcome]
        return [outcome, self._try(again(job))]

    def _try(self, job: Job) -> Outcome:
        self.watcher.started(job)
        try:
            outcome = of_folder(self.results, self.run(job), self.judge)
        except Exception as error:  # noqa: BLE001 - the harness's own fault: this trial is unknown, the next may be better
            why = f"the trial could not be run: {type(error).__name__}: {error}"
            outcome = Outcome(job.folder, job.scenario.name, job.name, job.plan, job.block, state=UNKNOWN, why=why)
        self.watcher.finished(job, outcome)
        return outcome


def _crash(plan: str) -> tuple[Rule, ...]:
    place = of_plan(plan)
    return (rule(*place),) if place else ()


def without(wanted: Wanted, broken: Sequence[str]) -> Wanted:
    """The same without the variants that cannot do the simplest thing: nothing about them is timed."""
    return replace(wanted, variants=[each for each in wanted.variants if each.name not in broken])


def across(
    results: Path, outcomes: Sequence[Outcome], base: str, judge_group: JudgeGroup
) -> dict[tuple[str, str], list[Finding]]:
    """The findings that take several trials to make; one scenario's histories at a time, since they may be large."""
    found: dict[tuple[str, str], list[Finding]] = {}
    whole = [each for each in outcomes if each.state == "complete" and not each.pseudo]
    for scenario in dict.fromkeys(each.scenario for each in whole):
        of_it = sorted((each for each in whole if each.scenario == scenario), key=lambda each: each.variant != base)
        for variant, findings in judge_group([results / each.trial for each in of_it]).items():
            found[scenario, variant] = list(findings)
    return found


def gathered(results: Path, judge: Judge) -> list[Outcome]:
    """The outcomes of an earlier run, from its folders."""
    return [of_folder(results, each.parent, judge) for each in sorted(results.glob("trials/*/*/history.jsonl"))]
