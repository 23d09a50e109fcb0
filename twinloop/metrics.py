"""What both operators count about their reconciliations, under controller-runtime's names.

Existing dashboards then work for either. What a loop has beyond this (queue depth, retries) it counts itself:
a number that a loop does not have is absent from its /metrics, never 0.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from twinloop.sync import Outcome

# controller-runtime: pkg/internal/controller/metrics/metrics.go.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class ReconcileMetrics:
    """The counters of one controller; `observe` is wrapped around every call of the sync function."""

    def __init__(
        self,
        controller: str,
        *,
        workers: int,
        registry: CollectorRegistry = REGISTRY,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._timer = timer
        prefix, label = "controller_runtime_", ["controller"]
        self._total = Counter(
            f"{prefix}reconcile_total", "Reconciliations by result", [*label, "result"], registry=registry
        )
        self._errors = Counter(f"{prefix}reconcile_errors_total", "Failed reconciliations", label, registry=registry)
        self._panics = Counter(
            f"{prefix}reconcile_panics_total", "Reconciliations ended by an exception", label, registry=registry
        )
        self._seconds = Histogram(
            f"{prefix}reconcile_time_seconds", "Length of a reconciliation", label, buckets=BUCKETS, registry=registry
        )
        self._active = Gauge(f"{prefix}active_workers", "Reconciliations under way", label, registry=registry)
        limit = Gauge(f"{prefix}max_concurrent_reconciles", "Reconciliations at once at most", label, registry=registry)
        limit.labels(controller).set(workers)
        self._controller = controller

    def observe(self, reconcile: Callable[[], Outcome]) -> Outcome:
        """Run one reconciliation and count it; an exception is counted as a panic and passed on."""
        start = self._timer()
        self._active.labels(self._controller).inc()
        try:
            outcome = reconcile()
        except Exception:
            self._panics.labels(self._controller).inc()
            self._count("error")
            raise
        finally:
            self._active.labels(self._controller).dec()
            self._seconds.labels(self._controller).observe(self._timer() - start)
        self._count(_result(outcome))
        return outcome

    def _count(self, result: str) -> None:
        self._total.labels(self._controller, result).inc()
        if result == "error":
            self._errors.labels(self._controller).inc()


def _result(outcome: Outcome) -> str:
    if outcome.failure:
        return "error"
    return "success" if outcome.again is None else "requeue_after"
