"""Values that Python has no type of its own for, and the errors of evaluation.

int, float, bool, str, bytes, list, dict and None are themselves; times are `Timestamp` and `Duration`. `of_schema` makes
CEL's values of an object's JSON, following apiserver's UnstructuredToVal.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from twinloop.apiserver.schemas.cel import moments
from twinloop.apiserver.schemas.cel.types import escape

Schema = Mapping[str, Any]
Convert = Callable[[Any], Any]


class CelError(Exception):
    """Evaluation came to no value."""


class UInt(int):
    """An unsigned integer, which is equal to an integer and yet of another type."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Optional:
    """A value or none."""

    value: Any = None
    present: bool = True


NONE = Optional(present=False)


@dataclass(frozen=True, slots=True)
class TypeValue:
    """What `type(x)` and the name `int` are."""

    name: str


class SetList(list[Any]):
    """A list whose order does not matter: x-kubernetes-list-type set."""


class MapList(list[Any]):
    """A list whose items have keys: x-kubernetes-list-type map."""

    def __init__(self, items: list[Any], keys: tuple[str, ...]) -> None:
        super().__init__(items)
        self.keys = keys

    def key(self, item: Any) -> tuple[Any, ...]:
        """The values of an item's keys."""
        return tuple(item.get(each) for each in self.keys)


def of_schema(schema: Schema) -> Convert | None:
    """What makes CEL's value of a JSON value; None where they are the same, as nearly everywhere."""
    kind = schema.get("type")
    if schema.get("x-kubernetes-int-or-string"):
        return None
    if kind == "array":
        return _of_array(schema)
    if kind == "object":
        return _of_object(schema)
    if kind == "string":
        return _FORMATS.get(schema.get("format") or "")
    return float if kind == "number" else None


def _of_array(schema: Schema) -> Convert | None:
    item = of_schema(schema.get("items") or {})
    kind = schema.get("x-kubernetes-list-type")
    keys = tuple(schema.get("x-kubernetes-list-map-keys") or ())

    def convert(value: Any) -> Any:
        items = [item(each) for each in value] if item else value
        if kind == "set":
            return SetList(items)
        return MapList(items, keys) if kind == "map" else items

    return convert if item or kind in {"set", "map"} else None


def _of_object(schema: Schema) -> Convert | None:
    additional = schema.get("additionalProperties")
    if isinstance(additional, Mapping):
        each = of_schema(additional)
        return (lambda value: {key: each(below) for key, below in value.items()}) if each else None
    names = {key: escape(key) or key for key in schema.get("properties") or {}}
    below = {key: of_schema(found) for key, found in (schema.get("properties") or {}).items()}
    different = {key: (names[key], below[key]) for key in names if below[key] or names[key] != key}
    if not different:
        return None

    def convert(value: Any) -> Any:
        result = dict(value)
        for key, (name, change) in different.items():
            if key in value:
                found = result.pop(key)
                result[name] = change(found) if change and found is not None else found
        return result

    return convert


def _bytes(value: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(value)
    except binascii.Error as error:
        raise CelError(f"Invalid byte formatted string {value}: {error}") from None


_FORMATS: dict[str, Convert] = {
    "byte": _bytes,
    "duration": moments.parse_long_duration,
    "date": moments.parse_date,
    "date-time": moments.parse_time,
}
