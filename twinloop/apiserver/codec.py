"""JSON in and out: how a body becomes an object, and an object the bytes that are stored and served.

`verbs/` decode request bodies here and learn which keys came twice; `storage.py` encodes here, once for each write.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NoReturn

from twinloop.apiserver.gofmt import quote

Object = dict[str, Any]

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


def encode(value: Any) -> bytes:
    """Compact JSON in UTF-8."""
    return _encode(value).encode("utf-8", "replace")


@lru_cache(maxsize=512)
def head_of(kind: str, api_version: str) -> bytes:
    """How a stored object begins."""
    return encode({"kind": kind, "apiVersion": api_version})[:-1] + b","


# The order of Go's ObjectMeta, so that stored objects read as they do on a real cluster.
_METADATA = (
    "name",
    "generateName",
    "namespace",
    "selfLink",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "labels",
    "annotations",
    "ownerReferences",
    "finalizers",
    "managedFields",
)


def encode_stored(obj: Object) -> tuple[bytes, int]:
    """An object with kind and apiVersion first, and the length of that head."""
    kind, api_version, metadata = obj["kind"], obj["apiVersion"], obj["metadata"]
    ordered = {"kind": kind, "apiVersion": api_version, "metadata": None} | obj
    ordered["metadata"] = {name: metadata[name] for name in _METADATA if name in metadata} | metadata
    return encode(ordered), len(head_of(kind, api_version))


def decode_stored(raw: bytes) -> Object:
    """The object of stored bytes."""
    found: Object = json.loads(raw)
    return found


def copy(value: Any) -> Any:
    """A deep copy of a JSON value; several times faster than copy.deepcopy."""
    if isinstance(value, dict):
        return {key: copy(each) if isinstance(each, (dict, list)) else each for key, each in value.items()}
    if isinstance(value, list):
        return [copy(each) if isinstance(each, (dict, list)) else each for each in value]
    return value


# ---------------------------------------------------------------------------------------------- decoding


# Levels of maps and lists in a body. Go stops at 10,000; here validation and merging recurse, and Python's stack is shorter.
DEEPEST = 200


class Malformed(ValueError):
    """Bytes that are no JSON; the message is that of Go's decoder."""


@dataclass(slots=True)
class Decoded:
    """A value, and what was said twice in it, such as `duplicate field "metadata.name"`."""

    value: Any
    floats: bool = False  # whether any number has a fraction or an exponent
    duplicates: list[str] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)  # where in the text each path stands, if anything came twice

    def in_order(self, problems: list[str]) -> list[str]:
        """Problems with fields, in the order in which the fields stand in the text."""
        if not self.places:
            return problems
        return sorted(problems, key=lambda each: self.places.get(each.partition('"')[2][:-1], 0))


def decode(body: bytes) -> Decoded:
    """Parse a body and find fields that come twice, of which the last counts."""
    repeated: list[str] = []

    def pairs(found: list[tuple[str, Any]]) -> Object:
        value = dict(found)
        if len(value) != len(found):
            repeated.append("")
        return value

    floats: list[float] = []

    def number(text: str) -> float:
        floats.append(_number(text))
        return floats[-1]

    value = _load(body, pairs, number)
    found = Decoded(value, bool(floats))
    if repeated:
        found.duplicates, found.places = _duplicates(body)
    return found


def _load(body: bytes, pairs: Any, number: Any = float) -> Any:
    text = _text(body)
    try:
        value = json.loads(text, object_pairs_hook=pairs, parse_constant=_no_constant, parse_float=number)
    except json.JSONDecodeError as error:
        raise Malformed(_go_message(*_by_bytes(body, error, text))) from None
    except RecursionError:
        raise Malformed("exceeded max depth") from None
    except ValueError as error:  # a number of more digits than Python converts
        raise Malformed(str(error)) from None
    if text.count("{") + text.count("[") > DEEPEST and _is_deeper(value, DEEPEST):
        raise Malformed("exceeded max depth")
    return value


def _is_deeper(value: Any, levels: int) -> bool:
    """Whether a value has more levels of maps and lists; level by level, since recursion is what has to be spared."""
    level = [value]
    for _ in range(levels + 1):
        inside = (each.values() if isinstance(each, dict) else each for each in level if isinstance(each, (dict, list)))
        level = [each for values in inside for each in values]
        if not level:
            return False
    return True


def _by_bytes(body: bytes, error: json.JSONDecodeError, text: str) -> tuple[json.JSONDecodeError, str]:
    """The same finding in a text of one character a byte, for Go's scanner goes by bytes and names the one it met."""
    raw = body.decode("latin-1")
    try:
        json.loads(raw)
    except json.JSONDecodeError as found:
        return found, raw
    return error, text


def _text(body: bytes) -> str:
    """The text of a body; what is no UTF-8, or half of a surrogate pair, becomes the replacement character as in Go."""
    text = body.decode("utf-8", "replace")
    if "\\u" in text and _SURROGATE.search(text):
        text = _LONE_SURROGATE.sub(r"\\ufffd", text)
    return text


_SURROGATE = re.compile(r"\\u[dD][89abAB]|\\u[dD][c-fC-F]")
_LONE_SURROGATE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)


def _number(text: str) -> float:
    """A number with a fraction or exponent, whole or not: to a schema 1.0 is no integer."""
    value = float(text)
    if value in {float("inf"), float("-inf")}:
        raise Malformed(f"json: cannot unmarshal number {text} into Go value of type float64")
    return value


def whole(value: Any) -> Any:
    """A copy with whole numbers as integers, which is how Go writes them out and reads them back."""
    if isinstance(value, dict):
        return {key: whole(each) for key, each in value.items()}
    if isinstance(value, list):
        return [whole(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e21 else value


def _no_constant(name: str) -> NoReturn:
    raise Malformed(f"invalid character '{name[0]}' looking for beginning of value")


_AFTER = {
    "Expecting value": "looking for beginning of value",
    "Expecting property name enclosed in double quotes": "looking for beginning of object key string",
    "Illegal trailing comma before end of object": "looking for beginning of object key string",
    "Illegal trailing comma before end of array": "looking for beginning of value",
    "Expecting ':' delimiter": "after object key",
    "Extra data": "after top-level value",
    "Invalid control character at": "in string literal",
    "Invalid \\escape": "in string escape code",
    "Invalid \\uXXXX escape": "in \\u hexadecimal character escape",
}


def _go_message(error: json.JSONDecodeError, text: str) -> str:
    """Go's words for the same finding."""
    if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string"):
        return "unexpected end of JSON input"
    where = _AFTER.get(error.msg, "")
    if error.msg == "Expecting ',' delimiter":
        where = "after array element" if _in_array(text, error.pos) else "after object key:value pair"
    letter = text[error.pos]
    if error.msg == "Expecting value" and letter in _LITERALS:
        return _literal_message(text[error.pos :], _LITERALS[letter])
    return f"invalid character '{_shown(letter)}' {where or error.msg}"


def _shown(letter: str) -> str:
    """A character as Go's scanner names it."""
    return {"'": "\\'", '"': '"'}.get(letter) or quote(letter)[1:-1]


_LITERALS = {"n": "null", "t": "true", "f": "false"}


def _literal_message(text: str, literal: str) -> str:
    """A word that begins as null, true or false do."""
    for index, wanted in enumerate(literal):
        if index == len(text):
            return "unexpected end of JSON input"
        if text[index] != wanted:
            return f"invalid character '{_shown(text[index])}' in literal {literal} (expecting '{wanted}')"
    return f"invalid character '{_shown(text[len(literal)])}' after top-level value"


def _in_array(text: str, position: int) -> bool:
    """Whether the innermost bracket that is open at a position is a square one."""
    depth = 0
    outside = re.sub(r'"(?:\\.|[^"\\])*"', lambda found: "_" * len(found[0]), text[:position])
    for letter in reversed(outside):
        depth += (letter in "}]") - (letter in "{[")
        if depth < 0:
            return letter == "["
    return False


def _duplicates(body: bytes) -> tuple[list[str], dict[str, int]]:
    """The fields that stand twice in one object, in the order of the text, and the place of every path in it."""
    found: list[str] = []
    places: dict[str, int] = {}
    _walk(_load(body, _Pairs), "", found, places)
    return list(dict.fromkeys(found)), places


class _Pairs(list[tuple[str, Any]]):
    """An object as the list of its pairs."""


def _walk(value: Any, path: str, found: list[str], places: dict[str, int]) -> None:
    if isinstance(value, _Pairs):
        seen: set[str] = set()
        for key, each in value:
            here = f"{path}.{key}" if path else key
            if key in seen:
                found.append(f'duplicate field "{here}"')
            seen.add(key)
            places[here] = len(places)
            _walk(each, here, found, places)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            _walk(each, f"{path}[{index}]", found, places)


def go_type(value: Any) -> str:
    """What Go's decoder calls a JSON value."""
    match value:
        case bool():
            return "bool"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case None:
            return "null"
    return "object"
