"""Whole trials with a real operator on the embedded server: what is in the folder afterwards.

Left out: whether the operator did well (the oracles), and the order of trials (test_compare).
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from twinloop.harness.backends.backend import Backend
from twinloop.harness.backends.choose import backend as choose_backend
from twinloop.harness.faults import Act, Match, Rule
from twinloop.harness.history import Fault, History, Mark, Measured, Process, Request, Truth, User
from twinloop.harness.job import Job
from twinloop.harness.proxy.host import ProxyHost
from twinloop.harness.scenario import Scenario, Settings, Stage
from twinloop.harness.trial import run_trial
from twinloop.harness.variants import ours
from twinloop.kube import NGINXPODS, PODS


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    with choose_backend("embedded") as backend:
        yield backend


@pytest.fixture(scope="module")
def proxies() -> Iterator[ProxyHost]:
    with ProxyHost() as proxies:
        yield proxies


Run = Callable[..., History]


@pytest.fixture
def run(backend: Backend, proxies: ProxyHost, tmp_path: Path) -> Run:
    def run(
        story: Callable[[Stage], None], *, variant: str = "handwritten", rules: Sequence[Rule] = (), **scenario: Any
    ) -> History:
        told = Scenario(name="told", description="d", expectation="e", story=story, **scenario)
        settings = Settings(bound=5, window=0.2)
        job = Job(told, ours()[variant], "", tuple(rules), settings=settings)
        return History.read(run_trial(job, backend, proxies, tmp_path) / "history.jsonl")

    return run


def one(stage: Stage) -> None:
    stage.create("web", replicas=1)
    stage.expect("web", pods=1)
    stage.settle()


def marks(history: History) -> list[str]:
    return [mark.name for mark in history.of(Mark) if mark.ok]


@pytest.mark.parametrize("variant", ["handwritten", "kopf", "kopf-level"])
def test_a_trial_leaves_a_whole_history(run: Run, variant: str) -> None:
    history = run(one, variant=variant)
    assert history.end is not None
    assert (history.end.outcome, history.end.unfired) == ("complete", [])
    assert marks(history) == [
        "steady", "story-begin", "phase", "story-end", "faults-over", "settled", "quiet-begin", "quiet-end", "cleanup-begin",
        "cleanup-end",
    ]  # fmt: skip
    creates = [each.body["metadata"]["name"] for each in history.of(Request) if each.verb == "create"]
    assert "web-0" in creates
    assert [user.op for user in history.of(User)] == ["create", "delete"]
    assert {truth.resource for truth in history.of(Truth)} == {str(NGINXPODS), str(PODS)}


def test_the_operator_is_asked_to_stop_and_does(run: Run) -> None:
    exits = [each for each in run(one).of(Process) if each.what == "exited"]
    assert [(each.code, each.expected) for each in exits] == [(0, True)]


def test_a_fault_trial_ends_with_a_canary(run: Run) -> None:
    assert "canary" in marks(run(one, set="fault"))


def test_a_crash_at_the_first_write_is_survived_by_the_trial(run: Run) -> None:
    rule = Rule(id="first", match=Match(verb="write"), act=Act.CRASH, how={"when": "committed"})
    history = run(one, rules=[rule], set="fault")
    assert [fault.rule for fault in history.of(Fault)] == ["first"]
    assert [each.what for each in history.of(Process)].count("started") == 2
    assert "settled" in marks(history)


def test_a_rule_that_never_fires_is_named_at_the_end(run: Run) -> None:
    never = Rule(id="never", match=Match(verb="create", resource="secrets"), act=Act.ABORT)
    end = run(one, rules=[never]).end
    assert end is not None
    assert end.unfired == ["never"]


def test_a_story_that_raises_fails_the_trial_and_leaves_nothing_running(run: Run) -> None:
    def broken(stage: Stage) -> None:
        raise ZeroDivisionError("no story")

    history = run(broken)
    assert history.end is not None
    assert (history.end.outcome, history.end.why) == ("failed", "ZeroDivisionError: no story")
    assert [each.what for each in history.of(Process)][-1] == "exited"


def test_an_interruption_passes_through_and_the_history_says_so(
    backend: Backend, proxies: ProxyHost, tmp_path: Path
) -> None:
    def interrupted(stage: Stage) -> None:
        raise KeyboardInterrupt

    job = Job(Scenario(name="told", description="d", expectation="e", story=interrupted), ours()["handwritten"])
    with pytest.raises(KeyboardInterrupt):
        run_trial(job, backend, proxies, tmp_path)
    end = History.read(tmp_path / job.folder / "history.jsonl").end
    assert end is not None
    assert end.outcome == "interrupted"


def test_what_the_backend_cannot_is_unsupported_and_not_run(run: Run) -> None:
    history = run(one, needs=frozenset({"magic"}))
    assert history.end is not None
    assert (history.end.outcome, "magic" in history.end.why) == ("unsupported", True)
    assert len(history.records) == 2


def test_a_table_that_never_holds_is_a_mark_that_says_why(run: Run) -> None:
    def wrong(stage: Stage) -> None:
        stage.create("web", replicas=1)
        stage.expect("web", pods=2)

    settled = run(wrong, settings={"bound": 0.5}).mark("settled")
    assert settled is not None
    assert not settled.ok
    assert "should have web-0, web-1" in settled.detail


def test_samples_count_from_the_answer_to_the_truth(run: Run) -> None:
    def measured(stage: Stage) -> None:
        stage.expect("web", pods=1)
        with stage.measure("to ready", warm_up=True) as sample:
            stage.create("web", replicas=1)
            sample.until(lambda view: view.ready("web"))
        with stage.measure("to ready") as sample:
            stage.edit("web", replicas=2)
            sample.until(lambda _: False, within=0.1)
        stage.edit("web", replicas=1)

    first, second = run(measured).of(Measured)
    assert (first.index, first.warm_up) == (0, True)
    assert first.seconds is not None
    assert 0 < first.seconds < 5
    assert (second.index, second.seconds) == (1, None)
