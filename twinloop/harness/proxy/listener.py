"""The port that one replica of the operator speaks to, and the connections that come in on it.

A listener says who speaks: no header would. `exchange.py` handles what arrives. The port stays ours for the whole trial,
also while nobody listens on it: a restarted operator finds the same address, and "away" is a refused connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from twinloop.harness.proxy.limits import BODY, HEADER

# SO_LINGER for 0 s: close() sends a reset.
_NO_FAREWELL = struct.pack("ii", 1, 0)


class Connection:
    """One TCP connection of an operator. `lost` once it is gone; `why` is what its streams ended by."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._waiting: asyncio.Task[object] | None = None
        self.lost = False
        self.why = "client"

    @contextlib.contextmanager
    def interruptible(self) -> Iterator[None]:
        """The loss of the connection cancels what happens in here; elsewhere it goes on to its end."""
        if self.lost:
            raise ConnectionResetError("the operator has hung up")
        self._waiting = asyncio.current_task()
        try:
            yield
        finally:
            self._waiting = None

    def went(self) -> None:
        """Told when the connection is gone."""
        self.lost = True
        if self._waiting is not None:
            self._waiting.cancel()

    def reset(self, why: str) -> None:
        """Break it off at once, with a TCP reset."""
        if not self._transport.is_closing():
            self.why = why
            with contextlib.suppress(OSError):
                self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_FAREWELL)
            self._transport.abort()

    def close(self, why: str) -> None:
        """Close it when what was written has gone out."""
        if not self._transport.is_closing():
            self.why = why
            self._transport.close()


class _Server(web.Server):
    """aiohttp's server, with an eye on connections: a lost one must be noticed while nothing is written to it."""

    def __init__(self, handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]) -> None:
        super().__init__(
            handler,
            request_factory=self._request,
            access_log=None,
            auto_decompress=False,
            max_line_size=HEADER,
            max_field_size=HEADER,
        )
        self.table: dict[RequestHandler, Connection] = {}

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        self.table[handler] = Connection(transport)

    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        super().connection_lost(handler, exc)
        connection = self.table.pop(handler, None)
        if connection is not None:
            connection.went()

    @staticmethod
    def _request(message: Any, payload: Any, protocol: RequestHandler, writer: Any, task: Any) -> web.BaseRequest:
        # Some of aiohttp's own types are not public.
        return web.BaseRequest(
            message, payload, protocol, writer, task, asyncio.get_running_loop(), client_max_size=BODY
        )


class Listener:
    """The listener of one replica. Made on the loop that it serves."""

    def __init__(
        self, replica: str, handle: Callable[[Listener, web.BaseRequest], Awaitable[web.StreamResponse]]
    ) -> None:
        self.replica = replica
        # Set while the operator is being killed: what it said last must not be heard after its death.
        self.deaf = False
        self._handle = handle
        self._connections = _Server(self._serve)
        # Bound and never listening, it keeps the port from everybody else.
        self._place = _bound(0)
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """Where the operator finds its API server."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def _port(self) -> int:
        return int(self._place.getsockname()[1])

    async def up(self) -> None:
        """Listen."""
        if self._server is None:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(self._connections, sock=_bound(self._port), backlog=512)

    def down(self, why: str) -> None:
        """Refuse new connections and reset the old ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.cut(why)

    def cut(self, why: str) -> None:
        """Reset all connections."""
        for connection in list(self._connections.table.values()):
            connection.reset(why)

    def close(self) -> None:
        """Give everything back, the port too."""
        self.down("client")
        self._place.close()

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        return await self._handle(self, request)

    def connection(self, request: web.BaseRequest) -> Connection | None:
        """The connection that a request came on, None when it is gone."""
        return self._connections.table.get(request.protocol)


def _bound(port: int) -> socket.socket:
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # Two sockets share the port, one of which only holds it. Without SO_REUSEADDR, which would let others in meanwhile.
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    found.bind(("127.0.0.1", port))
    return found
