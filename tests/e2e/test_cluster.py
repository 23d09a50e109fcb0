"""The cluster itself changes under the operator: a namespace goes, the API server dies, the operator is taken away.

Comes last of each variant, since the cluster needs a moment to recover. Leaves out faults that need a proxy.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from e2e import judges
from e2e.case import Case
from e2e.cluster import CommandFailed
from e2e.objects import CRD, OPERATOR_NAMESPACE, nginxpod
from e2e.record import Unchecked, uid_of

OTHER = {"handwritten": "kopf", "kopf": "handwritten"}
# The kubelet restarts it at once; scheduler and controller manager lose their leases and follow.
API_SERVER_SECONDS = 180.0
NAMESPACE_SECONDS = 90
# Each pod that goes wakes the operator, which may try to fill the name once before it knows better.
REFUSED_CREATES = 6


def test_deleted_namespace_goes_without_a_fight(case: Case) -> None:
    """R12: the namespace is gone in its time; refused creates there are neither retried nor reported."""
    assert case.operator
    case.apply(nginxpod("web", replicas=3))
    case.settled("web")
    mark, since = case.audit_log.mark(), time.monotonic()
    with case.timed("gone after"):
        case.cluster.kubectl("delete", "namespace", case.namespace, f"--timeout={NAMESPACE_SECONDS}s")
    seen = {reason for _, reason in judges.reasons(case.record(), "web", since=since)}
    assert "PodCreateFailed" not in seen
    assert judges.event_count(case.record(), "PodCreateFailed", "web") == 0
    refused = [each for each in case.requests(mark) or [] if each.verb == "create" and each.code == 403]
    assert len(refused) <= REFUSED_CREATES
    mark = case.audit_log.mark()
    case.nothing_happens(5)
    assert not case.requests(mark)


def test_deploy_refuses_while_the_other_variant_is_there(case: Case) -> None:
    """Two operators never run the same NginxPods by accident: one clear line, and the one that runs is not touched."""
    assert case.operator
    mine, other = case.operator.variant, OTHER[case.operator.variant]
    before = uid_of(case.operator.running_pod())
    with pytest.raises(CommandFailed) as refused:
        case.cluster.make("deploy", VARIANT=other)
    assert mine in refused.value.output
    assert "Traceback" not in refused.value.output
    assert other not in case.kubectl("get", "deployments", "-A", "-o", "name")
    assert uid_of(case.operator.running_pod()) == before


def test_killed_api_server_is_outlived(case: Case) -> None:
    """Both go on after the API server's death: no pod is lost to it, and what comes afterwards is done."""
    assert case.operator
    case.apply(nginxpod("web", replicas=2))
    case.settled("web")
    old, restarts = case.uids(), case.operator.restarts()

    mark = case.audit_log.mark()
    pid = case.cluster.on_node("pgrep", "-x", "kube-apiserver").split()[0]
    case.cluster.on_node("pkill", "-KILL", "-x", "kube-apiserver")
    # The kubelet's back-off, and later the scheduler's return: the cluster's own times, which no operator can help.
    with case.timed("API server back after", compared=False):
        case.until("another API server to answer", lambda: _answers(case, pid), API_SERVER_SECONDS)

    with case.timed("all Ready again after", compared=False):
        with case.timed("operator acted after"):
            case.kubectl("scale", "ngp/web", "--replicas=3")
            case.until("web-2 to be made", lambda: "web-2" in case.pods(), API_SERVER_SECONDS)
        case.kubectl("delete", "pod", "web-0", "--wait=false")
        case.until("another web-0", lambda: case.uids().get("web-0", old["web-0"]) != old["web-0"], API_SERVER_SECONDS)
        case.settled("web", API_SERVER_SECONDS)
    assert case.uids()["web-1"] == old["web-1"]
    assert len(judges.uids(case.record(), "web-0")) == 2
    # The recorder's watches lose history with the API server; its audit log does not.
    requests = case.requests(mark)
    if requests is None:
        raise Unchecked("the API server of this cluster keeps no audit log")
    about_pods = [each for each in requests if each.is_write and each.resource == "pods" and each.code < 300]
    assert sorted(f"{each.verb} {each.name}" for each in about_pods) == ["create web-0", "create web-2"]
    case.observe("operator restarted by the kubelet", case.operator.restarts() - restarts)


def _answers(case: Case, old_pid: str) -> bool:
    try:
        pids = case.cluster.on_node("pgrep", "-x", "kube-apiserver").split()
        return bool(pids) and old_pid not in pids and case.kubectl("get", "--raw", "/readyz") == "ok"
    except CommandFailed:
        return False


@pytest.fixture
def crd_comes_back(case: Case) -> Iterator[None]:
    """The next variant needs the CRD again."""
    yield
    case.cluster.make("install")


@pytest.mark.last
def test_undeploy_and_uninstall_leave_nothing_behind(case: Case, crd_comes_back: None) -> None:
    """Without its operator a NginxPod's pods serve on; uninstall asks first, then takes NginxPods, pods and CRD away."""
    assert case.operator
    case.apply(nginxpod("web", replicas=2))
    case.settled("web")
    old = case.uids()

    case.operator.undeploy()
    ours = [
        "get",
        "deployments,serviceaccounts,clusterroles,clusterrolebindings,roles,rolebindings",
        "-A",
        "-o",
        "name",
    ]
    assert "twinloop" not in case.kubectl(*ours)
    assert OPERATOR_NAMESPACE not in case.kubectl("get", "namespaces", "-o", "name")
    assert case.uids() == old
    assert case.page("web-0").status == 200

    with pytest.raises(CommandFailed):
        case.cluster.make("uninstall")
    assert case.exists("web"), "uninstall did not ask while NginxPods exist"

    case.cluster.make("uninstall", YES="1")
    case.until("the pods to be gone", lambda: not case.pods(), NAMESPACE_SECONDS)
    assert CRD not in case.kubectl("get", "crds", "-o", "name")
