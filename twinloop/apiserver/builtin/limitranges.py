"""LimitRanges: stored, defaulted and checked, without effect on pods.

`served.py` registers the strategy.
"""

from __future__ import annotations

import uuid
from typing import Any

from twinloop.apiserver import names
from twinloop.apiserver.builtin import quantities
from twinloop.apiserver.builtin.base import BuiltinStrategy
from twinloop.apiserver.builtin.checks import Errors
from twinloop.apiserver.builtin.podspec import defaults, resources
from twinloop.apiserver.fielderrors import FieldError, duplicate, forbidden, invalid, required
from twinloop.apiserver.strategy import Object

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
