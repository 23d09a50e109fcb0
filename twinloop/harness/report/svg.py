"""SVG elements as text, and the two kinds of drawing surface that the charts use.

A chart must be as wide as its column, on a phone too, and its text must stay as large as the page's. So the outer surface
has no viewBox: whatever is placed on it says where in per cent across and in pixels down. Paths cannot speak per cent; they go onto a
surface of 1000 units across that the browser stretches, with lines that keep their width.
"""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape

# Finer than a pixel on most screens, and a coordinate has three digits.
UNITS = 1000


def tag(element: str, *children: str, **attributes: object) -> Markup:
    """An element. Attributes that are None are left out; `class_` is class, `stroke_width` stroke-width, viewBox stays."""
    said = "".join(f' {_name(name)}="{_value(value)}"' for name, value in attributes.items() if value is not None)
    inside = "".join(map(escape, children))
    return Markup(f"<{element}{said}>{inside}</{element}>" if inside else f"<{element}{said}/>")  # noqa: S704 - both were escaped


def _name(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


def _value(value: object) -> str:
    return number(value) if isinstance(value, float) else str(escape(value))


def number(value: float) -> str:
    """At most two decimals, and no zeros that say nothing."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if value % 1 else f"{value:.0f}"


def percent(place: float) -> str:
    """A place from 0 to 1 as per cent."""
    return f"{number(place * 100)}%"


def across(place: float) -> int:
    """A place from 0 to 1 in units of a stretched surface."""
    return round(place * UNITS)


def surface(*layers: str, height: float, label: str, **attributes: object) -> Markup:
    """A chart as wide as its column. `label` says in words what it shows, for those who cannot see it."""
    return tag("svg", *layers, width="100%", height=height, role="img", aria_label=label, **attributes)


def stretched(*paths: str, height: float) -> Markup:
    """A layer for paths: UNITS across, pixels down. An empty one is nothing."""
    if not any(paths):
        return Markup()
    return tag(
        "svg", *paths, width="100%", height=height, viewBox=f"0 0 {UNITS} {number(height)}", preserveAspectRatio="none"
    )


def path(drawn: str, **attributes: object) -> Markup:
    """A path whose line keeps its width; of nothing: nothing."""
    return tag("path", d=drawn, **attributes) if drawn else Markup()


def joined(parts: Iterable[str]) -> Markup:
    """Elements one after the other."""
    return Markup().join(map(Markup, parts))
