"""What every variant promises as a process (design: "what a variant is"), against the embedded API server.

Left out: everything that needs a real API server, a kubelet or RBAC (tests/e2e); what kopf does by itself.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from support.embedded_api import EmbeddedApi, becomes, reason, web, web_pod
from support.processes import Operator, page, status, until
from twinloop.kube import NGINXPODS, PODS

Start = Callable[..., Operator]


def test_it_reconciles_and_stops_with_exit_code_0(api: EmbeddedApi, start: Start, tmp_path: Path) -> None:
    operator = start(api.kubeconfig(tmp_path / "kubeconfig"))
    until(lambda: operator.ready() == 200, "not ready")
    # kopf opens the port of its own probe in a task beside the watches: it may be the later one.
    until(lambda: status(operator.health, "/healthz") == 200, "not alive")
    api.add(web(replicas=2))
    becomes(api, "AllReady")
    assert sorted(api.items(PODS)) == ["web-0", "web-1"]
    until(lambda: api.events.count("Ready") == 1, f"events: {api.events}")
    assert sorted(api.events) == ["PodCreated", "PodCreated", "Ready"]
    assert operator.stop() == 0
    assert "Traceback" not in operator.output()


def test_a_pod_deleted_by_hand_comes_back(api: EmbeddedApi, start: Start, tmp_path: Path) -> None:
    operator = start(api.kubeconfig(tmp_path / "kubeconfig"))
    api.add(web(replicas=1))
    becomes(api, "AllReady")
    first = uid_of_web_0(api)
    api.remove(PODS, "web-0")
    until(lambda: uid_of_web_0(api) not in {"", first}, "lost")
    becomes(api, "AllReady")
    assert operator.stop() == 0


def test_a_pod_of_ours_that_lost_its_label_is_replaced(api: EmbeddedApi, start: Start, tmp_path: Path) -> None:
    start(api.kubeconfig(tmp_path / "kubeconfig"))
    api.add(web(replicas=1))
    becomes(api, "AllReady")
    first = uid_of_web_0(api)
    unlabel(api, "web-0")
    until(lambda: uid_of_web_0(api) not in {"", first}, "not replaced")
    becomes(api, "AllReady")


def test_a_pod_of_ours_that_lost_its_label_and_is_surplus_goes(api: EmbeddedApi, start: Start, tmp_path: Path) -> None:
    start(api.kubeconfig(tmp_path / "kubeconfig"))
    api.add(web(replicas=1))
    becomes(api, "AllReady")
    api.add(web_pod("web-7", ownerReferences=api.items(PODS)["web-0"]["metadata"]["ownerReferences"]))
    until(lambda: "web-7" not in api.items(PODS), "still there")


def uid_of_web_0(api: EmbeddedApi) -> str:
    return str(api.items(PODS).get("web-0", {"metadata": {"uid": ""}})["metadata"]["uid"])


def unlabel(api: EmbeddedApi, name: str) -> None:
    labels = api.items(PODS)[name]["metadata"]["labels"]
    api.edit(PODS, name, {"metadata": {"labels": dict.fromkeys(labels)}})


def test_a_refused_create_is_retried_until_it_is_accepted(api: EmbeddedApi, start: Start, tmp_path: Path) -> None:
    line = "POST /api/v1/namespaces/default/pods"
    api.fail[line] = 403
    operator = start(api.kubeconfig(tmp_path / "kubeconfig"))
    api.add(web(replicas=1))
    becomes(api, "PodCreateFailed")
    until(lambda: api.lines.count(line) >= 4, "no retries")
    del api.fail[line]
    becomes(api, "AllReady")
    assert operator.stop() == 0


def test_a_pod_event_whose_visit_fails_is_not_lost(api: EmbeddedApi, start: Start, tmp_path: Path) -> None:
    start(api.kubeconfig(tmp_path / "kubeconfig"))
    api.add(web(replicas=1))
    becomes(api, "AllReady")
    line = "POST /api/v1/namespaces/default/pods"
    api.fail[line] = 500
    api.remove(PODS, "web-0")
    until(lambda: api.lines.count(line) >= 3, "no retries")
    del api.fail[line]
    becomes(api, "AllReady")


def test_a_name_conflict_heals_when_the_foreign_pod_goes(api: EmbeddedApi, start: Start, tmp_path: Path) -> None:
    api.add(web_pod("web-0"))
    start(api.kubeconfig(tmp_path / "kubeconfig"))
    api.add(web(replicas=1))
    becomes(api, "NameConflict")
    api.remove(PODS, "web-0")
    becomes(api, "AllReady")


def edit(api: EmbeddedApi, **spec: object) -> None:
    api.edit(NGINXPODS, "web", {"spec": spec})


def test_a_spec_changed_back_while_a_retry_is_pending(api: EmbeddedApi, start: Start, tmp_path: Path) -> None:
    """kopf drops the retry, since it sees nothing that it has not handled; the NginxPod must not stay as it was."""
    api.add(web_pod("web-1"))
    start(api.kubeconfig(tmp_path / "kubeconfig"))
    api.add(web(replicas=1))
    becomes(api, "AllReady")
    for _ in range(2):
        edit(api, replicas=2)
        becomes(api, "NameConflict")
        edit(api, replicas=1)
        becomes(api, "AllReady")
    # And what fails afterwards is still retried.
    line = "POST /api/v1/namespaces/default/pods"
    api.fail[line] = 500
    api.remove(PODS, "web-0")
    until(lambda: api.lines.count(line) >= 4, "no retries")
    del api.fail[line]
    becomes(api, "AllReady")


def test_a_corrected_spec_does_not_wait_for_a_retry(api: EmbeddedApi, start: Start, tmp_path: Path) -> None:
    line = "POST /api/v1/namespaces/default/pods"
    api.fail[line] = 403
    start(api.kubeconfig(tmp_path / "kubeconfig"))
    api.add(web(replicas=1))
    # By now the next retry is five seconds away.
    until(lambda: api.lines.count(line) >= 11, "no retries")
    before = api.lines.count(line)
    edit(api, replicas=0)
    until(lambda: reason(api) == "AllReady", "not served", patience=4.0)
    assert api.lines.count(line) == before


def test_a_name_used_again_is_looked_after(api: EmbeddedApi, start: Start, tmp_path: Path) -> None:
    start(api.kubeconfig(tmp_path / "kubeconfig"))
    api.add(web(replicas=1))
    becomes(api, "AllReady")
    first = uid_of_web_0(api)
    api.remove(NGINXPODS, "web")
    api.add(web(replicas=1))
    until(lambda: uid_of_web_0(api) not in {"", first}, "the new one has no pod")
    becomes(api, "AllReady")
    second = uid_of_web_0(api)
    api.remove(PODS, "web-0")
    until(lambda: uid_of_web_0(api) not in {"", second}, "lost")
    becomes(api, "AllReady")


def test_a_restart_writes_nothing(api: EmbeddedApi, start: Start, tmp_path: Path) -> None:  # R14
    config = api.kubeconfig(tmp_path / "kubeconfig")
    operator = start(config)
    api.add(web(replicas=2))
    becomes(api, "AllReady")
    until(lambda: "Ready" in api.events, "no event")
    assert operator.stop() == 0
    before = len(api.lines)
    operator = start(config)
    until(lambda: operator.ready() == 200, "not ready")
    until(lambda: any("watch" in line or line.startswith("GET") for line in api.lines[before:]), "no request")
    assert operator.stop() == 0
    assert [line for line in api.lines[before:] if not line.startswith("GET ")] == []


def test_it_exits_in_time_although_a_request_hangs(api: EmbeddedApi, start: Start, tmp_path: Path) -> None:
    line = "POST /api/v1/namespaces/default/pods"
    api.hang |= {line, "POST /api/v1/namespaces/default/events"}
    operator = start(api.kubeconfig(tmp_path / "kubeconfig"))
    api.add(web(replicas=1))
    until(lambda: line in api.lines, "no request")
    asked = time.monotonic()
    assert operator.stop() == 0
    assert time.monotonic() - asked < 10  # the contract of a variant


def test_it_is_not_ready_while_a_kind_cannot_be_listed(api: EmbeddedApi, start: Start, tmp_path: Path) -> None:
    api.fail["GET /api/v1/pods"] = 403
    operator = start(api.kubeconfig(tmp_path / "kubeconfig"))
    until(lambda: status(operator.health, "/healthz") == 200, "not started")
    until(lambda: operator.ready() == 503, "no answer")
    del api.fail["GET /api/v1/pods"]
    until(lambda: operator.ready() == 200, "never ready")
    assert operator.stop() == 0


def test_an_api_server_that_is_away_is_waited_for(start: Start, tmp_path: Path) -> None:
    gone = EmbeddedApi(kubelet=False)
    config = gone.kubeconfig(tmp_path / "kubeconfig")
    gone.close()
    operator = start(config)
    # /readyz answers before kopf has started, and with it its signal handlers; /healthz is kopf's own.
    until(lambda: status(operator.health, "/healthz") == 200, "not started")
    until(lambda: operator.ready() == 503, "no answer")
    assert operator.process.poll() is None
    assert operator.stop() == 0


def test_its_metrics_are_prometheus_text_with_the_known_names(
    api: EmbeddedApi, start: Start, variant: str, tmp_path: Path
) -> None:
    operator = start(api.kubeconfig(tmp_path / "kubeconfig"))
    api.add(web(replicas=1))
    becomes(api, "AllReady")
    families = {family.name: family for family in text_string_to_metric_families(page(operator.metrics, "/metrics"))}
    results = {sample.labels["result"]: sample.value for sample in families["controller_runtime_reconcile"].samples}
    assert results["success"] >= 1
    assert "rest_client_requests" in families
    # kopf has no work queue; a number that does not exist is absent. The level variant has the handwritten one's.
    assert ("workqueue_depth" in families) == (variant != "kopf")


def test_its_log_lines_are_json(api: EmbeddedApi, start: Start, tmp_path: Path) -> None:
    operator = start(api.kubeconfig(tmp_path / "kubeconfig"))
    api.add(web(replicas=1))
    becomes(api, "AllReady")
    operator.stop()
    lines = [json.loads(line) for line in operator.output().splitlines()]
    created = next(line for line in lines if line["message"] == "Created pod web-0")
    assert created["nginxpod"] == "default/web"
    assert all({"message", "timestamp", "severity"} <= line.keys() for line in lines)


@pytest.mark.parametrize("content", [None, "{not yaml", "{}"])
def test_an_unusable_kubeconfig_is_one_line_and_exit_code_2(start: Start, tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "kubeconfig"
    if content is not None:
        path.write_text(content)
    operator = start(path)
    assert operator.process.wait(20) == 2
    (line,) = operator.output().splitlines()
    assert line.startswith("error: ")
    assert str(path) in line


def test_a_busy_port_is_one_line_and_exit_code_2(api: EmbeddedApi, start: Start, variant: str, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        environ = {"TWINLOOP_METRICS_ADDRESS": f"127.0.0.1:{port}"} if variant != "handwritten" else {}
        operator = start(api.kubeconfig(tmp_path / "kubeconfig"), environ, metrics=port)
        assert operator.process.wait(20) == 2
    (line,) = operator.output().splitlines()
    assert str(port) in line
