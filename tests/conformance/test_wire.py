"""The wire: requests arrive byte for byte as written, answers come back as they are, watches line by line.

Against a small HTTP server on loopback, because what matters here is what really goes over a socket.

Left out: TLS and client certificates, which every run against a real server uses.
"""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from conformance.wire import WRONG_TOKEN, Exchange, Server, Stream, decode
from twinloop.kube.config import Configuration
from twinloop.kube.credentials import Credential


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers with what it got; /watch streams three lines, /cut ends in the middle of one."""

    protocol_version = "HTTP/1.1"
    server: Listener

    def answer(self) -> None:
        if self.path.startswith(("/watch", "/cut")):
            self.stream()
            return
        length = int(self.headers.get("Content-Length", 0))
        path = self.requestline.split(" ")[1]  # self.path has been tidied up
        got = {
            "path": path,
            "method": self.command,
            "headers": dict(self.headers),
            "body": self.rfile.read(length).decode(),
        }
        self.send(200 if self.path != "/refuse" else 403, json.dumps(got).encode())

    do_GET = do_POST = do_PATCH = do_BREW = answer  # noqa: N815 - the base class's way

    def send(self, code: int, body: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Twice", "1")
        self.send_header("X-Twice", "2")
        self.end_headers()
        self.wfile.write(body)

    def stream(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for line in EVENTS:
            self.chunk(json.dumps(line).encode() + b"\n")
        if self.path.startswith("/cut"):
            self.wfile.write(b'20\r\n{"type":')
        elif self.path.endswith("end"):
            self.chunk(b"")
        else:
            self.server.hold.wait(10)
        self.close_connection = True

    def chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def log_message(self, *_: Any) -> None:
        pass


EVENTS = [
    {"type": "ADDED", "n": 1},
    {"type": "BOOKMARK", "n": 2},
    {"type": "BOOKMARK", "n": 3},
    {"type": "DELETED", "n": 4},
]


class Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True
    hold: threading.Event


class Token:
    def current(self) -> Credential:
        return Credential("Bearer good")

    def renew(self, rejected: int) -> bool:
        return False


@pytest.fixture
def server() -> Iterator[Server]:
    with Listener(("127.0.0.1", 0), Echo) as listener:
        listener.hold = threading.Event()
        threading.Thread(target=listener.serve_forever, args=(0.01,), daemon=True).start()
        url = f"http://127.0.0.1:{listener.server_port}"
        yield Server("echo", Configuration(url, "c", "default", "test", None, Token()))
        listener.hold.set()
        listener.shutdown()


def send(server: Server, method: str = "GET", path: str = "/x", **more: Any) -> Any:
    return server.request(method, path, headers=more.pop("headers", {}), body=more.pop("body", None), **more).body


@pytest.mark.parametrize("path", ["//a/../b", "/a%2Fb", "/a?x=%zz;y=1&x=2", "/%2e%2e/a"])
def test_a_path_goes_out_as_it_was_written(server: Server, path: str) -> None:
    assert send(server, path=path)["path"] == path


def test_headers_are_those_of_the_case_and_no_others(server: Server) -> None:
    sent = send(server, headers={"Accept": "a/b"})["headers"]
    assert set(sent) == {"Host", "Accept", "Authorization"}


def test_any_method_and_body_may_be_sent(server: Server) -> None:
    got = send(server, "BREW", body=b"not json")
    assert (got["method"], got["body"], got["headers"]["Content-Length"]) == ("BREW", "not json", "8")


@pytest.mark.parametrize(("user", "expected"), [("admin", "Bearer good"), ("wrong", WRONG_TOKEN), ("nobody", None)])
def test_a_request_is_sent_as_whom_the_case_says(server: Server, user: str, expected: str | None) -> None:
    assert send(server, user=user)["headers"].get("Authorization") == expected


def test_every_value_of_a_header_is_kept(server: Server) -> None:
    answer = server.request("GET", "/x", headers={}, body=None)
    assert answer.header("x-twice") == ["1", "2"]


@pytest.mark.parametrize(
    ("data", "value"), [(b'{"a": 1}', {"a": 1}), (b"404 page not found\n", "404 page not found\n"), (b"", "")]
)
def test_a_body_is_json_or_text(data: bytes, value: Any) -> None:
    assert decode(data) == value


def test_yaml_is_read_as_what_it_says() -> None:
    document = b"a: '1'\ntime: 2030-01-01T00:00:00Z\nlist:\n- b\n"
    assert decode(document, yaml_too=True) == {"a": "1", "time": "2030-01-01T00:00:00Z", "list": ["b"]}
    assert decode(b"a: [", yaml_too=True) == "a: ["


# --- watches ----------------------------------------------------------------------------------------------------------


def opened(server: Server, path: str, bookmarks: int = 0) -> Stream:
    stream = server.watch(path, headers={}, bookmarks=bookmarks)
    assert isinstance(stream, Stream)
    return stream


def test_a_refused_watch_is_an_answer(server: Server) -> None:
    answer = server.watch("/refuse", headers={})
    assert isinstance(answer, Exchange)
    assert answer.code == 403


def test_events_come_in_order_and_bookmarks_that_do_not_count_are_left_out(server: Server) -> None:
    stream = opened(server, "/watch", bookmarks=1)
    assert [event["n"] for event in stream.take(3, 5)] == [1, 2, 4]
    stream.close()


def test_taking_waits_no_longer_than_it_is_told(server: Server) -> None:
    stream = opened(server, "/watch")
    assert len(stream.take(2, 5)) == 2
    assert stream.take(1, 0.05) == []
    assert not stream.ended
    stream.close()


@pytest.mark.parametrize("path", ["/watch/end", "/cut"])
def test_a_stream_that_ends_or_breaks_has_ended(server: Server, path: str) -> None:
    stream = opened(server, path)
    found = stream.take(100, 5)
    assert stream.ended
    assert [event["n"] for event in found if isinstance(event, dict)] == [1, 4]


def test_closing_ends_a_stream_from_this_side(server: Server) -> None:
    stream = opened(server, "/watch")
    stream.take(2, 5)
    stream.close()
    stream.take(1, 5)
    assert stream.ended
