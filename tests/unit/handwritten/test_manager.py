"""Covers work that waits for leadership: when it begins, what ends first, and what becomes of a lost lease.

Left out: the election itself (test_leaderelection.py), processes (tests/variants/test_leader_election.py).
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from handwritten.manager import HEALTH_TOLERANCE, Election, LeadershipLost, run_elected
from handwritten.resourcelock import LeaseLock
from handwritten.testing import FakeClock
from support.cache import wait_until
from support.leases import Leases
from twinloop.errors import Unavailable

pytestmark = pytest.mark.timeout(30)


class Process:
    """What a process with `--leader-elect` does, on threads."""

    def __init__(self, leases: Leases, work: Callable[[threading.Event], None] | None = None) -> None:
        self.leases = leases
        self.clock = FakeClock()
        self.stop = threading.Event()
        self.words: list[str] = []
        self.error: Exception | None = None
        lock = LeaseLock(leases, namespace="ns", name="lock", identity="us")
        self.election = Election(lock, name="lock", clock=self.clock, rng=random.Random(1))
        self._work = work or self._wait
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            run_elected(self.election.elect, self._work, self.stop)
        except Exception as error:  # noqa: BLE001 - looked at by the test
            self.error = error

    def _wait(self, ending: threading.Event) -> None:
        self.words.append("working")
        ending.wait()
        self.words.append(f"done while {self.leases.holder or 'nobody'} leads")


@contextmanager
def process(leases: Leases, work: Callable[[threading.Event], None] | None = None) -> Iterator[Process]:
    found = Process(leases, work)
    found.thread.start()
    yield found
    found.stop.set()
    found.thread.join(10)
    assert not found.thread.is_alive()


def test_work_begins_with_leadership_and_not_before() -> None:
    leases = Leases()
    leases.put(holderIdentity="them", leaseDurationSeconds=15)
    with process(leases) as standby:
        for _ in range(3):
            standby.clock.wait_for_waiters()
            assert standby.words == []
            before = len(leases.requests)
            standby.clock.step(4.5)
            wait_until(lambda before=before: len(leases.requests) > before)  # type: ignore[misc]
        while not standby.words:
            standby.clock.wait_for_waiters()
            standby.clock.step(0.5)
    assert standby.words[0] == "working"
    assert leases.spec["leaseTransitions"] == 1


def test_the_work_ends_before_the_lease_is_given_back() -> None:
    leases = Leases()
    with process(leases) as leader:
        wait_until(lambda: leader.words == ["working"])
    assert leader.words == ["working", "done while us leads"]
    assert leases.holder == ""
    assert leader.error is None


def test_a_standby_that_is_stopped_ends_without_having_worked() -> None:
    leases = Leases()
    leases.put(holderIdentity="them", leaseDurationSeconds=15)
    with process(leases) as standby:
        standby.clock.wait_for_waiters()
    assert standby.words == []
    assert leases.holder == "them"
    assert standby.error is None


def test_a_lost_lease_is_an_error_at_once_whatever_the_work_is_doing() -> None:
    leases, hanging = Leases(), threading.Event()
    started = threading.Event()

    def work(_ending: threading.Event) -> None:
        started.set()
        hanging.wait()

    def down(_verb: str) -> None:
        raise Unavailable("connection refused")

    with process(leases, work) as leader:
        assert started.wait(10)
        leases.before = down
        while leader.thread.is_alive() and leader.clock.now() < 60:
            wait_until(lambda: leader.clock.waiters() > 0 or not leader.thread.is_alive())
            leader.clock.step(0.5)
    assert isinstance(leader.error, LeadershipLost)
    assert leader.clock.now() <= 15.0
    hanging.set()


def test_work_that_fails_gives_the_lease_back_and_is_an_error() -> None:
    leases = Leases()

    def work(_ending: threading.Event) -> None:
        raise RuntimeError("no")

    with process(leases, work) as leader:
        leader.thread.join(10)
    assert isinstance(leader.error, RuntimeError)
    assert leases.holder == ""


@pytest.mark.statement("LE-10")
def test_health_says_when_a_leader_should_have_ended_long_ago() -> None:
    leases = Leases()
    found = Process(leases)
    assert found.election.healthy() is True
    found.thread.start()
    wait_until(lambda: found.words == ["working"])
    assert found.election.healthy() is True
    # Frozen: nothing renews, and the process still runs.
    leases.before = lambda _verb: found.stop.wait()
    elector = found.election._elector
    assert elector is not None
    with elector._guard:
        elector._observed_at -= 15.0 + HEALTH_TOLERANCE + 0.1
    assert found.election.healthy() == "leading without a valid lease"
    found.stop.set()
    found.thread.join(10)
