"""The event recorder: what an Event looks like, that recording never hurts, what is tried again and what is dropped.

Left out: whether an API server accepts the Event and kubectl shows it (tests/e2e).
"""

import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from prometheus_client import REGISTRY

from twinloop import errors
from twinloop.kube import EVENTS, EventRecorder, Resource

NOW = datetime(2024, 2, 29, 12, 30, 15, 123456, tzinfo=UTC)
NGINXPOD: dict[str, Any] = {
    "apiVersion": "twinloop.dev/v1alpha1",
    "kind": "NginxPod",
    "metadata": {"name": "web", "namespace": "shop", "uid": "u-1", "resourceVersion": "42", "labels": {"a": "b"}},
    "spec": {},
}
# Far more than any of this takes; only a defect waits for it.
SOON = 10.0


class Sink:
    """A client that keeps what is created, and fails as told: one error a call, then none."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.created: list[Any] = []
        self.patched: list[tuple[str, dict[str, Any]]] = []
        self.calls = 0
        self.reached = threading.Event()
        self.gate = threading.Event()
        self.gate.set()

    def create(self, resource: Resource, body: dict[str, Any], namespace: str | None = None) -> dict[str, Any]:
        self.calls += 1
        self.reached.set()
        assert self.gate.wait(SOON)
        assert resource == EVENTS
        assert namespace == body["metadata"]["namespace"]
        if self.failures:
            raise self.failures.pop(0)
        self.created.append(body)
        return body

    def merge_patch(
        self, resource: Resource, name: str, patch: dict[str, Any], namespace: str | None = None
    ) -> dict[str, Any]:
        assert self.gate.wait(SOON)
        assert (resource, namespace) == (EVENTS, "shop")
        if self.failures:
            raise self.failures.pop(0)
        self.patched.append((name, patch))
        return patch


class Pauses:
    """The recorder's sleep: notes the seconds and returns at once, as if they had gone by."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, stop: threading.Event, seconds: float) -> bool:
        self.seconds.append(seconds)
        return stop.is_set()


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@pytest.fixture
def sink() -> Iterator[Sink]:
    sink = Sink()
    yield sink
    sink.gate.set()


def dropped(cause: str) -> float:
    return REGISTRY.get_sample_value("twinloop_events_dropped_total", {"cause": cause}) or 0.0


def recorder(sink: Sink, pauses: Pauses, **options: Any) -> EventRecorder:
    return EventRecorder(sink, instance="host-1", now=lambda: NOW, sleep=pauses, **options)


def record(sink: Sink, pauses: Pauses, involved: dict[str, Any] = NGINXPOD, message: str = "made web-0") -> None:
    """Record one event and wait until the recorder is done with it."""
    events = recorder(sink, pauses)
    events.event(involved, "Normal", "PodCreated", message)
    events.close(SOON)


def test_an_event_has_what_client_gos_recorder_writes(sink: Sink, pauses: Pauses) -> None:
    record(sink, pauses)
    (event,) = sink.created
    name, _, stamp = event["metadata"].pop("name").rpartition(".")
    assert name == "web"
    assert int(stamp, 16) == pytest.approx(NOW.timestamp() * 1e9, abs=1e4)
    assert event == {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"namespace": "shop"},
        "involvedObject": {
            "apiVersion": "twinloop.dev/v1alpha1",
            "kind": "NginxPod",
            "namespace": "shop",
            "name": "web",
            "uid": "u-1",
            "resourceVersion": "42",
        },
        "type": "Normal",
        "reason": "PodCreated",
        "message": "made web-0",
        "source": {"component": "nginxpod-controller"},
        "reportingComponent": "nginxpod-controller",
        "reportingInstance": "host-1",
        "firstTimestamp": "2024-02-29T12:30:15Z",
        "lastTimestamp": "2024-02-29T12:30:15Z",
        "count": 1,
    }


def test_times_are_utc_whatever_zone_the_clock_has(sink: Sink, pauses: Pauses) -> None:
    east = NOW.astimezone(timezone(timedelta(hours=5)))
    events = EventRecorder(sink, now=lambda: east, sleep=pauses)
    events.event(NGINXPOD, "Normal", "Ready", "")
    events.close(SOON)
    assert sink.created[0]["firstTimestamp"] == "2024-02-29T12:30:15Z"


def test_events_of_one_moment_have_different_names_and_keep_their_order(sink: Sink, pauses: Pauses) -> None:
    events = recorder(sink, pauses)
    for number in range(50):
        other = {**NGINXPOD, "metadata": {**NGINXPOD["metadata"], "uid": f"u-{number}"}}
        events.event(other, "Normal", "PodCreated", str(number))
    events.close(SOON)
    assert len({event["metadata"]["name"] for event in sink.created}) == 50
    assert [event["message"] for event in sink.created] == [str(number) for number in range(50)]


@pytest.mark.parametrize(
    ("message", "kept"), [("x" * 2000, "x" * 1024), ("ü" * 1000, "ü" * 512), ("a" + "€" * 500, "a" + "€" * 341)]
)
def test_a_long_message_is_cut_where_the_server_would_refuse_it(
    sink: Sink, pauses: Pauses, message: str, kept: str
) -> None:
    record(sink, pauses, message=message)
    assert sink.created[0]["message"] == kept


def test_a_long_object_name_still_gives_a_valid_event_name(sink: Sink, pauses: Pauses) -> None:
    long = {**NGINXPOD, "metadata": {**NGINXPOD["metadata"], "name": "a" * 235 + "." + "b" * 17}}
    record(sink, pauses, long)
    name = sink.created[0]["metadata"]["name"]
    assert len(name) <= 253
    assert ".." not in name
    assert sink.created[0]["involvedObject"]["name"] == long["metadata"]["name"]


def test_an_event_about_a_cluster_scoped_object_goes_to_default(sink: Sink, pauses: Pauses) -> None:
    record(sink, pauses, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    assert sink.created[0]["metadata"]["namespace"] == "default"
    assert sink.created[0]["involvedObject"] == {"apiVersion": "v1", "kind": "Namespace", "name": "shop"}


@pytest.mark.statement("EV-1")
def test_the_same_event_again_is_a_patch_of_its_count(sink: Sink, pauses: Pauses) -> None:
    times = iter([NOW, NOW + timedelta(seconds=5), NOW + timedelta(seconds=9)])
    events = EventRecorder(sink, now=lambda: next(times), sleep=pauses)
    for _ in range(3):
        events.event(NGINXPOD, "Normal", "PodCreated", "made web-0")
    events.close(SOON)
    (created,) = sink.created
    assert [name for name, _ in sink.patched] == [created["metadata"]["name"]] * 2
    assert [patch for _, patch in sink.patched] == [
        {"count": 2, "lastTimestamp": "2024-02-29T12:30:20Z", "message": "made web-0"},
        {"count": 3, "lastTimestamp": "2024-02-29T12:30:24Z", "message": "made web-0"},
    ]


@pytest.mark.statement("EV-5")
def test_an_event_that_has_expired_is_created_anew_with_its_count(sink: Sink, pauses: Pauses) -> None:
    events = recorder(sink, pauses)
    events.event(NGINXPOD, "Normal", "PodCreated", "made web-0")
    until_written = threading.Event()
    while not sink.created:
        until_written.wait(0.001)
    sink.failures = [errors.NotFound("events not found", code=404)]
    events.event(NGINXPOD, "Normal", "PodCreated", "made web-0")
    events.close(SOON)
    first, second = sink.created
    assert (second["count"], second["firstTimestamp"]) == (2, first["firstTimestamp"])
    assert second["metadata"]["name"] == first["metadata"]["name"]


@pytest.mark.statement("EV-3")
def test_a_flood_about_one_object_is_cut_off_and_counted(sink: Sink, pauses: Pauses) -> None:
    before = dropped("rate_limited")
    events = recorder(sink, pauses, timer=lambda: 0.0)
    for number in range(40):
        events.event(NGINXPOD, "Normal", f"Reason{number}", "")
    events.close(SOON)
    assert len(sink.created) == 25
    assert dropped("rate_limited") - before == 15


@pytest.mark.statement("EV-4")
@pytest.mark.parametrize("involved", [{}, {"metadata": None}, {"metadata": {}}, {"metadata": {"name": 5}}])
def test_recording_about_something_odd_neither_raises_nor_stops_the_recorder(
    sink: Sink, pauses: Pauses, involved: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    events = recorder(sink, pauses)
    events.event(involved, "Normal", "Odd", "")
    events.event(NGINXPOD, "Normal", "Ready", "")
    events.close(SOON)
    assert [event["reason"] for event in sink.created] == ["Ready"]
    assert "could not be recorded: Odd" in caplog.text


def test_recording_does_not_wait_for_the_server(sink: Sink, pauses: Pauses) -> None:
    sink.gate.clear()
    events = recorder(sink, pauses)
    for number in range(5):
        events.event(NGINXPOD, "Normal", "Ready", str(number))
    assert sink.created == []
    sink.gate.set()
    events.close(SOON)
    assert len(sink.created) == 5


def test_a_full_queue_drops_counts_and_says_so_once(
    sink: Sink, pauses: Pauses, caplog: pytest.LogCaptureFixture
) -> None:
    before = dropped("queue_full")
    sink.gate.clear()
    events = recorder(sink, pauses, capacity=3)
    events.event(NGINXPOD, "Normal", "InFlight", "")
    assert sink.reached.wait(SOON)
    for number in range(10):
        events.event(NGINXPOD, "Normal", f"R{number}", "")
    sink.gate.set()
    events.close(SOON)
    assert [event["reason"] for event in sink.created] == ["InFlight", "R0", "R1", "R2"]
    assert dropped("queue_full") - before == 7
    assert caplog.text.count("queue of Events is full") == 1


@pytest.mark.statement("EV-4")
def test_an_unavailable_server_is_tried_again_after_growing_pauses(pauses: Pauses) -> None:
    sink = Sink(errors.Unavailable("no"), errors.CorruptAnswer("?"), errors.Unavailable("no", code=503))
    record(sink, pauses)
    assert pauses.seconds == [0.5, 1.0, 2.0]
    assert len(sink.created) == 1


def test_a_server_that_stays_away_costs_the_event(pauses: Pauses, caplog: pytest.LogCaptureFixture) -> None:
    before = dropped("unavailable")
    sink = Sink(*[errors.Unavailable("connection refused")] * 4)
    record(sink, pauses)
    assert (sink.calls, sink.created) == (4, [])
    assert dropped("unavailable") - before == 1
    assert "connection refused" in caplog.text


@pytest.mark.parametrize(("asked", "waited"), [(3.0, 3.0), (600.0, 10.0), (None, 0.5), (0.0, 0.0)])
def test_too_many_requests_waits_as_asked_within_reason(pauses: Pauses, asked: float | None, waited: float) -> None:
    sink = Sink(errors.TooManyRequests("slow", retry_after=asked))
    record(sink, pauses)
    assert pauses.seconds == [waited]
    assert len(sink.created) == 1


def test_already_exists_means_that_a_try_before_was_done(pauses: Pauses, caplog: pytest.LogCaptureFixture) -> None:
    sink = Sink(errors.Unavailable("answer lost"), errors.AlreadyExists("there"))
    record(sink, pauses)
    assert sink.calls == 2
    assert caplog.text == ""


def test_a_missing_right_is_logged_once_until_something_works_again(
    pauses: Pauses, caplog: pytest.LogCaptureFixture
) -> None:
    before = dropped("refused")
    forbidden = [errors.Forbidden("events is forbidden", code=403)] * 3
    sink = Sink(*forbidden)
    events = recorder(sink, pauses)
    for number in range(4):
        events.event(NGINXPOD, "Normal", "Ready", str(number))
    events.close(SOON)
    assert pauses.seconds == []
    assert len(sink.created) == 1
    assert dropped("refused") - before == 3
    assert caplog.text.count("events is forbidden") == 1


def test_an_error_after_a_success_is_logged_again(pauses: Pauses, caplog: pytest.LogCaptureFixture) -> None:
    class Alternating(Sink):
        def create(self, resource: Resource, body: dict[str, Any], namespace: str | None = None) -> dict[str, Any]:
            if body["reason"] == "Bad":
                raise errors.Forbidden("no", code=403)
            return super().create(resource, body, namespace)

    events = recorder(Alternating(), pauses)
    for message, reason in enumerate(("Bad", "Good", "Bad")):
        events.event(NGINXPOD, "Normal", reason, str(message))
    events.close(SOON)
    assert caplog.text.count("an Event was not written: no") == 2


@pytest.mark.parametrize(
    "error",
    [
        errors.Forbidden("x", code=403, body={"details": {"causes": [{"reason": "NamespaceTerminating"}]}}),
        errors.NotFound('namespaces "shop" not found', code=404),
    ],
)
def test_a_namespace_that_goes_away_drops_its_events_silently(
    pauses: Pauses, error: errors.ApiError, caplog: pytest.LogCaptureFixture
) -> None:
    before = dropped("refused")
    sink = Sink(error)
    record(sink, pauses)
    assert (sink.calls, caplog.text, dropped("refused")) == (1, "", before)


def test_a_defect_of_the_client_does_not_end_the_recorder(pauses: Pauses, caplog: pytest.LogCaptureFixture) -> None:
    sink = Sink(RuntimeError("defect"))
    events = recorder(sink, pauses)
    events.event(NGINXPOD, "Normal", "First", "")
    events.event(NGINXPOD, "Normal", "Second", "")
    events.close(SOON)
    assert [event["reason"] for event in sink.created] == ["Second"]
    assert "RuntimeError: defect" in caplog.text


def test_close_gives_up_when_its_time_is_over_and_says_how_many_are_lost(
    sink: Sink, pauses: Pauses, caplog: pytest.LogCaptureFixture
) -> None:
    before = dropped("closed")
    sink.gate.clear()
    events = recorder(sink, pauses)
    for _ in range(3):
        events.event(NGINXPOD, "Normal", "Ready", "")
    assert sink.reached.wait(SOON)
    events.close(0.01)
    assert "2 Events were not written" in caplog.text
    assert dropped("closed") - before == 2


def test_close_ends_a_pause_between_two_tries() -> None:
    """The only test with the recorder's own sleep: a pause of 10 s must not outlast a close of 0.01 s."""
    sink = Sink(*[errors.TooManyRequests("slow", retry_after=600)] * 9)
    events = EventRecorder(sink)
    events.event(NGINXPOD, "Normal", "Ready", "")
    assert sink.reached.wait(SOON)
    events.close(0.01)
    events._thread.join(SOON)
    assert not events._thread.is_alive()


def test_an_event_after_close_is_counted_and_forgotten(sink: Sink, pauses: Pauses) -> None:
    before = dropped("closed")
    events = recorder(sink, pauses)
    events.close(SOON)
    events.event(NGINXPOD, "Normal", "Ready", "")
    assert dropped("closed") - before == 1
    assert sink.calls == 0


def test_nothing_is_logged_on_a_calm_day(sink: Sink, pauses: Pauses, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        record(sink, pauses)
    assert caplog.text == ""
