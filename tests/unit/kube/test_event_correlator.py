"""Covers what becomes of many Events: counted, combined, cut off.

Follows the cases of client-go's events_cache_test.go (TestEventAggregatorByReasonFunc, TestEventCorrelator) with its
default options. Left out: writing them (test_events.py).
"""

from __future__ import annotations

from typing import Any

import pytest

from twinloop.kube.event_correlator import COMBINED, MAX_MESSAGE, Correlated, EventCorrelator


class Bench:
    """A correlator and the time."""

    def __init__(self, **options: Any) -> None:
        self.now = 0.0
        self.made = 0
        self.correlator = EventCorrelator(timer=lambda: self.now, **options)

    def send(self, message: str = "made web-0", reason: str = "PodCreated", uid: str = "u-1") -> Correlated | None:
        self.made += 1
        return self.correlator.correlate(
            {
                "metadata": {"name": f"web.{self.made}", "namespace": "shop"},
                "involvedObject": {"kind": "NginxPod", "name": "web", "uid": uid, "resourceVersion": str(self.made)},
                "type": "Normal",
                "reason": reason,
                "message": message,
                "source": {"component": "c"},
                "reportingComponent": "c",
                "reportingInstance": "i",
                "firstTimestamp": f"t{self.made}",
                "lastTimestamp": f"t{self.made}",
                "count": 1,
            }
        )


def shown(found: Correlated | None) -> tuple[str, int, bool]:
    """Message, count, and whether it is a patch."""
    assert found is not None
    return found.event["message"], found.event["count"], found.patch is not None


@pytest.mark.statement("EV-1")
def test_the_same_again_is_counted_under_the_first_name() -> None:
    bench = Bench()
    assert shown(bench.send()) == ("made web-0", 1, False)
    again = bench.send()
    assert shown(again) == ("made web-0", 2, True)
    assert again is not None
    assert again.event["metadata"]["name"] == "web.1"
    assert (again.event["firstTimestamp"], again.event["lastTimestamp"]) == ("t1", "t2")
    assert again.patch == {"count": 2, "lastTimestamp": "t2", "message": "made web-0"}


@pytest.mark.parametrize("other", [{"message": "x"}, {"reason": "Ready"}, {"uid": "u-2"}])
def test_whatever_differs_is_another_event(other: dict[str, str]) -> None:
    bench = Bench()
    bench.send()
    assert shown(bench.send(**other))[1:] == (1, False)


@pytest.mark.statement("EV-2")
def test_the_tenth_message_of_one_sort_begins_a_combined_event() -> None:
    bench = Bench()
    found = [shown(bench.send(f"m{number}")) for number in range(12)]
    assert found[:9] == [(f"m{number}", 1, False) for number in range(9)]
    assert found[9:] == [
        (f"{COMBINED}m9", 1, False),
        (f"{COMBINED}m10", 2, True),
        (f"{COMBINED}m11", 3, True),
    ]


@pytest.mark.statement("EV-2")
def test_messages_that_were_there_before_are_still_counted_by_themselves() -> None:
    bench = Bench()
    for number in range(10):
        bench.send(f"m{number}")
    assert shown(bench.send("m3")) == ("m3", 2, True)


@pytest.mark.statement("EV-2")
@pytest.mark.parametrize(("pause", "combined"), [(600.0, True), (600.1, False)])
def test_similar_is_what_comes_within_ten_minutes_of_the_last(pause: float, combined: bool) -> None:
    bench = Bench()
    for number in range(9):
        bench.send(f"m{number}")
    bench.now += pause
    assert shown(bench.send("m9"))[0].startswith(COMBINED) is combined


def test_another_sort_is_not_combined_with_it() -> None:
    bench = Bench()
    for number in range(10):
        bench.send(f"m{number}")
    assert shown(bench.send("m10", reason="PodDeleted")) == ("m10", 1, False)


def test_a_combined_message_is_not_longer_than_the_server_takes() -> None:
    bench = Bench()
    for number in range(10):
        found = bench.send(f"{number}" * MAX_MESSAGE)
    message = shown(found)[0]
    assert message.startswith(COMBINED)
    assert len(message) == MAX_MESSAGE


@pytest.mark.statement("EV-3")
def test_an_object_has_25_events_at_once_and_one_more_every_five_minutes() -> None:
    bench = Bench()
    assert [bench.send(reason=f"r{number}") is not None for number in range(27)] == [True] * 25 + [False] * 2
    assert bench.send(uid="u-2") is not None
    bench.now += 299
    assert bench.send() is None
    bench.now += 1
    assert bench.send() is not None
    assert bench.send() is None
    bench.now += 3000 * 300
    assert [bench.send(reason=f"s{number}") is not None for number in range(26)] == [True] * 25 + [False]


@pytest.mark.statement("EV-3")
def test_what_is_dropped_shows_in_the_next_count() -> None:
    bench = Bench()
    for _ in range(30):
        bench.send()
    bench.now += 300
    assert shown(bench.send()) == ("made web-0", 31, True)


def test_what_was_not_used_for_longest_is_forgotten() -> None:
    bench = Bench(cache_size=2)
    for message in ("a", "b", "a", "c"):
        bench.send(message)
    assert shown(bench.send("a"))[1] == 3
    assert shown(bench.send("b"))[1] == 1


def test_the_given_event_is_left_as_it_is() -> None:
    bench = Bench()
    first = bench.send()
    bench.send()
    assert first is not None
    assert (first.event["count"], first.event["lastTimestamp"]) == (1, "t1")
