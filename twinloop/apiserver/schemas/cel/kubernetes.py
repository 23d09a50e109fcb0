"""Quantities, versions and named formats: what Kubernetes adds to CEL, but for `networks.py`.

A part of `functions.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from twinloop.apiserver import names
from twinloop.apiserver.builtin.quantities import QuantityError, amount
from twinloop.apiserver.schemas import formats
from twinloop.apiserver.schemas.cel.values import NONE, CelError, Optional

_SEMVER = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)
_BAD_QUANTITY = r"quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"


@dataclass(frozen=True, slots=True)
class Quantity:
    """An amount such as 1.5Gi."""

    value: Decimal


@dataclass(frozen=True, slots=True)
class Semver:
    """A version; `order` compares as SemVer 2.0 asks."""

    major: int
    minor: int
    patch: int
    pre: str

    @property
    def order(self) -> tuple[Any, ...]:
        """Numbers before words, and a release after all that leads to it."""
        parts = tuple((0, int(each), "") if each.isdigit() else (1, 0, each) for each in self.pre.split(".") if each)
        return (self.major, self.minor, self.patch, not self.pre, parts)


@dataclass(frozen=True, slots=True)
class Format:
    """A named format."""

    name: str


def _quantity(text: str) -> Quantity:
    try:
        return Quantity(amount(text))
    except QuantityError as error:
        raise CelError(str(error) or _BAD_QUANTITY) from None


def _semver(text: str, lenient: bool = False) -> Semver:
    found = _SEMVER.fullmatch(_normalised(text) if lenient else text)
    if not found:
        raise CelError("No Major.Minor.Patch elements found")
    return Semver(int(found[1]), int(found[2]), int(found[3]), found[4] or "")


def _normalised(text: str) -> str:
    """Without a leading v and leading zeros, and with all three numbers."""
    core, mark, rest = re.match(r"v?([0-9.]*)([-+]?)(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]
    numbers = [each.lstrip("0") or "0" for each in core.split(".") if each]
    return ".".join([*numbers, "0", "0"][: max(3, len(numbers))]) + mark + rest


def _succeeds(make: Callable[..., Any]) -> Callable[..., bool]:
    def run(*args: Any) -> bool:
        try:
            make(*args)
        except CelError:
            return False
        return True

    return run


def _key(value: Any) -> Any:
    if isinstance(value, Quantity):
        return value.value
    if isinstance(value, Semver):
        return value.order
    raise TypeError


def _compare(left: Any, right: Any) -> int:
    first, second = _key(left), _key(right)
    return int(first > second) - int(first < second)


def _add(left: Quantity, right: Quantity | int) -> Quantity:
    return Quantity(left.value + (right.value if isinstance(right, Quantity) else right))


def _subtract(left: Quantity, right: Quantity | int) -> Quantity:
    return Quantity(left.value - (right.value if isinstance(right, Quantity) else right))


def _integer(quantity: Quantity) -> int:
    if quantity.value != int(quantity.value) or abs(quantity.value) >= 1 << 63:
        raise CelError("cannot convert value to integer")
    return int(quantity.value)


def _by_pattern(kind: Callable[[str], bool], problem: str) -> Callable[[str], list[str]]:
    return lambda text: [] if kind(text) else [problem]


def _prefix(check: Callable[[str], list[str]]) -> Callable[[str], list[str]]:
    """A name that something will be put behind may end in a dash."""
    return lambda text: check(text[:-1] + "a" if text.endswith("-") else text)


def _subdomain(text: str) -> list[str]:
    return names.dns_subdomain(text, prefix=False)


_FORMATS: dict[str, Callable[[str], list[str]]] = {
    "dns1123Label": names.dns_label,
    "dns1123Subdomain": _subdomain,
    "dns1035Label": names.dns_1035_label,
    "qualifiedName": names.qualified_name,
    "dns1123LabelPrefix": _prefix(names.dns_label),
    "dns1123SubdomainPrefix": _prefix(_subdomain),
    "dns1035LabelPrefix": _prefix(names.dns_1035_label),
    "labelValue": names.label_value,
    "uri": _by_pattern(formats.is_uri, "invalid URI"),
    "uuid": _by_pattern(formats.KNOWN["uuid"], "does not match the UUID format"),
    "byte": _by_pattern(formats.KNOWN["byte"], "invalid base64"),
    "date": _by_pattern(formats.is_date, "invalid date"),
    "datetime": _by_pattern(formats.is_datetime, "invalid datetime"),
}


def _validate(given: Format, text: str) -> Optional:
    problems = _FORMATS[given.name](text)
    return Optional(problems) if problems else NONE


def _named(name: str) -> Optional:
    return Optional(Format(name)) if name in _FORMATS else NONE


def _constant(value: Any) -> Callable[[], Any]:
    return lambda: value


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "quantity": _quantity,
    "isQuantity": _succeeds(_quantity),
    "sign": lambda quantity: (quantity.value > 0) - (quantity.value < 0),
    "isGreaterThan": lambda left, right: _compare(left, right) > 0,
    "isLessThan": lambda left, right: _compare(left, right) < 0,
    "compareTo": _compare,
    "asApproximateFloat": lambda quantity: float(quantity.value),
    "asInteger": _integer,
    "isInteger": _succeeds(_integer),
    "add": _add,
    "sub": _subtract,
    "semver": _semver,
    "isSemver": _succeeds(_semver),
    "major": lambda version: version.major,
    "minor": lambda version: version.minor,
    "patch": lambda version: version.patch,
    "validate": _validate,
    "format.named": _named,
    **{f"format.{name}": _constant(Format(name)) for name in _FORMATS},
}
