"""Faults of a server and of a connection, on a real socket: never deaf, never a busy loop, nothing lost.

An informer over HTTP meets a server that misbehaves by a script. Pauses take no time, but are noted. Left out: the same
decisions on a lister-watcher in memory (test_reflector.py), TLS and credentials (tests/unit/kube), a real API server.
"""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from handwritten.informer import SharedInformer
from handwritten.listwatch import ListWatch
from support.cache import wait_until
from support.socket_server import ScriptedServer, Step, line, listed, pod, status, watched
from twinloop.kube import PODS, Client, load_configuration

pytestmark = pytest.mark.timeout(60)

# For the half-open connection alone: 90 s in an operator.
IDLE_SECONDS = 0.3


class Clock:
    """The real time, plus the pauses: those are noted, and over at once."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    def now(self) -> float:
        return time.monotonic() + sum(self.pauses)

    def wait(self, condition: threading.Condition, timeout: float | None) -> bool:
        return condition.wait(timeout)

    def wait_until(self, condition: threading.Condition, deadline: float | None) -> bool:
        return condition.wait(None if deadline is None else max(deadline - self.now(), 0.0))

    def sleep(self, stop: threading.Event, seconds: float) -> bool:
        if math.isinf(seconds):
            return stop.wait()
        self.pauses.append(seconds)
        return stop.is_set()


@dataclass
class Played:
    """What an informer made of a script."""

    server: ScriptedServer
    informer: SharedInformer
    clock: Clock

    @property
    def names(self) -> list[str]:
        return sorted(self.informer.indexer.list_keys())

    def expect(self, asked: list[str], names: list[str]) -> None:
        """Wait for the end of the script, then compare what was asked for and what is in the cache."""
        assert self.server.idle.wait(20), self.server.asked
        wait_until(lambda: self.names == sorted(names))
        assert self.server.asked == asked


Play = Callable[..., Played]


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    """Plays a script to an informer; both are stopped at the end."""
    endings: list[Callable[[], object]] = []

    def begin(*steps: Step) -> Played:
        server, clock, stop = ScriptedServer(steps), Clock(), threading.Event()
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        client = Client(load_configuration(server.kubeconfig(tmp_path / "kubeconfig")), user_agent="test")
        source = ListWatch(client, PODS, idle_seconds=IDLE_SECONDS)
        informer = SharedInformer(source, clock=clock, rng=random.Random(1), name="pods")
        thread = threading.Thread(target=informer.run, args=(stop,))
        thread.start()
        endings.extend(
            [
                server.server_close,
                serving.join,
                server.shutdown,
                server.closing.set,
                client.close,
                thread.join,
                stop.set,
            ]
        )
        return Played(server, informer, clock)

    yield begin
    for ending in reversed(endings):
        ending()


A, B, C = pod("a", "1"), pod("b", "11"), pod("c", "12")
FIRST = listed("10", A)


def added(name: str, version: str) -> bytes:
    return line("ADDED", pod(name, version))


@pytest.mark.statement("RE-9")
def test_eof_at_once_and_often_is_never_a_busy_loop(play: Play) -> None:
    """Each such watch costs a pause of 0.8 s at least, then the state is asked for anew."""
    played = play(FIRST, *[watched(), FIRST] * 6, watched(added("b", "11"), hang=True))
    wait_until(lambda: played.names == ["a", "b"])
    pauses = played.clock.pauses[:6]
    assert [base <= pause < 2 * base for pause, base in zip(pauses, (0.8, 1.6, 3.2, 6.4, 12.8, 25.6), strict=True)] == [
        True
    ] * 6


@pytest.mark.statement("RE-8")
def test_eof_after_each_event_goes_on_from_the_last_one(play: Play) -> None:
    played = play(FIRST, *[watched(added(f"p{version}", str(version))) for version in range(11, 31)])
    asked = ["list '0'", *[f"watch '{version}'" for version in range(10, 31)]]
    played.expect(asked, ["a", *[f"p{version}" for version in range(11, 31)]])
    assert played.clock.pauses == []


def test_a_half_open_connection_is_found_and_the_watch_goes_on(play: Play) -> None:
    """Silence on an open connection: a new one, from the last version, without a list."""
    played = play(FIRST, watched(added("b", "11"), hang=True), watched(added("c", "12"), hang=True))
    played.expect(["list '0'", "watch '10'", "watch '11'", "watch '12'"], ["a", "b", "c"])


@pytest.mark.parametrize(
    "cut",
    [pytest.param(-30, id="inside a line"), pytest.param(-1, id="before the line's end")],
)
def test_a_watch_cut_inside_an_event_repeats_that_event(play: Play, cut: int) -> None:
    played = play(FIRST, watched(added("b", "11"), added("c", "12")[:cut]), watched(added("c", "12"), hang=True))
    wait_until(lambda: played.names == ["a", "b", "c"])
    assert played.server.asked[:3] == ["list '0'", "watch '10'", "watch '11'"]


def test_a_watch_cut_inside_a_character_repeats_that_event(play: Play) -> None:
    event = line("ADDED", pod("c", "12", annotations={"note": "größer"}))
    cut = event.index("ö".encode()) + 1
    played = play(FIRST, watched(event[:cut]), watched(event, hang=True))
    wait_until(lambda: played.names == ["a", "c"])
    (found,) = [obj for obj in played.informer.indexer.list() if obj["metadata"]["name"] == "c"]
    assert found["metadata"]["annotations"] == {"note": "größer"}
    assert played.server.asked[:3] == ["list '0'", "watch '10'", "watch '10'"]


def test_a_character_in_two_packets_is_one_character(play: Play) -> None:
    event = line("ADDED", pod("c", "12", annotations={"note": "größer"}))
    cut = event.index("ö".encode()) + 1
    played = play(FIRST, watched(event[:cut], event[cut:], hang=True))
    wait_until(lambda: played.names == ["a", "c"])


def test_an_object_of_one_and_a_half_megabytes_comes_whole(play: Play) -> None:
    big = pod("big", "11", annotations={"text": "x" * 1_500_000})
    played = play(listed("10", pod("big", "1", annotations={"text": "y" * 1_500_000})), watched(line("MODIFIED", big)))
    played.expect(["list '0'", "watch '10'", "watch '11'"], ["big"])
    (found,) = played.informer.indexer.list()
    assert len(found["metadata"]["annotations"]["text"]) == 1_500_000
    assert found["metadata"]["resourceVersion"] == "11"


@pytest.mark.statement("RE-3")
def test_410_on_the_first_page_asks_for_the_newest_state_at_once(play: Play) -> None:
    played = play(status(410, "Expired"), FIRST, watched(added("b", "11")))
    played.expect(["list '0'", "list ''", "watch '10'", "watch '11'"], ["a", "b"])
    assert played.clock.pauses == []


@pytest.mark.statement("RE-5")
def test_410_on_a_later_page_asks_for_the_list_in_one(play: Play) -> None:
    played = play(listed("10", A, token="t"), status(410, "Expired"), listed("11", A, B), watched(added("c", "12")))
    played.expect(["list '0'", "list '' continue t", "list '0'", "watch '11'", "watch '12'"], ["a", "b", "c"])


@pytest.mark.statement("RE-10")
def test_410_on_the_watch_leads_to_a_list_at_the_same_version(play: Play) -> None:
    played = play(FIRST, status(410, "Expired"), listed("20", A, B), watched(added("c", "21")))
    played.expect(["list '0'", "watch '10'", "list '10'", "watch '20'", "watch '21'"], ["a", "b", "c"])
    assert len(played.clock.pauses) == 1


@pytest.mark.statement("RE-11")
def test_410_in_the_stream_leads_to_a_list_and_what_was_missed_is_found(play: Play) -> None:
    gone = line("ERROR", {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"})
    played = play(FIRST, watched(added("b", "11"), gone), listed("20", pod("c", "15")), watched(hang=True))
    wait_until(lambda: played.names == ["c"])
    assert played.server.asked[:3] == ["list '0'", "watch '10'", "list '11'"]


@pytest.mark.statement("RE-10")
def test_429_waits_as_long_as_the_server_says_and_asks_for_no_list(play: Play) -> None:
    played = play(FIRST, status(429, "TooManyRequests", Retry_After="7"), watched(added("b", "11")))
    played.expect(["list '0'", "watch '10'", "watch '10'", "watch '11'"], ["a", "b"])
    assert played.clock.pauses == [7.0]


@pytest.mark.statement("RE-17")
def test_5xx_for_minutes_is_outlived_with_ever_longer_pauses(play: Play) -> None:
    played = play(FIRST, watched(added("b", "11")), *[status(503, "ServiceUnavailable")] * 12, listed("20", A, B, C))
    wait_until(lambda: played.names == ["a", "b", "c"])
    assert sum(played.clock.pauses[:12]) > 120
    assert all(pause >= 0.8 for pause in played.clock.pauses)
    assert played.server.asked[2:4] == ["watch '11'", "list '11'"]


@pytest.mark.parametrize(
    "garbage",
    [
        pytest.param(b"<html>a login page</html>\n", id="a page"),
        pytest.param(b"\x00\xff\xfe\n", id="no text"),
        pytest.param(b'{"type": "ADDED"}\n', id="no object"),
        pytest.param(b'{"type": "ADDED", "object": {"metadata": {"name": "x"}}}\n', id="no version"),
        pytest.param(b"[]\n", id="a list"),
    ],
)
def test_garbage_in_the_watch_costs_a_pause_and_no_event(play: Play, garbage: bytes) -> None:
    played = play(FIRST, watched(added("b", "11"), garbage, added("lost?", "12")), watched(added("lost?", "12")))
    played.expect(["list '0'", "watch '10'", "watch '11'", "watch '12'"], ["a", "b", "lost?"])
    assert len(played.clock.pauses) == 1


@pytest.mark.parametrize(
    "body", [b"<html>busy</html>", b"{}", b'{"items": []}', b'{"metadata": {"resourceVersion": "5"}, "items": 3}', b""]
)
def test_garbage_for_a_list_does_not_empty_the_cache(play: Play, body: bytes) -> None:
    """Believing it would be to believe that everything is gone."""
    gone = line("ERROR", {"kind": "Status", "code": 500, "reason": "InternalError", "message": "storage"})
    played = play(FIRST, watched(added("b", "11"), gone), Step((body,)), listed("20", A, B), watched(added("c", "21")))
    played.expect(["list '0'", "watch '10'", "list '11'", "list '11'", "watch '20'", "watch '21'"], ["a", "b", "c"])


@pytest.mark.statement("RE-14")
def test_an_unknown_event_type_is_skipped_and_the_watch_goes_on(play: Play) -> None:
    played = play(FIRST, watched(line("PROMOTED", pod("x", "11")), added("b", "12")))
    played.expect(["list '0'", "watch '10'", "watch '12'"], ["a", "b"])
