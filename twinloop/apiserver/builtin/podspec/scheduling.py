"""Where a pod may run: tolerations, affinity, spread constraints, gates.

`spec.py` calls these.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from twinloop.apiserver import names
from twinloop.apiserver.builtin.checks import Errors, each_of, label_selector, qualified, requirement, words
from twinloop.apiserver.fielderrors import FieldError, duplicate, invalid, not_supported, required

Object = dict[str, Any]

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_UNIQUE_TAINTS = "taints must be unique by key and effect pair"
NOT_POSITIVE = "must be greater than zero"


def tolerations(path: str, listed: Iterable[Object]) -> Errors:
    """`tolerations`."""
    return each_of(listed, path, _toleration)


def _toleration(path: str, toleration: Object) -> Errors:
    key, operator, effect = (toleration.get(name, "") for name in ("key", "operator", "effect"))
    if key:
        yield from qualified(f"{path}.key", key)
    elif operator != "Exists":
        why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
        yield invalid(f"{path}.operator", operator, why)
    if "tolerationSeconds" in toleration and effect != "NoExecute":
        yield invalid(f"{path}.effect", effect, "effect must be 'NoExecute' when `tolerationSeconds` is set")
    yield from _toleration_value(f"{path}.operator", operator, toleration.get("value", ""))
    if effect and effect not in EFFECTS:
        yield not_supported(f"{path}.effect", effect, EFFECTS)


def _toleration_value(path: str, operator: str, value: str) -> Errors:
    if operator in {"", "Equal"}:
        problems = names.label_value(value)
        if problems:
            yield invalid(path, value, ";".join(problems))
    elif operator != "Exists":
        yield not_supported(path, operator, ("Equal", "Exists"))
    elif value:
        yield invalid(path, value, "value must be empty when `operator` is 'Exists'")


def affinity(path: str, found: Object) -> Errors:
    """`affinity`."""
    if "nodeAffinity" in found:
        yield from _node_affinity(f"{path}.nodeAffinity", found["nodeAffinity"])
    for name in ("podAffinity", "podAntiAffinity"):
        if name in found:
            yield from _pod_affinity(f"{path}.{name}", found[name])


def _node_affinity(path: str, found: Object) -> Errors:
    if _REQUIRED in found:
        at, terms = f"{path}.{_REQUIRED}.nodeSelectorTerms", found[_REQUIRED]["nodeSelectorTerms"]
        if not terms:
            yield required(at, "must have at least one node selector term")
        yield from each_of(terms, at, _node_term)
    for index, term in enumerate(found.get(_PREFERRED, ())):
        at = f"{path}.{_PREFERRED}[{index}]"
        yield from _weight(f"{at}.weight", term["weight"])
        yield from _node_term(f"{at}.preference", term["preference"])


def _node_term(path: str, term: Object) -> Errors:
    for index, each in enumerate(term.get("matchExpressions", ())):
        yield from requirement(f"{path}.matchExpressions[{index}]", each, numeric=("Gt", "Lt"))
    for index, each in enumerate(term.get("matchFields", ())):
        yield from _field_requirement(f"{path}.matchFields[{index}]", each)


def _field_requirement(path: str, expression: Object) -> Errors:
    if expression["operator"] not in {"In", "NotIn"}:
        yield invalid(f"{path}.operator", expression["operator"], "not a valid selector operator")
    elif len(expression.get("values", ())) != 1:
        why = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
        yield required(f"{path}.values", why)
    if expression["key"] != "metadata.name":
        yield invalid(f"{path}.key", expression["key"], "not a valid field selector key")
        return
    for index, value in enumerate(expression.get("values", ())):
        yield from words(f"{path}.values[{index}]", value, names.subdomain(value))


def _pod_affinity(path: str, found: Object) -> Errors:
    yield from each_of(found.get(_REQUIRED), f"{path}.{_REQUIRED}", _pod_term)
    for index, term in enumerate(found.get(_PREFERRED, ())):
        at = f"{path}.{_PREFERRED}[{index}]"
        yield from _weight(f"{at}.weight", term["weight"])
        yield from _pod_term(f"{at}.podAffinityTerm", term["podAffinityTerm"])


def _weight(path: str, weight: int) -> Errors:
    if not 0 < weight <= 100:
        yield invalid(path, weight, "must be in the range 1-100")


def _pod_term(path: str, term: Object) -> Errors:
    yield from label_selector(f"{path}.labelSelector", term.get("labelSelector"))
    yield from label_selector(f"{path}.namespaceSelector", term.get("namespaceSelector"))
    for name in term.get("namespaces", ()):
        yield from words(f"{path}.namespace", name, names.label(name))
    if not term["topologyKey"]:
        yield required(f"{path}.topologyKey", "can not be empty")
    yield from qualified(f"{path}.topologyKey", term["topologyKey"])


def spread(path: str, listed: list[Object]) -> Errors:
    """`topologySpreadConstraints`."""
    for index, constraint in enumerate(listed):
        yield from _spread(f"{path}[{index}]", constraint, listed[index + 1 :])


def _spread(path: str, constraint: Object, rest: list[Object]) -> Errors:
    key, action = constraint["topologyKey"], constraint["whenUnsatisfiable"]
    if constraint["maxSkew"] <= 0:
        yield invalid(f"{path}.maxSkew", constraint["maxSkew"], NOT_POSITIVE)
    if not key:
        yield required(f"{path}.topologyKey", "can not be empty")
    if action not in {"DoNotSchedule", "ScheduleAnyway"}:
        yield not_supported(f"{path}.whenUnsatisfiable", action, ("DoNotSchedule", "ScheduleAnyway"))
    if any((each["topologyKey"], each["whenUnsatisfiable"]) == (key, action) for each in rest):
        yield duplicate(f"{path}.{{topologyKey, whenUnsatisfiable}}", f"{{{key}, {action}}}")
    yield from _domains(f"{path}.minDomains", constraint.get("minDomains"), action)
    for name in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
        if constraint.get(name, "Honor") not in {"Honor", "Ignore"}:
            yield not_supported(f"{path}.{name}", constraint[name], ("Honor", "Ignore"))
    yield from label_selector(f"{path}.labelSelector", constraint.get("labelSelector"))


def _domains(path: str, number: int | None, action: str) -> Errors:
    if number is None:
        return
    if number <= 0:
        yield invalid(path, number, NOT_POSITIVE)
    if action != "DoNotSchedule":
        yield invalid(path, number, f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}")


def gates(path: str, listed: Iterable[Object]) -> Errors:
    """`schedulingGates`."""
    seen: set[str] = set()
    for index, gate in enumerate(listed):
        yield from qualified(f"{path}[{index}]", gate["name"])
        if gate["name"] in seen:
            yield duplicate(f"{path}[{index}]", gate["name"])
        seen.add(gate["name"])


def taints(path: str, listed: Iterable[Object]) -> Errors:
    """Taints of a node, which tolerations answer to."""
    seen: set[tuple[str, str]] = set()
    for index, taint in enumerate(listed):
        at, effect = f"{path}[{index}]", taint["effect"]
        yield from qualified(f"{at}.key", taint["key"])
        problems = names.label_value(taint.get("value", ""))
        if problems:
            yield invalid(f"{at}.value", taint.get("value", ""), ";".join(problems))
        if not effect:
            yield required(f"{at}.effect")
        elif effect not in EFFECTS:
            yield not_supported(f"{at}.effect", effect, EFFECTS)
        if (taint["key"], effect) in seen:
            yield FieldError("FieldValueDuplicate", at, f"Duplicate value: {_go_taint(taint)}: {_UNIQUE_TAINTS}")
            continue
        seen.add((taint["key"], effect))


def _go_taint(taint: Object) -> str:
    names_of = {"Key": "key", "Value": "value", "Effect": "effect"}
    shown = {name: taint.get(key, "") for name, key in names_of.items()}
    return json.dumps({**shown, "TimeAdded": taint.get("timeAdded")}, separators=(",", ":"))
