"""The delaying queue: client-go's delaying_queue_test.go by name, its statements beside that, and a model.

All times are fake. The waiting thread is real, so each test lets it come to rest before it judges:
`settle(clock, deadline)` blocks until the thread waits for exactly the instant that it should wait for.

Left out: the heartbeat and the bounded channel of client-go, which this queue does not have, and
BenchmarkDelayingQueue_AddAfter (see test_workqueue.py).
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from handwritten.clock import RealClock
from handwritten.delaying import DelayingQueue
from handwritten.ratelimit import RateLimitingQueue
from handwritten.testing import FakeClock
from handwritten.workqueue import FifoQueue

pytestmark = pytest.mark.timeout(60)

NEVER = math.inf

both_kinds = pytest.mark.parametrize(
    "shut_down",
    [
        pytest.param(DelayingQueue.shut_down, id="shut_down"),
        pytest.param(DelayingQueue.shut_down_with_drain, id="drain"),
    ],
)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(1000.0)


@pytest.fixture
def queue(clock: FakeClock) -> Iterator[DelayingQueue[str]]:
    queue: DelayingQueue[str] = DelayingQueue(name="test", clock=clock)
    yield queue
    queue.shut_down()


def settle(clock: FakeClock, deadline: float) -> None:
    clock.wait_for_deadline(deadline)


def take(queue: DelayingQueue[str], *items: str) -> None:
    """Get and finish `items`, in this order, and see that there are no others."""
    assert len(queue) == len(items)
    for item in items:
        assert queue.get() == (item, False)
        queue.done(item)


def waiting_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("workqueue-")]


@pytest.mark.statement("DQ-5")
def test_simple_queue(clock: FakeClock, queue: DelayingQueue[str]) -> None:
    queue.add_after("foo", 50.0)
    settle(clock, 1050.0)
    clock.step(49.0)
    assert len(queue) == 0
    clock.step(11.0)
    settle(clock, NEVER)
    take(queue, "foo")
    clock.step(10_000.0)
    settle(clock, NEVER)
    assert len(queue) == 0


@pytest.mark.statement("DQ-3")
def test_deduping(clock: FakeClock, queue: DelayingQueue[str]) -> None:
    queue.add_after("foo", 50.0)
    queue.add_after("foo", 70.0)
    settle(clock, 1050.0)
    clock.step(60.0)
    settle(clock, NEVER)
    take(queue, "foo")
    clock.step(20.0)
    settle(clock, NEVER)
    assert len(queue) == 0

    queue.add_after("foo", 50.0)
    settle(clock, 1130.0)
    queue.add_after("foo", 30.0)
    settle(clock, 1110.0)
    clock.step(40.0)
    settle(clock, NEVER)
    take(queue, "foo")
    clock.step(20.0)
    settle(clock, NEVER)
    assert len(queue) == 0


@pytest.mark.statement("DQ-5")
def test_add_two_fire_early(clock: FakeClock, queue: DelayingQueue[str]) -> None:
    queue.add_after("third", 150.0)
    queue.add_after("first", 50.0)
    settle(clock, 1050.0)
    clock.step(60.0)
    settle(clock, 1150.0)
    take(queue, "first")
    queue.add_after("second", 50.0)
    settle(clock, 1110.0)
    clock.step(55.0)
    settle(clock, 1150.0)
    take(queue, "second")
    clock.step(100.0)
    settle(clock, NEVER)
    take(queue, "third")


@pytest.mark.statement("DQ-5")
def test_copy_shifting(clock: FakeClock, queue: DelayingQueue[str]) -> None:
    queue.add_after("c", 1.0)
    queue.add_after("b", 0.5)
    queue.add_after("a", 0.3)
    settle(clock, 1000.3)
    clock.step(2.0)
    settle(clock, NEVER)
    take(queue, "a", "b", "c")


@pytest.mark.statement("DQ-1")
@pytest.mark.parametrize("seconds", [0, 0.0, -1.0, -math.inf, math.nan])
def test_no_delay_is_a_plain_add(queue: DelayingQueue[str], seconds: float) -> None:
    queue.add_after("foo", seconds)
    take(queue, "foo")


def test_equal_times_keep_the_order_of_their_adding(clock: FakeClock) -> None:
    """Items that can not be compared with one another are no trouble either."""
    items: list[Any] = ["foo", 7, None, ("ns", "name"), object()]
    queue: DelayingQueue[Any] = DelayingQueue(clock=clock)
    for item in items:
        queue.add_after(item, 5.0)
    settle(clock, 1005.0)
    clock.step(5.0)
    settle(clock, NEVER)
    assert [queue.get() for _ in items] == [(item, False) for item in items]
    queue.shut_down()


@pytest.mark.statement("DQ-4")
def test_an_add_does_not_cancel_the_delay_of_the_same_item(clock: FakeClock, queue: DelayingQueue[str]) -> None:
    queue.add_after("foo", 10.0)
    queue.add("foo")
    take(queue, "foo")
    settle(clock, 1010.0)
    clock.step(10.0)
    settle(clock, NEVER)
    take(queue, "foo")


@pytest.mark.statement("DQ-4")
def test_a_delay_that_ends_while_the_item_is_queued_is_folded_into_it(
    clock: FakeClock, queue: DelayingQueue[str]
) -> None:
    queue.add_after("foo", 10.0)
    queue.add("foo")
    settle(clock, 1010.0)
    clock.step(10.0)
    settle(clock, NEVER)
    take(queue, "foo")
    assert len(queue) == 0


@pytest.mark.statement("DQ-4")
def test_a_delay_that_ends_during_processing_brings_the_item_back_after_done(
    clock: FakeClock, queue: DelayingQueue[str]
) -> None:
    queue.add("foo")
    assert queue.get() == ("foo", False)
    queue.add_after("foo", 10.0)
    settle(clock, 1010.0)
    clock.step(10.0)
    settle(clock, NEVER)
    assert len(queue) == 0
    queue.done("foo")
    take(queue, "foo")


def test_an_endless_delay_never_ends_and_hinders_nobody(clock: FakeClock, queue: DelayingQueue[str]) -> None:
    queue.add_after("never", math.inf)
    queue.add_after("foo", 1.0)
    settle(clock, 1001.0)
    clock.step(1e12)
    settle(clock, NEVER)
    take(queue, "foo")


def test_an_overtaken_delay_neither_fires_nor_cancels_a_later_one(clock: FakeClock, queue: DelayingQueue[str]) -> None:
    queue.add_after("foo", 50.0)
    queue.add_after("foo", 10.0)  # overtakes
    queue.add_after("bar", 30.0)  # keeps the overtaken entry from surfacing together with its successor
    settle(clock, 1010.0)
    clock.step(10.0)
    settle(clock, 1030.0)
    take(queue, "foo")
    queue.add_after("foo", 90.0)
    clock.step(45.0)
    settle(clock, 1100.0)
    take(queue, "bar")
    clock.step(45.0)
    settle(clock, NEVER)
    take(queue, "foo")


def test_ever_shorter_delays_of_one_item_do_not_pile_up(clock: FakeClock, queue: DelayingQueue[str]) -> None:
    queue.add_after("late", 90_000.0)
    for step in range(10_000):
        queue.add_after("foo", 50_000.0 - step)
    assert len(queue._heap) < 100
    settle(clock, 1000.0 + 40_001.0)
    clock.step(60_000.0)
    settle(clock, 1000.0 + 90_000.0)
    take(queue, "foo")


def test_overtaken_delays_are_cleared_away_once_they_outnumber_the_others(clock: FakeClock) -> None:
    """64 of them are put up with, and as many again as items wait."""
    queue: DelayingQueue[str] = DelayingQueue(clock=clock)
    for number in range(10):
        queue.add_after(f"late-{number}", 90_000.0)
    for step in range(74):
        queue.add_after("foo", 1000.0 - step)
    assert len(queue._heap) == 84
    queue.add_after("foo", 1.0)
    queue.add_after("foo", 0.5)
    assert len(queue._heap) == 86
    queue.add_after("foo", 0.4)
    assert len(queue._heap) == 11
    queue.shut_down()


def test_a_delay_that_ends_at_the_same_time_changes_nothing(clock: FakeClock) -> None:
    queue: DelayingQueue[str] = DelayingQueue(clock=clock)
    queue.add_after("foo", 5.0)
    queue.add_after("foo", 5.0)
    assert len(queue._heap) == 1
    queue.shut_down()


@pytest.mark.parametrize(("name", "expected"), [("pods", "workqueue-pods"), ("", "workqueue-delays")])
def test_the_thread_has_the_queue_s_name_and_keeps_no_process_alive(name: str, expected: str) -> None:
    queue: DelayingQueue[str] = DelayingQueue(name=name)
    assert (queue._thread.name, queue._thread.daemon) == (expected, True)
    queue.shut_down()


@pytest.mark.statement("WQ-15")
@pytest.mark.parametrize("kind", [DelayingQueue, RateLimitingQueue])
def test_the_order_of_waiting_items_is_the_given_one(kind: Callable[..., DelayingQueue[str]]) -> None:
    class Stack(FifoQueue[str]):
        def pop(self) -> str:
            return self._items.pop()

    queue = kind(queue=Stack())
    for item in "ab":
        queue.add(item)
    assert queue.get() == ("b", False)
    queue.shut_down()


@pytest.mark.statement("DQ-7")
@both_kinds
def test_shut_down_drops_what_waits_and_ends_the_thread(
    clock: FakeClock, shut_down: Callable[[DelayingQueue[str]], None]
) -> None:
    queue: DelayingQueue[str] = DelayingQueue(name="ends", clock=clock)
    queue.add_after("foo", 10.0)
    settle(clock, 1010.0)
    shut_down(queue)
    assert "workqueue-ends" not in [thread.name for thread in waiting_threads()]
    assert clock.waiters() == 0
    assert (len(queue._heap), len(queue._waiting)) == (0, 0), "dropped, so that the items can be collected"
    clock.step(20.0)
    assert queue.get() == (None, True)
    shut_down(queue)


@pytest.mark.statement("DQ-2")
@both_kinds
def test_add_after_is_ignored_once_shut_down(clock: FakeClock, shut_down: Callable[[DelayingQueue[str]], None]) -> None:
    queue: DelayingQueue[str] = DelayingQueue(clock=clock)
    shut_down(queue)
    queue.add_after("foo", 10.0)
    queue.add_after("bar", 0.0)
    clock.step(20.0)
    assert queue.get() == (None, True)
    assert not queue._heap


@pytest.mark.statement("DQ-8")
def test_drain_ends_the_thread_before_the_workers_are_done(clock: FakeClock, queue: DelayingQueue[str]) -> None:
    """Deliberate difference: client-go's waiting loop notices a drain up to ten seconds later."""
    queue.add("foo")
    assert queue.get() == ("foo", False)
    queue.add_after("bar", 10.0)
    settle(clock, 1010.0)
    drain = threading.Thread(target=queue.shut_down_with_drain, daemon=True)
    drain.start()
    clock.wait_for_no_waiters()
    assert drain.is_alive()
    queue.done("foo")
    drain.join(5.0)
    assert not drain.is_alive()


def test_delays_work_in_real_time_too() -> None:
    queue: DelayingQueue[str] = DelayingQueue(clock=RealClock())
    queue.add_after("never", math.inf)
    queue.add_after("late", 0.02)
    queue.add_after("early", 0.001)
    assert [queue.get() for _ in range(2)] == [("early", False), ("late", False)]
    queue.shut_down()


@pytest.mark.statement("DQ-6")
def test_no_delayed_add_of_many_threads_is_lost(clock: FakeClock, queue: DelayingQueue[str]) -> None:
    def produce(producer: int) -> None:
        for number in range(50):
            queue.add_after(f"{producer}/{number}", 1.0 + (number * 7 + producer) % 13)

    producers = [threading.Thread(target=produce, args=(producer,), daemon=True) for producer in range(10)]
    for thread in producers:
        thread.start()
    for thread in producers:
        thread.join(5.0)
    settle(clock, 1001.0)
    clock.step(20.0)
    settle(clock, NEVER)
    assert len({queue.get()[0] for _ in range(len(queue))}) == 500


class DelayingQueueMachine(RuleBasedStateMachine):
    """The delays as a plain list that is sorted at each step; seconds are whole, so all times are exact."""

    keys = st.sampled_from(["a", "b", "c"])
    seconds = st.integers(0, 5).map(float)

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.queue: DelayingQueue[str] = DelayingQueue(clock=self.clock)
        self.delayed: list[tuple[float, str]] = []
        self.waiting: list[str] = []
        self.held: list[str] = []
        self.again: list[str] = []

    def model_add(self, key: str) -> None:
        if key in self.held:
            if key not in self.again:
                self.again.append(key)
        elif key not in self.waiting:
            self.waiting.append(key)

    @rule(key=keys)
    def add(self, key: str) -> None:
        self.queue.add(key)
        self.model_add(key)

    @rule(key=keys, seconds=seconds)
    def add_after(self, key: str, seconds: float) -> None:
        self.queue.add_after(key, seconds)
        if seconds == 0:
            self.model_add(key)
            return
        due = self.clock.now() + seconds
        known = [entry for entry in self.delayed if entry[1] == key]
        if not known or due < known[0][0]:
            self.delayed = [entry for entry in self.delayed if entry[1] != key] + [(due, key)]

    @rule(seconds=seconds)
    def step(self, seconds: float) -> None:
        self.clock.step(seconds)
        for entry in sorted(self.delayed, key=lambda entry: entry[0]):
            if entry[0] <= self.clock.now():
                self.delayed.remove(entry)
                self.model_add(entry[1])

    @precondition(lambda self: self.waiting)
    @rule()
    def get(self) -> None:
        key = self.waiting.pop(0)
        assert self.queue.get() == (key, False)
        self.held.append(key)

    @rule(key=keys)
    def done(self, key: str) -> None:
        self.queue.done(key)
        if key in self.held:
            self.held.remove(key)
            if key in self.again:
                self.again.remove(key)
                self.waiting.append(key)

    @invariant()
    def agree(self) -> None:
        """See that the thread waits for the earliest delay, not for an outdated one, and the queues are as long."""
        settle(self.clock, min((due for due, _ in self.delayed), default=NEVER))
        assert len(self.queue) == len(self.waiting)

    def teardown(self) -> None:
        self.queue.shut_down()
        assert self.clock.waiters() == 0


TestDelayingQueueAgainstModel = DelayingQueueMachine.TestCase
TestDelayingQueueAgainstModel.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
