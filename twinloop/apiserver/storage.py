"""The objects, and the one revision counter that all of them share.

`verbs/` hand over finished objects; the storage numbers them, keeps their JSON and tells its listeners, which are the
open watches and `controllers/`. What it wrote before is in `history.py`. It decides nothing: names, conflicts and
finalizers are the business of `verbs/`, and nothing here can fail half-way.
"""

from __future__ import annotations

import logging
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from sys import intern
from typing import Any, Protocol

from twinloop.apiserver import codec, failures
from twinloop.apiserver.history import Event, History, Record, Resource

__all__ = ["Event", "Record", "Resource", "Snapshot", "Storage"]

Object = dict[str, Any]
Listener = Callable[[Event], None]
Records = list[Record]  # `list` means a method inside the class

# Enough to replay 10,000 events and to keep a watch that reconnects within a minute of heavy load; at 4 KB an object
# it is what the memory is spent on, and states that are still stored cost nothing twice.
log = logging.getLogger(__name__)

HISTORY = 12_000

# Where the counter starts, so that there are versions which are too old: on a real cluster 1 always is.
FIRST_REVISION = 100

# etcd's --max-request-bytes: 1.5 MiB, of which a request's other parts take a little.
OBJECT_LIMIT = 1_572_864


class Watcher(Protocol):
    """An open watch on one resource."""

    def notice(self, event: Event) -> None:
        """Called once for each committed event of the resource, in order."""

    def close(self) -> None:
        """Called when the storage goes back to a snapshot."""


@dataclass(slots=True)
class _Collection:
    """The objects of one resource by key, and the keys in order."""

    records: dict[str, Record] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)

    def put(self, record: Record) -> None:
        key = record.key
        if key not in self.records:
            insort(self.keys, key)
        self.records[key] = record

    def drop(self, key: str) -> None:
        del self.records[key]
        del self.keys[bisect_left(self.keys, key)]

    def within(self, namespace: str) -> list[Record]:
        if not namespace:
            return [self.records[key] for key in self.keys]
        first = bisect_left(self.keys, f"{namespace}/")
        last = bisect_left(self.keys, f"{namespace}0")  # "0" is what follows "/"
        return [self.records[key] for key in self.keys[first:last]]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All objects as they were at a revision."""

    revision: int
    records: dict[Resource, dict[str, Record]]


class Storage:
    """All objects of all resources."""

    def __init__(self, history: int = HISTORY) -> None:
        self.revision = FIRST_REVISION
        self.history = History(history, compacted=FIRST_REVISION)
        self.listeners: list[Listener] = []
        self.on_restore: list[Callable[[], None]] = []
        self.watches: dict[Resource, dict[Watcher, None]] = {}  # in the order in which they were opened
        self._collections: dict[Resource, _Collection] = {}
        self._owned: dict[str, dict[tuple[Resource, str], None]] = {}

    @property
    def compacted(self) -> int:
        """The oldest revision from which a watch can still start."""
        return self.history.compacted

    # ------------------------------------------------------------------ reading

    def get(self, resource: Resource, namespace: str, name: str) -> Record | None:
        """The present state of one object."""
        found = self._collections.get(resource)
        return found.records.get(f"{namespace}/{name}") if found else None

    def list(self, resource: Resource, namespace: str = "") -> Records:
        """All objects of a resource, or those of one namespace, ordered by key."""
        found = self._collections.get(resource)
        return found.within(namespace) if found else []

    def at(self, resource: Resource, revision: int) -> Records:
        """All objects of a resource as they were at a revision, ordered by key; raises 410 when that is forgotten."""
        undo = self.history.newest_first(resource, revision)
        then = dict(self._collections[resource].records) if resource in self._collections else {}
        for event in undo:
            if event.previous is None:
                then.pop(event.record.key, None)
            else:
                then[event.record.key] = event.previous
        return [then[key] for key in sorted(then)]

    def events_since(self, resource: Resource, revision: int) -> Sequence[Event]:
        """What happened to a resource after a revision; raises 410 when some of it is forgotten."""
        return self.history.since(resource, revision)

    def by_owner(self, uid: str) -> Sequence[tuple[Resource, Record]]:
        """The objects that name an owner of this uid."""
        return [(resource, self._collections[resource].records[key]) for resource, key in self._owned.get(uid, {})]

    def resources(self) -> Sequence[Resource]:
        """The resources that have or had objects."""
        return tuple(self._collections)

    # ------------------------------------------------------------------ writing

    def create(self, resource: Resource, obj: Object, fields: Mapping[str, str]) -> Record:
        """Store an object under a new key."""
        record = self._record(obj, fields)
        self._put(resource, record)
        return self._commit(Event("ADDED", record.revision, resource, record, None))

    def update(self, resource: Resource, old: Record, obj: Object, fields: Mapping[str, str]) -> Record:
        """Store the next state of an object."""
        record = _sharing(self._record(obj, fields), old)
        self._disown(resource, old)
        self._put(resource, record)
        return self._commit(Event("MODIFIED", record.revision, resource, record, old))

    def delete(self, resource: Resource, old: Record, obj: Object | None = None) -> Record:
        """Remove an object; `obj` is its last state where a write came with the removal."""
        record = self._record(obj or old.object(), old.fields, limited=False)
        self._disown(resource, old)
        self._collections[resource].drop(old.key)
        return self._commit(Event("DELETED", record.revision, resource, record, old))

    def drop(self, resource: Resource) -> None:
        """Remove all objects of a resource that is no longer served, each as a deletion of its own."""
        for record in self.list(resource):
            self.delete(resource, record)

    def reshape(self, resource: Resource, shape: Callable[[Object], Mapping[str, str]]) -> None:
        """Keep the objects of a resource in another shape from now on, without new revisions and events.

        `shape` changes one in place and returns its selectable fields.
        """
        for old in self.list(resource):
            obj = old.object()
            fields = shape(obj)
            self._collections[resource].put(self.sketch(obj, fields, old.revision))

    def compact(self, revision: int) -> None:
        """Forget the events up to a revision."""
        self.history.compact(min(revision, self.revision))

    # ------------------------------------------------------------------ going back

    def snapshot(self) -> Snapshot:
        """All objects as they are now."""
        records = {resource: dict(found.records) for resource, found in self._collections.items()}
        return Snapshot(self.revision, records)

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a snapshot, revision included, as an etcd restored from a backup does; all watches end."""
        self.revision = snapshot.revision
        self.history = History(self.history.limit, compacted=snapshot.revision)
        self._collections, self._owned = {}, {}
        for resource, records in snapshot.records.items():
            for record in records.values():
                self._put(resource, record)
        self.end_watches()
        for restored in self.on_restore:
            restored()

    def end_watches(self, resource: Resource | None = None) -> None:
        """End all open watches, as a server that goes away does, or those of one resource."""
        for watched in [resource] if resource else list(self.watches):
            for watch in tuple(self.watches.get(watched, ())):
                watch.close()

    def _record(self, obj: Object, fields: Mapping[str, str], *, limited: bool = True) -> Record:
        """The record of an object under the next revision, which it takes."""
        record = self.sketch(obj, fields, self.revision + 1)
        # Only what a client adds can be too much: a deletion and an older state shown to a watch carry a longer revision,
        # and an object at the limit must still be able to go.
        if limited and len(record.raw) > OBJECT_LIMIT:
            raise failures.request_too_large()
        self.revision = record.revision  # only now: an object that cannot be encoded takes no number
        return record

    @staticmethod
    def sketch(obj: Object, fields: Mapping[str, str], revision: int) -> Record:
        """A record that is not stored; revision 0 shows none."""
        metadata = obj["metadata"]
        if revision:
            metadata["resourceVersion"] = str(revision)
        raw, head = codec.encode_stored(obj)
        return Record(
            namespace=intern(metadata.get("namespace", "")),
            name=metadata["name"],
            uid=metadata.get("uid", ""),
            revision=revision,
            raw=raw,
            head=head,
            labels=_interned(metadata.get("labels") or {}),
            fields=_interned(fields),
            owners=tuple(dict.fromkeys(_owner_uids(metadata.get("ownerReferences") or ()))),
            deleting="deletionTimestamp" in metadata,
        )

    def _put(self, resource: Resource, record: Record) -> None:
        self._collections.setdefault(resource, _Collection()).put(record)
        for uid in record.owners:
            self._owned.setdefault(uid, {})[resource, record.key] = None

    def _disown(self, resource: Resource, record: Record) -> None:
        for uid in record.owners:
            owned = self._owned[uid]
            del owned[resource, record.key]
            if not owned:
                del self._owned[uid]

    def _commit(self, event: Event) -> Record:
        self.history.append(event)
        # The write has happened. A bug in one of those who are told must not keep it from the others.
        for watch in tuple(self.watches.get(event.resource, ())):
            try:
                watch.notice(event)
            except Exception:
                log.exception("a watch of %s is ended", event.resource)
                watch.close()
        for listener in self.listeners:
            try:
                listener(event)
            except Exception:
                log.exception("%s %s", event.resource, event.record.key)
        return event.record


def _interned(texts: Mapping[str, str]) -> dict[str, str]:
    """A copy whose texts exist once in memory: objects of a kind say the same things."""
    return {intern(name): intern(value) for name, value in texts.items()}


def _sharing(record: Record, old: Record) -> Record:
    """The record with its predecessor's labels and fields where they are the same: the history keeps both for long."""
    labels = old.labels if old.labels == record.labels else record.labels
    fields = old.fields if old.fields == record.fields else record.fields
    return replace(record, namespace=old.namespace, name=old.name, uid=old.uid, labels=labels, fields=fields)


def _owner_uids(references: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    return (reference.get("uid", "") for reference in references)
