"""ResourceQuotas: how much may be asked for in a namespace.

`served.py` registers the strategy; `admission/quota.py` enforces quotas.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from twinloop.apiserver.builtin.base import SpecStatusStrategy
from twinloop.apiserver.builtin.checks import Errors, shown_struct
from twinloop.apiserver.builtin.podspec import defaults, resources
from twinloop.apiserver.builtin.simple import age
from twinloop.apiserver.fielderrors import FieldError, invalid, required
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
