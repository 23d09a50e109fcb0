"""Containers of a pod: names, images, ports, and the lists that they stand in.

The faults and the words are those that kube-apiserver v1.34.4 answered with.
Left out: environment, probes, resources, mounts and security, which have test modules of their own; fields of features
that Kubernetes v1.34 has switched off (see test_pod_defaults).
"""

from __future__ import annotations

from typing import Any

import pytest

from support.builtin_kinds import create_errors, kind_of, pod

PODS = kind_of("Pod")


CONTAINERS: dict[str, tuple[Any, list[str]]] = {
    "no_name": ({"name": ""}, ["spec.containers[0].name: Required value"]),
    "name_is_a_dns_label": (
        {"name": "Not.A.Label"},
        [
            "spec.containers[0].name: Invalid value: \"Not.A.Label\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
        ],
    ),
    "name_too_long": (
        {"name": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
        [
            'spec.containers[0].name: Invalid value: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa": must be no more than 63 characters'
        ],
    ),
    "no_image": ({"image": ""}, ["spec.containers[0].image: Required value"]),
    "image_with_spaces_around": (
        {"image": " nginx "},
        ['spec.containers[0].image: Invalid value: " nginx ": must not have leading or trailing whitespace'],
    ),
    "pull_policy": (
        {"imagePullPolicy": "Sometimes"},
        [
            'spec.containers[0].imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"'
        ],
    ),
    "termination_message_policy": (
        {"terminationMessagePolicy": "Nowhere"},
        [
            'spec.containers[0].terminationMessagePolicy: Unsupported value: "Nowhere": supported values: "File", "FallbackToLogsOnError"'
        ],
    ),
    "port_zero": ({"ports": [{"containerPort": 0}]}, ["spec.containers[0].ports[0].containerPort: Required value"]),
    "port_too_large": (
        {"ports": [{"containerPort": 65536}]},
        ["spec.containers[0].ports[0].containerPort: Invalid value: 65536: must be between 1 and 65535, inclusive"],
    ),
    "port_negative": (
        {"ports": [{"containerPort": -1}]},
        ["spec.containers[0].ports[0].containerPort: Invalid value: -1: must be between 1 and 65535, inclusive"],
    ),
    "host_port_too_large": (
        {"ports": [{"containerPort": 80, "hostPort": 70000}]},
        ["spec.containers[0].ports[0].hostPort: Invalid value: 70000: must be between 1 and 65535, inclusive"],
    ),
    "protocol": (
        {"ports": [{"containerPort": 80, "protocol": "HTTP"}]},
        ['spec.containers[0].ports[0].protocol: Unsupported value: "HTTP": supported values: "SCTP", "TCP", "UDP"'],
    ),
    "port_name_too_long": (
        {"ports": [{"containerPort": 80, "name": "sixteen-letters-"}]},
        [
            'spec.containers[0].ports[0].name: Invalid value: "sixteen-letters-": must be no more than 15 characters',
            'spec.containers[0].ports[0].name: Invalid value: "sixteen-letters-": must not begin or end with a hyphen',
        ],
    ),
    "port_name_upper_case": (
        {"ports": [{"containerPort": 80, "name": "Http"}]},
        [
            'spec.containers[0].ports[0].name: Invalid value: "Http": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)'
        ],
    ),
    "port_name_without_letter": (
        {"ports": [{"containerPort": 80, "name": "8080"}]},
        ['spec.containers[0].ports[0].name: Invalid value: "8080": must contain at least one letter (a-z)'],
    ),
    "port_name_two_dashes": (
        {"ports": [{"containerPort": 80, "name": "a--b"}]},
        ['spec.containers[0].ports[0].name: Invalid value: "a--b": must not contain consecutive hyphens'],
    ),
    "port_name_dash_at_the_end": (
        {"ports": [{"containerPort": 80, "name": "a-"}]},
        ['spec.containers[0].ports[0].name: Invalid value: "a-": must not begin or end with a hyphen'],
    ),
    "port_name_twice": (
        {"ports": [{"containerPort": 80, "name": "http"}, {"containerPort": 81, "name": "http"}]},
        ['spec.containers[0].ports[1].name: Duplicate value: "http"'],
    ),
    "same_port_twice": ({"ports": [{"containerPort": 80}, {"containerPort": 80}]}, []),
    "host_port_twice": (
        {"ports": [{"containerPort": 80, "hostPort": 9}, {"containerPort": 81, "hostPort": 9}]},
        ['spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//9"'],
    ),
    "host_port_twice_on_other_protocol": (
        {"ports": [{"containerPort": 80, "hostPort": 9}, {"containerPort": 81, "hostPort": 9, "protocol": "UDP"}]},
        [],
    ),
    "everything_right": (
        {
            "ports": [{"containerPort": 80, "name": "http", "hostPort": 8080, "hostIP": "127.0.0.1"}],
            "command": ["sh"],
            "args": ["-c", "true"],
            "workingDir": "/",
            "stdin": True,
            "tty": True,
        },
        [],
    ),
    "resize_policy_resource": (
        {"resizePolicy": [{"resourceName": "gpu", "restartPolicy": "NotRequired"}]},
        ['spec.containers[0].resizePolicy: Unsupported value: "gpu": supported values: "cpu", "memory"'],
    ),
    "resize_policy_restart": (
        {"resizePolicy": [{"resourceName": "cpu", "restartPolicy": "Maybe"}]},
        [
            'spec.containers[0].resizePolicy: Unsupported value: "Maybe": supported values: "NotRequired", "RestartContainer"'
        ],
    ),
    "resize_policy_twice": (
        {
            "resizePolicy": [
                {"resourceName": "cpu", "restartPolicy": "NotRequired"},
                {"resourceName": "cpu", "restartPolicy": "RestartContainer"},
            ]
        },
        ['spec.containers[0].resizePolicy[1]: Duplicate value: "cpu"'],
    ),
    "resize_policy_empty": (
        {"resizePolicy": [{"resourceName": "", "restartPolicy": ""}]},
        ["spec.containers[0].resizePolicy: Required value", "spec.containers[0].resizePolicy: Required value"],
    ),
}


@pytest.mark.parametrize("case", CONTAINERS)
def test_a_container_is_checked(case: Any) -> None:
    given, expected = CONTAINERS[case]
    assert create_errors(PODS, pod(**given)) == expected


LISTS: dict[str, tuple[Any, list[str]]] = {
    "no_containers": ({"containers": []}, ["spec.containers: Required value"]),
    "two_of_the_same_name": (
        {"containers": [{"name": "a", "image": "x"}, {"name": "a", "image": "y"}]},
        ['spec.containers[1].name: Duplicate value: "a"'],
    ),
    "init_named_as_a_container": (
        {"initContainers": [{"name": "app", "image": "x"}]},
        ['spec.initContainers[0].name: Duplicate value: "app"'],
    ),
    "two_init_of_the_same_name": (
        {"initContainers": [{"name": "init", "image": "busybox"}, {"name": "init", "image": "busybox"}]},
        ['spec.initContainers[1].name: Duplicate value: "init"'],
    ),
    "init_with_probe": (
        {"initContainers": [{"name": "init", "image": "busybox", "livenessProbe": {"exec": {"command": ["a"]}}}]},
        [
            "spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always"
        ],
    ),
    "init_with_readiness_and_startup_probe": (
        {
            "initContainers": [
                {
                    "name": "init",
                    "image": "busybox",
                    "readinessProbe": {"exec": {"command": ["a"]}},
                    "startupProbe": {"exec": {"command": ["a"]}},
                }
            ]
        },
        [
            "spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers without restartPolicy=Always",
            "spec.initContainers[0].startupProbe: Forbidden: may not be set for init containers without restartPolicy=Always",
        ],
    ),
    "init_with_lifecycle": (
        {
            "initContainers": [
                {"name": "init", "image": "busybox", "lifecycle": {"preStop": {"exec": {"command": ["a"]}}}}
            ]
        },
        [
            "spec.initContainers[0].lifecycle: Forbidden: may not be set for init containers without restartPolicy=Always"
        ],
    ),
    "sidecar_with_probe": (
        {
            "initContainers": [
                {
                    "name": "init",
                    "image": "busybox",
                    "restartPolicy": "Always",
                    "readinessProbe": {"exec": {"command": ["a"]}},
                }
            ]
        },
        [],
    ),
    "sidecar_with_bad_probe": (
        {
            "initContainers": [
                {"name": "init", "image": "busybox", "restartPolicy": "Always", "livenessProbe": {"exec": {}}}
            ]
        },
        ["spec.initContainers[0].livenessProbe.exec.command: Required value"],
    ),
    "sidecar_with_bad_hook": (
        {
            "initContainers": [
                {"name": "init", "image": "busybox", "restartPolicy": "Always", "lifecycle": {"postStart": {}}}
            ]
        },
        ["spec.initContainers[0].lifecycle.postStart: Required value: must specify a handler type"],
    ),
    "init_without_image": ({"initContainers": [{"name": "init"}]}, ["spec.initContainers[0].image: Required value"]),
    "init_without_name": (
        {"initContainers": [{"name": "", "image": "x"}]},
        ["spec.initContainers[0].name: Required value"],
    ),
    "host_port_in_two_containers": (
        {
            "containers": [
                {"name": "a", "image": "x", "ports": [{"containerPort": 1, "hostPort": 5}]},
                {"name": "b", "image": "x", "ports": [{"containerPort": 2, "hostPort": 5}]},
            ]
        },
        ['spec.containers[1].ports[0].hostPort: Duplicate value: "TCP//5"'],
    ),
    "host_port_in_init_and_container": (
        {
            "initContainers": [{"name": "init", "image": "busybox", "ports": [{"containerPort": 1, "hostPort": 5}]}],
            "containers": [{"name": "a", "image": "x", "ports": [{"containerPort": 1, "hostPort": 5}]}],
        },
        [],
    ),
    "ephemeral_on_create": (
        {"ephemeralContainers": [{"name": "debug", "image": "x"}]},
        ["spec.ephemeralContainers: Forbidden: cannot be set on create"],
    ),
    "never_restarted_and_resized": (
        {
            "restartPolicy": "Never",
            "containers": [
                {
                    "name": "a",
                    "image": "x",
                    "resizePolicy": [{"resourceName": "cpu", "restartPolicy": "RestartContainer"}],
                }
            ],
        },
        [
            "spec.containers[0].resizePolicy: Invalid value: \"RestartContainer\": must be 'NotRequired' when `restartPolicy` is 'Never'"
        ],
    ),
}


@pytest.mark.parametrize("case", LISTS)
def test_the_containers_of_a_pod_are_checked(case: Any) -> None:
    given, expected = LISTS[case]
    assert create_errors(PODS, pod(given)) == expected
