"""Applying deltas: the store first, then the word to the handlers.

The informer (`informer.py`) pops deltas from its queue and hands them here; from here they reach the cache (`store.py`)
and, as notifications, the handlers' threads (`processor.py`). Counterpart of processDeltas, processDeltasInBatch and
processReplacedAllInfo in client-go's tools/cache/controller.go.

One rule holds throughout: a handler is told of nothing that is not in the store yet. And whether something is an add or
an update is the store's to say, whatever the delta's type is: a watch may call an object new that a list has brought.
"""

from __future__ import annotations

import logging
from typing import Protocol

from handwritten.fifo import (
    Bookmark,
    DeletedFinalStateUnknown,
    Delta,
    Deltas,
    DeltaType,
    ReplacedAll,
    SyncAll,
)
from handwritten.handlers import AddNotification, DeleteNotification, Notification, UpdateNotification
from handwritten.mutation_detector import MutationDetector
from handwritten.store import Change, Indexer, Object, ObjectKeyError, TransactionError, meta_namespace_key

logger = logging.getLogger("handwritten.process_deltas")


class Distributor(Protocol):
    """Whoever passes notifications on to handlers."""

    def distribute(self, notification: Notification, *, is_sync: bool) -> None:
        """Pass it on, with `is_sync` only to those who want to be told again what they know."""
        ...


class DeltaProcessor:
    """Applies deltas to one store. Not thread-safe: the informer calls it under its lock."""

    def __init__(
        self, indexer: Indexer, distributor: Distributor, *, name: str, detector: MutationDetector | None = None
    ) -> None:
        """`name` is the informer's, for the log; `detector` gets every object that is handed out."""
        self._indexer = indexer
        self._distributor = distributor
        self._name = name
        self._detector = detector
        # How many changes the store has refused.
        self.failures = 0

    def process(self, deltas: Deltas, is_in_initial_list: bool) -> None:
        """Apply deltas one by one, oldest first."""
        for delta in deltas:
            try:
                self._process(delta, is_in_initial_list)
            # An index function that raises; handlers have their own threads. One state of one object is missing
            # then, while losing the thread would lose them all, and losing the deltas behind it a deletion.
            except Exception as error:  # noqa: BLE001
                self._failed(error)

    def process_batch(self, deltas: Deltas, is_in_initial_list: bool) -> None:
        """Apply deltas of different objects in one step of the store, then tell of those that it took."""
        notifications = [self._notification(delta, is_in_initial_list) for delta in deltas]
        self._apply([_change(delta) for delta in deltas], notifications)

    def _apply(self, changes: list[Change], notifications: list[Notification], resource_version: str = "") -> None:
        """Change the store in one step, then tell of what it took: `notifications` are in the order of `changes`."""
        refused: frozenset[int] = frozenset()
        try:
            self._indexer.transaction(changes, resource_version)
        except TransactionError as error:
            refused = frozenset(error.errors)
            for each in error.errors.values():
                self._failed(each)
        for place, notification in enumerate(notifications):
            if place not in refused:
                self._tell(notification)

    def _process(self, delta: Delta, is_in_initial_list: bool) -> None:
        payload = delta.object
        if isinstance(payload, ReplacedAll):
            self._replace_all(payload, is_in_initial_list)
        elif isinstance(payload, SyncAll):
            for obj in self._indexer.list():
                self._tell(UpdateNotification(obj, obj))
        elif isinstance(payload, Bookmark):
            self._indexer.bookmark(payload.resource_version)
        else:
            notification = self._notification(delta, is_in_initial_list)
            if isinstance(payload, DeletedFinalStateUnknown):
                self._indexer.delete_by_key(payload.key)
            elif delta.type is DeltaType.DELETED:
                self._indexer.delete(payload)
            else:
                self._indexer.update(payload)
            self._tell(notification)

    def _notification(self, delta: Delta, is_in_initial_list: bool) -> Notification:
        """Return what is to be said once the store has taken a delta about one object; to be called before it does."""
        payload = delta.object
        assert isinstance(payload, dict | DeletedFinalStateUnknown)  # noqa: S101 - the queue's promise
        if delta.type is DeltaType.DELETED or isinstance(payload, DeletedFinalStateUnknown):
            return DeleteNotification(payload)
        try:
            old = self._indexer.get(payload)
        except ObjectKeyError:  # the store will refuse it
            old = None
        return _put_notification(old, payload, is_in_initial_list)

    def _replace_all(self, whole: ReplacedAll, is_in_initial_list: bool) -> None:
        """Make the store exactly this list, then tell of what is gone, then of what is there, in the list's order."""
        listed = {meta_namespace_key(obj): obj for obj in whole.objects}
        before = {meta_namespace_key(obj): obj for obj in self._indexer.list()}
        gone = {key: old for key, old in before.items() if key not in listed}
        notifications: list[Notification] = [
            *(DeleteNotification(DeletedFinalStateUnknown(key, old)) for key, old in gone.items()),
            *(_put_notification(before.get(key), new, is_in_initial_list) for key, new in listed.items()),
        ]
        # As changes and not by `Indexer.replace`: that one refuses the whole list for one object without an index.
        changes = [*(Change(None, deleted=True, key=key) for key in gone), *(Change(obj) for obj in listed.values())]
        self._apply(changes, notifications, whole.resource_version)

    def _tell(self, notification: Notification) -> None:
        is_sync = False
        if isinstance(notification, UpdateNotification):
            # Nothing new: a resync, or a list that says what we know. Only for those who asked for it.
            is_sync = _resource_version(notification.old) == _resource_version(notification.new)
        if self._detector is not None and not isinstance(notification, DeleteNotification):
            self._detector.add_object(
                notification.new if isinstance(notification, UpdateNotification) else notification.obj
            )
        self._distributor.distribute(notification, is_sync=is_sync)

    def _failed(self, error: Exception) -> None:
        logger.error("Applying a change to the cache failed", exc_info=error, extra={"informer": self._name})
        self.failures += 1


def _put_notification(old: Object | None, new: Object, is_in_initial_list: bool) -> Notification:
    return AddNotification(new, is_in_initial_list) if old is None else UpdateNotification(old, new)


def _change(delta: Delta) -> Change:
    if isinstance(delta.object, DeletedFinalStateUnknown):
        return Change(None, deleted=True, key=delta.object.key)
    return Change(delta.object if isinstance(delta.object, dict) else None, deleted=delta.type is DeltaType.DELETED)


def _resource_version(obj: Object) -> object:
    return obj["metadata"].get("resourceVersion")
