"""How far a comparison is, and how long it will still take: a bar on a terminal, plain lines anywhere else.

`compare.py` calls it. Trials differ a hundredfold in length, so the time left is reckoned from what this very run has
measured of each scenario, and from the mean of all where a scenario has not had its turn.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from twinloop.harness.job import Job
from twinloop.harness.outcome import Outcome


class Estimate:
    """Pure reckoning: what is left to do, and how long that takes with so many at a time."""

    def __init__(self) -> None:
        self._left: dict[str, int] = defaultdict(int)
        self._took: dict[str, list[float]] = defaultdict(list)

    def more(self, scenario: str) -> None:
        """One more trial is to be run."""
        self._left[scenario] += 1

    def done(self, scenario: str, seconds: float) -> None:
        """One trial took so long."""
        self._left[scenario] = max(0, self._left[scenario] - 1)
        self._took[scenario].append(seconds)

    def seconds_left(self) -> float | None:
        """None as long as nothing was measured."""
        if not self._took:
            return None
        usual = fmean(each for took in self._took.values() for each in took)
        return sum(number * self._one(scenario, usual) for scenario, number in self._left.items())

    def _one(self, scenario: str, usual: float) -> float:
        took = self._took.get(scenario)
        return fmean(took) if took else usual


def in_words(seconds: float | None) -> str:
    """As in "about 3 min left"."""
    if not seconds:
        return ""
    if seconds < 60:
        return f"about {max(1, round(seconds))} s left"
    return f"about {round(seconds / 60)} min left"


class Bar:
    """A `compare.Watcher` for a person. A context manager."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console, self._clock = console, clock
        self._lock = threading.Lock()
        self._estimate = Estimate()
        self._began: dict[str, float] = {}
        self._total = self._done = 0
        columns = (BarColumn(), TextColumn("{task.completed:.0f}/{task.total:.0f}"), TextColumn("{task.description}"))
        self._progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._progress.add_task("", total=0)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def more(self, jobs: Sequence[Job]) -> None:
        """Make the bar longer."""
        with self._lock:
            self._total += len(jobs)
            for job in jobs:
                self._estimate.more(job.scenario.name)
            self._progress.update(self._task, total=self._total)

    def started(self, job: Job) -> None:
        """Say what is being run."""
        with self._lock:
            self._began[job.folder] = self._clock()
            self._show(_name(job))

    def finished(self, job: Job, outcome: Outcome) -> None:
        """Move on; without a terminal, a line for each trial."""
        with self._lock:
            self._done += 1
            # A trial that is repeated was not announced.
            self._total = max(self._total, self._done)
            began = self._began.pop(job.folder, self._clock())
            self._estimate.done(job.scenario.name, self._clock() - began)
            self._show(_name(job))
            if not self._console.is_terminal:
                self._line(job, outcome)

    def _show(self, name: str) -> None:
        text = " · ".join(filter(None, (name, in_words(self._estimate.seconds_left()))))
        self._progress.update(self._task, completed=self._done, total=self._total, description=text)

    def _line(self, job: Job, outcome: Outcome) -> None:
        state = "" if outcome.state == "complete" else f"  {outcome.state}: {outcome.why}"
        left = in_words(self._estimate.seconds_left())
        self._console.print(
            f"{self._done}/{self._total}  {_name(job)}{state}  {left}".rstrip(), markup=False, soft_wrap=True
        )


def _name(job: Job) -> str:
    story = f"{job.scenario.name}.{job.plan}" if job.plan else job.scenario.name
    return f"{story} {job.name}"
