"""How long ago: the Age column, in the words of apimachinery's util/duration.

`cells.py` asks this for every date. The shorter the time, the finer the unit: 45s, 3m10s, 5h, 2d3h, 4y120d.
"""

from __future__ import annotations

import re
from datetime import datetime

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)


def age_of(text: str, now: float) -> str:
    """The time since an RFC 3339 time; <unknown> when there is none, <invalid> when it is no time or lies ahead."""
    if text in {"", "null"}:
        return "<unknown>"
    if not _RFC3339.fullmatch(text):
        return "<invalid>"
    try:
        return human_duration(now - datetime.fromisoformat(text).timestamp())
    except ValueError:
        return "<invalid>"


def human_duration(elapsed: float) -> str:
    """Seconds in at most two units. A clock that is up to two seconds behind is forgiven."""
    seconds = int(elapsed)
    if seconds < 0:
        return "<invalid>" if seconds < -1 else "0s"
    if seconds < 120:
        return f"{seconds}s"
    if seconds < 600:
        return _two(seconds, 60, "m", "s")
    minutes = seconds // 60
    if minutes < 180:
        return f"{minutes}m"
    return _long(minutes)


def _long(minutes: int) -> str:
    hours = minutes // 60
    if hours < 8:
        return _two(minutes, 60, "h", "m")
    if hours < 48:
        return f"{hours}h"
    if hours < 192:
        return _two(hours, 24, "d", "h")
    days = hours // 24
    if days < 730:
        return f"{days}d"
    return _two(days, 365, "y", "d") if days < 2920 else f"{days // 365}y"


def _two(amount: int, size: int, unit: str, smaller: str) -> str:
    rest = amount % size
    return f"{amount // size}{unit}{rest}{smaller}" if rest else f"{amount // size}{unit}"
