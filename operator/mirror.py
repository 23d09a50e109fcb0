"""One kind's objects as kopf's events tell of them: what kopf does not keep, kept.

    kopf's watch --- event ---> apply  --+
                                         +--> Indexer, and then the handlers of handwritten/nginxpod.py
    our own LIST -------------> refresh -+

kopf hands on every event and forgets it; it does not say when its first list is complete, nor which objects were gone
when it had to list again. A list of our own says both: at the start it fills the mirror, later it finds what vanished.
List and watch are not told apart by time, since either may be behind the other: the newer version of an object wins, and
an event that is no newer than the last list brings nothing back that the list did not show. `nginxpod_level.py` decides
when to list.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from handwritten.fifo import DeletedFinalStateUnknown
from handwritten.handlers import ResourceEventHandler
from handwritten.store import Indexer, meta_namespace_key
from twinloop.errors import TwinloopError
from twinloop.nginxpod import Object, uid_of

log = logging.getLogger("twinloop.operator")


class Mirror:
    """An `Indexer` that is kept up to date; `handler` hears of each change after it was made."""

    def __init__(self, indexer: Indexer, handler: ResourceEventHandler) -> None:
        self._indexer = indexer
        self._handler = handler
        # Events come from kopf's event loop, lists from a thread. No request is sent under it.
        self._lock = threading.Lock()
        # The uids that were deleted while a list was being read, which may still show them; None when none is.
        self._deleted: set[str] | None = None
        # The version of the last list, "" before the first: what it did not show was deleted at that version or before.
        self._listed = ""
        self.synced = False

    def apply(self, kind: str | None, obj: Object) -> None:
        """Take in an event of kopf's: ADDED, MODIFIED, DELETED, or None for an object that was listed."""
        with self._lock:
            if kind == "DELETED":
                self._delete(obj)
            elif self._is_known(obj) or _newer(_version(obj), self._listed):
                self._put(obj, initial=False)

    def refresh(self, read: Callable[[], Object]) -> None:
        """Read a whole list and become what it shows; whatever `read` raises passes, and nothing has changed."""
        with self._lock:
            self._deleted = set()
        try:
            listed = read()
            with self._lock:
                self._replace(listed["items"], str(listed["metadata"].get("resourceVersion", "")))
        finally:
            with self._lock:
                self._deleted = None

    def _replace(self, items: list[Object], version: str) -> None:
        present = {meta_namespace_key(obj) for obj in items}
        for known in self._indexer.list():
            key = meta_namespace_key(known)
            # An object that is newer than the list has been made after it.
            if key not in present and not _newer(_version(known), version):
                self._indexer.delete_by_key(key)
                self._handler.on_delete(DeletedFinalStateUnknown(key, known))
        for obj in items:
            if uid_of(obj) not in (self._deleted or ()):
                self._put(obj, initial=not self.synced)
        self._listed = version
        self.synced = True

    def _is_known(self, obj: Object) -> bool:
        return self._indexer.get_by_key(meta_namespace_key(obj)) is not None

    def _put(self, obj: Object, *, initial: bool) -> None:
        try:
            self._put_indexed(obj, initial=initial)
        except TwinloopError:
            # It costs that object, and not the list that it is in.
            log.exception("Object cannot be kept")

    def _put_indexed(self, obj: Object, *, initial: bool) -> None:
        known = self._indexer.get_by_key(meta_namespace_key(obj))
        if known is None:
            self._indexer.add(obj)
            self._handler.on_add(obj, initial)
        elif _newer(_version(obj), _version(known)):
            self._indexer.update(obj)
            self._handler.on_update(known, obj)

    def _delete(self, obj: Object) -> None:
        if self._deleted is not None:
            self._deleted.add(uid_of(obj))
        known = self._indexer.get_by_key(meta_namespace_key(obj))
        # kopf keeps the order of events for each uid, not for each name: the successor may have come first.
        if known is not None and uid_of(known) == uid_of(obj):
            self._indexer.delete(obj)
            self._handler.on_delete(obj)


def _version(obj: Object) -> str:
    return str(obj["metadata"].get("resourceVersion", ""))


def _newer(one: str, other: str) -> bool:
    """Whether `one` is a later version of the same kind's; the version of a list counts like that of an object.

    To a client versions were opaque, and are still on servers of old. Since Kubernetes 1.35 (KEP-5504) they are documented
    as decimal integers that may be compared within one kind. A server of another sort may count otherwise: versions that
    are no numbers cannot be ordered, and then any other one is newer. The next list puts right what that lets in.
    """
    if one.isdecimal() and other.isdecimal():
        return int(one) > int(other)
    return one != other
