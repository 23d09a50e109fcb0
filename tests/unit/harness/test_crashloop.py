"""The kubelet's back-off by itself.

Left out: who waits (tests/harness/test_supervisor.py).
"""

from __future__ import annotations

import pytest

from twinloop.harness.crashloop import CrashLoop


def delays(loop: CrashLoop, *ran: float) -> list[float]:
    return [loop.after(each) for each in ran]


def test_the_first_restart_is_at_once_then_ten_seconds_doubling_to_five_minutes() -> None:
    assert delays(CrashLoop(), *[1.0] * 9) == [0, 10, 20, 40, 80, 160, 300, 300, 300]


def test_a_container_that_ran_for_ten_minutes_begins_anew() -> None:
    loop = CrashLoop()
    delays(loop, 1, 1, 1)
    assert delays(loop, 600, 601, 1) == [40, 0, 10]


def test_the_scale_multiplies_every_time() -> None:
    loop = CrashLoop(0.01)
    assert delays(loop, 1, 1, 1) == pytest.approx([0, 0.1, 0.2])
    assert delays(loop, 5.9, 6.1) == pytest.approx([0.4, 0])


def test_two_replicas_count_for_themselves() -> None:
    one, other = CrashLoop(), CrashLoop()
    delays(one, 1, 1)
    assert other.after(1) == 0
