"""Medians, ratios, intervals and calls, on samples whose truth is known.

The coverage is simulated with seeded random numbers. Left out: which samples belong together (test_latencies.py).
"""

from __future__ import annotations

import math
import random

import pytest

from twinloop.harness.stats import (
    LEAST_RATIO,
    MIN_BLOCKS,
    NEVER,
    RESOLUTION,
    Interval,
    Noise,
    call,
    interval,
    pairs,
    quantile,
    ratio,
    rules_out,
)

QUIET = Noise(1 / LEAST_RATIO, LEAST_RATIO)


def measured(low: float, high: float, count: int = 20, blocks: int = 4) -> Interval:
    return Interval((low + high) / 2, low, high, count, blocks)


def test_a_quantile_is_a_value_that_was_measured() -> None:
    assert quantile([3.0, 1.0, 2.0, 4.0], 0.5) == 2.0
    assert quantile([float(each) for each in range(1, 21)], 0.95) == 19.0
    assert quantile([7.0], 0.95) == 7.0
    assert quantile([], 0.5) is None


def test_a_sample_that_never_ended_is_the_longest_and_stays() -> None:
    assert quantile([1.0, NEVER, 2.0], 0.95) == NEVER
    assert interval([[1.0, NEVER, NEVER]], random.Random(1)).value == NEVER


def test_the_ratio_of_two_that_never_ended_says_nothing() -> None:
    assert ratio(NEVER, NEVER) == 1.0
    assert ratio(NEVER, 2.0) == NEVER
    assert ratio(2.0, NEVER) == 0.0


def test_what_was_seen_before_it_was_answered_is_short_and_not_infinitely_so() -> None:
    assert ratio(0.0, 0.0) == 1.0
    assert ratio(0.1, 0.0) == pytest.approx(0.1 / RESOLUTION)


def test_pairs_are_made_inside_a_block_and_by_place() -> None:
    assert pairs([[2.0, 4.0], [9.0]], [[1.0, 8.0], [3.0, 1.0]]) == [[2.0, 0.5], [3.0]]


def test_blocks_must_match() -> None:
    with pytest.raises(ValueError, match="zip"):
        pairs([[1.0]], [[1.0], [2.0]])


def test_an_interval_holds_its_estimate_and_counts_its_samples() -> None:
    found = interval([[1.0, 1.2, 1.1], [1.3, 1.0], []], random.Random(1))
    assert found.low is not None
    assert found.value is not None
    assert found.high is not None
    assert found.low <= found.value <= found.high
    assert (found.count, found.blocks) == (5, 2)


def test_no_samples_give_no_interval() -> None:
    assert interval([[], []], random.Random(1)) == Interval()


def test_the_same_samples_and_the_same_dice_give_the_same_interval() -> None:
    blocks = [[1.0, 2.0, 3.0], [2.0, 5.0]]
    assert interval(blocks, random.Random(7)) == interval(blocks, random.Random(7))


def test_an_interval_knows_that_blocks_differ() -> None:
    """Twenty samples in four blocks that disagree are four pieces of evidence, not twenty."""
    disagreeing = [[level] * 5 for level in (0.8, 0.9, 1.3, 1.6)]
    found = interval(disagreeing, random.Random(3))
    mixed = interval([[0.8, 0.9, 1.3, 1.6, 1.1]] * 4, random.Random(3))
    assert (found.low, found.high) == (0.8, 1.6)
    assert mixed.low is not None
    assert mixed.high is not None
    assert mixed.high - mixed.low < 0.8


def test_too_few_samples_are_called_unknown() -> None:
    assert call(measured(2, 3, count=19), QUIET) == "unknown"
    assert call(measured(2, 3, blocks=MIN_BLOCKS - 1), QUIET) == "unknown"
    assert call(Interval(), QUIET) == "unknown"


def test_without_a_noise_floor_nothing_is_called() -> None:
    assert call(measured(2, 3), None) == "unknown"
    assert Noise.of(measured(0.9, 1.1, count=5)) is None


def test_a_call_needs_the_whole_interval_beyond_the_noise() -> None:
    noise = Noise(0.8, 1.5)
    assert call(measured(1.6, 3), noise) == "slower"
    assert call(measured(1.4, 3), noise) == "none"
    assert call(measured(0.2, 0.7), noise) == "faster"
    assert call(measured(0.2, 0.9), noise) == "none"


def test_never_beside_always_is_slower() -> None:
    assert call(measured(NEVER, NEVER), QUIET) == "slower"
    assert call(measured(NEVER, NEVER), Noise(0.9, NEVER)) == "none"


def test_the_noise_floor_is_never_narrower_than_what_matters() -> None:
    assert Noise.of(measured(1.01, 1.02)) == Noise(1 / LEAST_RATIO, LEAST_RATIO)
    assert Noise.of(measured(0.5, 2.0)) == Noise(0.5, 2.0)


def test_only_an_interval_inside_the_noise_rules_a_difference_out() -> None:
    assert rules_out(measured(0.97, 1.05), QUIET, "slower")
    assert not rules_out(measured(0.97, 1.3), QUIET, "slower")
    assert rules_out(measured(0.97, 1.3), QUIET, "faster")
    assert not rules_out(measured(0.5, 1.0), QUIET, "faster")
    assert not rules_out(measured(1, 1, count=3), QUIET, "slower")
    assert not rules_out(measured(1, 1), None, "slower")


# --- the whole way, with a truth that is known ---------------------------------------------------------------------------


def trial(rng: random.Random, factor: float) -> tuple[Interval, Noise | None]:
    """Three times 4 blocks of 5 samples on a machine whose speed changes from block to block."""
    pace = [math.exp(rng.gauss(0, 0.3)) for _ in range(4)]

    def samples(times: float) -> list[list[float]]:
        return [[each * times * math.exp(rng.gauss(0, 0.15)) for _ in range(5)] for each in pace]

    base = samples(1)
    noise = Noise.of(interval(pairs(samples(1), base), rng))
    return interval(pairs(samples(factor), base), rng), noise


def test_equal_variants_are_hardly_ever_called_different() -> None:
    rng = random.Random(2024)
    called = [call(*trial(rng, 1.0)) for _ in range(60)]
    assert sum(each != "none" for each in called) <= 2


def test_a_variant_of_half_the_speed_is_found_out() -> None:
    rng = random.Random(2025)
    called = [call(*trial(rng, 2.0)) for _ in range(40)]
    assert called.count("slower") >= 38


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    rng = random.Random(2026)
    found = [trial(rng, 1.5)[0] for _ in range(60)]
    held = sum(each.low <= 1.5 <= each.high for each in found if each.low is not None and each.high is not None)
    assert held >= 0.9 * len(found)
