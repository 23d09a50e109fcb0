"""The handler of every HTTP request: who asks, what for, and how the answer goes out.

aiohttp's low-level server calls `Edge.__call__`; there is no router, for `ApiServer.handle` knows all paths but the
control endpoint's. A whole answer goes out through `head.py`, a stream through `watches.py`.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import re
from dataclasses import replace
from typing import Any, Protocol
from urllib.parse import parse_qsl

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from twinloop.apiserver import failures
from twinloop.apiserver.answer import Answer, WatchAnswer, failure_answer
from twinloop.apiserver.builtin import protobuf
from twinloop.apiserver.http.control import CONTROL, Control
from twinloop.apiserver.http.head import Whole, head, whole
from twinloop.apiserver.http.ticker import Ticker, Ticking
from twinloop.apiserver.http.watches import Watches
from twinloop.apiserver.request import Request

log = logging.getLogger(__name__)

# kube-apiserver's MaxRequestBodyBytes; etcd takes less, but says so in other words.
BODY_LIMIT = 3 * 1024 * 1024
# No body is read for these, as in kube-apiserver.
_BODILESS = {"GET", "HEAD", "OPTIONS", "TRACE"}
# Room for long selectors and continue tokens; Go allows a megabyte for all headers.
_LINE_LIMIT = 1 << 18
# Bytes taken from a socket at a time; asyncio's own 256 KB are allocated for each read and then cut to what came. The
# history keeps small objects for long, which come to lie in what was cut off, so the next read finds no room that is
# large enough and the heap grows, though nothing more is used: by 60 MB in ten minutes of load.
READ_SIZE = 1 << 14
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
# What Go's net/http answers before any handler sees a request that is none.
_BAD_REQUEST = head(400, [("Content-Type", "text/plain; charset=utf-8")], keep_alive=False)


class Handles(Ticking, Protocol):
    """What the edge calls: `ApiServer`, or a trivial one in a test."""

    def handle(self, request: Request) -> Answer | WatchAnswer:
        """Answer at once, without raising."""


class Edge:
    """Everything between aiohttp and an `ApiServer`."""

    def __init__(self, server: Handles, token: str, control: Control | None = None) -> None:
        loop = asyncio.get_running_loop()
        self._server, self._control = server, control
        self._token = token.encode()
        self.ticker = Ticker(server, loop)
        self.watches = Watches(self.ticker, loop)

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Serve one request."""
        path, _, query = _target(request).partition("?")
        if _BAD_ESCAPE.search(path):
            return bad_request()
        if not self._knows(request.headers.get("Authorization", "")):
            return await whole(request, failure_answer(failures.unauthorized()), {})
        try:
            body = await _body(request)
        except web.RequestPayloadError:
            return bad_request()
        pairs = _parameters(query)
        answer = self._answer(in_json(Request(request.method, path, pairs, request.headers, body)))
        if isinstance(answer, WatchAnswer):
            return await self.watches.serve(request, answer)
        return await whole(request, answer, dict(reversed(pairs)))

    def _answer(self, asked: Request) -> Answer | WatchAnswer:
        if self._control is not None and asked.path.startswith(CONTROL):
            answer: Answer | WatchAnswer = self._control.handle(asked)
        else:
            answer = self._server.handle(asked)
        self.ticker.soon()
        return answer

    def _knows(self, authorization: str) -> bool:
        scheme, _, token = authorization.partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(
            token.strip().encode("utf-8", "surrogateescape"), self._token
        )


def _parameters(query: str) -> list[tuple[str, str]]:
    """The parameters of a query; like Go, what has a semicolon or a broken escape is left out as if it were not there."""
    sound = (part for part in query.split("&") if ";" not in part and not _BAD_ESCAPE.search(part))
    return parse_qsl("&".join(sound), keep_blank_values=True)


def _target(request: web.BaseRequest) -> str:
    """Path and query as they were sent; a proxy's absolute form loses its host."""
    raw = request.raw_path
    if raw.startswith("/"):
        return raw
    _, _, rest = raw.partition("://")
    return "/" + rest.partition("/")[2]


async def _body(request: web.BaseRequest) -> bytes:
    """The body, at most one byte more than is allowed: whoever decodes it says what is wrong with that."""
    if request.method in _BODILESS or not request.body_exists:
        return b""
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    pieces, size = [], 0
    while size <= BODY_LIMIT and (piece := await request.content.readany()):
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)[: BODY_LIMIT + 1]


class Connections(web.Server):
    """aiohttp's server; each call makes the protocol of one connection."""

    def __init__(self, edge: Edge) -> None:
        # The edge's own task is cancelled when its client goes away: that is how a watch ends.
        super().__init__(edge, handler_cancellation=True)

    def __call__(self) -> RequestHandler:
        """The protocol of a new connection."""
        return _Protocol(
            self,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type] # means none
            auto_decompress=False,  # kube-apiserver does not look at a request's Content-Encoding either
            max_line_size=_LINE_LIMIT,
            max_field_size=_LINE_LIMIT,
        )


class _Protocol(RequestHandler):
    """aiohttp's protocol that reads little at a time, with Go's answer to what is no HTTP: nothing of the inside."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Set how much is read at a time: `max_size` is the same attribute of the socket's transport and of TLS."""
        readers: tuple[Any, ...] = (transport, getattr(transport, "_ssl_protocol", None))
        for reader in readers:
            if hasattr(reader, "max_size"):
                reader.max_size = READ_SIZE
        super().connection_made(transport)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what could not be parsed; a bug in the edge itself also ends here, with a traceback in the log."""
        if status >= 500:
            log.error("%s %s: %s", request.method, request.rel_url, message or status, exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionResetError("half an answer has been sent")
        return bad_request()


def in_json(asked: Request) -> Request:
    """The request with its protobuf body translated; what cannot be read goes on as broken JSON and gets that 400."""
    if not asked.body or not asked.headers.get("content-type", "").startswith(protobuf.MEDIA_TYPE):
        return asked
    try:
        body = protobuf.to_json(asked.body)
    except protobuf.Unreadable:
        body = asked.body
    if body is None:
        return asked
    headers = {name.lower(): value for name, value in asked.headers.items()}
    return replace(asked, body=body, headers={**headers, "content-type": "application/json"})


def bad_request() -> Whole:
    """The answer to what is no HTTP request; the connection ends with it."""
    return Whole(_BAD_REQUEST, b"400 Bad Request", keep_alive=False)
