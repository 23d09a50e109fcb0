"""The truth by resourceVersion, whatever the order in which it came in.

Left out: objects without a numeric resourceVersion, which no API server has.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.harness.checkers.timeline import Timeline, number_of
from twinloop.harness.history import Truth

PODS = "pods"


def pod(name: str, uid: str, number: int, owner: str = "") -> dict[str, Any]:
    owners = [{"kind": "NginxPod", "name": "web", "uid": owner, "controller": True}] if owner else []
    return {"metadata": {"name": name, "uid": uid, "resourceVersion": str(number), "ownerReferences": owners}}


def told(kind: str, obj: dict[str, Any], t: float = 0.0, seq: int = 1) -> Truth:
    return Truth(type=kind, resource=PODS, object=obj, t=t, seq=seq)


LIFE = [
    told("ADDED", pod("a", "u1", 10), 1.0, 1),
    told("MODIFIED", pod("a", "u1", 12), 2.0, 2),
    told("DELETED", pod("a", "u1", 15), 3.0, 3),
    told("ADDED", pod("a", "u2", 20), 4.0, 4),
]


@pytest.mark.parametrize(
    ("number", "uid", "version"),
    [(9, None, None), (10, "u1", 10), (11, "u1", 10), (14, "u1", 12), (15, None, None), (20, "u2", 20), (99, "u2", 20)],
)
def test_who_had_a_name_when(number: int, uid: str | None, version: int | None) -> None:
    found = Timeline(LIFE).named(PODS, "a", number)
    assert (found and found["metadata"]["uid"]) == uid
    assert (found and number_of(found)) == version


def test_states_before_the_beginning_and_after_the_end() -> None:
    timeline = Timeline(LIFE)
    assert timeline.version("u1", 9) is None
    after = timeline.version("u1", 16)
    assert after is not None
    assert after.gone
    assert timeline.at("u1", 16) is None
    assert timeline.line("u1", 13) == (2,)
    assert timeline.line("u1", 5) == ()


def test_what_was_known_at_a_time() -> None:
    timeline = Timeline(LIFE)
    assert [timeline.number_at(t) for t in (-1.0, 0.5, 1.0, 2.5, 9.0)] == [0, 0, 10, 12, 20]


def test_moments_between_two_versions_latest_first() -> None:
    assert list(Timeline(LIFE).moments(10, 19)) == [15, 12, 10]
    assert list(Timeline(LIFE).moments(20, 20)) == [20]


def test_whose_pods_and_whose_no_more() -> None:
    timeline = Timeline(
        [
            told("ADDED", pod("a", "u1", 10, "owner")),
            told("ADDED", pod("b", "u2", 11, "owner")),
            told("MODIFIED", pod("a", "u1", 12)),
        ]
    )
    assert [each["metadata"]["name"] for each in timeline.pods_of("owner", 11)] == ["a", "b"]
    assert [each["metadata"]["name"] for each in timeline.pods_of("owner", 12)] == ["b"]
    assert timeline.ever_owned("owner") == {"u1", "u2"}


def test_an_end_that_a_list_told_of_comes_after_all_that_was_known() -> None:
    timeline = Timeline([*LIFE[:2], told("ADDED", pod("b", "u3", 30)), told("DELETED", pod("a", "u1", 12))])
    assert timeline.at("u1", 29) is not None
    assert timeline.at("u1", 30) is None


def test_nobody() -> None:
    timeline = Timeline([])
    assert (timeline.last, timeline.number_at(5.0), timeline.named(PODS, "a", 5)) == (0, 0, None)
    assert (timeline.versions("x"), timeline.pods_of("x", 1)) == ([], [])
    with pytest.raises(KeyError):
        timeline.born("x")


@given(st.permutations(range(12)), st.integers(-1, 13))
def test_the_order_of_arrival_does_not_matter(order: list[int], number: int) -> None:
    # Twelve objects of two resources would come in two orders; each by itself keeps its own.
    truths = [told("ADDED", pod(f"p{index}", f"u{index}", index)) for index in order]
    there = {each["metadata"]["name"] for each in Timeline(truths).pods(number)}
    assert there == {f"p{index}" for index in range(12) if index <= number}
