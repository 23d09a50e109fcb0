"""Gives the controllers their time: `ApiServer.tick` after each request and at the moment that it asked for.

`edge.py` calls `soon` after a request. The tick itself runs once the event loop has seen to the requests that are ready
as well, so a burst of them costs one tick. On a manual clock there are no timers: `advance` is what wakes.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Protocol

from twinloop.apiserver.clock import Clock, ManualClock

# Ticks after one step of a manual clock, so that controllers which keep each other busy cannot hang it.
_ROUNDS = 10_000


class Ticking(Protocol):
    """What of an `ApiServer` matters here."""

    @property
    def clock(self) -> Clock:
        """The time that it goes by."""
        ...

    def tick(self) -> float | None:
        """Do what is due; returns the clock time of what is next."""
        ...


class Ticker:
    """Runs on the event loop's thread; `on_advance` are called when a manual clock has moved."""

    def __init__(self, server: Ticking, loop: asyncio.AbstractEventLoop) -> None:
        self._server, self._loop = server, loop
        self._thread = threading.get_ident()
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
        """Seconds of real time until a time of the server's clock; None: only `advance` can bring it."""
        if deadline is None:
            return None
        delay = max(0.0, deadline - self._server.clock.now())
        return delay if not delay or not isinstance(self._server.clock, ManualClock) else None

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
        # Also after no delay at all: requests come between two ticks.
        self._timer = None if delay is None else self._loop.call_later(delay, self._tick)

    def _advanced(self) -> None:
        if threading.get_ident() == self._thread:
            self._catch_up()
        else:
            self._loop.call_soon_threadsafe(self._catch_up)

    def _catch_up(self) -> None:
        """All that has become due, at once: whoever moved the clock wants to see it done."""
        clock = self._server.clock
        for _ in range(_ROUNDS):
            due = self._server.tick()
            if due is None or due > clock.now():
                break
        for wake in self.on_advance:
            wake()
