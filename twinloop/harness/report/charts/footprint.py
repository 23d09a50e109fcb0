"""CPU and memory of one trial over time, with the faults as bands behind them.

All variants of a scenario are drawn to the same scales, side by side. CPU is drawn as a rate: the samples hold CPU time so far.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from twinloop.harness.report.charts.axis import NAMES, grid, level_names, levels, names
from twinloop.harness.report.formats import duration, size
from twinloop.harness.report.look import Looks
from twinloop.harness.report.scales import Linear, from_zero
from twinloop.harness.report.svg import UNITS, across, joined, number, path, percent, stretched, surface, tag
from twinloop.harness.results import Footprint

HEIGHT = 64
POINTS = 60


@dataclass(frozen=True)
class Prints:
    """One variant's two charts."""

    variant: str
    cpu: Markup
    memory: Markup
    cpu_text: str
    memory_text: str


def footprints(prints: Sequence[Footprint], looks: Looks, points: int = POINTS) -> list[Prints]:
    """The charts of one scenario, all to the same scales; a variant without two samples has none."""
    drawn = [each for each in prints if len(each.points) > 1]
    time = Linear(0, max((each.points[-1][0] for each in drawn), default=1))
    series = [(each, rates(thinned(each.points, points)), thinned(each.points, points)) for each in drawn]
    cpu = from_zero([value for _, rate, _ in series for _, value in rate])
    memory = from_zero([each[2] for _, _, kept in series for each in kept])
    return [
        Prints(
            each.variant,
            _chart(each, rate, time, cpu, looks, "CPU"),
            _chart(each, [(point[0], point[2]) for point in kept], time, memory, looks, "memory"),
            f"{duration(max(0.0, each.points[-1][1]))} of CPU, at most {share(max(value for _, value in rate))} of a core",
            f"at most {size(max(point[2] for point in each.points))} resident",
        )
        for each, rate, kept in series
    ]


def share(value: float) -> str:
    """A part of a core."""
    return f"{value:.0%}".replace("%", " %")


def thinned(points: Sequence[Sequence[float]], most: int) -> list[Sequence[float]]:
    """At most so many of them, evenly, the first and the last among them."""
    if len(points) <= most:
        return list(points)
    last = len(points) - 1
    return [points[round(n * last / (most - 1))] for n in range(most)]


def rates(points: Sequence[Sequence[float]]) -> list[tuple[float, float]]:
    """CPU seconds a second between neighbours; a restart, whose clock begins anew, counts from zero."""
    found = []
    for earlier, later in pairwise(points):
        spent = later[1] - earlier[1] if later[1] >= earlier[1] else later[1]
        found.append((later[0], spent / ((later[0] - earlier[0]) or 1)))
    return [(points[0][0], found[0][1] if found else 0.0), *found]


def _chart(
    print_: Footprint,
    values: Sequence[tuple[float, float]],
    time: Linear,
    scale: Linear,
    looks: Looks,
    what: str,
) -> Markup:
    say = share if what == "CPU" else size
    line = "".join(
        f"{'L' if n else 'M'}{across(time(t))} {number(round(HEIGHT * (1 - scale(value)), 1))}"
        for n, (t, value) in enumerate(values)
    )
    style = looks.style(print_.variant)
    return surface(
        bands(print_.bands, time, HEIGHT),
        grid(time, HEIGHT),
        stretched(
            levels(scale, HEIGHT),
            path(line, class_=f"line solid {style}"),
            height=HEIGHT,
        ),
        level_names(scale, HEIGHT, say, last=True),
        names(time, HEIGHT + 13, duration),
        height=HEIGHT + NAMES, tabindex=0, class_="plot trace", data_axis=time.spec(), data_level=scale.spec(),
        data_unit="share" if what == "CPU" else "bytes", label=f"{what} of {print_.variant} over {duration(time.high)}",
    )  # fmt: skip


def bands(given: Sequence[Sequence[object]], time: Linear, height: float) -> Markup:
    """Faults as bands; one that took no time is as wide as a line."""
    drawn = []
    for begin, end, what in given:
        left, right = time(_seconds(begin)), time(_seconds(end, time.high))
        width = max(right - left, 3 / UNITS)
        tip = f"{what}: {duration(_seconds(begin))} to {duration(_seconds(end, time.high))}"
        drawn.append(
            tag("rect", x=percent(left), width=percent(width), y=0, height=height, class_="band", data_tip=tip)
        )
    return joined(drawn)


def _seconds(value: object, otherwise: float = 0.0) -> float:
    return float(value) if isinstance(value, (int, float)) else otherwise
