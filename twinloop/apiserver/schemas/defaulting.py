"""Filling in the defaults of a structural schema.

`custom.py` does this to every object on its way in, and to stored ones on their way out when a definition has changed
since. A default is a copy each time, and is itself completed by the defaults below it.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from twinloop.apiserver.schemas.correlation import field_schema

Schema = Mapping[str, Any]


def fill(value: Any, schema: Schema | None) -> None:
    """Complete a value in place. A null counts as absent where the schema does not allow null."""
    if schema is None:
        return
    if isinstance(value, dict):
        _fill_object(value, schema)
    elif isinstance(value, list):
        items = schema.get("items")
        for index, each in enumerate(value):
            if each is None and items is not None and not items.get("nullable"):
                value[index] = copy.deepcopy(items.get("default"))
            fill(value[index], items)


def _fill_object(value: dict[str, Any], schema: Schema) -> None:
    properties: Mapping[str, Schema] = schema.get("properties") or {}
    for name, below in properties.items():
        default = below.get("default")
        if default is not None and (name not in value or (value[name] is None and not below.get("nullable"))):
            value[name] = copy.deepcopy(default)
    additional = schema.get("additionalProperties")
    others = additional if isinstance(additional, Mapping) else None
    for name, each in value.items():
        if each is None and name not in properties and others is not None and not others.get("nullable"):
            value[name] = copy.deepcopy(others.get("default"))
        fill(value[name], properties.get(name, others))


def drop_nulls(value: Any, schema: Schema | None) -> None:
    """Drop nulls from fields that neither allow null nor have a default, as a Go struct would not keep them."""
    if isinstance(value, dict):
        for name in list(value):
            below = field_schema(schema or {}, name)
            if value[name] is None and below is not None and not below.get("nullable") and below.get("default") is None:
                del value[name]
            else:
                drop_nulls(value[name], below)
    elif isinstance(value, list):
        for each in value:
            drop_nulls(each, (schema or {}).get("items"))
