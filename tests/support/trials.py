"""Trials without an operator: histories written by hand, on a clock that only moves when it is told.

`Told` says how a made-up variant behaves, `FakeRun` is what `compare.Comparison` takes for a runner: it leaves the folder
that a real trial would leave. `findings_of` is a judge that reads what the made-up variant was told to be found guilty of.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twinloop.harness.crashplans import of_plan
from twinloop.harness.faults import Act, Match, Rule
from twinloop.harness.history import (
    Begin,
    End,
    Fault,
    History,
    Mark,
    Measured,
    Process,
    Record,
    Recorder,
    Request,
    Response,
    Sample,
)
from twinloop.harness.job import Job, Variant
from twinloop.harness.scenario import Scenario
from twinloop.harness.verdict import Finding, Verdict


class Clock:
    """Seconds that pass when somebody says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Writing:
    """A history under way."""

    def __init__(self, path: Path, **begin: Any) -> None:
        self.clock = Clock()
        self.path = path
        self._stream = path.open("w")
        self._recorder = Recorder(self._stream, self.clock)
        self._requests = 0
        said = {"scenario": "create", "variant": "handwritten", "backend": "embedded", "namespace": "n", "started": ""}
        self.write(Begin(**{**said, **begin}))

    def write(self, record: Record, after: float = 0.01) -> Record:
        self.clock.now += after
        return self._recorder.write(record)

    def mark(self, name: str, ok: bool = True, after: float = 0.01) -> None:
        self.write(Mark(name=name, ok=ok), after)

    def ask(
        self, verb: str, resource: str = "pods", *, code: int = 200, after: float = 0.01, name: str = "", **more: Any
    ) -> Request:
        """A request and its answer."""
        self._requests += 1
        more = {"replica": "a", "path": "/", **more}
        request = Request(id=self._requests, verb=verb, resource=resource, name=name, **more)
        written = self.write(request, after)
        self.write(Response(request=request.id, code=code, committed=code, added=0.0004), 0.001)
        assert isinstance(written, Request)
        return written

    def close(self, outcome: str | None = "complete", why: str = "", unfired: Sequence[str] = ()) -> History:
        if outcome:
            self.write(End(outcome=outcome, why=why, unfired=list(unfired)))
        self._stream.close()
        return History.read(self.path)


@dataclass
class Told:
    """How a made-up variant behaves in a scenario."""

    writes: int = 5
    reads: int = 3
    exits: int = 0
    latency: Callable[[Job, int], float | None] = lambda job, index: 0.1
    settles: bool = True
    violated: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    # In which of its trials it is found guilty.
    guilty: Callable[[Job], bool] = lambda job: True
    outcome: str | None = "complete"
    why: str = ""
    fires: Callable[[Job], bool] = lambda job: True
    raises: BaseException | None = None


@dataclass
class FakeRun:
    """`told` by variant and scenario; what is not there behaves well. `ran` are the folders in the order they were run."""

    results: Path
    told: dict[tuple[str, str], Told] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    stop_after: int = 10_000

    def __call__(self, job: Job) -> Path:
        with self.lock:
            if len(self.ran) >= self.stop_after:
                raise KeyboardInterrupt
            self.ran.append(job.folder)
        told = self.told.get((job.variant.name, job.scenario.name), Told())
        if told.raises:
            raise told.raises
        folder = self.results / job.folder
        folder.mkdir(parents=True, exist_ok=True)
        self._write(folder, job, told)
        said = {"violated": told.violated if told.guilty(job) else (), "unknown": told.unknown}
        (folder / "found.json").write_text(json.dumps(said))
        return folder

    def _write(self, folder: Path, job: Job, told: Told) -> None:
        trial = Writing(
            folder / "history.jsonl", scenario=job.scenario.name, plan=job.plan, variant=job.name, block=job.block,
            seed=job.seed, settings={"quiet": 0.3},
        )  # fmt: skip
        trial.mark("story-begin")
        for number in range(told.writes):
            asked = trial.ask("create", "pods", code=201, body={"metadata": {"name": f"web-{number}"}})
            if (of_plan(job.plan) or (0, ""))[0] == number + 1 and told.fires(job):
                trial.write(Fault(rule=job.plan, action="crash", request=asked.id))
        for _ in range(told.reads):
            trial.ask("get", "nginxpods.twinloop.dev", name="web")
        for _ in range(told.exits):
            trial.write(Process(replica="a", what="exited", code=1))
        trial.write(Sample(replica="a", pid=1, cpu=0.2, rss=50_000_000, threads=3, fds=9))
        if job.scenario.latency:
            trial.write(Measured(name="time", index=0, seconds=9.9, warm_up=True))
            for index in range(1, job.scenario.samples + 1):
                trial.write(Measured(name="time", index=index, seconds=told.latency(job, index)))
        for name in ("story-end", "faults-over"):
            trial.mark(name)
        trial.mark("settled", told.settles, after=0.5)
        for name in ("quiet-begin", "quiet-end"):
            trial.mark(name)
        unfired = [] if told.fires(job) else [each.id for each in job.rules]
        trial.close(told.outcome, told.why, unfired)


def findings_of(folder: Path) -> list[Finding]:
    """A judge: O1 to O3, and O6 where it was told of it, as the made-up variant was told."""
    said = json.loads((folder / "found.json").read_text())
    return [_finding(oracle, said) for oracle in ("O1", "O2", "O3", *({"O6"} & set(said["unknown"])))]


def _finding(oracle: str, said: dict[str, list[str]]) -> Finding:
    if oracle in said["violated"]:
        return Finding(oracle, Verdict.VIOLATED, f"{oracle} went wrong", evidence=(3, 4))
    return Finding(oracle, Verdict.UNKNOWN if oracle in said["unknown"] else Verdict.OK, f"{oracle} was looked at")


def no_story(stage: Any) -> None:
    """A story that nobody plays."""


def scenario(name: str, **more: Any) -> Scenario:
    return Scenario(name, f"What happens in {name}.", "That it goes well.", no_story, **more)


def variant(name: str) -> Variant:
    return Variant(name, f"run {name}")


def rules(*ids: str) -> tuple[Rule, ...]:
    return tuple(Rule(id=each, match=Match(verb="write"), act=Act.ABORT) for each in ids)
