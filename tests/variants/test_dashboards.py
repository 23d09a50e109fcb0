"""The metric names that existing dashboards ask for, scraped from a running operator with Prometheus' own text parser.

Names, types and labels are those of client-go and controller-runtime. Left out: what the numbers say (the units' tests);
`rest_client_rate_limiter_duration_seconds`, since this client has no rate limiter of its own, as controller-runtime's by
default.
"""

from __future__ import annotations

from pathlib import Path

from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from support.embedded_api import EmbeddedApi, web
from support.processes import Operator, page, until
from twinloop.kube import NAMESPACES, PODS

# Family as the parser calls it (a counter without _total) -> type and labels.
QUEUE = {
    "workqueue_depth": ("gauge", {"name"}),
    "workqueue_adds": ("counter", {"name"}),
    "workqueue_queue_duration_seconds": ("histogram", {"name"}),
    "workqueue_work_duration_seconds": ("histogram", {"name"}),
    "workqueue_unfinished_work_seconds": ("gauge", {"name"}),
    "workqueue_longest_running_processor_seconds": ("gauge", {"name"}),
    "workqueue_retries": ("counter", {"name"}),
}
ELECTION = {
    "leader_election_master_status": ("gauge", {"name"}),
    "leader_election_slowpath": ("counter", {"name"}),
}
BOTH = {
    "rest_client_requests": ("counter", {"code", "method", "host"}),
    "rest_client_request_duration_seconds": ("histogram", {"verb", "host"}),
    "controller_runtime_reconcile": ("counter", {"controller", "result"}),
    "controller_runtime_reconcile_errors": ("counter", {"controller"}),
    "controller_runtime_reconcile_time_seconds": ("histogram", {"controller"}),
    "controller_runtime_reconcile_panics": ("counter", {"controller"}),
    "controller_runtime_active_workers": ("gauge", {"controller"}),
    "controller_runtime_max_concurrent_reconciles": ("gauge", {"controller"}),
}
# Counters that show a line only once something was counted.
SILENT_AT_FIRST = {
    "leader_election_slowpath",
    "controller_runtime_reconcile_errors",
    "controller_runtime_reconcile_panics",
}


def scraped(api: EmbeddedApi, variant: str, tmp_path: Path, *flags: str) -> dict[str, Metric]:
    """The metric families of an operator that has made a pod."""
    api.client.create(NAMESPACES, {"metadata": {"name": "twinloop-system"}})
    api.add(web(replicas=1))
    operator = Operator(variant, api.kubeconfig(tmp_path / "kubeconfig"), tmp_path / "log", {}, 0, *flags)
    try:
        until(lambda: "web-0" in api.items(PODS), "no pod")
        until(lambda: "controller_runtime_reconcile_total{" in page(operator.metrics, "/metrics"), "nothing counted")
        return {family.name: family for family in text_string_to_metric_families(page(operator.metrics, "/metrics"))}
    finally:
        operator.process.kill()
        operator.process.wait()


def labels(family: Metric) -> set[str]:
    return {label for sample in family.samples for label in sample.labels} - {"le"}


def assert_served(families: dict[str, Metric], wanted: dict[str, tuple[str, set[str]]]) -> None:
    for name, (kind, names) in wanted.items():
        assert name in families, name
        assert families[name].type == kind, name
        if name not in SILENT_AT_FIRST or families[name].samples:
            assert labels(families[name]) == names, name


def test_a_dashboard_for_any_go_operator_shows_the_handwritten_one(api: EmbeddedApi, tmp_path: Path) -> None:
    flags = ("--leader-elect", "--leader-elect-resource-namespace=twinloop-system")
    families = scraped(api, "handwritten", tmp_path, *flags)
    assert_served(families, QUEUE | ELECTION | BOTH)
    (status,) = families["leader_election_master_status"].samples
    assert (status.labels, status.value) == ({"name": "twinloop-handwritten"}, 1.0)
    assert {sample.labels["name"] for sample in families["workqueue_depth"].samples} == {"nginxpod"}
    assert not [name for name in families if name.endswith("_created")]


def test_kopf_shows_what_it_has_and_nothing_else(api: EmbeddedApi, tmp_path: Path) -> None:
    families = scraped(api, "kopf", tmp_path)
    assert_served(families, BOTH)
    assert not (QUEUE | ELECTION).keys() & families.keys()
