"""The delaying queue: an item that comes back when its time has come.

client-go: util/workqueue/delaying_queue.go. The sync function says when it wants to be asked again, and
ratelimit.py how long a failed key has to wait; both end here. A thread of the queue's own holds what
waits in a heap and adds it to the work queue (workqueue.py) when it is ready.

An item that waits and the same item in the work queue know nothing of each other: a plain `add` does
not cancel the delay, and when the delay is over the item is simply added, which the work queue folds
into what is already there. A spare sync is harmless, a lost one is not.

Deliberate differences to client-go:

- An item goes straight into the heap, under the queue's lock. In client-go it goes through a channel
  of 1000 places to the waiting goroutine, and `AddAfter` blocks while that is full.
- No heartbeat. Client-go looks at its heap every 10 s in case a timer was lost; here deadline and
  heap are looked at under one lock, so there is no timer to lose, and an idle queue never wakes.
- The thread ends at once in both kinds of shut-down. In client-go, `ShutDownWithDrain` leaves it to its
  next look at the queue, up to 10 s later.
"""

from __future__ import annotations

import heapq
import itertools
import threading

from handwritten.clock import Clock
from handwritten.metrics import MetricsProvider
from handwritten.workqueue import Queue, T, WorkQueue

# Outdated heap entries that are put up with before the heap is rebuilt without them.
_SPARE_ENTRIES = 64


class DelayingQueue(WorkQueue[T]):
    """A work queue with `add_after`. Its thread runs from the start until a shut-down.

    Nobody may forget to shut it down: the thread (a daemon, so that it does not keep a process alive)
    keeps the queue alive.

    Locks: the waiting thread holds the queue's one lock except while it waits for time, so moving
    ready items into the queue is one step for everybody else. `_earlier` is notified when there is
    a new earliest deadline or the queue closes; a later deadline needs nobody to wake up.
    """

    def __init__(
        self,
        *,
        name: str = "",
        clock: Clock | None = None,
        metrics: MetricsProvider | None = None,
        queue: Queue[T] | None = None,
    ) -> None:
        """Make an open queue and start its thread; see WorkQueue. `clock` is what the delays go by."""
        super().__init__(name=name, clock=clock, metrics=metrics, queue=queue)
        self._earlier = threading.Condition(self._lock)
        # Entries are (ready at, sequence number, item); the number keeps the order of equal times and
        # spares items from being compared. An entry counts while `_waiting` holds it for its item.
        self._heap: list[tuple[float, int, T]] = []
        self._waiting: dict[T, tuple[float, int, T]] = {}
        self._sequence = itertools.count()
        self._thread = threading.Thread(target=self._waiting_loop, name=f"workqueue-{name or 'delays'}", daemon=True)
        self._thread.start()

    def add_after(self, item: T, seconds: float) -> None:
        """Add `item` when `seconds` have passed; at once if that is not a positive number.

        Of several delays of an item the one that ends first counts, once. Ignored after a shut-down.
        Takes O(log n) for n waiting items. Counts as a retry.
        """
        with self._lock:
            if self._shutting_down:
                return
            self._metrics.retry()
            if seconds > 0:
                self._insert(item, self._clock.now() + seconds)
            else:  # also for nan, which would spoil the order of the heap
                self._add(item)

    def shut_down(self) -> None:
        """See `WorkQueue.shut_down`. What still waits for its time is dropped."""
        super().shut_down()
        self._thread.join()

    def shut_down_with_drain(self) -> None:
        """See `WorkQueue.shut_down_with_drain`. What still waits for its time is dropped, not drained.

        As in client-go: a delay may be as long as a quarter of an hour, and the reason for it, a pod that is
        not ready or a server that refuses, has not gone away. The next start lists everything anyway.
        """
        super().shut_down_with_drain()
        self._thread.join()

    # What follows is called, or runs, with the lock held.

    def _begin_shut_down(self, *, drain: bool) -> None:
        super()._begin_shut_down(drain=drain)
        self._heap.clear()
        self._waiting.clear()
        self._earlier.notify()

    def _insert(self, item: T, ready_at: float) -> None:
        """Put `item` on the heap unless it is there with an earlier time."""
        known = self._waiting.get(item)
        if known is not None and known[0] <= ready_at:
            return
        # An entry that is overtaken stays in the heap, without meaning, until its time comes: removing it
        # from the middle would cost O(n). The rebuild bounds what a key with ever shorter delays leaves.
        entry = (ready_at, next(self._sequence), item)
        self._waiting[item] = entry
        heapq.heappush(self._heap, entry)
        if len(self._heap) > 2 * len(self._waiting) + _SPARE_ENTRIES:
            self._heap = list(self._waiting.values())
            heapq.heapify(self._heap)
        if self._heap[0] is entry:
            self._earlier.notify()

    def _waiting_loop(self) -> None:
        """Move items as they get ready, until the queue is shut down; the body of the thread."""
        with self._lock:
            while not self._shutting_down:
                self._move_ready(self._clock.now())
                # Until the instant, not for a number of seconds: a step of a fake clock between the reading
                # above and the waiting is then seen, and a long pass above shortens the wait.
                self._clock.wait_until(self._earlier, self._heap[0][0] if self._heap else None)

    def _move_ready(self, now: float) -> None:
        """Add all items that are ready, in the order of their times; leave a live entry on top."""
        while self._heap:
            entry = self._heap[0]
            ready_at, _, item = entry
            live = self._waiting.get(item) is entry
            if live and ready_at > now:
                return
            heapq.heappop(self._heap)
            if live:
                del self._waiting[item]
                self._add(item)
