"""A clock for tests: time stands still until the test steps it.

Shipped with the package, for whoever tests a controller of their own:

    clock = FakeClock()
    queue = DelayingQueue(clock=clock)
    queue.add_after("default/web", 5.0)
    clock.step(5.0)                       # the item is handed out now, and no real second has passed
    assert queue.get() == ("default/web", False)

Stepping is only half of it: a test also has to know that a thread *has begun* to wait before it steps
over the time that the thread waits for. That is `wait_for_waiters`, the counterpart of `HasWaiters` of
k8s.io/utils/clock/testing.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass

# How often a thread inside FakeClock.sleep looks at its stop event, in real seconds. A step wakes it at
# once; only the event needs looking at, since an Event cannot be waited for together with something else.
_STOP_POLL = 0.005


@dataclass(eq=False)
class _Waiter:
    """One thread that waits for the fake time: until when, and on what (None: inside `sleep`)."""

    deadline: float
    condition: threading.Condition | None = None
    due: bool = False


class FakeClock:
    """A `handwritten.clock.Clock` whose time only `step` moves. Thread-safe.

    Locks: a waiting thread comes here holding its own condition and then takes the clock's lock, so
    the order is condition first, clock second. `step` therefore never holds the clock's lock while it
    takes the condition of a thread that it wakes, and must not be called by a thread that holds one.
    """

    def __init__(self, start: float = 0.0) -> None:
        """Begin at `start` seconds."""
        self._now = start
        self._waiters: set[_Waiter] = set()
        # Guards both fields; notified whenever either changes.
        self._changed = threading.Condition(threading.Lock())

    def now(self) -> float:
        """Return the fake time in seconds."""
        with self._changed:
            return self._now

    def wait(self, condition: threading.Condition, timeout: float | None) -> bool:
        """See `Clock.wait`. Every waiter of a condition wakes when one of them is due: callers loop anyway."""
        return self.wait_until(condition, None if timeout is None else self.now() + timeout)

    def wait_until(self, condition: threading.Condition, deadline: float | None) -> bool:
        """See `Clock.wait_until`. Returns False when the deadline has been stepped over."""
        waiter = _Waiter(math.inf if deadline is None else deadline, condition)
        # Registering while `condition` is held is what makes it impossible to miss a step: the step either
        # came before, and is seen here, or it needs `condition` to wake us, and gets it only once we wait.
        with self._changed:
            if waiter.deadline <= self._now:
                return False
            self._enter(waiter)
        try:
            condition.wait()
        finally:
            self._leave(waiter)
        return not waiter.due

    def sleep(self, stop: threading.Event, seconds: float) -> bool:
        """See `Clock.sleep`. A step wakes at once, the stop event within a few real milliseconds."""
        with self._changed:
            waiter = _Waiter(self._now + seconds, due=seconds <= 0)
            if not waiter.due:
                self._enter(waiter)
            while not waiter.due and not stop.is_set():
                self._changed.wait(_STOP_POLL)
        self._leave(waiter)
        return stop.is_set()

    def step(self, seconds: float) -> None:
        """Move the time by `seconds` (not negative) and wake whoever waited for no longer than that.

        When it returns, the threads that were due have been woken but may not have run yet: they have
        left `waiters()`, so that `wait_for_waiters` afterwards waits for them to come back.
        """
        if seconds < 0:
            raise ValueError(f"a clock never goes backwards: step({seconds})")
        with self._changed:
            self._now += seconds
            due = [waiter for waiter in self._waiters if waiter.deadline <= self._now]
            for waiter in due:
                waiter.due = True
            self._waiters.difference_update(due)
            self._changed.notify_all()
        for condition in {condition for waiter in due if (condition := waiter.condition) is not None}:
            with condition:
                condition.notify_all()

    def waiters(self) -> int:
        """Return how many threads are inside `wait`, `wait_until` or `sleep`.

        A thread that another one notified counts until it has run.
        """
        with self._changed:
            return len(self._waiters)

    def timeouts(self) -> list[float]:
        """Return how many seconds each waiting thread still has to go, shortest first; inf for no limit."""
        with self._changed:
            return [deadline - self._now for deadline in self._deadlines()]

    def wait_for_waiters(self, count: int = 1, real_timeout: float = 5.0) -> None:
        """Block until at least `count` threads wait on this clock.

        Raises AssertionError when that does not happen within `real_timeout` real seconds.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._waiters) >= count, real_timeout):
                raise AssertionError(
                    f"{len(self._waiters)} threads wait on the clock after {real_timeout} s, expected {count}"
                )

    def wait_for_no_waiters(self, real_timeout: float = 5.0) -> None:
        """Block until no thread waits on this clock; AssertionError after `real_timeout` real seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: not self._waiters, real_timeout):
                raise AssertionError(f"{len(self._waiters)} threads still wait on the clock after {real_timeout} s")

    def wait_for_deadline(self, deadline: float, real_timeout: float = 5.0) -> None:
        """Block until a thread waits for exactly this fake instant (inf: for no instant at all).

        The sharper form of `wait_for_waiters`, for a thread that something else than a step wakes: it
        tells the thread that has taken the news in from the one that has yet to run.
        """
        with self._changed:
            if not self._changed.wait_for(
                lambda: any(waiter.deadline == deadline for waiter in self._waiters), real_timeout
            ):
                raise AssertionError(f"no thread waits for {deadline} after {real_timeout} s, but {self._deadlines()}")

    def _deadlines(self) -> list[float]:
        """Return what the threads wait for; the clock's lock is held."""
        return sorted(waiter.deadline for waiter in self._waiters)

    def _enter(self, waiter: _Waiter) -> None:
        """Count `waiter` in; the clock's lock is held."""
        self._waiters.add(waiter)
        self._changed.notify_all()

    def _leave(self, waiter: _Waiter) -> None:
        """Count `waiter` out, unless a step has done so."""
        with self._changed:
            self._waiters.discard(waiter)
            self._changed.notify_all()
