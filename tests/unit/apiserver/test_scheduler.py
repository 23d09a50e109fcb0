"""The pretend scheduler: where pods go, why some cannot, and that they are tried again when something changes.

Runs the whole server with the scheduler and nodes that the test makes. The filters by themselves are in
test_scheduler_fitting.py. Leaves out: scores beyond the number of pods, preemption, and other schedulers.
"""

from __future__ import annotations

from typing import Any

import pytest

from support.live_server import LiveServer, pod

PODS, NODES = "/api/v1/namespaces/here/pods", "/api/v1/nodes"
ROOM = {"cpu": "2", "memory": "1Gi", "pods": "3"}


@pytest.fixture
def live() -> LiveServer:
    found = LiveServer("scheduler", "serviceaccounts")
    found.namespace("here")
    return found


def node(live: LiveServer, name: str, *, labels: Any = None, ready: bool = True, room: Any = None, **spec: Any) -> None:
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    status = {"allocatable": dict(room or ROOM), "conditions": conditions}
    live.create(NODES, {"metadata": {"name": name, "labels": dict(labels or {})}, "spec": spec})
    live.patch(f"{NODES}/{name}/status", {"status": status})
    live.settle(1)


def where(live: LiveServer, name: str) -> str | None:
    found: str | None = live.get(f"{PODS}/{name}")["spec"].get("nodeName")
    return found


def scheduled(live: LiveServer, name: str) -> dict[str, Any]:
    conditions = live.get(f"{PODS}/{name}")["status"].get("conditions", ())
    return next((each for each in conditions if each["type"] == "PodScheduled"), {})


def place(live: LiveServer, obj: Any) -> str | None:
    live.create(PODS, obj)
    live.settle(1)
    return where(live, obj["metadata"]["name"])


# ------------------------------------------------------------------ binding


def test_a_pod_is_bound_in_one_write(live: LiveServer) -> None:
    node(live, "n1")
    live.forget()
    live.create(PODS, pod("a"))
    live.settle()
    assert live.seen("pods", "events") == ["ADDED a", "MODIFIED a", live.seen("events")[0]]
    found = live.get(f"{PODS}/a")
    assert found["spec"]["nodeName"] == "n1"
    condition = dict(scheduled(live, "a"))
    assert condition.pop("lastTransitionTime")
    assert condition == {"type": "PodScheduled", "status": "True", "lastProbeTime": None}
    assert [each["manager"] for each in found["metadata"]["managedFields"]] == ["test"]


def test_an_event_says_where_the_pod_went(live: LiveServer) -> None:
    node(live, "n1")
    place(live, pod("a"))
    (event,) = live.get("/api/v1/namespaces/here/events")["items"]
    assert (event["type"], event["reason"], event["action"]) == ("Normal", "Scheduled", "Binding")
    assert event["message"] == "Successfully assigned here/a to n1"
    assert event["reportingComponent"] == "default-scheduler"
    assert event["involvedObject"]["uid"] == live.get(f"{PODS}/a")["metadata"]["uid"]
    assert event["metadata"]["name"].startswith("a.")


def test_pods_spread_over_the_nodes(live: LiveServer) -> None:
    for name in ("n1", "n2", "n3"):
        node(live, name)
    assert {place(live, pod(name)) for name in "abc"} == {"n1", "n2", "n3"}


def test_a_pod_of_another_scheduler_is_left_alone(live: LiveServer) -> None:
    node(live, "n1")
    assert place(live, pod("a", schedulerName="mine")) is None
    assert scheduled(live, "a") == {}


def test_a_gated_pod_waits_for_its_gate(live: LiveServer) -> None:
    node(live, "n1")
    assert place(live, pod("a", schedulingGates=[{"name": "example.com/gate"}])) is None
    live.patch(f"{PODS}/a", {"spec": {"schedulingGates": None}})
    live.settle(1)
    assert where(live, "a") == "n1"


def test_nothing_is_bound_in_a_namespace_that_is_going(live: LiveServer) -> None:
    live.create(PODS, pod("a"))
    live.settle(1)
    live.delete("/api/v1/namespaces/here")
    node(live, "n1")
    assert where(live, "a") is None
    live.settle(60)
    live.server.tick()
    assert all(each.due() is None for each in live.server.controllers)


# ------------------------------------------------------------------ refusals


def test_without_nodes_a_pod_is_unschedulable(live: LiveServer) -> None:
    place(live, pod("a"))
    condition = scheduled(live, "a")
    assert (condition["status"], condition["reason"]) == ("False", "Unschedulable")
    assert condition["message"] == "no nodes available to schedule pods"
    (event,) = live.get("/api/v1/namespaces/here/events")["items"]
    assert (event["type"], event["reason"]) == ("Warning", "FailedScheduling")


def test_the_message_adds_up_the_reasons(live: LiveServer) -> None:
    node(live, "n1", taints=[{"key": "only", "effect": "NoSchedule"}])
    node(live, "n2", labels={"zone": "a"})
    node(live, "n3", labels={"zone": "b"})
    assert place(live, pod("a", nodeSelector={"zone": "c"})) is None
    assert scheduled(live, "a")["message"] == (
        "0/3 nodes are available: 1 node(s) had untolerated taint(s), "
        "2 node(s) didn't match Pod's node affinity/selector. no new claims to deallocate, "
        "preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
    )


def test_a_node_without_room_is_named_as_such(live: LiveServer) -> None:
    node(live, "n1")
    resources = {"requests": {"cpu": "3", "memory": "2Gi"}}
    place(live, pod("a", containers=[{"name": "main", "image": "web:1", "resources": resources}]))
    assert scheduled(live, "a")["message"] == (
        "0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory. no new claims to deallocate, "
        "preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."
    )


def test_a_node_that_is_not_ready_takes_nothing(live: LiveServer) -> None:
    node(live, "n1", ready=False)
    assert place(live, pod("a")) is None


def test_a_waiting_pod_is_told_only_once(live: LiveServer) -> None:
    place(live, pod("a"))
    live.forget()
    live.settle(3500)
    assert live.events == []


# ------------------------------------------------------------------ second looks


def test_a_node_that_comes_later_is_taken(live: LiveServer) -> None:
    place(live, pod("a"))
    node(live, "n1")
    assert where(live, "a") == "n1"
    assert scheduled(live, "a")["status"] == "True"
    assert "message" not in scheduled(live, "a")


def test_room_that_becomes_free_is_taken(live: LiveServer) -> None:
    node(live, "n1", room={"pods": "1"})
    assert place(live, pod("a")) == "n1"
    assert place(live, pod("b")) is None
    assert "Too many pods" in scheduled(live, "b")["message"]
    live.delete(f"{PODS}/a", {"gracePeriodSeconds": 0})
    live.settle(1)
    assert where(live, "b") == "n1"


def test_a_pod_that_has_ended_leaves_room(live: LiveServer) -> None:
    node(live, "n1", room={"pods": "1"})
    place(live, pod("a"))
    live.patch(f"{PODS}/a/status", {"status": {"phase": "Succeeded"}})
    live.settle(1)
    assert place(live, pod("b")) == "n1"


def test_what_pods_ask_for_adds_up(live: LiveServer) -> None:
    node(live, "n1")
    half = [{"name": "main", "image": "web:1", "resources": {"requests": {"cpu": "1"}}}]
    assert [place(live, pod(name, containers=half)) for name in "abc"] == ["n1", "n1", None]


def test_pods_bound_by_others_take_room_too(live: LiveServer) -> None:
    node(live, "n1", room={"pods": "1"})
    live.create(PODS, pod("mine", nodeName="n1"))
    assert place(live, pod("a")) is None


def test_after_a_restore_the_rooms_are_counted_anew(live: LiveServer) -> None:
    node(live, "n1", room={"pods": "1"})
    snapshot = live.server.storage.snapshot()
    place(live, pod("a"))
    live.server.storage.restore(snapshot)
    assert place(live, pod("b")) == "n1"


def test_a_node_that_is_gone_takes_nothing(live: LiveServer) -> None:
    node(live, "n1")
    live.delete(f"{NODES}/n1")
    assert place(live, pod("a")) is None
