"""Under which circumstances it was measured: the report's `meta` as names and sentences for its head.

What is not known here is shown as it is, so that a new fact needs no change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from twinloop.harness.report.formats import count, duration, factor

Said = Callable[[Any], str]

# Shown elsewhere.
NOT_HERE = {"exit_code"}


def facts(meta: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Name and value of everything that is known, in the report's order."""
    known = {name: value for name, value in meta.items() if name not in NOT_HERE and value not in (None, "", [], {})}
    return [(NAMES.get(name, name.replace("_", " ")), _said(name, value)) for name, value in known.items()]


def _said(name: str, value: Any) -> str:
    try:
        return SAID[name](value) if name in SAID else plain(value)
    except (AttributeError, KeyError, TypeError, ValueError):
        # A report of another version: better its own words than none.
        return plain(value)


def plain(value: Any) -> str:
    """Any value in words."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {plain(each)}" for name, each in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(plain, value))
    return count(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)


def _started(value: str) -> str:
    return value.replace("T", " ").replace("+00:00", " UTC").replace("Z", " UTC")


def _proxy(value: Any) -> str:
    if isinstance(value, str):
        return value
    added = f"{duration(value['p50'])} (median), {duration(value['p99'])} (p99)"
    return f"adds {added} to {count(value['requests'])} requests" if value["requests"] else "saw no request"


def _tolerances(value: Mapping[str, Mapping[str, float]]) -> str:
    """What is no difference yet: "writes: 2 and 25 %, latency: 1.1 times"."""
    return ", ".join(f"{name} {_tolerance(each)}" for name, each in value.items())


def _tolerance(value: Mapping[str, float]) -> str:
    if "ratio" in value:
        return factor(value["ratio"])
    return f"{count(value['absolute'])} and {value['relative'] * 100:.0f} %"


NAMES = {
    "seconds": "took",
    "load": "load before it began",
    "proxy": "recording proxy",
    "tolerances": "called the same up to",
}
SAID: dict[str, Said] = {
    "seconds": duration,
    "started": _started,
    "seed": str,
    "load": lambda value: f"{value * 100:.0f} % of the cores",
    "proxy": _proxy,
    "tolerances": _tolerances,
}
