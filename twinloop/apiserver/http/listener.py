"""The listening socket: loopback, one port, on which TLS and plain HTTP are both understood.

`process.py` opens it; each connection goes to a protocol of aiohttp's server. kubectl and client-go send a token over
TLS only; a Python client or a proxy on the same machine can save itself the work and speak plain HTTP to the same port.
The first byte tells the two apart: a TLS handshake starts with 0x16, which no HTTP method does.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import ssl
from collections.abc import Callable

from twinloop.errors import ConfigurationError

HOST = "127.0.0.1"
_TLS = b"\x16"
_BACKLOG = 512
# A connection that says nothing for so many seconds is closed.
_SILENCE = 60.0
# Seconds until the next try when the process has no file descriptor left.
_PAUSE = 0.5

Protocols = Callable[[], asyncio.BaseProtocol]


def bind(port: int) -> socket.socket:
    """A socket that listens on loopback. Raises ConfigurationError when the port cannot be had."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((HOST, port))
        listening.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        listening.close()
        raise ConfigurationError(_why(port, error), hint="Choose another --port, or 0 for any free one.") from error
    listening.setblocking(False)
    return listening


def _why(port: int, error: Exception) -> str:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return f"port {port} is in use"
    reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
    return f"cannot listen on {HOST}:{port}: {reason}"


class Listener:
    """Accepts connections until it is closed."""

    def __init__(self, listening: socket.socket, protocols: Protocols, tls: ssl.SSLContext | None) -> None:
        self._socket, self._protocols, self._tls = listening, protocols, tls
        self._loop = asyncio.get_running_loop()
        self._starting: set[asyncio.Task[None]] = set()
        self._loop.add_reader(listening, self._accept)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._socket.getsockname()[1])

    def close(self) -> None:
        """Accept no more; connections that are there go on."""
        if self._socket.fileno() < 0:
            return
        self._loop.remove_reader(self._socket)
        self._socket.close()
        for task in self._starting:
            task.cancel()

    def _accept(self) -> None:
        for _ in range(_BACKLOG):
            try:
                connection, _ = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:  # out of file descriptors: clients wait in the backlog
                self._pause()
                return
            connection.setblocking(False)
            task = self._loop.create_task(self._start(connection))
            self._starting.add(task)
            task.add_done_callback(self._starting.discard)

    def _pause(self) -> None:
        self._loop.remove_reader(self._socket)
        self._loop.call_later(_PAUSE, self._resume)

    def _resume(self) -> None:
        if self._socket.fileno() >= 0:
            self._loop.add_reader(self._socket, self._accept)

    async def _start(self, connection: socket.socket) -> None:
        try:
            tls = await self._speaks_tls(connection)
            # Answers are written in one piece; waiting for more of it would only delay them.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await self._loop.connect_accepted_socket(self._protocols, connection, ssl=self._tls if tls else None)
        except (OSError, TimeoutError, ssl.SSLError, asyncio.CancelledError):
            connection.close()

    async def _speaks_tls(self, connection: socket.socket) -> bool:
        """Wait for the first byte and look at it without taking it."""
        if self._tls is None:
            return False
        async with asyncio.timeout(_SILENCE):
            while True:
                with contextlib.suppress(BlockingIOError):
                    return connection.recv(1, socket.MSG_PEEK) == _TLS
                await self._readable(connection)

    async def _readable(self, connection: socket.socket) -> None:
        ready = self._loop.create_future()
        self._loop.add_reader(connection, ready.set_result, None)
        try:
            await ready
        finally:
            self._loop.remove_reader(connection)
