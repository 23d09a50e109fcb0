"""The head of an HTTP answer as bytes, and what depends on the request: compression, indentation, keep-alive.

`edge.py` asks for a `Whole` to return to aiohttp, which has it written through `prepare`; `watches.py` takes the head
alone, and `send`, which has patience with a slow reader and none with one that reads nothing. Heads are built by hand because aiohttp's own answers cost as much as all the rest of a small request.
"""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import Iterable, Mapping
from email.utils import formatdate
from http import HTTPStatus
from time import time
from typing import Any

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from twinloop.apiserver.answer import Answer

# kube-apiserver compresses answers above this size, at the fastest level, when the client takes gzip.
GZIP_THRESHOLD = 128 * 1024
_GZIP_LEVEL = 1
# From here on head and body are written one after the other: copying them together would cost more than a write.
_JOIN_LIMIT = 64 * 1024
# Bytes handed over at a time: what the socket does not take at once is copied, and a list may have 30 MB.
_PIECE = 256 * 1024
# A client that has not taken a piece in so many seconds is gone, whatever its socket says.
STALLED = 30.0

_REASONS = {status.value: status.phrase for status in HTTPStatus}
# Clients that people type into get indented JSON, as from kube-apiserver.
_HUMANS = ("curl", "Wget", "Mozilla/5.0")
_TRUE = {"1", "t", "T", "TRUE", "true", "True"}

_second = 0
_date = b""


def _today() -> bytes:
    """The Date header's line, made once a second."""
    global _second, _date  # a cache of one value
    now = int(time())
    if now != _second:
        _second, _date = now, f"Date: {formatdate(now, usegmt=True)}\r\n".encode()
    return _date


def head(code: int, headers: Iterable[tuple[str, str]], *, keep_alive: bool) -> bytes:
    """Status line and headers, up to and with the empty line."""
    lines = [f"HTTP/1.1 {code} {_REASONS.get(code, 'Unknown')}\r\n".encode(), _today()]
    lines += [f"{name}: {_one_line(value)}\r\n".encode() for name, value in headers]
    if not keep_alive:
        lines.append(b"Connection: close\r\n")
    return b"".join([*lines, b"\r\n"])


def _one_line(value: str) -> str:
    """A value that cannot start a header of its own."""
    return value.replace("\r", " ").replace("\n", " ") if "\n" in value or "\r" in value else value


def headers_of(answer: Any) -> list[tuple[str, str]]:
    """The headers of an Answer or WatchAnswer; kube-apiserver forbids caching unless a handler says otherwise."""
    found = {"Cache-Control": "no-cache, private", "Content-Type": answer.content_type, **answer.headers}
    return [
        *((name, value) for name, value in found.items() if value),
        *(("Warning", w) for w in answer.warning_headers),
    ]


async def send(request: web.BaseRequest, data: bytes | memoryview) -> None:
    """Write until the socket has taken most of it. Raises ConnectionError when the client is gone or reads nothing."""
    try:
        async with asyncio.timeout(STALLED):
            await request.writer.write(data)
            await request.writer.drain()
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionResetError("the client reads nothing") from None


class Whole(web.StreamResponse):
    """An answer that is there as a whole: one write, no header objects."""

    def __init__(self, head: bytes, body: bytes, *, keep_alive: bool) -> None:
        super().__init__()
        self._head, self._rest = (head + body, b"") if len(body) < _JOIN_LIMIT else (head, body)
        self._keep_alive = keep_alive

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Write it; aiohttp calls this once the handler has returned."""
        await request.writer.write(self._head)
        body, self._rest = memoryview(self._rest), b""
        for start in range(0, len(body), _PIECE):
            await send(request, body[start : start + _PIECE])
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing is left to write."""


async def whole(request: web.BaseRequest, answer: Answer, query: Mapping[str, str]) -> Whole:
    """An answer as it goes out on this request's connection."""
    headers, body = headers_of(answer), answer.body
    if body and answer.content_type.startswith("application/json") and _for_a_human(request, query):
        body = json.dumps(json.loads(body), indent=2, ensure_ascii=False).encode()
    if (
        len(body) > GZIP_THRESHOLD
        and not _is_openapi(request)
        and takes_gzip(request.headers.get("Accept-Encoding", ""))
    ):
        # zlib lets other threads run, so a long list does not hold up everybody else.
        body = await asyncio.to_thread(_gzip, body)
        headers += [("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")]
    headers.append(("Content-Length", str(len(body))))
    keep_alive = request.keep_alive
    sent = b"" if request.method == "HEAD" else body
    return Whole(head(answer.code, headers, keep_alive=keep_alive), sent, keep_alive=keep_alive)


def takes_gzip(accept_encoding: str) -> bool:
    """Whether gzip is among the encodings; like kube-apiserver without a look at q values."""
    return "gzip" in accept_encoding and any(each.strip() == "gzip" for each in accept_encoding.split(","))


def _for_a_human(request: web.BaseRequest, query: Mapping[str, str]) -> bool:
    if _is_openapi(request):
        return False
    asked = query.get("pretty", "")
    return asked in _TRUE if asked else request.headers.get("User-Agent", "").startswith(_HUMANS)


def _is_openapi(request: web.BaseRequest) -> bool:
    """OpenAPI documents go out as they are."""
    return request.raw_path.startswith("/openapi/")


def _gzip(body: bytes) -> bytes:
    squeeze = zlib.compressobj(_GZIP_LEVEL, wbits=31)
    return squeeze.compress(body) + squeeze.flush()
