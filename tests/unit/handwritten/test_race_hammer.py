"""Hammers queue, deltas, store and informer from many threads, with the interpreter changing threads every few bytecodes.

A race that shows once in a million switches on a calm interpreter shows here in a second: `sys.setswitchinterval` is lowered
from 5 ms to a microsecond. Left out: what a single thread can check, which is the rest of this folder.
"""

from __future__ import annotations

import random
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from handwritten.clock import RealClock
from handwritten.delaying import DelayingQueue
from handwritten.delta_fifo import DeltaFIFO
from handwritten.fake_controller_source import FakeControllerSource
from handwritten.fifo import DeletedFinalStateUnknown, Deltas, FIFOClosed, PopProcess
from handwritten.informer import SharedInformer
from handwritten.pipeline import CLASSIC, CURRENT, Pipeline
from handwritten.ratelimit import ItemExponentialFailureRateLimiter, RateLimitingQueue
from handwritten.store import Change, Indexer, Object
from handwritten.the_real_fifo import RealFIFO
from handwritten.workqueue import WorkQueue
from support.cache import pod, wait_until

pytestmark = pytest.mark.timeout(120)

KEYS = [f"key-{number}" for number in range(8)]
PRODUCERS, CONSUMERS, ROUNDS = 4, 4, 2000


@pytest.fixture(autouse=True)
def nervous_interpreter() -> Iterator[None]:
    """Change threads as often as the interpreter can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def run_all(*functions: Callable[[], None]) -> None:
    """Run each on a thread of its own, until all have returned; what one raises fails the test."""
    failures: list[BaseException] = []

    def guarded(function: Callable[[], None]) -> None:
        try:
            function()
        except BaseException as error:  # noqa: BLE001 - raised below
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    if failures:
        raise failures[0]


class Hands:
    """Which items are being worked on, and which version of each was seen last."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._held: set[str] = set()
        self.wanted: Counter[str] = Counter()
        self.seen: Counter[str] = Counter()

    def want(self, key: str) -> None:
        with self._guard:
            self.wanted[key] += 1

    def take(self, key: str) -> None:
        with self._guard:
            assert key not in self._held, f"{key} is in two hands"
            self._held.add(key)
            self.seen[key] = self.wanted[key]

    def give_back(self, key: str) -> None:
        with self._guard:
            self._held.discard(key)


def consume(queue: WorkQueue[str], hands: Hands) -> None:
    while True:
        key, shutdown = queue.get()
        if shutdown or key is None:
            return
        hands.take(key)
        hands.give_back(key)
        queue.done(key)


@pytest.mark.statement("WQ-5")
def test_no_key_is_in_two_hands_and_no_add_is_lost() -> None:
    """After the last add of each key came at least one visit."""
    queue: WorkQueue[str] = WorkQueue()
    hands, producing = Hands(), threading.Barrier(PRODUCERS + 1)

    def produce(seed: int) -> None:
        rng = random.Random(seed)
        for _ in range(ROUNDS):
            key = rng.choice(KEYS)
            hands.want(key)
            queue.add(key)
        producing.wait()

    def end() -> None:
        producing.wait()
        queue.shut_down_with_drain()

    run_all(
        *[lambda seed=seed: produce(seed) for seed in range(PRODUCERS)],
        *[lambda: consume(queue, hands)] * CONSUMERS,
        end,
    )
    assert hands.seen == hands.wanted
    assert len(queue) == 0


@pytest.mark.statement("DQ-6")
def test_delayed_and_failed_keys_come_back_however_the_threads_meet() -> None:
    queue: DelayingQueue[str] = RateLimitingQueue(rate_limiter=ItemExponentialFailureRateLimiter(1e-5, 1e-3))
    assert isinstance(queue, RateLimitingQueue)
    hands, producing, done = Hands(), threading.Barrier(PRODUCERS + 1), threading.Event()

    def produce(seed: int) -> None:
        rng = random.Random(seed)
        for _ in range(ROUNDS // 2):
            key = rng.choice(KEYS)
            hands.want(key)
            way = rng.randrange(3)
            if way == 0:
                queue.add(key)
            elif way == 1:
                queue.add_after(key, rng.random() * 1e-3)
            else:
                queue.add_rate_limited(key)
                queue.forget(key)
        producing.wait()

    def end() -> None:
        producing.wait()
        wait_until(lambda: hands.seen == hands.wanted)
        queue.shut_down()
        done.set()

    run_all(
        *[lambda seed=seed: produce(seed) for seed in range(PRODUCERS)],
        *[lambda: consume(queue, hands)] * CONSUMERS,
        end,
    )
    assert done.is_set()


def pop_until_closed(fifo: DeltaFIFO | RealFIFO, process: PopProcess) -> None:
    """Be the consumer of a queue."""
    while True:
        try:
            if isinstance(fifo, RealFIFO):
                fifo.pop_batch(process, process)
            else:
                fifo.pop(process)
        except FIFOClosed:
            return


def run_then(threads: list[threading.Thread], end: Callable[[], object]) -> None:
    """Run the threads to their end, then call `end`."""
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    end()


@pytest.mark.statement("DF-1", "DF-7")
@pytest.mark.parametrize("new_queue", [DeltaFIFO, RealFIFO])
def test_the_changes_of_each_object_come_in_order_and_none_is_lost(
    new_queue: Callable[[], DeltaFIFO | RealFIFO],
) -> None:
    """One producer an object, as there is one reflector a kind; one consumer."""
    fifo = new_queue()
    seen: dict[str, list[int]] = {key: [] for key in KEYS}

    def produce(key: str) -> None:
        for value in range(ROUNDS):
            fifo.update({"metadata": {"name": key}, "value": value})

    def process(deltas: Deltas, _initial: bool) -> None:
        for delta in deltas:
            assert isinstance(delta.object, dict)
            seen[delta.object["metadata"]["name"]].append(delta.object["value"])

    producers = [threading.Thread(target=produce, args=(key,)) for key in KEYS]
    run_all(lambda: pop_until_closed(fifo, process), lambda: run_then(producers, fifo.close))
    assert all(values == [*range(ROUNDS)] for values in seen.values())


def change_at_random(store: Indexer, seed: int) -> None:
    """Every way to change a store."""
    rng = random.Random(seed)
    for value in range(ROUNDS):
        obj: Object = {"metadata": {"name": rng.choice(KEYS)}, "value": value}
        way = rng.randrange(4)
        if way == 0:
            store.delete(obj)
        elif way == 1:
            store.replace([obj], str(value))
        elif way == 2:
            store.transaction([Change(obj), Change({"metadata": {"name": "both"}, "value": value})])
        else:
            store.update(obj)


@pytest.mark.statement("TS-9")
def test_a_reader_never_sees_half_of_a_change() -> None:
    """Every index agrees with every object, in each read, whoever writes meanwhile."""
    store = Indexer({"parity": lambda obj: [str(obj["value"] % 2)]})
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            for parity in ("0", "1"):
                assert all(str(obj["value"] % 2) == parity for obj in store.by_index("parity", parity))
            assert set(store.list_index_func_values("parity")) <= {"0", "1"}

    writers = [threading.Thread(target=change_at_random, args=(store, seed)) for seed in range(3)]
    run_all(read, read, lambda: run_then(writers, done.set))
    by_index = {parity: set(store.index_keys("parity", parity)) for parity in ("0", "1")}
    assert by_index["0"] | by_index["1"] == set(store.list_keys())
    assert not by_index["0"] & by_index["1"]


@pytest.mark.statement("SI-5", "SI-6")
@pytest.mark.parametrize("pipeline", [CLASSIC, CURRENT], ids=["classic", "current"])
def test_every_handler_hears_a_story_that_makes_sense(pipeline: Pipeline) -> None:
    """Whenever it joined: an add before any update, nothing after a deletion but an add, and the truth at the end."""
    source, stop = FakeControllerSource(), threading.Event()
    informer = SharedInformer(source, clock=RealClock(), rng=random.Random(1), pipeline=pipeline)
    stories: list[Story] = []
    thread = threading.Thread(target=informer.run, args=(stop,))
    thread.start()
    wait_until(informer.has_synced)
    wait_until(lambda: bool(source._watches))

    def change(seed: int) -> None:
        rng = random.Random(seed)
        alive: set[str] = set()
        for _ in range(ROUNDS // 10):
            name = f"{seed}-{rng.randrange(3)}"
            if name not in alive:
                source.add(pod(name))
                alive.add(name)
            elif rng.random() < 0.5:
                source.modify(pod(name))
            else:
                source.delete(pod(name))
                alive.discard(name)

    def join() -> None:
        for _ in range(10):
            story = Story()
            informer.add_event_handler(story)
            stories.append(story)

    run_all(*[lambda seed=seed: change(seed) for seed in range(3)], join, join)
    truth = {obj["metadata"]["name"] for obj in source.list(resource_version="", limit=0, continue_token="")["items"]}
    try:
        wait_until(lambda: all(story.known == truth for story in stories))
        assert [story.nonsense for story in stories] == [[]] * len(stories)
    finally:
        stop.set()
        thread.join(10)


class Story:
    """A handler that checks that what it hears can follow what it heard."""

    def __init__(self) -> None:
        self.known: set[str] = set()
        self.nonsense: list[str] = []

    def on_add(self, obj: Object, is_in_initial_list: bool) -> None:
        self._expect(obj, known=False)
        self.known = self.known | {obj["metadata"]["name"]}

    def on_update(self, old: Object, new: Object) -> None:
        self._expect(new, known=True)

    def on_delete(self, obj: Object | DeletedFinalStateUnknown) -> None:
        last = obj.obj if isinstance(obj, DeletedFinalStateUnknown) else obj
        assert last is not None
        self._expect(last, known=True)
        self.known = self.known - {last["metadata"]["name"]}

    def _expect(self, obj: Object, *, known: bool) -> None:
        name = obj["metadata"]["name"]
        if (name in self.known) is not known:
            self.nonsense.append(f"{name} was {'unknown' if known else 'known'}")


def test_the_hammer_would_notice_a_lost_update() -> None:
    """A counter without a lock loses counts under these conditions: the hammer is heavy enough."""

    class Careless:
        value = 0

        def count(self) -> None:
            before = self.value
            str(before).lower()  # a moment in which another thread may have its turn
            nothing()
            self.value = before + 1

    def nothing() -> None:
        pass

    careless = Careless()

    def hammer() -> None:
        for _ in range(20_000):
            careless.count()

    run_all(*[hammer] * 4)
    assert careless.value < 80_000
