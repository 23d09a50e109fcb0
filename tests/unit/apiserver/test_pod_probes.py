"""Probes and lifecycle hooks of a container.

The faults and the words are those that kube-apiserver v1.34.4 answered with.
Left out: defaults of probes (test_pod_defaults).
"""

from __future__ import annotations

from typing import Any

import pytest

from support.builtin_kinds import create_errors, kind_of, pod

PODS = kind_of("Pod")


ACTIONS: dict[str, tuple[Any, list[str]]] = {
    "no_action": (
        {"readinessProbe": {}},
        ["spec.containers[0].readinessProbe: Required value: must specify a handler type"],
    ),
    "two_actions": (
        {"readinessProbe": {"httpGet": {"port": 80}, "tcpSocket": {"port": 80}}},
        ["spec.containers[0].readinessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type"],
    ),
    "three_actions": (
        {"livenessProbe": {"exec": {"command": ["a"]}, "httpGet": {"port": 80}, "grpc": {"port": 1}}},
        [
            "spec.containers[0].livenessProbe.httpGet: Forbidden: may not specify more than 1 handler type",
            "spec.containers[0].livenessProbe.grpc: Forbidden: may not specify more than 1 handler type",
        ],
    ),
    "http_port_zero": (
        {"readinessProbe": {"httpGet": {"port": 0}}},
        ["spec.containers[0].readinessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive"],
    ),
    "http_port_missing": (
        {"readinessProbe": {"httpGet": {}}},
        ["spec.containers[0].readinessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive"],
    ),
    "http_port_name": ({"readinessProbe": {"httpGet": {"port": "http"}}}, []),
    "http_port_bad_name": (
        {"readinessProbe": {"httpGet": {"port": "a_b"}}},
        [
            'spec.containers[0].readinessProbe.httpGet.port: Invalid value: "a_b": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)'
        ],
    ),
    "http_port_empty_name": (
        {"readinessProbe": {"httpGet": {"port": ""}}},
        [
            'spec.containers[0].readinessProbe.httpGet.port: Invalid value: "": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
            'spec.containers[0].readinessProbe.httpGet.port: Invalid value: "": must contain at least one letter (a-z)',
        ],
    ),
    "http_scheme": (
        {"readinessProbe": {"httpGet": {"port": 80, "scheme": "FTP"}}},
        [
            'spec.containers[0].readinessProbe.httpGet.scheme: Unsupported value: "FTP": supported values: "HTTP", "HTTPS"'
        ],
    ),
    "http_header": (
        {"readinessProbe": {"httpGet": {"port": 80, "httpHeaders": [{"name": "X Y", "value": "z"}]}}},
        [
            "spec.containers[0].readinessProbe.httpGet.httpHeaders: Invalid value: \"X Y\": a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')"
        ],
    ),
    "tcp_port_too_large": (
        {"livenessProbe": {"tcpSocket": {"port": 65536}}},
        [
            "spec.containers[0].livenessProbe.tcpSocket.port: Invalid value: 65536: must be between 1 and 65535, inclusive"
        ],
    ),
    "grpc_port": (
        {"livenessProbe": {"grpc": {"port": 0}}},
        ["spec.containers[0].livenessProbe.grpc.port: Invalid value: 0: must be between 1 and 65535, inclusive"],
    ),
    "exec_without_command": (
        {"livenessProbe": {"exec": {}}},
        ["spec.containers[0].livenessProbe.exec.command: Required value"],
    ),
    "negative_delay": (
        {"readinessProbe": {"httpGet": {"port": 80}, "initialDelaySeconds": -1}},
        [
            "spec.containers[0].readinessProbe.initialDelaySeconds: Invalid value: -1: must be greater than or equal to 0"
        ],
    ),
    "negative_timeout": (
        {"readinessProbe": {"httpGet": {"port": 80}, "timeoutSeconds": -1}},
        ["spec.containers[0].readinessProbe.timeoutSeconds: Invalid value: -1: must be greater than or equal to 0"],
    ),
    "negative_period": (
        {"readinessProbe": {"httpGet": {"port": 80}, "periodSeconds": -1}},
        ["spec.containers[0].readinessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0"],
    ),
    "negative_thresholds": (
        {"readinessProbe": {"httpGet": {"port": 80}, "successThreshold": -1, "failureThreshold": -2}},
        [
            "spec.containers[0].readinessProbe.successThreshold: Invalid value: -1: must be greater than or equal to 0",
            "spec.containers[0].readinessProbe.failureThreshold: Invalid value: -2: must be greater than or equal to 0",
        ],
    ),
    "liveness_success_threshold": (
        {"livenessProbe": {"httpGet": {"port": 80}, "successThreshold": 2}},
        ["spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1"],
    ),
    "startup_success_threshold": (
        {"startupProbe": {"httpGet": {"port": 80}, "successThreshold": 2}},
        ["spec.containers[0].startupProbe.successThreshold: Invalid value: 2: must be 1"],
    ),
    "readiness_success_threshold": ({"readinessProbe": {"httpGet": {"port": 80}, "successThreshold": 2}}, []),
    "grace_zero": (
        {"livenessProbe": {"httpGet": {"port": 80}, "terminationGracePeriodSeconds": 0}},
        ["spec.containers[0].livenessProbe.terminationGracePeriodSeconds: Invalid value: 0: must be greater than 0"],
    ),
    "grace_of_readiness": (
        {"readinessProbe": {"httpGet": {"port": 80}, "terminationGracePeriodSeconds": 5}},
        [
            "spec.containers[0].readinessProbe.terminationGracePeriodSeconds: Invalid value: 5: must not be set for readinessProbes"
        ],
    ),
    "grace_right": ({"livenessProbe": {"httpGet": {"port": 80}, "terminationGracePeriodSeconds": 5}}, []),
    "hook_without_action": (
        {"lifecycle": {"preStop": {}}},
        ["spec.containers[0].lifecycle.preStop: Required value: must specify a handler type"],
    ),
    "hook_with_two_actions": (
        {"lifecycle": {"postStart": {"exec": {"command": ["a"]}, "httpGet": {"port": 1}}}},
        ["spec.containers[0].lifecycle.postStart.httpGet: Forbidden: may not specify more than 1 handler type"],
    ),
    "hook_sleeps": ({"lifecycle": {"preStop": {"sleep": {"seconds": 5}}}}, []),
    "hook_sleeps_too_long": (
        {"lifecycle": {"preStop": {"sleep": {"seconds": 31}}}},
        [
            "spec.containers[0].lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)"
        ],
    ),
    "hook_sleeps_negative": (
        {"lifecycle": {"preStop": {"sleep": {"seconds": -1}}}},
        [
            "spec.containers[0].lifecycle.preStop.sleep: Invalid value: -1: must be non-negative and less than terminationGracePeriodSeconds (30)"
        ],
    ),
    "hook_empty_command": (
        {"lifecycle": {"preStop": {"exec": {"command": []}}}},
        ["spec.containers[0].lifecycle.preStop.exec.command: Required value"],
    ),
    "hook_tcp": ({"lifecycle": {"postStart": {"tcpSocket": {"port": "x"}}}}, []),
}


@pytest.mark.parametrize("case", ACTIONS)
def test_a_probe_or_hook_is_checked(case: Any) -> None:
    given, expected = ACTIONS[case]
    assert create_errors(PODS, pod(**given)) == expected
