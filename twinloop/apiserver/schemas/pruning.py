"""Dropping what a structural schema does not know of.

`custom.py` prunes every object that comes in, and asks for the paths of what went, which field validation reports as
`unknown field "spec.replica"`. What stands below x-kubernetes-preserve-unknown-fields stays, but for the parts of it
that the schema does describe; metadata is not this module's business (`embedded.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

META_FIELDS = frozenset({"apiVersion", "kind", "metadata"})


def prune(obj: dict[str, Any], schema: Schema, *, root: bool = True) -> list[str]:
    """Drop unknown fields in place; returns their paths, sorted. `root`: a whole object with type and metadata."""
    dropped: list[str] = []
    _prune(obj, {**schema, "x-kubernetes-embedded-resource": True} if root else schema, "", dropped)
    return sorted(dropped)


def _prune(value: Any, schema: Schema | None, path: str, dropped: list[str]) -> None:
    if schema is not None and schema.get("x-kubernetes-preserve-unknown-fields"):
        _skip(value, schema, path, dropped)
    elif isinstance(value, dict):
        _prune_object(value, schema, path, dropped)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            _prune(each, (schema or {}).get("items"), f"{path}[{index}]", dropped)


def _prune_object(value: dict[str, Any], schema: Schema | None, path: str, dropped: list[str]) -> None:
    for name in list(value):
        if schema and schema.get("x-kubernetes-embedded-resource") and name in META_FIELDS:
            continue
        where = f"{path}.{name}" if path else name
        known, below = _below(schema or {}, name)
        if known:
            _prune(value[name], below, where, dropped)
        else:
            del value[name]
            if path or name not in META_FIELDS:
                dropped.append(where)


def _skip(value: Any, schema: Schema | None, path: str, dropped: list[str]) -> None:
    """Keep what is unknown here, and prune below what is known."""
    if isinstance(value, dict) and schema is not None:
        for name in list(value):
            known, below = _below(schema, name)
            if known and not (schema.get("x-kubernetes-embedded-resource") and name in META_FIELDS):
                _prune(value[name], below, f"{path}.{name}" if path else name, dropped)
    elif isinstance(value, list) and schema is not None:
        for index, each in enumerate(value):
            _skip(each, schema.get("items"), f"{path}[{index}]", dropped)


def _below(schema: Schema, name: str) -> tuple[bool, Schema | None]:
    """Whether a field is known, and its schema if it has one."""
    properties = schema.get("properties") or {}
    if name in properties:
        return True, properties[name]
    additional = schema.get("additionalProperties")
    if additional is None:
        return False, None
    # `true` lets the field in, but says nothing of what is below it, and then nothing below it stays.
    return True, additional if isinstance(additional, Mapping) else None
