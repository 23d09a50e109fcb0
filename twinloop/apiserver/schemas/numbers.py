"""Numbers against minimum, maximum and multipleOf, integers exactly and floats with the original's tolerance.

A part of `validation.py`, which puts path and value around the words that come from here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from twinloop.apiserver import gofmt

# go-openapi/swag: a float is taken for an integer below 2^53, when it is one but for this relative error.
_LARGEST_EXACT = float(2**53 - 1)
_TOLERANCE = 1e-9


def is_integral(value: float) -> bool:
    """Whether a float counts as an integer."""
    if not math.isfinite(value) or abs(value) > _LARGEST_EXACT:
        return False
    whole = float(int(value))
    if value == whole:
        return True
    return whole != 0 and abs(value - whole) / (abs(value) + abs(whole)) < _TOLERANCE


def check_number(schema: Mapping[str, Any], value: float) -> Iterator[str]:
    """What is wrong with a number, without its path: multipleOf, minimum, maximum in this order."""
    as_given = int if isinstance(value, int) else float
    factor, low, high = schema.get("multipleOf"), schema.get("minimum"), schema.get("maximum")
    if factor is not None and as_given(factor) > 0 and not _is_multiple(value, as_given(factor)):
        yield f"should be a multiple of {_shown(as_given(factor))}"
    if low is not None:
        low, exclusive = as_given(low), bool(schema.get("exclusiveMinimum"))
        if value < low or (exclusive and value == low):
            yield f"should be greater than {'' if exclusive else 'or equal to '}{_shown(low)}"
    if high is not None:
        high, exclusive = as_given(high), bool(schema.get("exclusiveMaximum"))
        if value > high or (exclusive and value == high):
            yield f"should be less than {'' if exclusive else 'or equal to '}{_shown(high)}"


def bad_factor(schema: Mapping[str, Any], value: float) -> float | None:
    """The multipleOf that no number can be a multiple of: for an integer, one below 1 is cut down to 0."""
    factor = schema.get("multipleOf")
    if factor is None:
        return None
    found: float = int(factor) if isinstance(value, int) else float(factor)
    return found if found <= 0 else None


def _is_multiple(value: float, factor: float) -> bool:
    if isinstance(value, int):
        return value % factor == 0
    return is_integral(1 / factor * value) if factor < 1 else is_integral(value / factor)


def _shown(value: float) -> str:
    return str(value) if isinstance(value, int) else gofmt.number(value)
