"""Admission: what a namespace, a service account and a priority have to say about a write.

Each answer was read off a real API server. Leaves out: quota (test_quota.py), and the rules of RBAC.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.live_server import LiveServer, config_map, pod

SPACE = "/api/v1/namespaces/here"
MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


@pytest.fixture
def live() -> LiveServer:
    found = LiveServer("serviceaccounts")
    found.namespace("here")
    return found


@pytest.fixture
def terminating(live: LiveServer) -> LiveServer:
    live.create(f"{SPACE}/configmaps", config_map("old", finalizers=["example.com/x"]))
    live.delete(SPACE)
    return live


# ------------------------------------------------------------------ namespaces


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/namespaces/nowhere/configmaps", config_map("a")),
        ("/api/v1/namespaces/nowhere/configmaps", {"metadata": {}}),
        ("/api/v1/namespaces/nowhere/pods", {"metadata": {"name": "a"}, "spec": {}}),
        ("/apis/apps/v1/namespaces/nowhere/deployments", {"metadata": {"name": "a"}}),
    ],
)
def test_a_missing_namespace_is_the_first_thing_said(live: LiveServer, path: str, body: Any) -> None:
    answer = json.loads(live.ask("POST", path, body).body)
    assert (answer["code"], answer["message"]) == (404, 'namespaces "nowhere" not found')
    assert answer["details"] == {"name": "nowhere", "kind": "namespaces"}


def test_a_put_that_may_create_needs_the_namespace_too(live: LiveServer) -> None:
    lease = "/apis/coordination.k8s.io/v1/namespaces/nowhere/leases/a"
    assert live.refused("PUT", lease, {"metadata": {"name": "a"}}) == (404, 'namespaces "nowhere" not found')


def test_reading_and_deleting_do_not_ask_for_the_namespace(live: LiveServer) -> None:
    gone = "/api/v1/namespaces/nowhere/configmaps"
    assert live.refused("DELETE", f"{gone}/a") == (404, 'configmaps "a" not found')
    assert live.get(gone)["items"] == []


def test_a_terminating_namespace_takes_nothing_new(terminating: LiveServer) -> None:
    answer = json.loads(terminating.ask("POST", f"{SPACE}/configmaps", config_map("late")).body)
    assert answer["code"] == 403
    assert answer["message"] == (
        'configmaps "late" is forbidden: unable to create new content in namespace here because it is being terminated'
    )
    cause = {
        "reason": "NamespaceTerminating",
        "message": "namespace here is being terminated",
        "field": "metadata.namespace",
    }
    assert answer["details"] == {"name": "late", "kind": "configmaps", "causes": [cause]}


def test_a_generated_name_is_not_generated_for_a_refusal(terminating: LiveServer) -> None:
    _, message = terminating.refused("POST", f"{SPACE}/configmaps", {"metadata": {"generateName": "late-"}})
    assert message.startswith('configmaps "late-" is forbidden')


def test_what_is_in_a_terminating_namespace_can_still_change(terminating: LiveServer) -> None:
    terminating.patch(f"{SPACE}/configmaps/old", {"data": {"a": "b"}})
    terminating.patch(f"{SPACE}/configmaps/old", {"metadata": {"finalizers": None}})
    terminating.delete(f"{SPACE}/configmaps/old")


@pytest.mark.parametrize(
    ("subresource", "body"),
    [
        ("binding", {"metadata": {"name": "old"}, "target": {"kind": "Node", "name": "n"}}),
        ("eviction", {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "old"}}),
    ],
)
def test_bindings_and_evictions_are_new_content_too(live: LiveServer, subresource: str, body: Any) -> None:
    live.create(f"{SPACE}/pods", pod("old"))
    assert live.refused("POST", f"/api/v1/namespaces/nowhere/pods/old/{subresource}", body)[1].startswith("namespaces")
    live.delete(SPACE)
    code, message = live.refused("POST", f"{SPACE}/pods/old/{subresource}", body)
    assert code == 403
    assert message.startswith('pods "old" is forbidden: unable to create new content in namespace here')


@pytest.mark.parametrize("name", ["default", "kube-system", "kube-public"])
def test_the_system_namespaces_may_not_be_deleted(live: LiveServer, name: str) -> None:
    for query in ("", "?dryRun=All"):
        code, message = live.refused("DELETE", f"/api/v1/namespaces/{name}{query}")
        assert (code, message) == (403, f'namespaces "{name}" is forbidden: this namespace may not be deleted')


def test_the_namespace_of_node_leases_may(live: LiveServer) -> None:
    live.delete("/api/v1/namespaces/kube-node-lease?dryRun=All")
    assert live.get("/api/v1/namespaces/kube-node-lease")["status"]["phase"] == "Active"


# ------------------------------------------------------------------ service accounts


def test_a_pod_runs_as_the_default_account_and_mounts_its_token(live: LiveServer) -> None:
    spec = live.create(f"{SPACE}/pods", pod("a"))["spec"]
    assert spec["serviceAccountName"] == spec["serviceAccount"] == "default"
    (volume,) = spec["volumes"]
    assert volume["name"].startswith("kube-api-access-")
    assert volume["projected"]["defaultMode"] == 420
    assert [next(iter(each)) for each in volume["projected"]["sources"]] == [
        "serviceAccountToken",
        "configMap",
        "downwardAPI",
    ]
    mount = {"name": volume["name"], "readOnly": True, "mountPath": MOUNT}
    assert spec["containers"][0]["volumeMounts"] == [mount]


@pytest.mark.parametrize("field", ["serviceAccountName", "serviceAccount"])
def test_an_account_that_is_not_there_is_refused(live: LiveServer, field: str) -> None:
    code, message = live.refused("POST", f"{SPACE}/pods", pod("a") | {"spec": pod("a")["spec"] | {field: "nope"}})
    assert code == 403
    assert message == (
        'pods "a" is forbidden: error looking up service account here/nope: serviceaccount "nope" not found'
    )


def test_a_pod_may_do_without_the_token(live: LiveServer) -> None:
    spec = live.create(f"{SPACE}/pods", pod("a", automountServiceAccountToken=False))["spec"]
    assert "volumes" not in spec
    assert "volumeMounts" not in spec["containers"][0]


def test_an_account_may_do_without_the_token_for_its_pods(live: LiveServer) -> None:
    live.create(f"{SPACE}/serviceaccounts", {"metadata": {"name": "quiet"}, "automountServiceAccountToken": False})
    assert "volumes" not in live.create(f"{SPACE}/pods", pod("a", serviceAccountName="quiet"))["spec"]
    loud = pod("b", serviceAccountName="quiet", automountServiceAccountToken=True)
    assert "volumes" in live.create(f"{SPACE}/pods", loud)["spec"]


def test_a_mount_of_the_pods_own_in_the_same_place_is_kept(live: LiveServer) -> None:
    mounts = [{"name": "own", "mountPath": MOUNT}]
    containers = [{"name": "main", "image": "web:1", "volumeMounts": mounts}]
    spec = live.create(f"{SPACE}/pods", pod("a", containers=containers, volumes=[{"name": "own", "emptyDir": {}}]))[
        "spec"
    ]
    assert [each["name"] for each in spec["volumes"]] == ["own"]


def test_an_accounts_pull_secrets_are_used(live: LiveServer) -> None:
    secrets = [{"name": "registry"}]
    live.create(f"{SPACE}/serviceaccounts", {"metadata": {"name": "puller"}, "imagePullSecrets": secrets})
    assert live.create(f"{SPACE}/pods", pod("a", serviceAccountName="puller"))["spec"]["imagePullSecrets"] == secrets


def test_a_pod_may_come_before_the_default_account(live: LiveServer) -> None:
    live.create("/api/v1/namespaces", {"metadata": {"name": "new"}})
    live.create("/api/v1/namespaces/new/pods", pod("a"))


def test_the_default_account_is_asked_for_where_nobody_makes_it() -> None:
    live = LiveServer()
    live.namespace("here")
    code, message = live.refused("POST", f"{SPACE}/pods", pod("a"))
    assert code == 403
    assert 'serviceaccount "default" not found' in message


# ------------------------------------------------------------------ tolerations and priority


def test_pods_stay_five_minutes_on_a_failing_node(live: LiveServer) -> None:
    found = live.create(f"{SPACE}/pods", pod("a"))["spec"]["tolerations"]
    assert found == [
        {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
        for key in ("not-ready", "unreachable")
    ]


def test_tolerations_of_the_pods_own_are_enough(live: LiveServer) -> None:
    own = [{"operator": "Exists", "effect": "NoExecute"}]
    assert live.create(f"{SPACE}/pods", pod("a", tolerations=own))["spec"]["tolerations"] == own


def test_priority_comes_from_the_class(live: LiveServer) -> None:
    plain = live.create(f"{SPACE}/pods", pod("a"))["spec"]
    assert (plain["priority"], plain["preemptionPolicy"]) == (0, "PreemptLowerPriority")
    critical = live.create(f"{SPACE}/pods", pod("b", priorityClassName="system-node-critical"))["spec"]
    assert critical["priority"] == 2_000_001_000


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"priorityClassName": "nope"}, "no PriorityClass with name nope was found"),
        (
            {"priority": 5},
            (
                "the integer value of priority (5) must not be provided in pod spec; "
                "priority admission controller computed 0 from the given PriorityClass name"
            ),
        ),
        (
            {"preemptionPolicy": "Never"},
            (
                "the string value of PreemptionPolicy (Never) must not be provided in pod spec; "
                "priority admission controller computed PreemptLowerPriority from the given PriorityClass name"
            ),
        ),
    ],
)
def test_priority_is_not_for_the_pod_to_choose(live: LiveServer, spec: dict[str, Any], why: str) -> None:
    assert live.refused("POST", f"{SPACE}/pods", pod("a", **spec)) == (403, f'pods "a" is forbidden: {why}')
