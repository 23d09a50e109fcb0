"""The server's time: the wall clock, or one that a test moves by hand.

`storage.py` and `verbs/` stamp objects with `Clock.now`, `controllers/` say when they want to act next; `http/` sleeps
until then on the wall clock, and on a manual clock `ManualClock.advance` is what lets time pass.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol


class Clock(Protocol):
    """Seconds since 1970, as a float."""

    def now(self) -> float:
        """Seconds since 1970."""
        ...


class WallClock:
    """The machine's clock."""

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time()


class ManualClock:
    """Stands still until told; whoever waits for it registers in `on_advance`."""

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._now = start
        self.on_advance: list[Callable[[], None]] = []

    def now(self) -> float:
        """Seconds since 1970."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass, then wake who waits."""
        self._now += seconds
        for wake in self.on_advance:
            wake()


def timestamp(seconds: float) -> str:
    """metav1.Time: RFC 3339 in UTC, whole seconds."""
    return _in_words(int(seconds))


@lru_cache(maxsize=64)  # every write stamps several fields with the same second
def _in_words(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_timestamp(seconds: float) -> str:
    """metav1.MicroTime: RFC 3339 in UTC with six digits, as Leases and Events have it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
