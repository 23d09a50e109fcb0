"""ResourceQuotas and LimitRanges: what may be asked for in a namespace.

`served.py` registers these strategies; `admission/quota.py` enforces quotas. LimitRanges are stored without effect.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from twinloop.apiserver import names
from twinloop.apiserver.builtin import quantities
from twinloop.apiserver.builtin.base import BuiltinStrategy, SpecStatusStrategy
from twinloop.apiserver.builtin.checks import Errors, shown_struct
from twinloop.apiserver.builtin.podspec import defaults, resources
from twinloop.apiserver.builtin.simple import age
from twinloop.apiserver.fielderrors import FieldError, duplicate, forbidden, invalid, required
from twinloop.apiserver.strategy import Object

_COMPUTE = {"cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"}
_SCOPES = {
    "Terminating": {"pods", *_COMPUTE},
    "NotTerminating": {"pods", *_COMPUTE},
    "NotBestEffort": {"pods", *_COMPUTE},
    "PriorityClass": {"pods", *_COMPUTE},
    "CrossNamespacePodAffinity": {"pods", *_COMPUTE},
    "BestEffort": {"pods"},
    "VolumeAttributesClass": {"persistentvolumeclaims", "requests.storage"},
}
_ONLY_EXISTS = {"BestEffort", "NotBestEffort", "Terminating", "NotTerminating", "CrossNamespacePodAffinity"}
_EXISTS_MESSAGE = (
    "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, "
    "ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"
)
_QUOTA_NAMES = resources.STANDARD - {"storage"}


class ResourceQuotaStrategy(SpecStatusStrategy):
    """ResourceQuotas."""

    generation = False
    returns_deleted = True

    def default(self, obj: Object) -> None:
        """Amounts are rounded to thousandths."""
        for part, name in (("spec", "hard"), ("status", "hard"), ("status", "used")):
            if name in obj[part]:
                obj[part][name] = defaults.round_up(obj[part][name])

    def validate(self, obj: Object) -> list[FieldError]:
        """Names, amounts, scopes."""
        spec = obj["spec"]
        return [*_amounts("spec.hard", spec.get("hard", {})), *_scopes(spec), *_selector(spec)]

    def validate_update(self, obj: Object, old: Object, subresource: str) -> list[FieldError]:
        """Scopes are immutable."""
        if subresource == "status":
            status = obj["status"]
            return [*_amounts("status.hard", status.get("hard", {})), *_amounts("status.used", status.get("used", {}))]
        found = self.validate(obj)
        scopes = obj["spec"].get("scopes", [])
        if set(scopes) != set(old["spec"].get("scopes", [])):
            found.append(invalid("spec.scopes", scopes or None, "field is immutable"))
        return found

    def cells(self, obj: Object, now: float) -> list[Any]:
        """Name, requests, limits, age."""
        status = obj.get("status", {})
        hard, used = status.get("hard", {}), status.get("used", {})
        shown = {name: f"{name}: {used.get(name, '0')}/{hard[name]}" for name in sorted(hard)}
        requests = ", ".join(text for name, text in shown.items() if not name.startswith("limits."))
        limits = ", ".join(text for name, text in shown.items() if name.startswith("limits."))
        return [obj["metadata"]["name"], requests, limits, age(obj, now)]


def _amounts(path: str, listed: Object) -> Errors:
    for name, value in listed.items():
        at = f"{path}[{name}]"
        yield from resources.resource_name(at, name)
        if "/" not in name and name not in _QUOTA_NAMES and not resources.is_quota_huge_page(name):
            yield invalid(at, name, "must be a standard resource for quota")
        yield from resources.quantity(at, name, value)


def _unfit(scope: str, hard: Iterable[str]) -> int:
    """How many resources a scope does not go with."""
    fitting = _SCOPES.get(scope)
    if fitting is None:
        return 0
    return sum((name in _QUOTA_NAMES or resources.is_quota_huge_page(name)) and name not in fitting for name in hard)


def _conflicting(scopes: set[str]) -> int:
    return sum({name, f"Not{name}"} <= scopes for name in ("BestEffort", "Terminating"))


def _scopes(spec: Object) -> Errors:
    path, scopes = "spec.scopes", spec.get("scopes", [])
    for scope in scopes:
        if scope not in _SCOPES:
            yield invalid(path, scopes, "unsupported scope")
        for _ in range(_unfit(scope, spec.get("hard", {}))):
            yield invalid(path, scopes, "unsupported scope applied to resource")
    for _ in range(_conflicting(set(scopes))):
        yield invalid(path, scopes, "conflicting scopes")


def _selector(spec: Object) -> Errors:
    path = "spec.scopeSelector.matchExpressions"
    expressions = spec.get("scopeSelector", {}).get("matchExpressions", ())
    for each in expressions:
        scope = each["scopeName"]
        if scope not in _SCOPES:
            yield invalid(f"{path}.scopeName", scope, "unsupported scope")
        for _ in range(_unfit(scope, spec.get("hard", {}))):
            yield from shown_struct(path, _go_selector(expressions), "unsupported scope applied to resource")
        yield from _selector_operator(path, scope, each["operator"], each.get("values"))
    for _ in range(_conflicting({each["scopeName"] for each in expressions})):
        yield invalid(path, spec.get("scopes"), "conflicting scopes")


def _go_selector(expressions: Iterable[Object]) -> Object:
    """The internal type has no JSON names."""
    shown = [
        {"ScopeName": each["scopeName"], "Operator": each["operator"], "Values": each.get("values")}
        for each in expressions
    ]
    return {"MatchExpressions": shown}


def _selector_operator(path: str, scope: str, operator: str, values: list[str] | None) -> Errors:
    if scope in _ONLY_EXISTS and operator != "Exists":
        yield invalid(f"{path}.operator", operator, _EXISTS_MESSAGE)
    if operator in {"In", "NotIn"}:
        if not values:
            yield required(
                f"{path}.values", "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
            )
    elif operator in {"Exists", "DoesNotExist"}:
        if values:
            why = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
            yield invalid(f"{path}.values", values, why)
    else:
        yield invalid(f"{path}.operator", operator, "not a valid selector operator")


# ------------------------------------------------------------------ limit ranges

_LIMIT_TYPES = ("Pod", "Container", "PersistentVolumeClaim")
_LISTS = ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")


class LimitRangeStrategy(BuiltinStrategy):
    """LimitRanges."""

    allow_create_on_update = True
    checks_metadata_again = True

    def prepare_create(self, obj: Object, now: float) -> None:
        """A LimitRange without a name gets one that no other can have."""
        del now
        if not obj["metadata"].get("name"):
            obj["metadata"]["name"] = obj["metadata"].get("uid") or str(uuid.uuid4())

    def default(self, obj: Object) -> None:
        """For containers, limits and requests follow from one another."""
        obj["spec"]["limits"] = (
            obj["spec"]["limits"] or None
        )  # an empty list is none, in storage and so in every answer
        for item in obj["spec"]["limits"] or ():
            for name in _LISTS:
                if name in item:
                    item[name] = defaults.round_up(item[name])
            if item["type"] == "Container":
                _default_container_limit(item)

    def validate(self, obj: Object) -> list[FieldError]:
        """Types, names, and the order of the amounts."""
        found: list[FieldError] = []
        seen: set[str] = set()
        for index, item in enumerate(obj["spec"]["limits"] or ()):
            path = f"spec.limits[{index}]"
            found += _limit_type(f"{path}.type", item["type"], seen)
            found += _limit_names(path, item)
            found += _limit_order(path, item)
        return found

    def cells(self, obj: Object, now: float) -> list[Any]:
        """Name and time of creation."""
        del now
        return [obj["metadata"]["name"], obj["metadata"].get("creationTimestamp")]


def _default_container_limit(item: Object) -> None:
    limits = {**item.get("max", {}), **item.get("default", {})}
    requests = {**item.get("min", {}), **limits, **item.get("defaultRequest", {})}
    for name, value in (("default", limits), ("defaultRequest", requests)):
        if value:
            item[name] = value


def _limit_type(path: str, kind: str, seen: set[str]) -> Errors:
    problems = names.qualified_name(kind)
    for problem in problems:
        yield invalid(path, kind, problem)
    if not problems and "/" not in kind and kind not in _LIMIT_TYPES:
        yield invalid(path, kind, "must be a standard limit type or fully qualified")
    if kind in seen:
        yield duplicate(path, kind)
    seen.add(kind)


def _limit_names(path: str, item: Object) -> Errors:
    check = resources.container_resource_name if item["type"] in {"Pod", "Container"} else resources.resource_name
    for name in _LISTS:
        if name.startswith("default") and item["type"] == "Pod":
            if item.get(name):
                yield forbidden(f"{path}.{name}", "may not be specified when `type` is 'Pod'")
            continue
        for resource in item.get(name, ()):
            yield from check(f"{path}.{name}[{resource}]", resource)
    if item["type"] == "PersistentVolumeClaim" and not {"storage"} & {*item.get("min", ()), *item.get("max", ())}:
        why = "either minimum or maximum storage value is required, but neither was provided"
        yield required(f"{path}.limits", why)


# Which list may not exceed which, where the error is shown, whose value it shows, and what the two are called.
_ORDER = (
    ("min", "max", "min", "min", "min value {0} is greater than max value {1}"),
    ("min", "defaultRequest", "defaultRequest", "defaultRequest", "min value {0} is greater than default request value {1}"),
    ("defaultRequest", "max", "defaultRequest", "defaultRequest", "default request value {0} is greater than max value {1}"),
    (
        "defaultRequest", "default", "defaultRequest", "defaultRequest",
        "default request value {0} is greater than default limit value {1}",
    ),
    ("min", "default", "default", "min", "min value {0} is greater than default value {1}"),
    ("default", "max", "default", "max", "default value {0} is greater than max value {1}"),
)  # fmt: skip


def _limit_order(path: str, item: Object) -> Errors:
    found = {name: item.get(name, {}) for name in _LISTS}
    if item["type"] == "Pod":
        found["default"] = found["defaultRequest"] = {}
    for resource in dict.fromkeys(key for listed in found.values() for key in listed):
        for low, high, at, shown, words in _ORDER:
            if resource in found[low] and resource in found[high]:
                small, large = found[low][resource], found[high][resource]
                if quantities.amount(small) > quantities.amount(large):
                    yield invalid(f"{path}.{at}[{resource}]", found[shown][resource], words.format(small, large))
        ratio = found["maxLimitRequestRatio"].get(resource)
        if ratio is not None and quantities.amount(ratio) < 1:
            yield invalid(f"{path}.maxLimitRequestRatio[{resource}]", ratio, f"ratio {ratio} is less than 1")
