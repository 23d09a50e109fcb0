"""Equality, order, arithmetic, `in` and indexing.

A part of `functions.py`. Integers have 64 bits and say so when they overflow; a bool is no number, whatever Python thinks.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from twinloop.apiserver.schemas.cel.moments import Duration, Timestamp
from twinloop.apiserver.schemas.cel.values import NONE, CelError, MapList, Optional, SetList, UInt

_NUMBERS = (int, float)
_MOMENTS = (Duration, Timestamp)


def equal(left: Any, right: Any) -> bool:
    """CEL's ==: numbers across types, sets and list maps in any order, everything else by type and value."""
    if isinstance(left, _NUMBERS) and isinstance(right, _NUMBERS):
        return (isinstance(left, bool) is isinstance(right, bool)) and left == right
    if isinstance(left, list) and isinstance(right, list):
        return _equal_lists(left, right)
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(equal(each, right[key]) for key, each in left.items())
    if isinstance(left, Optional) and isinstance(right, Optional):
        return left.present == right.present and equal(left.value, right.value)
    return type(left) is type(right) and bool(left == right)


def _equal_lists(left: list[Any], right: list[Any]) -> bool:
    if len(left) != len(right):
        return False
    if isinstance(left, SetList):
        return all(contains(right, each) for each in left)
    if isinstance(left, MapList):
        others = {left.key(each): each for each in right}
        return all(left.key(each) in others and equal(each, others[left.key(each)]) for each in left)
    return all(map(equal, left, right))


def contains(items: list[Any], wanted: Any) -> bool:
    """Whether an item equals a value."""
    return any(equal(wanted, each) for each in items)


def _in(wanted: Any, where: Any) -> bool:
    if isinstance(where, dict):
        return wanted in where
    if isinstance(where, list):
        return contains(where, wanted)
    raise TypeError


def compare(left: Any, right: Any) -> tuple[Any, Any]:
    """The two sides of a comparison, if they can be compared."""
    numbers = isinstance(left, _NUMBERS) and isinstance(right, _NUMBERS)
    if not numbers and type(left) is not type(right):
        raise TypeError
    if numbers and isinstance(left, bool) is not isinstance(right, bool):
        raise TypeError
    return left, right


def _ordering(better: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda left, right: better(*compare(left, right))


def _checked(value: int, like: Any) -> int:
    """An integer result, or the overflow that it is."""
    if isinstance(like, UInt):
        if not 0 <= value < 1 << 64:
            raise CelError("unsigned integer overflow")
        return UInt(value)
    if not -(1 << 63) <= value < 1 << 63:
        raise CelError("integer overflow")
    return value


def _arithmetic(compute: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def run(left: Any, right: Any) -> Any:
        if type(left) is not type(right) or isinstance(left, bool):
            raise TypeError
        result = compute(left, right)
        return _checked(result, left) if isinstance(left, int) else result

    return run


def _add(left: Any, right: Any) -> Any:
    if isinstance(left, _MOMENTS) and isinstance(right, _MOMENTS):
        kind = Timestamp if Timestamp in {type(left), type(right)} else Duration
        return kind(left.nanoseconds + right.nanoseconds)
    if isinstance(left, list) and isinstance(right, list):
        return _concatenated(left, right)
    return _plain_add(left, right)


def _concatenated(left: list[Any], right: list[Any]) -> list[Any]:
    """Lists end to end; a set takes what it lacks, a list map what it has under the same keys is replaced."""
    if isinstance(left, SetList):
        return SetList([*left, *(each for each in right if not contains(left, each))])
    if isinstance(left, MapList):
        merged = {left.key(each): each for each in (*left, *right)}
        return MapList(list(merged.values()), left.keys)
    return [*left, *right]


def _subtract(left: Any, right: Any) -> Any:
    if isinstance(left, _MOMENTS) and isinstance(right, _MOMENTS):
        moment = isinstance(left, Timestamp) and isinstance(right, Duration)
        return (Timestamp if moment else Duration)(left.nanoseconds - right.nanoseconds)
    return _plain_subtract(left, right)


def _divide(left: Any, right: Any) -> Any:
    if isinstance(left, float):
        if right:
            return left / right
        return math.nan if not left or math.isnan(left) else math.copysign(math.inf, left) * math.copysign(1, right)
    if not right:
        raise CelError("division by zero")
    return int(math.copysign(1, left) * math.copysign(1, right)) * (abs(left) // abs(right))


def _remainder(left: Any, right: Any) -> Any:
    if not isinstance(left, int):
        raise TypeError
    if not right:
        raise CelError("modulus by zero")
    return int(math.copysign(1, left)) * (abs(left) % abs(right))


def _negate(value: Any) -> Any:
    if isinstance(value, bool | UInt):
        raise TypeError
    return _checked(-value, value) if isinstance(value, int) else -value


def _not(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return not value


def _index(where: Any, index: Any) -> Any:
    if isinstance(where, Optional):
        return _maybe_index(where, index)
    if isinstance(where, dict):
        if index not in where:
            raise CelError(f"no such key: {index}")
        return where[index]
    if not 0 <= index < len(where):
        raise CelError(f"index out of bounds: {index}")
    return where[index]


def _maybe_index(where: Any, index: Any) -> Optional:
    if isinstance(where, Optional):
        return _maybe_index(where.value, index) if where.present else NONE
    inside = index in where if isinstance(where, dict) else 0 <= index < len(where)
    return Optional(where[index]) if inside else NONE


_plain_add, _plain_subtract = _arithmetic(operator.add), _arithmetic(operator.sub)

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "_==_": equal,
    "_!=_": lambda left, right: not equal(left, right),
    "_<_": _ordering(operator.lt),
    "_<=_": _ordering(operator.le),
    "_>_": _ordering(operator.gt),
    "_>=_": _ordering(operator.ge),
    "_+_": _add,
    "_-_": _subtract,
    "_*_": _arithmetic(operator.mul),
    "_/_": _arithmetic(_divide),
    "_%_": _arithmetic(_remainder),
    "-_": _negate,
    "!_": _not,
    "@in": _in,
    "_[_]": _index,
    "_[?_]": _maybe_index,
}
