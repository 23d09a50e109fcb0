"""Functions of lists, sets and optional values.

A part of `functions.py`: Kubernetes' list library, cel-go's sets extension and its optional types.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from twinloop.apiserver.schemas.cel.moments import Duration
from twinloop.apiserver.schemas.cel.operators import FUNCTIONS as OPERATORS
from twinloop.apiserver.schemas.cel.operators import compare, contains, equal
from twinloop.apiserver.schemas.cel.values import NONE, CelError, Optional

_ZERO: tuple[Any, ...] = (None, False, 0, "", b"", [], {}, Duration(0))


def _sum(items: list[Any]) -> Any:
    total = items[0] if items else 0
    for each in items[1:]:
        total = OPERATORS["_+_"](total, each)
    return total


def _extreme(name: str, choose: Callable[[list[Any]], Any]) -> Callable[[list[Any]], Any]:
    def run(items: list[Any]) -> Any:
        if not items:
            raise CelError(f"{name} called on empty list")
        return choose(_comparable(items))

    return run


def _comparable(items: list[Any]) -> list[Any]:
    for each in items:
        compare(items[0], each)
    return items


def _is_sorted(items: list[Any]) -> bool:
    pairs = (compare(*pair) for pair in itertools.pairwise(items))
    return all(left <= right for left, right in pairs)


def _index_of(items: list[Any], wanted: Any) -> int:
    return next((index for index, each in enumerate(_a_list(items)) if equal(each, wanted)), -1)


def _last_index_of(items: list[Any], wanted: Any) -> int:
    found = [index for index, each in enumerate(_a_list(items)) if equal(each, wanted)]
    return found[-1] if found else -1


def _a_list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError
    return value


def _includes(items: list[Any], others: list[Any]) -> bool:
    return all(contains(items, each) for each in others)


def _value(optional: Optional) -> Any:
    if not optional.present:
        raise CelError("optional.none() dereference")
    return optional.value


def _non_zero(value: Any) -> Optional:
    zero = any(type(value) is type(each) and value == each for each in _ZERO) or (
        isinstance(value, float) and not value
    )
    return NONE if zero else Optional(value)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "sum": _sum,
    "min": _extreme("min", min),
    "max": _extreme("max", max),
    "isSorted": _is_sorted,
    "indexOf": _index_of,
    "lastIndexOf": _last_index_of,
    "first": lambda items: Optional(items[0]) if items else NONE,
    "last": lambda items: Optional(items[-1]) if items else NONE,
    "sets.contains": _includes,
    "sets.equivalent": lambda left, right: _includes(left, right) and _includes(right, left),
    "sets.intersects": lambda left, right: any(contains(left, each) for each in right),
    "optional.of": Optional,
    "optional.ofNonZeroValue": _non_zero,
    "optional.none": lambda: NONE,
    "hasValue": lambda optional: optional.present,
    "value": _value,
    "or": lambda optional, other: optional if optional.present else other,
    "orValue": lambda optional, other: optional.value if optional.present else other,
}
