"""From one type to another: int("5"), string(3.0), duration("10s"), and `size`.

A part of `functions.py`. What cannot be converted is an error in cel-go's words.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from twinloop.apiserver import gofmt
from twinloop.apiserver.schemas.cel.moments import SECOND, Duration, Timestamp, parse_duration, parse_time
from twinloop.apiserver.schemas.cel.values import CelError, Optional, TypeValue, UInt

_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})


def _int(value: Any) -> int:
    if isinstance(value, Timestamp):
        return value.nanoseconds // SECOND
    if isinstance(value, Duration):
        return value.nanoseconds
    found = _whole(value, "int")
    if not -(1 << 63) <= found < 1 << 63:
        raise CelError("integer overflow")
    return found


def _uint(value: Any) -> UInt:
    found = _whole(value, "uint")
    if not 0 <= found < 1 << 64:
        raise CelError("unsigned integer overflow")
    return UInt(found)


def _whole(value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError
    if isinstance(value, float) and not math.isfinite(value):
        raise CelError("integer overflow")
    try:
        return int(value)
    except ValueError:
        raise CelError(f"type conversion error from 'string' to '{name}'") from None


def _double(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError
    try:
        return float(value)
    except ValueError:
        raise CelError("type conversion error from 'string' to 'double'") from None


def _string(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return gofmt.number(value)
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, list | dict | Optional | None):
        raise TypeError
    return str(value)


def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in _TRUE or value in _FALSE:
        return value in _TRUE
    raise CelError("type conversion error from 'string' to 'bool'")


def _timestamp(value: Any) -> Timestamp:
    if isinstance(value, Timestamp):
        return value
    return Timestamp(value * SECOND) if isinstance(value, int) else _parsed(value, parse_time, "Timestamp")


def _duration(value: Any) -> Duration:
    if isinstance(value, Duration):
        return value
    return Duration(value) if isinstance(value, int) else _parsed(value, parse_duration, "Duration")


def _parsed(text: str, parse: Callable[[str], Any], name: str) -> Any:
    try:
        return parse(text)
    except ValueError:
        raise CelError(f"type conversion error from 'string' to 'google.protobuf.{name}'") from None


_NAMES: dict[type, str] = {
    bool: "bool", int: "int", UInt: "uint", float: "double", str: "string", bytes: "bytes", type(None): "null_type",
    Timestamp: "google.protobuf.Timestamp", Duration: "google.protobuf.Duration", Optional: "optional_type",
    TypeValue: "type",
}  # fmt: skip


def _type(value: Any) -> TypeValue:
    if isinstance(value, list):
        return TypeValue("list")
    return TypeValue("map") if isinstance(value, dict) else TypeValue(_NAMES[type(value)])


def _size(value: Any) -> int:
    if not isinstance(value, str | bytes | list | dict):
        raise TypeError
    return len(value)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "int": _int,
    "uint": _uint,
    "double": _double,
    "string": _string,
    "bytes": lambda value: value if isinstance(value, bytes) else value.encode(),
    "bool": _bool,
    "timestamp": _timestamp,
    "duration": _duration,
    "dyn": lambda value: value,
    "type": _type,
    "size": _size,
}
