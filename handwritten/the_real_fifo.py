"""The queue of today's client-go: every piece of news in the order of its arrival, and nothing folded.

It stands where `delta_fifo.py` stands, between `reflector.py` and `informer.py`, behind the same seam (`fifo.py`);
`pipeline.py` says which one an informer gets. Counterpart of client-go's tools/cache/the_real_fifo.go, which its
informers use since 1.36. What is different from DeltaFIFO, each shown by a test:

- Deltas of one object are not gathered: a thousand changes are a thousand visits, each of them told.
- The order holds across objects, not only for each: what happened first is told first.
- Nothing is dropped. A second deletion in a row and the deletion of an unknown object go through too.
- A list is one piece of news (`ReplacedAll`). What has to be added, updated or deleted is found out when it is processed,
  by comparing with the store, which then knows which version it is at. Likewise a resync (`SyncAll`).
- Several changes may be popped as one batch, and processed without holding up the reflector.

With `atomic=False` a list is taken apart on entry, as in the first version of this type: tombstones first, so that
a handler hears of what is gone before what is there.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Iterable

from handwritten.clock import Clock, RealClock
from handwritten.delta_fifo import SLOW_DEPTH, SLOW_SECONDS
from handwritten.fifo import (
    Bookmark,
    DeletedFinalStateUnknown,
    Delta,
    Deltas,
    DeltaType,
    FIFOClosed,
    Payload,
    PopProcess,
    ReplacedAll,
    SyncAll,
    Transform,
    as_tombstone,
    payload_key,
)
from handwritten.store import KeyFunction, KnownObjects, Object, ObjectKeyError, meta_namespace_key

logger = logging.getLogger("handwritten.the_real_fifo")

# client-go's defaultBatchSize: 10,000 gained it another fifth of throughput, and held the store's lock ten times as long.
BATCH_SIZE = 1000

# These stand for the whole store: whatever is before them has to be in it, and nothing behind them.
_ALONE = frozenset({DeltaType.REPLACED_ALL, DeltaType.SYNC_ALL, DeltaType.BOOKMARK})


class RealFIFO:
    """A FIFO of deltas. Any number of producers; one consumer where `unlock_while_processing` is set.

    Locks: this queue's is taken before that of `known_objects`, never the other way round.
    """

    def __init__(
        self,
        *,
        known_objects: KnownObjects | None = None,
        atomic: bool = True,
        emit_bookmarks: bool = False,
        unlock_while_processing: bool = False,
        batch_size: int = BATCH_SIZE,
        key_function: KeyFunction = meta_namespace_key,
        transform: Transform | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Begin empty and not synced.

        `atomic` queues a list as one piece; else `known_objects` says what a list deletes. `emit_bookmarks` passes
        bookmarks on, `unlock_while_processing` lets producers in while the consumer works; both only if atomic.
        Raises ValueError for anything else: a mistake in the program.
        """
        if atomic is (known_objects is not None):
            raise ValueError("known_objects is for a queue that is not atomic, and that one needs it")
        if not atomic and (emit_bookmarks or unlock_while_processing):
            raise ValueError("bookmarks and processing without the lock need an atomic queue")
        self.atomic = atomic
        self.transform = transform
        self._known_objects = known_objects
        self._emit_bookmarks = emit_bookmarks
        self._unlock_while_processing = unlock_while_processing
        self._batch_size = batch_size
        self._key_function = key_function
        self._clock = clock or RealClock()
        # Guards everything below; notified when something comes in or the queue closes.
        self._changed = threading.Condition(threading.Lock())
        self._items: deque[Delta] = deque()
        self._populated = False
        # How many deltas of the first `replace` have not been processed yet.
        self._initial_population = 0
        self._closed = False

    # --- producers ----------------------------------------------------------------------------------------------------

    def add(self, obj: Object) -> None:
        """Queue an ADDED delta. Raises ObjectKeyError, or what the transform raises; nothing is queued then."""
        self._enqueue(DeltaType.ADDED, obj)

    def update(self, obj: Object) -> None:
        """Queue an UPDATED delta; errors as in `add`."""
        self._enqueue(DeltaType.UPDATED, obj)

    def delete(self, obj: Object | DeletedFinalStateUnknown) -> None:
        """Queue a DELETED delta, also for an object that nobody has heard of; errors as in `add`."""
        self._enqueue(DeltaType.DELETED, obj)

    def replace(self, objects: Iterable[Object], resource_version: str = "") -> None:
        """Queue a whole list. All or nothing when a key or the transform raises."""
        listed = [(self.key_of(obj), self._transformed(obj)) for obj in objects]
        with self._changed:
            if self.atomic:
                whole = ReplacedAll(resource_version, tuple(obj for _, obj in listed))
                self._append(Delta(DeltaType.REPLACED_ALL, whole))
            else:
                for tombstone in self._gone({key for key, _ in listed}):
                    self._append(Delta(DeltaType.DELETED, tombstone))
                for _, obj in listed:
                    self._append(Delta(DeltaType.REPLACED, obj))
            if not self._populated:
                self._populated = True
                self._initial_population = len(self._items)

    def resync(self) -> None:
        """Queue a resync of the store: as one piece, or of each known object that has no delta queued."""
        with self._changed:
            if self.atomic:
                self._append(Delta(DeltaType.SYNC_ALL, SyncAll()))
                return
            queued = {self.key_of(delta.object) for delta in self._items}
            for key in self._known_keys():
                obj = self._known_object(key)
                if key not in queued and obj is not None:
                    self._append(Delta(DeltaType.SYNC, obj))

    def bookmark(self, resource_version: str) -> None:
        """Queue a bookmark, if this queue was made to pass them on."""
        if self._emit_bookmarks:
            with self._changed:
                self._append(Delta(DeltaType.BOOKMARK, Bookmark(resource_version)))

    # --- the consumer -------------------------------------------------------------------------------------------------

    def pop(self, process: PopProcess) -> Deltas:
        """Wait for a delta, call `process` with it alone, return it; FIFOClosed when closed and empty.

        What `process` raises is passed on, and the delta is not queued again.
        """
        with self._changed:
            self._wait()
            return self._hand_out([self._items.popleft()], process)

    def pop_batch(self, process_batch: PopProcess, process: PopProcess) -> Deltas:
        """Like `pop`, but give several deltas of different objects to `process_batch` where there are some.

        No batch mixes the initial list with what came after it, names an object twice, or has anything beside a
        piece of news about the whole store. An object whose key the transform has broken ends the batch that it is in.
        """
        with self._changed:
            self._wait()
            batch = self._take_batch()
            return self._hand_out(batch, process if len(batch) == 1 else process_batch)

    def has_synced(self) -> bool:
        """Return whether the first `replace` has been processed, or something else came first. True for ever then."""
        with self._changed:
            return self._has_synced()

    def close(self) -> None:
        """Wake everyone who waits in `pop`. What is queued can still be popped."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def key_of(self, payload: Payload) -> str:
        """Return the key of an object or a tombstone. Raises ObjectKeyError."""
        return payload_key(payload, self._key_function)

    def __len__(self) -> int:
        """Return how many deltas wait."""
        with self._changed:
            return len(self._items)

    # --- what follows is called with the lock held --------------------------------------------------------------------

    def _wait(self) -> None:
        while not self._items:
            if self._closed:
                raise FIFOClosed
            self._clock.wait(self._changed, None)

    def _take_batch(self) -> Deltas:
        """Remove the deltas that may be processed together from the head of the queue; at least one."""
        # The initial list is told apart by counting, so a batch must not reach beyond it.
        most = min(self._batch_size, self._initial_population or self._batch_size)
        batch: Deltas = []
        keys: set[str] = set()
        while self._items and len(batch) < most:
            if self._items[0].type in _ALONE:
                return batch or [self._items.popleft()]
            try:
                key = self.key_of(self._items[0].object)
            except ObjectKeyError:
                return [*batch, self._items.popleft()]
            if key in keys:
                break
            keys.add(key)
            batch.append(self._items.popleft())
        return batch

    def _hand_out(self, deltas: Deltas, process: PopProcess) -> Deltas:
        is_in_initial_list = not self._has_synced()
        # Letting producers in is for a consumer that keeps up; one that does not is not to be buried.
        unlock = self._unlock_while_processing and len(self._items) < 2 * self._batch_size
        started = self._clock.now()
        if unlock:
            self._changed.release()
        try:
            process(deltas, is_in_initial_list)
        finally:
            if unlock:
                self._changed.acquire()
            # After processing, unlike in DeltaFIFO: without the lock, a count that has reached 0 before would tell that
            # objects are in the store which are not.
            self._initial_population = max(self._initial_population - len(deltas), 0)
            self._warn_when_slow(self._clock.now() - started)
        return deltas

    def _enqueue(self, delta_type: DeltaType, obj: Object | DeletedFinalStateUnknown) -> None:
        self.key_of(obj)
        # A tombstone holds what went through the transform when it was alive.
        payload = obj if isinstance(obj, DeletedFinalStateUnknown) else self._transformed(obj)
        with self._changed:
            self._populated = True
            self._append(Delta(delta_type, payload))

    def _append(self, delta: Delta) -> None:
        self._items.append(delta)
        self._changed.notify_all()

    def _transformed(self, obj: Object) -> Object:
        return self.transform(obj) if self.transform is not None else obj

    def _has_synced(self) -> bool:
        return self._populated and self._initial_population == 0

    def _gone(self, listed: set[str]) -> list[DeletedFinalStateUnknown]:
        """Return a tombstone for everything queued or known that is not listed and not queued as deleted."""
        newest = {self.key_of(delta.object): delta for delta in self._items}
        gone = [
            as_tombstone(key, delta.object)
            for key, delta in newest.items()
            if key not in listed and delta.type is not DeltaType.DELETED
        ]
        known = (key for key in self._known_keys() if key not in listed and key not in newest)
        return gone + [DeletedFinalStateUnknown(key, self._known_object(key)) for key in known]

    def _known_keys(self) -> list[str]:
        return self._known_objects.list_keys() if self._known_objects is not None else []

    def _known_object(self, key: str) -> Object | None:
        """Return the store's object; None when there is none or the lookup fails."""
        try:
            return self._known_objects.get_by_key(key) if self._known_objects is not None else None
        except Exception:
            logger.exception("Looking up a known object failed", extra={"key": key})
            return None

    def _warn_when_slow(self, seconds: float) -> None:
        if len(self._items) > SLOW_DEPTH and seconds > SLOW_SECONDS:
            extra = {"seconds": round(seconds, 3), "depth": len(self._items)}
            logger.warning("Slow processing holds up the queue", extra=extra)
