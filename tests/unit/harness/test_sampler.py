"""What is sampled of a process tree, and how often what.

Left out: the thread (tests/harness/test_supervisor.py), and whether psutil is right.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading

import pytest

from twinloop.harness import sampler
from twinloop.harness.history import Record, Recorder, Sample
from twinloop.harness.sampler import Meter, Sampler, Target, fetch, reconciles

PAGE = """# HELP controller_runtime_reconcile_total Total number of reconciliations per controller
# TYPE controller_runtime_reconcile_total counter
controller_runtime_reconcile_total{controller="nginxpod",result="success"} 12.0
controller_runtime_reconcile_total{controller="nginxpod",result="error"} 3.0
controller_runtime_reconcile_errors_total{controller="nginxpod"} 99.0
workqueue_depth 7.0
"""


def test_reconciles_of_all_results_are_added() -> None:
    assert reconciles(PAGE) == 15


def test_an_operator_without_that_metric_has_no_count() -> None:
    assert reconciles("process_cpu_seconds_total 1.0\n") is None
    assert reconciles("") is None


def test_a_count_without_labels_is_one_too() -> None:
    assert reconciles("controller_runtime_reconcile_total 4\n") == 4


def test_nobody_there_is_an_empty_page() -> None:
    assert not fetch("http://127.0.0.1:9/metrics")


def test_every_target_is_recorded_and_who_is_gone_is_left_out() -> None:
    records: list[Record] = []
    recorder = Recorder(io.StringIO())
    recorder.listeners.append(records.append)
    targets = [Target("a", 1), Target("b", 2)]

    def measure(target: Target, seldom: bool) -> Sample | None:
        return Sample(replica=target.replica, pid=target.pid, cpu=1.0, rss=2) if target.pid == 2 else None

    Sampler(recorder, lambda: targets, measure).look(seldom=True)
    assert [(each.replica, each.pid) for each in records if isinstance(each, Sample)] == [("b", 2)]


def test_a_sampler_that_never_began_can_be_closed() -> None:
    Sampler(Recorder(io.StringIO()), list).close()


def test_a_process_is_measured() -> None:
    sample = Meter().sample(Target("a", os.getpid()), seldom=True)
    assert sample is not None
    assert (sample.replica, sample.pid) == ("a", os.getpid())
    assert sample.cpu > 0
    assert sample.rss > 5_000_000
    assert sample.threads >= 1
    assert sample.fds >= 3


def test_what_is_costly_is_read_seldom() -> None:
    asked: list[str] = []

    def scrape(url: str) -> str:
        asked.append(url)
        return PAGE

    meter, target = Meter(scrape), Target("a", os.getpid(), "http://x/metrics")
    first, second = meter.sample(target, seldom=True), meter.sample(target, seldom=False)
    assert first is not None
    assert second is not None
    assert (first.reconciles, second.reconciles) == (15, None)
    assert second.pss == 0
    assert asked == ["http://x/metrics"]


def test_an_operator_without_metrics_is_not_asked() -> None:
    meter = Meter(lambda url: pytest.fail(f"asked {url}"))
    sample = meter.sample(Target("a", os.getpid()), seldom=True)
    assert sample is not None
    assert sample.reconciles is None


def test_a_process_that_is_gone_gives_no_sample() -> None:
    process = subprocess.Popen([sys.executable, "-S", "-c", ""])
    process.wait()
    assert Meter().sample(Target("a", process.pid), seldom=True) is None


def test_children_count() -> None:
    code = (
        "import subprocess, sys; c = subprocess.Popen([sys.executable, '-S', '-c', 'input()'], stdin=subprocess.PIPE);"
        "print(c.pid, flush=True); input()"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-S", "-c", code], **pipes) as process:  # type: ignore[call-overload]
        process.stdout.readline()
        tree = {each.pid for each in sampler._tree(process.pid)}
        sample = Meter().sample(Target("a", process.pid), seldom=True)
        process.communicate()
    assert len(tree) == 2
    assert sample is not None
    assert sample.threads == 2


def test_cpu_never_falls_when_a_child_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    meter, cpu = Meter(), {1: 5.0, 2: 3.0}

    def add(totals: sampler._Totals, process: int, known: dict[int, float]) -> None:
        if process in cpu:
            known[process] = cpu[process]
            totals.seen += 1

    monkeypatch.setattr(sampler, "_tree", lambda _: [1, 2])
    monkeypatch.setattr(sampler, "_pss", lambda _: 0)
    monkeypatch.setattr(sampler._Totals, "add", add)
    first = meter.sample(Target("a", 1), seldom=True)
    del cpu[2]
    second = meter.sample(Target("a", 1), seldom=True)
    assert first is not None
    assert second is not None
    assert (first.cpu, second.cpu) == (8.0, 8.0)


def test_looks_go_on_until_it_is_closed_and_some_are_costly(monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[bool] = []
    enough = threading.Event()

    def measure(target: Target, seldom: bool) -> Sample | None:
        turns.append(seldom)
        if len(turns) > sampler.SELDOM:
            enough.set()
        return None

    monkeypatch.setattr(sampler, "EVERY", 0.0)
    watched = Sampler(Recorder(io.StringIO()), lambda: [Target("a", 1)], measure)
    watched.start()
    watched.start()
    assert enough.wait(10)
    watched.close()
    assert turns[: sampler.SELDOM + 1] == [True, *[False] * (sampler.SELDOM - 1), True]
    count = len(turns)
    assert not [each for each in threading.enumerate() if each.name == "sampler"]
    assert len(turns) == count
