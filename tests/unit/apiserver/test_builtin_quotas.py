"""ResourceQuotas and LimitRanges: rules, defaults, and their rows in a Table.

The faults and the words are those that kube-apiserver v1.34.4 answered with.
Left out: what a quota refuses (test_quota).
"""

from __future__ import annotations

from typing import Any

import pytest

from support.builtin_kinds import create_errors, created, kind_of, listed, update_errors

QUOTAS, RANGES = kind_of("ResourceQuota"), kind_of("LimitRange")


def quota(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "x"}, "spec": spec}


def limits(items: list[Any]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "x"}, "spec": {"limits": items}}


QUOTA_SPECS: dict[str, tuple[Any, list[str]]] = {
    "right": (
        {
            "hard": {
                "pods": "5",
                "requests.cpu": "1500m",
                "count/deployments.apps": "2",
                "requests.example.com/gpu": "1",
            }
        },
        [],
    ),
    "not_whole": ({"hard": {"pods": "1.5"}}, ['spec.hard[pods]: Invalid value: "1500m": must be an integer']),
    "negative": (
        {"hard": {"pods": "-1"}},
        ['spec.hard[pods]: Invalid value: "-1": must be greater than or equal to 0'],
    ),
    "unknown": (
        {"hard": {"speed": "1"}},
        [
            'spec.hard[speed]: Invalid value: "speed": must be a standard resource type or fully qualified',
            'spec.hard[speed]: Invalid value: "speed": must be a standard resource for quota',
        ],
    ),
    "storage": (
        {"hard": {"storage": "1Gi"}},
        ['spec.hard[storage]: Invalid value: "storage": must be a standard resource for quota'],
    ),
    "bad_name": (
        {"hard": {"a b": "1"}},
        [
            "spec.hard[a b]: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
            'spec.hard[a b]: Invalid value: "a b": must be a standard resource for quota',
        ],
    ),
    "unknown_scope": (
        {"hard": {"pods": "1"}, "scopes": ["Some"]},
        ['spec.scopes: Invalid value: ["Some"]: unsupported scope'],
    ),
    "scope_does_not_fit": (
        {"hard": {"services": "1"}, "scopes": ["BestEffort"]},
        ['spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource'],
    ),
    "conflicting": (
        {"hard": {"pods": "1"}, "scopes": ["BestEffort", "NotBestEffort"]},
        ['spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: conflicting scopes'],
    ),
    "conflicting_times": (
        {"hard": {"pods": "1"}, "scopes": ["Terminating", "NotTerminating"]},
        ['spec.scopes: Invalid value: ["Terminating","NotTerminating"]: conflicting scopes'],
    ),
    "selector_in_without_values": (
        {
            "hard": {"pods": "1"},
            "scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "In"}]},
        },
        [
            "spec.scopeSelector.matchExpressions.values: Required value: must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
        ],
    ),
    "selector_exists_with_values": (
        {
            "hard": {"pods": "1"},
            "scopeSelector": {
                "matchExpressions": [{"scopeName": "PriorityClass", "operator": "Exists", "values": ["a"]}]
            },
        },
        [
            "spec.scopeSelector.matchExpressions.values: Invalid value: [\"a\"]: must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
        ],
    ),
    "selector_only_exists": (
        {
            "hard": {"pods": "1"},
            "scopeSelector": {"matchExpressions": [{"scopeName": "BestEffort", "operator": "In", "values": ["a"]}]},
        },
        [
            "spec.scopeSelector.matchExpressions.operator: Invalid value: \"In\": must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"
        ],
    ),
    "selector_operator": (
        {
            "hard": {"pods": "1"},
            "scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "Like"}]},
        },
        ['spec.scopeSelector.matchExpressions.operator: Invalid value: "Like": not a valid selector operator'],
    ),
    "selector_scope": (
        {"hard": {"pods": "1"}, "scopeSelector": {"matchExpressions": [{"scopeName": "Some", "operator": "Exists"}]}},
        ['spec.scopeSelector.matchExpressions.scopeName: Invalid value: "Some": unsupported scope'],
    ),
    "selector_does_not_fit": (
        {
            "hard": {"services": "1"},
            "scopeSelector": {"matchExpressions": [{"scopeName": "Terminating", "operator": "Exists"}]},
        },
        [
            'spec.scopeSelector.matchExpressions: Invalid value: {"MatchExpressions":[{"ScopeName":"Terminating","Operator":"Exists","Values":null}]}: unsupported scope applied to resource'
        ],
    ),
    "selector_conflict": (
        {
            "hard": {"pods": "1"},
            "scopeSelector": {
                "matchExpressions": [
                    {"scopeName": "Terminating", "operator": "Exists"},
                    {"scopeName": "NotTerminating", "operator": "Exists"},
                ]
            },
        },
        ["spec.scopeSelector.matchExpressions: Invalid value: null: conflicting scopes"],
    ),
}


@pytest.mark.parametrize("case", QUOTA_SPECS)
def test_a_quota_is_checked(case: Any) -> None:
    given, expected = QUOTA_SPECS[case]
    assert create_errors(QUOTAS, quota(**given)) == expected


LIMITS: dict[str, tuple[Any, list[str]]] = {
    "right": (
        [
            {
                "type": "Container",
                "max": {"cpu": "2"},
                "min": {"cpu": "100m"},
                "default": {"cpu": "1"},
                "defaultRequest": {"cpu": "500m"},
            }
        ],
        [],
    ),
    "type": (
        [{"type": "Node"}],
        ['spec.limits[0].type: Invalid value: "Node": must be a standard limit type or fully qualified'],
    ),
    "type_twice": ([{"type": "Pod"}, {"type": "Pod"}], ['spec.limits[1].type: Duplicate value: "Pod"']),
    "pod_default": (
        [{"type": "Pod", "default": {"cpu": "1"}, "defaultRequest": {"cpu": "1"}}],
        [
            "spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'",
            "spec.limits[0].defaultRequest: Forbidden: may not be specified when `type` is 'Pod'",
        ],
    ),
    "claim_without_storage": (
        [{"type": "PersistentVolumeClaim"}],
        [
            "spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but neither was provided"
        ],
    ),
    "resource": (
        [{"type": "Pod", "max": {"speed": "1"}}],
        [
            'spec.limits[0].max[speed]: Invalid value: "speed": must be a standard resource type or fully qualified',
            'spec.limits[0].max[speed]: Invalid value: "speed": must be a standard resource for containers',
        ],
    ),
    "min_above_max": (
        [{"type": "Pod", "min": {"cpu": "2"}, "max": {"cpu": "1"}}],
        ['spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1'],
    ),
    "request_above_default": (
        [{"type": "Container", "default": {"cpu": "1"}, "defaultRequest": {"cpu": "2"}}],
        [
            'spec.limits[0].defaultRequest[cpu]: Invalid value: "2": default request value 2 is greater than default limit value 1'
        ],
    ),
    "default_above_max": (
        [{"type": "Container", "default": {"cpu": "3"}, "defaultRequest": {"cpu": "1"}, "max": {"cpu": "2"}}],
        ['spec.limits[0].default[cpu]: Invalid value: "2": default value 3 is greater than max value 2'],
    ),
    "request_below_min": (
        [{"type": "Container", "defaultRequest": {"cpu": "1"}, "min": {"cpu": "2"}, "default": {"cpu": "2"}}],
        ['spec.limits[0].defaultRequest[cpu]: Invalid value: "1": min value 2 is greater than default request value 1'],
    ),
    "default_below_min": (
        [{"type": "Container", "default": {"cpu": "1"}, "defaultRequest": {"cpu": "1"}, "min": {"cpu": "2"}}],
        [
            'spec.limits[0].defaultRequest[cpu]: Invalid value: "1": min value 2 is greater than default request value 1',
            'spec.limits[0].default[cpu]: Invalid value: "2": min value 2 is greater than default value 1',
        ],
    ),
    "ratio": (
        [{"type": "Pod", "maxLimitRequestRatio": {"cpu": "500m"}}],
        ['spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "500m": ratio 500m is less than 1'],
    ),
}


@pytest.mark.parametrize("case", LIMITS)
def test_a_limit_range_is_checked(case: Any) -> None:
    given, expected = LIMITS[case]
    assert create_errors(RANGES, limits(given)) == expected


def test_amounts_are_canonical_and_not_finer_than_thousandths() -> None:
    spec = created(QUOTAS, quota(hard={"cpu": "0.5", "memory": "1024Mi", "requests.cpu": "100u"}))["spec"]
    assert spec["hard"] == {"cpu": "500m", "memory": "1Gi", "requests.cpu": "1m"}


def test_a_client_cannot_set_the_status_of_a_new_quota() -> None:
    assert created(QUOTAS, {**quota(), "status": {"hard": {"pods": "1"}}})["status"] == {}


def test_the_scopes_of_a_quota_are_immutable() -> None:
    old = created(QUOTAS, quota(hard={"pods": "1"}, scopes=["BestEffort"]))
    assert update_errors(QUOTAS, old, quota(hard={"pods": "1"}, scopes=["NotBestEffort"])) == [
        'spec.scopes: Invalid value: ["NotBestEffort"]: field is immutable'
    ]
    assert not update_errors(QUOTAS, old, quota(hard={"pods": "2"}, scopes=["BestEffort"]))


def test_the_status_of_a_quota_is_checked() -> None:
    old = created(QUOTAS, quota(hard={"pods": "1"}))
    body = {**quota(), "status": {"hard": {"speed": "1"}, "used": {"pods": "-1"}}}
    assert [each.partition(":")[0] for each in update_errors(QUOTAS, old, body, "status")] == [
        "status.hard[speed]",
        "status.hard[speed]",
        "status.used[pods]",
    ]


def test_limits_of_containers_follow_from_one_another() -> None:
    item = {"type": "Container", "max": {"cpu": "2"}, "min": {"memory": "1Mi"}, "default": {"ephemeral-storage": "5Mi"}}
    (found,) = created(RANGES, limits([item]))["spec"]["limits"]
    assert found["default"] == {"cpu": "2", "ephemeral-storage": "5Mi"}
    assert found["defaultRequest"] == {"cpu": "2", "ephemeral-storage": "5Mi", "memory": "1Mi"}


def test_limits_of_pods_do_not() -> None:
    (found,) = created(RANGES, limits([{"type": "Pod", "max": {"cpu": "2"}}]))["spec"]["limits"]
    assert found == {"type": "Pod", "max": {"cpu": "2"}}


def test_a_row_of_a_quota_shows_what_is_used() -> None:
    obj = created(QUOTAS, quota(hard={"pods": "5"}))
    obj["metadata"]["creationTimestamp"] = "2023-11-14T22:13:19Z"
    hard = {"requests.cpu": "1", "pods": "5", "limits.cpu": "2"}
    obj["status"] = {"hard": hard, "used": {"pods": "3", "limits.cpu": "1"}}
    assert listed(QUOTAS, obj) == {
        "Name": "x",
        "Request": "pods: 3/5, requests.cpu: 0/1",
        "Limit": "limits.cpu: 1/2",
        "Age": "1s",
    }


def test_a_row_of_a_limit_range_shows_its_birth() -> None:
    obj = created(RANGES, limits([]))
    obj["metadata"]["creationTimestamp"] = "2023-11-14T22:13:19Z"
    assert listed(RANGES, obj) == {"Name": "x", "Created At": "2023-11-14T22:13:19Z"}
