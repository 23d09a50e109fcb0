"""Whether a pod may run on a node, as plain functions: the scheduler's filters, in its order and with its words.

`scheduler.py` asks for each node. Filters that are modelled: node name and unschedulable mark, taints, node selector
and required node affinity, and room (pods, cpu, memory, other resources). Scores, pod affinity, topology spread, ports
and volumes are not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from twinloop.apiserver.builtin.quantities import amount

Object = dict[str, Any]
Resources = Mapping[str, Decimal]

UNTOLERATED = "node(s) had untolerated taint(s)"
_HARD = ("NoSchedule", "NoExecute")


@dataclass(slots=True)
class Room:
    """What the pods on a node have requested."""

    used: Counter[str] = field(default_factory=Counter)
    pods: dict[str, Resources] = field(default_factory=dict)  # by uid

    def put(self, uid: str, requested: Resources) -> None:
        """A pod has been bound here."""
        if uid not in self.pods:
            self.pods[uid] = requested
            self.used.update(requested)

    def take(self, uid: str) -> None:
        """A pod has ended or gone."""
        for name, value in self.pods.pop(uid, {}).items():
            self.used[name] -= value  # type: ignore[assignment]


def requests(pod: Object) -> dict[str, Decimal]:
    """What a pod takes from a node: the sum of its containers, or its largest init container, and the pod itself."""
    spec = pod["spec"]
    total = _sum(spec["containers"])
    for container in spec.get("initContainers") or ():
        for name, value in _sum([container]).items():
            total[name] = max(total.get(name, Decimal(0)), value)
    return total | {"pods": Decimal(1)}


def _sum(containers: Iterable[Object]) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for container in containers:
        for name, text in ((container.get("resources") or {}).get("requests") or {}).items():
            total[name] = total.get(name, Decimal(0)) + amount(str(text))
    return total


def refusals(pod: Object, requested: Resources, node: Object, room: Room) -> list[str]:
    """Why this node does not suit, in the scheduler's words; empty: it does. The first filter that refuses decides."""
    spec = node.get("spec") or {}
    unschedulable = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
    if spec.get("unschedulable") and not _tolerated(unschedulable, pod):
        return ["node(s) were unschedulable"]
    if _first_untolerated(pod, spec.get("taints") or ()):
        return [UNTOLERATED]
    if not _selected(pod, node):
        return ["node(s) didn't match Pod's node affinity/selector"]
    return _too_little(requested, node, room)


def _too_little(requested: Resources, node: Object, room: Room) -> list[str]:
    allocatable = (node.get("status") or {}).get("allocatable") or {}
    short = [
        name
        for name, value in requested.items()
        if value and room.used[name] + value > amount(str(allocatable.get(name, "0")))
    ]
    return ["Too many pods" if name == "pods" else f"Insufficient {name}" for name in sorted(short, key=_pods_first)]


def _pods_first(name: str) -> tuple[bool, str]:
    return name != "pods", name


def is_ready(node: Object) -> bool:
    """Whether a node takes pods at all: Ready, and not being deleted."""
    conditions = (node.get("status") or {}).get("conditions") or ()
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    return ready and "deletionTimestamp" not in node["metadata"]


# ------------------------------------------------------------------ taints


def _first_untolerated(pod: Object, taints: Iterable[Object]) -> Object | None:
    return next((each for each in taints if each.get("effect") in _HARD and not _tolerated(each, pod)), None)


def _tolerated(taint: Object, pod: Object) -> bool:
    return any(_tolerates(each, taint) for each in pod["spec"].get("tolerations") or ())


def _tolerates(toleration: Object, taint: Object) -> bool:
    if toleration.get("effect") not in {None, "", taint["effect"]}:
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    if toleration.get("operator", "Equal") == "Exists":
        return True
    return bool(toleration.get("key")) and toleration.get("value", "") == taint.get("value", "")


# ------------------------------------------------------------------ labels


def _selected(pod: Object, node: Object) -> bool:
    labels = node["metadata"].get("labels") or {}
    wanted = pod["spec"].get("nodeSelector") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    affinity = ((pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    )
    return affinity is None or any(_term(each, labels, node) for each in affinity.get("nodeSelectorTerms") or ())


def _term(term: Object, labels: Mapping[str, str], node: Object) -> bool:
    expressions: Sequence[Object] = term.get("matchExpressions") or ()
    fields: Sequence[Object] = term.get("matchFields") or ()
    if not expressions and not fields:
        return False
    named = {"metadata.name": node["metadata"]["name"]}
    return all(_matches(each, labels) for each in expressions) and all(_matches(each, named) for each in fields)


def _matches(expression: Object, labels: Mapping[str, str]) -> bool:
    value, values = labels.get(expression["key"]), expression.get("values") or []
    match expression["operator"]:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case operator:
            return _compares(value, operator, values)


def _compares(value: str | None, operator: str, values: Sequence[str]) -> bool:
    try:
        found, limit = int(value or ""), int(values[0])
    except (ValueError, IndexError):
        return False
    return found > limit if operator == "Gt" else found < limit
