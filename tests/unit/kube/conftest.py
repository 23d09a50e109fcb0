"""The test double of this folder: a small real HTTP server on loopback that answers from a script.

Real sockets, because most of what `twinloop.kube` must get right (a line that is delivered at once, a connection that
breaks, a thread that is woken) does not exist in a mocked urllib3.
"""

from __future__ import annotations

import http.server
import json
import queue
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import yaml

from twinloop.kube import Client, load_configuration

TLS = Path(__file__).parent / "tls"

Script = Callable[[http.server.BaseHTTPRequestHandler], None]


@dataclass(frozen=True)
class Request:
    """What the server received; `connection` tells apart the TCP connections."""

    method: str
    path: str
    query: dict[str, str]
    headers: Any
    body: bytes
    connection: int
    peer: str  # the common name of the client's certificate

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Stream:
    """A chunked answer that the test writes piece by piece."""

    _pieces: queue.Queue[bytes | None] = field(default_factory=queue.Queue)
    opened: threading.Event = field(default_factory=threading.Event)

    def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self._pieces.put(piece)

    def end(self) -> None:
        """The last chunk, as a server ends a watch in order."""
        self._pieces.put(b"")

    def cut(self) -> None:
        """The connection goes away in the middle of the body."""
        self._pieces.put(None)

    def __call__(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        self.opened.set()
        while (piece := self._pieces.get()) is not None:
            handler.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            if not piece:
                return
        handler.close_connection = True


class Api:
    """The server. Scripted answers are given one a request; a request without one gets a 500 that says so."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self._scripts: deque[Script] = deque()
        self._streams: list[Stream] = []
        self._released = threading.Event()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler_class())
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def answer(self, code: int, body: object = b"", **headers: str) -> None:
        """Script one whole answer; a body that is not bytes is sent as JSON."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()

        def write(handler: http.server.BaseHTTPRequestHandler) -> None:
            handler.send_response(code)
            for name, value in headers.items():
                handler.send_header(name.replace("_", "-"), value)
            handler.send_header("Content-Length", str(len(data)))
            handler.end_headers()
            handler.wfile.write(data)

        self._scripts.append(write)

    def status(self, code: int, reason: str, message: str = "no", **details: object) -> None:
        """Script a refusal as the API server writes one."""
        body = {"kind": "Status", "apiVersion": "v1", "status": "Failure"}
        self.answer(code, {**body, "code": code, "reason": reason, "message": message, "details": details})

    def raw(self, *pieces: bytes) -> None:
        """Script bytes as they are, after which the connection is closed."""

        def write(handler: http.server.BaseHTTPRequestHandler) -> None:
            for piece in pieces:
                handler.wfile.write(piece)
            handler.close_connection = True

        self._scripts.append(write)

    def stream(self) -> Stream:
        """Script a chunked answer and return it for writing."""
        stream = Stream()
        self._streams.append(stream)
        self._scripts.append(stream)
        return stream

    def hang(self) -> None:
        """Script an answer that never comes."""

        def wait(handler: http.server.BaseHTTPRequestHandler) -> None:
            self._released.wait()
            handler.close_connection = True

        self._scripts.append(wait)

    def close(self) -> None:
        self._released.set()
        for stream in self._streams:
            stream.cut()
        self._server.shutdown()
        self._server.server_close()

    def _handler_class(self) -> type[http.server.BaseHTTPRequestHandler]:
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 0

            def _serve(self) -> None:
                target = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                query = dict(parse_qsl(target.query, keep_blank_values=True))
                api.requests.append(
                    Request(
                        self.command,
                        target.path,
                        query,
                        self.headers,
                        body,
                        self.client_address[1],
                        _peer(self.request),
                    )
                )
                try:
                    script = api._scripts.popleft()
                except IndexError:
                    self.send_error(500, "the test scripted no answer for this request")
                    return
                try:
                    script(self)
                except OSError:  # the client closed the connection, which some tests are about
                    self.close_connection = True

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - http.server's names

            def log_message(self, *args: Any) -> None:
                pass

        return Handler


def _peer(connection: socket.socket) -> str:
    certificate = connection.getpeercert() if isinstance(connection, ssl.SSLSocket) else None
    subject: Any = (certificate or {}).get("subject", ())
    return next((value for part in subject for key, value in part if key == "commonName"), "")


@pytest.fixture(autouse=True)
def no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep requests to loopback away from a proxy that the machine's environment names."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def api() -> Iterator[Api]:
    """A scripted server over plain HTTP."""
    server = Api()
    yield server
    server.close()


@pytest.fixture
def tls_names() -> list[str | None]:
    """The server names (SNI) that clients of `tls_api` asked for."""
    return []


@pytest.fixture
def tls_api(tls_names: list[str | None]) -> Iterator[Api]:
    """A scripted server over TLS that asks for a client certificate but does not insist."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "server.pem")
    context.load_verify_locations(TLS / "ca.pem")
    context.verify_mode = ssl.CERT_OPTIONAL
    context.sni_callback = lambda _connection, name, _context: tls_names.append(name)
    server = Api(context)
    yield server
    server.close()


@pytest.fixture
def tls_files() -> Path:
    """The folder with ca.pem, server.pem, client.pem and renewed.pem."""
    return TLS


@pytest.fixture
def write_kubeconfig(tmp_path: Path) -> Callable[..., Path]:
    """A function that writes a kubeconfig with one context called `test`."""

    def write(server: str, *, user: dict[str, Any] | None = None, name: str = "config", **cluster: Any) -> Path:
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "clusters": [{"name": "the-cluster", "cluster": {"server": server, **cluster}}],
            "users": [{"name": "the-user", "user": user or {}}],
            "contexts": [
                {"name": "test", "context": {"cluster": "the-cluster", "user": "the-user", "namespace": "somewhere"}}
            ],
        }
        path = tmp_path / name
        path.write_text(yaml.safe_dump(content))
        return path

    return write


@pytest.fixture
def connect(write_kubeconfig: Callable[..., Path]) -> Iterator[Callable[..., Client]]:
    """A function that makes a Client of a server: `connect(api, user={...}, read_timeout=0.2)`."""
    clients: list[Client] = []

    def make(
        server: Api, *, user: dict[str, Any] | None = None, cluster: dict[str, Any] | None = None, **options: Any
    ) -> Client:
        path = write_kubeconfig(server.url, user=user, **(cluster or {}))
        client = Client(load_configuration(str(path)), user_agent="twinloop-test/1", **options)
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def client(api: Api, connect: Callable[..., Client]) -> Client:
    """A client of `api` without credentials and with short time-outs."""
    return connect(api, read_timeout=5.0)
