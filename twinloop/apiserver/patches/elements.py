"""One step of a path into an object, as FieldsV1 writes it: `f:name`, `k:{"name":"c"}`, `v:"a"`, `i:0`.

`compare.py` names what it finds by them, `fieldset.py` keeps them, and conflicts show them to people in another form:
`.name`, `[name="c"]`, `[="a"]`, `[0]`. Writing follows structured-merge-diff's serialize-pe.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any

from twinloop.apiserver.patches.typed import Typed

_UNSAFE = re.compile("[<>&\u2028\u2029]")
_KINDS = ("f:", "k:", "v:", "i:")


class NoElement(ValueError):
    """An item of a list has nothing to be known by."""


def of_item(typed: Typed, item: Any) -> str:
    """How an item of a list with keys, or of a set, is known."""
    keys = typed.list_keys
    if not keys:
        return _in_set(item)
    if len(keys) == 1 and type(item) is dict and type(item.get(keys[0])) is str:
        return _named(keys[0], item[keys[0]])
    return _keyed(typed, item)


@lru_cache(maxsize=4096)  # the same few names come again and again: of containers, variables, conditions
def _named(key: str, value: str) -> str:
    return f'k:{{"{key}":{written(value)}}}'


def shown(element: str) -> str:
    """As a path in a message has it."""
    kind, rest = element[:2], element[2:]
    if kind == "f:":
        return f".{rest}"
    if kind == "i:":
        return f"[{rest}]"
    value = json.loads(rest)
    return f"[={_quoted(value)}]" if kind == "v:" else f"[{','.join(f'{k}={_quoted(v)}' for k, v in value.items())}]"


def canonical(element: str) -> str:
    """The one way of writing an element that a client may have written in another; ValueError: it is none."""
    kind, rest = element[:2], element[2:]
    if kind == "k:":
        keys = json.loads(rest)
        return "k:" + _object(sorted(keys.items()))
    return "v:" + written(json.loads(rest)) if kind == "v:" else element


def is_known(element: str) -> bool:
    """Whether it is of a kind that there is; ValueError when it could be of no kind."""
    if len(element) < 2 or element[1] != ":":
        raise ValueError(f"missing colon: {element}")
    return element[:2] in _KINDS


@lru_cache(maxsize=4096)
def order(element: str) -> tuple[int, Any]:
    """What to sort by: fields by name, then keys, then values, then positions."""
    kind = _KINDS.index(element[:2])
    if kind == 1:
        return kind, [(name, _rank(value)) for name, value in json.loads(element[2:]).items()]
    return kind, element if kind == 0 else _rank(json.loads(element[2:]))


def written(value: Any) -> str:
    """A value as Go's JSON has it, with what HTML would trip over escaped."""
    text = encode_basestring(value) if type(value) is str else _compact(value)
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text) if _UNSAFE.search(text) else text


def _keyed(typed: Typed, item: Any) -> str:
    if type(item) is not dict:
        what = "a null element" if item is None else "non-map elements"
        raise NoElement(f"associative list with keys may not have {what}")
    keys = typed.list_keys
    defaults = typed.element.defaults
    found = [
        (key, item[key] if key in item else defaults[key]) for key in sorted(keys) if key in item or key in defaults
    ]
    if not found:
        names = " ".join(json.dumps(key) for key in keys)
        raise NoElement(
            f"associative list with keys has an element that omits all key fields [{names}]"
            " (and doesn't have default values for any key fields)"
        )
    return "k:" + _object(found)


def _in_set(item: Any) -> str:
    if type(item) is dict:
        raise NoElement("associative list without keys has an element that's a map type")
    if type(item) is list:
        raise NoElement("not supported: associative list with lists as elements")
    if item is None:
        raise NoElement("associative list without keys has an element that's an explicit null")
    return "v:" + written(item)


def _object(pairs: list[tuple[str, Any]]) -> str:
    return f"{{{','.join(f'{encode_basestring(key)}:{written(value)}' for key, value in pairs)}}}"


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _quoted(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _rank(value: Any) -> tuple[int, Any]:
    """Values of different types have an order too: numbers, strings, booleans."""
    if isinstance(value, bool):
        return 2, value
    return (0, value) if isinstance(value, int | float) else (1, str(value))
