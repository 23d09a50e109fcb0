"""Security contexts of a pod and of its containers.

The faults and the words are those that kube-apiserver v1.34.4 answered with.
Left out: Windows, whose fields are stored unchecked.
"""

from __future__ import annotations

from typing import Any

import pytest

from support.builtin_kinds import create_errors, kind_of, pod

PODS = kind_of("Pod")


OF_PODS: dict[str, tuple[Any, list[str]]] = {
    "run_as_user": (
        {"runAsUser": -1},
        ["spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive"],
    ),
    "run_as_group": (
        {"runAsGroup": 2147483648},
        ["spec.securityContext.runAsGroup: Invalid value: 2147483648: must be between 0 and 2147483647, inclusive"],
    ),
    "fs_group": (
        {"fsGroup": -5},
        ["spec.securityContext.fsGroup: Invalid value: -5: must be between 0 and 2147483647, inclusive"],
    ),
    "supplemental_groups": (
        {"supplementalGroups": [1, -1]},
        ["spec.securityContext.supplementalGroups[1]: Invalid value: -1: must be between 0 and 2147483647, inclusive"],
    ),
    "seccomp_type": (
        {"seccompProfile": {"type": "Strict"}},
        [
            'spec.securityContext.seccompProfile.type: Unsupported value: "Strict": supported values: "Localhost", "RuntimeDefault", "Unconfined"'
        ],
    ),
    "seccomp_empty": (
        {"seccompProfile": {"type": ""}},
        ["spec.securityContext.seccompProfile.type: Required value: type is required when seccompProfile is set"],
    ),
    "seccomp_local_without_file": (
        {"seccompProfile": {"type": "Localhost"}},
        [
            "spec.securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost"
        ],
    ),
    "seccomp_file_without_local": (
        {"seccompProfile": {"type": "RuntimeDefault", "localhostProfile": "x"}},
        [
            'spec.securityContext.seccompProfile.localhostProfile: Invalid value: {"Type":"RuntimeDefault","LocalhostProfile":"x"}: can only be set when seccomp type is Localhost'
        ],
    ),
    "seccomp_file_absolute": (
        {"seccompProfile": {"type": "Localhost", "localhostProfile": "/x"}},
        ['spec.securityContext.seccompProfile.localhostProfile: Invalid value: "/x": must be a relative path'],
    ),
    "sysctl_twice": (
        {
            "sysctls": [
                {"name": "kernel.shm_rmid_forced", "value": "1"},
                {"name": "kernel.shm_rmid_forced", "value": "0"},
            ]
        },
        ['spec.securityContext.sysctls[1].name: Duplicate value: "kernel.shm_rmid_forced"'],
    ),
    "sysctl_without_name": (
        {"sysctls": [{"name": "", "value": "1"}]},
        ["spec.securityContext.sysctls[0].name: Required value"],
    ),
    "fs_group_change": (
        {"fsGroupChangePolicy": "Never"},
        [
            'spec.securityContext.fsGroupChangePolicy: Unsupported value: "Never": supported values: "Always", "OnRootMismatch"'
        ],
    ),
    "supplemental_policy": (
        {"supplementalGroupsPolicy": "Some"},
        [
            'spec.securityContext.supplementalGroupsPolicy: Unsupported value: "Some": supported values: "Merge", "Strict"'
        ],
    ),
    "app_armor_type": (
        {"appArmorProfile": {"type": "Strict"}},
        [
            'spec.securityContext.appArmorProfile.type: Unsupported value: "Strict": supported values: "Localhost", "RuntimeDefault", "Unconfined"'
        ],
    ),
    "app_armor_local": (
        {"appArmorProfile": {"type": "Localhost"}},
        [
            "spec.securityContext.appArmorProfile.localhostProfile: Required value: must be set when AppArmor type is Localhost"
        ],
    ),
    "app_armor_padded": (
        {"appArmorProfile": {"type": "Localhost", "localhostProfile": " x"}},
        [
            'spec.securityContext.appArmorProfile.localhostProfile: Invalid value: " x": must not be padded with whitespace'
        ],
    ),
    "app_armor_file": (
        {"appArmorProfile": {"type": "Unconfined", "localhostProfile": "x"}},
        [
            'spec.securityContext.appArmorProfile.localhostProfile: Invalid value: "x": can only be set when AppArmor type is Localhost'
        ],
    ),
    "restricted": ({"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}}, []),
}


@pytest.mark.parametrize("case", OF_PODS)
def test_the_security_context_of_a_pod_is_checked(case: Any) -> None:
    given, expected = OF_PODS[case]
    assert create_errors(PODS, pod({"securityContext": given})) == expected


OF_CONTAINERS: dict[str, tuple[Any, list[str]]] = {
    "run_as_user": (
        {"runAsUser": -1, "runAsGroup": -2},
        [
            "spec.containers[0].securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive",
            "spec.containers[0].securityContext.runAsGroup: Invalid value: -2: must be between 0 and 2147483647, inclusive",
        ],
    ),
    "proc_mount": (
        {"procMount": "Some"},
        [
            'spec.containers[0].securityContext.procMount: Unsupported value: "Some": supported values: "Default", "Unmasked"'
        ],
    ),
    "proc_mount_unmasked": (
        {"procMount": "Unmasked"},
        [
            'spec.containers[0].securityContext.procMount: Invalid value: "Unmasked": `hostUsers` must be false to use `Unmasked`'
        ],
    ),
    "privileged_without_escalation": (
        {"privileged": True, "allowPrivilegeEscalation": False},
        [
            'spec.containers[0].securityContext: Invalid value: {"Capabilities":null,"Privileged":true,"SELinuxOptions":null,"WindowsOptions":null,"RunAsUser":null,"RunAsGroup":null,"RunAsNonRoot":null,"ReadOnlyRootFilesystem":null,"AllowPrivilegeEscalation":false,"ProcMount":null,"SeccompProfile":null,"AppArmorProfile":null}: cannot set `allowPrivilegeEscalation` to false and `privileged` to true'
        ],
    ),
    "sys_admin_without_escalation": (
        {"allowPrivilegeEscalation": False, "capabilities": {"add": ["CAP_SYS_ADMIN"]}},
        [
            'spec.containers[0].securityContext: Invalid value: {"Capabilities":{"Add":["CAP_SYS_ADMIN"],"Drop":null},"Privileged":null,"SELinuxOptions":null,"WindowsOptions":null,"RunAsUser":null,"RunAsGroup":null,"RunAsNonRoot":null,"ReadOnlyRootFilesystem":null,"AllowPrivilegeEscalation":false,"ProcMount":null,"SeccompProfile":null,"AppArmorProfile":null}: cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN'
        ],
    ),
    "seccomp": (
        {"seccompProfile": {"type": "Localhost", "localhostProfile": "../x"}},
        [
            "spec.containers[0].securityContext.seccompProfile.localhostProfile: Invalid value: \"../x\": must not contain '..'"
        ],
    ),
    "restricted": (
        {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": True},
        [],
    ),
}


@pytest.mark.parametrize("case", OF_CONTAINERS)
def test_the_security_context_of_a_container_is_checked(case: Any) -> None:
    given, expected = OF_CONTAINERS[case]
    assert create_errors(PODS, pod(securityContext=given)) == expected
