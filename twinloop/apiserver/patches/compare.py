"""Which fields two states of an object differ in, and which fields an object has: values in, sets of fields out.

`managed_fields.update` compares what was with what will be, to learn what a write takes for itself and what it takes
from others; `apply.py` does the same, and asks for the set of an applied configuration. The rules are those of
structured-merge-diff's compare and toFieldSet walkers: what is atomic is one field, an item of a list with keys is
known by them, null and an empty list are told apart only where nothing else is there.
"""

from __future__ import annotations

import marshal
from dataclasses import dataclass
from typing import Any

from twinloop.apiserver.patches import elements
from twinloop.apiserver.patches.fieldset import EMPTY, LEAF, MEMBER, Fields
from twinloop.apiserver.patches.typed import DEDUCED, Typed

_CONTAINERS = (dict, list)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two sets: fields that were and are no longer, fields that are new or have another value."""

    removed: Fields
    changed: Fields

    @property
    def same(self) -> bool:
        """Nothing differs."""
        return not (self.removed or self.changed)


def compare(old: dict[str, Any], new: dict[str, Any], typed: Typed) -> Comparison:
    """How `new` differs from `old`. Raises `elements.NoElement` when a list's items cannot be told apart."""
    removed, changed = _maps(typed, old, new)
    return Comparison(removed, changed)


def whole(typed: Typed, value: Any) -> Fields:
    """Every field at and below a value, as it is added or removed in one piece."""
    if type(value) is dict:
        return _whole_map(typed, value) if value and not typed.atomic_map else LEAF
    if type(value) is list:
        return _whole_list(typed, value) if value and not typed.atomic_list else LEAF
    return LEAF


def field_set(value: dict[str, Any], typed: Typed) -> Fields:
    """The fields that a configuration says something about: leaves, items, and names that no schema declares."""
    return _set_of_map(typed, value)


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal as JSON: true is not 1, and the order of names does not matter."""
    if one is other:
        return True
    return bool(one == other) and (marshal.dumps(one, 2) == marshal.dumps(other, 2) or _same_types(one, other))


def _same_types(one: Any, other: Any) -> bool:
    """Of two values that Python takes for equal, whether JSON does."""
    if type(one) is dict:
        return all(_same_types(value, other[key]) for key, value in one.items())
    if type(one) is list:
        return all(_same_types(value, other[at]) for at, value in enumerate(one))
    return (type(one) is bool) is (type(other) is bool)


def _whole_map(typed: Typed, value: dict[str, Any]) -> Fields:
    fields, found = typed.fields, {MEMBER: LEAF}
    for name in sorted(value):
        below = value[name]
        if type(below) in _CONTAINERS and below:
            found["f:" + name] = whole(fields.get(name) or typed.values or DEDUCED, below)
        else:
            found["f:" + name] = LEAF
    return found


def _whole_list(typed: Typed, value: list[Any]) -> Fields:
    element = typed.element
    if len(value) == 1:
        return {MEMBER: LEAF, elements.of_item(typed, value[0]): whole(element, value[0])}
    items = _by_element(typed, value)
    found = {key: LEAF if len(same_key) > 1 else whole(element, same_key[0]) for key, same_key in items.items()}
    return {MEMBER: LEAF, **found}


def _differ(typed: Typed, old: Any, new: Any) -> tuple[Fields | None, Fields | None]:
    """What is removed and changed at a field that both have; None is nothing."""
    if old is new or same(old, new):
        return None, None
    shape = type(new) if new is not None else type(old)
    if shape not in _CONTAINERS or type(old) not in {shape, type(None)}:
        return _lost(typed, old), whole(typed, new)
    atomic = typed.atomic_map if shape is dict else typed.atomic_list
    if atomic or not (old or new):
        return None, LEAF
    walk: Any = _maps if shape is dict else _lists
    removed, changed = walk(typed, old or shape(), new or shape())
    return removed or None, changed or None


def _lost(typed: Typed, old: Any) -> Fields | None:
    """What was below a value that becomes one of another type, if anything was."""
    return {key: below for key, below in whole(typed, old).items() if key != MEMBER} or None


def _maps(typed: Typed, old: dict[str, Any], new: dict[str, Any]) -> tuple[Fields, Fields]:
    removed, changed, fields = {}, {}, typed.fields
    for name in sorted(new):
        value, below = new[name], fields.get(name) or typed.values or DEDUCED
        if name not in old:
            changed["f:" + name] = whole(below, value)
            continue
        gone, other = _differ(below, old[name], value)
        if gone is not None:
            removed["f:" + name] = gone
        if other is not None:
            changed["f:" + name] = other
    for name in sorted(old.keys() - new.keys()):
        removed["f:" + name] = whole(fields.get(name) or typed.values or DEDUCED, old[name])
    return removed, changed


def _lists(typed: Typed, old: list[Any], new: list[Any]) -> tuple[Fields, Fields]:
    removed: Fields = {}
    changed: Fields = {}
    before, after = _by_element(typed, old), _by_element(typed, new)
    for key in sorted({**before, **after}, key=elements.order):
        gone, other = _items(typed.element, before.get(key, ()), after.get(key, ()))
        if gone is not None:
            removed[key] = gone
        if other is not None:
            changed[key] = other
    return removed, changed


def _by_element(typed: Typed, items: list[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for item in items:
        found.setdefault(elements.of_item(typed, item), []).append(item)
    return {key: found[key] for key in sorted(found, key=elements.order)} if len(found) > 1 else found


def _items(typed: Typed, old: Any, new: Any) -> tuple[Fields | None, Fields | None]:
    """The same for the items of one key: duplicates count as one field together."""
    if len(old) == 1 and len(new) == 1:
        return _differ(typed, old[0], new[0])
    if len(old) > 1 and len(new) > 1:
        return None, None if same(old, new) else LEAF
    removed = None if not old else LEAF if len(old) > 1 else whole(typed, old[0])
    changed = None if not new else LEAF if len(new) > 1 else whole(typed, new[0])
    return removed, changed


def _set_of(typed: Typed, value: Any) -> tuple[bool, Fields]:
    """Whether a value is a field itself, and which fields are below it."""
    if type(value) is dict:
        return (True, EMPTY) if typed.atomic_map else (False, _set_of_map(typed, value))
    if type(value) is list:
        return (True, EMPTY) if typed.atomic_list else (False, _set_of_list(typed, value))
    return True, EMPTY


def _set_of_map(typed: Typed, value: dict[str, Any]) -> Fields:
    found, fields = {}, typed.fields
    for name in sorted(value):
        below, declared = value[name], fields.get(name)
        member, deeper = _set_of(declared or typed.values or DEDUCED, below)
        if member or declared is None or below is None or below == {}:
            found["f:" + name] = {MEMBER: LEAF, **deeper} if deeper else LEAF
        elif deeper:
            found["f:" + name] = deeper
    return found


def _set_of_list(typed: Typed, value: list[Any]) -> Fields:
    found = {}
    for key, items in _by_element(typed, value).items():
        deeper = _set_of(typed.element, items[0])[1] if len(items) == 1 else EMPTY
        found[key] = {MEMBER: LEAF, **deeper} if deeper else LEAF
    return found
