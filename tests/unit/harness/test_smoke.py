"""The smoke check's story and its words, on a stage that does what a test says.

Left out: real operators (tests/harness/test_smoke.py).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from twinloop.harness.history import Begin, End, Process, Recorder
from twinloop.harness.job import Job, Variant
from twinloop.harness.scenario import Settings, Stage
from twinloop.harness.smoke import smoke

MINE = Variant(name="mine", command="mine")


class Answers:
    """A stage where everything works but what is named: start, ready, gone or stop."""

    settings = Settings()

    def __init__(self, fails: str) -> None:
        self.fails, self.done = fails, list[str]()
        self._waits = iter(["ready", "gone"])

    def start(self) -> bool:
        self.done.append("start")
        return self.fails != "start"

    def stop(self) -> bool:
        self.done.append("stop")
        return self.fails != "stop"

    def wait(self, true: Any) -> bool:
        return self.fails != next(self._waits)

    def create(self, name: str, **spec: Any) -> None:
        self.done.append(f"create {spec['replicas']}")

    def delete(self, name: str) -> None:
        self.done.append("delete")

    def expect(self, name: str, **_: Any) -> None: ...

    def expect_gone(self, name: str) -> None: ...


def runner(
    folder: Path, stage: Answers, *processes: Process, outcome: str = "complete", why: str = "", log: str = ""
) -> Callable[[Job], Path]:
    """Plays the story on `stage` and leaves the folder of such a trial."""

    def run(job: Job) -> Path:
        job.scenario.story(cast("Stage", stage))
        with (folder / "history.jsonl").open("w") as stream:
            recorder = Recorder(stream)
            recorder.write(Begin(scenario="smoke", variant="mine", backend="embedded", namespace="ns", started=""))
            for process in processes:
                recorder.write(process)
            recorder.write(End(outcome=outcome, why=why))
        (folder / "operator-a.log").write_text(log)
        return folder

    return run


def test_who_does_it_all_is_ok(tmp_path: Path) -> None:
    stage = Answers("")
    assert smoke(runner(tmp_path, stage), MINE) == "ok"
    assert stage.done == ["start", "create 1", "delete", "stop"]


@pytest.mark.parametrize(
    ("fails", "why", "done"),
    [
        ("start", "it was not ready within 20 s", 1),
        ("ready", "a NginxPod with one replica was not Ready within 15 s", 3),
        ("gone", "a deleted NginxPod, or its pod, was still there after 15 s", 3),
        ("stop", "it did not exit with status 0 within 10 s of SIGTERM", 4),
    ],
)
def test_the_first_thing_that_fails_is_said(tmp_path: Path, fails: str, why: str, done: int) -> None:
    stage = Answers(fails)
    assert smoke(runner(tmp_path, stage), MINE) == why
    assert len(stage.done) == done


def test_how_it_ended_and_its_last_words_are_said(tmp_path: Path) -> None:
    exited = Process(replica="a", what="exited", code=1)
    run = runner(tmp_path, Answers("start"), exited, log="beginning\nno such flag: --namespace\n\n")
    assert smoke(run, MINE) == (
        "it was not ready within 20 s: it exited with status 1, saying: no such flag: --namespace"
    )


def test_a_program_that_is_not_there_is_said(tmp_path: Path) -> None:
    exited = Process(replica="a", what="exited", code=127, detail="[Errno 2] No such file: mine")
    assert smoke(runner(tmp_path, Answers("start"), exited), MINE).endswith("saying: [Errno 2] No such file: mine")


def test_an_end_that_was_asked_for_is_no_last_word(tmp_path: Path) -> None:
    exited = Process(replica="a", what="exited", code=-9, expected=True)
    assert smoke(runner(tmp_path, Answers("stop"), exited, log="x"), MINE).endswith("of SIGTERM")


def test_the_harnesss_own_failure_is_not_the_variants(tmp_path: Path) -> None:
    run = runner(tmp_path, Answers(""), outcome="failed", why="OSError: disk full")
    assert smoke(run, MINE) == "the trial did not come to its end: OSError: disk full"


def test_the_bounds_are_the_comparisons(tmp_path: Path) -> None:
    jobs: list[Job] = []
    run = runner(tmp_path, Answers(""))

    def spy(job: Job) -> Path:
        jobs.append(job)
        return run(job)

    smoke(spy, MINE, Settings(bound=3.0))
    (job,) = jobs
    assert (job.settings.bound, job.scenario.starts, job.variant) == (3.0, False, MINE)
