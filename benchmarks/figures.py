"""What a measurement is: a name, a unit, and samples of two sides taken in turns; and how a table of them reads."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass
class Figure:
    """`samples` by side, in the order in which they were taken. `more_is_better` says how to read the ratio."""

    name: str
    unit: str
    more_is_better: bool = False
    samples: dict[str, list[float]] = field(default_factory=dict)
    guide: str = ""

    def add(self, side: str, value: float) -> None:
        """Take down one sample."""
        self.samples.setdefault(side, []).append(value)

    def median(self, side: str) -> float | None:
        """The median of a side; None when it was not measured."""
        return statistics.median(self.samples[side]) if self.samples.get(side) else None


def table(figures: Sequence[Figure], sides: Sequence[str]) -> list[str]:
    """Lines of text: for each figure and side `median (min to max)`, and the ratio of the first side to each other one."""
    rows = [["", *sides, *(f"{sides[0]} / {other}" for other in sides[1:]), "guide"]]
    for figure in figures:
        cells = [_cell(figure, side) for side in sides]
        rows.append([f"{figure.name} [{figure.unit}]", *cells, *_ratios(figure, sides), figure.guide])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _cell(figure: Figure, side: str) -> str:
    samples = figure.samples.get(side)
    if not samples:
        return "not measured"
    middle = shown(statistics.median(samples))
    return middle if len(samples) == 1 else f"{middle} ({shown(min(samples))} to {shown(max(samples))})"


def _ratios(figure: Figure, sides: Sequence[str]) -> list[str]:
    own = figure.median(sides[0])
    others = [figure.median(side) for side in sides[1:]]
    return [f"{own / other:.2f}" if own is not None and other else "unknown" for other in others]


def shown(value: float) -> str:
    """Three figures that count, never an exponent."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def as_json(figures: Sequence[Figure]) -> list[Mapping[str, object]]:
    """For a file beside the table."""
    return [{"name": f.name, "unit": f.unit, "samples": f.samples} for f in figures]
