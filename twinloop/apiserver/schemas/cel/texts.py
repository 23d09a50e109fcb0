"""Functions of strings: the standard ones, cel-go's strings extension and Kubernetes' regex library.

A part of `functions.py`. Positions count characters, and one out of range is an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from twinloop.apiserver import gofmt
from twinloop.apiserver.schemas.cel.conversions import FUNCTIONS as CONVERSIONS
from twinloop.apiserver.schemas.cel.moments import Duration, Timestamp
from twinloop.apiserver.schemas.cel.values import CelError, TypeValue
from twinloop.apiserver.schemas.patterns import BadPattern, compiled

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_CLAUSE = re.compile(r"%(?:\.(\d+))?(.)", re.DOTALL)
_LOWER = {ord(char): char.lower() for char in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
_UPPER = {ord(char): char.upper() for char in "abcdefghijklmnopqrstuvwxyz"}


def _pattern(pattern: str) -> Any:
    try:
        return compiled(pattern)
    except BadPattern as error:
        raise CelError(str(error)) from None


def _matches(text: str, pattern: str) -> bool:
    return _pattern(pattern).search(text) is not None


def _find(text: str, pattern: str) -> str:
    found = _pattern(pattern).search(text)
    return found[0] if found else ""


def _find_all(text: str, pattern: str, limit: int = -1) -> list[str]:
    found = [each[0] for each in _pattern(pattern).finditer(text)]
    return found[:limit] if limit >= 0 else found


def _char_at(text: str, index: int) -> str:
    if not 0 <= index <= len(text):
        raise CelError(f"index out of range: {index}")
    return text[index : index + 1]


def _index_of(text: str, wanted: str, start: int = 0) -> int:
    if not isinstance(text, str):
        raise TypeError
    if start < 0 or start > len(text):
        raise CelError(f"index out of range: {start}")
    return text.find(wanted, start)


def _last_index_of(text: str, wanted: str, end: int | None = None) -> int:
    if not isinstance(text, str):
        raise TypeError
    if end is not None and not 0 <= end <= len(text):
        raise CelError(f"index out of range: {end}")
    return text.rfind(wanted) if end is None else text.rfind(wanted, 0, end + len(wanted))


def _replace(text: str, old: str, new: str, limit: int = -1) -> str:
    return text.replace(old, new, limit)


def _split(text: str, separator: str, limit: int = -1) -> list[str]:
    if limit in {0, 1}:
        return [text] * limit
    if separator:
        return text.split(separator, limit - 1 if limit > 0 else -1)
    return list(text) if limit < 0 else [*text[: limit - 1], text[limit - 1 :]]


def _substring(text: str, start: int, end: int | None = None) -> str:
    last = len(text) if end is None else end
    for index in (start, last):
        if not 0 <= index <= len(text):
            raise CelError(f"index out of range: {index}")
    if start > last:
        raise CelError(f"invalid substring range. start: {start}, end: {last}")
    return text[start:last]


def _join(items: list[str], separator: str = "") -> str:
    return separator.join(items)


def _format(text: str, args: list[Any]) -> str:
    """%s, %d, %f, %e, %x, %X, %o, %b and %%, from a list of arguments."""
    given = iter(args)

    def clause(found: re.Match[str]) -> str:
        if found[2] == "%":
            return "%"
        try:
            return _formatted(found[2], found[1], next(given))
        except StopIteration:
            raise CelError(f"index {len(args)} out of range") from None

    return _CLAUSE.sub(clause, text)


def _formatted(kind: str, precision: str | None, value: Any) -> str:
    if kind == "s":
        return _shown(value)
    if kind == "d":
        return str(int(value))
    if kind == "f":
        return f"{float(value):,.{precision or 6}f}"  # cel-go formats for an English reader
    if kind == "e":
        mantissa, _, exponent = f"{float(value):.6e}".partition("e")
        return f"{mantissa}\u00d710{exponent.removeprefix('+').translate(_RAISED)}"
    if kind in "xX" and isinstance(value, str | bytes):
        raw = value.encode() if isinstance(value, str) else value
        return raw.hex().upper() if kind == "X" else raw.hex()
    if kind in "xXob":
        return format(int(value), kind)
    raise CelError(f"could not parse formatting clause: unrecognized formatting clause {gofmt.quote(kind)}")


def _shown(value: Any) -> str:
    """What %s makes of a value."""
    if isinstance(value, list):
        return f"[{', '.join(map(_inner, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(sorted(f"{_inner(key)}:{_inner(each)}" for key, each in value.items())) + "}"
    if isinstance(value, TypeValue):
        return value.name
    return "null" if value is None else str(CONVERSIONS["string"](value))


def _inner(value: Any) -> str:
    """The same inside a list or map, where texts are quoted."""
    if isinstance(value, str):
        return gofmt.quote(value)
    if isinstance(value, bytes):
        return f"b{gofmt.quote(value.decode())}"
    if isinstance(value, float):
        return f"{value:.6f}"
    if isinstance(value, Timestamp | Duration):
        return f"{type(value).__name__.lower()}({gofmt.quote(str(value))})"
    return _shown(value)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "matches": _matches,
    "find": _find,
    "findAll": _find_all,
    "contains": lambda text, wanted: wanted in text,
    "startsWith": lambda text, wanted: text.startswith(wanted),
    "endsWith": lambda text, wanted: text.endswith(wanted),
    "charAt": _char_at,
    "indexOf": _index_of,
    "lastIndexOf": _last_index_of,
    "lowerAscii": lambda text: text.translate(_LOWER),
    "upperAscii": lambda text: text.translate(_UPPER),
    "replace": _replace,
    "split": _split,
    "substring": _substring,
    "trim": lambda text: text.strip(),
    "join": _join,
    "format": _format,
    "strings.quote": gofmt.quote,
}
