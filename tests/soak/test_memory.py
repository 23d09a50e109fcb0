"""The judge of the soak's memory: growth until the history is full is allowed, growth afterwards is noticed.

Left out: what a server's memory does; that is test_soak.py.
"""

from __future__ import annotations

import pytest

from soak.memory import Memory
from twinloop.apiserver.storage import HISTORY

A_SECOND = HISTORY // 10  # events, so that the history is full after ten looks


def told(samples: list[float]) -> Memory:
    memory = Memory()
    for number, each in enumerate(samples):
        memory.look(each, number * A_SECOND)
    return memory


def test_growth_until_the_history_is_full_is_none() -> None:
    memory = told([50.0 + 3 * min(number, 10) for number in range(100)])
    assert memory.full == 11
    assert memory.growth() == 0


def test_a_leak_after_that_is_noticed() -> None:
    memory = told([50.0 + 0.2 * number for number in range(100)])
    assert memory.growth() == pytest.approx(0.2 * 79)


def test_one_look_at_a_bad_moment_is_no_growth() -> None:
    memory = told([80.0] * 97 + [120.0] + [80.0] * 2)
    assert memory.growth() == 0


def test_a_history_that_never_fills_is_told() -> None:
    memory = Memory()
    memory.look(50.0, HISTORY - 1)
    assert not memory.full


def test_the_series_has_one_look_for_each_step_and_the_last() -> None:
    assert told([float(number) for number in range(125)]).series(60) == "0 60 120 124"
