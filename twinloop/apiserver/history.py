"""What happened, in order: the events that watches replay and from which an old list is made again.

`storage.py` appends every committed change; `verbs/watch.py` reads from a revision on, `verbs/read.py` undoes events to
show a collection as it was when a continue token was handed out. Events older than the limit, or than a compaction, are
gone, and who asks for them is told 410 Expired.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from twinloop.apiserver import codec, failures

# Bytes of objects that the history may keep alive, so that large objects shorten it and cannot exhaust the memory:
# 10,000 events of ordinary pods fit.
BUDGET = 40_000_000

Resource = tuple[str, str]  # (group, plural): what one collection of objects is stored under
EventType = Literal["ADDED", "MODIFIED", "DELETED"]


@dataclass(frozen=True, slots=True)
class Record:
    """One state of one object; never changed, only followed by another.

    `raw` is the JSON that is served, `head` the length of its `{"kind":...,"apiVersion":...,` part, which is always
    first: an item of a built-in list leaves it out, another version of the kind has another one.
    """

    namespace: str
    name: str
    uid: str
    revision: int
    raw: bytes
    head: int
    labels: Mapping[str, str]
    fields: Mapping[str, str]
    owners: tuple[str, ...]
    deleting: bool

    @property
    def key(self) -> str:
        """What objects of one resource are ordered by."""
        return f"{self.namespace}/{self.name}"

    @property
    def tail(self) -> bytes:
        """The object without its opening brace, kind and apiVersion."""
        return self.raw[self.head :]

    def object(self) -> dict[str, Any]:
        """A copy of the object, the caller's own."""
        return codec.decode_stored(self.raw)


@dataclass(frozen=True, slots=True)
class Event:
    """One committed change. `record` is the state after it; a deletion's is the last state with the deletion's revision."""

    type: EventType
    revision: int
    resource: Resource
    record: Record
    previous: Record | None


@dataclass(slots=True)
class _Log:
    """Events of one resource, oldest first. A list with a moving start: it can be bisected, a deque cannot."""

    events: list[Event] = field(default_factory=list)
    start: int = 0

    def drop_first(self) -> None:
        self.events[self.start] = None  # type: ignore[call-overload] # lets go of the objects before the list is cut
        self.start += 1
        if self.start > 1024 and self.start * 2 > len(self.events):
            del self.events[: self.start]
            self.start = 0

    def after(self, revision: int) -> list[Event]:
        first = bisect_right(self.events, revision, lo=self.start, key=lambda event: event.revision)
        return self.events[first:]


class History:
    """The last `limit` events of all resources together, or fewer when their objects would take more than `BUDGET`."""

    def __init__(self, limit: int, compacted: int = 0) -> None:
        self.limit = limit
        self.compacted = compacted  # events up to here are gone
        self._size = 0  # bytes of the objects that events lead to
        self._order: deque[Event] = deque()
        self._logs: dict[Resource, _Log] = {}

    def __len__(self) -> int:
        return len(self._order)

    def append(self, event: Event) -> None:
        """Remember an event, and forget the oldest when there are too many."""
        self._order.append(event)
        self._size += len(event.record.raw)
        self._logs.setdefault(event.resource, _Log()).events.append(event)
        self._trim()

    def resize(self, limit: int) -> None:
        """Keep so many events from now on."""
        self.limit = limit
        self._trim()

    def compact(self, revision: int) -> None:
        """Forget all events up to and including a revision."""
        while self._order and self._order[0].revision <= revision:
            self._forget()
        self.compacted = max(self.compacted, revision)

    def since(self, resource: Resource, revision: int) -> list[Event]:
        """The events of one resource after a revision; raises 410 when some of them are gone."""
        if revision < self.compacted:
            raise failures.expired(f"too old resource version: {revision} ({self.compacted})")
        log = self._logs.get(resource)
        return log.after(revision) if log else []

    def newest_first(self, resource: Resource, revision: int) -> Iterator[Event]:
        """The same, latest event first, for who undoes them."""
        return reversed(self.since(resource, revision))

    def _trim(self) -> None:
        while len(self._order) > self.limit or (self._size > BUDGET and len(self._order) > 1):
            self._forget()

    def _forget(self) -> None:
        event = self._order.popleft()
        self._size -= len(event.record.raw)
        self._logs[event.resource].drop_first()
        self.compacted = event.revision
