"""Covers the delays after failures of the API server: their sequence, their jitter, when they start over.

Left out: who waits (test_reflector.py).
"""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handwritten.backoff import BackoffManager
from handwritten.testing import FakeClock


class Constant(random.Random):
    """Random numbers that are all the same."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self._value = value

    def random(self) -> float:
        return self._value


@pytest.mark.statement("RE-17")
def test_the_delay_doubles_from_800_ms_to_30_s_and_stays_there() -> None:
    backoff = BackoffManager(clock=FakeClock(), rng=Constant(0.0))
    assert [backoff.step() for _ in range(8)] == pytest.approx([0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30])


@pytest.mark.statement("RE-17")
def test_the_jitter_multiplies_by_one_to_two() -> None:
    backoff = BackoffManager(clock=FakeClock(), rng=Constant(0.5))
    assert [backoff.step() for _ in range(3)] == pytest.approx([1.2, 2.4, 4.8])


@pytest.mark.statement("RE-17")
def test_it_starts_over_two_minutes_after_it_last_did_whatever_happened_meanwhile() -> None:
    """The window is fixed: failures in it do not make it longer."""
    clock = FakeClock()
    backoff = BackoffManager(clock=clock, rng=Constant(0.0))
    seen = []
    for _ in range(7):
        seen.append(backoff.step())
        clock.step(40.0)
    # at 0, 40, 80, 120 (not more than two minutes yet), 160 (over), 200, 240
    assert seen == pytest.approx([0.8, 1.6, 3.2, 6.4, 0.8, 1.6, 3.2])


def test_new_reflector_with_custom_backoff() -> None:
    """10, 20, 40, 80, then the cap of 100 ms: client-go's numbers."""
    backoff = BackoffManager(clock=FakeClock(), rng=Constant(0.9), initial=0.010, maximum=0.100, jitter=0.0)
    assert [backoff.step() for _ in range(6)] == pytest.approx([0.01, 0.02, 0.04, 0.08, 0.1, 0.1])


@given(st.integers(), st.lists(st.floats(0, 300), max_size=60))
def test_every_delay_is_between_the_initial_one_and_twice_the_cap(seed: int, pauses: list[float]) -> None:
    clock = FakeClock()
    backoff = BackoffManager(clock=clock, rng=random.Random(seed))
    for pause in pauses:
        assert 0.8 <= backoff.step() <= 60.0
        clock.step(pause)
