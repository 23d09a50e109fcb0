"""The loop around the reconcile function: order of start and stop, `done` always, back-off, drops (CT-1 to CT-8).

Left out: what is reconciled, and the queue itself (test_workqueue.py and its neighbours).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from handwritten.clock import RealClock
from handwritten.controller import WORKER_RESTART, Controller, Reconcile
from handwritten.informer import SYNC_POLL_SECONDS
from handwritten.ratelimit import ItemExponentialFailureRateLimiter, RateLimitingQueue
from handwritten.testing import FakeClock
from twinloop.sync import DONE, Outcome

PATIENCE = 5.0


class Loop:
    """A controller in a thread, on a clock that stands still, with what its reconcile function was called with."""

    def __init__(self, reconcile: Reconcile, *, synced: Callable[[], bool] = lambda: True, retries: int | None = None):
        self.clock = FakeClock()
        limiter: ItemExponentialFailureRateLimiter[str] = ItemExponentialFailureRateLimiter(1.0, 8.0)
        self.queue: RateLimitingQueue[str] = RateLimitingQueue(rate_limiter=limiter, clock=self.clock)
        self.calls: list[str] = []
        self._reconcile = reconcile
        self._called = threading.Condition()
        self.stop = threading.Event()
        self.controller = Controller(
            "test", self.queue, self._note, has_synced=[synced], clock=self.clock, max_retries=retries
        )
        self.thread = threading.Thread(target=self.controller.run, args=(2, self.stop))

    def _note(self, key: str) -> Outcome:
        with self._called:
            self.calls.append(key)
            self._called.notify_all()
        return self._reconcile(key)

    def wait_for_calls(self, count: int) -> None:
        with self._called:
            assert self._called.wait_for(lambda: len(self.calls) >= count, PATIENCE), self.calls

    def end(self) -> None:
        self.stop.set()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()


@contextmanager
def running(reconcile: Reconcile, *, retries: int | None = None) -> Iterator[Loop]:
    loop = Loop(reconcile, retries=retries)
    loop.thread.start()
    try:
        yield loop
    finally:
        loop.end()


@pytest.mark.statement("CT-1")
def test_workers_start_only_after_the_caches_have_synced() -> None:
    synced = threading.Event()
    loop = Loop(lambda _: DONE, synced=synced.is_set)
    loop.queue.add("a")
    loop.thread.start()
    loop.clock.wait_for_deadline(SYNC_POLL_SECONDS)
    assert loop.calls == []
    synced.set()
    loop.clock.step(SYNC_POLL_SECONDS)
    loop.wait_for_calls(1)
    loop.end()


@pytest.mark.statement("CT-1")
def test_a_stop_before_the_caches_have_synced_ends_the_loop_without_a_worker() -> None:
    loop = Loop(lambda _: DONE, synced=lambda: False)
    loop.queue.add("a")
    loop.thread.start()
    loop.clock.wait_for_deadline(SYNC_POLL_SECONDS)
    loop.end()
    assert loop.calls == []
    assert loop.queue.shutting_down()


@pytest.mark.statement("CT-4")
def test_a_good_visit_forgets_earlier_failures() -> None:
    outcomes = iter([Outcome("bad"), DONE])
    with running(lambda _: next(outcomes)) as loop:
        loop.queue.add("a")
        loop.wait_for_calls(1)
        loop.clock.wait_for_deadline(1.0)
        assert loop.queue.num_requeues("a") == 1
        loop.clock.step(1.0)
        loop.wait_for_calls(2)
    assert loop.queue.num_requeues("a") == 0


def test_a_failure_is_tried_again_with_back_off_for_ever() -> None:
    with running(lambda _: Outcome("bad")) as loop:
        loop.queue.add("a")
        due = 0.0
        for visit, delay in enumerate([1.0, 2.0, 4.0, 8.0, 8.0, 8.0], start=1):
            loop.wait_for_calls(visit)
            due += delay
            loop.clock.wait_for_deadline(due)
            loop.clock.step(delay)


@pytest.mark.statement("CT-4")
def test_a_key_is_dropped_after_its_retries_and_comes_back_with_its_next_event() -> None:
    with running(lambda _: Outcome("bad"), retries=2) as loop:
        loop.queue.add("a")
        for visit, due in ((1, 1.0), (2, 3.0)):
            loop.wait_for_calls(visit)
            loop.clock.wait_for_deadline(due)
            loop.clock.step(due - loop.clock.now())
        loop.wait_for_calls(3)
        while loop.queue.num_requeues("a"):
            pass
        loop.queue.add("a")
        loop.wait_for_calls(4)


@pytest.mark.statement("CT-3")
def test_an_exception_is_a_failure_of_its_key_and_does_not_stop_the_worker() -> None:
    def explode(key: str) -> Outcome:
        if key == "bad":
            raise KeyError("metadata")
        return DONE

    with running(explode) as loop:
        loop.queue.add("bad")
        loop.wait_for_calls(1)
        loop.clock.wait_for_deadline(1.0)
        loop.queue.add("good")
        loop.wait_for_calls(2)
        loop.clock.step(1.0)
        loop.wait_for_calls(3)
    assert loop.calls == ["bad", "good", "bad"]


def test_a_visit_that_asks_to_come_back_does_so_without_counting_as_a_failure() -> None:
    outcomes = iter([Outcome(again=30.0), DONE])
    with running(lambda _: next(outcomes)) as loop:
        loop.queue.add("a")
        loop.wait_for_calls(1)
        loop.clock.wait_for_deadline(30.0)
        assert loop.queue.num_requeues("a") == 0
        loop.clock.step(30.0)
        loop.wait_for_calls(2)


def test_a_time_that_the_server_named_replaces_the_back_off() -> None:
    outcomes = iter([Outcome("slow down", again=7.0), DONE])
    with running(lambda _: next(outcomes)) as loop:
        loop.queue.add("a")
        loop.wait_for_calls(1)
        loop.clock.wait_for_deadline(7.0)


@pytest.mark.statement("WQ-5")
def test_a_key_is_never_visited_twice_at_the_same_time() -> None:
    inside, most = 0, 0
    lock, go_on = threading.Lock(), threading.Semaphore(0)

    def count(_: str) -> Outcome:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        assert go_on.acquire(timeout=PATIENCE)
        with lock:
            inside -= 1
        return DONE

    with running(count) as loop:
        for visit in range(1, 4):
            loop.queue.add("a")
            loop.wait_for_calls(visit)
            loop.queue.add("a")
            go_on.release()
        loop.wait_for_calls(4)
        go_on.release()
    assert most == 1


@pytest.mark.statement("CT-8")
def test_on_stop_the_visit_in_hand_is_finished_and_what_is_queued_is_left() -> None:
    started, go_on = threading.Event(), threading.Event()
    finished: list[str] = []

    def slow(key: str) -> Outcome:
        started.set()
        assert go_on.wait(PATIENCE)
        finished.append(key)
        return DONE

    with running(slow) as loop:
        for key in ("a", "b", "c", "d"):
            loop.queue.add(key)
        loop.wait_for_calls(2)
        loop.stop.set()
        while not loop.queue.shutting_down():
            pass
        go_on.set()
    assert sorted(finished) == ["a", "b"]


@pytest.mark.statement("CT-2")
def test_a_worker_that_crashes_is_started_again_after_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    with running(lambda _: DONE) as loop:
        crashes = threading.Semaphore(2)
        real = loop.queue.done

        def done(key: str) -> None:
            real(key)
            if crashes.acquire(blocking=False):
                raise RuntimeError("a defect in the machinery")

        monkeypatch.setattr(loop.queue, "done", done)
        loop.queue.add("a")
        loop.queue.add("b")
        loop.wait_for_calls(2)
        loop.clock.wait_for_deadline(WORKER_RESTART)
        loop.queue.add("c")
        loop.clock.wait_for_waiters(3)
        loop.clock.step(WORKER_RESTART)
        loop.wait_for_calls(3)


def test_it_runs_on_the_real_clock_too() -> None:
    queue: RateLimitingQueue[str] = RateLimitingQueue()
    stop = threading.Event()

    def once(_: str) -> Outcome:
        stop.set()
        return DONE

    queue.add("a")
    Controller("test", queue, once, has_synced=[], clock=RealClock()).run(1, stop)
    assert queue.shutting_down()
