"""What a handful of latencies allows to be said: medians and paired ratios, with their intervals, and a call.

Pure arithmetic over numbers; the random numbers come in from outside. A sample that never ended is infinite: the longest
of all, kept in every count. `assemble.py` brings the samples and carries the results into the report.

Samples come in blocks, one trial of each variant side by side. What disturbs a machine disturbs a whole block, so the
bootstrap draws blocks first and pairs inside a block second; drawing pairs alone would call intervals too narrow.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

NEVER = math.inf

# Below these nothing is called: a bootstrap over two or three blocks gives intervals that cannot be trusted.
MIN_BLOCKS = 4
MIN_PAIRS = 20

# Smaller ratios are no difference to anybody, however certain: the truth is seen in steps of a few milliseconds.
LEAST_RATIO = 1.1

# Seconds. The end of a sample may be seen before its beginning was answered, which makes 0 of something short.
RESOLUTION = 0.001

# The 2.5th of 2000 resamples is the 50th: its own uncertainty is small beside that of 20 samples.
RESAMPLES = 2000
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """An estimate with the ends of its interval; infinite where samples never ended, None without any sample."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    count: int = 0
    blocks: int = 0

    @property
    def enough(self) -> bool:
        """Whether there are enough samples in enough blocks for a call."""
        return self.blocks >= MIN_BLOCKS and self.count >= MIN_PAIRS


def quantile(values: Sequence[float], share: float) -> float | None:
    """The nearest-rank quantile: always a value that was measured, infinite when it is one that never ended."""
    if not values:
        return None
    rank = math.ceil(share * len(values))
    return sorted(values)[max(rank, 1) - 1]


def ratio(one: float, other: float) -> float:
    """How much longer `one` took than `other`. Of two that never ended neither is the longer."""
    if one == other:
        return 1.0
    return max(one, RESOLUTION) / max(other, RESOLUTION)


def pairs(ones: Sequence[Sequence[float]], others: Sequence[Sequence[float]]) -> list[list[float]]:
    """The ratios of paired samples by block: the i-th of one trial by the i-th of the other. Those without a partner go."""
    return [[ratio(one, other) for one, other in zip(*block, strict=False)] for block in zip(ones, others, strict=True)]


def interval(
    blocks: Sequence[Sequence[float]], rng: random.Random, statistic: Callable[[list[float]], float] = median
) -> Interval:
    """The statistic over all samples, with its percentile bootstrap interval in two stages: blocks, then inside a block."""
    filled = [list(block) for block in blocks if block]
    everything = [value for block in filled for value in block]
    if not everything:
        return Interval()
    drawn = sorted(statistic(_resample(filled, rng)) for _ in range(RESAMPLES))
    tail = round(RESAMPLES * (1 - CONFIDENCE) / 2)
    return Interval(statistic(everything), drawn[tail - 1], drawn[-tail], len(everything), len(filled))


def _resample(blocks: Sequence[list[float]], rng: random.Random) -> list[float]:
    chosen = rng.choices(blocks, k=len(blocks))
    return [value for block in chosen for value in rng.choices(block, k=len(block))]


@dataclass(frozen=True)
class Noise:
    """The noise floor: the interval that a variant beside itself gave, with 1 inside and never narrower than LEAST_RATIO."""

    low: float
    high: float

    @classmethod
    def of(cls, beside_itself: Interval) -> Noise | None:
        """The floor of an A/A run, None when there was too little of it."""
        if not beside_itself.enough or beside_itself.low is None or beside_itself.high is None:
            return None
        return cls(min(beside_itself.low, 1 / LEAST_RATIO), max(beside_itself.high, LEAST_RATIO))


def call(measured: Interval, noise: Noise | None) -> str:
    """slower, faster, none (no difference detectable) or unknown (too little to say).

    The whole interval has to lie beyond the noise floor: a run makes many comparisons, and one in twenty 95 % intervals
    misses the truth.
    """
    if noise is None or not measured.enough or measured.low is None or measured.high is None:
        return "unknown"
    if measured.low > noise.high:
        return "slower"
    return "faster" if measured.high < noise.low else "none"


def rules_out(measured: Interval, noise: Noise | None, expected: str) -> bool:
    """Whether the interval shows that there is no such difference; "none" alone may be a lack of samples."""
    if noise is None or not measured.enough or measured.low is None or measured.high is None:
        return False
    return measured.high <= noise.high if expected == "slower" else measured.low >= noise.low
