"""The work queue: client-go's queue_test.go by name, the statements that it does not test, and a model.

The tests up to `test_garbage_collection` are client-go's. Where one has to show that a thread is *still*
blocked it looks for 20 real milliseconds: a working queue can never fail by that, and a broken one
nearly always does.

Left out: BenchmarkQueue, since a test that judges speed on a shared machine is a flaky test, and the metrics
(test_metrics.py).
"""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from handwritten.workqueue import FifoQueue, WorkQueue

pytestmark = pytest.mark.timeout(60)

REAL_TIMEOUT = 5.0

ShutDown = Callable[[WorkQueue[Any]], None]
both_kinds = pytest.mark.parametrize(
    "shut_down",
    [pytest.param(WorkQueue.shut_down, id="shut_down"), pytest.param(WorkQueue.shut_down_with_drain, id="drain")],
)


def background(function: Callable[..., Any], *args: Any) -> Future[Any]:
    """Run `function` in a thread of its own; its answer is the future's."""
    future: Future[Any] = Future()

    def body() -> None:
        try:
            future.set_result(function(*args))
        except BaseException as error:  # noqa: BLE001  (handed to the test)
            future.set_exception(error)

    threading.Thread(target=body, daemon=True).start()
    return future


def finish(*futures: Future[Any]) -> list[Any]:
    return [future.result(REAL_TIMEOUT) for future in futures]


def assert_blocked(future: Future[Any]) -> None:
    with pytest.raises(TimeoutError):
        future.result(0.02)


def take(queue: WorkQueue[Any], item: Any) -> None:
    """Get the next item, which has to be `item`, without blocking when there is none."""
    assert len(queue) > 0
    assert queue.get() == (item, False)


def work_off(queue: WorkQueue[Any], sync: Callable[[Any], None]) -> None:
    """Be a worker until the queue is shut down."""
    while True:
        item, shutdown = queue.get()
        if shutdown:
            assert item is None
            return
        sync(item)
        queue.done(item)


class TouchingQueue(FifoQueue[str]):
    """Remembers what was touched."""

    def __init__(self) -> None:
        super().__init__()
        self.touched: list[str] = []

    def touch(self, item: str) -> None:
        self.touched.append(item)


@pytest.mark.statement("WQ-7")
@both_kinds
def test_basic(shut_down: ShutDown) -> None:
    queue: WorkQueue[str] = WorkQueue()
    guard = threading.Lock()
    in_hand: set[str] = set()
    seen: list[str] = []

    def sync(item: str) -> None:
        with guard:
            assert item not in in_hand, "the same item in two hands"
            in_hand.add(item)
        with guard:
            in_hand.remove(item)
            seen.append(item)

    def produce(producer: int) -> None:
        for _ in range(50):
            queue.add(f"item-{producer}")

    consumers = [background(work_off, queue, sync) for _ in range(10)]
    finish(*[background(produce, producer) for producer in range(50)])
    shut_down(queue)
    queue.add("added after shutdown")
    finish(*consumers)
    assert set(seen) == {f"item-{producer}" for producer in range(50)}
    assert len(queue) == 0


@pytest.mark.statement("WQ-4")
@both_kinds
def test_add_while_processing(shut_down: ShutDown) -> None:
    queue: WorkQueue[int] = WorkQueue()
    guard = threading.Lock()
    visits = dict.fromkeys(range(50), 0)
    twice_each = threading.Event()

    def sync(item: int) -> None:
        with guard:
            visits[item] += 1
            first = visits[item] == 1
            if min(visits.values()) >= 2:
                twice_each.set()
        if first:
            queue.add(item)

    consumers = [background(work_off, queue, sync) for _ in range(10)]
    for item in range(50):
        queue.add(item)
    assert twice_each.wait(REAL_TIMEOUT)
    shut_down(queue)
    finish(*consumers)
    assert len(queue) == 0
    assert set(visits.values()) == {2}


@pytest.mark.statement("WQ-2")
def test_len() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("foo")
    assert len(queue) == 1
    queue.add("bar")
    assert len(queue) == 2
    queue.add("foo")
    assert len(queue) == 2


@pytest.mark.statement("WQ-12")
def test_the_length_counts_what_can_be_handed_out_and_nothing_else() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("foo")
    take(queue, "foo")
    assert len(queue) == 0
    queue.add("foo")
    assert len(queue) == 0
    queue.done("foo")
    assert len(queue) == 1


@pytest.mark.statement("WQ-4")
def test_reinsert() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("foo")
    take(queue, "foo")
    queue.add("foo")
    assert len(queue) == 0
    queue.done("foo")
    take(queue, "foo")
    queue.done("foo")
    assert len(queue) == 0


@pytest.mark.statement("WQ-2", "WQ-15")
def test_collapse() -> None:
    order = TouchingQueue()
    queue: WorkQueue[str] = WorkQueue(queue=order)
    queue.add("bar")
    assert order.touched == []
    queue.add("bar")
    assert order.touched == ["bar"]
    take(queue, "bar")
    queue.done("bar")
    assert len(queue) == 0


@pytest.mark.statement("WQ-3", "WQ-4")
def test_collapse_while_processing() -> None:
    order = TouchingQueue()
    queue: WorkQueue[str] = WorkQueue(queue=order)
    queue.add("foo")
    take(queue, "foo")
    second_worker = background(queue.get)
    queue.add("foo")
    queue.add("foo")
    assert_blocked(second_worker)
    queue.done("foo")
    assert finish(second_worker) == [("foo", False)]
    queue.done("foo")
    assert len(queue) == 0
    assert order.touched == []


@pytest.mark.statement("WQ-10")
def test_queue_drainage_using_shut_down_with_drain() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("foo")
    queue.add("bar")
    take(queue, "foo")
    take(queue, "bar")
    drained = background(queue.shut_down_with_drain)
    assert_blocked(drained)
    queue.done("foo")
    assert_blocked(drained)
    queue.done("bar")
    finish(drained)


@pytest.mark.statement("WQ-9")
def test_no_queue_drainage_using_shut_down() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("foo")
    take(queue, "foo")
    finish(background(queue.shut_down))


@pytest.mark.statement("WQ-10")
def test_force_queue_shutdown_using_shut_down() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("foo")
    take(queue, "foo")
    drained = [background(queue.shut_down_with_drain), background(queue.shut_down_with_drain)]
    assert_blocked(drained[0])
    assert_blocked(drained[1])
    queue.shut_down()
    finish(*drained)


@pytest.mark.statement("WQ-8")
def test_queue_drainage_using_shut_down_with_drain_with_dirty_item() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("foo")
    take(queue, "foo")
    queue.add("foo")
    drained = background(queue.shut_down_with_drain)
    assert_blocked(drained)
    queue.done("foo")
    take(queue, "foo")
    assert_blocked(drained)
    queue.done("foo")
    finish(drained)
    assert queue.get() == (None, True)


@pytest.mark.statement("WQ-13")
def test_garbage_collection() -> None:
    class Item:
        """A hashable thing that can be weakly referenced."""

    queue: WorkQueue[Item] = WorkQueue()
    items = [Item(), Item()]
    remains = [weakref.ref(item) for item in items]
    for item in items:
        queue.add(item)
    del item
    while items:
        items.pop(0)
        held, _ = queue.get()
        assert held is not None
        queue.done(held)
        del held
    gc.collect()
    assert [remain() for remain in remains] == [None, None]


# What client-go does not test by name.


@pytest.mark.statement("WQ-6")
def test_items_come_in_the_order_of_their_insertion_and_reinserted_ones_last() -> None:
    queue: WorkQueue[str] = WorkQueue()
    for item in ("a", "b", "c", "a"):
        queue.add(item)
    take(queue, "a")
    queue.add("a")
    queue.done("a")
    for item in ("b", "c", "a"):
        take(queue, item)


@pytest.mark.statement("WQ-6")
def test_get_blocks_until_an_item_is_there() -> None:
    queue: WorkQueue[str] = WorkQueue()
    worker = background(queue.get)
    assert_blocked(worker)
    queue.add("foo")
    assert finish(worker) == [("foo", False)]


@pytest.mark.statement("WQ-1")
def test_each_add_wakes_a_worker_of_its_own() -> None:
    queue: WorkQueue[str] = WorkQueue()
    workers = [background(queue.get) for _ in range(3)]
    for worker in workers:
        assert_blocked(worker)
    for item in ("a", "b", "c"):
        queue.add(item)
    assert sorted(finish(*workers)) == [("a", False), ("b", False), ("c", False)]


@pytest.mark.statement("WQ-14")
@both_kinds
def test_shutting_down_is_true_from_the_call_on(shut_down: ShutDown) -> None:
    queue: WorkQueue[str] = WorkQueue()
    assert not queue.shutting_down()
    shut_down(queue)
    assert queue.shutting_down()
    shut_down(queue)
    assert queue.shutting_down()


@pytest.mark.statement("WQ-7")
def test_what_was_queued_at_shut_down_is_still_handed_out() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("foo")
    queue.add("bar")
    queue.shut_down()
    queue.add("foo")
    queue.add("late")
    take(queue, "foo")
    take(queue, "bar")
    assert queue.get() == (None, True)


@pytest.mark.statement("WQ-7")
def test_an_add_during_shut_down_does_not_even_mark_an_item_dirty() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("foo")
    take(queue, "foo")
    queue.shut_down()
    queue.add("foo")
    queue.done("foo")
    assert queue.get() == (None, True)


@pytest.mark.statement("WQ-9")
def test_shut_down_wakes_all_workers() -> None:
    queue: WorkQueue[str] = WorkQueue()
    workers = [background(queue.get) for _ in range(5)]
    for worker in workers:
        assert_blocked(worker)
    queue.shut_down()
    assert finish(*workers) == [(None, True)] * 5


def test_drain_of_an_empty_queue_returns_at_once() -> None:
    queue: WorkQueue[str] = WorkQueue()
    finish(background(queue.shut_down_with_drain))


def test_an_unhashable_item_is_refused_and_changes_nothing() -> None:
    queue: WorkQueue[Any] = WorkQueue()
    with pytest.raises(TypeError):
        queue.add(["not", "a", "key"])
    assert len(queue) == 0
    queue.add("foo")
    take(queue, "foo")


# The deliberate differences to client-go (kubernetes#141079).


@pytest.mark.statement("WQ-11")
def test_drain_waits_for_queued_items_too() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("foo")
    drained = background(queue.shut_down_with_drain)
    assert_blocked(drained)
    take(queue, "foo")
    assert_blocked(drained)
    queue.done("foo")
    finish(drained)


@pytest.mark.statement("WQ-11")
def test_drain_notices_the_last_done_among_many_blocked_workers() -> None:
    """One wake-up shared between drainer and workers could go to a worker, and the drainer would sleep on."""
    queue: WorkQueue[int] = WorkQueue()
    seen: list[int] = []
    workers = [background(work_off, queue, seen.append) for _ in range(20)]
    for item in range(200):
        queue.add(item)
    drainers = [background(queue.shut_down_with_drain) for _ in range(3)]
    finish(*drainers, *workers)
    assert sorted(seen) == list(range(200))


@pytest.mark.statement("WQ-11")
def test_done_of_an_item_that_nobody_holds_does_not_duplicate_it() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("foo")
    queue.done("foo")
    assert len(queue) == 1
    take(queue, "foo")
    assert len(queue) == 0
    queue.done("foo")
    queue.done("foo")
    queue.done("never seen")
    assert len(queue) == 0


# A model that is naive enough to be right by inspection, and hypothesis to find where the queue differs.


class WorkQueueMachine(RuleBasedStateMachine):
    """One thread in all roles: three facts for each key, and a list for the order."""

    keys = st.sampled_from(["a", "b", "c", "d"])

    def __init__(self) -> None:
        super().__init__()
        self.order = TouchingQueue()
        self.queue: WorkQueue[str] = WorkQueue(queue=self.order)
        self.waiting: list[str] = []
        self.held: list[str] = []
        self.again: list[str] = []
        self.touches = 0
        self.closed = False

    @rule(key=keys)
    def add(self, key: str) -> None:
        self.queue.add(key)
        if self.closed:
            return
        if key in self.waiting:
            self.touches += 1
        elif key not in self.held:
            self.waiting.append(key)
        elif key not in self.again:
            self.again.append(key)

    @precondition(lambda self: self.waiting or self.closed)
    @rule()
    def get(self) -> None:
        if not self.waiting:
            assert self.queue.get() == (None, True)
            return
        key = self.waiting.pop(0)
        assert self.queue.get() == (key, False)
        assert key not in self.held
        self.held.append(key)

    @rule(key=keys)
    def done(self, key: str) -> None:
        self.queue.done(key)
        if key not in self.held:
            return
        self.held.remove(key)
        if key in self.again:
            self.again.remove(key)
            self.waiting.append(key)

    @rule()
    def shut_down(self) -> None:
        self.queue.shut_down()
        self.closed = True

    @precondition(lambda self: not self.waiting and not self.held)
    @rule()
    def drain(self) -> None:
        """Must not block: the model says that there is nothing to wait for."""
        self.queue.shut_down_with_drain()
        self.closed = True

    @invariant()
    def agree(self) -> None:
        assert len(self.queue) == len(self.waiting)
        assert len(self.order.touched) == self.touches
        assert self.queue.shutting_down() == self.closed

    def teardown(self) -> None:
        """Whatever happened, a drain with a diligent worker ends, and hands out all that was accepted."""
        drained = background(self.queue.shut_down_with_drain)
        for key in self.held:
            self.queue.done(key)
        rest: list[str] = []
        work_off(self.queue, rest.append)
        finish(drained)
        # A get may see the queue closed before `again` came back, hence the done calls first.
        assert rest == self.waiting + [key for key in self.held if key in self.again]


TestWorkQueueAgainstModel = WorkQueueMachine.TestCase
TestWorkQueueAgainstModel.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
