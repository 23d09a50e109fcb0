"""An HTTP server that says exactly what a test tells it to, and a client that shows exactly what came out of a proxy.

`Upstream` answers every request by a function and keeps what it was sent; a watch is fed piece by piece from a queue, so
that a test decides where a line is cut. Real sockets on loopback, a thread for each connection.
"""

from __future__ import annotations

import http.client
import json
import queue
import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace, TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from twinloop.kube import Configuration
from twinloop.kube.credentials import Credential

PATIENCE = 10.0

# Put into `Upstream.pieces`: the end of the stream as it should be, and as it should not.
END, BREAK = object(), object()


@dataclass(frozen=True)
class Seen:
    """A request as the upstream got it."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


@dataclass
class Told:
    """What to answer. `stream`: begin a watch that `Upstream.pieces` feeds."""

    code: int = 200
    body: Any = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    stream: bool = False
    chunked: bool = False
    hang_up: bool = False


class Upstream:
    """The server, as a context manager. `answer` may be replaced at any time."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.seen: list[Seen] = []
        self.pieces: queue.Queue[Any] = queue.Queue()
        # Watches that are open and compete for the pieces.
        self.streams = 0
        self.answer: Callable[[Seen], Told] = lambda _: Told()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._scheme = "http"
        if tls is not None:
            self._scheme = "https"
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{self._scheme}://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.pieces.put(BREAK)
        self._server.shutdown()
        self._server.server_close()

    def configuration(self, **settings: Any) -> Configuration:
        """How to reach it; `settings` are those of the kubernetes package."""
        nothing = {"ssl_ca_cert": None, "cert_file": None, "key_file": None, "verify_ssl": True}
        rest = SimpleNamespace(**{**nothing, "tls_server_name": None, "proxy": None, "no_proxy": None, **settings})
        return Configuration(self.url, "test", "default", "test", rest, Tokens())


class Tokens:
    """Credentials whose second token is right."""

    def __init__(self) -> None:
        self.version = 1

    def current(self) -> Credential:
        return Credential(f"Bearer token-{self.version}", self.version)

    def renew(self, rejected: int) -> bool:
        self.version = rejected + 1
        return self.version == 2


class _Handler(BaseHTTPRequestHandler):
    upstream: Upstream
    protocol_version = "HTTP/1.1"

    def serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        seen = Seen(self.command, self.path, dict(self.headers.items()), body)
        self.upstream.seen.append(seen)
        told = self.upstream.answer(seen)
        if told.hang_up:
            self.close_connection = True
        elif told.stream:
            self._stream(told)
        else:
            self._whole(told)

    def _begin(self, told: Told, **own: str) -> None:
        self.send_response(told.code)
        for name, value in {"Content-Type": "application/json", **told.headers, **own}.items():
            self.send_header(name, value)
        self.end_headers()

    def _whole(self, told: Told) -> None:
        body = told.body if isinstance(told.body, bytes) else json.dumps(told.body).encode()
        if told.chunked:
            self._begin(told, **{"Transfer-Encoding": "chunked"})
            for start in range(0, len(body), 7):
                self._chunk(body[start : start + 7])
            self._chunk(b"")
        else:
            self._begin(told, **{"Content-Length": str(len(body))})
            self.wfile.write(body)

    def _stream(self, told: Told) -> None:
        self._begin(told, **{"Transfer-Encoding": "chunked"})
        self.wfile.flush()
        self.upstream.streams += 1
        try:
            self._feed()
        finally:
            self.upstream.streams -= 1

    def _feed(self) -> None:
        while True:
            try:
                piece = self.upstream.pieces.get(timeout=0.01)
            except queue.Empty:
                piece = BREAK if self._abandoned() else b""
            if piece == b"":
                continue
            if piece is BREAK:
                self.close_connection = True
                return
            self._chunk(b"" if piece is END else piece)
            if piece is END:
                return

    def _abandoned(self) -> bool:
        readable, _, _ = select.select([self.connection], [], [], 0)
        return bool(readable) and not self.connection.recv(1, socket.MSG_PEEK)

    def _chunk(self, data: bytes) -> None:
        try:
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            self.wfile.flush()
        except OSError:
            self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Tests are quiet."""


def _handler(upstream: Upstream) -> type[BaseHTTPRequestHandler]:
    methods = {f"do_{method}": _Handler.serve for method in ("GET", "POST", "PUT", "PATCH", "DELETE")}
    return type("Handler", (_Handler,), {"upstream": upstream, **methods})


# ---------------------------------------------------------------------------------------------- the client's side


@dataclass(frozen=True)
class Got:
    """An answer as an operator gets it."""

    code: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


class Operator:
    """Sends requests one after another over one connection, and opens watches on others."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url)
        self._connection = self.connection()
        self._open: list[http.client.HTTPConnection] = [self._connection]

    def connection(self) -> http.client.HTTPConnection:
        """A connection of its own."""
        return http.client.HTTPConnection(str(self._address.hostname), self._address.port, timeout=PATIENCE)

    def ask(self, method: str, target: str, body: Any = None, **headers: str) -> Got:
        """Send a request and read the whole answer. What breaks is raised."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            self._connection.request(method, target, data, {"Content-Type": "application/json", **named})
            answer = self._connection.getresponse()
            return Got(answer.status, dict(answer.headers.items()), answer.read())
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise

    def watch(self, target: str) -> http.client.HTTPResponse:
        """Open a watch; its lines are read with `readline`."""
        connection = self.connection()
        self._open.append(connection)
        connection.request("GET", target)
        return connection.getresponse()

    def hang_up(self) -> None:
        """Close all connections, as the end of a process does."""
        for connection in self._open:
            _shut(connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.hang_up()


def _shut(connection: http.client.HTTPConnection) -> None:
    if connection.sock is not None:
        with suppress(OSError):  # it may be gone already
            connection.sock.shutdown(socket.SHUT_RDWR)
    connection.close()


@contextmanager
def abandoned(url: str, request: bytes) -> Iterator[socket.socket]:
    """A raw connection on which something was said."""
    address = urlsplit(url)
    with socket.create_connection((str(address.hostname), int(address.port or 0)), PATIENCE) as connection:
        connection.sendall(request)
        yield connection
