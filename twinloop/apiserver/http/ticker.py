"""Gives the controllers their time: `ApiServer.tick` after each request and at the moment that it asked for.

`edge.py` calls `soon` after a request. The tick itself runs once the event loop has seen to the requests that are ready
as well, so a burst of them costs one tick. On a manual clock there are no timers: `advance` is what wakes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from twinloop.apiserver.clock import Clock, ManualClock


class Ticking(Protocol):
    """What of an `ApiServer` matters here."""

    @property
    def clock(self) -> Clock: ...

    def tick(self) -> float | None: ...


class Ticker:
    """Runs on the event loop's thread; `on_tick` are called after every tick on a manual clock."""

    def __init__(self, server: Ticking, loop: asyncio.AbstractEventLoop) -> None:
        self._server, self._loop = server, loop
        self._soon: asyncio.Handle | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.on_advance: list[Callable[[], None]] = []
        if isinstance(server.clock, ManualClock):
            server.clock.on_advance.append(self._advanced)

    def soon(self) -> None:
        """Tick when the requests that are ready have been served."""
        if self._soon is None:
            self._soon = self._loop.call_soon(self._tick)

    def delay(self, deadline: float | None) -> float | None:
        """Seconds of real time until a time of the server's clock; None: no timer can tell."""
        if deadline is None or isinstance(self._server.clock, ManualClock):
            return None
        return max(0.0, deadline - self._server.clock.now())

    def close(self) -> None:
        """No more ticks."""
        for handle in (self._soon, self._timer):
            if handle is not None:
                handle.cancel()
        if isinstance(self._server.clock, ManualClock):
            self._server.clock.on_advance.remove(self._advanced)

    def _tick(self) -> None:
        self._soon = None
        if self._timer is not None:
            self._timer.cancel()
        delay = self.delay(self._server.tick())
        self._timer = None if delay is None else self._loop.call_later(delay, self._tick)

    def _advanced(self) -> None:
        # Whoever moves the clock may be another thread.
        self._loop.call_soon_threadsafe(self._after_advance)

    def _after_advance(self) -> None:
        self._tick()
        for wake in self.on_advance:
            wake()
