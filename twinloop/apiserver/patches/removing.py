"""Takes a set of fields out of an object, and widens a set to the named fields that stand above its members.

`apply.py` removes with this what an applier no longer applies. The rules are those of structured-merge-diff's removing
walker: a map or list that loses all it has, but is not in the set itself, is left as null.
"""

from __future__ import annotations

from typing import Any

from twinloop.apiserver.patches import elements, fieldset
from twinloop.apiserver.patches.fieldset import EMPTY, LEAF, MEMBER, Fields
from twinloop.apiserver.patches.typed import DEDUCED, Typed


def remove(obj: dict[str, Any], fields: Fields, typed: Typed) -> dict[str, Any]:
    """The object without some fields; it is not changed itself, and the result shares what stays with it."""
    return _from_map(typed, obj, fields) or {}


def with_named(fields: Fields, typed: Typed | None) -> Fields:
    """The set with every declared field that has members below it as a member itself."""
    return {element: _with_named_below(element, below, typed) for element, below in fields.items()}


def _with_named_below(element: str, below: Fields, typed: Typed | None) -> Fields:
    deeper = with_named(fieldset.inner(below), _view(element, typed)) if below else EMPTY
    named = element[:2] == "f:" and typed is not None and element[2:] in typed.fields
    member = fieldset.is_member(below) or named
    return fieldset.node(member, deeper) or LEAF


def _view(element: str, typed: Typed | None) -> Typed | None:
    if typed is None:
        return None
    if element[:2] == "f:":
        return typed.field(element[2:])
    return typed.element if element[:2] == "k:" and typed.has_list else None


def _from(typed: Typed, value: Any, fields: Fields) -> Any:
    """A value without fields below it; None when nothing is left of a container."""
    if type(value) is dict:
        return None if typed.atomic_map else _from_map(typed, value, fields)
    if type(value) is list:
        return None if typed.atomic_list else _from_list(typed, value, fields)
    return value


def _from_map(typed: Typed, value: dict[str, Any], fields: Fields) -> dict[str, Any] | None:
    found = {}
    for name, each in value.items():
        below = fields.get(f"f:{name}")
        if below is None:
            found[name] = each
        elif not fieldset.is_member(below):
            found[name] = _from(typed.field(name) or DEDUCED, each, below)
    return found or None


def _from_list(typed: Typed, value: list[Any], fields: Fields) -> list[Any] | None:
    found = []
    for item in value:
        below = fields.get(elements.of_item(typed, item))
        if below is None:
            found.append(item)
        elif below and MEMBER not in below:
            found.append(_from(typed.element, item, below))
    return found or None
