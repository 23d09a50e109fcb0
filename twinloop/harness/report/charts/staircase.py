"""The retry staircase: when a variant tried a failing thing again, and the how-manieth time that was.

Time is logarithmic, since back-offs double: an exponential back-off is a straight flight of stairs, a fixed delay one that gets steeper.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from markupsafe import Markup

from twinloop.harness.report.charts.axis import NAMES, grid, level_names, levels, names, steps
from twinloop.harness.report.formats import duration, plural
from twinloop.harness.report.look import Looks
from twinloop.harness.report.scales import Linear, Log, logarithmic
from twinloop.harness.report.svg import joined, path, stretched, surface
from twinloop.harness.results import Staircase

HEIGHT = 150
# More marks than this make one smear, and the line says it all.
MARKS = 60


def staircase(stairs: Sequence[Staircase], looks: Looks) -> Markup:
    """All variants' attempts at the same thing; nothing when there was none."""
    drawn = [each for each in stairs if each.attempts]
    if not drawn:
        return Markup()
    scale = logarithmic([value for each in drawn for value in each.attempts])
    attempts = Linear(0, max(4, *(len(each.attempts) for each in drawn)) * 1.08)
    return surface(
        grid(scale, HEIGHT),
        stretched(levels(attempts, HEIGHT), *(_line(each, scale, attempts, looks) for each in drawn), height=HEIGHT),
        level_names(attempts, HEIGHT, lambda value: f"{value:g}"),
        *(_marks(each, scale, attempts, looks) for each in drawn),
        names(scale, HEIGHT + 13, duration),
        height=HEIGHT + NAMES, label="; ".join(map(describe, drawn)), tabindex=0, class_="plot points",
    )  # fmt: skip


def _line(stairs: Staircase, scale: Log, attempts: Linear, looks: Looks) -> Markup:
    places = [(scale(value), attempts(number)) for number, value in enumerate(stairs.attempts, 1)]
    return path(steps(places, HEIGHT), class_=f"line {looks.style(stairs.variant)}")


def _marks(stairs: Staircase, scale: Log, attempts: Linear, looks: Looks) -> Markup:
    if len(stairs.attempts) > MARKS:
        return Markup()
    marks = []
    for number, at in enumerate(stairs.attempts, 1):
        gap = f", {duration(at - stairs.attempts[number - 2])} after the one before" if number > 1 else ""
        tip = f"{stairs.variant}: attempt {number}, {duration(at)} after the first{gap}"
        marks.append(looks.mark(stairs.variant, scale(at), round(HEIGHT * (1 - attempts(number)), 1), data_tip=tip))
    return joined(marks)


def describe(stairs: Staircase) -> str:
    """A variant's attempts in words."""
    attempts = stairs.attempts
    if len(attempts) < 2:
        return f"{stairs.variant}: {plural(len(attempts), 'attempt')}"
    gaps = [later - earlier for earlier, later in pairwise(attempts)]
    gap = f"the first gap {duration(gaps[0])}, the longest {duration(max(gaps))}"
    return f"{stairs.variant}: {plural(len(attempts), 'attempt')} in {duration(attempts[-1] - attempts[0])}, {gap}"
