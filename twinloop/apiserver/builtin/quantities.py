"""Amounts of resources as Kubernetes writes them: 100m, 1Gi, 0.5, 2e3.

`decode.py` turns every quantity of an object into its canonical form with `canonical`; validation, quota and tables
compare and add the numbers behind them with `amount` and write sums with `from_amount`. The rules are those of
apimachinery's api/resource: a form that is canonical already stays as it was written, any other becomes the shortest
one without a fraction.
"""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, ROUND_UP, Decimal, localcontext
from functools import lru_cache

FORMAT_WRONG = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
SUFFIX_WRONG = "unable to parse quantity's suffix"
NUMBER_WRONG = "unable to parse numeric part of quantity"

# The pieces that the parser takes one after the other; what is left over makes the form wrong.
_PARTS = re.compile(r"([+-]?)0*([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)$")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_EXPONENT = re.compile(r"[eE]([-+]?[0-9]+)$")
_DECIMAL_SUFFIX = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_BINARY_SUFFIX = {bits: suffix for suffix, bits in _BINARY.items()}
_NANO = Decimal("1e-9")
_LARGEST = Decimal(2**63 - 1)  # a cap on binary amounts
_DIGITS = 18  # what fits an int64 for certain, and with it the fast path of the original


class QuantityError(ValueError):
    """Not a quantity; the message is the original's."""


@lru_cache(maxsize=4096)
def amount(text: str) -> Decimal:
    """The number that a quantity stands for, never finer than a billionth. Raises `QuantityError`."""
    return _parse(text)[0]


@lru_cache(maxsize=4096)
def canonical(text: str) -> str:
    """The form in which an API server returns this quantity. Raises `QuantityError`."""
    text = text.strip()
    value, style, stays = _parse(text)
    return text if stays else written(value, style)


def whole(text: str) -> int:
    """A quantity rounded up to an integer: Quantity.Value."""
    return int(amount(text).to_integral_value(ROUND_CEILING))


def milli(text: str) -> int:
    """A quantity in thousandths, rounded up: Quantity.MilliValue."""
    return int((amount(text) * 1000).to_integral_value(ROUND_CEILING))


def style_of(text: str) -> str:
    """How a quantity is written: "decimal", "binary" or "exponent"."""
    return _parse(text)[1]


def written(value: Decimal, style: str = "decimal") -> str:
    """The canonical form of a number; binary falls back to decimal where it would lose something."""
    if not value:
        return "0"
    if style == "binary" and abs(value) >= 1024 and value == value.to_integral_value():
        return _by_1024(int(value))
    return _by_1000(value, style)


def _parse(text: str) -> tuple[Decimal, str, bool]:
    """The number, its style, and whether the text is canonical."""
    found = _PARTS.match(text) if text else None
    if found is None:
        raise QuantityError(FORMAT_WRONG)
    sign, number, fraction, suffix = found[1], found[2] or "0", found[3] or "", found[4]
    style, exponent = _suffix(suffix)
    if not found[2] and not fraction and "0" not in text and _goes_the_long_way(style, exponent):
        raise QuantityError(NUMBER_WRONG)
    value = _value(f"{number}.{fraction or 0}", style, exponent)
    return (-value if sign == "-" else value), _style(style, value), _stays(text, number, fraction, style, exponent)


def _goes_the_long_way(style: str, exponent: int) -> bool:
    """The short way takes a missing number for 0, the long one misses it."""
    return exponent >= 50 if style == "binary" else exponent < -9


def _suffix(suffix: str) -> tuple[str, int]:
    if suffix in _DECIMAL:
        return "decimal", _DECIMAL[suffix]
    if suffix in _BINARY:
        return "binary", _BINARY[suffix]
    exponent = _EXPONENT.match(suffix)
    if exponent is None:
        raise QuantityError(SUFFIX_WRONG)
    return "exponent", int(exponent[1])


def _value(number: str, style: str, exponent: int) -> Decimal:
    """Rounded up to a billionth: who asks for some of a resource gets some."""
    with localcontext() as context:
        context.prec = 100
        value = Decimal(number) * 2**exponent if style == "binary" else Decimal(number).scaleb(exponent)
        if value != value.to_integral_value():
            value = value.quantize(_NANO, ROUND_UP)
    return min(value, _LARGEST) if style == "binary" else value


def _style(style: str, value: Decimal) -> str:
    return "decimal" if style == "binary" and 0 < value < 1 else style


def _stays(text: str, number: str, fraction: str, style: str, exponent: int) -> bool:
    """Whether the parser keeps the text it was given: the conditions of ParseQuantity's fast path."""
    if text == "0":
        return True
    if style == "binary":
        short = len(number) <= 15 - exponent * 3 // 10 - 1
        return not fraction and short and int(number) % 8 != 0
    digits = number + fraction
    scale = exponent - len(fraction)
    fast = len(digits) <= _DIGITS and scale >= -9
    return fast and scale % 3 == 0 and not digits.endswith("000") and digits[0] != "0"


def _by_1024(value: int) -> str:
    steps = 0
    while value % 1024 == 0 and steps < 6:
        value //= 1024
        steps += 1
    return f"{value}{_BINARY_SUFFIX.get(steps * 10, '')}"


def _by_1000(value: Decimal, style: str) -> str:
    with localcontext() as context:
        context.prec = 100
        sign, digits, exponent = value.normalize().as_tuple()
    mantissa = int("".join(map(str, digits)))
    shift = int(exponent) % 3
    mantissa, power = mantissa * 10**shift, int(exponent) - shift
    text = f"{'-' if sign else ''}{mantissa}"
    if style == "exponent":
        return text + (f"e{power}" if power else "")
    return text + _DECIMAL_SUFFIX.get(power, "")  # beyond exa the original writes no suffix either
