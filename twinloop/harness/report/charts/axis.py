"""What all charts share: lines at round values, and their names below or above."""

from __future__ import annotations

from collections.abc import Callable

from markupsafe import Markup

from twinloop.harness.report.scales import Scale
from twinloop.harness.report.svg import UNITS, across, joined, path, percent, stretched, tag

# Room for the names of the ticks, in pixels.
NAMES = 18


def grid(scale: Scale, height: float) -> Markup:
    """A vertical line at each tick."""
    drawn = "".join(f"M{across(scale(each))} 0v{height:g}" for each in scale.ticks())
    return stretched(path(drawn, class_="grid"), height=height)


def names(scale: Scale, y: float, name: Callable[[float], str]) -> Markup:
    """The ticks' names; those at the edges lean inwards, so that none is cut off."""
    return joined(
        tag("text", name(each), x=percent(scale(each)), y=y, style=_leaning(scale(each)), class_="tick")
        for each in scale.ticks()
    )


def _leaning(place: float) -> str | None:
    return "text-anchor:start" if place < 0.06 else "text-anchor:end" if place > 0.94 else None


def levels(scale: Scale, height: float) -> Markup:
    """Horizontal lines, as a path on a stretched layer; the first value is at the bottom."""
    drawn = "".join(f"M0 {_y(scale(each), height)}H{UNITS}" for each in scale.ticks())
    return path(drawn, class_="grid")


def level_names(scale: Scale, height: float, name: Callable[[float], str], *, last: bool = False) -> Markup:
    """The values of the horizontal lines, written on them at the left; only the highest where a curve would run through them."""
    ticks = [each for each in scale.ticks() if scale(each) > 0.05]
    return joined(
        tag("text", name(each), x="0", y=_y(scale(each), height) - 3, class_="tick left")
        for each in (ticks[-1:] if last else ticks)
    )


def steps(places: list[tuple[float, float]], height: float) -> str:
    """A staircase through points given as (x, y) from 0 to 1, as a path: first across, then up."""
    if not places:
        return ""
    (x, y), *rest = places
    drawn = f"M{across(x)} {_y(y, height)}"
    return drawn + "".join(f"H{across(x)}V{_y(y, height)}" for x, y in rest)


def _y(place: float, height: float) -> float:
    value = round(height * (1 - place), 1)
    return int(value) if value.is_integer() else value
