"""Records a namespace while a case runs: one thread a kind, from a list on, through every reconnection.

Fills a `record.Record` for `judges` and keeps the latest state, so that a test waits on what the API server said
instead of asking again and again. A watch that ends is taken up where it stopped. When the API server no longer
knows that point (after its restart its watch cache is young), the kind is listed again behind a GAP entry, and
judges know that they do not know.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self, TypeVar

from e2e.record import DELETED, GAP, LISTED, Entry, Object, Record, State, apply, name_of, uid_of
from twinloop.errors import ApiError, Gone
from twinloop.kube import Client, Resource, WatchStream, decode_event, error_from_status

T = TypeVar("T")

# The server ends a watch after this long; shorter than idle_timeout, so that a dead connection is noticed.
WATCH_SECONDS = 120
IDLE_SECONDS = 150.0
# How soon a refused connection is tried again: a case that kills the API server wants to see its first words.
RETRY_SECONDS = 0.1
# A condition that depends on more than the record is looked at again after this long at the latest.
LOOK_AGAIN_SECONDS = 0.2


class Recorder:
    """Watches kinds of one namespace between `with` and its end.

    When `__enter__` returns, the first lists are in the record: what happens later is a change.
    """

    def __init__(self, client: Client, namespace: str, resources: Iterable[Resource]) -> None:
        self._client = client
        self._namespace = namespace
        self._resources = list(resources)
        self._entries: list[Entry] = []
        self._state: dict[str, State] = {resource.plural: {} for resource in self._resources}
        # Guards the two above, and wakes whoever waits for a change.
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._streams: dict[str, WatchStream] = {}

    def __enter__(self) -> Self:
        for resource in self._resources:
            version = self._list(resource)
            threading.Thread(target=self._follow, args=(resource, version), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        with self._changed:
            streams = list(self._streams.values())
        for stream in streams:
            stream.close()

    def record(self) -> Record:
        """Everything so far."""
        with self._changed:
            return Record(tuple(self._entries))

    def state(self, resource: str) -> State:
        """The latest known objects of a kind, by name."""
        with self._changed:
            return dict(self._state[resource])

    def wait(self, condition: Callable[[], T | None], timeout: float) -> T | None:
        """The first true answer of `condition`, asked at each change; None after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while True:
            with self._changed:
                seen = len(self._entries)
            answer = condition()
            left = deadline - time.monotonic()
            if answer or left <= 0:
                return answer or None
            with self._changed:
                if len(self._entries) == seen:
                    self._changed.wait(min(left, LOOK_AGAIN_SECONDS))

    # --- the threads --------------------------------------------------------------------------------------------------

    def _follow(self, resource: Resource, version: str) -> None:
        while not self._stop.is_set():
            try:
                version = self._watch(resource, version)
            except Gone:
                version = self._list_again(resource)
            except ApiError:
                self._stop.wait(RETRY_SECONDS)

    def _watch(self, resource: Resource, version: str) -> str:
        """One watch to its end; the resource version to go on from.

        An error inside the stream must not lose what came before it, so it is kept until the version is known.
        """
        with self._client.watch(
            resource,
            self._namespace,
            resource_version=version,
            timeout_seconds=WATCH_SECONDS,
            idle_timeout=IDLE_SECONDS,
        ) as stream:
            with self._changed:
                self._streams[resource.plural] = stream
            try:
                for line in stream:
                    event = decode_event(line)
                    if self._stop.is_set():
                        break
                    if event["type"] == "ERROR":
                        raise error_from_status(event["object"])
                    version = event["object"]["metadata"]["resourceVersion"]
                    if event["type"] != "BOOKMARK":
                        self._add([Entry(time.monotonic(), resource.plural, event["type"], event["object"])])
            except Gone:
                raise
            except ApiError:
                # Broken off, or closed by __exit__: what came so far stays, and `version` says where to go on.
                self._stop.wait(RETRY_SECONDS)
        return version

    def _list(self, resource: Resource) -> str:
        answer = self._client.list_all(resource, self._namespace)
        now = time.monotonic()
        # An empty list is an entry too: a record without any would mean that nobody looked.
        self._add([Entry(now, resource.plural, LISTED, obj) for obj in answer["items"] or [{}]])
        return str(answer["metadata"]["resourceVersion"])

    def _list_again(self, resource: Resource) -> str:
        while not self._stop.is_set():
            try:
                answer = self._client.list_all(resource, self._namespace)
            except ApiError:
                self._stop.wait(RETRY_SECONDS)
            else:
                self._add(_difference(resource.plural, self.state(resource.plural), answer["items"]))
                return str(answer["metadata"]["resourceVersion"])
        return ""

    def _add(self, entries: list[Entry]) -> None:
        with self._changed:
            self._entries += entries
            for entry in entries:
                apply(self._state[entry.resource], entry)
            self._changed.notify_all()


def _difference(plural: str, before: State, items: list[Object]) -> list[Entry]:
    """The entries that turn `before` into a fresh list, behind the GAP that says so."""
    now = time.monotonic()
    after = {name_of(obj): obj for obj in items}
    entries = [Entry(now, plural, GAP, {})]
    for name, obj in before.items():
        if name not in after or uid_of(after[name]) != uid_of(obj):
            entries.append(Entry(now, plural, DELETED, obj))
    for name, obj in after.items():
        if name not in before or before[name] != obj:
            type_ = "MODIFIED" if name in before and uid_of(before[name]) == uid_of(obj) else "ADDED"
            entries.append(Entry(now, plural, type_, obj))
    return entries
