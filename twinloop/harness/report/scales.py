"""From values to places on an axis: 0 is its beginning, 1 its end. And the ticks that a person would choose.

The charts multiply by what they draw on: per cent where the browser lays out, units where a path needs numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol


class Scale(Protocol):
    """What an axis knows."""

    def __call__(self, value: float) -> float:
        """The place of a value, from 0 to 1; what lies outside is put on the edge."""

    def ticks(self) -> list[float]:
        """At most seven round values within the axis."""

    def spec(self) -> str:
        """The axis in words that the page's script understands: kind, low, high."""


@dataclass(frozen=True)
class Linear:
    """Equal steps."""

    low: float
    high: float

    def __call__(self, value: float) -> float:
        """The place of a value."""
        return _within((value - self.low) / ((self.high - self.low) or 1))

    def ticks(self) -> list[float]:
        """Multiples of 1, 2 or 5 times a power of ten."""
        step = nice_step((self.high - self.low) / 5)
        first = math.ceil(self.low / step - 1e-9)
        return [round(step * n, 12) for n in range(first, math.floor(self.high / step + 1e-9) + 1)]

    def spec(self) -> str:
        """For the script."""
        return f"linear,{self.low:g},{self.high:g}"


@dataclass(frozen=True)
class Log:
    """Equal ratios; both ends are above zero."""

    low: float
    high: float

    def __call__(self, value: float) -> float:
        """The place of a value; zero and less lie on the left edge."""
        if value <= self.low:
            return 0.0
        return _within(math.log(value / self.low) / (math.log(self.high / self.low) or 1))

    def ticks(self) -> list[float]:
        """Powers of ten, thinned out over many decades; 1, 2, 5 over few."""
        decades = math.log10(self.high / self.low)
        factors = (1, 2, 5) if decades <= 2 else (1, 3) if decades <= 3 else (1,)
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        every = max(1, math.ceil(decades / 6))
        values = [factor * 10.0**power for power in range(first, last + 1, every) for factor in factors]
        return [each for each in values if self.low * 0.999 <= each <= self.high * 1.001]

    def spec(self) -> str:
        """For the script."""
        return f"log,{self.low:g},{self.high:g}"


def _within(place: float) -> float:
    return min(1.0, max(0.0, place))


def nice_step(rough: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that is at least so large."""
    if rough <= 0:
        return 1.0
    power: float = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)


def from_zero(values: Iterable[float]) -> Linear:
    """A linear axis from zero to the largest value and a little beyond."""
    return Linear(0, (max(values, default=0) or 1) * 1.02)


def around(values: Sequence[float]) -> Scale:
    """An axis on which all values can be told apart: logarithmic, with air on both sides, where they span more than a factor of eight."""
    positive = [each for each in values if each > 0]
    if not positive or max(positive) / min(positive) < 8:
        return from_zero(values)
    return Log(min(positive) / 1.25, max(positive) * 1.25)


def logarithmic(values: Sequence[float]) -> Log:
    """A logarithmic axis of at least one decade around the values."""
    positive = [each for each in values if each > 0] or [0.1]
    low, high = min(positive) / 1.25, max(positive) * 1.25
    if high / low < 10:
        middle = math.sqrt(low * high)
        low, high = middle / math.sqrt(10), middle * math.sqrt(10)
    return Log(low, high)
