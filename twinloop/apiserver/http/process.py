"""A server process from its start to its end: certificate, sockets, kubeconfig, signals.

`serve` is what `twinloop apiserver` and `python -m twinloop.apiserver` run; `local.py` runs `Running` in a thread. Once
the kubeconfig is there the server answers; on SIGTERM or SIGINT it accepts no more, ends the watches, lets requests
finish and leaves.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import secrets
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from twinloop.apiserver.clock import Clock, ManualClock, WallClock
from twinloop.apiserver.controllers import NAMES
from twinloop.apiserver.http import kubeconfig, listener
from twinloop.apiserver.http.certificate import Maker
from twinloop.apiserver.http.control import Control, configure
from twinloop.apiserver.http.edge import Connections, Edge
from twinloop.apiserver.http.settings import Settings
from twinloop.apiserver.server import ApiServer
from twinloop.errors import ConfigurationError

# Requests are answered in milliseconds; what is still open after so many seconds hangs on its client.
GRACE = 2.0


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers. `plain_url` is the same port without TLS."""

    server: ApiServer
    port: int
    token: str
    kubeconfig: Path

    @property
    def url(self) -> str:
        """Where the kubeconfig points."""
        return f"https://{listener.HOST}:{self.port}"

    @property
    def plain_url(self) -> str:
        """For clients on this machine that send the token without TLS too."""
        return f"http://{listener.HOST}:{self.port}"


def serve(settings: Settings, announce: Callable[[Running], None]) -> None:
    """Run a server until a signal; `announce` is called when it answers. Raises ConfigurationError."""
    asyncio.run(_serve(settings, announce))


async def _serve(settings: Settings, announce: Callable[[Running], None]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stop.set)
    if settings.with_parent:
        loop.add_reader(sys.stdin, _until_eof, loop, stop)
    async with running(settings) as server:
        announce(server)
        await stop.wait()


def _until_eof(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        loop.remove_reader(sys.stdin)
        stop.set()


@contextlib.asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Running]:
    """A server while the block lasts."""
    with Maker() as maker, listener.bind(settings.port) as listening:
        server = build(settings, ManualClock() if settings.manual_clock else WallClock())
        token = settings.token or secrets.token_urlsafe(32)
        edge = Edge(server, token, Control(server))
        connections = Connections(edge)
        certificate = await asyncio.to_thread(maker.result)
        accepting = listener.Listener(listening, connections, certificate.context())
        try:
            with _kubeconfig(settings) as path:
                found = Running(server, accepting.port, token, path)
                edge.ticker.soon()
                kubeconfig.write(path, kubeconfig.text(found.url, certificate.authority, token))
                yield found
        finally:
            accepting.close()
            await _finish(edge, connections)


# Turns of the loop from an aborted TLS connection to its socket's end: the TLS protocol's, the transport's, one to spare.
LAST_TURNS = 3


async def _finish(edge: Edge, connections: web.Server) -> None:
    """End watches, let requests finish, close the rest."""
    edge.watches.end()
    connections.pre_shutdown()
    # Whoever speaks TLS says goodbye first, and a client that is gone never answers: nothing may outlive the loop.
    transports = [each.transport for each in connections.connections if each.transport is not None]
    await connections.shutdown(GRACE)
    for transport in transports:
        transport.abort()
    for _ in range(LAST_TURNS):
        await asyncio.sleep(0)
    edge.ticker.close()


@contextlib.contextmanager
def _kubeconfig(settings: Settings) -> Iterator[Path]:
    """Where the kubeconfig goes; a place of our own is gone at the end."""
    if settings.kubeconfig:
        yield Path(settings.kubeconfig).expanduser().absolute()
        return
    with tempfile.TemporaryDirectory(prefix="twinloop-") as folder:
        yield Path(folder) / "kubeconfig"


def build(settings: Settings, clock: Clock) -> ApiServer:
    """The server that the settings describe. Raises ConfigurationError."""
    try:
        server = ApiServer(
            clock=clock,
            rng=random.Random(settings.seed),  # noqa: S311 - uids have to be different, not secret
            controllers=True if settings.controllers is None else set(settings.controllers),
            history=settings.history,
        )
    except ValueError as error:
        raise ConfigurationError(str(error), hint=f"There are {', '.join(NAMES)}.") from None
    if settings.delays:
        configure(server, settings.delays)
    return server
