"""What a variant looks like: the same colour, mark and line everywhere in the page, by its place in the report.

The classes v0 to v5 have their colours in style/colours.css and their dashes in style/charts.css; the marks m0 to m5 are in
templates/symbols.svg.j2, the same as keys in style/icons.css. A seventh variant looks like the first: its name still stands beside everything.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from twinloop.harness.report.svg import percent, tag

LOOKS = 6


class Looks:
    """Which variant is which."""

    def __init__(self, variants: Sequence[str]) -> None:
        self.variants = tuple(variants)

    def number(self, variant: str) -> int:
        """The place of a variant; one that nobody announced (a side of an A/A run) looks like the one that it is named after, but hollow."""
        if variant in self.variants:
            return self.variants.index(variant) % LOOKS
        kin = [each for each in self.variants if variant.startswith(each)]
        return self.variants.index(max(kin, key=len)) % LOOKS if kin else 0

    def style(self, variant: str) -> str:
        """Its class."""
        return f"v{self.number(variant)}" if variant in self.variants else f"v{self.number(variant)} again"

    def mark(self, variant: str, place: float, y: float, **attributes: object) -> Markup:
        """Its mark on a surface."""
        style = f"mark {self.style(variant)}"
        return tag("use", href=f"#m{self.number(variant)}", x=percent(place), y=y, class_=style, **attributes)

    def key(self, variant: str) -> Markup:
        """Its mark and line for a legend or beside its name."""
        return Markup('<i class="key {}"></i>').format(self.style(variant))
