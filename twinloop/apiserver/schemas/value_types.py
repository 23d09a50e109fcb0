"""The JSON types of values and schemas, and when a value is one of an enum.

`validation.py` compares the two. An integer is what fits into 64 bits and was written without a point.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]


def types_of(schema: Schema) -> tuple[str, ...]:
    """The types that a schema allows; none: any."""
    if schema.get("x-kubernetes-int-or-string"):
        return ("integer", "string")
    return (schema["type"],) if schema.get("type") else ()


def json_type(value: Any) -> tuple[str, str]:
    """The JSON type of a value and the format that the original infers with it."""
    if isinstance(value, bool):
        return "boolean", ""
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return "integer", "int64"
    if isinstance(value, int | float):
        return "number", "float64"
    names: dict[type, str] = {str: "string", list: "array", dict: "object"}
    return names[type(value)], ""


def same_enum(value: Any, allowed: Any) -> bool:
    """Equal after Go's conversion to the allowed value's type, which cuts a float for an integer."""
    if isinstance(value, bool) or isinstance(allowed, bool):
        return value is allowed
    if isinstance(allowed, int) and isinstance(value, float) and math.isfinite(value):
        return int(value) == allowed
    return value is not None and bool(value == allowed)
