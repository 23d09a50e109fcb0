"""Covers the lister-watcher over HTTP: what it asks the client for, how events are decoded, how it ends.

The last tests run reflector and informer over real sockets against a small scripted server: half lines, a
broken connection, a stop in the middle of a watch. Left out: the client itself (tests/unit/kube).
"""

from __future__ import annotations

import http.server
import json
import math
import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest

from handwritten.clock import RealClock
from handwritten.informer import SharedInformer
from handwritten.listwatch import IDLE_SECONDS, ListWatch, watch_error
from handwritten.store import Object
from twinloop.errors import ApiError, CorruptAnswer, Gone, TooManyRequests
from twinloop.kube import NGINXPODS, PODS, Client, WatchStream, load_configuration

pytestmark = pytest.mark.timeout(30)


class Stream:
    """A `WatchStream` of given lines."""

    def __init__(self, *lines: bytes) -> None:
        self._lines = lines
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._lines)

    def close(self) -> None:
        self.closed = True


class RecordingClient:
    """A `Client` that answers the same always and keeps the arguments of the last call."""

    def __init__(self, page: Object | None = None, stream: Stream | None = None) -> None:
        self._page = page
        self._stream = stream
        self.arguments: tuple[Any, ...] = ()
        self.options: dict[str, Any] = {}

    def list_page(self, *arguments: Any, **options: Any) -> Object:
        self.arguments, self.options = arguments, options
        assert self._page is not None
        return self._page

    def watch(self, *arguments: Any, **options: Any) -> WatchStream:
        self.arguments, self.options = arguments, options
        return cast("WatchStream", self._stream)


def list_watch(client: RecordingClient, *arguments: Any, **options: Any) -> ListWatch:
    return ListWatch(cast("Client", client), *arguments, **options)


def line(kind: str, version: str) -> bytes:
    return json.dumps({"type": kind, "object": {"metadata": {"name": "a", "resourceVersion": version}}}).encode()


# -------------------------------------------------------------------------------------------------- requests


@pytest.mark.parametrize(("version", "sent"), [("", None), ("0", "0"), ("17", "17")])
def test_a_list_passes_its_options_on_and_leaves_an_empty_version_out(version: str, sent: str | None) -> None:
    client = RecordingClient({"metadata": {"resourceVersion": "1"}, "items": []})
    list_watch(client, PODS, "prod", label_selector="a=b").list(resource_version=version, limit=500, continue_token="t")
    assert client.arguments == (PODS, "prod")
    assert client.options == {
        "label_selector": "a=b",
        "limit": 500,
        "continue_token": "t",
        "resource_version": sent,
    }


def test_listed_objects_get_the_kind_that_watched_ones_have() -> None:
    own = {"kind": "NginxPod", "apiVersion": "twinloop.dev/v9", "metadata": {"name": "b"}}
    page = {"metadata": {"resourceVersion": "1"}, "items": [{"metadata": {"name": "a"}}, own]}
    items = list_watch(RecordingClient(page), NGINXPODS).list(resource_version="0", limit=0, continue_token="")["items"]
    assert [(item["kind"], item["apiVersion"]) for item in items] == [
        ("NginxPod", "twinloop.dev/v1alpha1"),
        ("NginxPod", "twinloop.dev/v9"),
    ]


@pytest.mark.parametrize("items", [None, [], [None, "odd"]])
def test_a_list_without_objects_is_handed_on_as_it_is(items: Any) -> None:
    page = {"metadata": {"resourceVersion": "1"}, "items": items}
    answer = list_watch(RecordingClient(page), PODS).list(resource_version="0", limit=0, continue_token="")
    assert answer == page


def test_a_watch_asks_for_bookmarks_and_bounds_the_silence() -> None:
    client = RecordingClient(stream=Stream())
    list_watch(client, PODS, label_selector="a=b").watch(resource_version="17", timeout_seconds=321)
    assert client.arguments == (PODS, None)
    assert client.options == {
        "resource_version": "17",
        "timeout_seconds": 321,
        "label_selector": "a=b",
        "allow_bookmarks": True,
        "send_initial_events": False,
        "idle_timeout": IDLE_SECONDS,
    }
    # A bookmark comes once a minute; less than that would end healthy watches.
    assert 60 < IDLE_SECONDS < 300


def test_a_watch_decodes_lines_until_one_makes_no_sense() -> None:
    stream = Stream(line("ADDED", "1"), line("DELETED", "2"), b'{"type": "ADD')
    with list_watch(RecordingClient(stream=stream), PODS).watch(resource_version="1", timeout_seconds=1) as watch:
        events = iter(watch)
        assert [next(events)["type"], next(events)["type"]] == ["ADDED", "DELETED"]
        with pytest.raises(CorruptAnswer):
            next(events)
        assert not stream.closed
    assert stream.closed


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"kind": "Status", "code": 410, "reason": "Expired"}, Gone),
        ({"kind": "Status", "code": 410, "reason": "Gone"}, Gone),
        ({"kind": "Status", "code": 429, "reason": "TooManyRequests"}, TooManyRequests),
        ({"kind": "Pod"}, CorruptAnswer),
    ],
)
def test_the_error_of_an_error_event(status: Object, expected: type[ApiError]) -> None:
    assert isinstance(watch_error({"type": "ERROR", "object": status}), expected)


# ---------------------------------------------------------------------------------- over real connections


class Server(http.server.ThreadingHTTPServer):
    """Answers every list with `page`, and the watches with one script after the other; the last one hangs."""

    daemon_threads = True

    def __init__(self, page: Object, *watches: list[bytes]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.page = page
        self.watches = iter(watches)
        self.asked: list[str] = []
        self.hanging = threading.Event()
        self.closing = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing when a client goes away."""


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        version = query.get("resourceVersion", [""])[0]
        watching = "watch" in query
        self.server.asked.append(f"{'watch' if watching else 'list'} {version!r}")
        body = b"" if watching else json.dumps(self.server.page).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        if not watching:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        if watching:
            self.play(next(self.server.watches, None))

    def play(self, script: list[bytes] | None) -> None:
        """Write the script's bytes and close the connection; without a script, write nothing and keep it open."""
        if script is None:
            self.server.hanging.set()
            self.server.closing.wait(20)
        for piece in script or ():
            self.wfile.write(piece)
            self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the standard library's name
        """Keep quiet."""


class Hasty(RealClock):
    """The real clock, on which no back-off takes any time."""

    def sleep(self, stop: threading.Event, seconds: float) -> bool:
        return super().sleep(stop, seconds if math.isinf(seconds) else 0.0)


Start = Callable[..., tuple[Server, SharedInformer, threading.Event, threading.Thread]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a server and an informer over it; both are stopped at the end."""
    cleanup: list[Callable[[], object]] = []

    def begin(page: Object, *watches: list[bytes]) -> tuple[Server, SharedInformer, threading.Event, threading.Thread]:
        server = Server(page, *watches)
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        config = tmp_path / "kubeconfig"
        address = f"http://127.0.0.1:{server.server_address[1]}"
        config.write_text(
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": "test",
                    "clusters": [{"name": "test", "cluster": {"server": address}}],
                    "users": [{"name": "test", "user": {}}],
                    "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
                }
            )
        )
        client = Client(load_configuration(str(config)), user_agent="test")
        informer = SharedInformer(ListWatch(client, PODS), clock=Hasty(), rng=random.Random(1), name="pods")
        stop = threading.Event()
        thread = threading.Thread(target=informer.run, args=(stop,))
        thread.start()
        cleanup.extend(
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
        return server, informer, stop, thread

    yield begin
    for step in reversed(cleanup):
        step()


def test_an_informer_over_http_survives_half_a_line_and_goes_on_from_the_last_event(start: Start) -> None:
    server, informer, _, _ = start(
        {"metadata": {"resourceVersion": "10"}, "items": [{"metadata": {"name": "listed", "resourceVersion": "1"}}]},
        [line("ADDED", "11") + b"\n", line("MODIFIED", "12")[:20]],
        [line("BOOKMARK", "13")[:15], line("BOOKMARK", "13")[15:] + b"\n"],
    )
    assert server.hanging.wait(15)
    assert server.asked == ["list '0'", "watch '10'", "watch '11'", "watch '13'"]
    assert sorted(informer.indexer.list_keys()) == ["a", "listed"]
    assert informer.last_sync_resource_version == "13"


def test_a_stop_ends_an_informer_that_waits_for_a_silent_server(start: Start) -> None:
    server, informer, stop, thread = start({"metadata": {"resourceVersion": "10"}, "items": []})
    assert server.hanging.wait(15)
    stop.set()
    thread.join(2)
    assert not thread.is_alive()
    assert informer.is_stopped
