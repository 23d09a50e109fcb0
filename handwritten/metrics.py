"""What a work queue tells about itself, under client-go's metric names.

client-go: util/workqueue/metrics.go and component-base/metrics/prometheus/workqueue. A queue keeps a
`QueueMetrics` when it has a name and a provider, else a `NoMetrics` that costs next to nothing; a
provider turns names into the instruments of a metrics library. `PrometheusMetricsProvider` is the one
that twinloop/serving.py exposes.

| metric                                       | what it says                                         |
|----------------------------------------------|------------------------------------------------------|
| workqueue_depth                              | items marked dirty: queued, or added while processed |
| workqueue_adds_total                         | adds that were not folded into an earlier one        |
| workqueue_queue_duration_seconds             | from the add to the hand-out                         |
| workqueue_work_duration_seconds              | from the hand-out to done                            |
| workqueue_unfinished_work_seconds            | sum of the ages of all work in flight                |
| workqueue_longest_running_processor_seconds  | the oldest of those ages                             |
| workqueue_retries_total                      | calls of add_after that were not refused             |

Deliberate difference to client-go: there a goroutine writes the two gauges of work in flight every
500 ms, and depth is counted up and down. Here all three gauges are read from the queue's books at the
moment of the scrape: no number is half a second old or can drift, and an idle operator has no ticking
thread. The price is that a scrape takes the queue's lock, for as long as it takes to add up the items in
flight, which are as many as there are workers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Protocol

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from handwritten.clock import Clock

# 10 ns to 10 s in ten steps, as component-base has it. What takes longer than 10 s shows in +Inf only.
DURATION_BUCKETS = tuple(float(f"1e{exponent}") for exponent in range(-8, 2))

Read = Callable[[], float]


class CounterMetric(Protocol):
    """Something that counts up."""

    def inc(self) -> None:
        """Count one more."""
        ...


class HistogramMetric(Protocol):
    """Something that collects durations."""

    def observe(self, seconds: float, /) -> None:
        """Record one duration."""
        ...


class MetricsProvider(Protocol):
    """client-go's MetricsProvider: makes the instruments of the queue called `name`.

    The gauges are given a function to read instead of being written. It may be called from any thread,
    but not by one that holds a lock which `inc` or `observe` would need: it takes the queue's lock, and
    the queue calls `inc` and `observe` while it holds that lock.
    """

    def new_depth_metric(self, name: str, read: Read) -> None:
        """Show `read()` as the number of dirty items."""
        ...

    def new_adds_metric(self, name: str) -> CounterMetric:
        """Return the counter of adds."""
        ...

    def new_latency_metric(self, name: str) -> HistogramMetric:
        """Return the histogram of the time between add and hand-out."""
        ...

    def new_work_duration_metric(self, name: str) -> HistogramMetric:
        """Return the histogram of the time between hand-out and done."""
        ...

    def new_unfinished_work_seconds_metric(self, name: str, read: Read) -> None:
        """Show `read()` as the summed age of the work in flight."""
        ...

    def new_longest_running_processor_seconds_metric(self, name: str, read: Read) -> None:
        """Show `read()` as the age of the oldest work in flight."""
        ...

    def new_retries_metric(self, name: str) -> CounterMetric:
        """Return the counter of delayed adds."""
        ...


class QueueMetrics:
    """The book-keeping of one queue: when each item was added and handed out.

    Locks: it has none of its own. The queue calls `add`, `get`, `done` and `retry` while it holds
    `lock`, its own; the three readings below come from the scraping thread and take it themselves. The
    instruments lock too, but only around a single number, and call nobody: always the innermost lock.
    """

    def __init__(self, provider: MetricsProvider, name: str, clock: Clock, lock: threading.Lock) -> None:
        """Ask `provider` for the instruments of the queue `name`; times are those of `clock`."""
        self._clock = clock
        self._lock = lock
        self._added_at: dict[Hashable, float] = {}  # exactly the dirty items
        self._handed_out_at: dict[Hashable, float] = {}  # exactly the items in flight
        self._adds = provider.new_adds_metric(name)
        self._latency = provider.new_latency_metric(name)
        self._work_duration = provider.new_work_duration_metric(name)
        self._retries = provider.new_retries_metric(name)
        provider.new_depth_metric(name, self.depth)
        provider.new_unfinished_work_seconds_metric(name, self.unfinished_work_seconds)
        provider.new_longest_running_processor_seconds_metric(name, self.longest_running_processor_seconds)

    def add(self, item: Hashable) -> None:
        """Note that `item`, clean so far, became dirty."""
        self._adds.inc()
        self._added_at[item] = self._clock.now()

    def get(self, item: Hashable) -> None:
        """Note that `item`, dirty so far, was handed out."""
        now = self._clock.now()
        self._handed_out_at[item] = now
        self._latency.observe(now - self._added_at.pop(item))

    def done(self, item: Hashable) -> None:
        """Note that the work on `item`, in flight so far, ended."""
        self._work_duration.observe(self._clock.now() - self._handed_out_at.pop(item))

    def retry(self) -> None:
        """Note that an item was put off."""
        self._retries.inc()

    def depth(self) -> float:
        """Return how many items are dirty; as in client-go that is not `len(queue)`, see the table."""
        with self._lock:
            return len(self._added_at)

    def unfinished_work_seconds(self) -> float:
        """Return the sum of the ages of the items in flight; growth without end means stuck workers."""
        return sum(self._ages())

    def longest_running_processor_seconds(self) -> float:
        """Return the age of the oldest item in flight, 0 when there is none."""
        return max(self._ages(), default=0.0)

    def _ages(self) -> list[float]:
        with self._lock:
            now = self._clock.now()
            return [now - since for since in self._handed_out_at.values()]


class NoMetrics:
    """In the place of QueueMetrics for a queue without a name or a provider: nothing is kept."""

    def add(self, item: Hashable) -> None:
        """Do nothing."""

    def get(self, item: Hashable) -> None:
        """Do nothing."""

    def done(self, item: Hashable) -> None:
        """Do nothing."""

    def retry(self) -> None:
        """Do nothing."""


def new_queue_metrics(
    provider: MetricsProvider | None, name: str, clock: Clock, lock: threading.Lock
) -> QueueMetrics | NoMetrics:
    """Return what a queue shall note its life in; without a name it could not be told from others."""
    return QueueMetrics(provider, name, clock, lock) if provider is not None and name else NoMetrics()


class PrometheusMetricsProvider:
    """The seven metrics in a Prometheus registry, one label `name`.

    Make one per registry and share it between queues: a second one raises ValueError, since the metric
    names are taken. A queue made later under the same name takes the gauges over and goes on counting
    in the same counters. The registry keeps such a queue's book-keeping alive.
    """

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        """Register the metrics; they show nothing until a queue is made."""
        label = ["name"]
        self._depth = Gauge("workqueue_depth", "Items that wait for a worker.", label, registry=registry)
        self._adds = Counter("workqueue_adds", "Adds handled by the queue.", label, registry=registry)
        self._latency = Histogram(
            "workqueue_queue_duration_seconds",
            "How long an item stays in the queue before it is handed out.",
            label,
            registry=registry,
            buckets=DURATION_BUCKETS,
        )
        self._work_duration = Histogram(
            "workqueue_work_duration_seconds",
            "How long processing an item takes.",
            label,
            registry=registry,
            buckets=DURATION_BUCKETS,
        )
        self._unfinished = Gauge(
            "workqueue_unfinished_work_seconds",
            "Summed age of the work in progress that work_duration has not seen yet.",
            label,
            registry=registry,
        )
        self._longest = Gauge(
            "workqueue_longest_running_processor_seconds",
            "Age of the oldest work in progress.",
            label,
            registry=registry,
        )
        self._retries = Counter("workqueue_retries", "Adds that were delayed.", label, registry=registry)

    def new_depth_metric(self, name: str, read: Read) -> None:
        """See `MetricsProvider`."""
        self._depth.labels(name).set_function(read)

    def new_adds_metric(self, name: str) -> CounterMetric:
        """See `MetricsProvider`."""
        return self._adds.labels(name)

    def new_latency_metric(self, name: str) -> HistogramMetric:
        """See `MetricsProvider`."""
        return self._latency.labels(name)

    def new_work_duration_metric(self, name: str) -> HistogramMetric:
        """See `MetricsProvider`."""
        return self._work_duration.labels(name)

    def new_unfinished_work_seconds_metric(self, name: str, read: Read) -> None:
        """See `MetricsProvider`."""
        self._unfinished.labels(name).set_function(read)

    def new_longest_running_processor_seconds_metric(self, name: str, read: Read) -> None:
        """See `MetricsProvider`."""
        self._longest.labels(name).set_function(read)

    def new_retries_metric(self, name: str) -> CounterMetric:
        """See `MetricsProvider`."""
        return self._retries.labels(name)
