"""The parts of timestamps and durations: getHours() and its kin.

A part of `functions.py`. Months and days of the week count from 0, as in JavaScript; a time zone is a name or an offset.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from twinloop.apiserver.schemas.cel.moments import SECOND, Duration, Timestamp
from twinloop.apiserver.schemas.cel.values import CelError

_OFFSET = re.compile(r"([+-]?)(\d\d):(\d\d)")


def _zone(name: str) -> tzinfo:
    offset = _OFFSET.fullmatch(name)
    if offset:
        shift = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
        return timezone(-shift if offset[1] == "-" else shift)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise CelError(f"unknown time zone {name}") from None


def _of_time(part: Callable[[datetime], int], length: int = 0) -> Callable[..., int]:
    """A part of a timestamp; with `length`, of a duration the whole number of these."""

    def run(value: Any, zone: str = "UTC") -> int:
        if isinstance(value, Timestamp):
            return part(value.datetime.astimezone(_zone(zone)))
        if not isinstance(value, Duration) or not length:
            raise TypeError
        return int(value.nanoseconds / length)

    return run


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "getFullYear": _of_time(lambda when: when.year),
    "getMonth": _of_time(lambda when: when.month - 1),
    "getDate": _of_time(lambda when: when.day),
    "getDayOfMonth": _of_time(lambda when: when.day - 1),
    "getDayOfWeek": _of_time(lambda when: (when.weekday() + 1) % 7),
    "getDayOfYear": _of_time(lambda when: when.timetuple().tm_yday - 1),
    "getHours": _of_time(lambda when: when.hour, 3600 * SECOND),
    "getMinutes": _of_time(lambda when: when.minute, 60 * SECOND),
    "getSeconds": _of_time(lambda when: when.second, SECOND),
    "getMilliseconds": _of_time(lambda when: when.microsecond // 1000, SECOND // 1000),
}
