"""Time as an argument: the clock that queues, limiters, reflectors and informers are given.

Client-go passes a `clock.WithTicker` (k8s.io/utils/clock) to whatever waits, so that its tests can turn
the hands themselves; this module is the same seam for threads. `RealClock` is what an operator runs on,
`handwritten.testing.FakeClock` what the tests run on.

All times are seconds as floats on a monotonic scale with an arbitrary zero: good for differences, never
to be shown to a person or written to the API server.
"""

from __future__ import annotations

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """What the machinery may ask of time: read it, or wait for it together with something else.

    There is deliberately no plain `sleep(seconds)`: a thread that cannot be woken cannot be stopped.
    """

    def now(self) -> float:
        """Return the current time in seconds; it never goes backwards."""
        ...

    def wait(self, condition: threading.Condition, timeout: float | None) -> bool:
        """Wait like `Condition.wait`: until notified or until `timeout` seconds have passed.

        The caller holds `condition`; it is released while waiting and held again on return. `None`
        waits without limit. Returns False when the time is over, True otherwise. As with every
        condition the caller looks at its state again after waking, whatever the return value is.
        """
        ...

    def wait_until(self, condition: threading.Condition, deadline: float | None) -> bool:
        """Wait like `wait`, but until `now()` reaches `deadline`.

        Prefer it when the waiting ends at a known instant: between reading the clock and waiting for
        a difference, time goes on, and on a fake clock it goes on in leaps.
        """
        ...

    def sleep(self, stop: threading.Event, seconds: float) -> bool:
        """Pause for `seconds`, or until `stop` is set. Returns True as soon as `stop` is set."""
        ...


class RealClock:
    """The clock of a running operator: `time.monotonic`, not touched by NTP or by hand."""

    def now(self) -> float:
        """Return the seconds of `time.monotonic`."""
        return time.monotonic()

    def wait(self, condition: threading.Condition, timeout: float | None) -> bool:
        """See `Clock.wait`."""
        return condition.wait(None if timeout is None else _waitable(timeout))

    def wait_until(self, condition: threading.Condition, deadline: float | None) -> bool:
        """See `Clock.wait_until`."""
        return self.wait(condition, None if deadline is None else deadline - time.monotonic())

    def sleep(self, stop: threading.Event, seconds: float) -> bool:
        """See `Clock.sleep`."""
        return stop.wait(_waitable(seconds))


def _waitable(seconds: float) -> float:
    """Return the nearest time-out that the operating system takes.

    Beyond `threading.TIMEOUT_MAX` (49 days on Windows, centuries elsewhere, infinity always) Python raises
    OverflowError, which would end a thread for a back-off that is merely too long.
    """
    return min(max(seconds, 0.0), threading.TIMEOUT_MAX)
