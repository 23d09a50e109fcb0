"""The pretend node: the Node object that a kubelet registers for itself.

`kubelet.py` creates one for each of its names at the start, `scheduler.py` finds room on them.
"""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]

# Room for the largest test, and finite, so that a pod that asks for the impossible is still unschedulable.
CAPACITY = {"cpu": "1000", "ephemeral-storage": "16Ti", "hugepages-2Mi": "0", "memory": "4Ti", "pods": "20000"}
ADDRESS = "192.0.2.{}"  # from the range reserved for documentation: nothing listens there

_CONDITIONS = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)


def address(index: int) -> str:
    """The address of the node with this index."""
    return ADDRESS.format(10 + index)


def node(name: str, index: int, now: str) -> Object:
    """A node that is ready."""
    labels = {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
    }
    cidr = f"10.244.{index}.0/24"
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": {"podCIDR": cidr, "podCIDRs": [cidr], "providerID": f"twinloop://{name}"},
        "status": status(name, index, now),
    }


def status(name: str, index: int, now: str) -> Object:
    """The status of a node that is ready."""
    times = {"lastHeartbeatTime": now, "lastTransitionTime": now}
    return {
        "addresses": [{"type": "InternalIP", "address": address(index)}, {"type": "Hostname", "address": name}],
        "allocatable": dict(CAPACITY),
        "capacity": dict(CAPACITY),
        "conditions": [
            {"type": kind, "status": state, **times, "reason": reason, "message": message}
            for kind, state, reason, message in _CONDITIONS
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "nodeInfo": {
            "architecture": "amd64",
            "bootID": "00000000-0000-0000-0000-000000000000",
            "containerRuntimeVersion": "containerd://0.0.0-pretend",
            "kernelVersion": "0.0.0-pretend",
            "kubeProxyVersion": "",
            "kubeletVersion": "v1.34.4",
            "machineID": "00000000000000000000000000000000",
            "operatingSystem": "linux",
            "osImage": "twinloop",
            "systemUUID": "00000000-0000-0000-0000-000000000000",
        },
    }
