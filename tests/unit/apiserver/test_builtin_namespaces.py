"""Namespaces and nodes: defaults, finalizers, rules, selectable fields, their rows in a Table.

Messages are those of kube-apiserver v1.34.4. Left out: what a deletion does (test_namespace_controller), and the taint
that the real server's admission gives to a new node.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest

from support.builtin_kinds import NOW, create_errors, created, decoded, kind_of, listed, update_errors, updated

NAMESPACES, NODES = kind_of("Namespace"), kind_of("Node")
SECOND_AGO = {"creationTimestamp": "2023-11-14T22:13:19Z"}


def namespace(**fields: Any) -> Any:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team", **SECOND_AGO}, **fields}


def node(**fields: Any) -> Any:
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1", **SECOND_AGO}, **fields}


def test_a_new_namespace_is_active_labelled_and_held() -> None:
    obj = created(NAMESPACES, namespace(status={"phase": "Terminating"}))
    assert obj["status"] == {"phase": "Active"}
    assert obj["spec"] == {"finalizers": ["kubernetes"]}
    assert obj["metadata"]["labels"] == {"kubernetes.io/metadata.name": "team"}
    assert "generation" not in obj["metadata"]


def test_the_label_follows_the_name_whatever_a_client_says() -> None:
    body = namespace()
    body["metadata"]["labels"] = {"kubernetes.io/metadata.name": "other", "a": "b"}
    assert created(NAMESPACES, body)["metadata"]["labels"] == {"kubernetes.io/metadata.name": "team", "a": "b"}
    old = created(NAMESPACES, namespace())
    body["metadata"]["labels"] = {}
    assert updated(NAMESPACES, old, body)["metadata"]["labels"] == {"kubernetes.io/metadata.name": "team"}


def test_a_name_that_is_generated_gets_its_label_when_it_is_known() -> None:
    body = namespace()
    del body["metadata"]["name"]
    obj, _ = decoded(NAMESPACES, body)
    assert "labels" not in obj["metadata"]
    obj["metadata"]["name"] = "team-x"
    NAMESPACES.strategy.prepare_create(obj, NOW)
    assert obj["metadata"]["labels"] == {"kubernetes.io/metadata.name": "team-x"}


def test_other_finalizers_stand_before_the_one_of_kubernetes() -> None:
    obj = created(NAMESPACES, namespace(spec={"finalizers": ["example.com/mine"]}))
    assert obj["spec"]["finalizers"] == ["example.com/mine", "kubernetes"]


@pytest.mark.parametrize(("name", "right"), [("example.com/mine", True), ("orphan", True), ("mine", False)])
def test_a_finalizer_without_a_domain_is_one_of_kubernetes(name: Any, right: Any) -> None:
    words = "name is neither a standard finalizer name nor is it fully qualified"
    expected = [] if right else [f'spec.finalizers: Invalid value: "{name}": {words}']
    assert create_errors(NAMESPACES, namespace(spec={"finalizers": [name]})) == expected


def test_finalizers_change_through_their_subresource_alone() -> None:
    old = created(NAMESPACES, namespace())
    body = namespace(spec={"finalizers": []}, status={"phase": "Terminating"})
    assert updated(NAMESPACES, old, body)["spec"]["finalizers"] == ["kubernetes"]
    finalized = updated(NAMESPACES, old, body, "finalize")
    assert not finalized["spec"].get("finalizers")
    assert finalized["status"] == {"phase": "Active"}


def test_finalizers_are_checked_where_they_change() -> None:
    old = created(NAMESPACES, namespace())
    (found,) = update_errors(NAMESPACES, old, namespace(spec={"finalizers": ["kubernetes", "mine"]}), "finalize")
    assert found.startswith('spec.finalizers[1]: Invalid value: "mine": name is neither')


@pytest.mark.parametrize(
    ("deleted", "phase", "expected"),
    [
        (False, "Active", None),
        (True, "Terminating", None),
        (False, "Terminating", "\"Terminating\": may only be 'Active' if `deletionTimestamp` is empty"),
        (True, "Active", "\"Active\": may only be 'Terminating' if `deletionTimestamp` is not empty"),
    ],
)
def test_the_phase_follows_from_the_deletion(deleted: Any, phase: Any, expected: Any) -> None:
    old = created(NAMESPACES, namespace())
    if deleted:
        old["metadata"]["deletionTimestamp"] = "2023-11-14T22:13:20Z"
    body = {**copy.deepcopy(old), "status": {"phase": phase}}
    assert update_errors(NAMESPACES, old, body, "status") == (
        [f"status.Phase: Invalid value: {expected}"] if expected else []
    )


def test_a_namespace_is_named_by_a_dns_label() -> None:
    assert NAMESPACES.strategy.validate_name("a.b", prefix=False)
    assert not NAMESPACES.strategy.validate_name("a-", prefix=True)


def test_selectors_and_rows_of_namespaces() -> None:
    obj = created(NAMESPACES, namespace())
    assert NAMESPACES.strategy.selectable(obj) == {"status.phase": "Active"}
    assert NAMESPACES.strategy.selectable_names() == {"status.phase"}
    assert NAMESPACES.strategy.unknown_field("x") == "field label not supported: x"
    assert listed(NAMESPACES, obj) == {"Name": "team", "Status": "Active", "Age": "1s"}


# ------------------------------------------------------------------ nodes


def test_what_a_node_has_is_what_it_offers() -> None:
    obj = created(NODES, node(status={"capacity": {"cpu": "4", "memory": "1024Mi"}}))
    assert obj["status"]["allocatable"] == {"cpu": "4", "memory": "1Gi"}
    kept = created(NODES, node(status={"capacity": {"cpu": "4"}, "allocatable": {"cpu": "3"}}))
    assert kept["status"]["allocatable"] == {"cpu": "3"}


def test_a_kubelet_creates_its_node_with_a_status() -> None:
    assert created(NODES, node(status={"phase": "Running"}))["status"]["phase"] == "Running"
    assert "generation" not in created(NODES, node())["metadata"]


def test_the_old_name_of_the_address_range_fills_the_new_one() -> None:
    assert created(NODES, node(spec={"podCIDR": "10.0.0.0/24"}))["spec"]["podCIDRs"] == ["10.0.0.0/24"]


TAINT = {"key": "a", "effect": "NoSchedule"}


@pytest.mark.parametrize(
    ("taints", "expected"),
    [
        ([TAINT, {**TAINT, "effect": "NoExecute"}], []),
        ([{"key": "a", "effect": ""}], ["metadata.taints[0].effect: Required value"]),
        (
            [{"key": "a", "effect": "Stop"}],
            [
                (
                    'metadata.taints[0].effect: Unsupported value: "Stop": supported values: '
                    '"NoSchedule", "PreferNoSchedule", "NoExecute"'
                )
            ],
        ),
        (
            [TAINT, TAINT],
            [
                (
                    'metadata.taints[1]: Duplicate value: {"Key":"a","Value":"","Effect":"NoSchedule","TimeAdded":null}: '
                    "taints must be unique by key and effect pair"
                )
            ],
        ),
    ],
)
def test_taints_are_checked(taints: Any, expected: Any) -> None:
    assert create_errors(NODES, node(spec={"taints": taints})) == expected


def test_names_in_taints_are_names() -> None:
    found = create_errors(NODES, node(spec={"taints": [{"key": "a b", "value": "c d", "effect": "NoSchedule"}]}))
    assert [each.partition(":")[0] for each in found] == ["metadata.taints[0].key", "metadata.taints[0].value"]


def test_amounts_of_a_node_are_checked() -> None:
    found = create_errors(NODES, node(status={"capacity": {"cpu": "-1", "pods": "1.5"}, "allocatable": {"cpu": "1"}}))
    assert found == [
        'status.capacity.cpu: Invalid value: "-1": must be greater than or equal to 0',
        'status.capacity.pods: Invalid value: "1500m": must be an integer',
    ]


@pytest.mark.parametrize(
    ("name", "before", "after", "expected"),
    [
        ("podCIDRs", ["10.0.0.0/24"], ["10.0.1.0/24"], 'node updates may not change podCIDR except from "" to valid'),
        ("providerID", "a", "b", 'node updates may not change providerID except from "" to valid'),
        ("externalID", "a", "b", "may not be updated"),
        ("unschedulable", False, True, None),
        ("providerID", "", "b", None),
    ],
)
def test_what_a_node_keeps(name: Any, before: Any, after: Any, expected: Any) -> None:
    old = created(NODES, node(spec={name: before}))
    found = update_errors(NODES, old, node(spec={name: after}))
    assert found == ([f"spec.{name}: Forbidden: {expected}"] if expected else [])


def test_an_address_stands_there_once() -> None:
    old = created(NODES, node())
    address = {"type": "InternalIP", "address": "1.1.1.1"}
    assert update_errors(NODES, old, node(status={"addresses": [address, address]}), "status") == [
        'status.addresses[1]: Duplicate value: {"Type":"InternalIP","Address":"1.1.1.1"}'
    ]


def test_spec_and_status_of_a_node_are_written_apart() -> None:
    old = created(NODES, node(spec={"unschedulable": True}, status={"phase": "Running"}))
    body = node(spec={}, status={"phase": "Pending"})
    assert updated(NODES, old, body)["status"]["phase"] == "Running"
    assert updated(NODES, old, body, "status")["spec"] == {"unschedulable": True}


@pytest.mark.parametrize(
    ("conditions", "cordoned", "shown"),
    [
        ([], False, "Unknown"),
        ([{"type": "Ready", "status": "True"}], False, "Ready"),
        ([{"type": "Ready", "status": "False"}], False, "NotReady"),
        ([{"type": "Ready", "status": "Unknown"}], True, "NotReady,SchedulingDisabled"),
        ([{"type": "DiskPressure", "status": "True"}], False, "Unknown"),
    ],
)
def test_a_row_says_whether_a_node_is_ready(conditions: Any, cordoned: Any, shown: Any) -> None:
    obj = created(NODES, node(spec={"unschedulable": cordoned}, status={"conditions": conditions}))
    assert listed(NODES, obj)["Status"] == shown


def test_a_row_shows_roles_version_and_more() -> None:
    info = {"kubeletVersion": "v1.34.4", "osImage": "Linux", "kernelVersion": "6.1"}
    addresses = [{"type": "Hostname", "address": "h"}, {"type": "InternalIP", "address": "1.1.1.1"}]
    obj = created(NODES, node(status={"nodeInfo": info, "addresses": addresses}))
    obj["metadata"]["labels"] = {
        "node-role.kubernetes.io/worker": "",
        "node-role.kubernetes.io/control-plane": "",
        "kubernetes.io/role": "x",
    }
    assert listed(NODES, obj) == {
        "Name": "node-1",
        "Status": "Unknown",
        "Roles": "control-plane,worker,x",
        "Age": "1s",
        "Version": "v1.34.4",
        "Internal-IP": "1.1.1.1",
        "External-IP": "<none>",
        "OS-Image": "Linux",
        "Kernel-Version": "6.1",
        "Container-Runtime": "<unknown>",
    }


def test_a_selector_may_ask_whether_a_node_takes_pods() -> None:
    assert NODES.strategy.selectable(created(NODES, node())) == {"spec.unschedulable": "false"}
    assert NODES.strategy.selectable_names() == {"spec.unschedulable"}
    assert NODES.strategy.unknown_field("x") == "field label not supported: x"
