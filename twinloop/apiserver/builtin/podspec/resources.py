"""Requests and limits: names of resources, amounts, and how the two relate.

`containers.py` and `spec.py` call `requirements`; quotas and limit ranges use the rules about names and amounts.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from twinloop.apiserver import names
from twinloop.apiserver.builtin import quantities
from twinloop.apiserver.builtin.checks import NOT_NEGATIVE, Errors
from twinloop.apiserver.fielderrors import FieldError, forbidden, invalid, not_supported, required

Object = dict[str, Any]

COMPUTE = ("cpu", "memory", "ephemeral-storage")
_COUNTED = (
    "pods", "services", "replicationcontrollers", "resourcequotas", "secrets", "configmaps",
    "persistentvolumeclaims", "services.nodeports", "services.loadbalancers",
)  # fmt: skip
STANDARD = {
    *COMPUTE, *_COUNTED, "storage",
    *(f"{kind}.{name}" for kind in ("requests", "limits") for name in COMPUTE), "requests.storage",
}  # fmt: skip
NOT_INTEGER = "must be an integer"
_NOT_EXTENDED = "doesn't follow extended resource name standard"


def is_huge_page(name: str) -> bool:
    """hugepages-2Mi and its like."""
    return name.startswith("hugepages-")


def is_quota_huge_page(name: str) -> bool:
    """The same, also as a quota names it."""
    return name.startswith(("hugepages-", "requests.hugepages-"))


def is_extended(name: str) -> bool:
    """A resource that some vendor defines: a name with a domain that is not Kubernetes' own, and fit for a quota."""
    if is_native(name) or name.startswith("requests."):
        return False
    return not names.qualified_name(f"requests.{name}")


def is_native(name: str) -> bool:
    """A resource without a domain, or with Kubernetes' own."""
    return "/" not in name or "kubernetes.io/" in name


def may_overcommit(name: str) -> bool:
    """Whether requests may be lower than limits."""
    return is_native(name) and not is_huge_page(name)


def resource_name(path: str, name: str) -> list[FieldError]:
    """The name of any resource."""
    found = [invalid(path, name, each) for each in names.qualified_name(name)]
    if not found and "/" not in name and name not in STANDARD and not is_quota_huge_page(name):
        found.append(invalid(path, name, "must be a standard resource type or fully qualified"))
    return found


def container_resource_name(path: str, name: str) -> list[FieldError]:
    """The name of a resource that a container may ask for."""
    if name in COMPUTE:
        return []
    found = resource_name(path, name)
    if "/" not in name:
        if not is_huge_page(name):
            found.append(invalid(path, name, "must be a standard resource for containers"))
    elif not is_native(name) and not is_extended(name):
        found.append(invalid(path, name, _NOT_EXTENDED))
    return found


def pod_resource_name(path: str, name: str) -> list[FieldError]:
    """The name of a resource that a pod as a whole may ask for."""
    found = resource_name(path, name)
    if not found and name not in {"cpu", "memory"} and not is_huge_page(name):
        found.append(not_supported(path, name, ("cpu", "hugepages-", "memory")))
    return found


def quantity(path: str, name: str, value: str) -> Errors:
    """An amount of a resource: not negative, and whole where only whole ones exist."""
    amount = quantities.amount(value)
    if amount < 0:
        yield invalid(path, value, NOT_NEGATIVE)
    if (name in _COUNTED or is_extended(name)) and amount != amount.to_integral_value():
        yield invalid(path, value, NOT_INTEGER)


NameCheck = Callable[[str, str], list[FieldError]]


def requirements(path: str, resources: Object, check: NameCheck = container_resource_name) -> Errors:
    """ResourceRequirements. Go goes through maps in no particular order; here it is the object's."""
    if not resources:
        return
    limits, requests = resources.get("limits", {}), resources.get("requests", {})
    for name, value in limits.items():
        yield from _one(f"{path}.limits[{name}]", name, value, check)
    for name, value in requests.items():
        yield from _one(f"{path}.requests[{name}]", name, value, check)
        yield from _against_limit(path, name, value, limits.get(name))
    asked = {*limits, *requests}
    if any(map(is_huge_page, asked)) and not asked & {"cpu", "memory"}:
        yield forbidden(path, "HugePages require cpu or memory")
    for index, claim in enumerate(resources.get("claims", ())):
        if not claim["name"]:
            yield required(f"{path}.claims[{index}]")


def _one(path: str, name: str, value: str, check: NameCheck) -> Errors:
    yield from check(path, name)
    yield from quantity(path, name, value)
    if is_huge_page(name) and not _divides(name, value):
        yield invalid(path, value, f"{value} is not positive integer multiple of {name}")


def _divides(name: str, value: str) -> bool:
    size = name.removeprefix("hugepages-")
    if not re.fullmatch(r"[0-9]+[KMGTPE]i", size):
        return False
    amount = quantities.amount(value)
    return amount > 0 and amount % quantities.amount(size) == 0


def _against_limit(path: str, name: str, value: str, limit: str | None) -> Errors:
    if limit is None:
        if not may_overcommit(name):
            yield required(f"{path}.limits", "Limit must be set for non overcommitable resources")
        return
    asked, allowed = quantities.amount(value), quantities.amount(limit)
    if asked != allowed and not may_overcommit(name):
        yield invalid(f"{path}.requests", value, f"must be equal to {name} limit of {limit}")
    elif asked > allowed:
        yield invalid(f"{path}.requests", value, f"must be less than or equal to {name} limit of {limit}")
