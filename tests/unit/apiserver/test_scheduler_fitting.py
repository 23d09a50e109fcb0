"""The scheduler's filters, one by one: taints, labels, room.

Plain data in, plain data out. Leaves out what is not modelled: scores, pod affinity, spreading, ports and volumes.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from twinloop.apiserver.controllers.fitting import UNTOLERATED, Room, is_ready, refusals, requests

MISMATCH = ["node(s) didn't match Pod's node affinity/selector"]
TAINT = {"key": "k", "value": "v", "effect": "NoSchedule"}


def node(labels: Any = None, room: Any = None, **spec: Any) -> dict[str, Any]:
    allocatable = room or {"pods": "10", "cpu": "4"}
    return {"metadata": {"name": "n1", "labels": labels or {}}, "spec": spec, "status": {"allocatable": allocatable}}


def pod(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "main"}], **spec}}


def refused(obj: dict[str, Any], by: dict[str, Any], room: Room | None = None) -> list[str]:
    return refusals(obj, requests(obj), by, room or Room())


def asking(**amounts: str) -> dict[str, Any]:
    return {"name": "main", "resources": {"requests": amounts}}


@pytest.mark.parametrize(
    ("toleration", "suits"),
    [
        ({"key": "k", "operator": "Exists"}, True),
        ({"operator": "Exists"}, True),
        ({"key": "k", "value": "v"}, True),
        ({"key": "k", "operator": "Equal", "value": "v", "effect": "NoSchedule"}, True),
        ({"key": "k", "value": "other"}, False),
        ({"key": "other", "operator": "Exists"}, False),
        ({"key": "k", "operator": "Exists", "effect": "NoExecute"}, False),
    ],
)
def test_tolerations(toleration: dict[str, str], suits: bool) -> None:
    assert refused(pod(tolerations=[toleration]), node(taints=[TAINT])) == ([] if suits else [UNTOLERATED])


def test_a_soft_taint_keeps_nobody_out() -> None:
    assert refused(pod(), node(taints=[{"key": "k", "effect": "PreferNoSchedule"}])) == []


def test_a_cordoned_node_takes_who_tolerates_that() -> None:
    assert refused(pod(), node(unschedulable=True)) == ["node(s) were unschedulable"]
    everywhere = pod(tolerations=[{"operator": "Exists"}])
    assert refused(everywhere, node(unschedulable=True)) == []


def test_every_label_of_the_node_selector_counts() -> None:
    wanted = pod(nodeSelector={"a": "1", "b": "2"})
    assert refused(wanted, node({"a": "1"})) == MISMATCH
    assert refused(wanted, node({"a": "1", "b": "2", "c": "3"})) == []


@pytest.mark.parametrize(
    ("operator", "values", "suits"),
    [
        ("In", ["a", "b"], True),
        ("In", ["b"], False),
        ("NotIn", ["b"], True),
        ("NotIn", ["a"], False),
        ("Exists", [], True),
        ("DoesNotExist", [], False),
        ("Gt", ["1"], False),  # "a" is no number
    ],
)
def test_affinity_operators(operator: str, values: list[str], suits: bool) -> None:
    expression = {"key": "zone", "operator": operator, "values": values}
    assert refused(_affine([{"matchExpressions": [expression]}]), node({"zone": "a"})) == ([] if suits else MISMATCH)


@pytest.mark.parametrize(
    ("operator", "than", "suits"),
    [("Gt", "3", True), ("Gt", "4", False), ("Lt", "5", True), ("Lt", "4", False)],
)
def test_affinity_compares_numbers(operator: str, than: str, suits: bool) -> None:
    expression = {"key": "size", "operator": operator, "values": [than]}
    assert refused(_affine([{"matchExpressions": [expression]}]), node({"size": "4"})) == ([] if suits else MISMATCH)


def test_one_term_of_an_affinity_is_enough_and_an_empty_one_matches_nothing() -> None:
    never = {"matchExpressions": [{"key": "x", "operator": "Exists"}]}
    by_name = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n1"]}]}
    assert refused(_affine([never, by_name]), node()) == []
    assert refused(_affine([never, {}]), node()) == MISMATCH


def _affine(terms: list[dict[str, Any]]) -> dict[str, Any]:
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    return pod(affinity={"nodeAffinity": required})


def test_requests_are_the_containers_sum_or_the_largest_init_container() -> None:
    obj = pod(containers=[asking(cpu="1"), asking(cpu="500m")], initContainers=[asking(cpu="1", memory="1Gi")])
    assert requests(obj) == {"cpu": Decimal("1.5"), "memory": Decimal(2**30), "pods": Decimal(1)}


def test_room_is_given_back_as_it_was_taken() -> None:
    room, obj = Room(), pod(containers=[asking(cpu="3")])
    room.put("uid-1", requests(obj))
    room.put("uid-1", requests(obj))  # seen twice, there once
    assert refused(obj, node(), room) == ["Insufficient cpu"]
    room.take("uid-1")
    room.take("uid-1")
    assert refused(obj, node(), room) == []


def test_a_resource_that_the_node_does_not_have_is_insufficient() -> None:
    obj = pod(containers=[{"name": "main", "resources": {"requests": {"example.com/gpu": "1"}}}])
    assert refused(obj, node()) == ["Insufficient example.com/gpu"]


def test_readiness_of_a_node() -> None:
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    assert is_ready({"metadata": {}, "status": ready})
    assert not is_ready({"metadata": {"deletionTimestamp": "x"}, "status": ready})
    assert not is_ready({"metadata": {}, "status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}})
    assert not is_ready({"metadata": {}})
