"""Brings the entries of a custom resource up to a schema that has changed since they were written.

A list or map that became atomic is one field now: who owned anything in it owns it as a whole. The other way round
nothing needs doing, nor can it. `managed_fields.update` and `apply.py` call this before they reckon; the rule is that of
structured-merge-diff's ReconcileFieldSetWithSchema.
"""

from __future__ import annotations

from dataclasses import replace

from twinloop.apiserver.patches import fieldset
from twinloop.apiserver.patches.fieldset import LEAF, Fields
from twinloop.apiserver.patches.managers import Managers
from twinloop.apiserver.patches.typed import DEDUCED, Typed


def reshaped(managers: Managers, typed: Typed) -> Managers:
    """The table in the terms of the present schema. Built-in kinds do not change theirs while the server runs."""
    if typed.native or typed is DEDUCED:
        return managers
    return {manager: replace(owned, fields=_set(owned.fields, typed)) for manager, owned in managers.items()}


def _set(fields: Fields, typed: Typed) -> Fields:
    return {element: _below(below, _view(element, typed)) for element, below in fields.items()}


def _below(below: Fields, typed: Typed | None) -> Fields:
    if not below or typed is None or typed.type in _LEAVES or typed is DEDUCED:
        return below
    if typed.atomic_list if typed.type == "array" else typed.atomic_map:
        return LEAF
    return fieldset.node(fieldset.is_member(below), _set(fieldset.inner(below), typed)) or LEAF


def _view(element: str, typed: Typed) -> Typed | None:
    return typed.field(element[2:]) if element.startswith("f:") else typed.element


_LEAVES = frozenset({"string", "integer", "number", "boolean"})
