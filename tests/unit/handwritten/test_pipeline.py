"""Shows each difference between the two pipelines on both of them: the same happens, and a handler hears something else.

Left out: what is the same, which is all of test_informer.py; the queues by themselves (test_delta_fifo.py,
test_the_real_fifo.py).
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from handwritten.clock import RealClock
from handwritten.fake_controller_source import FakeControllerSource
from handwritten.fifo import Deltas, Queue
from handwritten.handlers import ResourceEventHandlerFuncs
from handwritten.informer import SharedInformer
from handwritten.pipeline import CLASSIC, CURRENT, Pipeline
from handwritten.process_deltas import DeltaProcessor
from handwritten.store import Indexer, Object
from support.cache import Told, pod, wait_until


class Bench:
    """A store, its queue and its processor, without threads: what is put in stays queued until `drain`."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.indexer = Indexer()
        self.queue: Queue = pipeline.new_queue(self.indexer, None, RealClock())
        self.told = Told(self.indexer)
        self.processor = DeltaProcessor(self.indexer, self.told, name="test")
        self.queue.replace([obj("a", 1), obj("b", 1)], "1")
        self.drain()

    def drain(self) -> list[str]:
        """Process everything that is queued; return what was told."""
        self.told.words.clear()
        self.queue.close()
        while True:
            try:
                self.queue.pop(self.processor.process)
            except Exception:  # noqa: BLE001 - closed and empty
                return [*self.told.words]


def obj(name: str, version: int) -> Object:
    return {"metadata": {"name": name, "resourceVersion": str(version)}}


@pytest.fixture(params=[CLASSIC, CURRENT], ids=["classic", "current"])
def pipeline(request: pytest.FixtureRequest) -> Pipeline:
    assert isinstance(request.param, Pipeline)
    return request.param


def expected(pipeline: Pipeline, *, classic: object, current: object) -> object:
    return classic if pipeline is CLASSIC else current


@pytest.mark.statement("DF-1", "RF-1")
def test_order_across_objects(pipeline: Pipeline) -> None:
    bench = Bench(pipeline)
    for each in (obj("a", 2), obj("b", 3), obj("a", 4)):
        bench.queue.update(each)
    assert bench.drain() == expected(
        pipeline, classic=["~a1>a2", "~a2>a4", "~b1>b3"], current=["~a1>a2", "~b1>b3", "~a2>a4"]
    )


@pytest.mark.statement("DF-2", "DF-3", "RF-1")
def test_deletions_of_what_is_not_there(pipeline: Pipeline) -> None:
    bench = Bench(pipeline)
    for each in (obj("a", 2), obj("a", 3), obj("nobody", 4)):
        bench.queue.delete(each)
    assert bench.drain() == expected(pipeline, classic=["-a2"], current=["-a2", "-a3", "-nobody4"])


@pytest.mark.statement("DF-4", "RF-3")
def test_what_a_list_tells_first(pipeline: Pipeline) -> None:
    bench = Bench(pipeline)
    bench.queue.replace([obj("b", 1), obj("c", 2)], "2")
    assert bench.drain() == expected(pipeline, classic=["~b1>b1", "+c2", "-!a1"], current=["-!a1", "~b1>b1", "+c2"])


@pytest.mark.statement("DF-6", "RF-3")
def test_a_resync_of_what_has_changes_queued(pipeline: Pipeline) -> None:
    bench = Bench(pipeline)
    bench.queue.update(obj("a", 2))
    bench.queue.resync()
    assert bench.drain() == expected(pipeline, classic=["~a1>a2", "~b1>b1"], current=["~a1>a2", "~a2>a2", "~b1>b1"])


@pytest.mark.statement("DF-8", "RF-5")
def test_when_the_first_list_counts_as_delivered(pipeline: Pipeline) -> None:
    """One counts what is popped, under its lock; the other what is processed, without."""
    queue = pipeline.new_queue(Indexer(), None, RealClock())
    queue.replace([], "1")
    assert queue.has_synced() is expected(pipeline, classic=True, current=False)
    popped: list[Deltas] = []
    queue.close()
    if pipeline is CURRENT:
        queue.pop(lambda deltas, _: popped.append(deltas))
    assert queue.has_synced()


@contextmanager
def running(pipeline: Pipeline, source: FakeControllerSource) -> Iterator[tuple[SharedInformer, list[bool]]]:
    """An informer at work, and for each change that a handler hears of whether the store was locked out meanwhile."""
    stop = threading.Event()
    informer = SharedInformer(source, clock=RealClock(), rng=random.Random(1), pipeline=pipeline)
    added: list[bool] = []
    informer.add_event_handler(ResourceEventHandlerFuncs(add=lambda _, initial: added.append(initial)))
    thread = threading.Thread(target=informer.run, args=(stop,))
    thread.start()
    wait_until(informer.has_synced)
    try:
        yield informer, added
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()


@pytest.mark.statement("TS-10")
def test_which_version_the_store_says_it_is_at(pipeline: Pipeline) -> None:
    source = FakeControllerSource()
    for name in "ab":
        source.add(pod(name))
    with running(pipeline, source) as (informer, _):
        assert informer.last_sync_resource_version == "3"
        assert informer.last_store_sync_resource_version == expected(pipeline, classic="", current="3")
        source.modify(pod("a", "changed"))
        if pipeline is CURRENT:
            wait_until(lambda: informer.last_store_sync_resource_version == "4")
            source.bookmark()
        source.delete(pod("b"))
        wait_until(lambda: informer.indexer.list_keys() == ["default/a"])
        assert informer.last_store_sync_resource_version == expected(pipeline, classic="", current="5")


@pytest.mark.statement("RE-19")
def test_how_the_first_state_is_asked_for(pipeline: Pipeline) -> None:
    class Asked(FakeControllerSource):
        def __init__(self) -> None:
            super().__init__()
            self.lists = 0

        def list(self, **options: object) -> Object:
            self.lists += 1
            return super().list(resource_version="", limit=0, continue_token="")

    source = Asked()
    source.add(pod("a"))
    with running(pipeline, source) as (informer, added):
        wait_until(lambda: added == [True])
        assert informer.indexer.list_keys() == ["default/a"]
    assert source.lists == expected(pipeline, classic=1, current=0)
