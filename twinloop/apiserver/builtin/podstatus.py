"""The status of a pod: what an update of it keeps, and what it may not say.

`pods.py` calls `carry_over` before and `errors` after a write to the status subresource.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from twinloop.apiserver import names
from twinloop.apiserver.builtin.checks import Errors, ip_address, qualified
from twinloop.apiserver.fielderrors import forbidden, invalid

Object = dict[str, Any]

_SYSTEM_CONDITIONS = {"PodScheduled", "Ready", "Initialized"}
_NOT_NEGATIVE = "must be a non-negative integer"


def same_addresses(status: Object) -> None:
    """podIP is the first of podIPs; where they differ, podIP counts, for kubelets of old know it alone."""
    address, listed = status.get("podIP"), status.get("podIPs", [])
    if address and (not listed or listed[0].get("ip") != address):
        status["podIPs"] = [{"ip": address}]
    elif listed and listed[0].get("ip"):
        status["podIP"] = listed[0]["ip"]


def carry_over(obj: Object, old: Object) -> None:
    """Keep what a kubelet that does not know a field would wipe, and the owners, which are not its business."""
    meta, before = obj["metadata"], old["metadata"]
    meta.pop("deletionTimestamp", None)
    meta.pop("ownerReferences", None)
    if "ownerReferences" in before:
        meta["ownerReferences"] = before["ownerReferences"]
    status, status_before = obj["status"], old.get("status", {})
    for name in ("qosClass", "observedGeneration"):
        if not status.get(name) and status_before.get(name):
            status[name] = status_before[name]
    _carry_condition_generations(status, status_before)


def _carry_condition_generations(status: Object, before: Object) -> None:
    known = {
        each["type"]: each["observedGeneration"]
        for each in before.get("conditions", ())
        if "observedGeneration" in each
    }
    for condition in status.get("conditions", ()):
        if condition["type"] in known:
            condition.setdefault("observedGeneration", known[condition["type"]])


def errors(obj: Object, old: Object) -> Errors:
    """What is wrong with a status."""
    status, before = obj["status"], old.get("status", {})
    yield from _conditions(status)
    node = status.get("nominatedNodeName", "")
    if node and node != before.get("nominatedNodeName", ""):
        for problem in names.subdomain(node):
            yield invalid("status.nominatedNodeName", node, problem)
    if status.get("observedGeneration", 0) < 0:
        yield invalid("status.observedGeneration", status["observedGeneration"], _NOT_NEGATIVE)
    if status.get("qosClass", "") != before.get("qosClass", ""):
        yield invalid("status.qosClass", status.get("qosClass", ""), "field is immutable")
    for name in ("containerStatuses", "initContainerStatuses"):
        yield from _restarted(name, status, before, old["spec"]["restartPolicy"])
    yield from _addresses("status.podIPs", status.get("podIPs", []))
    yield from _host_addresses(status)


def _conditions(status: Object) -> Errors:
    for index, condition in enumerate(status.get("conditions", ())):
        path = f"status.conditions[{index}]"
        if condition.get("observedGeneration", 0) < 0:
            yield invalid(f"{path}.observedGeneration", condition["observedGeneration"], _NOT_NEGATIVE)
        if condition["type"] not in _SYSTEM_CONDITIONS:
            yield from qualified(f"{path}.Type", condition["type"])


def _restarted(name: str, status: Object, before: Object, policy: str) -> Errors:
    """A container that ended for good does not come back."""
    if policy == "Always":
        return
    now_running = {each["name"] for each in status.get(name, ()) if "terminated" not in each.get("state", {})}
    for index, was in enumerate(before.get(name, ())):
        ended = was.get("state", {}).get("terminated")
        if ended and was["name"] in now_running and not (policy == "OnFailure" and ended["exitCode"]):
            yield forbidden(f"status.{name}[{index}].state", "may not be transitioned to non-terminated state")


def _host_addresses(status: Object) -> Errors:
    listed = status.get("hostIPs", [])
    if listed and listed[0]["ip"] != status.get("hostIP", ""):
        yield invalid("status.hostIPs[0].ip", listed[0]["ip"], "must be equal to `hostIP`")
    yield from _addresses("status.hostIPs", listed)


def _addresses(path: str, listed: list[Object]) -> Errors:
    problems = [error for index, each in enumerate(listed) for error in ip_address(f"{path}[{index}]", each["ip"])]
    yield from problems
    if len(listed) > 1 and not problems:
        versions = {ipaddress.ip_address(each["ip"]).version for each in listed}
        if len(listed) > 2 or len(versions) < 2:
            shown = [{"IP": each["ip"]} for each in listed]
            yield invalid(path, shown, "may specify no more than one IP for each IP family")
