"""The replica counts and the selector behind the scale subresource of a custom resource.

`custom.py` says where they are, so that `verbs/` can serve Scale objects, and checks them on every write: a schema
may allow what no Scale could show.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from twinloop.apiserver import gofmt
from twinloop.apiserver.fielderrors import FieldError, invalid
from twinloop.apiserver.strategy import ScalePaths

_INT32 = 2**31 - 1
_GO_TYPES = {
    bool: "bool",
    int: "int64",
    float: "float64",
    str: "string",
    list: "[]interface {}",
    dict: "map[string]interface {}",
}


class Scale:
    """`subresources.scale` of a definition's version."""

    def __init__(self, scale: Mapping[str, str]) -> None:
        self._spec, self._status = scale["specReplicasPath"], scale["statusReplicasPath"]
        self._selector = scale.get("labelSelectorPath") or ""

    def paths(self) -> ScalePaths:
        """Where the numbers are."""
        return ScalePaths(_keys(self._spec), _keys(self._status), _keys(self._selector))

    def check_spec(self, obj: dict[str, Any]) -> Iterator[FieldError]:
        """What is wrong with the wanted replicas."""
        yield from _check_replicas(obj, self._spec)

    def check_status(self, obj: dict[str, Any]) -> Iterator[FieldError]:
        """What is wrong with the replicas that are there, and with the selector."""
        yield from _check_replicas(obj, self._status)
        if self._selector:
            value, problem = _nested(obj, self._selector, str)
            if problem:
                yield invalid(self._selector, "", problem)
            del value


def _keys(path: str) -> tuple[str, ...]:
    return tuple(path.removeprefix(".").split(".")) if path else ()


def _check_replicas(obj: dict[str, Any], path: str) -> Iterator[FieldError]:
    value, problem = _nested(obj, path, int)
    if problem:
        yield invalid(path, 0, problem)
    elif value is not None and value < 0:
        yield invalid(path, value, "should be a non-negative integer")
    elif value is not None and value > _INT32:
        yield invalid(path, value, f"should be less than or equal to {_INT32}")


def _nested(obj: dict[str, Any], path: str, wanted: type) -> tuple[Any, str]:
    """The value at a path, None if there is none, and what is wrong with it."""
    value: Any = obj
    walked = ""
    for key in _keys(path):
        walked += f".{key}"
        if value is None:
            return None, ""
        if not isinstance(value, dict):
            return None, _accessor_error(walked, value, "map[string]interface{}")
        if key not in value:
            return None, ""
        value = value[key]
    if type(value) is not wanted:
        return None, _accessor_error(path, value, _GO_TYPES[wanted])
    return value, ""


def _accessor_error(path: str, value: Any, wanted: str) -> str:
    found = "<nil>" if value is None else _GO_TYPES[type(value)]
    return f"{path} accessor error: {gofmt.printed(value)} is of the type {found}, expected {wanted}"
