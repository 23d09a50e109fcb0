"""Request bodies in protobuf, read into the JSON that the same client could have sent.

kubectl and other client-go programs send objects of built-in kinds as application/vnd.kubernetes.protobuf wherever they
have a Go type for them (`kubectl create deployment`, `kubectl auth can-i`). `http/edge.py` has such a body translated
here, so that nobody else has to know; `decode.py` then reads it like any other and drops what Go leaves empty.

Answers are JSON: these clients say that they take it too. The wire format is protobuf's, in which a number names a field
of a struct; the numbers come from the Go types' tags (`documents.numbers`).
"""

from __future__ import annotations

import base64
import json
import re
import struct
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from twinloop.apiserver import codec
from twinloop.apiserver.builtin import documents
from twinloop.apiserver.builtin.decode import PACKAGES
from twinloop.apiserver.clock import micro_timestamp, timestamp

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\x00"

Wire = int | bytes
Read = Callable[[Any], Any]
_MAP = re.compile(r"map\[(.+?)\](.+)")


class Unreadable(ValueError):
    """Not what it says it is."""


def to_json(body: bytes) -> bytes | None:
    """The object in a protobuf body as JSON; None for a kind without a Go type. Raises Unreadable."""
    if not body.startswith(_MAGIC):
        raise Unreadable("no magic number")
    try:
        envelope = dict(_fields(body[len(_MAGIC) :]))
        names = {number: value.decode() for number, value in _fields(envelope.get(1, b""))}
        api_version, kind = names.get(1, ""), names.get(2, "")
        go_type = _go_type(api_version, kind)
        if go_type not in known_structs():
            return None
        return codec.encode({"kind": kind, "apiVersion": api_version, **_reader(go_type)(envelope.get(2, b""))})
    except (ValueError, AttributeError, TypeError, IndexError, struct.error, OverflowError) as error:
        raise Unreadable(str(error)) from None


def _go_type(api_version: str, kind: str) -> str:
    package = "meta" if kind == "DeleteOptions" else PACKAGES.get(api_version.rpartition("/")[0], "")
    return f"{package}.{kind}"


@cache
def known_structs() -> dict[str, list[tuple[str, str, int]]]:
    """Struct -> its fields as (JSON name, type, number); name "" for a struct whose fields stand in its parent."""
    structs, numbers = documents.go_types()["structs"], documents.numbers()
    return {
        name: [(field[0], field[1], number) for field, number in zip(fields, numbers[name], strict=True) if number]
        for name, fields in structs.items()
    }


# ---------------------------------------------------------------------------------------------- the wire


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """Field numbers with their values as they stand there: ints, or bytes for all that has a length."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, wire_type = key >> 3, key & 7
        if wire_type == 0:
            value, at = _varint(data, at)
            yield number, value
            continue
        length = {1: 8, 5: 4}.get(wire_type, 0)
        if wire_type == 2:
            length, at = _varint(data, at)
        elif not length:
            raise Unreadable(f"wire type {wire_type}")
        if at + length > len(data):
            raise Unreadable("unexpected end")
        yield number, data[at : at + length]
        at += length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
        if shift > 63:
            raise Unreadable("integer overflow")


# ---------------------------------------------------------------------------------------------- Go types


@cache
def _reader(go_type: str) -> Read:
    """What reads one value of a type."""
    plain = _resolve(go_type.lstrip("*"))
    if plain in _SCALARS:
        return _SCALARS[plain]
    if plain in known_structs():
        return _struct(plain)
    raise Unreadable(f"no type {go_type}")


def _resolve(go_type: str) -> str:
    named = _named()
    while go_type in named and go_type not in _SCALARS:
        go_type = named[go_type]
    return go_type


@cache
def _named() -> dict[str, str]:
    found: dict[str, str] = documents.go_types()["named"]
    return found


def _struct(name: str) -> Read:
    fields = known_structs()[name]
    stores: dict[int, Callable[[dict[str, Any], Any], None]] = {}

    def read(data: bytes) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for number, value in _fields(data):
            store = stores.get(number)
            if store is not None:
                store(found, value)
        return found

    def fill() -> None:
        for json_name, go_type, number in fields:
            stores[number] = _store(json_name, _resolve(go_type.lstrip("*")))

    def first(data: bytes) -> dict[str, Any]:
        if not stores:  # only now: a JSON schema has fields of its own type
            fill()
        return read(data)

    return first


def _store(name: str, go_type: str) -> Callable[[dict[str, Any], Any], None]:
    """How one occurrence of a field gets into its struct: a repeated one adds to what is there."""
    if match := _MAP.fullmatch(go_type):
        return _into_map(name, _reader(match[2]))
    if go_type.startswith("[]") and go_type != "[]byte":
        return _into_list(name, _reader(go_type[2:]))
    read = _reader(go_type)
    if not name:
        return lambda found, value: found.update(read(value))
    return lambda found, value: found.__setitem__(name, read(value))


def _into_list(name: str, read: Read) -> Callable[[dict[str, Any], Any], None]:
    return lambda found, value: found.setdefault(name, []).append(read(value))


def _into_map(name: str, read: Read) -> Callable[[dict[str, Any], Any], None]:
    def store(found: dict[str, Any], value: bytes) -> None:
        entry = dict(_fields(value))
        found.setdefault(name, {})[entry.get(1, b"").decode()] = read(entry.get(2, b""))

    return store


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


def _moment(data: bytes, shown: Callable[[float], str]) -> str | None:
    """A time: seconds and nanoseconds; nothing at all is Go's zero time, null in JSON."""
    if not data:
        return None
    found = dict(_fields(data))
    return shown(_signed(found.get(1, 0)) + found.get(2, 0) / 1e9)


def _wrapped(data: bytes) -> Any:
    """JSON within bytes."""
    raw = dict(_fields(data)).get(1, b"")
    return json.loads(raw) if raw else None


def _int_or_string(data: bytes) -> int | str:
    found = dict(_fields(data))
    return str(found.get(3, b"").decode()) if found.get(1) else _signed(found.get(2, 0))


def _strings(data: bytes, number: int = 1) -> list[str]:
    return [value.decode() for key, value in _fields(data) if key == number]


def _schema(data: bytes) -> Any:
    return _reader("apiextensions.JSONSchemaProps")(data)


def _schema_or_array(data: bytes) -> Any:
    found = list(_fields(data))
    return _schema(found[0][1]) if found and found[0][0] == 1 else [_schema(value) for _, value in found]


def _schema_or_bool(data: bytes) -> Any:
    found = dict(_fields(data))
    return _schema(found[2]) if 2 in found else bool(found.get(1))


def _schema_or_strings(data: bytes) -> Any:
    found = dict(_fields(data))
    return _schema(found[1]) if 1 in found else _strings(data, 2)


_SCALARS: dict[str, Read] = {
    "string": bytes.decode,
    "types.UID": bytes.decode,
    "bool": bool,
    "int32": _signed,
    "int64": _signed,
    "float64": lambda data: struct.unpack("<d", data)[0],
    "[]byte": lambda data: base64.b64encode(data).decode(),
    "meta.Time": lambda data: _moment(data, timestamp),
    "meta.MicroTime": lambda data: _moment(data, micro_timestamp),
    "meta.FieldsV1": _wrapped,
    "resource.Quantity": lambda data: dict(_fields(data)).get(1, b"").decode(),
    "intstr.IntOrString": _int_or_string,
    "authentication.ExtraValue": _strings,
    "apiextensions.JSON": _wrapped,
    "apiextensions.JSONSchemaPropsOrArray": _schema_or_array,
    "apiextensions.JSONSchemaPropsOrBool": _schema_or_bool,
    "apiextensions.JSONSchemaPropsOrStringArray": _schema_or_strings,
}
