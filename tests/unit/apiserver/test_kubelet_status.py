"""A pod's status word by word: what a kubelet of Kubernetes 1.34 writes for a pod at rest, and who owns it.

The expected status is a real node's, with times, addresses and digests replaced. Leaves out: the order of fields, and
what the pretend kubelet leaves out itself (users of containers, devices). When things happen is in test_kubelet.py.
"""

from __future__ import annotations

from typing import Any

import pytest

from support.live_server import LiveServer, pod
from twinloop.apiserver.controllers import pod_fields
from twinloop.apiserver.controllers.pod_orders import PREFIX, Orders, orders

PODS = "/api/v1/namespaces/here/pods"
BORN = "2023-11-14T22:13:20Z"


@pytest.fixture
def live() -> LiveServer:
    found = LiveServer("scheduler", "kubelet", "serviceaccounts")
    found.namespace("here")
    return found


def condition(kind: str, status: str = "True", **more: str) -> dict[str, Any]:
    times = {"lastProbeTime": None, "lastTransitionTime": BORN, "observedGeneration": 1}
    return {"type": kind, "status": status, **times, **more}


def test_the_status_of_a_pod_at_rest(live: LiveServer) -> None:
    live.create(PODS, pod("a", automountServiceAccountToken=False))
    live.settle(0.9)
    found = live.get(f"{PODS}/a")["status"]
    container = found["containerStatuses"][0]
    assert container.pop("containerID").startswith("containerd://")
    assert container.pop("imageID").startswith("sha256:")
    address = found["podIP"]
    assert found == {
        "conditions": [
            condition("PodReadyToStartContainers"),
            condition("Initialized"),
            condition("Ready"),
            condition("ContainersReady"),
            condition("PodScheduled"),
        ],
        "containerStatuses": [
            {
                "image": "web:1",
                "lastState": {},
                "name": "main",
                "ready": True,
                "restartCount": 0,
                "started": True,
                "state": {"running": {"startedAt": BORN}},
            }
        ],
        "hostIP": "192.0.2.10",
        "hostIPs": [{"ip": "192.0.2.10"}],
        "observedGeneration": 1,
        "phase": "Running",
        "podIP": address,
        "podIPs": [{"ip": address}],
        "qosClass": "BestEffort",
        "startTime": BORN,
    }


def test_the_status_before_anything_runs(live: LiveServer) -> None:
    live.create(PODS, pod("a", automountServiceAccountToken=False))
    live.settle()
    found = live.get(f"{PODS}/a")["status"]
    assert "podIP" not in found
    unready = {"reason": "ContainersNotReady", "message": "containers with unready status: [main]"}
    assert found["conditions"] == [
        condition("PodReadyToStartContainers", "False"),
        condition("Initialized"),
        condition("Ready", "False", **unready),
        condition("ContainersReady", "False", **unready),
        condition("PodScheduled"),
    ]
    assert found["containerStatuses"] == [
        {
            "image": "web:1",
            "imageID": "",
            "lastState": {},
            "name": "main",
            "ready": False,
            "restartCount": 0,
            "started": False,
            "state": {"waiting": {"reason": "ContainerCreating"}},
        }
    ]


def test_resources_and_mounts_are_repeated(live: LiveServer) -> None:
    resources = {"requests": {"cpu": "100m"}, "limits": {"memory": "1Gi"}}
    live.create(PODS, pod("a", containers=[{"name": "main", "image": "web:1", "resources": resources}]))
    live.settle(5)
    found = live.get(f"{PODS}/a")
    container = found["status"]["containerStatuses"][0]
    asked = found["spec"]["containers"][0]["resources"]
    assert (container["resources"], container["allocatedResources"]) == (asked, asked["requests"])
    (mount,) = container["volumeMounts"]
    assert (mount["readOnly"], mount["recursiveReadOnly"]) == (True, "Disabled")


def test_a_deletion_is_a_new_generation_that_is_observed(live: LiveServer) -> None:
    live.create(PODS, pod("a"))
    live.settle(5)
    live.delete(f"{PODS}/a")
    live.settle()
    found = live.get(f"{PODS}/a")
    assert found["metadata"]["generation"] == found["status"]["observedGeneration"] == 2


# ------------------------------------------------------------------ who owns it


def managed(live: LiveServer, name: str) -> list[Any]:
    found: list[Any] = live.get(f"{PODS}/{name}")["metadata"]["managedFields"]
    return found


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"readinessGates": [{"conditionType": "example.com/gate"}]},
        {"initContainers": [{"name": "first", "image": "web:1"}]},
        {"containers": [{"name": "main", "image": "does-not-exist:1"}]},
    ],
)
def test_the_short_way_says_the_same_as_the_long_one(monkeypatch: pytest.MonkeyPatch, spec: dict[str, Any]) -> None:
    """The kubelet writes managedFields itself where it can; the general machinery must come to the same."""
    seen = []
    for short in (True, False):
        if not short:
            monkeypatch.setattr(pod_fields, "only_ours", lambda _: False)
        live = LiveServer("scheduler", "kubelet", "serviceaccounts")
        live.namespace("here")
        live.create(PODS, pod("a", **spec))
        live.settle(5)
        live.delete(f"{PODS}/a")
        live.settle(5)
        seen.append([obj for _, obj in live.states("a") if obj["kind"] == "Pod"])
    assert seen[0] == seen[1]


def test_fields_that_somebody_else_wrote_change_hands(live: LiveServer) -> None:
    live.create(PODS, pod("a"))
    live.settle(5)
    live.patch(f"{PODS}/a/status", {"status": {"phase": "Unknown", "message": "by hand"}})
    assert {each["manager"] for each in managed(live, "a")} == {"test", "kubelet"}
    live.settle(5)
    assert live.get(f"{PODS}/a")["status"]["phase"] == "Running"
    statuses = {each["manager"]: each["fieldsV1"] for each in managed(live, "a") if each.get("subresource")}
    assert list(statuses) == ["kubelet"]  # the message that the other one set is gone, and with it the last it owned
    assert "f:phase" in statuses["kubelet"]["f:status"]


def test_an_unschedulable_pods_condition_changes_hands_too(live: LiveServer) -> None:
    live.patch("/api/v1/nodes/node-0", {"spec": {"unschedulable": True}})
    live.create(PODS, pod("a"))
    live.settle(5)
    assert "kube-scheduler" in {each["manager"] for each in managed(live, "a")}
    live.patch("/api/v1/nodes/node-0", {"spec": {"unschedulable": None}})
    live.settle(5)
    assert live.get(f"{PODS}/a")["status"]["phase"] == "Running"


# ------------------------------------------------------------------ orders


def said(**annotations: str) -> Orders:
    named = {PREFIX + name.replace("_", "-"): value for name, value in annotations.items()}
    return orders({"metadata": {"annotations": named}}, {})


def test_orders_are_read_from_annotations() -> None:
    assert orders({"metadata": {}}, {}) == Orders()
    assert said(ready="False", ready_after="2.5") == Orders(held=True, ready_after=2.5)
    assert said(phase="Failed", crashes="3", image="missing") == Orders(phase="Failed", crashes=3, image_missing=True)
    assert said(crashes="loop").crashes == float("inf")


def test_nonsense_is_no_order() -> None:
    assert said(ready="perhaps", ready_after="-1", stop_after="nan", phase="Fine", crashes="x", image="y") == Orders()
