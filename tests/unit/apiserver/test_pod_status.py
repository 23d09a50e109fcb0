"""The status of a pod: what an update of it keeps, what it may not say; grace periods and selectable fields.

Messages are those of kube-apiserver v1.34.4. Left out: how a status comes about (test_kubelet, test_kubelet_status).
"""

from __future__ import annotations

import copy
from typing import Any

import pytest

from support.builtin_kinds import created, kind_of, pod, update_errors, updated

PODS = kind_of("Pod")


@pytest.fixture
def old() -> Any:
    return created(PODS, pod({"nodeName": "node-1"}))


def with_status(old: Any, **status: Any) -> Any:
    return {**copy.deepcopy(old), "status": {**old["status"], **status}}


def errors(old: Any, **status: Any) -> Any:
    return update_errors(PODS, old, with_status(old, **status), "status")


def test_a_status_update_changes_neither_spec_nor_owners(old: Any) -> None:
    old["metadata"]["ownerReferences"] = [{"apiVersion": "v1", "kind": "X", "name": "x", "uid": "u"}]
    body = with_status(old, phase="Running")
    body["spec"]["nodeName"], body["metadata"]["ownerReferences"] = "node-2", []
    new = updated(PODS, old, body, "status")
    assert (new["spec"], new["metadata"]["ownerReferences"]) == (old["spec"], old["metadata"]["ownerReferences"])
    assert new["status"]["phase"] == "Running"
    assert new["metadata"]["generation"] == 1


def test_a_status_update_does_not_delete(old: Any) -> None:
    body = with_status(old)
    body["metadata"]["deletionTimestamp"] = "2024-01-01T00:00:00Z"
    assert "deletionTimestamp" not in updated(PODS, old, body, "status")["metadata"]


def test_a_kubelet_that_does_not_know_a_field_does_not_wipe_it(old: Any) -> None:
    old["status"]["observedGeneration"] = 3
    old["status"]["conditions"] = [{"type": "Ready", "status": "False", "observedGeneration": 3}]
    body = {**copy.deepcopy(old), "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}
    status = updated(PODS, old, body, "status")["status"]
    assert (status["qosClass"], status["observedGeneration"]) == ("BestEffort", 3)
    assert status["conditions"][0]["observedGeneration"] == 3


@pytest.mark.parametrize(
    ("given", "address", "listed"),
    [
        ({"podIP": "1.1.1.1"}, "1.1.1.1", ["1.1.1.1"]),
        ({"podIPs": [{"ip": "1.1.1.1"}]}, "1.1.1.1", ["1.1.1.1"]),
        ({"podIP": "1.1.1.1", "podIPs": [{"ip": "1.1.1.1"}, {"ip": "::1"}]}, "1.1.1.1", ["1.1.1.1", "::1"]),
        ({"podIP": "2.2.2.2", "podIPs": [{"ip": "1.1.1.1"}]}, "2.2.2.2", ["2.2.2.2"]),
    ],
)
def test_the_address_stands_in_two_fields(old: Any, given: Any, address: Any, listed: Any) -> None:
    status = updated(PODS, old, with_status(old, **given), "status")["status"]
    assert (status["podIP"], [each["ip"] for each in status["podIPs"]]) == (address, listed)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"qosClass": "Guaranteed"}, ['status.qosClass: Invalid value: "Guaranteed": field is immutable']),
        ({"observedGeneration": -1}, ["status.observedGeneration: Invalid value: -1: must be a non-negative integer"]),
        (
            {"conditions": [{"type": "Ready", "status": "True", "observedGeneration": -1}]},
            ["status.conditions[0].observedGeneration: Invalid value: -1: must be a non-negative integer"],
        ),
        ({"conditions": [{"type": "example.com/gate", "status": "True"}]}, []),
        (
            {"hostIPs": [{"ip": "1.1.1.1"}]},
            ['status.hostIPs[0].ip: Invalid value: "1.1.1.1": must be equal to `hostIP`'],
        ),
        ({"hostIP": "1.1.1.1", "hostIPs": [{"ip": "1.1.1.1"}]}, []),
        (
            {"podIPs": [{"ip": "here"}]},
            ['status.podIPs[0]: Invalid value: "here": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
        ),
        ({"podIPs": [{"ip": "1.1.1.1"}, {"ip": "::1"}]}, []),
        (
            {"podIPs": [{"ip": "1.1.1.1"}, {"ip": "1.1.1.2"}]},
            [
                (
                    'status.podIPs: Invalid value: [{"IP":"1.1.1.1"},{"IP":"1.1.1.2"}]: '
                    "may specify no more than one IP for each IP family"
                )
            ],
        ),
    ],
)
def test_a_status_is_checked(old: Any, status: Any, expected: Any) -> None:
    assert errors(old, **status) == expected


def test_names_in_a_status_are_names(old: Any) -> None:
    found = errors(old, nominatedNodeName="A_b", conditions=[{"type": "a b", "status": "True"}])
    assert [each.partition(":")[0] for each in found] == ["status.conditions[0].Type", "status.nominatedNodeName"]


def ended(code: Any) -> Any:
    return [{"name": "app", "ready": False, "restartCount": 0, "state": {"terminated": {"exitCode": code}}}]


RUNNING = [{"name": "app", "ready": True, "restartCount": 1, "state": {"running": {}}}]


@pytest.mark.parametrize(
    ("policy", "code", "refused"),
    [("Always", 0, False), ("OnFailure", 1, False), ("OnFailure", 0, True), ("Never", 1, True)],
)
def test_a_container_that_ended_for_good_does_not_come_back(policy: Any, code: Any, refused: Any) -> None:
    old = created(PODS, pod({"restartPolicy": policy}))
    old["status"]["containerStatuses"] = ended(code)
    expected = "status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state"
    assert errors(old, containerStatuses=RUNNING) == ([expected] if refused else [])


@pytest.mark.parametrize(
    ("node", "phase", "own", "asked", "grace"),
    [
        ("node-1", "Running", 30, None, 30),
        ("node-1", "Running", 30, 5, 5),
        ("node-1", "Running", 30, 0, 0),
        ("node-1", "Running", 30, -1, 1),
        ("node-1", "Running", 0, None, 0),
        ("node-1", "Pending", 30, None, 30),
        ("node-1", "Succeeded", 30, None, 0),
        ("node-1", "Failed", 30, 5, 0),
        ("", "Pending", 30, None, 0),
        ("", "Pending", 30, 5, 0),
    ],
)
def test_the_grace_period_is_what_a_kubelet_needs(node: Any, phase: Any, own: Any, asked: Any, grace: Any) -> None:
    obj = created(PODS, pod({"nodeName": node, "terminationGracePeriodSeconds": own}))
    obj["status"]["phase"] = phase
    assert PODS.strategy.grace_period(obj, asked) == grace


def test_a_selector_may_ask_for_node_phase_and_more(old: Any) -> None:
    old["status"].update(phase="Running", podIPs=[{"ip": "1.1.1.1"}])
    assert PODS.strategy.selectable(old) == {
        "spec.nodeName": "node-1",
        "spec.restartPolicy": "Always",
        "spec.schedulerName": "default-scheduler",
        "spec.serviceAccountName": "",
        "spec.hostNetwork": "false",
        "status.phase": "Running",
        "status.podIP": "1.1.1.1",
        "status.podIPs": "",
        "status.nominatedNodeName": "",
    }
    assert PODS.strategy.selectable(old).keys() == PODS.strategy.selectable_names()
    assert PODS.strategy.unknown_field("spec.colour") == "field label not supported: spec.colour"


def test_nobody_owns_what_a_status_update_cannot_set() -> None:
    assert PODS.strategy.reset_fields("status") == {
        "f:spec": {},
        "f:metadata": {"f:deletionTimestamp": {}, "f:ownerReferences": {}},
    }
    assert PODS.strategy.reset_fields("") is None
