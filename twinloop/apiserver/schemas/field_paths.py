"""Paths into a schema: where a rule's fieldPath and a definition's selectableFields point.

`.spec.replicas`, `.labels['a.b']`: names after dots, or quoted in brackets. Rules and words are those of apiextensions'
ValidFieldPath.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

_TOKENS = re.compile(r"'(?:\\.|[^'\\])*'|[.\[\]]|[^.\[\]]+")
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "'": "'", "\\": "\\"}


class BadFieldPath(Exception):
    """The path leads nowhere; the text says why."""


def resolve(path: str, schema: Schema, *, brackets: bool = True) -> tuple[str, Schema]:
    """The path as messages show it, and the schema that it leads to. Raises `BadFieldPath`."""
    tokens = _TOKENS.findall(path)
    shown = ""
    while tokens:
        name = _next_name(tokens, brackets=brackets)
        shown, schema = _descend(shown, schema, name)
    return shown, schema


def _next_name(tokens: list[str], *, brackets: bool) -> str:
    mark = tokens.pop(0)
    if mark == ".":
        return _take(tokens)
    if mark != "[":
        raise BadFieldPath(f"expected [ or . but got: {mark}")
    if not brackets:
        raise BadFieldPath("array notation is not allowed")
    quoted = _take(tokens)
    if len(quoted) < 2 or quoted[0] != "'" or quoted[-1] != "'":
        raise BadFieldPath(f"expected single quoted string but got {quoted}")
    end = _take(tokens)
    if end != "]":
        raise BadFieldPath(f"expected ] but got {end}")
    return re.sub(r"\\(.)", _unescaped, quoted[1:-1])


def _take(tokens: list[str]) -> str:
    if not tokens:
        raise BadFieldPath("unexpected end of JSON path")
    return tokens.pop(0)


def _unescaped(found: re.Match[str]) -> str:
    if found[1] not in _ESCAPES:
        raise BadFieldPath(f"invalid string literal: invalid escape char {found[0]}")
    return _ESCAPES[found[1]]


def _descend(shown: str, schema: Schema, name: str) -> tuple[str, Schema]:
    properties, additional = schema.get("properties"), schema.get("additionalProperties")
    if properties:
        if name not in properties:
            raise BadFieldPath("does not refer to a valid field")
        return (f"{shown}.{name}" if shown else name), properties[name]
    if not isinstance(additional, Mapping):
        raise BadFieldPath("does not refer to a valid field")
    return f"{shown}[{name}]", additional
