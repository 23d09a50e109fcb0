"""What objects count for, as plain data: the evaluators behind quota.

Leaves out: refusals and status (test_quota.py), and how quantities are read and written (test_builtin_quantities.py).
"""

from __future__ import annotations

from typing import Any

import pytest

from twinloop.apiserver.admission.usage import PODS, add, countable, in_scope, pod_total, usage

MAPS, DEPLOYMENTS, THINGS = ("", "configmaps"), ("apps", "deployments"), ("example.com", "things")


def container(requests: dict[str, str] | None = None, limits: dict[str, str] | None = None) -> dict[str, Any]:
    return {"name": "c", "resources": {"requests": requests or {}, "limits": limits or {}}}


def pod(*containers: dict[str, Any], phase: str = "Pending", **spec: Any) -> dict[str, Any]:
    return {"spec": {"containers": list(containers) or [{"name": "c"}], **spec}, "status": {"phase": phase}}


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (MAPS, {"count/configmaps": "1", "configmaps": "1"}),
        (DEPLOYMENTS, {"count/deployments.apps": "1"}),
        (THINGS, {"count/things.example.com": "1"}),
        (("", "events"), {"count/events": "1"}),
    ],
)
def test_objects_count_by_number(resource: tuple[str, str], expected: dict[str, str]) -> None:
    assert usage(resource, {}) == expected


def test_a_pod_counts_with_what_it_asks_for() -> None:
    obj = pod(container({"cpu": "1", "memory": "1Gi", "example.com/gpu": "2"}, {"cpu": "2"}))
    assert usage(PODS, obj) == {
        "count/pods": "1",
        "pods": "1",
        "requests.cpu": "1",
        "cpu": "1",
        "requests.memory": "1Gi",
        "memory": "1Gi",
        "requests.example.com/gpu": "2",
        "limits.cpu": "2",
    }


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
def test_a_pod_that_has_ended_counts_as_an_object_only(phase: str) -> None:
    assert usage(PODS, pod(container({"cpu": "1"}), phase=phase)) == {"count/pods": "1"}


def test_containers_add_up_and_the_largest_init_container_counts() -> None:
    obj = pod(
        container({"cpu": "300m", "memory": "1Gi"}),
        container({"cpu": "300m"}),
        initContainers=[container({"cpu": "500m", "memory": "2Gi"}), container({"cpu": "550m"})],
    )
    assert pod_total(obj["spec"], "requests") == {"cpu": "600m", "memory": "2Gi"}


def test_of_two_equal_amounts_the_containers_own_writing_stays() -> None:
    obj = pod(container({"memory": "1Gi"}), initContainers=[container({"memory": "1073741824"})])
    assert pod_total(obj["spec"], "requests") == {"memory": "1Gi"}


def test_overhead_comes_on_top_of_something() -> None:
    overhead = {"cpu": "50m"}
    assert pod_total(pod(container({"cpu": "1"}), overhead=overhead)["spec"], "requests") == {"cpu": "1050m"}
    assert pod_total(pod(overhead=overhead)["spec"], "requests") == {}


def test_a_sum_is_written_like_the_first_amount_that_is_not_zero() -> None:
    assert add({"memory": "0"}, {"memory": "1Gi"}) == {"memory": "1Gi"}
    assert add({"memory": "1Gi"}, {"memory": "1073741824"}) == {"memory": "2Gi"}
    assert add({"memory": "1073741824"}, {"memory": "1Gi"}) == {"memory": "2147483648"}
    assert add({"a": "1"}, {"b": "2"}) == {"a": "1", "b": "2"}


@pytest.mark.parametrize(
    ("resource", "name", "expected"),
    [
        (PODS, "pods", True),
        (PODS, "count/pods", True),
        (PODS, "memory", True),
        (PODS, "requests.example.com/gpu", True),
        (PODS, "configmaps", False),
        (MAPS, "configmaps", True),
        (MAPS, "count/configmaps", True),
        (MAPS, "cpu", False),
        (DEPLOYMENTS, "deployments", False),
        (DEPLOYMENTS, "count/deployments.apps", True),
        (("", "events"), "events", False),
    ],
)
def test_names_are_about_resources(resource: tuple[str, str], name: str, expected: bool) -> None:
    assert countable(resource, name) is expected


@pytest.mark.parametrize("spec", [{"scopes": ["BestEffort"]}, {"scopeSelector": {"matchExpressions": [{}]}}])
def test_a_scope_is_about_pods_only(spec: dict[str, Any]) -> None:
    assert not in_scope({"spec": spec}, MAPS, {})
    assert in_scope({"spec": {}}, MAPS, {})


def test_all_scopes_must_match() -> None:
    both = {"spec": {"scopes": ["Terminating", "BestEffort"]}}
    obj = pod(activeDeadlineSeconds=0)
    assert not in_scope(both, PODS, obj)
    obj["status"]["qosClass"] = "BestEffort"
    assert in_scope(both, PODS, obj)


def test_a_scope_that_is_not_modelled_matches_nothing() -> None:
    assert not in_scope({"spec": {"scopes": ["CrossNamespacePodAffinity"]}}, PODS, pod())


def test_priority_class_can_be_a_plain_scope() -> None:
    wanted = {"spec": {"scopes": ["PriorityClass"]}}
    assert in_scope(wanted, PODS, pod(priorityClassName="high"))
    assert not in_scope(wanted, PODS, pod())
