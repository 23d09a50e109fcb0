"""What is accepted in a pod and yet warned of. The texts are those of kube-apiserver v1.34.4.

Left out: deprecated volume types, annotations and node labels, which the real server warns of too.
"""

from __future__ import annotations

from typing import Any

import pytest

from support.builtin_kinds import created, kind_of, pod

PODS = kind_of("Pod")


def warnings(body: Any) -> Any:
    return PODS.strategy.warnings(created(PODS, body), None)


def test_a_usual_pod_gives_no_cause() -> None:
    assert warnings(pod(env=[{"name": "A", "value": "1"}], ports=[{"containerPort": 80, "name": "http"}])) == []


def test_a_name_with_dots_is_no_host_name() -> None:
    (found,) = warnings(pod(called="a.b"))
    assert found == (
        "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; "
        "a DNS label is recommended: [must not contain dots]"
    )


def test_updates_are_not_warned_of() -> None:
    obj = created(PODS, pod(called="a.b"))
    assert PODS.strategy.warnings(obj, obj) == []


@pytest.mark.parametrize(("value", "hidden"), [("2", True), ("$(A)", True), ("$(A)2", False), ("", True)])
def test_a_variable_that_hides_another(value: Any, hidden: Any) -> None:
    env = [{"name": "A", "value": "1"}, {"name": "A", "value": value}]
    text = 'spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply'
    assert warnings(pod(env=env)) == ([text] if hidden else [])


def test_a_variable_that_is_taken_from_elsewhere_hides_another() -> None:
    env = [{"name": "A", "value": "1"}, {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]
    assert len(warnings(pod(env=env))) == 1


def test_fractions_of_a_byte() -> None:
    resources = {"limits": {"memory": "1.5"}, "requests": {"memory": "1", "ephemeral-storage": "100m"}}
    assert warnings(pod(resources=resources)) == [
        'spec.containers[0].resources.limits[memory]: fractional byte value "1500m" is invalid, must be an integer',
        'spec.containers[0].resources.requests[ephemeral-storage]: fractional byte value "100m" is invalid, must be an integer',
    ]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ({}, {}, "duplicate port definition with spec.containers[0].ports[0]"),
        ({"hostPort": 8080}, {}, "overlapping port definition with spec.containers[0].ports[0]"),
        (
            {"hostPort": 8080, "hostIP": "1.1.1.1"},
            {"hostPort": 8080},
            "dangerously ambiguous port definition with spec.containers[0].ports[0]",
        ),
        ({"hostPort": 8080}, {"hostPort": 8081}, None),
        ({}, {"protocol": "UDP"}, None),
    ],
)
def test_one_port_twice(first: Any, second: Any, expected: Any) -> None:
    ports = [{"containerPort": 80, **first}, {"containerPort": 80, **second}]
    assert warnings(pod(ports=ports)) == ([f"spec.containers[0].ports[1]: {expected}"] if expected else [])


def test_one_name_for_two_ports_in_two_containers() -> None:
    containers = [
        {"name": name, "image": "x", "ports": [{"containerPort": port, "name": "http"}]}
        for name, port in (("a", 80), ("b", 81))
    ]
    (found,) = warnings(pod({"containers": containers}))
    assert found == (
        'spec.containers[1].ports[0]: duplicate port name "http" with spec.containers[0].ports[0], '
        "services and probes that select ports by name will use spec.containers[0].ports[0]"
    )


def test_lists_that_name_one_thing_twice() -> None:
    assert warnings(pod({"imagePullSecrets": [{"name": "a"}, {"name": "a"}, {}]})) == [
        'spec.imagePullSecrets[1].name: duplicate name "a"',
        'spec.imagePullSecrets[2].name: invalid empty name ""',
    ]
    assert warnings(pod({"hostAliases": [{"ip": "1.1.1.1"}, {"ip": "1.1.1.1"}]})) == [
        'spec.hostAliases[1].ip: duplicate ip "1.1.1.1"'
    ]
