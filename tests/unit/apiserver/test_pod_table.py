"""How `kubectl get pods` shows a pod. Cells and their order are those of Kubernetes' printers.

Left out: ages (test_ages, where publish/ is tested) and how a Table is put together.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest

from support.builtin_kinds import NOW, created, kind_of, listed, pod

PODS = kind_of("Pod")


def status_of(
    name: Any = "app", *, ready: Any = False, restarts: Any = 0, started: Any = None, last: Any = None, **state: Any
) -> Any:
    found = {"name": name, "ready": ready, "restartCount": restarts, "image": "x", "imageID": "", "state": state}
    if started is not None:
        found["started"] = started
    if last:
        found["lastState"] = {"terminated": {"exitCode": 1, "finishedAt": last}}
    return found


def row(status: Any, spec: Any = None, **metadata: Any) -> Any:
    obj = created(PODS, pod(spec))
    obj["metadata"].update(metadata)
    obj["status"] = status
    return listed(PODS, obj, NOW)


def shown(status: Any, spec: Any = None, **metadata: Any) -> Any:
    cells = row(status, spec, **metadata)
    return cells["Ready"], cells["Status"], cells["Restarts"]


def test_a_new_pod() -> None:
    cells = row({"phase": "Pending"}, creationTimestamp="2023-11-14T22:13:18Z")
    assert cells == {
        "Name": "web",
        "Ready": "0/1",
        "Status": "Pending",
        "Restarts": "0",
        "Age": "2s",
        "IP": "<none>",
        "Node": "<none>",
        "Nominated Node": "<none>",
        "Readiness Gates": "<none>",
    }


RUNNING = status_of(ready=True, running={})
BACK_OFF = status_of(restarts=3, waiting={"reason": "CrashLoopBackOff"})


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"phase": "Running", "containerStatuses": [RUNNING]}, ("1/1", "Running", "0")),
        ({"phase": "Running", "containerStatuses": [BACK_OFF]}, ("0/1", "CrashLoopBackOff", "3")),
        (
            {"phase": "Pending", "containerStatuses": [status_of(waiting={"reason": "ImagePullBackOff"})]},
            ("0/1", "ImagePullBackOff", "0"),
        ),
        (
            {"phase": "Succeeded", "containerStatuses": [status_of(terminated={"exitCode": 0, "reason": "Completed"})]},
            ("0/1", "Completed", "0"),
        ),
        (
            {"phase": "Failed", "containerStatuses": [status_of(terminated={"exitCode": 1, "reason": "Error"})]},
            ("0/1", "Error", "0"),
        ),
        ({"phase": "Failed", "containerStatuses": [status_of(terminated={"exitCode": 7})]}, ("0/1", "ExitCode:7", "0")),
        (
            {"phase": "Failed", "containerStatuses": [status_of(terminated={"exitCode": 137, "signal": 9})]},
            ("0/1", "Signal:9", "0"),
        ),
        ({"phase": "Failed", "reason": "Evicted"}, ("0/1", "Evicted", "0")),
        ({"phase": "Running", "containerStatuses": [status_of(running={})]}, ("0/1", "Running", "0")),
    ],
)
def test_the_containers_say_how_a_pod_is(status: Any, expected: Any) -> None:
    assert shown(status) == expected


def test_the_first_container_with_a_reason_is_heard() -> None:
    containers = {"containers": [{"name": "a", "image": "x"}, {"name": "b", "image": "x"}]}
    statuses = [status_of("a", waiting={"reason": "First"}), status_of("b", waiting={"reason": "Second"})]
    assert shown({"phase": "Pending", "containerStatuses": statuses}, containers)[1] == "First"


@pytest.mark.parametrize(("ready", "expected"), [("True", "Running"), ("False", "NotReady")])
def test_a_pod_with_one_container_left_is_running_or_not_ready(ready: Any, expected: Any) -> None:
    containers = {"containers": [{"name": "a", "image": "x"}, {"name": "b", "image": "x"}]}
    statuses = [
        status_of("a", terminated={"exitCode": 0, "reason": "Completed"}),
        status_of("b", ready=True, running={}),
    ]
    conditions = [{"type": "Ready", "status": ready}]
    assert shown({"phase": "Running", "containerStatuses": statuses, "conditions": conditions}, containers) == (
        "1/2",
        expected,
        "0",
    )


def test_restarts_have_an_age() -> None:
    statuses = [status_of(ready=True, restarts=2, running={}, last="2023-11-14T22:08:20Z")]
    assert shown({"phase": "Running", "containerStatuses": statuses})[2] == "2 (5m ago)"


def test_the_latest_restart_counts() -> None:
    containers = {"containers": [{"name": "a", "image": "x"}, {"name": "b", "image": "x"}]}
    statuses = [
        status_of("a", restarts=1, running={}, last="2023-11-14T22:12:20Z"),
        status_of("b", restarts=2, running={}, last="2023-11-14T22:08:20Z"),
    ]
    assert shown({"phase": "Running", "containerStatuses": statuses}, containers)[2] == "3 (60s ago)"


INIT = {"initContainers": [{"name": "i", "image": "x"}, {"name": "j", "image": "x"}]}


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([status_of("i", running={}), status_of("j", waiting={"reason": "PodInitializing"})], "Init:0/2"),
        ([status_of("i", terminated={"exitCode": 0}), status_of("j", running={})], "Init:1/2"),
        ([status_of("i", terminated={"exitCode": 3})], "Init:ExitCode:3"),
        ([status_of("i", terminated={"exitCode": 3, "signal": 9})], "Init:Signal:9"),
        ([status_of("i", terminated={"exitCode": 3, "reason": "Error"})], "Init:Error"),
        ([status_of("i", waiting={"reason": "CrashLoopBackOff"})], "Init:CrashLoopBackOff"),
    ],
)
def test_a_pod_that_is_initialising_says_how_far_it_is(statuses: Any, expected: Any) -> None:
    assert shown({"phase": "Pending", "initContainerStatuses": statuses}, INIT)[1] == expected


def test_restarts_of_init_containers_count_while_they_run() -> None:
    status = {
        "phase": "Pending",
        "initContainerStatuses": [status_of("i", restarts=4, waiting={"reason": "CrashLoopBackOff"})],
    }
    assert shown(status, INIT)[2] == "4"
    done = [status_of("i", restarts=4, terminated={"exitCode": 0}), status_of("j", terminated={"exitCode": 0})]
    assert shown({"phase": "Running", "initContainerStatuses": done, "containerStatuses": [RUNNING]}, INIT) == (
        "1/1",
        "Running",
        "0",
    )


def test_a_sidecar_counts_as_a_container() -> None:
    spec = {"initContainers": [{"name": "side", "image": "x", "restartPolicy": "Always"}]}
    side = status_of("side", ready=True, restarts=2, started=True, running={})
    assert shown({"phase": "Running", "initContainerStatuses": [side], "containerStatuses": [RUNNING]}, spec) == (
        "2/2",
        "Running",
        "2",
    )


def test_a_pod_that_goes_says_so_unless_it_has_ended() -> None:
    gone = {"deletionTimestamp": "2023-11-14T22:13:20Z"}
    assert shown({"phase": "Running", "containerStatuses": [RUNNING]}, **gone)[1] == "Terminating"
    assert shown({"phase": "Pending"}, **gone)[1] == "Terminating"
    assert shown({"phase": "Succeeded"}, **gone)[1] == "Succeeded"
    assert shown({"phase": "Running", "reason": "NodeLost"}, **gone)[1] == "Unknown"


def test_a_gated_pod_says_so() -> None:
    obj = created(PODS, pod({"schedulingGates": [{"name": "g"}]}))
    assert listed(PODS, obj, NOW)["Status"] == "SchedulingGated"


def test_the_wide_columns() -> None:
    status = {
        "phase": "Running",
        "podIPs": [{"ip": "10.0.0.1"}, {"ip": "::1"}],
        "nominatedNodeName": "node-2",
        "conditions": [{"type": "example.com/a", "status": "True"}],
    }
    gates = [{"conditionType": "example.com/a"}, {"conditionType": "example.com/b"}]
    cells = row(status, {"nodeName": "node-1", "readinessGates": gates})
    assert (cells["IP"], cells["Node"], cells["Nominated Node"], cells["Readiness Gates"]) == (
        "10.0.0.1",
        "node-1",
        "node-2",
        "1/2",
    )


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_the_row_of_a_pod_that_has_ended_is_marked(phase: Any) -> None:
    (condition,) = PODS.strategy.row_conditions({"status": {"phase": phase}})
    assert (condition["type"], condition["status"], condition["reason"]) == ("Completed", "True", phase)


def test_the_row_of_another_pod_is_not() -> None:
    assert PODS.strategy.row_conditions({"status": {"phase": "Running"}}) == []


def test_cells_do_not_change_the_pod() -> None:
    obj = created(PODS, pod())
    before = copy.deepcopy(obj)
    listed(PODS, obj, NOW)
    assert obj == before
