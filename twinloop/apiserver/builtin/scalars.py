"""JSON values that Go reads in a way of its own: numbers with a range, times, quantities, base64, int-or-string.

Each reader takes a JSON value and returns it as the API server would write it back, or raises `Unreadable` with the
words of Go's encoding/json and of the types' own UnmarshalJSON. `readers.py` puts them together to structs.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from twinloop.apiserver.builtin.quantities import QuantityError, canonical

INT32 = 2**31
INT64 = 2**63


class Unreadable(Exception):
    """A value that cannot be decoded. `fields` and `struct` fill up while the readers return (see `readers.Struct`).

    `final`: Go stops at once, for the type reads its JSON itself; of other faults it tells the first when it is done.
    """

    def __init__(self, text: str, go_type: str = "", *, final: bool = False) -> None:
        super().__init__(text)
        self.text, self.go_type, self.final = text, go_type, final
        self.fields: list[str] = []
        self.struct = ""

    def __str__(self) -> str:
        """Go's text; only a type error names the field."""
        if not self.go_type:
            return self.text
        where = f"struct field {self.struct}.{'.'.join(reversed(self.fields))}" if self.struct else "value"
        return f"json: cannot unmarshal {self.text} into Go {where} of type {self.go_type}"


def mismatch(value: Any, go_type: str, *, final: bool = False) -> Unreadable:
    """A value of another JSON type than the Go type takes."""
    return Unreadable(json_type(value), go_type, final=final)


def json_type(value: Any) -> str:
    """What Go calls a JSON value."""
    names = {str: "string", bool: "bool", dict: "object", list: "array", type(None): "null"}
    return names.get(type(value), "number")


def integer(go_type: str, limit: int) -> Callable[[Any], int]:
    """A reader of int32 or int64."""

    def read(value: Any) -> int:
        if value.__class__ is int and -limit <= value < limit:
            return int(value)
        if value.__class__ in {int, float}:
            raise Unreadable(f"number {value!r}", go_type)
        raise mismatch(value, go_type)

    return read


def float64(value: Any) -> Any:
    """A reader of float64; an integer stays one, as Go writes 5 and not 5.0."""
    if value.__class__ not in {int, float}:
        raise mismatch(value, "float64")
    return value


def int_or_string(value: Any) -> Any:
    """intstr.IntOrString."""
    try:
        return value if value.__class__ is str else _int32(value)
    except Unreadable as error:
        error.final = True
        raise


def quantity(value: Any) -> str:
    """resource.Quantity, canonical."""
    if value.__class__ is str:
        text = value
    elif value.__class__ in {int, float}:
        text = repr(value)
    else:
        text = {True: "true", False: "false"}.get(value, "{") if value.__class__ is bool else "{"
    try:
        return canonical(text)
    except QuantityError as error:
        raise Unreadable(str(error), final=True) from None


def base64_text(value: Any) -> str:
    """[]byte: standard base64 with padding; line breaks are ignored."""
    if value.__class__ is list:
        return _bytes_one_by_one(value)
    if value.__class__ is not str:
        raise mismatch(value, "[]uint8")
    text = value.replace("\r", "").replace("\n", "")
    if not _BASE64(text):
        raise Unreadable(f"illegal base64 data at input byte {_first_bad_byte(value)}")
    return binascii.b2a_base64(binascii.a2b_base64(text), newline=False).decode()


def _bytes_one_by_one(values: list[Any]) -> str:
    """A slice of bytes may also be written as a list of numbers."""
    read = integer("uint8", 256)
    numbers = [0 if each is None else read(each) for each in values]
    for each in numbers:
        if each < 0:
            raise Unreadable(f"number {each}", "uint8")
    return binascii.b2a_base64(bytes(numbers), newline=False).decode()


def _first_bad_byte(text: str) -> int:
    """Where Go's decoder stops: at a foreign character, at misplaced padding, or at the start of an incomplete group."""
    end = next((at for at, char in enumerate(text) if not _LETTER(char)), len(text))
    letters = len(text[:end].replace("\r", "").replace("\n", ""))
    if end == len(text):
        return end - letters % 4
    if text[end] != "=" or letters % 4 < 2:
        return end
    return _bad_padding(text, end, wanted=4 - letters % 4)


def _bad_padding(text: str, end: int, wanted: int) -> int:
    if wanted == 2 and text[end + 1 : end + 2] != "=":
        return end if end + 1 < len(text) else len(text)
    return end + wanted


_LETTER = re.compile(r"[A-Za-z0-9+/\r\n]").fullmatch
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?").fullmatch


def time(value: Any) -> str | None:
    """metav1.Time: RFC 3339, returned in UTC with whole seconds; the zero time is null."""
    if value.__class__ is not str:
        raise mismatch(value, "string", final=True)
    if _PLAIN_TIME.match(value) and _calendar(value):
        return str(value)
    moment = _moment(value, "2006-01-02T15:04:05Z07:00", micro=False)
    return _unless_zero(moment, "%Y-%m-%dT%H:%M:%SZ")


def micro_time(value: Any) -> str | None:
    """metav1.MicroTime: RFC 3339 with exactly six digits after the second."""
    if value.__class__ is not str:
        raise mismatch(value, "string", final=True)
    moment = _moment(value, "2006-01-02T15:04:05.000000Z07:00", micro=True)
    return _unless_zero(moment, "%Y-%m-%dT%H:%M:%S.%fZ")


_int32 = integer("int32", INT32)
_PLAIN_TIME = re.compile(r"[1-9]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", re.ASCII)
# Go's layout piece by piece: what must stand there, and the piece as its message names it.
_PIECES: tuple[tuple[str, str], ...] = (
    (r"\d{4}", "2006"), ("-", "-"), (r"\d\d", "01"), ("-", "-"), (r"\d\d", "02"), ("T", "T"),
    (r"\d\d", "15"), (":", ":"), (r"\d\d", "04"), (":", ":"), (r"\d\d", "05"),
)  # fmt: skip
_RANGES = (("month", 1, 12), ("day", 1, 31), ("hour", 0, 23), ("minute", 0, 59), ("second", 0, 59))


def _calendar(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _unless_zero(moment: datetime, layout: str) -> str | None:
    return None if moment.year == 1 else moment.strftime(layout)


def _moment(text: str, layout: str, *, micro: bool) -> datetime:
    position = 0
    for pattern, piece in (*_PIECES, *_fraction(text, micro=micro), (r"Z|[+-]\d\d:\d\d", "Z07:00")):
        found = re.compile(pattern, re.ASCII).match(text, position)
        if found is None:
            raise _unparsed(text, layout, f': cannot parse "{text[position:]}" as "{piece}"')
        position = found.end()
    if position < len(text):
        raise _unparsed(text, layout, f': extra text: "{text[position:]}"')
    return _checked(text, layout)


def _fraction(text: str, *, micro: bool) -> tuple[tuple[str, str], ...]:
    """The fraction of a second: six digits, or for RFC 3339 as many as there are."""
    if micro:
        return ((r"\.\d{6}", ".000000"),)
    return ((r"[.,]\d+", ""),) if text[19:20] in {".", ","} else ()


def _checked(text: str, layout: str) -> datetime:
    numbers = [int(text[at : at + 2]) for at in (5, 8, 11, 14, 17)]
    for (name, low, high), number in zip(_RANGES, numbers, strict=True):
        if not low <= number <= high:
            raise _unparsed(text, layout, f": {name} out of range")
    if text[-6:-5] in {"+", "-"} and int(text[-5:-3]) > 24:
        raise _unparsed(text, layout, ": time zone offset hour out of range")
    digits = re.sub(r"[.,](\d+)", lambda found: f".{found[1][:6]:0<6}", text)
    try:
        return datetime.fromisoformat(digits).astimezone(UTC)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC) + timedelta()
    except ValueError:
        raise _unparsed(text, layout, ": day out of range") from None


def _unparsed(text: str, layout: str, why: str) -> Unreadable:
    shown = "" if why.startswith(": cannot") else f'"{text}"'
    if shown:
        return Unreadable(f"parsing time {shown}{why}", final=True)
    return Unreadable(f'parsing time "{text}" as "{layout}"{why}', final=True)
