"""Garbage collection: what becomes of an object when its owners go, by the rules of kube-controller-manager.

Background: objects whose owners are all gone are deleted after them. Foreground: an owner with the finalizer
foregroundDeletion waits for its dependents, at least for those with blockOwnerDeletion. Orphan: an owner with the
finalizer orphan waits until nothing refers to it any more. An owner that never existed, lives in another namespace or
has another uid by now counts as gone; one whose kind is not served is left alone, because nobody can tell.

The real collector keeps a graph of all objects. Here the storage knows who names an owner (`by_owner`), so a visit
costs as much as the object has owners or dependents. `owners.py` judges the references.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from twinloop.apiserver.controllers.controller import EVENTS, VISITS, Controller, Object
from twinloop.apiserver.controllers.owners import FOREGROUND, ORPHAN, Owners, blocks, without_owners
from twinloop.apiserver.failures import Failure
from twinloop.apiserver.storage import Event, Record, Resource

_MARKS = (b'"foregroundDeletion"', b'"orphan"')


class Item(NamedTuple):
    """One object, this one and no successor of the same name."""

    resource: Resource
    namespace: str
    name: str
    uid: str


class GarbageCollector(Controller[Item]):
    """Deletes dependents, lets owners go.

    `delay`: seconds between an event and what it leads to. The real collector takes between some milliseconds and a
    second; an operator that reuses a name meets the old dependents meanwhile.
    """

    name = "garbage"

    def __init__(self, *args: object, delay: float = 0.0) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.delay = delay
        self.owners = Owners(self.server)
        self._waiting: dict[str, Item] = {}  # owners that wait for their dependents, by uid
        self._unknown: set[Item] = set()  # dependents of a kind that is not served
        self.server.registry.on_change.append(self._kinds_changed)

    def resume(self) -> None:
        """Begin anew."""
        self._waiting.clear()
        self._unknown.clear()
        super().resume()

    # ------------------------------------------------------------------ events

    def observe(self, event: Event) -> None:
        """Note the dependents of an owner that went or waits, and objects with owners that are new to us."""
        if event.type == "DELETED":
            self._gone(event)
            return
        if event.previous and event.previous.owners:
            # A dependent that names its owner no more, or blocks it no more, may be what the owner waits for.
            self._wake_owners(event.previous.owners)
        if event.resource != EVENTS and (_holds_on(event.record) or _has_new_owners(event)):
            self._visit_later(event.resource, event.record)  # Events are never collected: they go by age

    def _gone(self, event: Event) -> None:
        self._waiting.pop(event.record.uid, None)
        self._unknown.discard(Item(event.resource, event.record.namespace, event.record.name, event.record.uid))
        for resource, dependent in self.server.storage.by_owner(event.record.uid):
            self._visit_later(resource, dependent)
        self._wake_owners(event.record.owners)

    def _wake_owners(self, uids: Iterable[str]) -> None:
        for uid in uids:
            if uid in self._waiting:
                self.agenda.add(self._waiting[uid], self.server.clock.now() + self.delay)

    def _visit_later(self, resource: Resource, record: Record) -> None:
        item = Item(resource, record.namespace, record.name, record.uid)
        self.agenda.add(item, self.server.clock.now() + self.delay)

    def _kinds_changed(self) -> None:
        for item in self._unknown:
            self.agenda.add(item, self.server.clock.now())
        self._unknown.clear()

    # ------------------------------------------------------------------ work

    def visit(self, key: Item, now: float) -> None:
        """Decide about one object: as an owner that is waiting to go, or as a dependent."""
        record = self.record(key.resource, key.namespace, key.name, key.uid)
        if record is None:
            return
        obj = record.object()
        finalizers = obj["metadata"].get("finalizers") or []
        if record.deleting and ORPHAN in finalizers:
            self._orphan_dependents(key, obj, now)
        elif record.deleting and FOREGROUND in finalizers:
            self._delete_dependents(key, obj)
        elif record.owners and not record.deleting:
            self._judge(key, record, obj)

    def _orphan_dependents(self, item: Item, owner: Object, now: float) -> None:
        dependents = self.server.storage.by_owner(item.uid)
        failed: Failure | None = None
        for resource, record in dependents[:VISITS]:
            try:
                self.update(resource, without_owners(record.object(), {item.uid}))
            except Failure as failure:  # the others need not wait for this one
                failed = failure
        if failed:
            raise failed
        if len(dependents) > VISITS:
            self.agenda.add(item, now)  # the rest comes after the requests that wait
        else:
            self._release(item.resource, owner, ORPHAN)

    def _delete_dependents(self, item: Item, owner: Object) -> None:
        """Have the dependents judged once, and let the owner go when none of them holds it."""
        dependents = self.server.storage.by_owner(item.uid)
        if item.uid not in self._waiting:
            self._waiting[item.uid] = item
            for resource, record in dependents:
                self._visit_later(resource, record)
        if not any(blocks(record.object(), item.uid) for _, record in dependents):
            self._release(item.resource, owner, FOREGROUND)

    def _release(self, resource: Resource, owner: Object, finalizer: str) -> None:
        owner["metadata"]["finalizers"].remove(finalizer)
        self.update(resource, owner)

    def _judge(self, item: Item, record: Record, obj: Object) -> None:
        found = self.owners.judge(obj)
        if found.unknown:
            self._unknown.add(item)
        elif found.solid:
            self._drop_references(item.resource, obj, found.dangling | found.waiting)
        else:
            if found.waiting and self._holds_up_its_owner(item):
                self.update(item.resource, _unblocked(obj))
            self.delete(item.resource, record, propagation=self._policy(item, obj, waited_for=bool(found.waiting)))

    def _drop_references(self, resource: Resource, obj: Object, uids: set[str]) -> None:
        if uids:
            self.update(resource, without_owners(obj, uids))

    def _holds_up_its_owner(self, item: Item) -> bool:
        """Whether one of its dependents is an owner that waits: a circle, which nothing else would ever open."""
        return any(
            record.deleting and record.uid in self._waiting and record.uid != item.uid
            for _, record in self.server.storage.by_owner(item.uid)
        )

    def _policy(self, item: Item, obj: Object, *, waited_for: bool) -> str:
        """How a dependent is deleted in its turn."""
        if waited_for and self.server.storage.by_owner(item.uid):
            return "Foreground"
        finalizers = obj["metadata"].get("finalizers") or []
        if ORPHAN in finalizers:
            return "Orphan"
        return "Foreground" if FOREGROUND in finalizers else "Background"


def _holds_on(record: Record) -> bool:
    """Whether this is an owner that waits for us; the marks are looked for in the bytes, for this is every write."""
    return record.deleting and any(mark in record.raw for mark in _MARKS)


def _has_new_owners(event: Event) -> bool:
    owners = event.record.owners
    return bool(owners) and (event.previous is None or event.previous.owners != owners)


def _unblocked(obj: Object) -> Object:
    """The object with references that keep no owner waiting."""
    for reference in obj["metadata"]["ownerReferences"]:
        if reference.get("blockOwnerDeletion"):
            reference["blockOwnerDeletion"] = False
    return obj
