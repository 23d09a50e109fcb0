"""A watch over real sockets: lines as they come, every way that a stream can end, and being closed from outside.

Left out: what a reflector makes of the events, and a real API server's streams (tests/e2e).
"""

import json
import socket
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop import errors
from twinloop.kube import PODS, Client, WatchStream, decode_event
from twinloop.kube import watch as watch_module

# Seconds within which "at once" must happen on a busy machine; each such test would fail by waiting for ever.
SOON = 5.0


def event(kind: str = "ADDED", name: str = "web-0", **more: Any) -> bytes:
    return json.dumps({"type": kind, "object": {"metadata": {"name": name}, **more}}).encode() + b"\n"


def open_watch(client: Client, **options: Any) -> WatchStream:
    settings = {"resource_version": "7", "timeout_seconds": 300, "idle_timeout": SOON, **options}
    return client.watch(PODS, "shop", **settings)


def in_background(function: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    """Run `function` in a thread; the list gets its result or the error that it ended with."""
    results: list[object] = []

    def run() -> None:
        try:
            results.append(function())
        except Exception as error:  # noqa: BLE001 - handed to the test
            results.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, results


def test_watch_asks_for_what_client_go_asks_for(api: Any, client: Client) -> None:
    for _ in range(2):
        api.stream().end()
    open_watch(client).close()
    open_watch(
        client, resource_version="", label_selector="a=b", allow_bookmarks=False, send_initial_events=True
    ).close()
    assert (api.requests[0].method, api.requests[0].path) == ("GET", "/api/v1/namespaces/shop/pods")
    assert api.requests[0].query == {
        "watch": "true",
        "resourceVersion": "7",
        "timeoutSeconds": "300",
        "allowWatchBookmarks": "true",
    }
    assert api.requests[1].query == {
        "watch": "true",
        "timeoutSeconds": "300",
        "labelSelector": "a=b",
        "sendInitialEvents": "true",
        "resourceVersionMatch": "NotOlderThan",
    }


def test_lines_come_whole_and_the_end_is_quiet(api: Any, client: Client) -> None:
    stream = api.stream()
    stream.send(event(name="a") + event(name="b"), event(name="c"))
    stream.end()
    with open_watch(client) as watch:
        assert list(watch) == [event(name=name).rstrip(b"\n") for name in "abc"]


def test_one_line_is_delivered_before_anything_follows_it(api: Any, client: Client) -> None:
    stream = api.stream()
    with open_watch(client) as watch:
        lines = iter(watch)
        for name in ("a", "b", "c"):
            stream.send(event(name=name))
            assert decode_event(next(lines))["object"]["metadata"]["name"] == name


def test_one_line_of_a_body_that_is_not_chunked_is_delivered_at_once(api: Any, client: Client) -> None:
    go_on = threading.Event()

    def write(handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + event(name="a"))
        go_on.wait(SOON)
        handler.wfile.write(event(name="b"))
        handler.close_connection = True

    api._scripts.append(write)
    with open_watch(client) as watch:
        lines = iter(watch)
        assert next(lines) == event(name="a").rstrip()
        go_on.set()
        assert list(lines) == [event(name="b").rstrip()]


def test_a_line_may_be_longer_than_any_read(api: Any, client: Client) -> None:
    big = event(padding="ü" * 1_500_000)
    stream = api.stream()
    for start in range(0, len(big), 100_000):
        stream.send(big[start : start + 100_000])
    stream.send(event(name="next"))
    stream.end()
    with open_watch(client) as watch:
        first, second = watch
    assert first + b"\n" == big
    assert decode_event(second)["object"]["metadata"]["name"] == "next"


def test_a_character_cut_between_two_chunks_is_whole_again(api: Any, client: Client) -> None:
    line = json.dumps({"type": "ADDED", "object": {"metadata": {"name": "ü€😀"}}}, ensure_ascii=False).encode() + b"\n"
    stream = api.stream()
    stream.send(*(line[i : i + 1] for i in range(len(line))))
    stream.end()
    with open_watch(client) as watch:
        (only,) = watch
    assert decode_event(only)["object"]["metadata"]["name"] == "ü€😀"


def test_blank_lines_are_no_events(api: Any, client: Client) -> None:
    stream = api.stream()
    stream.send(b"\n\r\n", event(), b"\n")
    stream.end()
    with open_watch(client) as watch:
        assert len(list(watch)) == 1


class Pieces:
    """Stands in for a urllib3 response whose body comes in the given pieces."""

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces = [piece for piece in pieces if piece]

    def read1(self, amount: int) -> bytes:
        return self.pieces.pop(0) if self.pieces else b""

    def shutdown(self) -> None:
        raise ValueError

    def close(self) -> None:
        pass


def lines_of(*pieces: bytes) -> list[bytes]:
    response: Any = Pieces(list(pieces))
    return list(WatchStream(response, where="WATCH /x", idle_timeout=1))


@given(st.lists(st.text(alphabet="aü\r \t{}", max_size=8)), st.lists(st.integers(0, 80)))
def test_lines_do_not_depend_on_how_the_bytes_are_cut(texts: list[str], cuts: list[int]) -> None:
    whole = "".join(text + "\n" for text in texts).encode()
    bounds = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    pieces = [whole[start:stop] for start, stop in pairwise(bounds)]
    assert lines_of(*pieces) == [line for line in whole.split(b"\n") if line.strip()]


def test_a_line_without_an_end_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_module, "MAX_LINE", 10)
    assert lines_of(b"123456789", b"0\n", b"123456789", b"0\n") == [b"1234567890"] * 2
    with pytest.raises(errors.CorruptAnswer, match="longer than 10 bytes"):
        lines_of(b"short\n12345678", b"901")


def test_an_orderly_end_within_a_line_is_a_corrupt_answer(api: Any, client: Client) -> None:
    stream = api.stream()
    stream.send(event(), b'{"type": "DELETED", "obj')
    stream.end()
    with open_watch(client) as watch:
        lines = iter(watch)
        next(lines)
        with pytest.raises(errors.CorruptAnswer, match="middle of a line"):
            next(lines)


@pytest.mark.parametrize("tail", [b"", b'{"type": "DEL'])
def test_a_connection_that_breaks_is_unavailable_after_the_lines_before_it(
    api: Any, client: Client, tail: bytes
) -> None:
    stream = api.stream()
    stream.send(event() + tail)
    stream.cut()
    with open_watch(client) as watch:
        lines = iter(watch)
        assert next(lines) == event().rstrip()
        with pytest.raises(errors.Unavailable, match="the watch broke"):
            next(lines)


def test_a_body_shorter_than_promised_is_unavailable(api: Any, client: Client) -> None:
    api.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + event())
    with open_watch(client) as watch:
        lines = iter(watch)
        next(lines)
        with pytest.raises(errors.Unavailable):
            next(lines)


def test_silence_is_unavailable_after_the_idle_time_out(api: Any, client: Client) -> None:
    stream = api.stream()
    stream.send(event())
    with open_watch(client, idle_timeout=0.1) as watch:
        lines = iter(watch)
        next(lines)
        with pytest.raises(errors.Unavailable, match=r"silent for 0\.1 s"):
            next(lines)


def test_a_server_that_never_starts_to_answer_is_unavailable(api: Any, client: Client) -> None:
    api.hang()
    with pytest.raises(errors.Unavailable, match="timed out"):
        open_watch(client, idle_timeout=0.1)


@pytest.mark.parametrize(
    ("code", "reason", "expected"),
    [
        (410, "Expired", errors.Gone),
        (403, "Forbidden", errors.Forbidden),
        (429, "TooManyRequests", errors.TooManyRequests),
        (500, "InternalError", errors.Unavailable),
    ],
)
def test_a_refusal_at_the_start_is_raised_like_any_other(
    api: Any, client: Client, code: int, reason: str, expected: type[errors.ApiError]
) -> None:
    api.status(code, reason, "the server's words")
    with pytest.raises(expected, match="the server's words"):
        open_watch(client)


def test_a_refusal_whose_body_breaks_off_is_still_known_by_its_code(api: Any, client: Client) -> None:
    api.raw(b"HTTP/1.1 410 Gone\r\nContent-Length: 500\r\n\r\nhalf")
    with pytest.raises(errors.Gone):
        open_watch(client)


def test_close_from_another_thread_ends_a_waiting_iteration_at_once(api: Any, client: Client) -> None:
    stream = api.stream()
    stream.send(event())
    watch = open_watch(client, idle_timeout=60)
    lines = iter(watch)
    next(lines)
    thread, results = in_background(lambda: list(lines))
    time.sleep(0.05)  # so that the thread is inside recv most of the time; the test is right either way
    watch.close()
    thread.join(SOON)
    assert results == [[]]


def test_close_ends_a_waiting_iteration_over_tls(tls_api: Any, connect: Callable[..., Client], tls_files: Path) -> None:
    client = connect(tls_api, cluster={"certificate-authority": str(tls_files / "ca.pem")})
    stream = tls_api.stream()
    stream.send(event())
    watch = open_watch(client, idle_timeout=60)
    lines = iter(watch)
    next(lines)
    thread, results = in_background(lambda: list(lines))
    time.sleep(0.05)
    watch.close()
    thread.join(SOON)
    assert results == [[]]


def test_close_at_any_moment_ends_the_iteration_without_an_error(api: Any, client: Client) -> None:
    for delay in range(20):
        stream = api.stream()
        watch = open_watch(client, idle_timeout=60)
        thread, results = in_background(lambda watch=watch: [len(line) for line in watch])  # type: ignore[misc]
        stream.send(*(event() for _ in range(delay)), b'{"half')
        watch.close()
        thread.join(SOON)
        assert not thread.is_alive()
        (lengths,) = results
        assert isinstance(lengths, list), lengths


def test_close_may_come_twice_before_and_after_the_end(api: Any, client: Client) -> None:
    stream = api.stream()
    stream.end()
    watch = open_watch(client)
    assert list(watch) == []
    watch.close()
    watch.close()
    assert list(watch) == []


def test_close_gives_the_socket_back(api: Any, client: Client) -> None:
    hung_up = threading.Event()

    def write(handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        handler.connection.settimeout(SOON)
        if handler.connection.recv(1) == b"":
            hung_up.set()
        handler.close_connection = True

    api._scripts.append(write)
    watch = open_watch(client)
    watch.close()
    assert hung_up.wait(SOON)
    assert list(watch) == []  # and keeps the stream alive: its collection would close the socket as well


def test_an_open_watch_leaves_requests_alone(api: Any, connect: Callable[..., Client]) -> None:
    client = connect(api, pool_size=1)
    api.stream()
    with open_watch(client):
        api.answer(200, {"metadata": {}})
        assert client.get(PODS, "web-0", "shop") == {"metadata": {}}


@pytest.mark.parametrize("kind", ["ADDED", "MODIFIED", "DELETED", "BOOKMARK"])
def test_decode_event_gives_type_and_object(kind: str) -> None:
    assert decode_event(event(kind)) == {"type": kind, "object": {"metadata": {"name": "web-0"}}}


def test_decode_event_hands_an_unknown_type_on_for_the_reader_to_skip() -> None:
    assert decode_event(b'{"type": "PATCHED", "object": {}}')["type"] == "PATCHED"


def test_decode_event_hands_an_error_on_as_it_is() -> None:
    line = b'{"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired"}}'
    assert decode_event(line)["object"]["code"] == 410


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"type": "ADDED"}',
        b'{"type": "ADDED", "object": null}',
        b'{"type": "ADDED", "object": {}}',
        b'{"type": "ADDED", "object": {"metadata": []}}',
        b'{"type": ["ADDED"], "object": {"metadata": {}}}',
        b'{"object": {"metadata": {}}}',
        b'{"type": "ADDED", "object": {"metadata": {"name": "\xff"}}}',
        b"{" * 100_000,
    ],
)
def test_decode_event_of_anything_else_is_a_corrupt_answer(line: bytes) -> None:
    with pytest.raises(errors.CorruptAnswer):
        decode_event(line)


@given(st.binary(max_size=200))
def test_decode_event_never_raises_anything_else(line: bytes) -> None:
    with pytest.raises(errors.CorruptAnswer):
        decode_event(line)


def test_the_socket_module_still_wakes_a_reader_by_shutdown() -> None:
    """What close() is built on: without it a thread in recv would only end with the idle time-out."""
    near, far = socket.socketpair()
    thread, results = in_background(lambda: near.recv(1))
    near.shutdown(socket.SHUT_RD)
    thread.join(SOON)
    assert results == [b""]
    near.close()
    far.close()
