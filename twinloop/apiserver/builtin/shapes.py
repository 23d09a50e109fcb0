"""The readers of the API's Go types, built when a kind is first decoded, one per type.

`documents.py` says what the types are, `readers.py` and `scalars.py` how they are read; `decode.py` calls the reader of
a kind.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from twinloop.apiserver.builtin import documents, scalars
from twinloop.apiserver.builtin.readers import List, Map, Plain, Pointer, Reader, Single, Struct, Trail


@cache
def struct(name: str) -> Struct:
    """The reader of a Go struct by package and name, such as core.Pod."""
    found = Struct(_shown(name))
    _BUILDING[name] = found
    _fill(found, name)
    del _BUILDING[name]
    return found


_BUILDING: dict[str, Struct] = {}  # a type that refers to itself, such as JSONSchemaProps, finds itself here
_types = cache(documents.go_types)


def _fill(found: Struct, name: str) -> None:
    for json_name, go_type, options in _types()["structs"][name]:
        if json_name:
            found.add(json_name, reader(go_type), options)
        else:
            _fill(found, go_type.lstrip("*"))


def reader(go_type: str) -> Reader:
    """The reader of any Go type."""
    if go_type in _SPECIAL:
        return _SPECIAL[go_type]
    if go_type.startswith("*"):
        return Pointer(reader(go_type[1:]))
    if go_type.startswith("[]"):
        return List(reader(go_type[2:]))
    if go_type.startswith("map["):
        key, _, element = go_type[4:].partition("]")
        return Map(_shown(key), reader(element))
    return _named(go_type)


def _named(go_type: str) -> Reader:
    target = _types()["named"].get(go_type)
    if target is None:
        return _BUILDING.get(go_type) or struct(go_type)
    found = reader(target)
    if found.plain:
        return Plain(_shown(go_type), found.plain)
    found.go_type = _shown(go_type)
    return found


def _shown(go_type: str) -> str:
    """A type as Go's messages name it: every package of the API is called v1."""
    package, dot, name = go_type.rpartition(".")
    return f"{package if package == 'types' else 'v1'}.{name}" if dot else go_type


def _schema_or(value: Any, trail: Trail, *others: type) -> Any:
    """apiextensions' JSONSchemaPropsOrBool and its like."""
    return value if value.__class__ in others else struct("apiextensions.JSONSchemaProps").read(value, trail)


def _schema_or_list(value: Any, trail: Trail) -> Any:
    if value.__class__ is list:
        return [struct("apiextensions.JSONSchemaProps").read(each, trail) for each in value]
    return _schema_or(value, trail)


def _raw(value: Any) -> Any:
    return value


_SPECIAL: dict[str, Reader] = {
    "string": Plain("string", str),
    "types.UID": Plain("types.UID", str),
    "bool": Plain("bool", bool),
    "int32": Single("int32", 0, scalars.integer("int32", scalars.INT32)),
    "int64": Single("int64", 0, scalars.integer("int64", scalars.INT64)),
    "float64": Single("float64", 0, scalars.float64),
    "[]byte": Single("[]uint8", None, scalars.base64_text),
    "intstr.IntOrString": Single("intstr.IntOrString", 0, scalars.int_or_string, always=True),
    "resource.Quantity": Single("resource.Quantity", "0", scalars.quantity, always=True),
    "meta.Time": Single("v1.Time", None, scalars.time, always=True),
    "meta.MicroTime": Single("v1.MicroTime", None, scalars.micro_time, always=True),
    "meta.FieldsV1": Single("v1.FieldsV1", None, _raw, always=True),
    "apiextensions.JSON": Single("v1.JSON", None, _raw, always=True),
    "apiextensions.JSONSchemaPropsOrBool": Reader(
        "v1.JSONSchemaPropsOrBool", dict, lambda value, trail: _schema_or(value, trail, bool)
    ),
    "apiextensions.JSONSchemaPropsOrStringArray": Reader(
        "v1.JSONSchemaPropsOrStringArray", dict, lambda value, trail: _schema_or(value, trail, list)
    ),
    "apiextensions.JSONSchemaPropsOrArray": Reader("v1.JSONSchemaPropsOrArray", dict, _schema_or_list),
}
