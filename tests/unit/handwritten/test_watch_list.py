"""Covers WatchList: the first state as the beginning of a watch, what becomes of it when that fails, and when it lists.

Names follow client-go's reflector_watchlist_test.go; the rows of its TestWatchList are a test each. Left out: the
option on the wire (test_listwatch.py), TestNewReflectorWithDisablementWatchList (there is no client here that could say
of itself that it cannot do this; the option is off by default).
"""

from __future__ import annotations

import logging
import random
from collections.abc import Iterable

import pytest

from handwritten.delta_fifo import DeltaFIFO
from handwritten.fake_controller_source import FakeWatch
from handwritten.fifo import Deltas
from handwritten.reflector import Reflector
from handwritten.store import Object
from handwritten.testing import FakeClock
from handwritten.watch_list import InitialEventsEndTicker
from support.reflecting import (
    REFUSED,
    Answer,
    PatientClock,
    Played,
    Server,
    Store,
    assert_backed_off,
    bookmark,
    ends,
    event,
    page,
    play,
    status,
    thing,
)
from twinloop.errors import ApiError, Forbidden, Gone, Invalid, TooManyRequests

pytestmark = pytest.mark.timeout(30)


def end_of_initial_events(version: str, value: str = "true") -> Object:
    metadata = {"resourceVersion": version, "annotations": {"k8s.io/initial-events-end": value}}
    return {"type": "BOOKMARK", "object": {"kind": "Pod", "metadata": metadata}}


def watch_listed(watches: Iterable[FakeWatch | Exception], lists: Iterable[Answer] = ()) -> Played:
    return play(lists, watches, watch_list=True)


# ------------------------------------------------------------------------------------------------ TestWatchList


@pytest.mark.statement("RE-19")
def test_the_initial_events_are_the_store_once_the_bookmark_has_come() -> None:
    """And the same stream goes on as the watch: nothing else is asked, and one watch is stopped once."""
    stream = ends(
        event("ADDED", "3", "b"),
        event("ADDED", "1", "a"),
        end_of_initial_events("10"),
        event("ADDED", "11", "c"),
    )
    played = watch_listed([stream])
    assert played.server.conversation == ["watch-list ''"]
    assert played.store.calls == [("replace", "10"), ("add", "c")]
    assert played.store.objects == {"a": "1", "b": "3", "c": "11"}
    assert played.reflector.last_sync_resource_version == "11"


@pytest.mark.statement("RE-19")
def test_without_the_bookmark_nothing_reaches_the_store() -> None:
    played = watch_listed([ends(event("ADDED", "1", "a"), bookmark("5")), REFUSED])
    assert played.store.calls == []
    assert played.reflector.last_sync_resource_version == ""


def test_when_it_is_off_the_reflector_lists() -> None:
    played = play([page("10")], [ends(event("ADDED", "11"))])
    assert played.server.asked == [("list", "0", 500), ("watch", "10", 0)]


@pytest.mark.statement("RE-19")
@pytest.mark.parametrize(
    "error",
    [Invalid("sendInitialEvents is forbidden", code=422, reason="Invalid"), Forbidden("no", code=403), ApiError("?")],
)
def test_any_other_error_falls_back_to_a_list(error: ApiError) -> None:
    played = watch_listed([error, ends(event("ADDED", "11"))], [page("10", "a")])
    assert played.server.conversation == ["watch-list ''", "list '0'", "watch '10'"]
    assert played.clock.pauses == []


@pytest.mark.statement("RE-19")
def test_an_error_event_before_the_bookmark_falls_back_to_a_list_too() -> None:
    broken = ends(event("ADDED", "1", "half"), status(500, "InternalError"))
    played = watch_listed([broken, ends(event("ADDED", "11", "b"))], [page("10", "a")])
    assert played.server.conversation == ["watch-list ''", "list '0'", "watch '10'"]
    assert played.store.objects == {"a": "1", "b": "11"}


@pytest.mark.statement("RE-19")
def test_the_next_cycle_tries_it_again() -> None:
    good = ends(end_of_initial_events("30"), event("ADDED", "31"))
    played = watch_listed([Forbidden("no", code=403), Forbidden("no", code=403), good], [page("10")])
    assert played.server.conversation == ["watch-list ''", "list '0'", "watch '10'", "watch-list '10'"]


@pytest.mark.statement("RE-19")
def test_updates_and_deletions_before_the_bookmark_count() -> None:
    stream = ends(
        event("ADDED", "1", "a"),
        event("ADDED", "2", "b"),
        event("MODIFIED", "3", "a"),
        event("DELETED", "4", "b"),
        end_of_initial_events("5"),
        event("ADDED", "6", "c"),
    )
    assert watch_listed([stream]).store.objects == {"a": "3", "c": "6"}


@pytest.mark.statement("RE-19")
def test_429_and_no_answer_are_waited_for_and_asked_again() -> None:
    slow_down = TooManyRequests("slow down", code=429)
    good = ends(end_of_initial_events("5"), event("ADDED", "6", "c"))
    played = watch_listed([slow_down, ends(status(429, "TooManyRequests")), REFUSED, good])
    assert played.server.conversation == ["watch-list ''"] * 4
    assert_backed_off(played.clock.pauses, 0.8, 1.6, 3.2)


@pytest.mark.statement("RE-19")
def test_a_stream_that_ends_before_the_bookmark_is_begun_anew() -> None:
    """What the first one said is forgotten: it may have said half."""
    good = ends(event("ADDED", "4", "b"), end_of_initial_events("5"), event("ADDED", "6", "c"))
    played = watch_listed([ends(event("ADDED", "1", "a")), good])
    assert played.server.conversation == ["watch-list ''"] * 2
    assert played.store.objects == {"b": "4", "c": "6"}
    assert_backed_off(played.clock.pauses, 0.8)


@pytest.mark.statement("RE-19")
def test_a_second_early_end_in_a_row_leads_to_a_list() -> None:
    """A server that ignores the option never sends the bookmark: asking for ever would leave the cache empty."""
    early = [ends(event("ADDED", "1", "a")), ends(event("ADDED", "1", "a"))]
    played = watch_listed([*early, ends(event("ADDED", "11"))], [page("10", "a")])
    assert played.server.conversation == ["watch-list ''", "watch-list ''", "list '0'", "watch '10'"]
    assert played.store.objects == {"a": "11"}


@pytest.mark.statement("RE-8", "RE-19")
def test_a_stream_that_ends_after_the_bookmark_is_followed_by_a_plain_watch() -> None:
    stream = ends(end_of_initial_events("2"), event("ADDED", "3"))
    played = watch_listed([stream, ends(event("MODIFIED", "4"))])
    assert played.server.asked == [("watch-list", "", 0), ("watch", "3", 0)]


@pytest.mark.statement("RE-11", "RE-19")
def test_an_established_watch_that_expires_is_an_error_and_the_version_is_kept() -> None:
    expired = ends(end_of_initial_events("2"), event("ADDED", "3"), status(410, "Expired"))
    played = watch_listed([expired, ends(end_of_initial_events("9"), event("ADDED", "10"))])
    assert played.server.conversation == ["watch-list ''", "watch-list '3'"]
    assert [type(error) for error in played.errors] == [Gone]


@pytest.mark.statement("RE-19")
def test_a_bookmark_with_the_annotation_at_false_does_not_count() -> None:
    stream = ends(event("ADDED", "1", "a"), end_of_initial_events("5", "false"))
    played = watch_listed([stream, REFUSED])
    assert played.store.calls == []


@pytest.mark.statement("RE-3", "RE-19")
@pytest.mark.parametrize("error", [Gone("old", code=410, reason="Expired"), Gone("gone", code=410, reason="Gone")])
def test_a_version_that_is_lost_is_given_up_at_once(error: ApiError) -> None:
    first = ends(end_of_initial_events("5"), event("ADDED", "6"), status(403, "Forbidden"))
    played = watch_listed([first, error, ends(end_of_initial_events("20"), event("ADDED", "21"))])
    assert played.server.conversation == ["watch-list ''", "watch-list '6'", "watch-list ''"]
    assert_backed_off(played.clock.pauses, 0.8)  # for the 403 alone
    assert not played.reflector.is_last_sync_resource_version_unavailable


def test_a_server_to_which_even_the_newest_version_is_lost_is_asked_for_a_list() -> None:
    """client-go would ask again at once, and again."""
    gone = Gone("old", code=410, reason="Expired")
    played = watch_listed([gone, gone, ends(event("ADDED", "11"))], [page("10")])
    assert played.server.conversation == ["watch-list ''", "watch-list ''", "list ''", "watch '10'"]


# ------------------------------------------------------------------------------------------- the rest of the file


@pytest.mark.statement("RE-19")
def test_watch_list_resource_version() -> None:
    """Only the annotated bookmark says which version the state is of, whatever the events before it carry."""
    stream = ends(event("ADDED", "99"), bookmark("7"), end_of_initial_events("5"), bookmark("6"))
    played = watch_listed([stream])
    assert played.store.calls[0] == ("replace", "5")
    assert played.reflector.last_sync_resource_version == "6"


@pytest.mark.statement("RE-9")
def test_a_stream_of_no_length_leads_to_a_list_and_no_busy_loop() -> None:
    played = watch_listed([ends(), ends(event("ADDED", "11"))], [page("10")])
    assert played.server.conversation == ["watch-list ''", "list '0'", "watch '10'"]


def test_initial_events_end_bookmark_ticker(caplog: pytest.LogCaptureFixture) -> None:
    """A line for each interval without an event, and none for one with an event in it."""
    clock = FakeClock()

    def warnings() -> int:
        return sum("initial events" in message for message in caplog.messages)

    with caplog.at_level(logging.WARNING), InitialEventsEndTicker("pods", clock=clock, interval=1.0) as ticker:
        for expected in (1, 2):
            clock.wait_for_waiters()
            clock.step(1.0)
            clock.wait_for_waiters()
            assert warnings() == expected
        clock.step(0.5)
        ticker.event()
        clock.step(0.5)
        clock.wait_for_waiters()
        assert warnings() == 2


@pytest.mark.statement("RE-20")
def test_reflector_respect_store_transformer() -> None:
    """Five calls: two for the initial events on the way in, two for the list they become, one for the event after."""
    seen: list[str] = []

    def transform(obj: Object) -> Object:
        seen.append(obj["metadata"]["name"])
        return {**obj, "seen": obj.get("seen", 0) + 1}

    fifo = DeltaFIFO(transform=transform)
    stream = ends(
        event("ADDED", "1", "a"), event("ADDED", "2", "b"), end_of_initial_events("3"), event("ADDED", "4", "c")
    )
    server = Server(iter(()), iter([stream]))
    Reflector(server, fifo, clock=PatientClock(), rng=random.Random(1), watch_list=True).run(server.stop)
    assert seen == ["a", "b", "a", "b", "c"]
    popped: list[Deltas] = []
    while len(fifo):
        fifo.pop(lambda deltas, _: popped.append(deltas))
    assert [deltas[0].object["seen"] for deltas in popped if isinstance(deltas[0].object, dict)] == [2, 2, 1]


def test_an_object_that_the_transform_refuses_costs_that_object_alone() -> None:
    def picky(obj: Object) -> Object:
        if obj["metadata"]["name"] == "odd":
            raise ValueError("odd")
        return obj

    class Picky(Store):
        transform = staticmethod(picky)

    store = Picky()
    stream = ends(event("ADDED", "1", "odd"), event("ADDED", "2", "b"), end_of_initial_events("3"), bookmark("4"))
    server = Server(iter(()), iter([stream]))
    Reflector(server, store, clock=PatientClock(), rng=random.Random(1), watch_list=True).run(server.stop)
    assert store.objects == {"b": "2"}


def test_events_after_the_bookmark_move_the_version_whatever_their_type() -> None:
    """Those before it come in no order; those after it do, although the watch began at "" (RE-13)."""
    played = watch_listed([ends(event("ADDED", "9", "a"), end_of_initial_events("5"), event("ADDED", "6", "b"))])
    assert played.reflector.last_sync_resource_version == "6"
    assert thing("a")["metadata"]["name"] in played.store.objects
