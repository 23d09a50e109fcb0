"""The judges of the soak: each notices the promise that it is for being broken, and is silent otherwise.

Left out: whether the server keeps the promises; that is test_soak.py.
"""

from __future__ import annotations

import pytest

from soak.guarantees import Log, Seen, bookmarkable, judge, leads_to, ordered, reliable, told_of_every_write, unique

A, B, C = Seen("ADDED", "a", 11, "1"), Seen("MODIFIED", "a", 12, "2"), Seen("DELETED", "a", 13, "2")
TRUTH = [A, B, C]


def log(*lines: Seen, start: int = 10) -> Log:
    return Log("w", start, list(lines))


def mark(version: int) -> Seen:
    return Seen("BOOKMARK", "", version)


def test_a_whole_and_ordered_log_is_beyond_reproach() -> None:
    assert judge(log(A, mark(11), B, C), TRUTH) == []
    assert judge(log(C, start=12), TRUTH) == []
    assert judge(log(), TRUTH) == []


def test_an_older_version_after_a_newer_one_breaks_the_order() -> None:
    assert ordered(log(B, A)) == ["w: version 11 came after 12"]


def test_an_event_from_before_the_start_breaks_the_order() -> None:
    assert ordered(log(A, start=11)) == []
    assert ordered(log(A, start=12)) == ["w: version 11 came after 12"]


def test_an_event_twice_is_not_unique() -> None:
    assert unique(log(A, B, B)) == ["w: an event came twice"]


def test_a_gap_is_noticed() -> None:
    assert reliable(log(A, C), TRUTH) == ["w: never saw MODIFIED a at 12"]


def test_an_event_that_the_truth_does_not_have_is_noticed() -> None:
    strange = Seen("MODIFIED", "a", 12, "something else")
    assert reliable(log(A, strange, C), TRUTH) == [
        "w: never saw MODIFIED a at 12",
        "w: saw MODIFIED a at 12, which is not so",
    ]


def test_what_comes_after_the_last_event_is_no_gap() -> None:
    assert reliable(log(A), TRUTH) == []


@pytest.mark.parametrize("wrong", [[B, mark(11)], [mark(12), B], [mark(13), A]])
def test_a_bookmark_that_does_not_hold_is_noticed(wrong: list[Seen]) -> None:
    assert len(bookmarkable(log(*wrong))) == 1


def test_a_write_without_an_event_is_noticed() -> None:
    assert told_of_every_write(TRUTH, [("a", 12), ("a", 14)]) == ["nobody was told of a at 14"]


def test_events_and_list_must_agree_at_the_end() -> None:
    assert leads_to(TRUTH, {}) == []
    assert leads_to([A, B], {"a": 12}) == []
    assert leads_to([A, B], {"a": 12, "b": 3}, {"b": 3}) == []
    assert leads_to([A, B], {"a": 11}) == ["a: events lead to 12, the list has 11"]
    assert leads_to(TRUTH, {"b": 9}) == ["b: events lead to None, the list has 9"]
