"""Timestamps and durations of CEL: nanoseconds, read and written as Go does.

`values.py` makes them of date-time, date and duration strings, `times.py` computes with them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

SECOND = 10**9
_UNITS = {"ns": 1, "us": 1000, "µs": 1000, "μs": 1000, "ms": 10**6, "s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND}
_PARTS = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_LONG_PARTS = re.compile(r"(\d+)\s*([A-Za-zµ]+)")
_LONG_UNITS = {
    **_UNITS, "nano": 1, "micro": 1000, "milli": 10**6, "sec": SECOND, "min": 60 * SECOND, "hr": 3600 * SECOND,
    "hour": 3600 * SECOND, "d": 86400 * SECOND, "day": 86400 * SECOND, "w": 604800 * SECOND, "wk": 604800 * SECOND,
    "week": 604800 * SECOND,
}  # fmt: skip
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)?", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A length of time in nanoseconds."""

    nanoseconds: int

    def __str__(self) -> str:
        text = f"{abs(self.nanoseconds) // SECOND}.{abs(self.nanoseconds) % SECOND:09d}".rstrip("0").rstrip(".")
        return f"{'-' * (self.nanoseconds < 0)}{text}s"


@dataclass(frozen=True, slots=True, order=True)
class Timestamp:
    """A point in time in nanoseconds since 1970."""

    nanoseconds: int

    @property
    def datetime(self) -> datetime:
        """The same in UTC, to the microsecond."""
        return _EPOCH + timedelta(microseconds=self.nanoseconds // 1000)

    def __str__(self) -> str:
        fraction = f".{self.nanoseconds % SECOND:09d}".rstrip("0").rstrip(".")
        return f"{self.datetime:%Y-%m-%dT%H:%M:%S}{fraction}Z"


def parse_duration(text: str) -> Duration:
    """As time.ParseDuration; raises ValueError."""
    body = text.lstrip("+-")
    parts = _PARTS.findall(body)
    if body == "0":
        return Duration(0)
    if not parts or "".join(map("".join, parts)) != body or len(text) - len(body) > 1:
        raise ValueError(f'time: invalid duration "{text}"')
    total = sum(
        round(float(amount) * _UNITS[unit]) if "." in amount else int(amount) * _UNITS[unit] for amount, unit in parts
    )
    return Duration(-total if text.startswith("-") else total)


def parse_long_duration(text: str) -> Duration:
    """As strfmt.ParseDuration, which also knows days and words."""
    try:
        return parse_duration(text)
    except ValueError:
        parts = [(int(amount), unit.lower()) for amount, unit in _LONG_PARTS.findall(text)]
        return Duration(sum(amount * _long_unit(unit) for amount, unit in parts))


def _long_unit(unit: str) -> int:
    longest = sorted(_LONG_UNITS, key=len, reverse=True)
    return _LONG_UNITS.get(unit) or next((_LONG_UNITS[each] for each in longest if unit.startswith(each)), 0)


def parse_time(text: str) -> Timestamp:
    """An RFC 3339 time; raises ValueError."""
    found = _TIME.fullmatch(text)
    if not found:
        raise ValueError(f'parsing time "{text}" as "2006-01-02T15:04:05Z07:00": cannot parse "{text}" as "2006"')
    zone = (found[4] or "Z").upper().replace("Z", "+00:00")
    moment = datetime.fromisoformat(f"{found[1]}T{found[2]}{zone}") - _EPOCH
    fraction = int((found[3] or "0").ljust(9, "0")[:9])
    return Timestamp((moment.days * 86400 + moment.seconds) * SECOND + fraction)


def parse_date(text: str) -> Timestamp:
    """A day, at its midnight in UTC."""
    return parse_time(f"{text}T00:00:00Z")
