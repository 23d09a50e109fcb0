"""Volumes of a pod and their mounts in a container.

The faults and the words are those that kube-apiserver v1.34.4 answered with.
Left out: volume types of single vendors, which are stored unchecked; service account tokens, which the real server
refuses for another reason in a dry run (see test_a_token_is_checked).
"""

from __future__ import annotations

from typing import Any

import pytest

from support.builtin_kinds import create_errors, kind_of, pod

PODS = kind_of("Pod")


VOLUMES: dict[str, tuple[Any, list[str]]] = {
    "no_name": ([{"name": ""}], ["spec.volumes[0].name: Required value"]),
    "name_is_a_dns_label": (
        [{"name": "A.b"}],
        [
            "spec.volumes[0].name: Invalid value: \"A.b\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
        ],
    ),
    "name_twice": ([{"name": "a"}, {"name": "a"}], ['spec.volumes[1].name: Duplicate value: "a"']),
    "two_types": (
        [{"name": "a", "emptyDir": {}, "secret": {"secretName": "s"}}],
        ["spec.volumes[0].secret: Forbidden: may not specify more than 1 volume type"],
    ),
    "negative_size": (
        [{"name": "a", "emptyDir": {"sizeLimit": "-1"}}],
        ["spec.volumes[0].emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource quantity"],
    ),
    "host_path_empty": ([{"name": "a", "hostPath": {"path": ""}}], ["spec.volumes[0].hostPath.path: Required value"]),
    "host_path_backsteps": (
        [{"name": "a", "hostPath": {"path": "/a/../b"}}],
        ["spec.volumes[0].hostPath.path: Invalid value: \"/a/../b\": must not contain '..'"],
    ),
    "host_path_type": (
        [{"name": "a", "hostPath": {"path": "/a", "type": "Pipe"}}],
        [
            'spec.volumes[0].hostPath.type: Unsupported value: "Pipe": supported values: "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"'
        ],
    ),
    "secret_name": ([{"name": "a", "secret": {}}], ["spec.volumes[0].secret.secretName: Required value"]),
    "secret_mode": (
        [{"name": "a", "secret": {"secretName": "s", "defaultMode": 4096}}],
        [
            "spec.volumes[0].secret.defaultMode: Invalid value: 4096: must be a number between 0 and 0777 (octal), both inclusive"
        ],
    ),
    "secret_item": (
        [{"name": "a", "secret": {"secretName": "s", "items": [{"key": "", "path": ""}]}}],
        ["spec.volumes[0].secret.items[0].key: Required value", "spec.volumes[0].secret.items[0].path: Required value"],
    ),
    "secret_item_absolute": (
        [{"name": "a", "secret": {"secretName": "s", "items": [{"key": "k", "path": "/x"}]}}],
        ['spec.volumes[0].secret.items[0].path: Invalid value: "/x": must be a relative path'],
    ),
    "secret_item_dots": (
        [
            {
                "name": "a",
                "secret": {
                    "secretName": "s",
                    "items": [{"key": "k", "path": "..x"}, {"key": "l", "path": "a/../b", "mode": -1}],
                },
            }
        ],
        [
            "spec.volumes[0].secret.items[0].path: Invalid value: \"..x\": must not start with '..'",
            "spec.volumes[0].secret.items[1].path: Invalid value: \"a/../b\": must not contain '..'",
            "spec.volumes[0].secret.items[1].mode: Invalid value: -1: must be a number between 0 and 0777 (octal), both inclusive",
        ],
    ),
    "config_map_name": ([{"name": "a", "configMap": {}}], ["spec.volumes[0].configMap.name: Required value"]),
    "config_map_mode": (
        [{"name": "a", "configMap": {"name": "c", "defaultMode": -1}}],
        [
            "spec.volumes[0].configMap.defaultMode: Invalid value: -1: must be a number between 0 and 0777 (octal), both inclusive"
        ],
    ),
    "claim_name": (
        [{"name": "a", "persistentVolumeClaim": {"claimName": ""}}],
        ["spec.volumes[0].persistentVolumeClaim.claimName: Required value"],
    ),
    "nfs": (
        [{"name": "a", "nfs": {"server": "", "path": ""}}],
        [
            "spec.volumes[0].nfs.server: Required value",
            "spec.volumes[0].nfs.path: Required value",
            'spec.volumes[0].nfs.path: Invalid value: "": must be an absolute path',
        ],
    ),
    "nfs_relative": (
        [{"name": "a", "nfs": {"server": "s", "path": "x"}}],
        ['spec.volumes[0].nfs.path: Invalid value: "x": must be an absolute path'],
    ),
    "csi_driver": (
        [{"name": "a", "csi": {"driver": ""}}],
        [
            "spec.volumes[0].csi.driver: Required value",
            "spec.volumes[0].csi.driver: Invalid value: \"\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
        ],
    ),
    "csi_secret": (
        [{"name": "a", "csi": {"driver": "a.b", "nodePublishSecretRef": {}}}],
        ["spec.volumes[0].csi.nodePublishSecretRef.name: Required value"],
    ),
    "ephemeral": ([{"name": "a", "ephemeral": {}}], ["spec.volumes[0].ephemeral.volumeClaimTemplate: Required value"]),
    "downward_nothing": (
        [{"name": "a", "downwardAPI": {"items": [{"path": "p"}]}}],
        ["spec.volumes[0].downwardAPI: Required value: one of fieldRef and resourceFieldRef is required"],
    ),
    "downward_field": (
        [{"name": "a", "downwardAPI": {"items": [{"path": "p", "fieldRef": {"fieldPath": "status.podIP"}}]}}],
        [
            'spec.volumes[0].downwardAPI.fieldRef.fieldPath: Unsupported value: "status.podIP": supported values: "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"'
        ],
    ),
    "downward_both": (
        [
            {
                "name": "a",
                "downwardAPI": {
                    "items": [
                        {
                            "path": "p",
                            "fieldRef": {"fieldPath": "metadata.name"},
                            "resourceFieldRef": {"resource": "limits.cpu", "containerName": "app"},
                        }
                    ]
                },
            }
        ],
        [
            'spec.volumes[0].downwardAPI: Invalid value: "resource": fieldRef and resourceFieldRef can not be specified simultaneously'
        ],
    ),
    "downward_resource": (
        [{"name": "a", "downwardAPI": {"items": [{"path": "p", "resourceFieldRef": {"resource": "limits.cpu"}}]}}],
        ["spec.volumes[0].downwardAPI.resourceFieldRef.containerName: Required value"],
    ),
    "downward_no_path": (
        [
            {
                "name": "a",
                "downwardAPI": {
                    "defaultMode": 1000,
                    "items": [{"path": "", "fieldRef": {"fieldPath": "metadata.name"}}],
                },
            }
        ],
        [
            "spec.volumes[0].downwardAPI.defaultMode: Invalid value: 1000: must be a number between 0 and 0777 (octal), both inclusive",
            "spec.volumes[0].downwardAPI.path: Required value",
        ],
    ),
    "projected_two_in_one": (
        [{"name": "a", "projected": {"sources": [{"secret": {"name": "s"}, "configMap": {"name": "c"}}]}}],
        ["spec.volumes[0].projected.sources[0]: Forbidden: may not specify more than 1 volume type per source"],
    ),
    "projected_no_names": (
        [{"name": "a", "projected": {"sources": [{"secret": {}}, {"configMap": {}}]}}],
        [
            "spec.volumes[0].projected.sources[0].secret.name: Required value",
            "spec.volumes[0].projected.sources[1].configMap.name: Required value",
        ],
    ),
    "projected_same_path": (
        [
            {
                "name": "a",
                "projected": {
                    "sources": [
                        {"secret": {"name": "s", "items": [{"key": "k", "path": "p"}]}},
                        {"configMap": {"name": "c", "items": [{"key": "k", "path": "p"}]}},
                    ]
                },
            }
        ],
        ['spec.volumes[0].projected: Invalid value: "c": conflicting duplicate paths'],
    ),
    "projected_mode": (
        [{"name": "a", "projected": {"defaultMode": -1, "sources": []}}],
        [
            "spec.volumes[0].projected.defaultMode: Invalid value: -1: must be a number between 0 and 0777 (octal), both inclusive"
        ],
    ),
}


@pytest.mark.parametrize("case", VOLUMES)
def test_a_volume_is_checked(case: Any) -> None:
    given, expected = VOLUMES[case]
    assert create_errors(PODS, pod({"volumes": given})) == expected


MOUNTS: dict[str, tuple[Any, list[str]]] = {
    "unknown_volume": ([{"name": "w", "mountPath": "/a"}], ['spec.containers[0].volumeMounts[0].name: Not found: "w"']),
    "no_name": (
        [{"name": "", "mountPath": "/a"}],
        [
            "spec.containers[0].volumeMounts[0].name: Required value",
            'spec.containers[0].volumeMounts[0].name: Not found: ""',
        ],
    ),
    "no_path": ([{"name": "v", "mountPath": ""}], ["spec.containers[0].volumeMounts[0].mountPath: Required value"]),
    "path_twice": (
        [{"name": "v", "mountPath": "/a"}, {"name": "v", "mountPath": "/a"}],
        ['spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/a": must be unique'],
    ),
    "sub_path_absolute": (
        [{"name": "v", "mountPath": "/a", "subPath": "/b"}],
        ['spec.containers[0].volumeMounts.subPath: Invalid value: "/b": must be a relative path'],
    ),
    "sub_path_backsteps": (
        [{"name": "v", "mountPath": "/a", "subPath": "../b"}],
        ["spec.containers[0].volumeMounts.subPath: Invalid value: \"../b\": must not contain '..'"],
    ),
    "both_sub_paths": (
        [{"name": "v", "mountPath": "/a", "subPath": "b", "subPathExpr": "c"}],
        [
            'spec.containers[0].volumeMounts[0].subPathExpr: Invalid value: "c": subPathExpr and subPath are mutually exclusive'
        ],
    ),
    "propagation": (
        [{"name": "v", "mountPath": "/a", "mountPropagation": "Both"}],
        [
            'spec.containers[0].volumeMounts.mountPropagation: Unsupported value: "Both": supported values: "Bidirectional", "HostToContainer", "None"'
        ],
    ),
    "bidirectional_unprivileged": (
        [{"name": "v", "mountPath": "/a", "mountPropagation": "Bidirectional"}],
        [
            "spec.containers[0].volumeMounts.mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers"
        ],
    ),
    "right": (
        [{"name": "v", "mountPath": "/a", "subPath": "b/c", "readOnly": True, "mountPropagation": "HostToContainer"}],
        [],
    ),
}


@pytest.mark.parametrize("case", MOUNTS)
def test_a_mount_is_checked(case: Any) -> None:
    given, expected = MOUNTS[case]
    assert create_errors(PODS, pod({"volumes": [{"name": "v"}]}, volumeMounts=given)) == expected


def test_a_mount_of_a_bad_volume_finds_no_volume() -> None:
    body = pod({"volumes": [{"name": "v", "secret": {}}]}, volumeMounts=[{"name": "v", "mountPath": "/a"}])
    assert create_errors(PODS, body) == [
        "spec.volumes[0].secret.secretName: Required value",
        'spec.containers[0].volumeMounts[0].name: Not found: "v"',
    ]


def test_a_token_is_checked() -> None:
    source = {"serviceAccountToken": {"path": "", "expirationSeconds": 5}}
    body = pod({"serviceAccountName": "default", "volumes": [{"name": "v", "projected": {"sources": [source]}}]})
    path = "spec.volumes[0].projected"
    assert create_errors(PODS, body) == [
        (
            f"{path}.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 5: "
            "may not specify a duration less than 10 minutes"
        ),
        f"{path}.path: Required value",
    ]


def test_a_token_needs_a_service_account() -> None:
    source = {"serviceAccountToken": {"path": "token"}}
    body = pod({"volumes": [{"name": "v", "projected": {"sources": [source]}}]})
    (found,) = create_errors(PODS, body)
    assert found == (
        "spec.volumes[0].projected.sources[0].serviceAccountToken: Forbidden: "
        "must not be specified when serviceAccountName is not set"
    )
