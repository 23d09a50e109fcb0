"""A small HTTP/1.1 client on asyncio streams, cheap enough to load a server from the other core.

One `Connection` sends one request at a time and keeps the socket. It reads what an API server answers: bodies with a
length and chunked ones, the latter also piece by piece for a watch.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

LIMIT = 64 * 1024 * 1024


@dataclass(frozen=True)
class Address:
    """Where a server listens and how to be let in."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    headers: dict[str, str] = field(default_factory=dict)


class Connection:
    """A keep-alive connection, as an asynchronous context manager."""

    def __init__(self, address: Address) -> None:
        self._address = address
        more = "".join(f"{name}: {value}\r\n" for name, value in address.headers.items())
        self._head = f"Host: {address.host}:{address.port}\r\nAccept: application/json\r\n{more}"

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(
            self._address.host, self._address.port, ssl=self._address.tls, limit=LIMIT
        )
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._writer.close()
        with contextlib.suppress(OSError, ssl.SSLError):  # the other side may have closed it first, and not nicely
            await self._writer.wait_closed()

    async def send(
        self, method: str, path: str, body: bytes = b"", kind: str = "application/json"
    ) -> tuple[int, bytes]:
        """One request with a body of content type `kind`; its status and whole body."""
        status, headers = await self._begin(method, path, body, kind)
        if "chunked" in headers.get("transfer-encoding", ""):
            return status, b"".join([chunk async for chunk in self._chunks()])
        return status, await self._reader.readexactly(int(headers.get("content-length", 0)))

    async def json(self, method: str, path: str, body: Any = None) -> Any:
        """A request whose answer must be a success, decoded."""
        status, answer = await self.send(method, path, json.dumps(body).encode() if body is not None else b"")
        if status >= 300:
            raise RuntimeError(f"{method} {path}: {status} {answer[:300].decode(errors='replace')}")
        return json.loads(answer)

    async def lines(self, path: str) -> AsyncIterator[bytes]:
        """The lines of a watch, each without its line end."""
        status, _ = await self._begin("GET", path)
        if status != 200:
            raise RuntimeError(f"GET {path}: {status}")
        rest = b""
        async for chunk in self._chunks():
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                yield line

    async def _begin(
        self, method: str, path: str, body: bytes = b"", kind: str = "application/json"
    ) -> tuple[int, dict[str, str]]:
        content = f"Content-Type: {kind}\r\n" if body else ""
        head = f"{method} {path} HTTP/1.1\r\n{self._head}{content}Content-Length: {len(body)}\r\n\r\n"
        self._writer.write(head.encode() + body)
        first, *others = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in others if line)
        return int(first.split()[1]), {name.lower(): value.strip() for name, _, value in pairs}

    async def _chunks(self) -> AsyncIterator[bytes]:
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            yield (await self._reader.readexactly(size + 2))[:-2]
        await self._reader.readexactly(2)
