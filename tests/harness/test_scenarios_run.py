"""Some scenarios for real: the handwritten operator on the embedded server, behind the proxy, as `twinloop compare` runs them.

One of each kind: a latency, a table in two phases, a fault that is a rule, one that follows on another, a lever, a crash. They
say that the stories work and their faults hit, and that the whole trial takes a few seconds. Left out: what the oracles say
(tests of the checkers), the other scenarios (`make compare`), the other operators, which need not do well.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from twinloop.harness import crashplans
from twinloop.harness.backends.backend import Backend
from twinloop.harness.backends.choose import backend as choose_backend
from twinloop.harness.history import Fault, History, Mark, Measured, Process, Request, User
from twinloop.harness.job import Job
from twinloop.harness.proxy.host import ProxyHost
from twinloop.harness.scenario import Scenario, all_scenarios
from twinloop.harness.trial import run_trial
from twinloop.harness.variants import ours

BY_NAME = {scenario.name: scenario for scenario in all_scenarios()}
# Of a machine that does something else as well; alone it is two to four seconds.
SECONDS = 20.0


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    with choose_backend("embedded") as backend:
        yield backend


@pytest.fixture(scope="module")
def proxies() -> Iterator[ProxyHost]:
    with ProxyHost() as proxies:
        yield proxies


class Runs:
    """Runs plans of scenarios under the handwritten operator."""

    def __init__(self, backend: Backend, proxies: ProxyHost, folder: Path) -> None:
        self._backend, self._proxies, self._folder = backend, proxies, folder

    def __call__(self, scenario: Scenario, plan: str = "") -> History:
        rules = crashplans.plans(20)[plan] if crashplans.of_plan(plan) else scenario.plans[plan]
        job = Job(scenario, ours()["handwritten"], plan, rules, seed=1)
        began = time.monotonic()
        history = History.read(run_trial(job, self._backend, self._proxies, self._folder) / "history.jsonl")
        assert time.monotonic() - began < SECONDS
        return history


@pytest.fixture
def run(backend: Backend, proxies: ProxyHost, tmp_path: Path) -> Runs:
    return Runs(backend, proxies, tmp_path)


def check_whole(history: History) -> None:
    """It ended well, every rule has hit, and every table was reached."""
    assert history.end is not None
    assert (history.end.outcome, history.end.why, history.end.unfired) == ("complete", "", [])
    assert [mark for mark in history.of(Mark) if not mark.ok] == []


@pytest.mark.parametrize(
    ("scenario", "plan"),
    [
        ("name-conflict", ""),
        ("strangers-write", ""),
        ("quota", ""),
        ("operator-stopped", ""),
        ("conflict", "touched"),
        ("expired", "watch-nginxpods"),
        ("expired-unseen", ""),
        ("answer-lost", "create-broken"),
        ("frozen", "status"),
        ("two-replicas", ""),
        ("retry-owed", ""),
    ],
)
def test_it_is_played_to_its_end(run: Runs, scenario: str, plan: str) -> None:
    check_whole(run(BY_NAME[scenario], plan))


def test_samples_are_taken(run: Runs) -> None:
    history = run(BY_NAME["scale"])
    check_whole(history)
    taken = history.of(Measured)
    assert [(sample.name, sample.index, sample.warm_up) for sample in taken[:4]] == [
        ("scale up", 0, True),
        ("scale down", 0, True),
        ("scale up", 1, False),
        ("scale down", 1, False),
    ]
    # A pod takes 60 ms to be ready here, and 30 ms to go: no sample may have ended with what was true before.
    assert len(taken) == 12
    assert all(sample.seconds is not None and sample.seconds > 0.02 for sample in taken)


def test_what_comes_after_the_late_one_comes_after_it(run: Runs) -> None:
    history = run(BY_NAME["expired"], "watch-nginxpods")
    cut, refused = history.of(Fault)
    assert (cut.rule, refused.rule) == ("late", "watch-410")
    told = next(user for user in history.of(User) if user.name == "late")
    request = next(each for each in history.of(Request) if each.id == refused.request)
    # The answer to the user may come after the line that tells of it.
    assert told.asked < cut.t
    assert cut.seq < request.seq
    assert (request.verb, request.resource) == ("watch", "nginxpods.twinloop.dev")


@pytest.mark.parametrize("when", crashplans.WHENS)
def test_a_crash_plan_hits_its_write_and_the_operator_comes_back(run: Runs, when: str) -> None:
    history = run(BY_NAME["crash-every-write"], crashplans.plan_name(2, when))
    check_whole(history)
    exits = [process.code for process in history.of(Process) if process.what == "exited"]
    assert exits == [-9, 0]


def test_sigterm_in_the_middle_ends_with_0(run: Runs) -> None:
    history = run(BY_NAME["sigterm"], "create")
    check_whole(history)
    assert [process.code for process in history.of(Process) if process.what == "exited"] == [0, 0]
