"""Axes: where a value lies, which ticks a person would choose, which kind of axis suits which values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.harness.report.scales import Linear, Log, around, from_zero, logarithmic, nice_step


def test_a_linear_axis_has_equal_steps() -> None:
    axis = Linear(0, 10)
    assert [axis(0), axis(2.5), axis(10)] == [0, 0.25, 1]


def test_a_logarithmic_axis_has_equal_ratios() -> None:
    axis = Log(0.01, 100)
    assert axis(1) - axis(0.1) == pytest.approx(axis(100) - axis(10))


@pytest.mark.parametrize("axis", [Linear(1, 2), Log(1, 2)])
def test_what_lies_outside_is_put_on_the_edge(axis: Linear | Log) -> None:
    assert axis(0) == 0
    assert axis(-3) == 0
    assert axis(7) == 1


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(0, 10, [0, 2, 4, 6, 8, 10]), (0, 0.25, [0, 0.05, 0.1, 0.15, 0.2, 0.25]), (0, 3.4, [0, 1, 2, 3])],
)
def test_linear_ticks_are_round(low: float, high: float, ticks: list[float]) -> None:
    assert Linear(low, high).ticks() == pytest.approx(ticks)


def test_logarithmic_ticks_are_powers_of_ten_over_many_decades() -> None:
    assert Log(0.001, 100).ticks() == pytest.approx([0.001, 0.01, 0.1, 1, 10, 100])


def test_logarithmic_ticks_are_one_two_five_over_few() -> None:
    assert Log(0.08, 1.3).ticks() == pytest.approx([0.1, 0.2, 0.5, 1])


@given(st.floats(1e-6, 1e6), st.floats(1.01, 1e9))
def test_never_more_ticks_than_a_phone_has_room_for(low: float, factor: float) -> None:
    axis = Log(low, low * factor)
    assert len(axis.ticks()) <= 7
    assert len(Linear(0, low * factor).ticks()) <= 7
    assert all(axis.low * 0.99 <= tick <= axis.high * 1.01 for tick in axis.ticks())


@given(st.floats(1e-9, 1e9))
def test_a_nice_step_is_at_least_the_rough_one_and_not_much_more(rough: float) -> None:
    assert rough * 0.99 <= nice_step(rough) <= rough * 2.6


def test_values_that_differ_much_get_a_logarithmic_axis_and_others_one_from_zero() -> None:
    assert isinstance(around([0.01, 3]), Log)
    assert isinstance(around([1, 3]), Linear)
    assert isinstance(around([]), Linear)
    assert isinstance(around([0, 0]), Linear)


def test_a_logarithmic_axis_spans_a_decade_at_least_and_holds_all_values() -> None:
    axis = logarithmic([1.0, 1.2])
    assert axis.high / axis.low == pytest.approx(10)
    assert axis.low < 1
    assert axis.high > 1.2
    assert logarithmic([]).low > 0, "even of nothing there is an axis"


def test_an_axis_from_zero_of_nothing_has_a_length() -> None:
    assert from_zero([]).high > 0
    assert from_zero([0.0]).high > 0


def test_the_script_is_told_kind_and_ends() -> None:
    assert Linear(0, 2.5).spec() == "linear,0,2.5"
    assert Log(0.1, 10).spec() == "log,0.1,10"
