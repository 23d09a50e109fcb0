"""ResourceQuota: what is refused with which words, and that status.used is true whatever happens.

Admission and controller together, in the whole server; numbers and messages were read off a real API server. Leaves
out: quantities themselves (their own tests), and quotas of kinds that are not served.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from support.live_server import THINGS, LiveServer, config_map, pod, thing

SPACE = "/api/v1/namespaces/here"
PODS, QUOTAS = f"{SPACE}/pods", f"{SPACE}/resourcequotas"


@pytest.fixture
def live() -> LiveServer:
    found = LiveServer("quota", "serviceaccounts")
    found.namespace("here")
    return found


def limit(live: LiveServer, name: str = "q", hard: Mapping[str, str] | None = None, **spec: Any) -> None:
    """Make a quota and let the controller take notice of it."""
    live.create(QUOTAS, {"metadata": {"name": name}, "spec": {"hard": dict(hard or {"pods": "2"}), **spec}})
    live.settle()


def hungry(name: str, requests: Mapping[str, str] | None = None, limits: Mapping[str, str] | None = None) -> Any:
    """A pod whose container asks for something."""
    resources = {"requests": dict(requests or {}), "limits": dict(limits or {})}
    return pod(name, containers=[{"name": "main", "image": "web:1", "resources": resources}])


def used(live: LiveServer, name: str = "q") -> dict[str, str]:
    found: dict[str, str] = live.get(f"{QUOTAS}/{name}")["status"]["used"]
    return found


def why(live: LiveServer, obj: Any, path: str = PODS) -> str:
    code, message = live.refused("POST", path, obj)
    assert code == 403
    return message


# ------------------------------------------------------------------ status


def test_a_new_quota_learns_what_is_there(live: LiveServer) -> None:
    live.create(PODS, pod("a"))
    limit(live, hard={"pods": "5", "count/pods": "5", "requests.cpu": "2", "configmaps": "9", "count/nopes.x.io": "1"})
    status = live.get(f"{QUOTAS}/q")["status"]
    assert status["hard"]["count/nopes.x.io"] == "1"
    assert status["used"] == {"pods": "1", "count/pods": "1", "requests.cpu": "0", "configmaps": "1"}


def test_a_create_is_counted_before_it_is_seen(live: LiveServer) -> None:
    limit(live)
    live.forget()
    live.create(PODS, pod("a"))
    assert live.seen("resourcequotas", "pods") == ["MODIFIED q", "ADDED a"]
    assert used(live) == {"pods": "1"}
    managers = [each["manager"] for each in live.get(f"{QUOTAS}/q")["metadata"]["managedFields"]]
    assert "kube-apiserver" in managers


def test_a_deletion_is_given_back(live: LiveServer) -> None:
    limit(live, hard={"pods": "2", "requests.cpu": "1"})
    live.create(PODS, hungry("a", {"cpu": "300m"}))
    live.delete(f"{PODS}/a")
    live.settle()
    assert used(live) == {"pods": "0", "requests.cpu": "0"}


def test_a_pod_that_has_ended_counts_only_as_an_object(live: LiveServer) -> None:
    limit(live, hard={"pods": "2", "count/pods": "2"})
    live.create(PODS, pod("a"))
    live.patch(f"{PODS}/a/status", {"status": {"phase": "Succeeded"}})
    live.settle()
    assert used(live) == {"pods": "0", "count/pods": "1"}


def test_a_create_that_fails_after_it_was_counted_is_taken_back(live: LiveServer) -> None:
    limit(live, hard={"pods": "5"})
    live.create(PODS, pod("a"))
    assert live.refused("POST", PODS, pod("a"))[0] == 409
    live.settle()
    assert used(live) == {"pods": "1"}


def test_a_changed_limit_is_taken_over(live: LiveServer) -> None:
    limit(live)
    live.patch(f"{QUOTAS}/q", {"spec": {"hard": {"pods": "9", "secrets": "1"}}})
    live.settle()
    assert live.get(f"{QUOTAS}/q")["status"] == {
        "hard": {"pods": "9", "secrets": "1"},
        "used": {"pods": "0", "secrets": "0"},
    }


def test_a_wrong_status_is_put_right(live: LiveServer) -> None:
    limit(live)
    live.patch(f"{QUOTAS}/q/status", {"status": {"used": {"pods": "77"}}})
    live.settle()
    assert used(live) == {"pods": "0"}


def test_at_rest_nothing_is_written(live: LiveServer) -> None:
    limit(live)
    live.create(PODS, pod("a"))
    live.settle()
    live.forget()
    live.patch(f"{PODS}/a", {"metadata": {"labels": {"x": "y"}}})
    live.settle(3600)
    assert live.seen("resourcequotas") == []


def test_another_namespace_does_not_count(live: LiveServer) -> None:
    limit(live)
    live.namespace("there")
    live.create("/api/v1/namespaces/there/pods", pod("a"))
    live.settle()
    assert used(live) == {"pods": "0"}


def test_after_a_restore_the_old_objects_count(live: LiveServer) -> None:
    limit(live)
    live.create(PODS, pod("a"))
    live.settle()
    snapshot = live.server.storage.snapshot()
    live.create(PODS, pod("b"))
    live.server.storage.restore(snapshot)
    live.settle()
    assert used(live) == {"pods": "1"}
    live.delete(f"{PODS}/a")
    live.settle()
    assert used(live) == {"pods": "0"}


# ------------------------------------------------------------------ refusals


def test_one_too_many_is_refused(live: LiveServer) -> None:
    limit(live)
    live.create(PODS, pod("a"))
    live.create(PODS, pod("b"))
    assert why(live, pod("c")) == (
        'pods "c" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2'
    )


def test_a_burst_gets_exactly_what_is_left(live: LiveServer) -> None:
    limit(live, hard={"pods": "25"})
    codes = [live.ask("POST", PODS, pod(f"p{number}")).code for number in range(60)]
    assert codes.count(201) == 25
    assert set(codes) == {201, 403}
    live.settle()
    assert used(live) == {"pods": "25"}


def test_a_refused_object_counts_nowhere(live: LiveServer) -> None:
    limit(live, "wide", {"pods": "9"})
    limit(live, "tight", {"pods": "0"})
    assert "exceeded quota: tight" in why(live, pod("a"))
    assert used(live, "wide") == {"pods": "0"}


def test_a_dry_run_counts_nowhere(live: LiveServer) -> None:
    limit(live)
    live.create(f"{PODS}?dryRun=All", pod("a"))
    assert used(live) == {"pods": "0"}


def test_all_that_is_exceeded_is_named(live: LiveServer) -> None:
    limit(live, hard={"cpu": "1", "pods": "1", "memory": "8Gi"})
    live.create(PODS, hungry("a", {"cpu": "500m", "memory": "1Gi"}))
    assert why(live, hungry("b", {"cpu": "700m", "memory": "1Gi"})) == (
        'pods "b" is forbidden: exceeded quota: q, requested: cpu=700m,pods=1, used: cpu=500m,pods=1, '
        "limited: cpu=1,pods=1"
    )


def test_who_is_counted_must_say_what_it_needs(live: LiveServer) -> None:
    limit(live, hard={"requests.cpu": "2", "limits.memory": "1Gi"})
    assert why(live, pod("a")) == (
        'pods "a" is forbidden: failed quota: q: must specify limits.memory for: main; requests.cpu for: main'
    )


def test_all_silent_containers_are_named_in_order(live: LiveServer) -> None:
    limit(live, hard={"cpu": "2"})
    containers = [{"name": name, "image": "web:1"} for name in ("b", "a")]
    assert why(live, pod("x", containers=containers)).endswith("must specify cpu for: a,b")


def test_sums_are_written_as_the_real_server_writes_them(live: LiveServer) -> None:
    limit(live, hard={"limits.memory": "1Gi", "requests.cpu": "2"})
    live.create(PODS, hungry("a", {"cpu": "500m"}, {"memory": "128Mi"}))
    assert used(live) == {"limits.memory": "128Mi", "requests.cpu": "500m"}
    live.create(PODS, hungry("b", {"cpu": "0.1"}, {"memory": "0.1Gi"}))
    assert used(live) == {"limits.memory": "241591910400m", "requests.cpu": "600m"}
    live.delete(f"{PODS}/b", {"gracePeriodSeconds": 0})
    live.settle()
    assert used(live) == {"limits.memory": "128Mi", "requests.cpu": "500m"}


def test_a_quota_that_nobody_has_counted_yet_refuses(live: LiveServer) -> None:
    live.create(QUOTAS, {"metadata": {"name": "q"}, "spec": {"hard": {"pods": "2"}}})
    assert why(live, pod("a")) == 'pods "a" is forbidden: status unknown for quota: q, resources: pods'


def test_other_objects_are_counted_too(live: LiveServer) -> None:
    limit(live, hard={"configmaps": "2", "count/configmaps": "3"})
    live.create(f"{SPACE}/configmaps", config_map("a"))
    assert why(live, config_map("b"), f"{SPACE}/configmaps") == (
        'configmaps "b" is forbidden: exceeded quota: q, requested: configmaps=1, used: configmaps=2, '
        "limited: configmaps=2"
    )


def test_custom_resources_are_counted_by_their_full_name(live: LiveServer) -> None:
    live.serve_things()
    limit(live, hard={"count/things.example.com": "1"})
    live.create(THINGS.format("here"), thing("a"))
    assert why(live, thing("b"), THINGS.format("here")) == (
        'things.example.com "b" is forbidden: exceeded quota: q, requested: count/things.example.com=1, '
        "used: count/things.example.com=1, limited: count/things.example.com=1"
    )


def test_an_update_is_not_counted(live: LiveServer) -> None:
    limit(live, hard={"pods": "1"})
    live.create(PODS, pod("a"))
    live.patch(f"{PODS}/a", {"metadata": {"labels": {"x": "y"}}})
    assert used(live) == {"pods": "1"}


# ------------------------------------------------------------------ scopes


@pytest.mark.parametrize(
    ("scope", "inside", "outside"),
    [
        ("BestEffort", pod("a"), hungry("b", {"cpu": "1m"})),
        ("NotBestEffort", hungry("a", {"cpu": "1m"}), pod("b")),
        ("Terminating", pod("a", activeDeadlineSeconds=60), pod("b")),
        ("NotTerminating", pod("a"), pod("b", activeDeadlineSeconds=60)),
    ],
)
def test_a_scope_says_which_pods_count(live: LiveServer, scope: str, inside: Any, outside: Any) -> None:
    limit(live, hard={"pods": "1"}, scopes=[scope])
    live.create(PODS, outside)
    live.settle()
    assert used(live) == {"pods": "0"}
    live.create(PODS, inside)
    live.settle()
    assert used(live) == {"pods": "1"}


@pytest.mark.parametrize(
    ("operator", "values", "plain", "critical"),
    [
        ("In", ["system-node-critical"], 0, 1),
        ("NotIn", ["system-node-critical"], 1, 0),
        ("Exists", [], 0, 1),
        ("DoesNotExist", [], 1, 0),
    ],
)
def test_a_selector_says_so_by_priority_class(
    live: LiveServer, operator: str, values: list[str], plain: int, critical: int
) -> None:
    chosen = {"scopeName": "PriorityClass", "operator": operator, **({"values": values} if values else {})}
    limit(live, hard={"pods": "9"}, scopeSelector={"matchExpressions": [chosen]})
    live.create(PODS, pod("a"))
    assert used(live) == {"pods": str(plain)}
    live.create(PODS, pod("b", priorityClassName="system-node-critical"))
    assert used(live) == {"pods": str(plain + critical)}


def test_a_scoped_quota_asks_nothing_of_pods_outside(live: LiveServer) -> None:
    limit(live, hard={"pods": "1", "cpu": "1"}, scopes=["NotBestEffort"])
    live.create(PODS, pod("a"))
    assert why(live, hungry("b", {"memory": "1Gi"})).endswith("failed quota: q: must specify cpu for: main")


# ------------------------------------------------------------------ switched off


def test_without_the_controller_an_old_status_still_counts(live: LiveServer) -> None:
    bare = LiveServer("serviceaccounts")
    bare.namespace("here")
    bare.create(QUOTAS, {"metadata": {"name": "q"}, "spec": {"hard": {"pods": "1"}}})
    bare.patch(f"{QUOTAS}/q/status", {"status": {"hard": {"pods": "1"}, "used": {"pods": "0"}}})
    bare.create(PODS, pod("a"))
    assert "exceeded quota" in why(bare, pod("b"))
