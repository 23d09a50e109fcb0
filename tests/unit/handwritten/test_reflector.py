"""Covers the reflector: for every kind of answer, what it asks for next, and after which pause.

Also: what reaches the store, that a stop ends it whatever it is waiting for, that it leaves no thread.

Names follow client-go's reflector_test.go. Each test plays a server from a script; when the script is at its
end the reflector is stopped, so that what was asked and how long was waited can be compared whole.

Left out: HTTP (test_listwatch.py), watch lists (test_watch_list.py), typed objects (TestGetExpectedGVK...).
"""

from __future__ import annotations

import logging
import math
import random
import threading
from collections.abc import Callable, Iterator
from typing import Any, Self

import pytest

from handwritten.backoff import BackoffManager
from handwritten.fake_controller_source import FakeWatch
from handwritten.reflector import Reflector, VeryShortWatch, is_too_large_resource_version
from handwritten.store import Object
from handwritten.testing import FakeClock
from support.reflecting import (
    REFUSED,
    Answer,
    PatientClock,
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
from twinloop.errors import (
    ApiError,
    CorruptAnswer,
    Forbidden,
    Gone,
    NotFound,
    TooManyRequests,
    Unauthorized,
    Unavailable,
)

pytestmark = pytest.mark.timeout(30)

EXPIRED = Gone("too old resource version", code=410, reason="Expired")
TOO_MANY = TooManyRequests("slow down", code=429)
CORRUPT = CorruptAnswer("no JSON")


# ---------------------------------------------------------------------------------------- list, then watch


@pytest.mark.statement("RE-1", "RE-6")
def test_reflector_list_and_watch() -> None:
    """The exact options of the first requests, and everything in the store."""
    played = play([page("10", "a", "b")], [ends(event("ADDED", "11", "c"), event("DELETED", "12", "a"))])
    assert played.server.asked == [("list", "0", 500), ("watch", "10", 0)]
    assert played.store.calls == [("replace", "10"), ("add", "c"), ("delete", "a")]
    assert played.store.objects == {"b": "1", "c": "11"}
    assert played.reflector.last_sync_resource_version == "12"
    assert played.clock.pauses == []


@pytest.mark.statement("RE-8")
def test_a_watch_that_the_server_ended_is_resumed_at_once_without_a_list() -> None:
    played = play(
        [page("10")], [ends(event("ADDED", "11")), ends(bookmark("20")), ends(event("MODIFIED", "30")), REFUSED]
    )
    assert played.server.conversation == ["list '0'", "watch '10'", "watch '11'", "watch '20'", "watch '30'"]
    assert len(played.clock.pauses) == 1  # only for REFUSED


@pytest.mark.statement("RE-12")
def test_reflector_resource_version_update() -> None:
    """Every event moves the version, bookmarks and deletions too; a bookmark changes no object."""
    versions: list[str] = []
    watch = FakeWatch()
    server = Server(iter([page("5")]), iter([watch]))

    class Tracking(Store):
        def add(self, obj: Object) -> None:
            super().add(obj)
            watch.send("MODIFIED", thing("a", "20"))

        def update(self, obj: Object) -> None:
            versions.append(reflector.last_sync_resource_version)
            watch.send("BOOKMARK", {"metadata": {"resourceVersion": "30"}})
            watch.send("DELETED", thing("a", "40"))
            super().update(obj)

        def delete(self, obj: Object) -> None:
            versions.append(reflector.last_sync_resource_version)
            watch.end()
            super().delete(obj)

    store = Tracking()
    reflector = Reflector(server, store, clock=PatientClock(), rng=random.Random(1))
    watch.send("ADDED", thing("a", "10"))
    reflector.run(server.stop)
    assert versions == ["10", "30"]
    assert reflector.last_sync_resource_version == "40"
    assert [call for call, _ in store.calls] == ["replace", "add", "update", "delete"]


@pytest.mark.statement("RE-12")
def test_the_version_is_the_last_events_and_not_the_largest() -> None:
    """Resource versions are opaque: nobody compares 55 with 32."""
    played = play([page("10")], [ends(event("ADDED", "55"), event("ADDED", "32", "b"))])
    assert played.reflector.last_sync_resource_version == "32"


@pytest.mark.statement("RE-14")
def test_reflector_watch_handler(caplog: pytest.LogCaptureFixture) -> None:
    """Objects of another kind and events of an unknown type are logged and skipped; the watch goes on."""
    watch = ends(
        {"type": "ADDED", "object": thing("service", "11", kind="Service")},
        {"type": "INVENTED", "object": thing("b", "12")},
        event("DELETED", "13", "a"),
        event("ADDED", "32", "c"),
    )
    played = play([page("10", "a")], [watch], expected_kind="Pod")
    assert played.store.calls == [("replace", "10"), ("delete", "a"), ("add", "c")]
    assert played.reflector.last_sync_resource_version == "32"
    skipped = [record.__dict__ for record in caplog.records if record.message == "Unexpected watch event skipped"]
    assert [(each["reflector"], each["type"], each["kind"]) for each in skipped] == [
        ("pods", "ADDED", "Service"),
        ("pods", "INVENTED", "Pod"),
    ]


@pytest.mark.statement("RE-12", "RF-4")
def test_a_store_that_wants_to_hear_of_bookmarks_does() -> None:
    class Listening(Store):
        def bookmark(self, resource_version: str) -> None:
            self.calls.append(("bookmark", resource_version))

    store, server = Listening(), Server(iter([page("10")]), iter([ends(bookmark("20"), event("ADDED", "21"))]))
    Reflector(server, store, clock=PatientClock(), rng=random.Random(1)).run(server.stop)
    assert store.calls == [("replace", "10"), ("bookmark", "20"), ("add", "a")]


@pytest.mark.statement("RE-14")
def test_an_event_that_the_store_refuses_is_logged_and_the_next_one_is_taken(
    caplog: pytest.LogCaptureFixture,
) -> None:
    played = play([page("10")], [ends(event("DELETED", "11", "never seen"), event("ADDED", "12", "b"))])
    assert played.store.objects == {"b": "12"}
    assert "The store refused a watch event" in caplog.messages


@pytest.mark.statement("RE-7")
def test_watch_timeout() -> None:
    """Between 300 and 600 s, at random; shorter ones are ignored, a longer minimum m gives m to 2m."""

    def timeouts(**options: Any) -> list[int]:
        played = play([page("1")], [ends(bookmark(str(i))) for i in range(200)], **options)
        return played.server.timeouts

    for options in ({}, {"min_watch_seconds": 1.0}):
        seen = timeouts(**options)
        assert all(300 <= seconds <= 600 for seconds in seen)
        assert max(seen) - min(seen) > 200
    assert all(1800 <= seconds <= 3600 for seconds in timeouts(min_watch_seconds=1800.0))


# --------------------------------------------------------------------------------- which list is asked for


@pytest.mark.statement("RE-2", "RE-18")
def test_reflector_resync_with_resource_version() -> None:
    """The second list is not older than what is known, so a server that lags cannot take us back in time."""
    played = play([page("10"), page("20")], [status_ends(500, "InternalError")])
    assert played.server.list_versions == ["0", "10"]


@pytest.mark.statement("RE-3")
def test_reflector_expired_exact_resource_version() -> None:
    played = play([page("10"), EXPIRED, page("20")], [ends(status(410, "Expired"))])
    assert played.server.list_versions == ["0", "10", ""]
    assert_backed_off(played.clock.pauses, 0.8)  # for the event; the second list came at once


@pytest.mark.statement("RE-5")
def test_reflector_full_list_if_expired() -> None:
    """410 between two pages: one full list at the version that was asked for."""
    played = play(
        [page("10", "a"), page("10", "a", token="more"), EXPIRED, page("11", "a", "b")],
        [ends(status(410, "Gone"))],
        page_size=1,
    )
    assert played.server.list_versions == ["0", "10", "", "10"]
    assert played.server.tokens == ["", "", "more", ""]
    assert played.server.limits == [1, 1, 1, 0]
    assert set(played.store.objects) == {"a", "b"}
    assert not played.reflector.is_last_sync_resource_version_unavailable


def test_410_between_pages_and_again_on_the_full_list_lists_the_newest_state() -> None:
    played = play([page("10", "a", token="more"), EXPIRED, EXPIRED, page("30", "b")], [])
    assert played.server.list_versions == ["0", "", "0", ""]
    assert set(played.store.objects) == {"b"}


TOO_LARGE = [
    Unavailable(
        "Too large", code=504, reason="Timeout", body={"details": {"causes": [{"reason": "ResourceVersionTooLarge"}]}}
    ),
    Unavailable(
        "later",
        code=504,
        reason="Timeout",
        body={"details": {"causes": [{"message": "Too large resource version"}]}},
    ),
    Unavailable("Too large resource version: 40, current: 3", code=504, reason="Timeout"),
]


@pytest.mark.statement("RE-3", "RE-4")
def test_reflector_full_list_if_too_large() -> None:
    """The server is behind our version (an etcd restored from a backup); three shapes of saying so."""
    played = play(
        [page("20"), TOO_LARGE[0], page("30"), TOO_LARGE[1], page("40"), TOO_LARGE[2], page("50")],
        [status_ends(410, "Expired") for _ in range(3)],
    )
    assert played.server.list_versions == ["0", "20", "", "30", "", "40", ""]


@pytest.mark.statement("RE-4")
@pytest.mark.parametrize(
    "error",
    [
        Unavailable("timeout", code=504, reason="Timeout"),
        Unavailable("Too large resource version", code=500, reason="InternalError"),
        Gone("gone", code=410, reason="Expired"),
    ],
)
def test_other_errors_are_not_a_too_large_version(error: ApiError) -> None:
    assert not is_too_large_resource_version(error)


@pytest.mark.statement("RE-3")
def test_the_version_stays_unavailable_until_a_list_succeeds() -> None:
    """No second try at a version that the server has refused: it would only be refused again."""
    played = play(
        [page("10"), EXPIRED, REFUSED, REFUSED, page("20"), page("30")],
        [ends(status(410, "Expired")), ends(status(410, "Expired"))],
    )
    assert played.server.list_versions == ["0", "10", "", "", "", "20"]
    assert not played.reflector.is_last_sync_resource_version_unavailable


@pytest.mark.statement("RE-2")
def test_reflector_watch_list_page_size() -> None:
    objects = [f"pod-{i}" for i in range(10)]
    played = play(
        [page("10", *objects[:4], token="t1"), page("10", *objects[4:8], token="t2"), page("10", *objects[8:])],
        page_size=4,
    )
    assert played.server.asked == [("list", "0", 4), ("list", "", 4), ("list", "", 4)]
    assert played.server.tokens == ["", "t1", "t2"]
    assert list(played.store.objects) == objects


@pytest.mark.statement("RE-2")
def test_reflector_not_paginating_not_consistent_reads() -> None:
    """A list at a version goes without a limit: only so does the watch cache answer it."""
    played = play([page("10"), page("10")], [status_ends(410, "Expired")])
    assert played.server.asked == [("list", "0", 500), ("watch", "10", 0), ("list", "10", 0)]


@pytest.mark.statement("RE-2")
def test_reflector_paginating_non_consistent_reads_if_watch_cache_disabled() -> None:
    """Pages at version "0" mean that there is no watch cache: keep asking for pages."""
    played = play(
        [page("10", "a", token="t1"), page("10", "b"), page("10", "a", token="t2"), page("10", "b")],
        [status_ends(410, "Expired")],
    )
    assert played.server.limits == [500, 500, 500, 500]


def test_an_answer_that_is_no_list_does_not_empty_the_store() -> None:
    played = play([page("10", "a"), {}, {"kind": "Status"}], [status_ends(410, "Expired")])
    assert played.store.objects == {"a": "1"}
    assert isinstance(played.errors[-1], CorruptAnswer)


# ------------------------------------------------------------------------------------------- what goes wrong


@pytest.mark.statement("RE-10", "RE-17")
@pytest.mark.parametrize("failures", [5, 40])
def test_reflector_list_and_watch_init_conn_backoff(failures: int) -> None:
    """A server that is not there is asked forever, at growing intervals, and the watch goes on from its version."""
    played = play([page("10")], [REFUSED] * failures)
    assert played.server.conversation == ["list '0'"] + ["watch '10'"] * failures
    # The delays begin anew two minutes after they last began: 0.8 1.6 ... 25.6 (30 ...), again and again.
    bases, base, started, now = [], 0.8, 0.0, 0.0
    for pause in played.clock.pauses:
        if now - started > 120:
            base, started = 0.8, now
        bases.append(base)
        base = min(2 * base, 30)
        now += pause
    assert_backed_off(played.clock.pauses, *bases)
    assert bases[:5] == pytest.approx([0.8, 1.6, 3.2, 6.4, 12.8])


@pytest.mark.parametrize(
    "error",
    [
        REFUSED,
        Unauthorized("who?", code=401),
        Forbidden("may not list", code=403),
        NotFound("no such kind", code=404),
        Unavailable("etcd is down", code=500),
        CORRUPT,
        RuntimeError("a bug"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_list_that_fails_is_tried_forever(error: Exception) -> None:
    played = play([error] * 12 + [page("10", "a")])
    assert played.server.list_versions == ["0"] * 13
    assert_backed_off(played.clock.pauses[:7], 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30)
    assert len(played.errors) == 12
    assert set(played.store.objects) == {"a"}
    assert played.reflector.last_error is None


@pytest.mark.statement("RE-10")
@pytest.mark.parametrize(
    "error",
    [
        EXPIRED,
        Unauthorized("who?", code=401),
        Forbidden("may not watch", code=403),
        NotFound("no such kind", code=404),
        Unavailable("etcd is down", code=503),
        RuntimeError("a bug"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_watch_that_is_refused_leads_to_a_list_at_the_same_version_after_a_pause(error: Exception) -> None:
    played = play([page("10", "a"), page("20", "b")], [error])
    assert played.server.conversation == ["list '0'", "watch '10'", "list '10'"]
    assert_backed_off(played.clock.pauses, 0.8)
    assert played.errors == [error]
    assert set(played.store.objects) == {"b"}


@pytest.mark.statement("RE-10")
def test_a_watch_without_any_answer_is_tried_again_without_a_list() -> None:
    played = play([page("10")], [REFUSED, Unavailable("read timed out"), ends(event("ADDED", "11"))])
    assert played.server.conversation == ["list '0'", "watch '10'", "watch '10'", "watch '10'"]
    assert_backed_off(played.clock.pauses, 0.8, 1.6)


def test_reflector_list_and_watch_with_errors() -> None:
    """Lists and watches fail in turn; after each round the store is what the server has."""
    rounds = 6
    lists: list[Answer] = []
    watches: list[FakeWatch | Exception] = []
    for i in range(rounds):
        lists += [REFUSED, page(str(10 * i + 1), f"a{i}")]
        watches += [REFUSED, ends(event("ADDED", str(10 * i + 2), f"b{i}"), status(410, "Expired"))]
    played = play(lists, watches)
    assert played.store.objects == {"a5": "1", "b5": "52"}
    assert len(played.clock.pauses) == 3 * rounds


@pytest.mark.statement("RE-11", "RE-15")
@pytest.mark.parametrize(
    "error", [(410, "Expired"), (410, "Gone"), (500, "InternalError"), (403, "Forbidden"), (504, "Timeout")]
)
def test_close_watch_channel_on_error(error: tuple[int, str]) -> None:
    """An ERROR event ends the watch; after a pause there is a list at the version of the last good event."""
    played = play([page("10"), page("20")], [ends(event("ADDED", "11"), status(*error), event("ADDED", "12", "b"))])
    assert played.server.conversation == ["list '0'", "watch '10'", "list '11'"]
    assert_backed_off(played.clock.pauses, 0.8)


@pytest.mark.statement("RE-11")
def test_reflector_replaces_store_on_unsafe_delete() -> None:
    """A broken object was deleted unsafely: the server ends the watch with StoreReadError, a list removes it."""
    played = play([page("10", "broken"), page("20", "a")], [ends(status(500, "StoreReadError"))])
    assert played.store.objects == {"a": "1"}


@pytest.mark.statement("RE-10", "RE-11")
def test_no_relist_on_too_many_requests() -> None:
    played = play([page("10")], [TOO_MANY, TOO_MANY, TOO_MANY, TOO_MANY, ends(event("ADDED", "11"))])
    assert [verb for verb, _, _ in played.server.asked] == ["list"] + ["watch"] * 5
    assert_backed_off(played.clock.pauses, 0.8, 1.6, 3.2, 6.4)


@pytest.mark.statement("RE-11")
def test_backoff_on_too_many_requests() -> None:
    """429 at the opening and 429 inside the stream: both back off, and both go on with the watch."""
    played = play(
        [page("10")], [TOO_MANY, ends(event("ADDED", "11"), status(429, "TooManyRequests")), ends(bookmark("12"))]
    )
    assert played.server.conversation == ["list '0'", "watch '10'", "watch '10'", "watch '11'"]
    assert_backed_off(played.clock.pauses, 0.8, 1.6)


def test_retry_after_is_honoured_when_it_is_longer_than_the_back_off() -> None:
    slow, quick = (TooManyRequests("slow down", code=429, retry_after=seconds) for seconds in (17.0, 0.1))
    played = play(
        [slow, quick, page("10")],
        [slow, ends(status(429, "TooManyRequests", retryAfterSeconds=23)), ends(bookmark("12"))],
    )
    pauses = played.clock.pauses
    assert (pauses[0], pauses[2], pauses[3]) == (17.0, 17.0, 23.0)
    assert_backed_off([pauses[1]], 1.6)


# ----------------------------------------------------------------------------------------------- short watches


@pytest.mark.statement("RE-9")
def test_reflector_handle_watch_result_chan_closed_before() -> None:
    """A watch that ends at once without an event: a pause, then a list, never a busy loop."""
    played = play([page("10"), page("10"), page("10")], [ends(), ends()])
    assert played.server.conversation == ["list '0'", "watch '10'", "list '10'", "watch '10'", "list '10'"]
    assert_backed_off(played.clock.pauses, 0.8, 1.6)
    assert all(isinstance(error, VeryShortWatch) for error in played.errors)


@pytest.mark.statement("RE-9")
def test_reflector_handle_watch_result_chan_closed_after() -> None:
    """One event is enough to show that the watch was served."""
    played = play([page("10")], [ends(event("ADDED", "11"))])
    assert played.errors == []


def test_a_quiet_watch_that_lasted_is_resumed() -> None:
    class Quiet(FakeWatch):
        def __iter__(self) -> Iterator[Object]:
            clock._now += 400.0
            return iter(())

    server, clock = Server(iter([page("10")]), iter([Quiet(), Quiet()])), PatientClock()
    Reflector(server, Store(), clock=clock, rng=random.Random(1)).run(server.stop)
    assert server.conversation == ["list '0'", "watch '10'", "watch '10'"]
    assert clock.pauses == []


def test_a_connection_that_breaks_is_the_end_of_the_watch() -> None:
    """Broken, or silent for too long: watch on from the last event at once, unless nothing came at all."""
    broken = Unavailable("the watch was silent for 90 s")
    played = play([page("10"), page("20")], [ends(event("ADDED", "11"), broken), ends(broken)])
    assert played.server.conversation == ["list '0'", "watch '10'", "watch '11'", "list '11'"]
    assert_backed_off(played.clock.pauses, 0.8)
    assert isinstance(played.errors[0], VeryShortWatch)


# ------------------------------------------------------------------------------------------- corrupt answers


def test_a_corrupt_line_costs_a_pause_and_the_watch_goes_on_from_the_last_good_event() -> None:
    played = play([page("10")], [ends(event("ADDED", "11"), CORRUPT), ends(event("ADDED", "12", "b"))])
    assert played.server.conversation == ["list '0'", "watch '10'", "watch '11'"]
    assert_backed_off(played.clock.pauses, 0.8)
    assert played.store.objects == {"a": "11", "b": "12"}


def test_a_corrupt_line_that_comes_again_leads_to_a_list() -> None:
    played = play([page("10"), page("20", "a")], [ends(CORRUPT), ends(CORRUPT), ends(CORRUPT), ends(CORRUPT)])
    assert played.server.conversation == [
        "list '0'",
        "watch '10'",
        "watch '10'",
        "list '10'",
        "watch '20'",
        "watch '20'",
    ]
    assert_backed_off(played.clock.pauses, 0.8, 1.6, 3.2, 6.4)


def test_after_a_list_a_corrupt_line_is_a_first_one_again() -> None:
    """Even if the list has shown the same version: nobody changed anything meanwhile."""
    played = play([page("10"), page("10")], [ends(CORRUPT) for _ in range(4)])
    assert played.server.conversation == ["list '0'", *["watch '10'"] * 2, "list '10'", *["watch '10'"] * 2]


def test_corrupt_lines_at_different_places_do_not_count_together() -> None:
    watches = [ends(event("ADDED", str(version)), CORRUPT) for version in range(11, 16)]
    played = play([page("10")], watches)
    assert played.server.list_versions == ["0"]


@pytest.mark.parametrize(
    "obj", [{}, {"metadata": None}, {"metadata": {"name": "a"}}, {"metadata": {"name": "a", "resourceVersion": 7}}]
)
def test_an_event_without_a_version_is_a_corrupt_answer(obj: Object) -> None:
    """Skipping it would leave the store wrong until the next list, which may be never."""
    played = play([page("10")], [ends({"type": "MODIFIED", "object": obj}), ends(event("MODIFIED", "11"))])
    assert played.server.conversation == ["list '0'", "watch '10'", "watch '10'"]
    assert isinstance(played.errors[0], CorruptAnswer)


def test_an_error_event_that_is_no_status_is_a_corrupt_answer() -> None:
    played = play([page("10")], [ends({"type": "ERROR", "object": {"kind": "Pod"}}), ends(bookmark("11"))])
    assert played.server.conversation == ["list '0'", "watch '10'", "watch '10'"]


@pytest.mark.statement("RE-11")
@pytest.mark.parametrize(("seconds", "retries"), [(0.0, 0), (30.0, 31), (39.0, 40)])
def test_retry_internal_error(seconds: float, retries: int) -> None:
    """Within the window the watch goes on at once and from the same version; after it, a pause and a list."""

    class Failing(FakeWatch):
        def __iter__(self) -> Iterator[Object]:
            clock._now += 1.0
            return super().__iter__()

    answers = [Failing([status(500, "InternalError")], ended=True) for _ in range(retries + 1)]
    server, clock = Server(iter([page("10")]), iter(answers)), PatientClock()
    reflector = Reflector(server, Store(), clock=clock, rng=random.Random(1), max_internal_error_retry_seconds=seconds)
    reflector.run(server.stop)
    assert server.conversation == ["list '0'", *["watch '10'"] * (retries + 1)]
    assert len(clock.pauses) == 1


@pytest.mark.statement("RE-13")
def test_synthetic_events_of_a_watch_from_zero_do_not_move_the_version() -> None:
    played = play([page("0")], [ends(event("ADDED", "9", "a"), event("ADDED", "7", "b")), ends(event("DELETED", "12"))])
    assert played.server.conversation == ["list '0'", "watch '0'", "watch '0'"]
    assert played.reflector.last_sync_resource_version == "12"


@pytest.mark.statement("RE-13")
def test_from_the_first_other_event_on_added_ones_move_the_version_too() -> None:
    watch = ends(event("ADDED", "9", "a"), bookmark("10"), event("ADDED", "11", "b"))
    assert play([page("0")], [watch]).reflector.last_sync_resource_version == "11"


# --------------------------------------------------------------------------------------------------- resync


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for another thread, for 5 s at most."""
    pause = threading.Event()
    for _ in range(5000):
        if condition():
            return
        pause.wait(0.001)
    raise AssertionError("it did not happen within 5 s")


class Running:
    """A reflector on a thread of its own, with a fake clock, stopped at the end of the block."""

    def __init__(self, server: Any, store: Store, **options: Any) -> None:
        self.clock = FakeClock()
        self.stop = threading.Event()
        self.reflector = Reflector(server, store, clock=self.clock, rng=random.Random(1), name="pods", **options)
        self.thread = threading.Thread(target=self.reflector.run, args=(self.stop,))

    def __enter__(self) -> Self:
        self.before = threading.active_count()
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.thread.join(5)
        assert not self.thread.is_alive()
        wait_until(lambda: threading.active_count() <= self.before)


@pytest.mark.statement("RE-16")
def test_reflector_resync() -> None:
    """Resyncs come at their period, ask the server for nothing, and only if somebody is due."""
    answers = iter([True, False, True])
    server = Server(iter([page("10")]), iter([FakeWatch()]))
    store = Store()
    with Running(server, store, resync_period=30.0, should_resync=lambda: next(answers)) as running:
        wait_until(lambda: len(server.opened) == 1)
        for _ in range(3):
            running.clock.wait_for_waiters(1)
            running.clock.step(29.0)
            running.clock.wait_for_waiters(1)
            running.clock.step(1.0)
            running.clock.wait_for_waiters(1)
    assert store.calls == [("replace", "10"), ("resync", None), ("resync", None)]
    assert server.conversation == ["list '0'", "watch '10'"]


@pytest.mark.statement("RE-16")
def test_a_resync_that_fails_ends_the_watch_and_the_next_one_comes_all_the_same() -> None:
    server = Server(iter([page("10"), page("20")]), iter([FakeWatch(), FakeWatch()]))
    store = Store()
    store.resync_error = RuntimeError("the store is broken")
    with Running(server, store, resync_period=30.0) as running:
        wait_until(lambda: len(server.opened) == 1)
        running.clock.wait_for_waiters(1)
        running.clock.step(30.0)
        wait_until(lambda: running.clock.waiters() == 2)  # the back-off, and the next resync
        assert server.opened[0].stops == 1
        store.resync_error = None
        running.clock.step(2.0)
        wait_until(lambda: len(server.opened) == 2)
        running.clock.step(28.0)
        wait_until(lambda: store.calls.count(("resync", None)) == 2)
        assert server.opened[1].stops == 0
    assert server.conversation == ["list '0'", "watch '10'", "list '10'", "watch '20'"]


# ----------------------------------------------------------------------------------------------------- stop


@pytest.mark.statement("RE-15")
def test_reflector_watch_stopped_before() -> None:
    """Stopped already: nothing is asked for."""
    server = Server(iter([page("10")]), iter([FakeWatch()]))
    server.stop.set()
    Reflector(server, Store(), clock=PatientClock(), rng=random.Random(1)).run(server.stop)
    assert server.asked == []


@pytest.mark.statement("RE-15")
def test_run_until() -> None:
    """A stop closes the watch under the thread that reads it, once, and is no error."""
    watch = FakeWatch()
    server = Server(iter([page("10")]), iter([watch]))
    with Running(server, Store()) as running:
        wait_until(lambda: len(server.opened) == 1)
        running.stop.set()
        running.thread.join(5)
        assert not running.thread.is_alive()
    assert watch.stops == 1
    assert running.reflector.last_error is None
    assert server.conversation == ["list '0'", "watch '10'"]


@pytest.mark.statement("RE-15")
def test_reflector_watch_stopped_after() -> None:
    """A stop between the opening of a watch and its first event: the watch is closed, and none is opened after it."""

    class Stopping(Server):
        def watch(self, **options: Any) -> FakeWatch:
            watch = super().watch(**options)
            self.stop.set()
            return watch

    watch = FakeWatch()
    server = Stopping(iter([page("10")]), iter([watch, FakeWatch()]))
    Reflector(server, Store(), clock=PatientClock(), rng=random.Random(1)).run(server.stop)
    assert watch.stops == 1
    assert server.conversation == ["list '0'", "watch '10'"]


@pytest.mark.statement("RE-15")
@pytest.mark.parametrize("events", [[], [event("ADDED", "11")]], ids=["before", "after"])
def test_reflector_handle_watch_stopped(events: list[Object | Exception]) -> None:
    """Stopped before the first event or after it: the watch is stopped once, and the stop is no error."""
    store, watch = Store(), FakeWatch(events)
    server = Server(iter([page("10")]), iter([watch]))
    with Running(server, store) as running:
        wait_until(lambda: len(store.calls) == 1 + len(events))
        running.stop.set()
        running.thread.join(5)
    assert watch.stops == 1
    assert running.reflector.last_error is None


@pytest.mark.statement("RE-15")
def test_reflector_stop_watch() -> None:
    """Nothing is read from a watch any more once it was stopped."""
    store, watch = Store(), FakeWatch()
    server = Server(iter([page("10")]), iter([watch]))
    with Running(server, store) as running:
        wait_until(lambda: len(server.opened) == 1)
        running.stop.set()
        running.thread.join(5)
        watch.send("ADDED", thing("late", "11"))
    assert store.calls == [("replace", "10")]


@pytest.mark.statement("RE-16")
def test_reflector_resync_chan() -> None:
    """The timer of the resync begins anew each time, and none runs without a period."""
    server, store = Server(iter([page("10")]), iter([FakeWatch()])), Store()
    with Running(server, store, resync_period=30.0) as running:
        for count in (1, 2):
            running.clock.wait_for_deadline(30.0 * count)
            running.clock.step(30.0)
            wait_until(lambda count=count: store.calls.count(("resync", None)) == count)  # type: ignore[misc]
    with Running(Server(iter([page("10")]), iter([FakeWatch()])), Store()) as running:
        running.clock.wait_for_deadline(math.inf)


def test_a_stop_ends_the_back_off() -> None:
    server = Server(iter([REFUSED]), iter([]))
    with Running(server, Store()) as running:
        running.clock.wait_for_waiters(2)
        assert running.reflector.last_error is REFUSED


class Hanging:
    """A server that accepts a request and says nothing until `release`."""

    def __init__(self, *, list_answers: bool) -> None:
        self.asked = threading.Event()
        self.release = threading.Event()
        self.late = FakeWatch()
        self._list_answers = list_answers

    def list(self, *, resource_version: str, limit: int, continue_token: str) -> Object:
        if not self._list_answers:
            self.asked.set()
            self.release.wait(10)
        return page("10", "a")

    def watch(self, *, resource_version: str, timeout_seconds: int, send_initial_events: bool = False) -> FakeWatch:
        self.asked.set()
        self.release.wait(10)
        return self.late


@pytest.mark.parametrize("list_answers", [False, True], ids=["list", "watch"])
def test_a_stop_does_not_wait_for_a_server_that_keeps_silent(list_answers: bool) -> None:
    """Run returns; the answer that comes late changes nothing, and a late watch is closed."""
    server, store, stop = Hanging(list_answers=list_answers), Store(), threading.Event()
    reflector = Reflector(server, store, clock=FakeClock(), rng=random.Random(1), name="pods")
    before = threading.active_count()
    thread = threading.Thread(target=reflector.run, args=(stop,))
    thread.start()
    assert server.asked.wait(5)
    stop.set()
    thread.join(5)
    assert not thread.is_alive()
    calls = [*store.calls]
    server.release.set()
    wait_until(lambda: threading.active_count() <= before)
    assert store.calls == calls == ([("replace", "10")] if list_answers else [])
    assert server.late.stops == (1 if list_answers else 0)


# --------------------------------------------------------------------------------------------------- health


def test_the_last_error_is_there_while_it_lasts() -> None:
    seen: list[Exception | None] = []

    def look() -> Object:
        seen.append(reflector.last_error)
        return page("10")

    server = Server(iter([REFUSED, look]), iter([Forbidden("may not watch", code=403)]))
    reflector = Reflector(server, Store(), clock=PatientClock(), rng=random.Random(1))
    reflector.run(server.stop)
    assert seen == [REFUSED]
    assert isinstance(reflector.last_error, Forbidden)


def test_a_watch_that_is_answered_clears_the_last_error() -> None:
    server = Server(iter([page("10")]), iter([TOO_MANY, FakeWatch()]))
    with Running(server, Store()) as running:
        running.clock.wait_for_waiters(2)
        assert running.reflector.last_error is TOO_MANY
        running.clock.step(2.0)
        wait_until(lambda: running.reflector.last_error is None)


@pytest.mark.statement("RE-21")
def test_failures_are_logged_with_what_a_person_needs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    play([Forbidden("pods is forbidden", code=403), EXPIRED, EXPIRED, RuntimeError("a bug"), page("10")])
    lines = [(record.levelname, record.message) for record in caplog.records]
    assert lines[0] == ("WARNING", "List or watch failed")
    assert caplog.records[0].__dict__["error"] == "pods is forbidden"
    assert "Role" in caplog.records[0].__dict__["hint"]
    assert caplog.records[0].__dict__["reflector"] == "pods"
    assert ("INFO", "Watch expired, listing anew") in lines
    assert ("ERROR", "List or watch failed unexpectedly") in lines


@pytest.mark.statement("RE-21")
def test_an_error_handler_that_fails_does_not_end_the_reflector() -> None:
    def handler(error: Exception) -> None:
        raise RuntimeError("the handler is broken")

    server = Server(iter([REFUSED, page("10", "a")]), iter([]))
    store = Store()
    Reflector(server, store, clock=PatientClock(), rng=random.Random(1), error_handler=handler).run(server.stop)
    assert set(store.objects) == {"a"}


def test_a_backoff_of_ones_own_is_used() -> None:
    server, clock = Server(iter([REFUSED, REFUSED, page("10")]), iter([])), PatientClock()
    backoff = BackoffManager(clock=clock, rng=random.Random(1), initial=0.01, jitter=0.0)
    Reflector(server, Store(), clock=clock, rng=random.Random(1), backoff=backoff).run(server.stop)
    assert clock.pauses == pytest.approx([0.01, 0.02])


def status_ends(code: int, reason: str) -> FakeWatch:
    """A watch that says only that something is wrong."""
    return ends(status(code, reason))
