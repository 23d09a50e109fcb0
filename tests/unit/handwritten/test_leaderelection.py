"""Covers leader election: who gets the lease, when, by which clock, and how it is kept, lost and given back.

Names follow client-go's leaderelection_test.go. All time is a FakeClock's, except in the one test that says so. Left out:
a real API server (tests/e2e/test_leader_election.py), what a process does with leadership (test_manager.py).
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from prometheus_client import CollectorRegistry

from handwritten.leaderelection import JITTER_FACTOR, LeaderCallbacks, LeaderElectionConfig, LeaderElector
from handwritten.leaderelection_metrics import PrometheusLeaderElectionMetrics
from handwritten.resourcelock import LeaseLock, now_text
from handwritten.testing import FakeClock
from support.cache import wait_until
from support.leases import Leases
from twinloop.errors import ConfigurationError, Conflict, CorruptAnswer, Unavailable

pytestmark = pytest.mark.timeout(30)

LONG_AGO, FAR_AHEAD = "1999-01-01T00:00:00.000000Z", "2199-01-01T00:00:00.000000Z"
DOWN = Unavailable("connection refused")


@dataclass
class Candidate:
    """One process that takes part in the election for `leases`."""

    leases: Leases
    identity: str = "us"
    clock: FakeClock = field(default_factory=FakeClock)
    wall_clock: Callable[[], str] = now_text
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    options: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.stop = threading.Event()
        self.words: list[str] = []
        self.lock = LeaseLock(self.leases, namespace="ns", name="lock", identity=self.identity)
        callbacks = LeaderCallbacks(
            on_started_leading=self._lead,
            on_stopped_leading=lambda: self.words.append("stopped"),
            on_new_leader=lambda leader: self.words.append(f"leader {leader}"),
        )
        self.elector = LeaderElector(
            LeaderElectionConfig(self.lock, callbacks, name="lock", **self.options),  # type: ignore[arg-type]
            clock=self.clock,
            rng=random.Random(1),
            metrics=PrometheusLeaderElectionMetrics(self.registry),
            wall_clock=self.wall_clock,
        )
        self.thread = threading.Thread(target=self.elector.run, args=(self.stop,))

    def _lead(self, over: threading.Event) -> None:
        self.words.append("leading")
        over.wait()
        self.words.append("over")

    def attempt(self) -> bool:
        """One attempt, by itself."""
        return self.elector._try(threading.Event(), self.clock.now() + 10)

    def start(self) -> None:
        self.thread.start()

    def leads(self) -> None:
        """Wait until it leads and waits for its next renewal."""
        wait_until(lambda: "leading" in self.words)
        self.clock.wait_for_waiters()

    def finish(self) -> None:
        self.stop.set()
        self.thread.join(10)
        assert not self.thread.is_alive()

    def step_to_the_end(self) -> None:
        """Let time pass until it no longer takes part."""
        while self.thread.is_alive() and self.clock.now() < 60:
            wait_until(lambda: self.clock.waiters() > 0 or not self.thread.is_alive())
            self.clock.step(0.1)
        self.thread.join(10)

    def metric(self, name: str) -> float | None:
        return self.registry.get_sample_value(name, {"name": "lock"})


# ------------------------------------------------------------------------------------------------ one attempt


@pytest.mark.statement("LE-7")
def test_a_lease_that_does_not_exist_is_created() -> None:
    """TestTryAcquireOrRenewLeases: acquire from no object."""
    us = Candidate(Leases())
    assert us.attempt()
    assert us.leases.requests == ["get", "create"]
    assert (us.leases.holder, us.leases.spec["leaseTransitions"]) == ("us", 0)
    assert us.elector.is_leader()


@pytest.mark.statement("LE-6")
@pytest.mark.parametrize("spec", [{}, {"holderIdentity": None, "leaseDurationSeconds": 15}, {"holderIdentity": ""}])
def test_a_lease_without_a_holder_is_taken_at_once(spec: dict[str, object]) -> None:
    """TestTryAcquireOrRenewLeases: acquire from an object without a record, an unled one, an empty one."""
    us = Candidate(Leases())
    us.leases.put(**spec)
    assert us.attempt()
    assert us.leases.spec["leaseTransitions"] == 1


@pytest.mark.statement("LE-4")
def test_a_lease_that_is_held_is_left_alone() -> None:
    """TestTryAcquireOrRenewLeases: don't acquire from led, acked object."""
    us = Candidate(Leases())
    us.leases.put(holderIdentity="them", leaseDurationSeconds=15)
    assert not us.attempt()
    assert us.leases.requests == ["get"]
    assert us.elector.get_leader() == "them"


@pytest.mark.statement("LE-4", "LE-6")
def test_a_lease_is_taken_over_when_it_has_not_changed_for_as_long_as_it_says() -> None:
    """TestTryAcquireOrRenewLeases: acquire from led object with the lease duration seconds of the record."""
    us = Candidate(Leases())
    us.leases.put(holderIdentity="them", leaseDurationSeconds=40, leaseTransitions=6)
    assert not us.attempt()
    us.clock.step(39.9)
    assert not us.attempt()
    us.clock.step(0.2)
    assert us.attempt()
    assert us.leases.spec["leaseTransitions"] == 7


@pytest.mark.statement("LE-4")
@pytest.mark.parametrize("written", [LONG_AGO, FAR_AHEAD], ids=["long ago", "far ahead"])
def test_the_times_in_a_lease_decide_nothing(written: str) -> None:
    """Observed by the local monotonic clock only: clocks of machines differ, and this one says when it *saw* a change."""
    us = Candidate(Leases(), wall_clock=lambda: FAR_AHEAD)
    for second in range(5):  # somebody whose clock is wrong renews every 10 s
        us.leases.put(holderIdentity="them", leaseDurationSeconds=15, renewTime=written, leaseTransitions=second)
        assert not us.attempt()
        us.clock.step(10)
    assert not us.attempt()
    us.clock.step(5.1)
    assert us.attempt()


@pytest.mark.statement("LE-4")
def test_a_change_of_any_kind_begins_the_lease_anew() -> None:
    us = Candidate(Leases())
    us.leases.put(holderIdentity="them", leaseDurationSeconds=15, renewTime="a")
    assert not us.attempt()
    us.clock.step(14)
    us.leases.put(holderIdentity="them", leaseDurationSeconds=15, renewTime="b")
    assert not us.attempt()
    us.clock.step(14)
    assert not us.attempt()


@pytest.mark.statement("LE-5", "LE-6")
def test_fast_path_leader_election() -> None:
    """TestTryAcquireOrRenewLeases: renew already acquired object. One request, acquire time and transitions kept."""
    times = iter(["t1", "t2", "t3"])
    us = Candidate(Leases(), wall_clock=lambda: next(times))
    us.leases.put(leaseTransitions=4)
    assert us.attempt()
    del us.leases.requests[:]
    assert us.attempt()
    assert us.leases.requests == ["update"]
    spec = us.leases.spec
    assert (spec["acquireTime"], spec["renewTime"], spec["leaseTransitions"]) == ("t1", "t2", 5)
    assert us.metric("leader_election_slowpath_total") is None


@pytest.mark.statement("LE-5")
def test_fast_path_falls_back_when_it_fails() -> None:
    """Somebody has touched the Lease: a label, say. It is read, found to be ours, and renewed."""
    us = Candidate(Leases())
    assert us.attempt()
    us.leases.put(**us.leases.spec)
    del us.leases.requests[:]
    assert us.attempt()
    assert us.leases.requests == ["update", "get", "update"]
    assert us.leases.spec["leaseTransitions"] == 0
    assert us.metric("leader_election_slowpath_total") == 1


@pytest.mark.statement("LE-5")
def test_no_fast_path_for_a_lease_that_has_run_out() -> None:
    us = Candidate(Leases())
    assert us.attempt()
    us.clock.step(15)
    del us.leases.requests[:]
    assert us.attempt()
    assert us.leases.requests == ["get", "update"]


def test_a_leader_that_finds_another_one_in_the_lease_no_longer_leads() -> None:
    us = Candidate(Leases())
    assert us.attempt()
    us.leases.put(holderIdentity="them", leaseDurationSeconds=15)
    assert not us.attempt()
    assert not us.elector.is_leader()


def test_of_two_that_try_at_once_one_gets_it() -> None:
    leases = Leases()
    us, them = Candidate(leases), Candidate(leases, identity="them")
    leases.put(holderIdentity="")
    barrier = threading.Barrier(2)
    leases.before = lambda verb: verb == "update" and barrier.wait()
    results: list[bool] = []
    threads = [threading.Thread(target=lambda each=each: results.append(each.attempt())) for each in (us, them)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [False, True]


@pytest.mark.parametrize("spec", [{"leaseDurationSeconds": "soon"}, {"leaseTransitions": [1]}])
def test_a_lease_that_makes_no_sense_is_a_failed_attempt(spec: dict[str, object]) -> None:
    us = Candidate(Leases())
    us.leases.put(**spec)
    assert not us.attempt()
    with pytest.raises(CorruptAnswer):
        us.lock.get()


def test_what_others_keep_in_the_lease_survives() -> None:
    us = Candidate(Leases())
    us.leases.put(holderIdentity="", strategy="OldestEmulationVersion")
    assert us.attempt()
    assert us.leases.spec["strategy"] == "OldestEmulationVersion"


# ------------------------------------------------------------------------------------------------ the life of one


@pytest.mark.statement("LE-2")
def test_a_candidate_asks_again_after_one_to_two_retry_periods() -> None:
    us = Candidate(Leases())
    us.leases.put(holderIdentity="them", leaseDurationSeconds=3600)
    us.start()
    waits = []
    for _ in range(20):
        us.clock.wait_for_waiters()
        wait_until(lambda: any(timeout > 1 for timeout in us.clock.timeouts()))
        waits.append(us.clock.timeouts()[0])
        us.clock.step(waits[-1])
    us.finish()
    assert all(2.0 <= wait < 2.0 * (1 + JITTER_FACTOR) for wait in waits)
    assert max(waits) - min(waits) > 0.5
    assert us.words == ["leader them", "stopped"]


@pytest.mark.statement("LE-3")
def test_a_leader_renews_every_retry_period() -> None:
    us = Candidate(Leases())
    us.start()
    us.leads()
    del us.leases.requests[:]
    for count in range(1, 4):
        us.clock.wait_for_deadline(2.0 * count)
        us.clock.step(2.0)
        wait_until(lambda count=count: len(us.leases.requests) == count)  # type: ignore[misc]
    assert us.metric("leader_election_master_status") == 1
    us.finish()
    assert us.metric("leader_election_master_status") == 0


@pytest.mark.statement("LE-3")
def test_a_leader_that_cannot_renew_for_ten_seconds_gives_up() -> None:
    """It tries every two seconds meanwhile, and each of the others' leases is five seconds longer than that."""
    us = Candidate(Leases())
    us.start()
    us.leads()
    us.clock.wait_for_deadline(2.0)

    def down(_verb: str) -> None:
        raise DOWN

    us.leases.before = down
    del us.leases.requests[:]
    us.step_to_the_end()
    assert us.clock.now() == pytest.approx(12.0, abs=0.5)  # 2 s until the renewal, 10 s of trying
    assert us.leases.requests == ["update", "get"] * 5
    assert "stopped" in us.words
    assert us.metric("leader_election_master_status") == 0


@pytest.mark.statement("LE-3")
def test_a_renewal_that_hangs_does_not_keep_a_leader_in_its_belief() -> None:
    us, hanging = Candidate(Leases()), threading.Event()
    us.start()
    us.leads()
    us.clock.wait_for_deadline(2.0)
    us.leases.before = lambda _verb: hanging.wait()
    us.step_to_the_end()
    assert us.clock.now() == pytest.approx(12.0, abs=0.5)
    assert "stopped" in us.words
    hanging.set()


@pytest.mark.statement("LE-3")
def test_a_short_outage_costs_a_leader_nothing() -> None:
    us = Candidate(Leases())
    us.start()
    us.leads()
    us.clock.wait_for_deadline(2.0)
    failing = iter([DOWN, DOWN, DOWN, DOWN])  # two attempts, of two requests each

    def sometimes(_verb: str) -> None:
        error = next(failing, None)
        if error is not None:
            raise error

    us.leases.before = sometimes
    for deadline in (2.0, 4.0, 6.0):
        us.clock.wait_for_deadline(deadline)
        us.clock.step(2.0)
    us.clock.wait_for_deadline(8.0)
    assert us.elector.is_leader()
    us.finish()
    assert us.words.count("stopped") == 1


@pytest.mark.statement("LE-9")
def test_the_end_is_reported_even_without_a_beginning() -> None:
    us = Candidate(Leases())
    us.stop.set()
    us.elector.run(us.stop)
    assert us.words == ["stopped"]
    assert us.leases.requests == []


@pytest.mark.statement("LE-9")
def test_every_new_leader_is_reported_once() -> None:
    us = Candidate(Leases())
    us.leases.put(holderIdentity="them", leaseDurationSeconds=15)
    us.start()
    wait_until(lambda: us.words == ["leader them"])
    for name in ("others", "others", "them"):
        us.clock.wait_for_waiters()
        us.leases.put(holderIdentity=name, leaseDurationSeconds=15, renewTime=str(us.clock.now()))
        before = len(us.leases.requests)
        us.clock.step(4.5)
        wait_until(lambda before=before: len(us.leases.requests) > before)  # type: ignore[misc]
    wait_until(lambda: len(us.words) == 3)
    us.finish()
    assert us.words == ["leader them", "leader others", "leader them", "stopped"]


# ------------------------------------------------------------------------------------------------------- release


@pytest.mark.statement("LE-8")
def test_release_on_cancellation_leases() -> None:
    """The next one need not wait for the lease to run out."""
    leases = Leases()
    us, them = Candidate(leases), Candidate(leases, identity="them")
    us.start()
    us.leads()
    assert not them.attempt()
    us.finish()
    assert leases.spec["holderIdentity"] == ""
    assert (leases.spec["leaseDurationSeconds"], leases.spec["leaseTransitions"]) == (1, 0)
    assert "stopped" in us.words
    assert them.attempt()
    assert leases.spec["leaseTransitions"] == 1


def test_release_lease_leases_can_be_left_out() -> None:
    us = Candidate(Leases(), options={"release_on_cancel": False})
    us.start()
    us.leads()
    us.finish()
    assert us.leases.holder == "us"


@pytest.mark.statement("LE-8")
def test_release_method_calls_get() -> None:
    """What is released is what is there now, not what we remember."""
    us = Candidate(Leases())
    assert us.attempt()
    del us.leases.requests[:]
    us.elector._release()
    assert us.leases.requests == ["get", "update"]


@pytest.mark.statement("LE-8")
def test_release_retries_on_conflict() -> None:
    us = Candidate(Leases())
    assert us.attempt()
    conflicts = iter([Conflict("busy", code=409), Conflict("busy", code=409)])

    def conflicting(verb: str) -> None:
        error = next(conflicts, None) if verb == "update" else None
        if error is not None:
            raise error

    us.leases.before = conflicting
    us.elector._release()
    assert us.leases.holder == ""


@pytest.mark.statement("LE-8")
def test_nobody_releases_what_another_holds() -> None:
    us = Candidate(Leases())
    assert us.attempt()
    us.leases.put(holderIdentity="them", leaseDurationSeconds=15)
    us.elector._release()
    assert us.leases.holder == "them"


def test_a_lease_that_is_gone_needs_no_release() -> None:
    us = Candidate(Leases())
    us.elector._release()
    assert us.leases.requests == ["get"]


# ------------------------------------------------------------------------------------------- configuration, health


def callbacks() -> LeaderCallbacks:
    return LeaderCallbacks(lambda _: None, lambda: None)


@pytest.mark.statement("LE-1")
@pytest.mark.parametrize(
    ("lease", "renew", "retry", "identity"),
    [
        (10.0, 10.0, 2.0, "us"),
        (15.0, 2.4, 2.0, "us"),
        (0.5, 0.3, 0.1, "us"),
        (15.0, 10.0, 0.0, "us"),
        (15.0, 10.0, 2.0, ""),
    ],
)
def test_leader_election_config_validation(lease: float, renew: float, retry: float, identity: str) -> None:
    lock = LeaseLock(Leases(), namespace="ns", name="lock", identity=identity)
    with pytest.raises(ConfigurationError, match="leader election"):
        LeaderElectionConfig(lock, callbacks(), lease_duration=lease, renew_deadline=renew, retry_period=retry)


@pytest.mark.statement("LE-1")
def test_the_defaults_are_15_10_and_2_seconds() -> None:
    lock = LeaseLock(Leases(), namespace="ns", name="lock", identity="us")
    config = LeaderElectionConfig(lock, callbacks())
    assert (config.lease_duration, config.renew_deadline, config.retry_period) == (15.0, 10.0, 2.0)
    assert lock.describe() == "ns/lock"


@pytest.mark.statement("LE-10")
def test_check_method_race() -> None:
    """A leader is unhealthy when its lease has run out by more than the tolerance; a standby never is."""
    us, them = Candidate(Leases()), Candidate(Leases(), identity="them")
    assert us.elector.check(0)
    assert us.attempt()
    them.leases.put(holderIdentity="us", leaseDurationSeconds=15)
    assert not them.attempt()
    for candidate in (us, them):
        candidate.clock.step(35.0)
    assert us.elector.check(20.0)
    us.clock.step(0.1)
    assert not us.elector.check(20.0)
    assert them.elector.check(0.0)
