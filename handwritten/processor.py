"""The fan-out: each handler gets every notification on a thread of its own, at its own pace.

The informer (`informer.py`) calls `SharedProcessor.distribute` after it has changed the store; from here
on it is the handlers' time, usually a line that puts a key into a work queue (`workqueue.py`).
Counterpart of sharedProcessor and processorListener in client-go's tools/cache/shared_informer.go, with
the counting of synctrack.SingleFileTracker.

The buffer of a handler has no bound: a bound would let one slow handler hold up the store and all other
handlers. A handler that never catches up therefore costs memory, as in client-go.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable

from handwritten.clock import Clock
from handwritten.handlers import Notification, ResourceEventHandler

logger = logging.getLogger("handwritten.processor")

# The pause after a handler raised. One that raises for every object would else fill the log as fast as it can.
FAILURE_PAUSE_SECONDS = 1.0


class ProcessorListener:
    """One handler, its buffer and its thread."""

    def __init__(
        self,
        handler: ResourceEventHandler,
        *,
        name: str,
        clock: Clock,
        upstream_has_synced: Callable[[], bool] = lambda: True,
        requested_resync_period: float = 0.0,
    ) -> None:
        """`upstream_has_synced` says when no further notification of the initial list can come.

        The resync period (seconds, 0 for never) in force is set by `set_resync_period`.
        """
        self.requested_resync_period = requested_resync_period
        self._handler = handler
        self._name = name
        self._clock = clock
        self._upstream_has_synced = upstream_has_synced
        # Guards the four below; notified when there is something to do or nothing more to come.
        self._changed = threading.Condition(threading.Lock())
        self._pending: deque[Notification] = deque()
        self._initial_pending = 0
        self._failures = 0
        self._thread: threading.Thread | None = None
        # An event beside the condition, since the pause after a failure waits for an event.
        self._stopped = threading.Event()
        # Only touched under the processor's lock.
        self._resync_period = 0.0
        self._next_resync = 0.0

    def add(self, notification: Notification) -> None:
        """Buffer a notification; never waits."""
        with self._changed:
            self._pending.append(notification)
            self._initial_pending += notification.is_in_initial_list
            self._changed.notify()

    def has_synced(self) -> bool:
        """See `Registration`. The order matters: once upstream has synced, the count can only fall."""
        if not self._upstream_has_synced():
            return False
        with self._changed:
            return self._initial_pending == 0

    @property
    def failures(self) -> int:
        """See `Registration`."""
        with self._changed:
            return self._failures

    def start(self) -> None:
        """Begin to deliver."""
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Deliver nothing more. The call that is under way ends; what is buffered is dropped."""
        self._stopped.set()
        with self._changed:
            self._pending.clear()
            self._changed.notify()

    def join(self) -> None:
        """Wait for the thread to end."""
        if self._thread is not None:
            self._thread.join()

    def is_alive(self) -> bool:
        """Return whether the thread runs."""
        return self._thread is not None and self._thread.is_alive()

    def set_resync_period(self, seconds: float) -> None:
        """Resync every `seconds` from the next time on; 0 is never."""
        self._resync_period = seconds

    def should_resync(self, now: float) -> bool:
        """Return whether this handler is due."""
        return self._resync_period > 0 and now >= self._next_resync

    def determine_next_resync(self, now: float) -> None:
        """Be due one period from `now`."""
        self._next_resync = now + self._resync_period

    def _run(self) -> None:
        while (notification := self._next()) is not None:
            try:
                notification.tell(self._handler)
                failed = False
            except Exception:
                logger.exception("An event handler failed", extra={"handler": self._name})
                failed = True
            self._finished(notification, failed)
            if failed:
                self._clock.sleep(self._stopped, FAILURE_PAUSE_SECONDS)

    def _next(self) -> Notification | None:
        """Wait for a notification; None when stopped."""
        with self._changed:
            while not self._pending and not self._stopped.is_set():
                self._clock.wait(self._changed, None)
            return None if self._stopped.is_set() else self._pending.popleft()

    def _finished(self, notification: Notification, failed: bool) -> None:
        # A failed call counts as delivered too. In client-go a handler that panicked on an initial object never
        # reports synced (kubernetes#129024); a controller waiting for that would never start.
        with self._changed:
            self._initial_pending -= notification.is_in_initial_list
            self._failures += failed


class SharedProcessor:
    """All handlers of one informer."""

    def __init__(self, clock: Clock) -> None:
        """Begin without handlers, not started."""
        self._clock = clock
        self._lock = threading.Lock()
        self._started = False
        # Each listener with whether it is due for the resync that is going on. True for a new one, so that the
        # first update without a change reaches everybody (client-go#1312).
        self._listeners: dict[ProcessorListener, bool] = {}
        # Removed while its thread may still be in a call.
        self._removed: list[ProcessorListener] = []

    def add_listener(self, listener: ProcessorListener) -> None:
        """Let `listener` take part; its thread starts now if the others have started."""
        with self._lock:
            listener.determine_next_resync(self._clock.now())
            self._listeners[listener] = True
            if self._started:
                listener.start()

    def remove_listener(self, listener: ProcessorListener) -> None:
        """Stop `listener` without waiting for it: it may be the one who asks. Unknown ones are ignored."""
        with self._lock:
            if self._listeners.pop(listener, None) is not None:
                self._removed = [old for old in self._removed if old.is_alive()] + [listener]
                listener.stop()

    def distribute(self, notification: Notification, *, is_sync: bool) -> None:
        """Buffer `notification` for every handler, or with `is_sync` only for those due for a resync."""
        with self._lock:
            for listener, is_syncing in self._listeners.items():
                if is_syncing or not is_sync:
                    listener.add(notification)

    def should_resync(self) -> bool:
        """Return whether any handler is due, and note which are."""
        with self._lock:
            now = self._clock.now()
            for listener in self._listeners:
                self._listeners[listener] = due = listener.should_resync(now)
                if due:
                    listener.determine_next_resync(now)
            return any(self._listeners.values())

    def resync_check_period_changed(self, check_period: float) -> None:
        """Bring the periods of all handlers in line with a new check period (seconds)."""
        with self._lock:
            for listener in self._listeners:
                listener.set_resync_period(determine_resync_period(listener.requested_resync_period, check_period))

    @property
    def failures(self) -> int:
        """How many calls of the present handlers raised."""
        with self._lock:
            return sum(listener.failures for listener in self._listeners)

    def start(self) -> None:
        """Begin to deliver."""
        with self._lock:
            self._started = True
            for listener in self._listeners:
                listener.start()

    def stop(self) -> None:
        """Stop all handlers and wait for their threads."""
        with self._lock:
            listeners = [*self._listeners, *self._removed]
            self._listeners.clear()
        for listener in listeners:
            listener.stop()
        # Outside the lock: the call that is waited for may itself want to remove a handler.
        for listener in listeners:
            listener.join()


def determine_resync_period(desired: float, check_period: float) -> float:
    """Return how often (seconds) a handler can be resynced that wants it every `desired`; 0 is never.

    The informer looks every `check_period`; 0 means that it never does.
    """
    if desired <= 0 or check_period <= 0:
        return 0.0
    return max(desired, check_period)
