"""The small HTTP server of an operator process: /healthz and /readyz for the kubelet, /metrics for Prometheus.

The operator's main program names the routes; the server answers them from threads of its own, so that it can still say
"not ready" while every worker waits for an API server. What a route checks is the caller's knowledge: here are only
sockets, status codes and the two kinds of answers.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
import socketserver
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

from twinloop.errors import ConfigurationError

log = logging.getLogger(__name__)

PLAIN = "text/plain; charset=utf-8"

# A client that connects and says nothing holds a thread this long, in seconds.
CLIENT_TIMEOUT = 10.0


@dataclass(frozen=True)
class Answer:
    """What a route answers: an HTTP status, a content type, the body."""

    status: int
    content_type: str
    body: bytes


Routes = Mapping[str, Callable[[], Answer]]


def probe(check: Callable[[], bool | str]) -> Callable[[], Answer]:
    """A route for a probe: True is 200 "ok"; False or a reason in words is 503 and the words."""

    def answer() -> Answer:
        result = check()
        if result is True:
            return Answer(200, PLAIN, b"ok\n")
        return Answer(503, PLAIN, f"{result or 'not ok'}\n".encode())

    return answer


def metrics_answer() -> Answer:
    """All metrics of the process in the Prometheus text format."""
    return Answer(200, CONTENT_TYPE_LATEST, generate_latest(REGISTRY))


class Server:
    """A running server: `port` is the one that it listens on, 0 when it is switched off."""

    def __init__(self, listener: ThreadingHTTPServer | None) -> None:
        self._listener = listener
        self.port: int = listener.server_address[1] if listener is not None else 0
        if listener is not None:
            name = f"serving-{self.port}"
            # The poll interval is how long close() waits at most.
            threading.Thread(target=listener.serve_forever, args=(0.1,), name=name, daemon=True).start()

    def close(self) -> None:
        """Stop listening. An answer that is being written is not waited for."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.shutdown()
            listener.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def serve(address: str, routes: Routes) -> Server:
    """Answer `routes` (path to function) at `address`, written as Go programs do.

    ":8081" is every interface, "127.0.0.1:8081" or "[::1]:8081" is one, port 0 is any free port; "" and "0" switch the
    server off. Raises ConfigurationError for another shape and for a port that cannot be had.
    """
    if address in {"", "0"}:
        return Server(None)
    host, port = _parse(address)
    try:
        return Server(_listen(host, port, routes))
    except OSError as error:
        raise ConfigurationError(
            f"cannot listen on {address}: {os.strerror(error.errno) if error.errno else error}",
            hint='Choose another port, or "0" to switch this server off.',
        ) from error


def _parse(address: str) -> tuple[str, int]:
    host, colon, port = address.rpartition(":")
    if not colon or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise ConfigurationError(f"{address} is no address to listen on", hint="Write :8081 or 127.0.0.1:8081.")
    return host.removeprefix("[").removesuffix("]"), int(port)


class _Handler(BaseHTTPRequestHandler):
    """One connection; http.server makes one object of it for each and calls do_<METHOD>."""

    timeout = CLIENT_TIMEOUT
    server: _Listener

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _refuse(self) -> None:
        self._send(Answer(405, PLAIN, b"only GET and HEAD\n"), with_body=True, extra={"Allow": "GET, HEAD"})

    do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_TRACE = do_CONNECT = _refuse  # noqa: N815

    def _answer(self, *, with_body: bool) -> None:
        route = self.server.routes.get(urlsplit(self.path).path)
        try:
            answer = Answer(404, PLAIN, b"not found\n") if route is None else route()
        except Exception as error:
            log.exception("the answer of %s failed", self.path)
            answer = Answer(500, PLAIN, f"the check itself failed: {error}\n".encode())
        self._send(answer, with_body=with_body)

    def _send(self, answer: Answer, *, with_body: bool, extra: Mapping[str, str] | None = None) -> None:
        self.send_response(answer.status)
        headers = {"Content-Type": answer.content_type, "Content-Length": str(len(answer.body)), **(extra or {})}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            self.wfile.write(answer.body)

    def version_string(self) -> str:
        return "twinloop"  # not the versions of Python and http.server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        # Probes come every few seconds and say nothing new.
        log.debug("probe or metrics: %s", format % args)


class _Listener(ThreadingHTTPServer):
    def __init__(self, address: tuple[str, int], routes: Routes) -> None:
        self.routes = routes
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        host, port = self.server_address[:2]
        if self.address_family == socket.AF_INET6 and host == "::":
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        # Not HTTPServer's: it asks the DNS for the host's name, which a pod may wait seconds for.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(host), port

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - socketserver's signature
        # A client that hung up; the base class prints a traceback, which is no JSON line.
        log.debug("a client of the probes or metrics went away", exc_info=True)  # noqa: LOG014 - called while handling


class _ListenerV6(_Listener):
    address_family = socket.AF_INET6


def _listen(host: str, port: int, routes: Routes) -> _Listener:
    if host:
        return (_ListenerV6 if ":" in host else _Listener)((host, port), routes)
    # Every interface means both families, as in Go: in an IPv6 cluster the kubelet knows no other address of the pod.
    try:
        return _ListenerV6(("::", port), routes)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise
        return _Listener(("", port), routes)  # a host without IPv6
