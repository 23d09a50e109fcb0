"""What is wrong with a field of an object, in the words that a Kubernetes API server uses.

Every validation in this package returns a list of `FieldError`; `failures.invalid` makes the 422 answer of it. The
wording is that of apimachinery's util/validation/field, because people and programs read it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from twinloop.apiserver import gofmt


@dataclass(frozen=True, slots=True)
class FieldError:
    """One finding: `type` such as FieldValueInvalid, `path` such as spec.containers[0].name, `message` without the path."""

    type: str
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message

    def cause(self) -> dict[str, str]:
        """An entry of status.details.causes."""
        return {"reason": self.type, "message": self.message, "field": self.path}


def required(path: str, detail: str = "") -> FieldError:
    """A value is missing."""
    return FieldError("FieldValueRequired", path, _with("Required value", detail))


def invalid(path: str, value: Any, detail: str) -> FieldError:
    """A value is there and malformed."""
    return FieldError("FieldValueInvalid", path, f"Invalid value: {gofmt.shown(value)}: {detail}")


def type_invalid(path: str, value: Any, detail: str) -> FieldError:
    """A value has the wrong JSON type; schemas say so, not Go structs."""
    return FieldError("FieldValueTypeInvalid", path, f"Invalid value: {gofmt.shown(value)}: {detail}")


def not_supported(path: str, value: Any, supported: Iterable[str]) -> FieldError:
    """A value is none of a closed set."""
    names = ", ".join(gofmt.quote(each) for each in supported)
    return FieldError(
        "FieldValueNotSupported", path, f"Unsupported value: {gofmt.shown(value)}: supported values: {names}"
    )


def not_found(path: str, value: Any) -> FieldError:
    """A value names something that is not there."""
    return FieldError("FieldValueNotFound", path, f"Not found: {gofmt.shown(value)}")


def duplicate(path: str, value: Any) -> FieldError:
    """A value that must be unique came before."""
    return FieldError("FieldValueDuplicate", path, f"Duplicate value: {gofmt.shown(value)}")


def forbidden(path: str, detail: str) -> FieldError:
    """A value may not be there, or not be changed."""
    return FieldError("FieldValueForbidden", path, _with("Forbidden", detail))


def too_long(path: str, maximum: int) -> FieldError:
    """A string has too many bytes."""
    return FieldError("FieldValueTooLong", path, f"Too long: may not be more than {maximum} byte{'s' * (maximum != 1)}")


def too_many(path: str, actual: int, maximum: int) -> FieldError:
    """A list or map has too many entries."""
    return FieldError(
        "FieldValueTooMany", path, f"Too many: {actual}: must have at most {maximum} item{'s' * (maximum != 1)}"
    )


def _with(head: str, detail: str) -> str:
    return f"{head}: {detail}" if detail else head
