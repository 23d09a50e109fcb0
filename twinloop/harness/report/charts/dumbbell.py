"""Latencies at a glance: a row a measure, a mark a variant at its median, a whisker for its 95 % interval.

The rows share one logarithmic axis, so that equal distances are equal ratios. The table of a scenario has the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from twinloop.harness.report.charts.axis import grid, names
from twinloop.harness.report.formats import duration, factor, plain_factor
from twinloop.harness.report.look import Looks
from twinloop.harness.report.scales import Log, logarithmic
from twinloop.harness.report.svg import joined, percent, surface, tag
from twinloop.harness.results import Latency, Ratio

LANE = 13
PADDING = 7
# Medians that do not exist (more than half never converged) are drawn beyond the axis, at its end.
BEYOND = 0.985


@dataclass(frozen=True)
class Row:
    """One measure of one scenario."""

    scenario: str
    measure: str
    plot: Markup
    ratios: tuple[Ratio, ...]


@dataclass(frozen=True)
class Dumbbell:
    """The rows and the axis above them."""

    axis: Markup
    rows: tuple[Row, ...]


def dumbbell(latencies: Sequence[Latency], ratios: Sequence[Ratio], looks: Looks) -> Dumbbell:
    """All measures, in the order in which the report has them."""
    scale = _scale(latencies)
    measures = dict.fromkeys((each.scenario, each.measure) for each in latencies)
    rows = [
        Row(
            scenario,
            measure,
            _plot([each for each in latencies if (each.scenario, each.measure) == (scenario, measure)], scale, looks),
            tuple(each for each in ratios if (each.scenario, each.measure) == (scenario, measure)),
        )
        for scenario, measure in measures
    ]
    axis = surface(names(scale, 12, duration), height=16, label="time, a logarithmic axis", class_="axis")
    return Dumbbell(axis, tuple(rows))


def _scale(latencies: Sequence[Latency]) -> Log:
    values = [value for each in latencies for value in (each.low, each.median, each.high) if value is not None]
    return logarithmic(values)


def _plot(latencies: Sequence[Latency], scale: Log, looks: Looks) -> Markup:
    height = LANE * len(latencies) + 2 * PADDING
    lanes = [_variant(each, PADDING + LANE * (n + 0.5), scale, looks) for n, each in enumerate(latencies)]
    said = "\n".join(map(describe, latencies))
    return surface(
        grid(scale, height), _band(latencies, scale, height), *lanes, height=height, label=said, tabindex=0,
        data_tip="", class_="plot",
    )  # fmt: skip


def _band(latencies: Sequence[Latency], scale: Log, height: float) -> Markup:
    """What lies between the fastest and the slowest median."""
    places = [_place(each, scale) for each in latencies]
    low, high = min(places), max(places)
    return tag("rect", x=percent(low), width=percent(high - low), y=0, height=height, class_="between")


def _place(latency: Latency, scale: Log) -> float:
    return BEYOND if latency.median is None else scale(latency.median)


def _variant(latency: Latency, y: float, scale: Log, looks: Looks) -> Markup:
    if latency.median is None:
        arrow = tag(
            "text", "never ▸", x="100%", y=y + 4, text_anchor="end", class_=f"never {looks.style(latency.variant)}"
        )
        return joined([arrow])
    return joined([_whisker(latency, y, scale, looks), looks.mark(latency.variant, scale(latency.median), y)])


def _whisker(latency: Latency, y: float, scale: Log, looks: Looks) -> Markup:
    if latency.low is None:
        return Markup()
    high = 1.0 if latency.high is None else scale(latency.high)
    style = f"whisker {looks.style(latency.variant)}"
    return tag("line", x1=percent(scale(latency.low)), x2=percent(high), y1=y, y2=y, class_=style)


def describe(latency: Latency) -> str:
    """A variant's latency in words."""
    counted = [each for each in latency.samples if not each.get("warm_up")]
    said = f"{latency.variant}: median {duration(latency.median)}"
    if latency.low is not None:
        said += f" (95 % interval {duration(latency.low)} to {duration(latency.high)})"
    return f"{said}, n = {len(counted)}" + (f", {latency.censored} never" if latency.censored else "")


def compared(ratio: Ratio) -> str:
    """The ratio and its interval."""
    if ratio.ratio is None:
        return ""
    if ratio.low is None:
        return factor(ratio.ratio)
    return (
        f"{factor(ratio.ratio)} [{plain_factor(ratio.low)}, {'∞' if ratio.high is None else plain_factor(ratio.high)}]"
    )
