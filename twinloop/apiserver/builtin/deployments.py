"""Deployments: stored, defaulted and checked as the real thing, without a controller that would act on them.

`served.py` registers the strategy; the template is a PodSpec and follows `podspec/`.
"""

from __future__ import annotations

import json
from typing import Any

from twinloop.apiserver import gofmt, names
from twinloop.apiserver.builtin import labelselectors, podwarnings
from twinloop.apiserver.builtin.base import SpecStatusStrategy, restore
from twinloop.apiserver.builtin.checks import Errors, label_selector, labels, not_negative, words
from twinloop.apiserver.builtin.podspec import defaults, gates
from twinloop.apiserver.builtin.podspec import spec as podspec
from twinloop.apiserver.builtin.simple import age
from twinloop.apiserver.fielderrors import FieldError, forbidden, invalid, not_supported, required
from twinloop.apiserver.strategy import Object, ScalePaths

_STRATEGIES = ("Recreate", "RollingUpdate")
_COUNTS = (
    "observedGeneration",
    "replicas",
    "updatedReplicas",
    "readyReplicas",
    "availableReplicas",
    "unavailableReplicas",
)
_SURPRISING = (
    "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; "
    "a DNS label is recommended: "
)
# As a set of fields, the way managedFields write it.
_KEPT_FROM_STATUS_UPDATE: Object = {"f:spec": {}, "f:metadata": {"f:labels": {}}}
_SCALE = ScalePaths(("spec", "replicas"), ("status", "replicas"), ("spec", "selector"))


class DeploymentStrategy(SpecStatusStrategy):
    """Deployments."""

    def default(self, obj: Object) -> None:
        """One replica, a rolling update by quarters."""
        spec = obj["spec"]
        spec.setdefault("replicas", 1)
        spec.setdefault("revisionHistoryLimit", 10)
        spec.setdefault("progressDeadlineSeconds", 600)
        _default_strategy(spec["strategy"])
        gates.drop_disabled(spec["template"]["spec"])
        defaults.default_spec(spec["template"]["spec"])

    def reset_fields(self, subresource: str) -> Object | None:
        """What `restore_spec` puts back."""
        return _KEPT_FROM_STATUS_UPDATE if subresource == "status" else None

    def restore_spec(self, obj: Object, old: Object) -> None:
        """A status update changes no labels either."""
        restore(obj, old, "spec")
        restore(obj["metadata"], old["metadata"], "labels")

    def count_generation(self, obj: Object, old: Object) -> None:
        """Annotations count too: they are copied to what a deployment makes."""
        meta, before = obj["metadata"], old["metadata"]
        changed = obj["spec"] != old["spec"] or meta.get("annotations", {}) != before.get("annotations", {})
        meta["generation"] = before.get("generation", 0) + changed

    def prepare_update(self, obj: Object, old: Object, subresource: str) -> None:
        """A status update is no new generation."""
        super().prepare_update(obj, old, subresource)
        if subresource == "status":
            obj["metadata"]["generation"] = old["metadata"].get("generation", 0)

    def validate(self, obj: Object) -> list[FieldError]:
        """Selector, template, strategy."""
        return list(_spec_errors(obj["spec"]))

    def validate_update(self, obj: Object, old: Object, subresource: str) -> list[FieldError]:
        """The selector is immutable."""
        if subresource == "status":
            return list(_status_errors(obj["status"]))
        found = self.validate(obj)
        selector = obj["spec"].get("selector")
        if selector != old["spec"].get("selector"):
            found.append(invalid("spec.selector", selector, "field is immutable"))
        return found

    def warnings(self, obj: Object, old: Object | None) -> list[str]:
        """Names that are no host names, and what is odd about the template."""
        problems = [] if old else names.label(obj["metadata"].get("name", ""))
        found = [f"{_SURPRISING}{gofmt.printed(problems)}"] if problems else []
        if old and obj["metadata"].get("generation") == old["metadata"].get("generation"):
            return found
        return [*found, *podwarnings.spec_warnings("spec.template.spec", obj["spec"]["template"]["spec"])]

    def scale(self) -> ScalePaths:
        """Replicas and the selector."""
        return _SCALE

    def cells(self, obj: Object, now: float) -> list[Any]:
        """Name, ready, up to date, available, age, and the wide columns."""
        spec, status = obj["spec"], obj.get("status", {})
        containers = spec["template"]["spec"]["containers"] or ()
        return [
            obj["metadata"]["name"],
            f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}",
            status.get("updatedReplicas", 0),
            status.get("availableReplicas", 0),
            age(obj, now),
            ",".join(each["name"] for each in containers),
            ",".join(each.get("image", "") for each in containers),
            labelselectors.printed(spec.get("selector")),
        ]


def _default_strategy(strategy: Object) -> None:
    strategy.setdefault("type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", "25%")
        rolling.setdefault("maxSurge", "25%")


def _spec_errors(spec: Object) -> Errors:
    yield from not_negative("spec.replicas", spec["replicas"])
    selector = spec.get("selector")
    if selector is None:
        yield required("spec.selector")
    else:
        problems = list(label_selector("spec.selector", selector))
        yield from problems
        if not selector:
            yield invalid("spec.selector", {}, "empty selector is invalid for deployment")
    if selector is not None and problems:
        yield invalid("spec.selector", selector, "invalid label selector")
    else:
        yield from _template_errors(spec, selector)
    yield from _strategy_errors(spec["strategy"])
    yield from not_negative("spec.minReadySeconds", spec.get("minReadySeconds", 0))
    yield from not_negative("spec.revisionHistoryLimit", spec["revisionHistoryLimit"])
    yield from not_negative("spec.progressDeadlineSeconds", spec["progressDeadlineSeconds"])
    if spec["progressDeadlineSeconds"] <= spec.get("minReadySeconds", 0):
        seconds = spec["progressDeadlineSeconds"]
        yield invalid("spec.progressDeadlineSeconds", seconds, "must be greater than minReadySeconds")


def _template_errors(spec: Object, selector: Object | None) -> Errors:
    template, path = spec["template"], "spec.template"
    own = template["metadata"].get("labels", {})
    if selector is None or not labelselectors.matches(selector, own):
        yield invalid(f"{path}.metadata.labels", own or None, "`selector` does not match template `labels`")
    yield from labels(f"{path}.labels", own)
    for key in template["metadata"].get("annotations", {}):
        yield from words(f"{path}.annotations", key, names.qualified_name(key.lower()))
    yield from podspec.check(f"{path}.spec", template["spec"], pod=False)
    if template["spec"].get("ephemeralContainers"):
        yield forbidden(f"{path}.spec.ephemeralContainers", "ephemeral containers not allowed in pod template")
    policy = template["spec"]["restartPolicy"]
    if policy != "Always":
        yield not_supported(f"{path}.spec.restartPolicy", policy, ("Always",))
    if template["spec"].get("activeDeadlineSeconds") is not None:
        yield forbidden(f"{path}.spec.activeDeadlineSeconds", "activeDeadlineSeconds in ReplicaSet is not Supported")


def _strategy_errors(strategy: Object) -> Errors:
    rolling = strategy.get("rollingUpdate")
    if strategy["type"] == "Recreate":
        if rolling is not None:
            why = "may not be specified when strategy `type` is 'Recreate'"
            yield forbidden("spec.strategy.rollingUpdate", why)
    elif strategy["type"] == "RollingUpdate":
        yield from _rolling_errors("spec.strategy.rollingUpdate", rolling or {})
    else:
        shown = json.dumps({"Type": strategy["type"], "RollingUpdate": rolling}, separators=(",", ":"))
        names_text = ", ".join(f'"{each}"' for each in _STRATEGIES)
        text = f"Unsupported value: {shown}: supported values: {names_text}"
        yield FieldError("FieldValueNotSupported", "spec.strategy", text)


def _rolling_errors(path: str, rolling: Object) -> Errors:
    unavailable, surge = rolling["maxUnavailable"], rolling["maxSurge"]
    yield from _number_or_percent(f"{path}.maxUnavailable", unavailable)
    yield from _number_or_percent(f"{path}.maxSurge", surge)
    if not _number(unavailable) and not _number(surge):
        yield invalid(f"{path}.maxUnavailable", unavailable, "may not be 0 when `maxSurge` is 0")
    if isinstance(unavailable, str) and _number(unavailable) > 100:
        yield invalid(f"{path}.maxUnavailable", unavailable, "must not be greater than 100%")


def _number_or_percent(path: str, value: int | str) -> Errors:
    if not isinstance(value, str):
        yield from not_negative(path, value)
    elif not (value.endswith("%") and value[:-1].isdigit()):
        why = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"
        yield invalid(path, value, why)


def _number(value: int | str) -> int:
    """The number or the percentage; text that is neither counts as 0."""
    if isinstance(value, str):
        digits = value.removesuffix("%")
        return int(digits) if digits.isdigit() else 0
    return value


def _status_errors(status: Object) -> Errors:
    for name in _COUNTS:
        yield from not_negative(f"status.{name}", status.get(name, 0))
    total, ready = status.get("replicas", 0), status.get("readyReplicas", 0)
    for name in ("updatedReplicas", "readyReplicas", "availableReplicas"):
        if status.get(name, 0) > total:
            yield invalid(f"status.{name}", status.get(name, 0), "cannot be greater than status.replicas")
    if status.get("availableReplicas", 0) > ready:
        yield invalid("status.availableReplicas", status["availableReplicas"], "cannot be greater than readyReplicas")
