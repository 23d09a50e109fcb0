"""Writes watch streams: each open watch is a task that sleeps until its stream has lines or its time has come.

`edge.py` hands a `WatchAnswer` over and returns what comes back to aiohttp. Nothing is buffered here but what the
socket has not taken yet: while a client does not read, its task waits in the write, the stream counts what piles up
and ends itself when that is too much, and a client that takes nothing at all for `head.STALLED` is cut off.

A write by one client makes lines for many watches. Wake-ups are gathered (`Alarm`), so that under load one wake-up of
a watch writes the lines of several events in one piece.
"""

from __future__ import annotations

import asyncio

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from twinloop.apiserver.answer import Stream, WatchAnswer
from twinloop.apiserver.http.head import head, headers_of, send
from twinloop.apiserver.http.ticker import Ticker

# Seconds between two rounds of wake-ups. The first event after a pause is written at once.
GATHER = 0.002


class Alarm:
    """Wakes watches in rounds."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: list[asyncio.Future[None]] = []
        self._planned = False
        self._last = 0.0

    def ring(self, sleeper: asyncio.Future[None]) -> None:
        """Wake this one in the next round."""
        self._waiting.append(sleeper)
        if not self._planned:
            self._planned = True
            self._loop.call_at(max(self._last + GATHER, self._loop.time()), self._round)

    def _round(self) -> None:
        self._planned, self._last = False, self._loop.time()
        waiting, self._waiting = self._waiting, []
        for sleeper in waiting:
            if not sleeper.done():
                sleeper.set_result(None)


class Watches:
    """All open watches of a server."""

    def __init__(self, ticker: Ticker, loop: asyncio.AbstractEventLoop) -> None:
        self._ticker, self._loop = ticker, loop
        self._alarm = Alarm(loop)
        self._open: set[OpenWatch] = set()
        ticker.on_advance.append(self._wake_all)

    def __len__(self) -> int:
        return len(self._open)

    async def serve(self, request: web.BaseRequest, answer: WatchAnswer) -> web.StreamResponse:
        """Write a stream until it ends or the client goes."""
        watch = OpenWatch(request, answer, self._ticker, self._alarm)
        self._open.add(watch)
        try:
            return await watch.run()
        finally:
            self._open.discard(watch)

    def end(self) -> None:
        """End all of them, so that their clients see a complete answer."""
        for watch in self._open:
            watch.stop()

    def _wake_all(self) -> None:
        for watch in self._open:
            watch.wake()


class OpenWatch:
    """One watch and its connection."""

    def __init__(self, request: web.BaseRequest, answer: WatchAnswer, ticker: Ticker, alarm: Alarm) -> None:
        self._request, self._answer = request, answer
        self._stream: Stream = answer.stream
        self._ticker, self._alarm = ticker, alarm
        self._loop = asyncio.get_running_loop()
        self._sleeper: asyncio.Future[None] | None = None
        self._woken = self._stopped = False

    def wake(self) -> None:
        """Something may be ready. Called by the stream, in the middle of somebody's write, so it only makes a note."""
        if not self._woken:
            self._woken = True
            if self._sleeper is not None:
                self._alarm.ring(self._sleeper)

    def stop(self) -> None:
        """End after what is ready now."""
        self._stopped = True
        self.wake()

    async def run(self) -> web.StreamResponse:
        """Head, lines, end; a client that is gone ends it by cancelling this task."""
        stream = self._stream
        stream.on_ready = self.wake
        chunked = self._request.version >= (1, 1)
        try:
            await send(self._request, self._head(chunked=chunked))
            while True:
                self._woken = False
                lines = stream.read()
                if lines:
                    await send(self._request, _chunk(lines) if chunked else lines)
                elif stream.ended or self._stopped:
                    break
                else:
                    await self._sleep()
            await send(self._request, b"0\r\n\r\n" if chunked else b"")
        except ConnectionError:  # the client went, or was sent away: every watch ends so in the end, and it is no error
            return Written(keep_alive=False)
        finally:
            # Else stream and watch would hold each other, and with them the events of a replay and the request, until
            # the garbage collector comes by: under load that is hundreds of watches later.
            stream.on_ready = None
            stream.close()
        return Written(keep_alive=chunked and self._request.keep_alive)

    def _head(self, *, chunked: bool) -> bytes:
        headers = headers_of(self._answer)
        if chunked:
            headers.append(("Transfer-Encoding", "chunked"))
        return head(self._answer.code, headers, keep_alive=chunked and self._request.keep_alive)

    async def _sleep(self) -> None:
        if self._woken:  # while the last lines were being written
            return
        self._sleeper = self._loop.create_future()
        timer = self._timer(self._sleeper)
        try:
            await self._sleeper
        finally:
            self._sleeper = None
            if timer is not None:
                timer.cancel()

    def _timer(self, sleeper: asyncio.Future[None]) -> asyncio.TimerHandle | None:
        delay = self._ticker.delay(self._stream.deadline)
        return None if delay is None else self._loop.call_later(delay, self._alarm.ring, sleeper)


class Written(web.StreamResponse):
    """What aiohttp gets for an answer that has been written already."""

    def __init__(self, *, keep_alive: bool) -> None:
        super().__init__()
        self._keep_alive = keep_alive

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:  # noqa: ARG002 - aiohttp's signature
        """Nothing to do."""
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing to do."""


def _chunk(lines: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(lines), lines)
