"""The least that a variant must be able to do before anything about it is compared: one NginxPod, up and gone again.

`compare.py` calls `smoke` once for each variant, through the same runner as every trial. A variant that fails is reported
with the sentence that comes back, and nothing about it is timed: numbers of something that does not work mislead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from twinloop.harness.history import History, Process
from twinloop.harness.job import Job, Variant
from twinloop.harness.scenario import Scenario, Settings, Stage

OK = "ok"
NAME = "smoke"
# Of a log line in a report.
LONGEST = 200


@dataclass
class Smoke:
    """The story, which keeps why it stopped; "" when it came to its end."""

    why: str = ""

    def story(self, stage: Stage) -> None:
        """Start, create, delete, stop; the first thing that fails ends it."""
        self.why = self._started(stage) or self._served(stage) or self._stopped(stage)

    @staticmethod
    def _started(stage: Stage) -> str:
        return "" if stage.start() else f"it was not ready within {stage.settings.start:g} s"

    @staticmethod
    def _served(stage: Stage) -> str:
        stage.create(NAME, replicas=1)
        stage.expect(NAME, pods=1)
        ready = stage.wait(lambda view: view.ready(NAME) and len(view.pods(NAME)) == 1)
        stage.delete(NAME)
        stage.expect_gone(NAME)
        if not ready:
            return f"a NginxPod with one replica was not Ready within {stage.settings.bound:g} s"
        gone = stage.wait(lambda view: view.nginxpod(NAME) is None and view.pod(f"{NAME}-0") is None)
        return "" if gone else f"a deleted NginxPod, or its pod, was still there after {stage.settings.bound:g} s"

    @staticmethod
    def _stopped(stage: Stage) -> str:
        well = stage.stop()
        return "" if well else f"it did not exit with status 0 within {stage.settings.grace:g} s of SIGTERM"


def smoke(run: Callable[[Job], Path], variant: Variant, settings: Settings | None = None) -> str:
    """`ok`, or in one sentence why `variant` cannot do the simplest thing; `run` gives the folder of a job's trial."""
    told = Smoke()
    scenario = Scenario(
        name=NAME,
        description="One NginxPod is created and deleted; then the operator is asked to stop.",
        expectation="It becomes Ready, goes with its pod, and the operator exits with status 0.",
        story=told.story,
        starts=False,
    )
    folder = run(Job(scenario=scenario, variant=variant, settings=settings or Settings()))
    history = History.read(folder / "history.jsonl")
    if history.end is None or history.end.outcome != "complete":
        return f"the trial did not come to its end: {history.end.why if history.end else 'it was cut off'}"
    return f"{told.why}{_last_words(history, folder)}" if told.why else OK


def _last_words(history: History, folder: Path) -> str:
    """How the process ended by itself, and what it said last; "" when it did not."""
    ended = [each for each in history.of(Process) if each.what == "exited" and not each.expected]
    if not ended:
        return ""
    code = ended[-1].code
    said = ended[-1].detail or _last_line(folder / f"operator-{ended[-1].replica}.log")
    return f": it exited with status {code}{f', saying: {said}' if said else ''}"


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").split("\n") if log.exists() else []
    return next((line.strip()[:LONGEST] for line in reversed(lines) if line.strip()), "")
