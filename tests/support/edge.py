"""The edge of the embedded API server around a handler of the test's own, and a client that sees every byte."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from twinloop.apiserver.answer import Answer, WatchAnswer
from twinloop.apiserver.clock import Clock, WallClock
from twinloop.apiserver.http.edge import Connections, Edge
from twinloop.apiserver.http.listener import HOST, Listener, bind
from twinloop.apiserver.request import Request

TOKEN = "the-token"
PATIENCE = 10.0

Handle = Callable[[Request], Answer | WatchAnswer]


class Server:
    """Answers as the test says and remembers what it was asked."""

    def __init__(self, handle: Handle, clock: Clock | None = None) -> None:
        self.clock = clock or WallClock()
        self.asked: list[Request] = []
        self.ticks = 0
        self.next_tick: float | None = None
        self._handle = handle

    def handle(self, request: Request) -> Answer | WatchAnswer:
        self.asked.append(request)
        return self._handle(request)

    def tick(self) -> float | None:
        self.ticks += 1
        return self.next_tick


class Lines:
    """A stream that the test fills."""

    def __init__(self) -> None:
        self.on_ready: Callable[[], None] | None = None
        self.ended = self.closed = False
        self.deadline: float | None = None
        self.ready: list[bytes] = []
        self.reads = 0

    def read(self) -> bytes:
        self.reads += 1
        lines, self.ready = b"".join(self.ready), []
        return lines

    def add(self, line: bytes) -> None:
        self.ready.append(line)
        if self.on_ready:
            self.on_ready()

    def end(self) -> None:
        self.ended = True
        if self.on_ready:
            self.on_ready()

    def close(self) -> None:
        self.closed = True


@dataclass
class Reply:
    code: int
    headers: dict[str, str]
    body: bytes = b""


@dataclass
class Client:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    token: str = TOKEN
    head: list[str] = field(default_factory=list)

    async def ask(self, method: str, path: str, body: bytes = b"", /, **headers: str) -> Reply:
        """Send a request and read the whole answer."""
        self.send(method, path, body, **headers)
        return await self.reply(method)

    def send(self, method: str, path: str, body: bytes = b"", /, **headers: str) -> None:
        given = {"Host": "test", "Authorization": f"Bearer {self.token}", "Content-Length": str(len(body))}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = "".join(f"{name}: {value}\r\n" for name, value in given.items() if value)
        self.writer.write(f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body)

    async def begin(self) -> Reply:
        """Status and headers."""
        async with asyncio.timeout(PATIENCE):
            text = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        first, *self.head = text.strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in self.head)}
        return Reply(int(first.split()[1]), headers)

    async def reply(self, method: str = "GET") -> Reply:
        found = await self.begin()
        if method != "HEAD" and found.code not in {204, 304}:
            async with asyncio.timeout(PATIENCE):
                if "chunked" in found.headers.get("transfer-encoding", ""):
                    found.body = b"".join([chunk async for chunk in self.chunks()])
                elif "content-length" in found.headers:
                    found.body = await self.reader.readexactly(int(found.headers["content-length"]))
                else:
                    found.body = await self.reader.read()
        return found

    async def chunks(self) -> AsyncIterator[bytes]:
        while chunk := await self.chunk():
            yield chunk

    async def chunk(self) -> bytes:
        async with asyncio.timeout(PATIENCE):
            size = int(await self.reader.readuntil(b"\r\n"), 16)
            return (await self.reader.readexactly(size + 2))[:-2]

    async def is_closed(self) -> bool:
        async with asyncio.timeout(PATIENCE):
            return await self.reader.read(1) == b""


@dataclass
class Site:
    """A listening edge."""

    server: Server
    edge: Edge
    port: int
    close_listener: Callable[[], None]
    clients: list[Client] = field(default_factory=list)

    async def connect(self, *, tls: ssl.SSLContext | None = None, token: str = TOKEN) -> Client:
        reader, writer = await asyncio.open_connection(HOST, self.port, ssl=tls, limit=1 << 24)
        self.clients.append(Client(reader, writer, token))
        return self.clients[-1]


@asynccontextmanager
async def serving(
    handle: Handle, *, clock: Clock | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Site]:
    """An edge that listens while the block lasts."""
    server = Server(handle, clock)
    edge = Edge(server, TOKEN)
    connections = Connections(edge)
    listener = Listener(bind(0), connections, tls)
    site = Site(server, edge, listener.port, listener.close)
    try:
        yield site
    finally:
        for client in site.clients:
            client.writer.close()
        listener.close()
        edge.watches.end()
        await connections.shutdown(1.0)
        edge.ticker.close()


async def until(true: Callable[[], object], what: str) -> None:
    """Let the loop run until something is true."""
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110 - what is waited for is a plain attribute
            await asyncio.sleep(0.001)
    assert true(), what
