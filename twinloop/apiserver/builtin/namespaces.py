"""Namespaces and nodes: the kinds that are not in a namespace.

`served.py` registers these strategies. What happens when a namespace is deleted is `controllers/namespaces.py`'s
business; here a namespace only keeps the finalizer that makes it wait.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from twinloop.apiserver import names
from twinloop.apiserver.builtin.base import SpecStatusStrategy, restore
from twinloop.apiserver.builtin.checks import Errors
from twinloop.apiserver.builtin.podspec import defaults, resources, scheduling
from twinloop.apiserver.builtin.simple import age
from twinloop.apiserver.clock import timestamp
from twinloop.apiserver.fielderrors import FieldError, forbidden, invalid
from twinloop.apiserver.strategy import Object

NAME_LABEL = "kubernetes.io/metadata.name"
_FINALIZER = "kubernetes"
_STANDARD_FINALIZERS = {_FINALIZER, "orphan", "foregroundDeletion"}
_ROLE_PREFIX, _ROLE_LABEL = "node-role.kubernetes.io/", "kubernetes.io/role"


class NamespaceStrategy(SpecStatusStrategy):
    """Namespaces."""

    generation = False
    returns_deleted = True

    def default(self, obj: Object) -> None:
        """The label with the name, and phase Active."""
        _label(obj)
        obj["status"].setdefault("phase", "Active")

    def prepare_create(self, obj: Object, now: float) -> None:
        """The finalizer that holds a namespace until everything in it is gone."""
        super().prepare_create(obj, now)
        _label(obj)
        finalizers = obj["spec"].get("finalizers", [])
        if _FINALIZER not in finalizers:
            obj["spec"]["finalizers"] = [*finalizers, _FINALIZER]

    def empty_status(self) -> dict[str, Any]:
        """Active from the start."""
        return {"phase": "Active"}

    def prepare_update(self, obj: Object, old: Object, subresource: str) -> None:
        """Finalizers of the spec are changed by the subresource finalize alone."""
        if subresource == "status":
            restore(obj, old, "spec")
        else:
            restore(obj, old, "status")
        if not subresource:
            restore(obj["spec"], old.get("spec", {}), "finalizers")
            _label(obj)

    def prepare_delete(self, obj: Object, now: float) -> bool:
        """A namespace is only marked, until what is in it is gone and with it the finalizer."""
        if obj["metadata"].get("deletionTimestamp"):
            return self.is_held(obj)
        obj["metadata"]["deletionTimestamp"] = timestamp(now)
        obj["status"]["phase"] = "Terminating"
        return True

    def is_held(self, obj: Object) -> bool:
        """Whether a finalizer of the spec is left."""
        return bool(obj["spec"].get("finalizers"))

    def validate(self, obj: Object) -> list[FieldError]:
        """Finalizers."""
        return [error for each in obj["spec"].get("finalizers", ()) for error in _finalizer("spec.finalizers", each)]

    def validate_update(self, obj: Object, old: Object, subresource: str) -> list[FieldError]:
        """The phase follows from the deletion; finalizers have names."""
        del old
        if subresource == "status":
            return list(_phase_errors(obj))
        finalizers = obj["spec"].get("finalizers", ()) if subresource == "finalize" else ()
        return [
            error for index, each in enumerate(finalizers) for error in _finalizer(f"spec.finalizers[{index}]", each)
        ]

    def validate_name(self, name: str, *, prefix: bool) -> list[str]:
        """A DNS label."""
        return names.dns_label(name, prefix=prefix)

    def selectable(self, obj: Mapping[str, Any]) -> dict[str, str]:
        """The phase; `name` is an old alias that only the registry knows."""
        return {"status.phase": obj.get("status", {}).get("phase", "")}

    def selectable_names(self) -> frozenset[str]:
        """The phase."""
        return frozenset({"status.phase"})

    def unknown_field(self, name: str) -> str:
        """Words of the core group."""
        return f"field label not supported: {name}"

    def cells(self, obj: Object, now: float) -> list[Any]:
        """Name, phase, age."""
        return [obj["metadata"]["name"], obj.get("status", {}).get("phase", ""), age(obj, now)]


def _label(obj: Object) -> None:
    name = obj["metadata"].get("name")
    if name:
        obj["metadata"].setdefault("labels", {})[NAME_LABEL] = name


def _finalizer(path: str, name: str) -> Errors:
    for problem in names.qualified_name(name):
        yield invalid(path, name, problem)
    if "/" not in name and name not in _STANDARD_FINALIZERS:
        yield invalid(path, name, "name is neither a standard finalizer name nor is it fully qualified")


def _phase_errors(obj: Object) -> Errors:
    phase, deleted = obj["status"].get("phase", ""), obj["metadata"].get("deletionTimestamp")
    if deleted and phase != "Terminating":
        why = "may only be 'Terminating' if `deletionTimestamp` is not empty"
        yield invalid("status.Phase", phase, why)
    elif not deleted and phase != "Active":
        yield invalid("status.Phase", phase, "may only be 'Active' if `deletionTimestamp` is empty")


class NodeStrategy(SpecStatusStrategy):
    """Nodes."""

    generation = False

    def default(self, obj: Object) -> None:
        """What is allocatable is the capacity, unless said otherwise; podCIDR is the old name of the first podCIDRs."""
        if obj["spec"].get("podCIDR") and not obj["spec"].get("podCIDRs"):
            obj["spec"]["podCIDRs"] = [obj["spec"]["podCIDR"]]
        status = obj["status"]
        for name in ("capacity", "allocatable"):
            if name in status:
                status[name] = defaults.round_up(status[name])
        if "capacity" in status:
            status.setdefault("allocatable", status["capacity"])

    def prepare_create(self, obj: Object, now: float) -> None:
        """A kubelet creates its node with a status."""

    def validate(self, obj: Object) -> list[FieldError]:
        """Taints and amounts."""
        found = list(scheduling.taints("metadata.taints", obj["spec"].get("taints", ())))
        return [*found, *_node_resources(obj["status"])]

    def validate_update(self, obj: Object, old: Object, subresource: str) -> list[FieldError]:
        """What a node keeps once it has it."""
        del subresource
        return [
            *_node_resources(obj["status"]),
            *_addresses(obj["status"]),
            *_fixed(obj["spec"], old.get("spec", {})),
            *scheduling.taints("metadata.taints", obj["spec"].get("taints", ())),
        ]

    def selectable(self, obj: Mapping[str, Any]) -> dict[str, str]:
        """Whether it takes pods."""
        return {"spec.unschedulable": "true" if obj["spec"].get("unschedulable") else "false"}

    def selectable_names(self) -> frozenset[str]:
        """Whether it takes pods."""
        return frozenset({"spec.unschedulable"})

    def unknown_field(self, name: str) -> str:
        """Words of the core group."""
        return f"field label not supported: {name}"

    def cells(self, obj: Object, now: float) -> list[Any]:
        """Name, status, roles, age, version, and the wide columns."""
        status = obj["status"]
        info = status.get("nodeInfo", {})
        return [
            obj["metadata"]["name"],
            _node_status(obj),
            ",".join(_roles(obj["metadata"].get("labels", {}))) or "<none>",
            age(obj, now),
            info.get("kubeletVersion", ""),
            _address(status, "InternalIP"),
            _address(status, "ExternalIP"),
            *(info.get(name) or "<unknown>" for name in ("osImage", "kernelVersion", "containerRuntimeVersion")),
        ]


def _node_resources(status: Object) -> Errors:
    for kind in ("capacity", "allocatable"):
        for name, value in status.get(kind, {}).items():
            yield from resources.quantity(f"status.{kind}.{name}", name, value)


def _addresses(status: Object) -> Errors:
    seen: list[Object] = []
    for index, address in enumerate(status.get("addresses", ())):
        if address in seen:
            shown = json.dumps({"Type": address["type"], "Address": address["address"]}, separators=(",", ":"))
            yield FieldError("FieldValueDuplicate", f"status.addresses[{index}]", f"Duplicate value: {shown}")
        seen.append(address)


def _fixed(spec: Object, old: Object) -> Errors:
    if old.get("podCIDRs") and spec.get("podCIDRs") != old["podCIDRs"]:
        yield forbidden("spec.podCIDRs", 'node updates may not change podCIDR except from "" to valid')
    if old.get("providerID") and spec.get("providerID") != old["providerID"]:
        yield forbidden("spec.providerID", 'node updates may not change providerID except from "" to valid')
    if spec.get("externalID", "") != old.get("externalID", ""):
        yield forbidden("spec.externalID", "may not be updated")


def _node_status(obj: Object) -> str:
    ready = [each["status"] for each in obj["status"].get("conditions", ()) if each["type"] == "Ready"]
    shown = ("Ready" if ready[-1] == "True" else "NotReady") if ready else "Unknown"
    return f"{shown},SchedulingDisabled" if obj["spec"].get("unschedulable") else shown


def _roles(labels: dict[str, str]) -> list[str]:
    found = {key.removeprefix(_ROLE_PREFIX) for key in labels if key.startswith(_ROLE_PREFIX)}
    return sorted((found | {labels.get(_ROLE_LABEL, "")}) - {""})


def _address(status: Object, kind: str) -> str:
    return next((each["address"] for each in status.get("addresses", ()) if each["type"] == kind), "<none>")
