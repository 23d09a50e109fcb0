"""How long to wait after a failure of the API server: longer each time, never the same for two clients.

The reflector (`reflector.py`) asks here before it lists or watches again. This is not the work queue's
back-off, which counts per object (`ratelimit.py`): here one server is down for everybody. Counterpart of
apimachinery's util/wait/backoff.go (`Backoff.DelayWithReset`).
"""

from __future__ import annotations

import random

from handwritten.clock import Clock

# All client-go's (reflector.go): a server that comes back is not met by every client at once, and not
# left alone for longer than a minute either.
INITIAL_SECONDS = 0.8
MAX_SECONDS = 30.0
FACTOR = 2.0
JITTER = 1.0
RESET_SECONDS = 120.0


class BackoffManager:
    """Gives one delay after the other: 0.8, 1.6, 3.2 ... 30, 30 s, each times a random 1 to 2.

    Starts over when more than `reset_seconds` have passed *since it last started over*, whether or not
    anything failed meanwhile. That is client-go's rule: in a long outage the short delays come back every
    two minutes, so the end of the outage is noticed soon. Not thread-safe: one reflector, one manager.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        rng: random.Random,
        initial: float = INITIAL_SECONDS,
        maximum: float = MAX_SECONDS,
        factor: float = FACTOR,
        jitter: float = JITTER,
        reset_seconds: float = RESET_SECONDS,
    ) -> None:
        """Begin with `initial` seconds; the window of `reset_seconds` begins now."""
        self._clock = clock
        self._rng = rng
        self._initial = initial
        self._maximum = maximum
        self._factor = factor
        self._jitter = jitter
        self._reset_seconds = reset_seconds
        self._next = initial
        self._started = clock.now()

    def step(self) -> float:
        """Return the seconds to wait now."""
        now = self._clock.now()
        if now - self._started > self._reset_seconds:
            self._next, self._started = self._initial, now
        delay = min(self._next, self._maximum)
        self._next = min(delay * self._factor, self._maximum)
        # The jitter is applied last, as in client-go: the longest wait is MAX_SECONDS * (1 + JITTER).
        return delay * (1.0 + self._jitter * self._rng.random())
