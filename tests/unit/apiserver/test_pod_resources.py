"""Requests and limits of containers and of a pod as a whole, and the quality of service that follows.

The faults and the words are those that kube-apiserver v1.34.4 answered with.
Left out: claims of dynamic resource allocation, which are not served; sums of container requests against those of
the pod.
"""

from __future__ import annotations

from typing import Any

import pytest

from support.builtin_kinds import create_errors, kind_of, pod
from twinloop.apiserver.builtin.podspec import qos

PODS = kind_of("Pod")


RESOURCES: dict[str, tuple[Any, list[str]]] = {
    "not_a_resource": (
        {"limits": {"speed": "1"}, "requests": {"speed": "1"}},
        [
            'spec.containers[0].resources.limits[speed]: Invalid value: "speed": must be a standard resource type or fully qualified',
            'spec.containers[0].resources.limits[speed]: Invalid value: "speed": must be a standard resource for containers',
            'spec.containers[0].resources.requests[speed]: Invalid value: "speed": must be a standard resource type or fully qualified',
            'spec.containers[0].resources.requests[speed]: Invalid value: "speed": must be a standard resource for containers',
        ],
    ),
    "negative": (
        {"limits": {"cpu": "-1"}, "requests": {"cpu": "-1"}},
        [
            'spec.containers[0].resources.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0',
            'spec.containers[0].resources.requests[cpu]: Invalid value: "-1": must be greater than or equal to 0',
        ],
    ),
    "request_above_limit": (
        {"limits": {"cpu": "1"}, "requests": {"cpu": "1500m"}},
        ['spec.containers[0].resources.requests: Invalid value: "1500m": must be less than or equal to cpu limit of 1'],
    ),
    "memory_request_above_limit": (
        {"limits": {"memory": "1Gi"}, "requests": {"memory": "1025Mi"}},
        [
            'spec.containers[0].resources.requests: Invalid value: "1025Mi": must be less than or equal to memory limit of 1Gi'
        ],
    ),
    "equal": ({"limits": {"cpu": "1"}, "requests": {"cpu": "1000m"}}, []),
    "extended_right": ({"limits": {"example.com/gpu": "2"}}, []),
    "extended_not_whole": (
        {"limits": {"example.com/gpu": "1500m"}},
        [
            'spec.containers[0].resources.limits[example.com/gpu]: Invalid value: "1500m": must be an integer',
            'spec.containers[0].resources.requests[example.com/gpu]: Invalid value: "1500m": must be an integer',
        ],
    ),
    "extended_request_without_limit": (
        {"requests": {"example.com/gpu": "1"}},
        ["spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources"],
    ),
    "extended_request_below_limit": (
        {"limits": {"example.com/gpu": "2"}, "requests": {"example.com/gpu": "1"}},
        ['spec.containers[0].resources.requests: Invalid value: "1": must be equal to example.com/gpu limit of 2'],
    ),
    "bad_name": (
        {"requests": {"a b": "1"}},
        [
            "spec.containers[0].resources.requests[a b]: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
            'spec.containers[0].resources.requests[a b]: Invalid value: "a b": must be a standard resource for containers',
        ],
    ),
    "kubernetes_domain": ({"requests": {"kubernetes.io/thing": "1"}}, []),
    "requests_domain": (
        {"limits": {"requests.example.com/gpu": "1"}},
        [
            'spec.containers[0].resources.limits[requests.example.com/gpu]: Invalid value: "requests.example.com/gpu": doesn\'t follow extended resource name standard',
            'spec.containers[0].resources.requests[requests.example.com/gpu]: Invalid value: "requests.example.com/gpu": doesn\'t follow extended resource name standard',
        ],
    ),
    "storage_is_for_claims": (
        {"requests": {"storage": "1Gi"}},
        [
            'spec.containers[0].resources.requests[storage]: Invalid value: "storage": must be a standard resource for containers'
        ],
    ),
    "pods_are_for_quotas": (
        {"requests": {"pods": "1"}},
        [
            'spec.containers[0].resources.requests[pods]: Invalid value: "pods": must be a standard resource for containers'
        ],
    ),
    "ephemeral_storage": ({"requests": {"ephemeral-storage": "1Gi"}}, []),
    "huge_pages_alone": (
        {"limits": {"hugepages-2Mi": "4Mi"}},
        ["spec.containers[0].resources: Forbidden: HugePages require cpu or memory"],
    ),
    "huge_pages_right": ({"limits": {"hugepages-2Mi": "4Mi", "memory": "1Gi"}}, []),
    "huge_pages_not_divisible": (
        {"limits": {"hugepages-2Mi": "3Mi", "cpu": "1"}},
        [
            'spec.containers[0].resources.limits[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi',
            'spec.containers[0].resources.requests[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi',
        ],
    ),
    "huge_pages_request_alone": (
        {"requests": {"hugepages-2Mi": "4Mi", "cpu": "1"}},
        ["spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources"],
    ),
}


@pytest.mark.parametrize("case", RESOURCES)
def test_resources_of_a_container_are_checked(case: Any) -> None:
    given, expected = RESOURCES[case]
    assert create_errors(PODS, pod(resources=given)) == expected


POD_RESOURCES: dict[str, tuple[Any, list[str]]] = {
    "cpu": (
        {"resources": {"limits": {"cpu": "1"}, "requests": {"cpu": "2"}}},
        ['spec.resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1'],
    ),
    "extended": (
        {"resources": {"limits": {"example.com/gpu": "1"}}},
        [
            'spec.resources.limits[example.com/gpu]: Unsupported value: "example.com/gpu": supported values: "cpu", "hugepages-", "memory"'
        ],
    ),
}


@pytest.mark.parametrize("case", POD_RESOURCES)
def test_resources_of_a_pod_are_checked(case: Any) -> None:
    given, expected = POD_RESOURCES[case]
    assert create_errors(PODS, pod(given)) == expected


QOS: dict[str, tuple[Any, str]] = {
    "nothing said": ([{}], "BestEffort"),
    "an empty list": ([{"requests": {}}], "BestEffort"),
    "requests of nothing": ([{"requests": {"cpu": "0"}}], "BestEffort"),
    "other resources only": (
        [{"limits": {"example.com/gpu": "1"}, "requests": {"example.com/gpu": "1"}}],
        "BestEffort",
    ),
    "a request": ([{"requests": {"cpu": "1"}}], "Burstable"),
    "limits above requests": (
        [{"limits": {"cpu": "2", "memory": "1Gi"}, "requests": {"cpu": "1", "memory": "1Gi"}}],
        "Burstable",
    ),
    "limits as requests": (
        [{"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1000m", "memory": "1Gi"}}],
        "Guaranteed",
    ),
    "cpu alone": ([{"limits": {"cpu": "1"}, "requests": {"cpu": "1"}}], "Burstable"),
    "one of two": (
        [{"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1", "memory": "1Gi"}}, {}],
        "Burstable",
    ),
}


@pytest.mark.parametrize("case", QOS)
def test_quality_of_service_follows_from_the_containers(case: Any) -> None:
    resources, expected = QOS[case]
    assert qos.qos_class({"containers": [{"resources": each} for each in resources]}) == expected


def test_resources_of_the_pod_decide_where_it_has_some() -> None:
    whole = {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1", "memory": "1Gi"}}
    assert qos.qos_class({"resources": whole, "containers": [{"resources": {}}]}) == "Guaranteed"


def test_init_containers_count_for_quality_of_service() -> None:
    spec = {"containers": [{"resources": {}}], "initContainers": [{"resources": {"requests": {"cpu": "1"}}}]}
    assert qos.qos_class(spec) == "Burstable"
