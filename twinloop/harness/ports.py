"""Ports of loopback for the probes and metrics of operators.

An operator keeps its ports over restarts, so they are taken from below the range out of which the system gives ports to
outgoing connections: between two lives of an operator one of those would sit on it sooner or later.
"""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Callable
from functools import cache

from twinloop.errors import TwinloopError

LOWEST, HIGHEST = 10_000, 29_999
COUNT = HIGHEST - LOWEST + 1


class NoPortError(TwinloopError):
    """No free port was found."""

    hint = "Another program holds most ports of this machine; `ss -ltn` shows which."


def is_free(port: int) -> bool:
    """Whether one could listen there at this moment."""
    with socket.socket() as probe:
        # As servers do it: what a closed connection has left behind is no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class Ports:
    """Hands out ports, each to one holder at a time; safe to use from any number of threads."""

    def __init__(self, rng: random.Random, free: Callable[[int], bool] = is_free) -> None:
        self._rng, self._free = rng, free
        self._lock = threading.Lock()
        self._taken: set[int] = set()

    def take(self) -> int:
        """A port that nobody listens on and that nobody else was given. Raises NoPortError."""
        with self._lock:
            # From anywhere on, not from the first: several harnesses may run on one machine.
            begin = self._rng.randrange(COUNT)
            for port in (LOWEST + (begin + offset) % COUNT for offset in range(COUNT)):
                if port not in self._taken and self._free(port):
                    self._taken.add(port)
                    return port
        raise NoPortError(f"no free port between {LOWEST} and {HIGHEST} was found")

    def give_back(self, *ports: int) -> None:
        """These are not needed any more."""
        with self._lock:
            self._taken.difference_update(ports)


@cache
def shared() -> Ports:
    """Those of this process."""
    return Ports(random.Random())  # noqa: S311 - nothing to hide
