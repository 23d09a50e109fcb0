"""The queue between the reflector and the cache: for each object, what happened to it since the last look.

The reflector (`reflector.py`) is the producer: it calls `add`, `update`, `delete`, `replace` and `resync`
with what it saw. The informer (`informer.py`) is the consumer: it pops one key at a time with all deltas
of that key, applies them to the store and tells the handlers. Counterpart of client-go's
tools/cache/delta_fifo.go.

Two facts make the queue more than a list of events:

- A key is in the queue once, at the place of its first delta. However many changes pile up while the
  consumer is busy, the object costs one visit, and no object can push itself in front of another.
- A `replace` knows what must be gone. Whatever was queued or is in the store (`known_objects`) but is not
  in the new list was deleted while nobody watched; it gets a Deleted delta with a tombstone
  (`DeletedFinalStateUnknown`) in place of the last state, which nobody saw.

client-go 1.36 replaced this type by RealFIFO in its informers. That one is `the_real_fifo.py`, behind the
same seam (`fifo.py`).
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Iterable

from handwritten.clock import Clock, RealClock
from handwritten.fifo import (
    DeletedFinalStateUnknown,
    Delta,
    Deltas,
    DeltaType,
    FIFOClosed,
    Payload,
    PopProcess,
    Transform,
    as_tombstone,
    payload_key,
)
from handwritten.store import KeyFunction, KnownObjects, Object, ObjectKeyError, meta_namespace_key

logger = logging.getLogger("handwritten.delta_fifo")

# When this many keys wait and one call of the consumer takes this long, the log says so: the cache falls
# behind the cluster. Both are client-go's (trace in DeltaFIFO.Pop).
SLOW_DEPTH = 10
SLOW_SECONDS = 0.1


class DeltaFIFO:
    """A FIFO of keys, each with its deltas. Thread-safe; producers never block for long.

    With `known_objects` (the informer's store) deletions are found for what is in the store, without it
    only for what is in the queue. Locks: this queue's is taken before that of `known_objects`, never
    the other way round.
    """

    # A list comes out object by object, so nobody can tell when the store is at the list's version.
    atomic = False

    def __init__(
        self,
        *,
        known_objects: KnownObjects | None = None,
        key_function: KeyFunction = meta_namespace_key,
        transform: Transform | None = None,
        emit_replaced: bool = True,
        clock: Clock | None = None,
    ) -> None:
        """Begin empty and not synced.

        `transform` is applied once to each object that comes in. `emit_replaced=False` marks listed
        objects SYNC in place of REPLACED, as client-go did before the type existed; informers want True.
        The clock, RealClock when None, only times the consumer.
        """
        self._key_function = key_function
        self._known_objects = known_objects
        self.transform = transform
        self._list_type = DeltaType.REPLACED if emit_replaced else DeltaType.SYNC
        self._clock = clock or RealClock()
        # Guards everything below, and is held while a popped item is processed: queue and store are never
        # seen at different stages by `replace` and `delete`, which look at both. Not re-entrant on purpose:
        # a `process` that called the queue would wait for itself in client-go too.
        self._changed = threading.Condition(threading.Lock())
        # Invariant: a key is in _queue exactly once when it is in _items, and not otherwise.
        self._items: dict[str, Deltas] = {}
        self._queue: deque[str] = deque()
        self._populated = False
        # How many keys of the first `replace` nobody has popped yet.
        self._initial_population = 0
        self._closed = False

    def add(self, obj: Object) -> None:
        """Queue an ADDED delta. Raises ObjectKeyError, or what the transform raises; nothing is queued then."""
        self._enqueue(DeltaType.ADDED, obj)

    def update(self, obj: Object) -> None:
        """Queue an UPDATED delta; errors as in `add`."""
        self._enqueue(DeltaType.UPDATED, obj)

    def delete(self, obj: Object | DeletedFinalStateUnknown) -> None:
        """Queue a DELETED delta, unless neither the queue nor `known_objects` has heard of the object.

        Errors as in `add`.
        """
        key = self.key_of(obj)
        with self._changed:
            self._populated = True
            if key in self._items or self._is_known(key):
                # A tombstone holds what went through the transform when it was alive.
                last = obj if isinstance(obj, DeletedFinalStateUnknown) else self._transformed(obj)
                self._append(key, Delta(DeltaType.DELETED, last))

    def replace(self, objects: Iterable[Object], resource_version: str = "") -> None:  # noqa: ARG002 - see below
        """Queue a REPLACED delta for each of `objects`, then a tombstone for everything else.

        A REPLACED is queued even behind a DELETED: the list is newer than the deletion
        (kubernetes#83810). All or nothing when a key or the transform raises.

        `resource_version` is not kept: `ReflectorStore` has it for stores that tell their readers how
        fresh they are, which this queue cannot know.
        """
        listed = [(self.key_of(obj), self._transformed(obj)) for obj in objects]
        keys = {key for key, _ in listed}
        with self._changed:
            for key, obj in listed:
                self._append(key, Delta(self._list_type, obj))
            gone = [self._queued_tombstone(key) for key in self._items if key not in keys]
            known = (key for key in self._known_keys() if key not in keys and key not in self._items)
            gone += [DeletedFinalStateUnknown(key, self._known_object(key)) for key in known]
            for tombstone in gone:
                self._append(tombstone.key, Delta(DeltaType.DELETED, tombstone))
            if not self._populated:
                self._populated = True
                self._initial_population = len(keys) + len(gone)

    def resync(self) -> None:
        """Queue a SYNC delta for each known object that has no delta queued: those are newer than the store."""
        with self._changed:
            for key in self._known_keys():
                obj = self._known_object(key)
                if key not in self._items and obj is not None:
                    self._append(key, Delta(DeltaType.SYNC, obj))

    def pop(self, process: PopProcess) -> Deltas:
        """Wait for a key, take it out with all its deltas, call `process` with them, return them.

        `process` runs under the queue's lock. What it raises is passed on and the key is not queued
        again. Raises FIFOClosed when the queue is closed and empty.
        """
        with self._changed:
            while not self._queue:
                if self._closed:
                    raise FIFOClosed
                self._clock.wait(self._changed, None)
            # Both before the item counts as popped: the last one of the initial list still belongs to it.
            is_in_initial_list = not self._has_synced()
            deltas = self._items.pop(key := self._queue.popleft())
            self._initial_population = max(self._initial_population - 1, 0)
            started = self._clock.now()
            try:
                process(deltas, is_in_initial_list)
            finally:
                self._warn_when_slow(key, self._clock.now() - started)
            return deltas

    def has_synced(self) -> bool:
        """Return whether the first `replace` has been popped whole, or something else came first.

        Waits for a `process` that is under way, so True means that the items are in the store. Once
        True it stays True.
        """
        with self._changed:
            return self._has_synced()

    def close(self) -> None:
        """Wake everyone who waits in `pop`. What is queued can still be popped."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def key_of(self, obj: Payload | Deltas) -> str:
        """Return the key of an object, of a tombstone, or of the newest of some deltas. Raises ObjectKeyError."""
        if isinstance(obj, list):
            if not obj:
                raise ObjectKeyError("an empty list of deltas has no key", obj)
            obj = obj[-1].object
        return payload_key(obj, self._key_function)

    def __len__(self) -> int:
        """Return how many keys wait."""
        with self._changed:
            return len(self._queue)

    def _enqueue(self, delta_type: DeltaType, obj: Object) -> None:
        key = self.key_of(obj)
        with self._changed:
            self._populated = True
            self._append(key, Delta(delta_type, self._transformed(obj)))

    def _append(self, key: str, delta: Delta) -> None:
        """Add one delta; the lock is held. The key keeps the place that it has, or takes the last one."""
        if key not in self._items:
            self._queue.append(key)
            self._items[key] = []
        deltas = self._items[key]
        if deltas and deltas[-1].type is delta.type is DeltaType.DELETED:
            deltas[-1] = _one_deletion(deltas[-1], delta)
        else:
            deltas.append(delta)
        self._changed.notify_all()

    def _transformed(self, obj: Object) -> Object:
        return self.transform(obj) if self.transform is not None else obj

    def _has_synced(self) -> bool:
        return self._populated and self._initial_population == 0

    def _queued_tombstone(self, key: str) -> DeletedFinalStateUnknown:
        """Return a tombstone with the newest state in the queue, which is newer than the store's."""
        return as_tombstone(key, self._items[key][-1].object)

    def _known_keys(self) -> list[str]:
        return self._known_objects.list_keys() if self._known_objects is not None else []

    def _known_object(self, key: str) -> Object | None:
        """Return the store's object; None when there is none or the lookup fails."""
        try:
            return self._known_objects.get_by_key(key) if self._known_objects is not None else None
        except Exception:
            logger.exception("Looking up a known object failed", extra={"key": key})
            return None

    def _is_known(self, key: str) -> bool:
        """Return whether the store may have the object: a failing lookup must not swallow a deletion."""
        try:
            return self._known_objects is not None and self._known_objects.get_by_key(key) is not None
        except Exception:
            logger.exception("Looking up a known object failed", extra={"key": key})
            return True

    def _warn_when_slow(self, key: str, seconds: float) -> None:
        if len(self._queue) > SLOW_DEPTH and seconds > SLOW_SECONDS:
            logger.warning(
                "Slow processing holds up the queue",
                extra={"key": key, "seconds": round(seconds, 3), "depth": len(self._queue)},
            )


def _one_deletion(older: Delta, newer: Delta) -> Delta:
    """Choose between two deletions in a row: the older one, unless that is a tombstone and knows less."""
    return newer if isinstance(older.object, DeletedFinalStateUnknown) else older
