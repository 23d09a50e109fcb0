"""An API server's list and watch of one kind, in memory: what tests and learners feed an informer with.

It keeps objects and the history of their changes, numbers the changes as etcd does, replays what a watch
has missed, and forgets its history on demand, which is how a 410 comes about. Counterpart of client-go's
tools/cache/testing/fake_controller_source.go and of watch.FakeWatcher.

    source = FakeControllerSource()
    source.add({"metadata": {"namespace": "default", "name": "web"}})
    informer = SharedInformer(source, clock=RealClock(), rng=random.Random())
"""

from __future__ import annotations

import copy
import threading
from collections import deque
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from handwritten.store import Object, meta_namespace_key
from handwritten.watch_handler import INITIAL_EVENTS_END
from twinloop.errors import ApiError, Gone


class FakeWatch:
    """A `handwritten.listwatch.Watch` whose events a test puts in."""

    def __init__(self, events: list[Object | Exception] | None = None, *, ended: bool = False) -> None:
        """Begin with `events`; `ended` makes it end behind them, as a server that times the watch out."""
        # Guards all below; notified when any of it changes.
        self._changed = threading.Condition(threading.Lock())
        self._events: deque[Object | Exception] = deque(events or ())
        self._ended = ended
        self._stops = 0

    def send(self, event_type: str, obj: Object) -> None:
        """Put in an event."""
        with self._changed:
            self._events.append({"type": event_type, "object": copy.deepcopy(obj)})
            self._changed.notify_all()

    def fail(self, error: Exception) -> None:
        """Let the iteration raise `error` behind what was put in before."""
        with self._changed:
            self._events.append(error)
            self._changed.notify_all()

    def end(self) -> None:
        """End as a server does: what was put in is still delivered."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def stop(self) -> None:
        """End as the client does: nothing more is delivered."""
        with self._changed:
            self._stops += 1
            self._ended = True
            self._events.clear()
            self._changed.notify_all()

    @property
    def stops(self) -> int:
        """How often `stop` was called."""
        with self._changed:
            return self._stops

    def __iter__(self) -> Iterator[Object]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._events or self._ended)
                if not self._events:
                    return
                event = self._events.popleft()
            if isinstance(event, Exception):
                raise event
            yield event

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()


class FakeControllerSource:
    """A `handwritten.listwatch.ListerWatcher` over objects in memory. Thread-safe.

    The methods with `_drop_watch` change an object without telling the open watches, as if the connection
    had lost it; a later list or watch shows it.
    """

    def __init__(self) -> None:
        """Begin without objects, at version 1 like an empty etcd: "0" has a meaning of its own."""
        self._lock = threading.Lock()
        self._items: dict[str, Object] = {}
        # One event for each version after `_forgotten`.
        self._changes: list[tuple[int, Object]] = []
        self._version = 1
        self._forgotten = 0
        self._watches: list[FakeWatch] = []
        # What each `list` and `watch` raises from now on.
        self.list_error: ApiError | None = None
        self.watch_error: ApiError | None = None

    def add(self, obj: Object) -> None:
        """Store an object under a new version and tell the watches."""
        self._change("ADDED", obj)

    def modify(self, obj: Object) -> None:
        """Store an object under a new version and tell the watches."""
        self._change("MODIFIED", obj)

    def delete(self, obj: Object) -> None:
        """Remove an object and tell the watches its last state, with the deletion's version."""
        self._change("DELETED", obj)

    def add_drop_watch(self, obj: Object) -> None:
        """Store an object and tell nobody."""
        self._change("ADDED", obj, tell=False)

    def modify_drop_watch(self, obj: Object) -> None:
        """Change an object and tell nobody."""
        self._change("MODIFIED", obj, tell=False)

    def delete_drop_watch(self, obj: Object) -> None:
        """Remove an object and tell nobody."""
        self._change("DELETED", obj, tell=False)

    def bookmark(self) -> None:
        """Tell the watches the present version."""
        with self._lock:
            for watch in self._watches:
                watch.send("BOOKMARK", {"metadata": {"resourceVersion": str(self._version)}})

    def end_watches(self) -> None:
        """End all open watches, as a server does whose time is over."""
        with self._lock:
            watches, self._watches = self._watches, []
        for watch in watches:
            watch.end()

    def reset_watch(self) -> None:
        """End all open watches and forget the history: a watch from before gets 410 Expired."""
        with self._lock:
            self._forgotten = self._version
            self._changes.clear()
        self.end_watches()

    def list(self, *, resource_version: str, limit: int, continue_token: str) -> Object:
        """See `ListerWatcher`. In one page always, like the watch cache; at the present version always."""
        del resource_version, limit, continue_token
        with self._lock:
            if self.list_error is not None:
                raise self.list_error
            items = copy.deepcopy([*self._items.values()])
            return {"metadata": {"resourceVersion": str(self._version)}, "items": items}

    def watch(self, *, resource_version: str, timeout_seconds: int, send_initial_events: bool = False) -> FakeWatch:
        """See `ListerWatcher`; it never times out. Raises Gone for a version whose history is forgotten."""
        del timeout_seconds
        version = int(resource_version or "0")
        with self._lock:
            if self.watch_error is not None:
                raise self.watch_error
            if send_initial_events:
                return self._watch_from_the_beginning()
            if version < self._forgotten:
                raise Gone(f"too old resource version: {version} ({self._version})", code=410, reason="Expired")
            if version > self._version:
                raise ApiError("resource version in the future not supported by this fake", code=400)
            watch = FakeWatch([copy.deepcopy(event) for at, event in self._changes if at > version])
            self._watches.append(watch)
            return watch

    def _watch_from_the_beginning(self) -> FakeWatch:
        """Return a watch that begins with all objects and a bookmark; the lock is held."""
        initial: list[Object | Exception] = [
            {"type": "ADDED", "object": copy.deepcopy(obj)} for obj in self._items.values()
        ]
        metadata = {"resourceVersion": str(self._version), "annotations": {INITIAL_EVENTS_END: "true"}}
        watch = FakeWatch([*initial, {"type": "BOOKMARK", "object": {"metadata": metadata}}])
        self._watches.append(watch)
        return watch

    def _change(self, event_type: str, obj: Object, *, tell: bool = True) -> None:
        obj = copy.deepcopy(obj)
        key = meta_namespace_key(obj)
        with self._lock:
            self._version += 1
            obj["metadata"]["resourceVersion"] = str(self._version)
            if event_type == "DELETED":
                self._items.pop(key, None)
            else:
                self._items[key] = obj
            self._changes.append((self._version, {"type": event_type, "object": obj}))
            for watch in self._watches if tell else ():
                watch.send(event_type, obj)
