"""Paths into JSON, as cases write them: `metadata.labels.[app.kubernetes.io/name]`, `items.0`, `resources.[name=pods]`.

A part in brackets is taken whole, so that keys may hold dots; `[key=value]` chooses an entry of a list; `*` means
every entry. Used for what a case saves, waits for, picks and drops.
"""

from __future__ import annotations

import re
from typing import Any

_PART = re.compile(r"\[([^\]]*)\]|([^.\[\]]+)")


def parts(path: str) -> list[str]:
    """The steps of a path."""
    return [bracketed or plain for bracketed, plain in _PART.findall(path)]


def find(value: Any, path: str) -> Any:
    """What is at `path`, None when nothing is; with `*` the list of what is there."""
    return _find(value, parts(path))


def _find(value: Any, way: list[str]) -> Any:
    if not way:
        return value
    head, rest = way[0], way[1:]
    if head == "*":
        children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
        return [_find(each, rest) for each in children]
    key = _key(value, head)
    return None if key is None else _find(value[key], rest)


def without(value: Any, path: str) -> Any:
    """`value` less what is at `path`; the original stays as it is."""
    return _without(value, parts(path))


def _without(value: Any, way: list[str]) -> Any:
    head, rest = way[0], way[1:]
    keys = list(_all_keys(value)) if head == "*" else [_key(value, head)]
    for key in sorted((each for each in keys if each is not None), reverse=True):
        value = _replaced(value, key, rest)
    return value


def _replaced(value: Any, key: Any, rest: list[str]) -> Any:
    if isinstance(value, dict):
        kept = {name: each for name, each in value.items() if name != key}
        return {name: _without(value[name], rest) if name == key else value[name] for name in value} if rest else kept
    changed = [_without(value[key], rest)] if rest else []
    return [*value[:key], *changed, *value[key + 1 :]]


def _all_keys(value: Any) -> Any:
    return value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()


def _key(value: Any, part: str) -> Any:
    """The key or index that a part means in `value`; None when there is none."""
    if isinstance(value, dict):
        return part if part in value else None
    if not isinstance(value, list):
        return None
    name, equals, wanted = part.partition("=")
    if equals:
        return next((i for i, each in enumerate(value) if isinstance(each, dict) and each.get(name) == wanted), None)
    return int(part) if part.isdigit() and int(part) < len(value) else None
