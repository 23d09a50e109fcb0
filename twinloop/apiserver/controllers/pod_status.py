"""A pod's status as a kubelet of Kubernetes 1.34 writes it, as a plain function of what its containers are doing.

`pod_life.py` says what they are doing, `kubelet.py` writes the result. Fields, reasons and messages are those of
pkg/kubelet's status generation (kubelet_pods.go, status/generate.go). Left out: the user of a container, and the
health of devices.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]

# In the order in which a kubelet writes them; conditions of other types follow as they are.
CONDITIONS = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")


@dataclass(frozen=True, slots=True)
class Container:
    """What one container is doing. Exactly one of `waiting`, `running` and `terminated` is its `state`."""

    state: Object
    ready: bool = False
    started: bool = False
    restarts: int = 0
    last: Object | None = None


@dataclass(frozen=True, slots=True)
class Host:
    """Where a pod runs: the node's address, and the pod's own once it has one."""

    address: str
    pod_address: str = ""


# ------------------------------------------------------------------ states of a container


def waiting(reason: str, message: str = "") -> Object:
    """A container that does not run: ContainerCreating, ErrImagePull, CrashLoopBackOff."""
    return {"waiting": {"reason": reason, **({"message": message} if message else {})}}


def running(started: str) -> Object:
    """A container that runs since a timestamp."""
    return {"running": {"startedAt": started}}


def terminated(container: str, code: int, started: str, finished: str) -> Object:
    """A container that has ended; `container` is its containerID."""
    reason = "Completed" if code == 0 else "Error"
    return {
        "terminated": {
            "exitCode": code,
            "reason": reason,
            "startedAt": started,
            "finishedAt": finished,
            "containerID": container,
        }
    }


def container_id(uid: str, name: str, restarts: int) -> str:
    """The identity of one run of a container."""
    return f"containerd://{_digest(uid, name, str(restarts))}"


def _digest(*parts: str) -> str:
    return hashlib.sha256("/".join(parts).encode()).hexdigest()


# ------------------------------------------------------------------ the whole status


def status(pod: Object, containers: Sequence[Container], phase: str, host: Host, now: str) -> Object:
    """The next status of a pod; of the one that it has, conditions, startTime and what is not the kubelet's are used.

    `containers` are in the order of spec.containers.
    """
    before = pod.get("status") or {}
    found: Object = {
        "observedGeneration": pod["metadata"].get("generation", 1),
        "phase": phase,
        "conditions": _conditions(pod, containers, phase, now),
        "hostIP": host.address,
        "hostIPs": [{"ip": host.address}],
        **_addresses(host.pod_address),
        "startTime": before.get("startTime") or now,
        **_initial(pod, phase, now),
        "containerStatuses": [
            _container_status(pod, spec, each) for spec, each in zip(pod["spec"]["containers"], containers, strict=True)
        ],
    }
    kept = ("qosClass", "nominatedNodeName", "resize")
    return found | {name: before[name] for name in kept if name in before}


def _addresses(address: str) -> Object:
    return {"podIP": address, "podIPs": [{"ip": address}]} if address else {}


def _container_status(pod: Object, spec: Object, container: Container) -> Object:
    uid, runs = pod["metadata"]["uid"], "waiting" not in container.state
    found: Object = {
        "name": spec["name"],
        "state": container.state,
        "lastState": container.last or {},
        "ready": container.ready,
        "restartCount": container.restarts,
        "image": spec["image"],
        "imageID": f"sha256:{_digest(spec['image'])}" if runs or container.last else "",
        "started": container.started,
    }
    if runs or container.last:
        found["containerID"] = container_id(uid, spec["name"], container.restarts)
    if spec.get("resources") and runs:
        found |= {"allocatedResources": spec["resources"].get("requests"), "resources": spec["resources"]}
    return {name: value for name, value in found.items() if value is not None} | _mounts(spec)


def _mounts(spec: Object) -> Object:
    mounts = [
        {name: mount[name] for name in ("name", "mountPath", "readOnly") if name in mount}
        | ({"recursiveReadOnly": "Disabled"} if mount.get("readOnly") else {})
        for mount in spec.get("volumeMounts") or ()
    ]
    return {"volumeMounts": mounts} if mounts else {}


def _initial(pod: Object, phase: str, now: str) -> Object:
    """Init containers end well in the moment in which the others start."""
    names = pod["spec"].get("initContainers") or []
    if not names:
        return {}
    old = {each["name"]: each for each in (pod.get("status") or {}).get("initContainerStatuses") or ()}
    return {"initContainerStatuses": [_init_status(pod, spec, old.get(spec["name"]), phase, now) for spec in names]}


def _init_status(pod: Object, spec: Object, old: Object | None, phase: str, now: str) -> Object:
    if old and "terminated" in old["state"]:
        return old
    if phase == "Pending":
        return _container_status(pod, spec, Container(waiting("PodInitializing")))
    run = container_id(pod["metadata"]["uid"], spec["name"], 0)
    return _container_status(pod, spec, Container(terminated(run, 0, now, now), ready=True))


# ------------------------------------------------------------------ conditions


def _conditions(pod: Object, containers: Sequence[Container], phase: str, now: str) -> list[Object]:
    old = {each["type"]: each for each in (pod.get("status") or {}).get("conditions") or ()}
    wanted = {
        "PodReadyToStartContainers": _truth(any("running" in each.state for each in containers)),
        "Initialized": _initialized(pod, phase),
        "ContainersReady": _containers_ready(pod, containers, phase),
        "PodScheduled": _truth(True),
    }
    wanted["Ready"] = _ready(pod, wanted["ContainersReady"], old)
    generation = pod["metadata"].get("generation", 1)
    ours = [_condition(name, old.get(name), wanted[name], generation, now) for name in CONDITIONS]
    return ours + [each for name, each in old.items() if name not in CONDITIONS]


def _condition(name: str, old: Object | None, wanted: Object, generation: int, now: str) -> Object:
    """A condition; its time of transition changes with its status only."""
    same = old is not None and old.get("status") == wanted["status"]
    since = old["lastTransitionTime"] if old is not None and same else now
    times = {"lastProbeTime": None, "lastTransitionTime": since, "observedGeneration": generation}
    return {"type": name, **wanted, **times}


def _truth(true: bool, reason: str = "", message: str = "") -> Object:
    found = {"status": "True" if true else "False", "reason": reason, "message": message}
    return {name: value for name, value in found.items() if value}


def _initialized(pod: Object, phase: str) -> Object:
    if phase == "Succeeded":
        return _truth(True, "PodCompleted")
    names = [each["name"] for each in pod["spec"].get("initContainers") or ()]
    if names and phase == "Pending":
        return _truth(False, "ContainersNotInitialized", f"containers with incomplete status: {_listed(names)}")
    return _truth(True)


def _containers_ready(pod: Object, containers: Sequence[Container], phase: str) -> Object:
    if phase in {"Succeeded", "Failed"}:
        return _truth(False, "PodCompleted" if phase == "Succeeded" else "PodFailed")
    specs = pod["spec"]["containers"]
    unready = [spec["name"] for spec, each in zip(specs, containers, strict=True) if not each.ready]
    if unready:
        return _truth(False, "ContainersNotReady", f"containers with unready status: {_listed(unready)}")
    return _truth(True)


def _ready(pod: Object, containers_ready: Object, old: Mapping[str, Object]) -> Object:
    """Ready means that the containers are and that all readiness gates say True."""
    if containers_ready["status"] != "True":
        return dict(containers_ready)
    gates = [gate["conditionType"] for gate in pod["spec"].get("readinessGates") or ()]
    messages = [message for gate in gates if (message := _gate_message(gate, old.get(gate)))]
    return _truth(False, "ReadinessGatesNotReady", ", ".join(messages)) if messages else _truth(True)


def _gate_message(gate: str, condition: Object | None) -> str:
    if condition is None:
        return f'corresponding condition of pod readiness gate "{gate}" does not exist.'
    if condition["status"] != "True":
        return f'the status of pod readiness gate "{gate}" is not "True", but {condition["status"]}'
    return ""


def _listed(names: Sequence[str]) -> str:
    """A slice of strings as Go prints it."""
    return f"[{' '.join(names)}]"
