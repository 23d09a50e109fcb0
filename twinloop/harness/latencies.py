"""Latency samples of all trials, gathered by block and held against one another. The arithmetic is `stats.py`'s.

Pure but for the random numbers, which are seeded by what is compared: the same samples always give the same intervals.
`assemble.py` puts the results into the report, `observed.py` reads the calls.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from twinloop.harness.cells import finite
from twinloop.harness.frame import Frame
from twinloop.harness.order import AGAIN
from twinloop.harness.outcome import Outcome
from twinloop.harness.results import Latency, Ratio
from twinloop.harness.stats import NEVER, Interval, Noise, call, interval, pairs, quantile

# Scenario and measure -> variant -> block -> samples.
Blocks = Mapping[int, list[float]]
Samples = Mapping[tuple[str, str], Mapping[str, Blocks]]


@dataclass(frozen=True)
class Compared:
    """A ratio as the report has it, and as it was computed."""

    ratio: Ratio
    interval: Interval
    noise: Noise | None


def samples(outcomes: Sequence[Outcome]) -> Samples:
    """What counts: no warm-up, and no trial in which the harness itself failed."""
    gathered: dict[tuple[str, str], dict[str, dict[int, list[float]]]] = defaultdict(lambda: defaultdict(dict))
    for outcome in outcomes:
        for each in outcome.samples if outcome.state == "complete" else []:
            if not each.warm_up:
                blocks = gathered[outcome.scenario, each.name][outcome.variant]
                blocks.setdefault(outcome.block, []).append(NEVER if each.seconds is None else each.seconds)
    return gathered


def latencies(outcomes: Sequence[Outcome]) -> list[Latency]:
    """One row a measure and variant, the A/A run as a variant of its own."""
    shown: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for outcome in outcomes:
        for each in outcome.samples if outcome.state == "complete" else []:
            said = {"block": outcome.block, "index": each.index, "seconds": each.seconds, "warm_up": each.warm_up}
            shown[outcome.scenario, each.name, outcome.variant].append(said)
    counted = samples(outcomes)
    return [_latency(key, rows, counted.get(key[:2], {}).get(key[2], {})) for key, rows in shown.items()]


def _latency(key: tuple[str, str, str], rows: list[dict[str, Any]], blocks: Blocks) -> Latency:
    values = [value for block in blocks.values() for value in block]
    middle = interval(list(blocks.values()), _rng(*key))
    return Latency(
        *key, rows,
        median=finite(middle.value),
        p95=finite(quantile(values, 0.95)),
        low=finite(middle.low),
        high=finite(middle.high),
        censored=values.count(NEVER),
    )  # fmt: skip


def compared(frame: Frame, outcomes: Sequence[Outcome]) -> tuple[list[Compared], list[Compared]]:
    """The ratios of all other variants to the base, and those of the A/A runs."""
    ratios: list[Compared] = []
    noises: list[Compared] = []
    for (scenario, measure), by_variant in samples(outcomes).items():
        beside_itself = _beside(scenario, measure, by_variant, frame.base + AGAIN, frame.base, None)
        noise = Noise.of(beside_itself.interval)
        if beside_itself.interval.count:
            noises.append(beside_itself)
        others = [each.name for each in frame.variants if each.name != frame.base and each.name in by_variant]
        ratios += [_beside(scenario, measure, by_variant, each, frame.base, noise) for each in others]
    return ratios, noises


def _beside(
    scenario: str, measure: str, by_variant: Mapping[str, Blocks], variant: str, base: str, noise: Noise | None
) -> Compared:
    ones, others = by_variant.get(variant, {}), by_variant.get(base, {})
    both = sorted(set(ones) & set(others))
    paired = pairs([ones[block] for block in both], [others[block] for block in both])
    found = interval(paired, _rng(scenario, measure, variant, base))
    # Of the A/A run nothing is called: it is the measure of what may be called at all.
    verdict = "none" if variant.endswith(AGAIN) and found.enough else call(found, noise)
    ratio = Ratio(
        scenario, measure, variant, base, finite(found.value), finite(found.low), finite(found.high),
        finite(noise.low) if noise else None,
        finite(noise.high) if noise else None,
        verdict,
        found.count,
    )  # fmt: skip
    return Compared(ratio, found, noise)


def _rng(*words: str) -> random.Random:
    return random.Random("/".join(words))  # noqa: S311 - resampling
