"""Numbers and places as plain text, for the pages that have no markup of their own: terminal, Markdown, JUnit."""

from __future__ import annotations

from typing import Any

from twinloop.harness.results import Difference, Latency, Ratio
from twinloop.harness.standing import unexpected


def number(value: Any) -> str:
    """A number as short as it can be read; "" when it is not known."""
    if value is None or isinstance(value, str):
        return value or ""
    return f"{value:g}" if abs(value) < 10_000 else f"{value:,.0f}"


def shortened(text: str, most: int) -> str:
    """One line of at most so many characters: what a server or a log says may be long."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


def seconds(value: float | None) -> str:
    """A latency in milliseconds or seconds; None is one that never ended."""
    if value is None:
        return "never"
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"


def median(latency: Latency) -> str:
    """The median with its interval: "120 ms [110, 133]"."""
    if not any(not each["warm_up"] for each in latency.samples):
        return ""
    return f"{seconds(latency.median)} [{seconds(latency.low)}, {seconds(latency.high)}]"


def title(difference: Difference) -> str:
    """What it is, and where: "UNEXPECTED kopf in gone-410, O15"."""
    place = f"{difference.variant} in {difference.scenario}" if difference.scenario else difference.variant
    return f"{heading(difference)} {place}, {difference.aspect}:"


def heading(difference: Difference) -> str:
    """The word that it begins with."""
    if not difference.gates:
        return "NOT COUNTED"
    if difference.gone:
        return f"NO LONGER TRUE ({difference.known})"
    return "UNEXPECTED" if unexpected(difference) else f"expected ({difference.known})"


def ratio_in_words(ratio: Ratio) -> str:
    """As in "kopf 2.6 times slower [2.2, 3.1]"; nothing is called without significance."""
    if ratio.call not in {"slower", "faster"}:
        word = "no difference detectable" if ratio.call == "none" else "too few samples"
        return f"{ratio.variant}: {word}"
    return f"{ratio.variant} {ratio.call}, {interval(ratio.ratio, ratio.low, ratio.high)}"


def interval(value: float | None, low: float | None, high: float | None) -> str:
    """As in "2.61 [2.20, 3.10]"; without end where samples never ended."""
    return f"{_factor(value)} [{_factor(low)}, {_factor(high)}]"


def _factor(value: float | None) -> str:
    return "∞" if value is None else f"{value:.2f}"
