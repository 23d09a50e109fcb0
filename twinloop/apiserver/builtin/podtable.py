"""How `kubectl get pods` shows a pod: READY, STATUS, RESTARTS and the wide columns.

`pods.py` calls `cells` for `publish/table.py`. The reasons and their precedence are those of Kubernetes'
pkg/printers/internalversion.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from twinloop.apiserver.publish.ages import age_of

Object = dict[str, Any]

NONE = "<none>"
_TERMINAL = {"Succeeded", "Failed"}
_ENDED = {"Succeeded": "The pod has completed successfully.", "Failed": "The pod failed."}


@dataclass(slots=True)
class _Count:
    """Restarts, the last of them, and how many containers are ready."""

    restarts: int = 0
    last: str = ""
    ready: int = 0
    sidecar_restarts: int = 0
    sidecar_last: str = ""
    reason: str = field(default="")

    def add(self, status: Object) -> None:
        """Count a container's restarts."""
        self.restarts += status["restartCount"]
        self.last = max(self.last, _last_end(status))

    def add_sidecar(self, status: Object) -> None:
        """Count a sidecar's restarts apart: they go on when initialisation is over."""
        self.sidecar_restarts += status["restartCount"]
        self.sidecar_last = max(self.sidecar_last, _last_end(status))


def _last_end(status: Object) -> str:
    return status.get("lastState", {}).get("terminated", {}).get("finishedAt") or ""


def cells(obj: Object, now: float) -> list[Any]:
    """Name, ready, status, restarts, age, IP, node, nominated node, readiness gates."""
    spec, status, meta = obj["spec"], obj.get("status", {}), obj["metadata"]
    sidecars = {each["name"] for each in spec.get("initContainers", ()) if each.get("restartPolicy") == "Always"}
    count = _Count(reason=_pod_reason(status))
    initializing = _initialize(count, spec, status, sidecars)
    if not initializing or _condition(status, "Initialized") == "True":
        count.restarts, count.last = count.sidecar_restarts, count.sidecar_last
        _run(count, status)
    _delete(count, meta, status)
    ready = f"{count.ready}/{len(spec['containers'] or ()) + len(sidecars)}"
    age = age_of(meta.get("creationTimestamp") or "", now)
    return [meta.get("name", ""), ready, count.reason, _restarts(count, now), age, *_wide(spec, status)]


def _pod_reason(status: Object) -> str:
    for condition in status.get("conditions", ()):
        if condition["type"] == "PodScheduled" and condition.get("reason") == "SchedulingGated":
            return "SchedulingGated"
    return str(status.get("reason") or status.get("phase", ""))


def _initialize(count: _Count, spec: Object, status: Object, sidecars: set[str]) -> bool:
    """Go through the init containers up to the first that is not done; returns whether there is one."""
    total = len(spec.get("initContainers", ()))
    for index, each in enumerate(status.get("initContainerStatuses", ())):
        count.add(each)
        if each["name"] in sidecars:
            count.add_sidecar(each)
        if "terminated" in each.get("state", {}) and not each["state"]["terminated"]["exitCode"]:
            continue
        if each["name"] in sidecars and each.get("started"):
            count.ready += each["ready"]
            continue
        count.reason = _init_reason(each.get("state", {}), index, total)
        return True
    return False


def _init_reason(state: Object, index: int, total: int) -> str:
    if "terminated" in state:
        return f"Init:{_end_reason(state['terminated'])}"
    waiting = state.get("waiting", {}).get("reason", "")
    return f"Init:{waiting}" if waiting and waiting != "PodInitializing" else f"Init:{index}/{total}"


def _end_reason(terminated: Object) -> str:
    if terminated.get("reason"):
        return str(terminated["reason"])
    if terminated.get("signal"):
        return f"Signal:{terminated['signal']}"
    return f"ExitCode:{terminated['exitCode']}"


def _run(count: _Count, status: Object) -> None:
    """Go through the containers from the last to the first: the first one's reason is shown."""
    running = False
    for each in reversed(status.get("containerStatuses", ())):
        count.add(each)
        state = each.get("state", {})
        if state.get("waiting", {}).get("reason"):
            count.reason = state["waiting"]["reason"]
        elif "terminated" in state:
            count.reason = _end_reason(state["terminated"])
        elif each["ready"] and "running" in state:
            running = True
            count.ready += 1
    if count.reason == "Completed" and running:
        count.reason = "Running" if _condition(status, "Ready") == "True" else "NotReady"


def _delete(count: _Count, meta: Object, status: Object) -> None:
    if not meta.get("deletionTimestamp"):
        return
    if status.get("reason") == "NodeLost":
        count.reason = "Unknown"
    elif status.get("phase") not in _TERMINAL:
        count.reason = "Terminating"


def _restarts(count: _Count, now: float) -> str:
    if count.restarts and count.last:
        return f"{count.restarts} ({age_of(count.last, now)} ago)"
    return str(count.restarts)


def _wide(spec: Object, status: Object) -> list[str]:
    address = (status.get("podIPs") or [{"ip": ""}])[0]["ip"]
    gates = [gate["conditionType"] for gate in spec.get("readinessGates", ())]
    open_gates = sum(_condition(status, gate) == "True" for gate in gates)
    return [
        address or NONE,
        spec.get("nodeName") or NONE,
        status.get("nominatedNodeName") or NONE,
        f"{open_gates}/{len(gates)}" if gates else NONE,
    ]


def _condition(status: Object, kind: str) -> str:
    return next((each["status"] for each in status.get("conditions", ()) if each["type"] == kind), "")


def row_conditions(obj: Object) -> list[Object]:
    """Marks the row of a pod that has ended."""
    phase = obj.get("status", {}).get("phase", "")
    if phase not in _ENDED:
        return []
    return [{"type": "Completed", "status": "True", "reason": phase, "message": _ENDED[phase]}]
