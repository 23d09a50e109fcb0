"""The queue's metrics: client-go's metrics_test.go by name, then what Prometheus gets to see.

Left out: the HTTP side of a scrape (twinloop.serving) and the exact help texts.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from handwritten.delaying import DelayingQueue
from handwritten.metrics import PrometheusMetricsProvider
from handwritten.ratelimit import RateLimitingQueue
from handwritten.testing import FakeClock
from handwritten.workqueue import WorkQueue

pytestmark = pytest.mark.timeout(30)

US = 1e-6


@dataclass
class Instrument:
    """A counter and a histogram in one that remembers all it was told."""

    count: int = 0
    observed: list[float] = field(default_factory=list)

    def inc(self) -> None:
        self.count += 1

    def observe(self, seconds: float, /) -> None:
        self.observed.append(seconds)


class RecordingProvider:
    """A metrics provider whose instruments a test can read."""

    def __init__(self) -> None:
        self.adds = Instrument()
        self.latency = Instrument()
        self.work_duration = Instrument()
        self.retries = Instrument()
        self.read: dict[str, Callable[[], float]] = {}
        self.names: set[str] = set()

    def new_depth_metric(self, name: str, read: Callable[[], float]) -> None:
        self.names.add(name)
        self.read["depth"] = read

    def new_adds_metric(self, name: str) -> Instrument:
        self.names.add(name)
        return self.adds

    def new_latency_metric(self, name: str) -> Instrument:
        self.names.add(name)
        return self.latency

    def new_work_duration_metric(self, name: str) -> Instrument:
        self.names.add(name)
        return self.work_duration

    def new_unfinished_work_seconds_metric(self, name: str, read: Callable[[], float]) -> None:
        self.names.add(name)
        self.read["unfinished"] = read

    def new_longest_running_processor_seconds_metric(self, name: str, read: Callable[[], float]) -> None:
        self.names.add(name)
        self.read["longest"] = read

    def new_retries_metric(self, name: str) -> Instrument:
        self.names.add(name)
        return self.retries

    @property
    def depth(self) -> float:
        return self.read["depth"]()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(1000.0)


@pytest.fixture
def provider() -> RecordingProvider:
    return RecordingProvider()


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def delaying(clock: FakeClock, provider: RecordingProvider) -> Iterator[DelayingQueue[str]]:
    queue: DelayingQueue[str] = DelayingQueue(name="test", clock=clock, metrics=provider)
    yield queue
    queue.shut_down()


def test_metric_shutdown(clock: FakeClock, provider: RecordingProvider) -> None:
    """No thread of the queue's goes on, and adds that are refused are not counted."""
    before = threading.active_count()
    queue: WorkQueue[str] = WorkQueue(name="test", clock=clock, metrics=provider)
    assert threading.active_count() == before
    queue.shut_down()
    queue.add("foo")
    clock.step(10.0)
    assert provider.adds.count == 0
    assert [read() for read in provider.read.values()] == [0.0, 0.0, 0.0]


def test_metrics(clock: FakeClock, provider: RecordingProvider) -> None:
    queue: WorkQueue[str] = WorkQueue(name="test", clock=clock, metrics=provider)
    assert provider.names == {"test"}

    queue.add("foo")
    assert (provider.adds.count, provider.depth) == (1, 1)
    clock.step(50 * US)
    assert queue.get() == ("foo", False)
    assert provider.latency.observed == pytest.approx([50 * US])
    assert provider.depth == 0

    for _ in range(5):
        queue.add("foo")
    assert (provider.adds.count, provider.depth) == (2, 1)
    clock.step(25 * US)
    queue.done("foo")
    assert provider.work_duration.observed == pytest.approx([25 * US])
    assert provider.depth == 1

    clock.step(10 * US)
    assert queue.get() == ("foo", False)
    assert provider.latency.observed == pytest.approx([50 * US, 35 * US])
    assert provider.depth == 0
    clock.step(1000 * US)
    assert provider.read["unfinished"]() == pytest.approx(1000 * US)
    assert provider.read["longest"]() == pytest.approx(1000 * US)
    queue.done("foo")
    assert provider.work_duration.observed == pytest.approx([25 * US, 1000 * US])
    assert provider.read["unfinished"]() == 0.0
    assert provider.read["longest"]() == 0.0
    assert provider.adds.count == 2


def test_unfinished_work_is_the_sum_and_longest_the_maximum_of_all_ages(
    clock: FakeClock, provider: RecordingProvider
) -> None:
    queue: WorkQueue[str] = WorkQueue(name="test", clock=clock, metrics=provider)
    for item in ("a", "b", "c"):
        queue.add(item)
        queue.get()
        clock.step(2.0)
    assert provider.read["unfinished"]() == 6.0 + 4.0 + 2.0
    assert provider.read["longest"]() == 6.0
    queue.done("a")
    assert provider.read["unfinished"]() == 4.0 + 2.0
    assert provider.read["longest"]() == 4.0


def test_a_reading_waits_for_the_lock_that_guards_what_it_reads(provider: RecordingProvider) -> None:
    queue: WorkQueue[str] = WorkQueue(name="test", metrics=provider)
    for read in provider.read.values():
        reader = threading.Thread(target=read, daemon=True)
        with queue._lock:
            reader.start()
            reader.join(0.02)
            assert reader.is_alive()
        reader.join(5.0)
        assert not reader.is_alive()


def test_a_done_that_is_ignored_is_not_measured(clock: FakeClock, provider: RecordingProvider) -> None:
    queue: WorkQueue[str] = WorkQueue(name="test", clock=clock, metrics=provider)
    queue.add("foo")
    queue.done("foo")
    assert provider.work_duration.observed == []
    assert provider.depth == 1


def test_an_add_that_is_folded_into_another_keeps_its_time(clock: FakeClock, provider: RecordingProvider) -> None:
    queue: WorkQueue[str] = WorkQueue(name="test", clock=clock, metrics=provider)
    queue.add("foo")
    clock.step(3.0)
    queue.add("foo")
    clock.step(1.0)
    queue.get()
    assert provider.latency.observed == [4.0]
    assert provider.adds.count == 1


@pytest.mark.statement("DQ-2", "DQ-9")
def test_every_delayed_add_that_is_not_refused_is_a_retry(
    delaying: DelayingQueue[str], provider: RecordingProvider
) -> None:
    delaying.add_after("foo", 5.0)
    delaying.add_after("foo", 9.0)
    delaying.add_after("foo", 0.0)
    assert provider.retries.count == 3
    delaying.shut_down()
    delaying.add_after("foo", 5.0)
    delaying.add_after("foo", 0.0)
    assert provider.retries.count == 3


def test_a_delayed_item_counts_as_added_only_when_its_time_has_come(
    clock: FakeClock, delaying: DelayingQueue[str], provider: RecordingProvider
) -> None:
    delaying.add_after("foo", 5.0)
    clock.wait_for_deadline(1005.0)
    assert (provider.adds.count, provider.depth) == (0, 0)
    clock.step(5.0)
    assert delaying.get() == ("foo", False)
    assert provider.adds.count == 1
    assert provider.latency.observed == [0.0], "the delay is not time spent in the queue"


every_kind = pytest.mark.parametrize("kind", [WorkQueue, DelayingQueue, RateLimitingQueue])


@every_kind
def test_a_queue_without_a_name_has_no_metrics(
    kind: Callable[..., WorkQueue[str]], provider: RecordingProvider
) -> None:
    queue = kind(metrics=provider)
    queue.add("foo")
    queue.get()
    queue.done("foo")
    queue.shut_down()
    assert provider.names == set()
    assert provider.adds.count == 0


@every_kind
def test_every_kind_of_queue_has_metrics_under_its_own_name(
    kind: Callable[..., WorkQueue[str]], provider: RecordingProvider
) -> None:
    queue = kind(name="pods", metrics=provider)
    queue.add("foo")
    queue.shut_down()
    assert provider.names == {"pods"}
    assert provider.adds.count == 1


# Prometheus


def test_prometheus_sees_client_go_s_names(clock: FakeClock, registry: CollectorRegistry) -> None:
    queue: DelayingQueue[str] = DelayingQueue(
        name="nginxpods", clock=clock, metrics=PrometheusMetricsProvider(registry)
    )
    queue.add("foo")
    queue.add("bar")
    clock.step(0.5)
    queue.get()
    clock.step(20.0)
    queue.done("foo")
    queue.add_after("foo", 60.0)
    queue.get()
    clock.step(7.0)

    def value(metric: str, **labels: str) -> float | None:
        return registry.get_sample_value(metric, {"name": "nginxpods", **labels})

    assert value("workqueue_depth") == 0
    assert value("workqueue_adds_total") == 2
    assert value("workqueue_queue_duration_seconds_count") == 2
    assert value("workqueue_queue_duration_seconds_sum") == pytest.approx(0.5 + 20.5)
    assert value("workqueue_work_duration_seconds_sum") == pytest.approx(20.0)
    assert value("workqueue_work_duration_seconds_bucket", le="10.0") == 0
    assert value("workqueue_work_duration_seconds_bucket", le="+Inf") == 1
    assert value("workqueue_unfinished_work_seconds") == pytest.approx(7.0)
    assert value("workqueue_longest_running_processor_seconds") == pytest.approx(7.0)
    assert value("workqueue_retries_total") == 1
    queue.shut_down()


def test_the_histograms_have_client_go_s_buckets(registry: CollectorRegistry) -> None:
    WorkQueue[str](name="q", metrics=PrometheusMetricsProvider(registry))
    page = generate_latest(registry).decode()
    bounds = [
        float(line.split('le="')[1].split('"')[0])
        for line in page.splitlines()
        if line.startswith("workqueue_queue_duration_seconds_bucket")
    ]
    assert bounds == pytest.approx([1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0, float("inf")])


def test_queues_of_one_provider_are_told_apart_by_name(registry: CollectorRegistry) -> None:
    provider = PrometheusMetricsProvider(registry)
    one: WorkQueue[str] = WorkQueue(name="one", metrics=provider)
    two: WorkQueue[str] = WorkQueue(name="two", metrics=provider)
    one.add("a")
    two.add("b")
    two.add("c")
    assert registry.get_sample_value("workqueue_depth", {"name": "one"}) == 1
    assert registry.get_sample_value("workqueue_depth", {"name": "two"}) == 2


def test_a_second_provider_on_the_same_registry_is_refused(registry: CollectorRegistry) -> None:
    PrometheusMetricsProvider(registry)
    with pytest.raises(ValueError, match="Duplicated"):
        PrometheusMetricsProvider(registry)


def test_a_later_queue_of_the_same_name_takes_the_gauges_over(registry: CollectorRegistry) -> None:
    provider = PrometheusMetricsProvider(registry)
    first: WorkQueue[str] = WorkQueue(name="q", metrics=provider)
    first.add("a")
    first.shut_down()
    second: WorkQueue[str] = WorkQueue(name="q", metrics=provider)
    second.add("b")
    second.add("c")
    assert registry.get_sample_value("workqueue_depth", {"name": "q"}) == 2
    assert registry.get_sample_value("workqueue_adds_total", {"name": "q"}) == 3


def test_scraping_while_workers_work_neither_blocks_nor_breaks(registry: CollectorRegistry) -> None:
    """Scrape and queue take their locks in the same order: the queue's, then a metric's."""
    queue: WorkQueue[int] = WorkQueue(name="busy", metrics=PrometheusMetricsProvider(registry))

    def work() -> None:
        while True:
            item, shutdown = queue.get()
            if shutdown or item is None:
                return
            queue.done(item)

    workers = [threading.Thread(target=work, daemon=True) for _ in range(4)]
    for worker in workers:
        worker.start()
    for item in range(2000):
        queue.add(item)
        if item % 100 == 0:
            generate_latest(registry)
    queue.shut_down_with_drain()
    for worker in workers:
        worker.join(5.0)
    assert registry.get_sample_value("workqueue_work_duration_seconds_count", {"name": "busy"}) == 2000
    assert registry.get_sample_value("workqueue_depth", {"name": "busy"}) == 0
