"""What an object counts for in a ResourceQuota, as plain functions.

`quota.py` asks before an object is stored, `controllers/quota.py` adds up what is there. The rules are those of
kube-apiserver's quota evaluators: pods by number, requests and limits while they have not ended, every other resource
by number only. Amounts are canonical quantities, as text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from twinloop.apiserver.builtin.quantities import amount, style_of, written
from twinloop.apiserver.failures import qualified
from twinloop.apiserver.storage import Resource

Object = dict[str, Any]
Amounts = dict[str, str]

PODS: Resource = ("", "pods")
_DONE = ("Failed", "Succeeded")
# Resources of the core group that may also be counted by their bare name.
_PLAIN = frozenset(
    {"configmaps", "persistentvolumeclaims", "replicationcontrollers", "resourcequotas", "secrets", "services"}
)
# Names that stand for requests without saying so.
_SHORT = ("cpu", "memory", "ephemeral-storage")
# If one of these is limited, every container has to say what it wants.
MUST_BE_SAID = frozenset({"cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"})


def usage(resource: Resource, obj: Object) -> Amounts:
    """Everything that an object counts for, by the names that spec.hard may use."""
    group, plural = resource
    found = {f"count/{qualified(group, plural)}": "1"}
    if resource == PODS:
        return found | ({} if _is_done(obj) else _pod(obj))
    return found | ({plural: "1"} if not group and plural in _PLAIN else {})


def countable(resource: Resource, name: str) -> bool:
    """Whether a name of spec.hard is about objects of this resource."""
    group, plural = resource
    if name == f"count/{qualified(group, plural)}" or (not group and plural in _PLAIN and name == plural):
        return True
    return resource == PODS and (name in {"pods", *_SHORT} or name.startswith(("requests.", "limits.")))


def _is_done(pod: Object) -> bool:
    return (pod.get("status") or {}).get("phase") in _DONE


def _pod(pod: Object) -> Amounts:
    found = {"pods": "1"}
    for field in ("requests", "limits"):
        for name, value in pod_total(pod["spec"], field).items():
            found[f"{field}.{name}"] = value
            if field == "requests" and name in _SHORT:
                found[name] = value
    return found


def pod_total(spec: Object, field: str) -> Amounts:
    """The requests or limits of a pod: of its containers together, or of its most demanding init container."""
    total: Amounts = {}
    for container in spec["containers"]:
        total = add(total, _resources(container, field))
    for container in spec.get("initContainers") or ():
        for name, value in _resources(container, field).items():
            if amount(value) > amount(total.get(name, "0")):
                total[name] = value
    return add(total, spec.get("overhead") or {}) if total else total


def _resources(container: Object, field: str) -> Amounts:
    found: Amounts = (container.get("resources") or {}).get(field) or {}
    return found


def add(first: Mapping[str, str], second: Mapping[str, str]) -> Amounts:
    """The sum by name."""
    total = dict(first)
    for name, value in second.items():
        total[name] = plus(total[name], value) if name in total else value
    return total


def plus(first: str, second: str) -> str:
    """The sum, written like the first amount that is not zero."""
    left, right = amount(first), amount(second)
    return total_of(left + right, first if left else second)


def total_of(value: Decimal, like: str) -> str:
    """A number written in the style of an amount."""
    return written(value, style_of(like))


# ------------------------------------------------------------------ scopes


def in_scope(quota: Object, resource: Resource, obj: Object) -> bool:
    """Whether a quota is about this object at all: each of its scopes must match."""
    spec = quota["spec"]
    scopes = list(spec.get("scopes") or ())
    selected: Iterable[Object] = (spec.get("scopeSelector") or {}).get("matchExpressions") or ()
    if resource != PODS:
        return not scopes and not selected
    return all(_scope(each, obj) for each in scopes) and all(_selects(each, obj) for each in selected)


def _scope(name: str, pod: Object) -> bool:
    deadline = pod["spec"].get("activeDeadlineSeconds")
    best_effort = (pod.get("status") or {}).get("qosClass") == "BestEffort"
    match name:
        case "BestEffort":
            return best_effort
        case "NotBestEffort":
            return not best_effort
        case "Terminating":
            return deadline is not None
        case "NotTerminating":
            return deadline is None
        case "PriorityClass":
            return bool(pod["spec"].get("priorityClassName"))
    return False  # CrossNamespacePodAffinity: such pods are none of this server's


def _selects(expression: Object, pod: Object) -> bool:
    if expression["scopeName"] != "PriorityClass":
        return _scope(expression["scopeName"], pod)
    name, values = pod["spec"].get("priorityClassName") or "", expression.get("values") or []
    match expression["operator"]:
        case "In":
            return name in values
        case "NotIn":
            return name not in values
        case "Exists":
            return bool(name)
    return not name
