"""The comparer: it finds every planted difference, says where it is, and finds nothing between equals.

Left out: what is accepted as known (test_verdict.py).
"""

from __future__ import annotations

from typing import Any

import pytest

from conformance.compare import MISSING, differences


def where(real: Any, embedded: Any) -> list[str]:
    return [each.where for each in differences("case", real, embedded)]


@pytest.mark.parametrize("value", [None, 1, "x", [], {}, [{"a": [1, {"b": None}]}]])
def test_equal_values_do_not_differ(value: Any) -> None:
    assert where({"v": value}, {"v": value}) == []


@pytest.mark.parametrize(
    ("real", "embedded", "path"),
    [
        ({"a": 1}, {"a": 2}, "a"),
        ({"a": 1}, {}, "a"),
        ({}, {"a": 1}, "a"),
        ({"a": None}, {}, "a"),
        ({"a": {}}, {"a": []}, "a"),
        ({"a": 1}, {"a": True}, "a"),
        ({"a": 1}, {"a": 1.0}, "a"),
        ({"a": "1"}, {"a": 1}, "a"),
        ({"a": [1, 2]}, {"a": [1, 2, 3]}, "a.2"),
        ({"a": [1, 2]}, {"a": [1]}, "a.1"),
        ({"a": [{"b": 1}]}, {"a": [{"b": 2}]}, "a.0.b"),
        ([{"code": 200}], [{"code": 201}], "0.code"),
    ],
)
def test_planted_difference_is_found_where_it_is(real: Any, embedded: Any, path: str) -> None:
    assert where(real, embedded) == [path]


def test_the_order_of_a_list_matters_and_that_of_keys_does_not() -> None:
    assert where([1, 2], [2, 1]) == ["0", "1"]
    assert where({"a": 1, "b": 2}, {"b": 2, "a": 1}) == []


def test_all_differences_are_found_in_the_order_of_the_real_answer() -> None:
    assert where({"c": 1, "a": {"x": 1}, "b": 1}, {"a": {"x": 2}, "b": 1, "d": 5}) == ["c", "a.x", "d"]


def test_a_difference_shows_both_sides_and_cuts_what_is_long() -> None:
    (found,) = differences("group/case", [{"a": "x" * 1000}], [{}])
    text = str(found)
    assert "group/case at 0.a" in text
    assert "(1000 characters)" in text
    assert MISSING in text
