"""Lists that say they are sets or maps: no item twice, no two items with the same keys.

The step after `validation.py` in `schema.py`. JSON Schema cannot say this, and server-side apply relies on it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

from twinloop.apiserver import gofmt
from twinloop.apiserver.fielderrors import FieldError, duplicate, invalid
from twinloop.apiserver.schemas.correlation import field_schema

Schema = Mapping[str, Any]
_NO_OBJECT = "must be an object for an array of list-type map"


def has_list_types(schema: Schema) -> bool:
    """Whether any list below needs to be looked at, so that most kinds can skip this."""
    if schema.get("x-kubernetes-list-type") in {"set", "map"}:
        return True
    below = [*(schema.get("properties") or {}).values(), schema.get("items"), schema.get("additionalProperties")]
    return any(isinstance(each, Mapping) and has_list_types(each) for each in below)


def duplicates(value: Any, schema: Schema | None, path: str = "") -> Iterator[FieldError]:
    """What appears twice, at and below `path`."""
    if isinstance(value, dict) and schema is not None:
        declared = schema.get("properties") or {}
        for name, each in value.items():
            where = _child(path, name) if name in declared else f"{path}[{name}]"
            yield from duplicates(each, field_schema(schema, name), where)
    elif isinstance(value, list) and schema is not None:
        kind = schema.get("x-kubernetes-list-type")
        if kind == "set":
            yield from (duplicate(f"{path}[{index}]", value[index]) for index in _repeated(value))
        elif kind == "map":
            yield from _in_map(value, schema, path)
        for index, each in enumerate(value):
            yield from duplicates(each, schema.get("items"), f"{path}[{index}]")


def _child(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _in_map(value: list[Any], schema: Schema, path: str) -> Iterator[FieldError]:
    for index, each in enumerate(value):
        if each is not None and not isinstance(each, dict):
            yield invalid(f"{path}[{index}]", each, _NO_OBJECT)
            return
    names = schema.get("x-kubernetes-list-map-keys") or ()
    keys = [{name: each[name] for name in names if each and name in each} for each in value]
    yield from (duplicate(f"{path}[{index}]", keys[index]) for index in _repeated(keys))


def _repeated(values: list[Any]) -> Iterator[int]:
    """Where a value appears for the second time; the third time is not told."""
    seen: dict[Hashable, int] = {}
    for index, each in enumerate(values):
        key = gofmt.marshal(each) if isinstance(each, dict | list) else (type(each), each)
        seen[key] = seen.get(key, 0) + 1
        if seen[key] == 2:
            yield index
