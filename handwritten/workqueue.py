"""The work queue: every key once, and never in two hands.

client-go: util/workqueue/queue.go. Event handlers (informer.py) add keys, workers (controller.py) take
them with `get` and give them back with `done`. delaying.py adds "later" to it, ratelimit.py "later, the
more often it fails".

The theory is in three containers:

    queue        keys to hand out next, in order
    dirty        keys that need work (a set)
    processing   keys that a worker holds (a set)

    every key in `queue` is in `dirty` and not in `processing`;
    every key in `dirty` is in `queue` or in `processing`.

An add marks a key dirty, and queues it unless a worker holds it. Hand-out moves it from dirty to
processing. Done takes it out of processing, and queues it again if it got dirty meanwhile. So a thousand
adds of a key make one piece of work, an add during the work makes exactly one more afterwards, and no key
is ever worked on by two at once: a sync needs no lock per object.

Deliberate differences to client-go, which tracks the first three as a defect (kubernetes#141079):

- `shut_down_with_drain` waits until nothing is queued *and* nothing is processed. In client-go it
  looks at processing only and may return while keys are still queued.
- The drainer waits on a condition of its own. In client-go it shares one with the workers, and a
  `done` that wakes only one of them may wake the wrong one.
- `done` of a key that nobody holds does nothing. In client-go it queues the key a second time if it
  is dirty, and the key may then be handed to two workers.
- The gauges of metrics.py are read at scrape time, so there is no thread for them to stop.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Hashable
from typing import Generic, Protocol, TypeVar

from handwritten.clock import Clock, RealClock
from handwritten.metrics import MetricsProvider, new_queue_metrics

T = TypeVar("T", bound=Hashable)


class Queue(Protocol[T]):
    """The order of waiting items, client-go's `Queue` interface; another one may prioritise.

    Called with the work queue's lock held: it needs none of its own and must not call the work queue.
    """

    def touch(self, item: T) -> None:
        """Learn that `item`, which waits here, was added again."""
        ...

    def push(self, item: T) -> None:
        """Take in `item`, which does not wait here."""
        ...

    def pop(self) -> T:
        """Remove and return the next item; never called when empty. No reference to it may be kept."""
        ...

    def __len__(self) -> int:
        """Return how many items wait."""
        ...


class FifoQueue(Generic[T]):
    """First in, first out; a touched item keeps its place."""

    def __init__(self) -> None:
        """Begin empty."""
        self._items: deque[T] = deque()

    def touch(self, item: T) -> None:
        """Leave `item` where it is."""

    def push(self, item: T) -> None:
        """Append `item`."""
        self._items.append(item)

    def pop(self) -> T:
        """Remove and return the oldest item."""
        return self._items.popleft()

    def __len__(self) -> int:
        """Return how many items wait."""
        return len(self._items)


class WorkQueue(Generic[T]):
    """A deduplicating queue for any number of adding and working threads.

        while True:
            key, shutdown = queue.get()
            if shutdown:
                return
            try:
                sync(key)
            finally:
                queue.done(key)

    Locks: one plain lock guards all state, here and in the subclasses, and each section under it is a
    few dictionary operations. Waiting threads use conditions on that lock, one for each thing that can
    be waited for, so that whoever wakes a thread wakes the right kind: `_not_empty` for workers,
    `_drained` for whoever drains. Under the lock only a metric's own lock or the clock's is taken.
    The lock is not reentrant: do not call a queue from a signal handler, which may have interrupted
    the very section that holds it (handwritten/signals.py is the way).
    """

    def __init__(
        self,
        *,
        name: str = "",
        clock: Clock | None = None,
        metrics: MetricsProvider | None = None,
        queue: Queue[T] | None = None,
    ) -> None:
        """Make an open queue.

        `name` labels the metrics; without a name or a provider there are none. `clock` is only read,
        for the metrics. `queue` decides the order, first in, first out unless given.
        """
        self._lock = threading.Lock()
        self._not_empty = threading.Condition(self._lock)
        self._drained = threading.Condition(self._lock)
        self._clock: Clock = clock or RealClock()
        self._metrics = new_queue_metrics(metrics, name, self._clock, self._lock)
        self._queue: Queue[T] = FifoQueue() if queue is None else queue
        self._dirty: set[T] = set()
        self._processing: set[T] = set()
        self._shutting_down = False
        self._draining = False

    def add(self, item: T) -> None:
        """Mark `item` as needing work. Silently ignored once the queue shuts down."""
        with self._lock:
            if not self._shutting_down:
                self._add(item)

    def get(self) -> tuple[T | None, bool]:
        """Wait for the next item; returns `(item, False)`, or `(None, True)` when there will be none.

        Once the queue shuts down, what is left is still handed out before `(None, True)`. Whoever gets
        an item owes a `done`.
        """
        with self._lock:
            # A loop, since another worker may have taken what this one was woken for.
            while not len(self._queue):
                if self._shutting_down:
                    return None, True
                self._not_empty.wait()
            item = self._queue.pop()
            self._metrics.get(item)
            self._processing.add(item)
            self._dirty.discard(item)
            return item, False

    def done(self, item: T) -> None:
        """Give `item` back; if it was added meanwhile, it goes to the end of the queue.

        Also while shutting down: such an add was accepted earlier. An item that nobody holds is
        ignored (see the differences in the module's docstring).
        """
        with self._lock:
            if item not in self._processing:
                return
            self._processing.discard(item)
            self._metrics.done(item)
            if item in self._dirty:
                self._queue.push(item)
                self._not_empty.notify()
            elif not self._busy():
                self._drained.notify_all()

    def __len__(self) -> int:
        """Return how many items wait to be handed out.

        Not counted is what workers hold, even if it is dirty again, and what waits for its time.
        """
        with self._lock:
            return len(self._queue)

    def shut_down(self) -> None:
        """Refuse new items and let workers end when the queue is empty. Does not wait for them.

        May be repeated, and releases whoever is inside `shut_down_with_drain`.
        """
        with self._lock:
            self._begin_shut_down(drain=False)

    def shut_down_with_drain(self) -> None:
        """Refuse new items and wait until all that were accepted are handed out and done.

        For ever, if a worker forgets `done` or no worker calls `get` any more; a `shut_down` from another
        thread is the way out.
        """
        with self._lock:
            self._begin_shut_down(drain=True)
            while self._draining and self._busy():
                self._drained.wait()

    def shutting_down(self) -> bool:
        """Return whether one of the shut-down methods has been called."""
        with self._lock:
            return self._shutting_down

    # What follows is called with the lock held.

    def _add(self, item: T) -> None:
        """Mark `item` dirty and queue it unless a worker holds it; the queue is open."""
        if item in self._dirty:
            if item not in self._processing:
                self._queue.touch(item)
            return
        self._metrics.add(item)
        self._dirty.add(item)
        if item not in self._processing:
            self._queue.push(item)
            # One item, one worker: waking all would only have the others find the queue empty again.
            self._not_empty.notify()

    def _busy(self) -> bool:
        """Return whether accepted items are still queued or in a worker's hands."""
        return bool(self._processing) or len(self._queue) > 0

    def _begin_shut_down(self, *, drain: bool) -> None:
        """Close the queue and wake everybody, each to look at the new state."""
        self._shutting_down = True
        self._draining = drain
        self._not_empty.notify_all()
        self._drained.notify_all()
