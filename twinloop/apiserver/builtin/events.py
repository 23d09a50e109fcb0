"""Events, in the two versions that share one storage: core/v1 and events.k8s.io/v1.

`served.py` registers both strategies. core/v1 is the stored version; the other is translated on the way in and out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twinloop.apiserver import names
from twinloop.apiserver.builtin.base import BuiltinStrategy
from twinloop.apiserver.builtin.checks import Errors, qualified
from twinloop.apiserver.fielderrors import FieldError, invalid, required
from twinloop.apiserver.publish.ages import age_of
from twinloop.apiserver.strategy import Object

_ABOUT = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
_LONGEST_WORD, _LONGEST_NOTE = 128, 1024
_ELSEWHERE = "does not match event.namespace"
# events.k8s.io name -> core name
_RENAMED = {
    "regarding": "involvedObject",
    "note": "message",
    "deprecatedSource": "source",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedCount": "count",
    "reportingController": "reportingComponent",
}
# What events.k8s.io/v1 lets nobody change, in the words of core, with the path that the message names.
_IMMUTABLE = {
    "involvedObject": "involvedObject", "reason": "reason", "message": "message", "source": "source",
    "firstTimestamp": "firstTimestamp", "lastTimestamp": "lastTimestamp", "count": "count", "type": "type",
    "eventTime": "eventTime", "action": "action", "related": "related", "reportingComponent": "reportingController",
    "reportingInstance": "reportingInstance",
}  # fmt: skip


class EventStrategy(BuiltinStrategy):
    """core/v1 Events: checked loosely, for old clients' sake."""

    allow_create_on_update = True
    collected = False
    metadata_is_checked_last = True
    controller_field = "reportingComponent"
    about = "involvedObject"

    def validate(self, obj: Object) -> list[FieldError]:
        """The rules that every version keeps to."""
        return list(_legacy_errors(obj, self.controller_field))

    def selectable(self, obj: Mapping[str, Any]) -> dict[str, str]:
        """What the event is about, under the names of both versions."""
        about = obj.get("involvedObject", {})
        reporter = obj.get("reportingComponent", "")
        found = {f"{prefix}.{key}": about.get(key, "") for key in _ABOUT for prefix in ("involvedObject", "regarding")}
        found["reason"], found["type"] = obj.get("reason", ""), obj.get("type", "")
        found["reportingComponent"] = found["reportingController"] = reporter
        found["source"] = obj.get("source", {}).get("component") or reporter
        return found

    def selectable_names(self) -> frozenset[str]:
        """This version's names."""
        about = {f"{self.about}.{key}" for key in _ABOUT}
        return frozenset({*about, "reason", "type", self.controller_field}) | self._only_here()

    def _only_here(self) -> frozenset[str]:
        return frozenset({"source"})

    def unknown_field(self, name: str) -> str:
        """Words of the core group."""
        return f"field label not supported: {name}"

    def cells(self, obj: Object, now: float) -> list[Any]:
        """Last seen, type, reason, object, and the wide columns."""
        first, last, count = _times(obj, now)
        about = obj["involvedObject"]
        target = (
            f"{about.get('kind', '').lower()}/{about['name']}" if about.get("name") else about.get("kind", "").lower()
        )
        return [
            last,
            obj.get("type", ""),
            obj.get("reason", ""),
            target,
            about.get("fieldPath", ""),
            _source(obj),
            obj.get("message", "").strip(),
            first,
            count,
            obj["metadata"]["name"],
        ]


class NewEventStrategy(EventStrategy):
    """events.k8s.io/v1 Events: checked strictly."""

    metadata_is_checked_last = False
    controller_field = "reportingController"
    about = "regarding"

    def _only_here(self) -> frozenset[str]:
        return frozenset()

    def to_storage(self, obj: Object) -> None:
        """The core names."""
        _rename(obj, _RENAMED)
        obj.setdefault("reportingComponent", "")
        obj.setdefault("reportingInstance", "")

    def from_storage(self, obj: Object) -> None:
        """This version's names."""
        _rename(obj, {core: new for new, core in _RENAMED.items()})
        for name in ("reportingController", "reportingInstance"):
            if not obj.get(name):
                obj.pop(name, None)

    def validate(self, obj: Object) -> list[FieldError]:
        """The loose rules and the strict ones."""
        core = self._in_core(obj)
        return [*_legacy_errors(core, self.controller_field), *_series_errors(core), *_strict_errors(core)]

    def validate_update(self, obj: Object, old: Object, subresource: str) -> list[FieldError]:
        """Nothing but the series may change."""
        del subresource
        core, before = self._in_core(obj), self._in_core(old)
        found = list(_legacy_errors(core, self.controller_field))
        if core.get("series") != before.get("series"):
            found += _series_errors(core)
        for name, path in _IMMUTABLE.items():
            if core.get(name) != before.get(name):
                found.append(invalid(path, core.get(name, ""), "field is immutable"))
        return found

    def cells(self, obj: Object, now: float) -> list[Any]:
        """The same columns."""
        return super().cells(self._in_core(obj), now)

    def _in_core(self, obj: Object) -> Object:
        core = dict(obj)
        self.to_storage(core)
        return core


def _rename(obj: Object, renamed: dict[str, str]) -> None:
    for name, other in renamed.items():
        if name in obj:
            obj[other] = obj.pop(name)


def _legacy_errors(obj: Object, controller_field: str) -> Errors:
    namespace = obj["metadata"].get("namespace", "")
    about = obj["involvedObject"].get("namespace", "")
    path = "involvedObject.namespace"
    if not obj.get("eventTime"):
        if namespace != about and not (not about and namespace in {"", "default"}):
            yield invalid(path, about, _ELSEWHERE)
    else:
        if not about and namespace not in {"default", "kube-system"}:
            yield invalid(path, about, _ELSEWHERE)
        yield from _reporter_errors(obj, controller_field)
    for problem in names.subdomain(namespace):
        yield invalid("namespace", namespace, problem)


def _reporter_errors(obj: Object, controller_field: str) -> Errors:
    reporter = obj.get("reportingComponent", "")
    if not reporter:
        yield required(controller_field)
    yield from qualified(controller_field, reporter)
    for name in ("reportingInstance", "action", "reason"):
        if not obj.get(name):
            yield required(name)
        elif len(obj[name].encode()) > _LONGEST_WORD:
            yield invalid(name, "", f"can have at most {_LONGEST_WORD} characters")
    if len(obj.get("message", "").encode()) > _LONGEST_NOTE:
        yield invalid("message", "", f"can have at most {_LONGEST_NOTE} characters")


def _series_errors(obj: Object) -> Errors:
    series = obj.get("series")
    if series and series.get("count", 0) < 2:
        yield invalid("series.count", "", "should be at least 2")
    if series and not series.get("lastObservedTime"):
        yield required("series.lastObservedTime")


def _strict_errors(obj: Object) -> Errors:
    if not obj.get("eventTime"):
        yield required("eventTime")
    if obj.get("type") not in {"Normal", "Warning"}:
        yield invalid("type", "", f"has invalid value: {obj.get('type', '')}")
    for name in ("firstTimestamp", "lastTimestamp", "count", "source"):
        if obj.get(name):
            yield invalid(name, "", "needs to be unset")


def _times(obj: Object, now: float) -> tuple[str, str, int]:
    """First seen, last seen, how often."""
    first = age_of(obj.get("firstTimestamp") or obj.get("eventTime") or "", now)
    if obj.get("series"):
        return first, age_of(obj["series"].get("lastObservedTime") or "", now), obj["series"].get("count", 0)
    last = age_of(obj["lastTimestamp"], now) if obj.get("lastTimestamp") else first
    return first, last, obj.get("count") or 1


def _source(obj: Object) -> str:
    source = obj.get("source", {})
    component = source.get("component") or obj.get("reportingComponent", "")
    host = source.get("host") or obj.get("reportingInstance", "")
    return f"{component}, {host}" if host else component
