"""Type and metadata of whole objects, at the root of a custom resource and wherever a schema embeds one.

`custom.py` calls `read_metadata` for the root and `coerce` for the rest while decoding, and `check` while validating.
A schema says nothing about metadata: it is read as Go reads ObjectMeta, so labels with a number in them are a 400.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from twinloop.apiserver import metadata, names
from twinloop.apiserver.builtin import decode
from twinloop.apiserver.builtin.scalars import Unreadable
from twinloop.apiserver.fielderrors import FieldError, invalid, required
from twinloop.apiserver.schemas.correlation import field_schema

Schema = Mapping[str, Any]
_MARKED = "x-kubernetes-embedded-resource"


class Malformed(Exception):
    """An object that cannot be read at all; the text is what the API server says."""


def read_metadata(obj: dict[str, Any], path: str = "metadata") -> list[str]:
    """Read an object's metadata in place; returns the paths of unknown fields. Raises `Malformed`."""
    if obj.get("metadata") is None:
        return []
    try:
        obj["metadata"], problems = decode.read("meta.ObjectMeta", obj["metadata"])
    except Unreadable as error:
        raise Malformed(str(error)) from None
    return [f"{path}.{each.removeprefix('unknown field ')[1:-1]}" for each in problems]


def has_embedded(schema: Schema) -> bool:
    """Whether anything below the root embeds an object, so that most kinds can skip this."""
    below = [*(schema.get("properties") or {}).values(), schema.get("items"), schema.get("additionalProperties")]
    return any(isinstance(each, Mapping) and (bool(each.get(_MARKED)) or has_embedded(each)) for each in below)


def coerce(value: Any, schema: Schema | None, path: str = "") -> list[str]:
    """Read the metadata of embedded objects in place; returns the paths of unknown fields. Raises `Malformed`."""
    unknown: list[str] = []
    if isinstance(value, dict) and schema is not None:
        if schema.get(_MARKED):
            unknown += _coerce_object(value, path)
        for name in value:
            unknown += coerce(value[name], field_schema(schema, name), _child(schema, path, name))
    elif isinstance(value, list) and schema is not None:
        for index, each in enumerate(value):
            unknown += coerce(each, schema.get("items"), f"{path}[{index}]")
    return unknown


def _coerce_object(value: dict[str, Any], path: str) -> list[str]:
    for name in ("apiVersion", "kind"):
        if name in value and not isinstance(value[name], str):
            raise Malformed(str(invalid(f"{path}.{name}", value[name], "must be a string")))
    given = value.get("metadata")
    try:
        return read_metadata(value, f"{path}.metadata")
    except Malformed as error:
        raise Malformed(str(invalid(f"{path}.metadata", given, str(error)))) from None


def check(value: Any, schema: Schema | None, path: str = "") -> Iterator[FieldError]:
    """What is wrong with type and metadata of embedded objects."""
    if isinstance(value, dict) and schema is not None:
        if schema.get(_MARKED):
            yield from check_object(value, path)
        for name in value:
            yield from check(value[name], field_schema(schema, name), _child(schema, path, name))
    elif isinstance(value, list) and schema is not None:
        for index, each in enumerate(value):
            yield from check(each, schema.get("items"), f"{path}[{index}]")


def check_object(value: dict[str, Any], path: str) -> Iterator[FieldError]:
    """One embedded object."""
    prefix = f"{path}." if path else ""
    for name in ("apiVersion", "kind"):
        if name not in value:
            yield required(f"{prefix}{name}")
    if "apiVersion" in value:
        yield from _check_api_version(value["apiVersion"], f"{prefix}apiVersion")
    if "kind" in value:
        yield from _check_kind(value["kind"], f"{prefix}kind")
    if isinstance(value.get("metadata"), dict):
        meta = {"name": "fakename", **value["metadata"]}
        namespaced = bool(meta.get("namespace"))
        for error in metadata.validate(meta, namespaced=namespaced, check=metadata.any_name, core=False):
            yield replace(error, path=f"{prefix}{error.path}")


def _check_api_version(value: Any, path: str) -> Iterator[FieldError]:
    if not isinstance(value, str):
        yield invalid(path, value, "must be a string")
    elif not value:
        yield invalid(path, value, "must not be empty")
    elif value.count("/") > 1:
        yield invalid(path, value, f"unexpected GroupVersion string: {value}")


def _check_kind(value: Any, path: str) -> Iterator[FieldError]:
    if not isinstance(value, str):
        yield invalid(path, value, "must be a string")
    elif not value:
        yield invalid(path, value, "must not be empty")
    elif problems := names.dns_1035_label(value.lower()):
        yield invalid(path, value, f"may have mixed case, but should otherwise match: {','.join(problems)}")


def _child(schema: Schema, path: str, name: str) -> str:
    if name not in (schema.get("properties") or {}):
        return f"{path}[{name}]"
    return f"{path}.{name}" if path else name
