"""Covers the window in which an error is answered by trying again. Name and rows follow retry_with_deadline_test.go."""

from __future__ import annotations

import pytest

from handwritten.retry_with_deadline import RetryWithDeadline
from handwritten.testing import FakeClock
from twinloop.errors import ApiError, Gone

INTERNAL = ApiError("broken", code=500, reason="InternalError")


def window(clock: FakeClock, seconds: float) -> RetryWithDeadline:
    return RetryWithDeadline(
        max_retry_seconds=seconds,
        min_reset_seconds=60.0,
        is_retryable=lambda error: error is INTERNAL,
        clock=clock,
    )


@pytest.mark.parametrize(
    ("seconds", "steps", "expected"),
    [
        pytest.param(0.0, [0.0, 1.0], [False, False], id="off"),
        pytest.param(10.0, [0.0, 5.0, 5.0], [True, True, True], id="within the window"),
        pytest.param(10.0, [0.0, 11.0, 1.0], [True, False, True], id="over, and then a new window"),
        pytest.param(100.0, [0.0, 59.0, 60.0, 100.0], [True, True, True, True], id="a pause begins a new window"),
    ],
)
def test_retry_with_deadline(seconds: float, steps: list[float], expected: list[bool]) -> None:
    clock = FakeClock()
    retry = window(clock, seconds)
    answers = []
    for step in steps:
        clock.step(step)
        retry.after(INTERNAL)
        answers.append(retry.should_retry())
    assert answers == expected


def test_an_error_of_another_sort_opens_no_window() -> None:
    retry = window(FakeClock(), 10.0)
    retry.after(Gone("old", code=410))
    assert not retry.should_retry()


def test_a_window_is_not_prolonged_by_what_happens_in_it() -> None:
    clock = FakeClock()
    retry = window(clock, 10.0)
    for _ in range(11):
        retry.after(INTERNAL)
        assert retry.should_retry()
        clock.step(1.0)
    retry.after(INTERNAL)
    assert not retry.should_retry()
