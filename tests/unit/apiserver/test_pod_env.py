"""Environment variables of a container: names, references to fields, resources, ConfigMaps and Secrets.

The faults and the words are those that kube-apiserver v1.34.4 answered with.
Left out: the warning about a variable that hides another (test_pod_warnings).
"""

from __future__ import annotations

from typing import Any

import pytest

from support.builtin_kinds import create_errors, kind_of, pod

PODS = kind_of("Pod")


VARIABLES: dict[str, tuple[Any, list[str]]] = {
    "no_name": ([{"name": ""}], ["spec.containers[0].env[0].name: Required value"]),
    "equals_sign": (
        [{"name": "A=B"}],
        [
            "spec.containers[0].env[0].name: Invalid value: \"A=B\": a valid environment variable name must consist only of printable ASCII characters other than '='"
        ],
    ),
    "not_ascii": (
        [{"name": "Ä"}],
        [
            "spec.containers[0].env[0].name: Invalid value: \"Ä\": a valid environment variable name must consist only of printable ASCII characters other than '='"
        ],
    ),
    "space_is_allowed": ([{"name": "A B"}], []),
    "line_break": (
        [{"name": "A\nB"}],
        [
            "spec.containers[0].env[0].name: Invalid value: \"A\\nB\": a valid environment variable name must consist only of printable ASCII characters other than '='"
        ],
    ),
    "nothing_to_take_from": (
        [{"name": "A", "valueFrom": {}}],
        [
            'spec.containers[0].env[0].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`'
        ],
    ),
    "value_and_source": (
        [{"name": "A", "value": "x", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
        ['spec.containers[0].env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty'],
    ),
    "two_sources": (
        [
            {
                "name": "A",
                "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}, "configMapKeyRef": {"name": "a", "key": "b"}},
            }
        ],
        [
            'spec.containers[0].env[0].valueFrom: Invalid value: "": may not have more than one field specified at a time'
        ],
    ),
    "field_that_nobody_knows": (
        [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.color"}}}],
        [
            'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.color": error converting fieldPath: field label not supported: spec.color'
        ],
    ),
    "field_for_volumes_only": (
        [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels"}}}],
        [
            'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "metadata.labels": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"'
        ],
    ),
    "field_known_but_not_offered": (
        [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.restartPolicy"}}}],
        [
            'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "spec.restartPolicy": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"'
        ],
    ),
    "field_with_label": ([{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}}], []),
    "field_with_bad_label": (
        [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['a b']"}}}],
        [
            "spec.containers[0].env[0].valueFrom.fieldRef: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
        ],
    ),
    "field_with_annotation": (
        [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.annotations['Example.com/A']"}}}],
        [],
    ),
    "subscript_elsewhere": (
        [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName['a']"}}}],
        [
            "spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: \"spec.nodeName['a']\": error converting fieldPath: field label does not support subscript: spec.nodeName['a']"
        ],
    ),
    "field_path_empty": (
        [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": ""}}}],
        ["spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Required value"],
    ),
    "field_of_another_version": (
        [{"name": "A", "valueFrom": {"fieldRef": {"apiVersion": "v2", "fieldPath": "metadata.name"}}}],
        [
            'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "metadata.name": error converting fieldPath: unsupported pod version: v2'
        ],
    ),
    "all_fields": (
        [
            {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
            {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}}},
            {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
            {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.serviceAccountName"}}},
            {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}},
            {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
            {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "status.podIPs"}}},
        ],
        [],
    ),
    "resource_unknown": (
        [{"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "limits.gpu"}}}],
        [
            'spec.containers[0].env[0].valueFrom.resourceFieldRef.resource: Unsupported value: "limits.gpu": supported values: "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory"'
        ],
    ),
    "resource_empty": (
        [{"name": "A", "valueFrom": {"resourceFieldRef": {"resource": ""}}}],
        ["spec.containers[0].env[0].valueFrom.resourceFieldRef.resource: Required value"],
    ),
    "resource_right": (
        [{"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "requests.cpu", "divisor": "1m"}}}],
        [],
    ),
    "divisor_of_cpu": (
        [{"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1k"}}}],
        [
            'spec.containers[0].env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.cpu": only divisor\'s values 1m and 1 are supported with the cpu resource'
        ],
    ),
    "divisor_of_memory": (
        [{"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "2Mi"}}}],
        [
            'spec.containers[0].env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.memory": only divisor\'s values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the memory resource'
        ],
    ),
    "divisor_of_storage": (
        [{"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "limits.ephemeral-storage", "divisor": "5"}}}],
        [
            'spec.containers[0].env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.ephemeral-storage": only divisor\'s values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the local ephemeral storage resource'
        ],
    ),
    "huge_pages": ([{"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "limits.hugepages-2Mi"}}}], []),
    "config_map_key_missing": (
        [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "a", "key": ""}}}],
        ["spec.containers[0].env[0].valueFrom.configMapKeyRef.key: Required value"],
    ),
    "config_map_name_missing": (
        [{"name": "A", "valueFrom": {"configMapKeyRef": {"key": "k"}}}],
        [
            "spec.containers[0].env[0].valueFrom.configMapKeyRef.name: Invalid value: \"\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
        ],
    ),
    "secret_key_bad": (
        [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b/c"}}}],
        [
            "spec.containers[0].env[0].valueFrom.secretKeyRef.key: Invalid value: \"b/c\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
        ],
    ),
    "secret_key_dots": (
        [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "a", "key": "..b"}}}],
        ["spec.containers[0].env[0].valueFrom.secretKeyRef.key: Invalid value: \"..b\": must not start with '..'"],
    ),
    "secret_name_bad": (
        [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "A_", "key": "b"}}}],
        [
            "spec.containers[0].env[0].valueFrom.secretKeyRef.name: Invalid value: \"A_\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
        ],
    ),
    "same_name_twice": ([{"name": "A", "value": "1"}, {"name": "A", "value": "2"}], []),
}


@pytest.mark.parametrize("case", VARIABLES)
def test_a_variable_is_checked(case: Any) -> None:
    given, expected = VARIABLES[case]
    assert create_errors(PODS, pod(env=given)) == expected


SOURCES: dict[str, tuple[Any, list[str]]] = {
    "no_source": (
        [{}],
        ['spec.containers[0].envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`'],
    ),
    "two_sources": (
        [{"configMapRef": {"name": "a"}, "secretRef": {"name": "b"}}],
        ['spec.containers[0].envFrom: Invalid value: "": may not have more than one field specified at a time'],
    ),
    "no_name": ([{"configMapRef": {}}], ["spec.containers[0].envFrom[0].configMapRef.name: Required value"]),
    "bad_name": (
        [{"secretRef": {"name": "A_"}}],
        [
            "spec.containers[0].envFrom[0].secretRef.name: Invalid value: \"A_\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
        ],
    ),
    "bad_prefix": (
        [{"prefix": "a=", "secretRef": {"name": "b"}}],
        [
            "spec.containers[0].envFrom[0].prefix: Invalid value: \"a=\": a valid environment variable name must consist only of printable ASCII characters other than '='"
        ],
    ),
    "right": ([{"prefix": "P_", "secretRef": {"name": "b"}}, {"configMapRef": {"name": "c", "optional": True}}], []),
}


@pytest.mark.parametrize("case", SOURCES)
def test_a_source_of_variables_is_checked(case: Any) -> None:
    given, expected = SOURCES[case]
    assert create_errors(PODS, pod(envFrom=given)) == expected
