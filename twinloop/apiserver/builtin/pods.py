"""Pods: the strategy that ties together spec, status, grace, quality of service and table.

`served.py` registers it. The spec's rules are in `podspec/`; the life of a pod is the business of `controllers/`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from twinloop.apiserver.builtin import podstatus, podtable, podwarnings
from twinloop.apiserver.builtin.base import SpecStatusStrategy
from twinloop.apiserver.builtin.checks import Errors
from twinloop.apiserver.builtin.podspec import defaults, gates, qos, spec, update
from twinloop.apiserver.clock import timestamp
from twinloop.apiserver.failures import forbidden as refused
from twinloop.apiserver.fielderrors import FieldError, invalid
from twinloop.apiserver.strategy import Object

_EVICTION_SECONDS = 300
_NOT_READY = tuple(
    {
        "key": f"node.kubernetes.io/{problem}",
        "operator": "Exists",
        "effect": "NoExecute",
        "tolerationSeconds": _EVICTION_SECONDS,
    }
    for problem in ("not-ready", "unreachable")
)
# The two classes that every cluster has, and what a pod without a class gets.
_PRIORITIES = {"": 0, "system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
_PREEMPTION = "PreemptLowerPriority"
_COMPUTED = "must not be provided in pod spec; priority admission controller computed"
_FROM_CLASS = "from the given PriorityClass name"
_FINISHED = {"Succeeded", "Failed"}
_SELECTABLE = (
    "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork",
    "status.phase", "status.podIP", "status.podIPs", "status.nominatedNodeName",
)  # fmt: skip

# As a set of fields, the way managedFields write it.
_KEPT_FROM_STATUS_UPDATE: Object = {"f:spec": {}, "f:metadata": {"f:deletionTimestamp": {}, "f:ownerReferences": {}}}


class PodStrategy(SpecStatusStrategy):
    """Pods."""

    graceful = True
    returns_deleted = True
    checks_metadata_again = True

    def default(self, obj: Object) -> None:
        """See `podspec/defaults.py`; a negative grace period is one second."""
        defaults.default_pod(obj)
        podstatus.same_addresses(obj["status"])
        if obj["spec"]["terminationGracePeriodSeconds"] < 0:
            obj["spec"]["terminationGracePeriodSeconds"] = 1

    def prepare_create(self, obj: Object, now: float) -> None:
        """A new pod is pending, in generation 1, with what admission plugins add to its spec."""
        _admit(obj)
        super().prepare_create(obj, now)
        gates.drop_disabled(obj["spec"])
        obj["status"] = {"phase": "Pending", **_gated(obj["spec"], now), "qosClass": qos.qos_class(obj["spec"])}

    def prepare_update(self, obj: Object, old: Object, subresource: str) -> None:
        """The status subresource changes the status and no owner; everything else leaves the status."""
        if subresource == "status":
            podstatus.carry_over(obj, old)
        else:
            for name in ("priority", "preemptionPolicy"):
                if name in old["spec"]:
                    obj["spec"].setdefault(name, old["spec"][name])
            _tolerate(obj["spec"])
            gates.drop_disabled(obj["spec"])
        super().prepare_update(obj, old, subresource)

    def reset_fields(self, subresource: str) -> Object | None:
        """What `podstatus.carry_over` keeps."""
        return _KEPT_FROM_STATUS_UPDATE if subresource == "status" else None

    def validate(self, obj: Object) -> list[FieldError]:
        """The rules for a new pod."""
        found = list(_annotations(obj))
        found += spec.check("spec", obj["spec"], pod=True)
        return [*found, *spec.only_pods("spec", obj["spec"]), *spec.only_new_pods("spec", obj["spec"])]

    def validate_update(self, obj: Object, old: Object, subresource: str) -> list[FieldError]:
        """The same again, and what may not change; of a status only that it does not go back."""
        if subresource == "status":
            return list(podstatus.errors(obj, old))
        found = list(_annotations(obj))
        found += spec.check("spec", obj["spec"], pod=True)
        return [*found, *spec.only_pods("spec", obj["spec"]), *update.check(obj["spec"], old["spec"])]

    def warnings(self, obj: Object, old: Object | None) -> list[str]:
        """What is odd about a new pod."""
        return [] if old else podwarnings.warnings(obj)

    def grace_period(self, obj: Object, asked: int | None) -> int | None:
        """What was asked for, or what the spec says; nothing to wait for where no kubelet has to stop anything."""
        if not obj["spec"].get("nodeName") or obj.get("status", {}).get("phase") in _FINISHED:
            return 0
        seconds: int = obj["spec"].get("terminationGracePeriodSeconds", 0) if asked is None else asked
        return 1 if seconds < 0 else seconds

    def selectable(self, obj: Mapping[str, Any]) -> dict[str, str]:
        """Fields of spec and status."""
        pod_spec, status = obj["spec"], obj.get("status", {})
        found = {name: str(pod_spec.get(name[5:], "")) for name in _SELECTABLE[:4]}
        found["spec.hostNetwork"] = "true" if pod_spec.get("hostNetwork") else "false"
        found["status.phase"] = status.get("phase", "")
        found["status.podIP"] = (status.get("podIPs") or [{"ip": ""}])[0]["ip"]
        found["status.podIPs"] = ""  # may be asked for and never has a value
        found["status.nominatedNodeName"] = status.get("nominatedNodeName", "")
        return found

    def selectable_names(self) -> frozenset[str]:
        """What a selector may ask for."""
        return frozenset(_SELECTABLE)

    def unknown_field(self, name: str) -> str:
        """Words of pods' own."""
        return f"field label not supported: {name}"

    def cells(self, obj: Object, now: float) -> list[Any]:
        """See `podtable.py`."""
        return podtable.cells(obj, now)

    def row_conditions(self, obj: Object) -> Sequence[Object]:
        """A pod that has ended is marked in its row."""
        return podtable.row_conditions(obj)


def _admit(obj: Object) -> None:
    """What the plugins Priority, RuntimeClass and DefaultTolerationSeconds add or refuse."""
    pod_spec = obj["spec"]
    problem = _priority_problem(pod_spec)
    if not problem and "overhead" in pod_spec and "runtimeClassName" not in pod_spec:
        problem = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"
    if problem:
        raise refused("", "pods", _name_at_admission(obj["metadata"]), problem)
    pod_spec["priority"] = _PRIORITIES[pod_spec.get("priorityClassName", "")]
    pod_spec["preemptionPolicy"] = _PREEMPTION
    _tolerate(pod_spec)


def _name_at_admission(meta: Object) -> str:
    """The real server generates names after admission."""
    prefix = meta.get("generateName", "")
    name = meta.get("name", "")
    return prefix if prefix and name.startswith(prefix) else name or "Unknown"


def _priority_problem(pod_spec: Object) -> str:
    name = pod_spec.get("priorityClassName", "")
    if name not in _PRIORITIES:
        return f"no PriorityClass with name {name} was found"
    computed, given = _PRIORITIES[name], pod_spec.get("priority")
    if given is not None and given != computed:
        return f"the integer value of priority ({given}) {_COMPUTED} {computed} {_FROM_CLASS}"
    policy = pod_spec.get("preemptionPolicy", _PREEMPTION)
    if policy != _PREEMPTION:
        return f"the string value of PreemptionPolicy ({policy}) {_COMPUTED} {_PREEMPTION} {_FROM_CLASS}"
    return ""


def _tolerate(pod_spec: Object) -> None:
    """Five minutes on a node that is not ready, unless the pod says otherwise."""
    given = pod_spec.get("tolerations", [])
    missing = [dict(each) for each in _NOT_READY if not any(_covers(other, each["key"]) for other in given)]
    if missing:
        pod_spec["tolerations"] = [*given, *missing]


def _covers(toleration: Object, key: object) -> bool:
    return toleration.get("key", "") in {key, ""} and toleration.get("effect", "") in {"NoExecute", ""}


def _gated(pod_spec: Object, now: float) -> Object:
    if not pod_spec.get("schedulingGates"):
        return {}
    message = "Scheduling is blocked due to non-empty scheduling gates"
    condition = {
        "type": "PodScheduled",
        "status": "False",
        "lastProbeTime": None,
        "lastTransitionTime": timestamp(now),
        "reason": "SchedulingGated",
        "message": message,
    }
    return {"conditions": [condition]}


def _annotations(obj: Object) -> Errors:
    annotations = obj["metadata"].get("annotations", {})
    cost = annotations.get("controller.kubernetes.io/pod-deletion-cost", "0")
    if not _is_int32(cost):
        yield invalid(
            "metadata.annotations[controller.kubernetes.io/pod-deletion-cost]", cost, "must be a 32bit integer"
        )
    mirror = annotations.get("kubernetes.io/config.mirror")
    if mirror is not None and not obj["spec"].get("nodeName"):
        path = "metadata.annotations[kubernetes.io/config.mirror]"
        yield invalid(path, mirror, "must set spec.nodeName if mirror pod annotation is set")


def _is_int32(text: str) -> bool:
    plain = (
        text.isascii() and text.removeprefix("-").isdigit() and (text == "0" or not text.lstrip("-").startswith("0"))
    )
    return plain and -(2**31) <= int(text) < 2**31
