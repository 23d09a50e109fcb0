"""Whether an object fits its schema as far as merging goes: the first thing that `apply.py` asks of a configuration.

Undeclared fields, a scalar where a list belongs, an item without its keys, two items with the same keys. kube-apiserver
answers these with a 500, in the words of structured-merge-diff's validating walker; so does this.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twinloop.apiserver import gofmt
from twinloop.apiserver.failures import Failure
from twinloop.apiserver.patches import elements
from twinloop.apiserver.patches.typed import Typed


def check(obj: dict[str, Any], typed: Typed, what: str, *, duplicates: bool = False) -> None:
    """Raise `Failure` (500) with all that does not fit; `duplicates` lets items with the same keys pass."""
    found = list(_of(typed, obj, duplicates=duplicates))
    if found:
        text = found[0] if len(found) == 1 else "\n  ".join(["errors:", *found])
        raise Failure(500, "", f"{what}: {text}")


def _of(typed: Typed, value: Any, path: str = "", *, duplicates: bool) -> Iterator[str]:
    if value is None:
        return
    if isinstance(value, dict) and typed.has_map:
        yield from _of_map(typed, value, path, duplicates=duplicates)
    elif isinstance(value, list) and typed.has_list:
        yield from _of_list(typed, value, path, duplicates=duplicates)
    elif not _fits(typed, value):
        yield _at(path, _expected(typed, value))


def _of_map(typed: Typed, value: dict[str, Any], path: str, *, duplicates: bool) -> Iterator[str]:
    for name, each in value.items():
        below = typed.field(name)
        if below is None:
            yield _at(f"{path}.{name}", "field not declared in schema")
            return  # the real one stops at the first, too
        yield from _of(below, each, f"{path}.{name}", duplicates=duplicates)


def _of_list(typed: Typed, value: list[Any], path: str, *, duplicates: bool) -> Iterator[str]:
    seen: set[str] = set()
    for at, item in enumerate(value):
        if typed.atomic_list:
            element = f"i:{at}"
        else:
            try:
                element = elements.of_item(typed, item)
            except elements.NoElement as problem:
                yield _at(path, f"element {at}: {problem}")
                return
            if element in seen and not duplicates:
                yield _at(path, f"duplicate entries for key {elements.shown(element)}")
            seen.add(element)
        yield from _of(typed.element, item, path + elements.shown(element), duplicates=duplicates)


def _fits(typed: Typed, value: Any) -> bool:
    if isinstance(value, dict | list):
        return False
    kinds = {"numeric": (int, float), "string": (str,), "boolean": (bool,), "untyped": (int, float, str, bool), "": ()}
    wanted = kinds[typed.scalar]
    return isinstance(value, wanted) and (bool in wanted or not isinstance(value, bool))


def _expected(typed: Typed, value: Any) -> str:
    if typed.has_map or typed.has_list:
        return f"expected {'map' if typed.has_map else 'list'}, got &{{{gofmt.printed(value)}}}"
    if typed.scalar == "numeric":
        return f"expected numeric (int or float), got {_go_type(value)}"
    if typed.scalar == "string":
        return f"expected string, got &value.valueUnstructured{{Value:{_go_syntax(value)}}}"
    wanted = "boolean" if typed.scalar == "boolean" else "any scalar"
    return f"expected {wanted}, got &{{{gofmt.printed(value)}}}"


def _at(path: str, problem: str) -> str:
    return f"{path}: {problem}" if path else problem


def _go_type(value: Any) -> str:
    names = {dict: "map[string]interface {}", list: "[]interface {}", str: "string", bool: "bool"}
    return names.get(type(value), "")


def _go_syntax(value: Any) -> str:
    """A value as %#v shows it."""
    if isinstance(value, dict):
        return f"map[string]interface {{}}{{{', '.join(f'{gofmt.quote(k)}:{_go_syntax(value[k])}' for k in sorted(value))}}}"
    if isinstance(value, list):
        return f"[]interface {{}}{{{', '.join(map(_go_syntax, value))}}}"
    if value is None:
        return "interface {}(nil)"
    return gofmt.quote(value) if isinstance(value, str) else gofmt.printed(value)
