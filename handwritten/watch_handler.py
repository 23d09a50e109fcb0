"""One watch, event by event, into one store.

The reflector (`reflector.py`) opens a watch and gives its events here; `watch_list.py` does so for the beginning of a
stream that stands for a list. Counterpart of handleAnyWatch in client-go's tools/cache/reflector.go.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

from handwritten.fifo import BookmarkStore
from handwritten.listwatch import watch_error
from handwritten.store import Object
from twinloop.errors import CorruptAnswer

logger = logging.getLogger("handwritten.reflector")

EVENT_TYPES = ("ADDED", "MODIFIED", "DELETED", "BOOKMARK")

# On the bookmark that ends the initial events of a watch with sendInitialEvents (metav1.InitialEventsAnnotationKey).
INITIAL_EVENTS_END = "k8s.io/initial-events-end"


class EventStore(Protocol):
    """What the events of a watch are written to."""

    def add(self, obj: Object) -> None:
        """Take in an object that the watch calls new."""
        ...

    def update(self, obj: Object) -> None:
        """Take in a changed object."""
        ...

    def delete(self, obj: Object) -> None:
        """Take in the last state of a deleted object."""
        ...


class WatchHandler:
    """Applies the events of one watch to one store. For one thread."""

    def __init__(
        self,
        store: EventStore,
        *,
        name: str,
        expected_kind: str = "",
        in_order: bool = True,
        moved: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`moved` hears the version of each event that was applied.

        Without `in_order` it does not hear of the ADDED events at the beginning: a watch from "" or "0" begins with
        what exists, in no order of versions. Events of another kind than `expected_kind` are skipped; "" takes all.
        """
        self._store = store
        self._bookmarks = store if isinstance(store, BookmarkStore) else None
        self._name = name
        self._expected_kind = expected_kind
        self._in_order = in_order
        self._moved = moved
        # How many events came, and the version at which the initial ones ended: "" while they have not.
        self.events = 0
        self.initial_events_end = ""

    def handle(self, event: Object) -> None:
        """Apply one event. Raises the error of an ERROR event, CorruptAnswer for an object without a version."""
        kind, obj = event["type"], event["object"]
        if kind == "ERROR":
            raise watch_error(event)
        self.events += 1
        wrong_kind = bool(self._expected_kind) and obj.get("kind") != self._expected_kind
        if kind not in EVENT_TYPES or wrong_kind:
            extra = {"reflector": self._name, "type": kind, "kind": obj.get("kind")}
            logger.error("Unexpected watch event skipped", extra=extra)
            return
        version = resource_version_of(obj)
        self._store_event(kind, obj, version)
        if kind == "BOOKMARK" and _ends_initial_events(obj):
            self.initial_events_end = version
        self._in_order = self._in_order or kind != "ADDED"
        if self._in_order:
            self._moved(version)

    def _store_event(self, kind: str, obj: Object, version: str) -> None:
        """Write one event to the store. What the store cannot take is logged: no later event waits for it."""
        try:
            if kind == "ADDED":
                self._store.add(obj)
            elif kind == "MODIFIED":
                self._store.update(obj)
            elif kind == "DELETED":
                self._store.delete(obj)
            elif self._bookmarks is not None:
                self._bookmarks.bookmark(version)
        except Exception:
            extra = {"reflector": self._name, "type": kind, "resource_version": version}
            logger.exception("The store refused a watch event", extra=extra)


def resource_version_of(obj: Object) -> str:
    """Return metadata.resourceVersion; CorruptAnswer when there is none: such an object never left a server."""
    metadata = obj.get("metadata")
    version = metadata.get("resourceVersion") if isinstance(metadata, dict) else None
    if not isinstance(version, str) or not version:
        raise CorruptAnswer("a watch event's object has no metadata.resourceVersion")
    return version


def _ends_initial_events(bookmark: Object) -> bool:
    annotations = bookmark["metadata"].get("annotations")
    return isinstance(annotations, dict) and annotations.get(INITIAL_EVENTS_END) == "true"
