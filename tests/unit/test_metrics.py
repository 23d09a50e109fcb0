"""What both operators count about reconciliations. Left out: the page itself (tests/unit/test_serving.py)."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry

from twinloop.metrics import ReconcileMetrics
from twinloop.sync import DONE, Outcome

LABELS = {"controller": "nginxpod"}


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def metrics(registry: CollectorRegistry, ticks: list[float] | None = None) -> ReconcileMetrics:
    times = iter(ticks or [])
    return ReconcileMetrics("nginxpod", workers=4, registry=registry, timer=lambda: next(times, 0.0))


@pytest.mark.parametrize(
    ("outcome", "result"), [(DONE, "success"), (Outcome("bad"), "error"), (Outcome(again=3), "requeue_after")]
)
def test_each_outcome_has_its_result(registry: CollectorRegistry, outcome: Outcome, result: str) -> None:
    assert metrics(registry).observe(lambda: outcome) == outcome
    assert registry.get_sample_value("controller_runtime_reconcile_total", {**LABELS, "result": result}) == 1


def test_only_failures_count_as_errors(registry: CollectorRegistry) -> None:
    counted = metrics(registry)
    for outcome in (DONE, Outcome("bad"), Outcome("bad", again=1)):
        counted.observe(lambda outcome=outcome: outcome)  # type: ignore[misc]
    assert registry.get_sample_value("controller_runtime_reconcile_errors_total", LABELS) == 2


def test_an_exception_is_a_panic_and_is_passed_on(registry: CollectorRegistry) -> None:
    def explode() -> Outcome:
        raise KeyError("metadata")

    with pytest.raises(KeyError):
        metrics(registry).observe(explode)
    assert registry.get_sample_value("controller_runtime_reconcile_panics_total", LABELS) == 1
    assert registry.get_sample_value("controller_runtime_reconcile_errors_total", LABELS) == 1
    assert registry.get_sample_value("controller_runtime_active_workers", LABELS) == 0


def test_the_length_of_a_visit_is_measured(registry: CollectorRegistry) -> None:
    metrics(registry, [10.0, 10.3]).observe(lambda: DONE)
    total = registry.get_sample_value("controller_runtime_reconcile_time_seconds_sum", LABELS)
    assert total == pytest.approx(0.3)


def test_the_number_of_workers_is_shown(registry: CollectorRegistry) -> None:
    metrics(registry)
    assert registry.get_sample_value("controller_runtime_max_concurrent_reconciles", LABELS) == 4
