"""The pretend kubelet: the life of a pod as a watcher sees it, step by step, on a clock that the test moves.

Runs the whole server with scheduler, kubelet and service accounts. The wording of the status is compared field by field
with what a real node wrote in test_pod_status.py. Leaves out: probes, volumes and networks, which do not exist here.
"""

from __future__ import annotations

from typing import Any

import pytest

from support.live_server import LiveServer, pod
from twinloop.apiserver.controllers.pod_life import Delays

PODS = "/api/v1/namespaces/here/pods"
PROBED: dict[str, Any] = {
    "containers": [{"name": "main", "image": "web:1", "readinessProbe": {"tcpSocket": {"port": 80}}}]
}
AN = "kubelet.twinloop.dev/"
EARLY = 0.01  # just before something is due


@pytest.fixture
def live() -> LiveServer:
    found = LiveServer("scheduler", "kubelet", "serviceaccounts")
    found.server.controllers.kubelet.delays = Delays(start_after=1.0, ready_after=2.0, stop_after=3.0)
    found.namespace("here")
    return found


def conditions(obj: dict[str, Any]) -> dict[str, str]:
    return {each["type"]: each["status"] for each in obj["status"]["conditions"]}


def condition(obj: dict[str, Any], kind: str) -> dict[str, Any]:
    return next(each for each in obj["status"]["conditions"] if each["type"] == kind)


def state(obj: dict[str, Any]) -> str:
    """What the first container is doing: running, terminated, or why it waits."""
    found = obj["status"]["containerStatuses"][0]["state"]
    return str(found.get("waiting", {}).get("reason") or next(iter(found)))


def steps(live: LiveServer, name: str) -> list[tuple[str, str, str, str]]:
    """Each event of a pod as (event, phase, container, Ready)."""
    found = []
    for kind, obj in live.states(name):
        if obj["kind"] == "Pod":
            containers = obj["status"].get("containerStatuses")
            ready = {each["type"]: each["status"] for each in obj["status"].get("conditions", ())}.get("Ready", "")
            found.append((kind, obj["status"]["phase"], state(obj) if containers else "", ready))
    return found


def ready(live: LiveServer, name: str) -> bool:
    return conditions(live.get(f"{PODS}/{name}")).get("Ready") == "True"


def restarts(live: LiveServer, name: str) -> int:
    return int(live.get(f"{PODS}/{name}")["status"]["containerStatuses"][0]["restartCount"])


# ------------------------------------------------------------------ coming up


def test_a_pod_with_a_probe_comes_up_in_the_steps_of_a_real_one(live: LiveServer) -> None:
    live.create(PODS, pod("a", **PROBED))
    live.settle(10)
    assert steps(live, "a") == [
        ("ADDED", "Pending", "", ""),
        ("MODIFIED", "Pending", "", ""),  # bound
        ("MODIFIED", "Pending", "ContainerCreating", "False"),
        ("MODIFIED", "Running", "running", "False"),
        ("MODIFIED", "Running", "running", "True"),
    ]


def test_a_pod_without_a_probe_is_ready_as_soon_as_it_runs(live: LiveServer) -> None:
    live.create(PODS, pod("a"))
    live.settle(10)
    assert steps(live, "a")[-2:] == [
        ("MODIFIED", "Pending", "ContainerCreating", "False"),
        ("MODIFIED", "Running", "running", "True"),
    ]


def test_each_step_comes_after_its_delay(live: LiveServer) -> None:
    live.create(PODS, pod("a", **PROBED))
    live.settle(1 - EARLY)
    assert state(live.get(f"{PODS}/a")) == "ContainerCreating"
    live.settle(2)
    assert state(live.get(f"{PODS}/a")) == "running"
    assert not ready(live, "a")
    live.settle(2 * EARLY)
    assert ready(live, "a")


def test_a_pod_at_rest_costs_no_write(live: LiveServer) -> None:
    live.create(PODS, pod("a"))
    live.settle(10)
    live.forget()
    live.settle(86_400)
    assert {(each.type, each.resource[1]) for each in live.events} <= {("DELETED", "events")}, "Events expire"
    live.server.tick()
    assert all(each.due() is None for each in live.server.controllers)


def test_a_change_of_labels_writes_nothing_more(live: LiveServer) -> None:
    live.create(PODS, pod("a"))
    live.settle(10)
    live.forget()
    live.patch(f"{PODS}/a", {"metadata": {"labels": {"x": "y"}}})
    live.settle(10)
    assert live.seen("pods") == ["MODIFIED a"]


def test_a_pod_of_another_node_is_left_alone(live: LiveServer) -> None:
    live.create(PODS, pod("a", nodeName="elsewhere"))
    live.settle(10)
    assert live.seen("pods") == ["ADDED a"]


def test_a_pod_that_names_the_node_needs_no_scheduler(live: LiveServer) -> None:
    live.create(PODS, pod("a", nodeName="node-0"))
    live.settle(10)
    assert ready(live, "a")


def test_pods_get_addresses_of_their_own(live: LiveServer) -> None:
    for name in ("a", "b"):
        live.create(PODS, pod(name))
    live.create(PODS, pod("h", hostNetwork=True))
    live.settle(10)
    statuses = {name: live.get(f"{PODS}/{name}")["status"] for name in "abh"}
    assert len({each["podIP"] for each in statuses.values()}) == 3
    assert statuses["h"]["podIP"] == statuses["h"]["hostIP"] == statuses["a"]["hostIP"]


def test_init_containers_are_done_before_the_others_run(live: LiveServer) -> None:
    live.create(PODS, pod("a", initContainers=[{"name": "first", "image": "web:1"}]))
    live.settle(EARLY)
    found = live.get(f"{PODS}/a")
    assert state(found) == "PodInitializing"
    assert condition(found, "Initialized")["message"] == "containers with incomplete status: [first]"
    assert found["status"]["initContainerStatuses"][0]["state"] == {"waiting": {"reason": "PodInitializing"}}
    live.settle(10)
    found = live.get(f"{PODS}/a")
    assert found["status"]["initContainerStatuses"][0]["state"]["terminated"]["reason"] == "Completed"
    assert conditions(found)["Initialized"] == "True"


def test_delays_can_be_changed_while_pods_are_on_their_way(live: LiveServer) -> None:
    live.create(PODS, pod("a", **PROBED))
    live.settle(0.5)
    live.server.controllers.kubelet.configure(start_after=100.0)
    live.settle(50)
    assert state(live.get(f"{PODS}/a")) == "ContainerCreating"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"nonsense": 1.0}, TypeError),
        ({"start_after": "1"}, TypeError),
        ({"start_after": True}, TypeError),
        ({"stop_after": -1.0}, ValueError),
        ({"stop_after": float("nan")}, ValueError),
        ({"missing_images": "web:*"}, TypeError),
        ({"missing_images": ["web:*", 7]}, TypeError),
    ],
)
def test_a_delay_that_is_none_is_refused_at_once(live: LiveServer, change: Any, error: type[Exception]) -> None:
    before = live.server.controllers.kubelet.delays
    with pytest.raises(error):
        live.server.controllers.kubelet.configure(**change)
    assert live.server.controllers.kubelet.delays == before


# ------------------------------------------------------------------ readiness


def test_readiness_is_held_back_until_the_annotation_changes(live: LiveServer) -> None:
    live.create(PODS, pod("a", annotations={AN + "ready": "false"}))
    live.settle(600)
    assert condition(live.get(f"{PODS}/a"), "Ready")["message"] == "containers with unready status: [main]"
    live.patch(f"{PODS}/a", {"metadata": {"annotations": {AN + "ready": "true"}}})
    live.settle()
    assert ready(live, "a")


def test_readiness_can_be_taken_back(live: LiveServer) -> None:
    live.create(PODS, pod("a"))
    live.settle(10)
    live.patch(f"{PODS}/a", {"metadata": {"annotations": {AN + "ready": "false"}}})
    live.settle()
    assert not ready(live, "a")
    assert state(live.get(f"{PODS}/a")) == "running"


def test_a_pods_own_delay_wins(live: LiveServer) -> None:
    live.create(PODS, pod("a", annotations={AN + "ready-after": "7"}))
    live.settle(8 - EARLY)
    assert not ready(live, "a")
    live.settle(2 * EARLY)
    assert ready(live, "a")


def test_a_readiness_gate_waits_for_its_condition(live: LiveServer) -> None:
    live.create(PODS, pod("a", readinessGates=[{"conditionType": "example.com/gate"}]))
    live.settle(10)
    found = live.get(f"{PODS}/a")
    assert conditions(found)["ContainersReady"] == "True"
    assert condition(found, "Ready")["reason"] == "ReadinessGatesNotReady"
    assert condition(found, "Ready")["message"] == (
        'corresponding condition of pod readiness gate "example.com/gate" does not exist.'
    )
    gate = {"type": "example.com/gate", "status": "True"}
    live.patch(f"{PODS}/a/status", {"status": {"conditions": [*found["status"]["conditions"], gate]}})
    live.settle()
    assert ready(live, "a")
    assert conditions(live.get(f"{PODS}/a"))["example.com/gate"] == "True"


def test_the_time_of_transition_changes_with_the_status_only(live: LiveServer) -> None:
    live.create(PODS, pod("a", **PROBED))
    live.settle(10)
    found = live.get(f"{PODS}/a")
    assert condition(found, "Initialized")["lastTransitionTime"] < condition(found, "Ready")["lastTransitionTime"]


# ------------------------------------------------------------------ going down


def test_a_deleted_pod_goes_in_the_steps_of_a_real_one(live: LiveServer) -> None:
    live.create(PODS, pod("a"))
    live.settle(10)
    live.forget()
    live.delete(f"{PODS}/a")
    live.settle(10)
    assert steps(live, "a") == [
        ("MODIFIED", "Running", "running", "True"),  # marked
        ("MODIFIED", "Running", "running", "False"),
        ("MODIFIED", "Succeeded", "terminated", "False"),
        ("MODIFIED", "Succeeded", "terminated", "False"),  # no grace left
        ("DELETED", "Succeeded", "terminated", "False"),
    ]
    graces = [obj["metadata"]["deletionGracePeriodSeconds"] for _, obj in live.states("a")]
    assert graces == [30, 30, 30, 0, 0]


def test_a_pod_stops_after_its_delay(live: LiveServer) -> None:
    live.create(PODS, pod("a"))
    live.settle(10)
    live.delete(f"{PODS}/a")
    live.settle(3 - EARLY)
    assert live.exists(f"{PODS}/a")
    live.settle(2 * EARLY)
    assert not live.exists(f"{PODS}/a")


def test_a_pod_never_takes_longer_to_stop_than_its_grace_period(live: LiveServer) -> None:
    live.create(PODS, pod("a", annotations={AN + "stop-after": "3600"}, terminationGracePeriodSeconds=5))
    live.settle(10)
    live.delete(f"{PODS}/a")
    live.settle(4 - EARLY)
    assert live.exists(f"{PODS}/a")
    live.settle(1 + 2 * EARLY)
    assert not live.exists(f"{PODS}/a")


def test_a_second_delete_with_less_grace_hurries_the_pod(live: LiveServer) -> None:
    live.create(PODS, pod("a", annotations={AN + "stop-after": "3600"}))
    live.settle(10)
    live.delete(f"{PODS}/a")
    live.settle(1)
    live.delete(f"{PODS}/a", {"gracePeriodSeconds": 2})
    live.settle(2)
    assert not live.exists(f"{PODS}/a")


def test_a_pod_that_never_ran_goes_at_once(live: LiveServer) -> None:
    live.create(PODS, pod("a"))
    live.settle(0.5)
    live.delete(f"{PODS}/a")
    live.settle()
    assert not live.exists(f"{PODS}/a")


def test_a_finalizer_outlives_the_containers(live: LiveServer) -> None:
    held = pod("a")
    held["metadata"]["finalizers"] = ["example.com/hold"]
    live.create(PODS, held)
    live.settle(10)
    live.delete(f"{PODS}/a")
    live.settle(600)
    assert live.get(f"{PODS}/a")["status"]["phase"] == "Succeeded"
    live.patch(f"{PODS}/a", {"metadata": {"finalizers": None}})
    assert not live.exists(f"{PODS}/a")
    live.server.tick()
    assert all(each.due() is None for each in live.server.controllers)


# ------------------------------------------------------------------ misbehaviour


@pytest.mark.parametrize(("phase", "code", "reason"), [("Failed", 1, "PodFailed"), ("Succeeded", 0, "PodCompleted")])
def test_a_pod_can_be_ordered_to_its_end(live: LiveServer, phase: str, code: int, reason: str) -> None:
    live.create(PODS, pod("a"))
    live.settle(10)
    live.patch(f"{PODS}/a", {"metadata": {"annotations": {AN + "phase": phase}}})
    live.settle()
    found = live.get(f"{PODS}/a")
    assert found["status"]["phase"] == phase
    assert found["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == code
    assert condition(found, "Ready")["reason"] == reason
    live.patch(f"{PODS}/a", {"metadata": {"annotations": {AN + "phase": None}}})
    live.settle(60)
    assert live.get(f"{PODS}/a")["status"]["phase"] == phase  # there is no way back


def test_a_pod_that_is_to_fail_comes_up_first(live: LiveServer) -> None:
    live.create(PODS, pod("a", annotations={AN + "phase": "Failed"}))
    live.settle(EARLY)
    assert state(live.get(f"{PODS}/a")) == "ContainerCreating"


def test_an_ended_container_remembers_when_it_was_started(live: LiveServer) -> None:
    live.create(PODS, pod("a"))
    live.settle(10)
    started = live.get(f"{PODS}/a")["status"]["containerStatuses"][0]["state"]["running"]["startedAt"]
    live.patch(f"{PODS}/a", {"metadata": {"annotations": {AN + "phase": "Failed"}}})
    live.settle()
    ended = live.get(f"{PODS}/a")["status"]["containerStatuses"][0]["state"]["terminated"]
    assert (ended["startedAt"], ended["startedAt"] < ended["finishedAt"]) == (started, True)


def test_an_ended_pod_that_is_deleted_goes_at_once_and_keeps_its_phase(live: LiveServer) -> None:
    live.create(PODS, pod("a", annotations={AN + "phase": "Failed"}))
    live.settle(10)
    live.delete(f"{PODS}/a")
    live.settle()
    assert not live.exists(f"{PODS}/a")
    assert steps(live, "a")[-1] == ("DELETED", "Failed", "terminated", "False")


def test_a_command_does_what_the_annotation_does(live: LiveServer) -> None:
    live.create(PODS, pod("a"))
    live.settle(10)
    kubelet = live.server.controllers.kubelet
    kubelet.order("here", "a", ready="false")
    live.settle()
    assert not ready(live, "a")
    kubelet.order("here", "a", ready="")
    live.settle()
    assert ready(live, "a")
    with pytest.raises(KeyError):
        kubelet.order("here", "a", nonsense="x")


def test_a_command_ends_with_the_pod_it_was_for(live: LiveServer) -> None:
    live.create(PODS, pod("a"))
    live.server.controllers.kubelet.order("here", "a", phase="Failed")
    live.settle(10)
    live.delete(f"{PODS}/a")
    live.settle(10)
    live.create(PODS, pod("a"))
    live.settle(10)
    assert ready(live, "a")


def test_containers_crash_as_often_as_they_were_told(live: LiveServer) -> None:
    live.create(PODS, pod("a"))
    live.settle(10)
    live.forget()
    live.patch(f"{PODS}/a", {"metadata": {"annotations": {AN + "crashes": "2"}}})
    live.settle(60)
    assert [(step[1], step[2], step[3]) for step in steps(live, "a")[1:]] == [
        ("Running", "terminated", "False"),
        ("Running", "running", "True"),
        ("Running", "CrashLoopBackOff", "False"),
        ("Running", "running", "True"),
    ]
    found = live.get(f"{PODS}/a")["status"]["containerStatuses"][0]
    assert found["restartCount"] == 2
    assert found["lastState"]["terminated"]["exitCode"] == 1


def test_how_a_container_ended_does_not_change_when_it_is_started_again(live: LiveServer) -> None:
    live.server.controllers.kubelet.configure(crash_after=10.0, restart_after=30.0)
    live.create(PODS, pod("a", annotations={AN + "crashes": "1"}))
    live.settle(60)
    live.settle(60)
    seen = [
        obj["status"]["containerStatuses"]
        for _, obj in live.states("a")
        if "containerStatuses" in obj.get("status", {})
    ]
    (ended,) = [each[0]["state"] for each in seen if "terminated" in each[0]["state"]]
    assert seen[-1][0]["lastState"] == ended


def test_a_crash_loop_goes_on_and_backs_off(live: LiveServer) -> None:
    live.create(PODS, pod("a", annotations={AN + "crashes": "loop"}))
    live.settle(30)
    few = restarts(live, "a")
    assert few >= 4
    live.settle(30)
    assert restarts(live, "a") - few <= 1


def test_a_crash_is_the_end_where_nothing_is_restarted(live: LiveServer) -> None:
    live.create(PODS, pod("a", annotations={AN + "crashes": "1"}, restartPolicy="Never"))
    live.settle(60)
    assert live.get(f"{PODS}/a")["status"]["phase"] == "Failed"
    assert restarts(live, "a") == 0


def test_an_image_that_nobody_has_is_backed_off_from(live: LiveServer) -> None:
    live.create(PODS, pod("a", containers=[{"name": "main", "image": "does-not-exist:1"}]))
    live.settle(60)
    assert [step[2] for step in steps(live, "a")][2:] == ["ContainerCreating", "ErrImagePull", "ImagePullBackOff"]
    found = live.get(f"{PODS}/a")["status"]
    assert found["phase"] == "Pending"
    assert found["containerStatuses"][0]["state"]["waiting"]["message"].startswith(
        'Back-off pulling image "does-not-exist:1": ErrImagePull: rpc error: code = NotFound'
    )


def test_a_pod_recovers_when_its_image_is_corrected(live: LiveServer) -> None:
    live.create(PODS, pod("a", containers=[{"name": "main", "image": "does-not-exist:1"}]))
    live.settle(60)
    live.patch(f"{PODS}/a", {"spec": {"containers": [{"name": "main", "image": "web:2"}]}}, "strategic-merge")
    live.settle(10)
    assert ready(live, "a")


def test_an_image_can_be_made_missing_by_annotation(live: LiveServer) -> None:
    live.create(PODS, pod("a", annotations={AN + "image": "missing"}))
    live.settle(60)
    assert state(live.get(f"{PODS}/a")) == "ImagePullBackOff"


def test_one_missing_image_keeps_the_pod_pending_and_the_other_container_running(live: LiveServer) -> None:
    containers = [{"name": "bad", "image": "does-not-exist:1"}, {"name": "good", "image": "web:1"}]
    live.create(PODS, pod("a", containers=containers))
    live.settle(60)
    found = live.get(f"{PODS}/a")
    assert found["status"]["phase"] == "Pending"
    assert "running" in found["status"]["containerStatuses"][1]["state"]
    assert condition(found, "Ready")["message"] == "containers with unready status: [bad]"


def events(live: LiveServer) -> list[tuple[str, str, str]]:
    found = live.get("/api/v1/namespaces/here/events")["items"]
    return [(each["type"], each["reason"], each["message"]) for each in found if each["source"].get("component")]


def test_what_keeps_a_container_from_starting_is_told_in_events(live: LiveServer) -> None:
    live.create(PODS, pod("a", containers=[{"name": "main", "image": "does-not-exist:1"}]))
    live.settle(60)
    failed, backed_off = events(live)
    assert failed[:2] == ("Warning", "Failed")
    assert failed[2].startswith('Failed to pull image "does-not-exist:1": rpc error: code = NotFound')
    assert backed_off == ("Normal", "BackOff", 'Back-off pulling image "does-not-exist:1"')
    event = live.get("/api/v1/namespaces/here/events")["items"][-1]
    assert event["involvedObject"]["fieldPath"] == "spec.containers{main}"
    assert event["source"] == {"component": "kubelet", "host": "node-0"}


def test_each_crash_after_the_first_is_told(live: LiveServer) -> None:
    uid = live.create(PODS, pod("a", annotations={AN + "crashes": "3"}))["metadata"]["uid"]
    live.settle(60)
    told = ("Warning", "BackOff", f"Back-off restarting failed container main in pod a_here({uid})")
    assert events(live) == [told, told]


def test_of_a_pod_that_comes_up_and_goes_the_kubelet_tells_nothing(live: LiveServer) -> None:
    live.create(PODS, pod("a", **PROBED))
    live.settle(10)
    live.delete(f"{PODS}/a")
    live.settle(10)
    assert events(live) == []


# ------------------------------------------------------------------ frozen, and gone back


def test_a_frozen_kubelet_does_nothing_and_catches_up(live: LiveServer) -> None:
    live.create(PODS, pod("old"))
    live.settle(10)
    kubelet = live.server.controllers.kubelet
    kubelet.freeze()
    live.delete(f"{PODS}/old")
    live.create(PODS, pod("new"))
    live.settle(600)
    live.server.tick()
    assert all(each.due() is None for each in live.server.controllers)
    assert live.exists(f"{PODS}/old")
    assert "containerStatuses" not in live.get(f"{PODS}/new")["status"]
    kubelet.thaw()
    live.settle(10)
    assert not live.exists(f"{PODS}/old")
    assert ready(live, "new")


def test_a_restored_pod_goes_on_where_its_status_says(live: LiveServer) -> None:
    live.create(PODS, pod("a", annotations={AN + "crashes": "1"}))
    live.settle(60)
    snapshot = live.server.storage.snapshot()
    before = live.get(f"{PODS}/a")
    live.delete(f"{PODS}/a")
    live.settle(60)
    live.server.storage.restore(snapshot)
    live.forget()
    live.settle(60)
    assert live.get(f"{PODS}/a") == before
    assert live.events == []


def test_the_node_is_registered_ready_and_never_written_again() -> None:
    live = LiveServer()
    assert live.get("/api/v1/nodes")["items"] == []
    live = LiveServer("kubelet")
    found = live.get("/api/v1/nodes/node-0")
    assert conditions(found)["Ready"] == "True"
    live.settle(86_400)
    assert live.get("/api/v1/nodes/node-0") == found
