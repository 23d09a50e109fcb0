"""The end of a namespace: all that is in it is deleted, and when nothing is left the namespace itself goes.

It takes over when a namespace has a deletionTimestamp. Pods go first, everything else when they are gone; finalizers
are waited for; the namespace's conditions say what remains. The last step removes the finalizer `kubernetes` from
spec.finalizers, and the write that does so removes the namespace (unless it has finalizers of its own).
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from twinloop.apiserver.clock import timestamp
from twinloop.apiserver.controllers.controller import NAMESPACES, PODS, Controller, Object
from twinloop.apiserver.controllers.namespace_conditions import Remaining, conditions
from twinloop.apiserver.kinds import Kind
from twinloop.apiserver.storage import Event, Resource

# Seconds between the deletion and the first look, by default: long enough for a client to find the namespace terminating
# with all that is in it, as it does on a real cluster. There it is five, to let other API servers see the deletion.
DELAY = 2.0
# Seconds after something in the namespace went before the next look: many removals make one look.
LOOK_AGAIN = 0.2
DELETIONS = 100  # of one resource in one visit: the requests that wait meanwhile are served after some 20 ms
FINALIZER = "kubernetes"


class Namespaces(Controller[str]):
    """Empties namespaces that are going; a key is a namespace's name."""

    name = "namespaces"

    def __init__(self, *args: Any, delay: float = DELAY) -> None:
        super().__init__(*args)
        self.delay = delay
        self._going: set[str] = set()

    def resume(self) -> None:
        """Begin anew from what is stored."""
        self._going.clear()
        super().resume()

    def observe(self, event: Event) -> None:
        """Note namespaces that are going, and removals within them."""
        record = event.record
        if event.resource == NAMESPACES:
            self._namespace_changed(event)
        elif record.namespace in self._going and event.type == "DELETED":
            self.agenda.add(record.namespace, self.server.clock.now() + LOOK_AGAIN)

    def _namespace_changed(self, event: Event) -> None:
        name = event.record.name
        if event.type == "DELETED":
            self._going.discard(name)
            self.agenda.drop(name)
        elif event.record.deleting and name not in self._going:
            self._going.add(name)
            self.agenda.add(name, self.server.clock.now() + self.delay)

    # ------------------------------------------------------------------ work

    def visit(self, key: str, now: float) -> None:
        """Delete what is left, say what remains, and let the namespace go when nothing does."""
        namespace = self.read(NAMESPACES, "", key)
        if namespace is None or FINALIZER not in (namespace["spec"].get("finalizers") or []):
            return
        if not self._empty(key):
            self.agenda.add(key, now)  # the rest comes after the requests that wait
            return
        waiting = bool(self.server.storage.list(PODS, key))
        # The original counts nothing while it waits for pods, and so says that nothing remains.
        remaining = Remaining(Counter(), Counter()) if waiting else self._remaining(key)
        namespace = self._report(namespace, remaining, now)
        if not waiting and not remaining.resources:
            namespace["spec"]["finalizers"].remove(FINALIZER)
            self.update(NAMESPACES, namespace, "finalize")

    def _empty(self, namespace: str) -> bool:
        """Delete the pods, and once there are none all the rest; False: there is more than one visit may delete."""
        resources = [kind.storage for kind in self._kinds()]
        for resource in (PODS, *resources):
            if not self._delete_all(resource, namespace):
                return False
            if resource == PODS and self.server.storage.list(PODS, namespace):
                return True
        return True

    def _delete_all(self, resource: Resource, namespace: str) -> bool:
        left = [each for each in self.server.storage.list(resource, namespace) if not each.deleting]
        for record in left[:DELETIONS]:
            self.delete(resource, record, propagation="Background")
        return len(left) <= DELETIONS

    def _kinds(self) -> list[Kind]:
        """One kind for each resource whose objects live in namespaces, ordered by group and name."""
        found = {kind.storage: kind for kind in self.server.registry if kind.namespaced and "delete" in kind.verbs}
        return [found[resource] for resource in sorted(found)]

    def _remaining(self, namespace: str) -> Remaining:
        resources: Counter[tuple[str, str]] = Counter()
        finalizers: Counter[str] = Counter()
        for kind in self._kinds():
            for record in self.server.storage.list(kind.storage, namespace):
                resources[kind.storage] += 1
                finalizers.update(record.object()["metadata"].get("finalizers") or ())
        return Remaining(resources, finalizers)

    def _report(self, namespace: Object, remaining: Remaining, now: float) -> Object:
        before = namespace["status"].get("conditions") or []
        after = conditions(before, remaining, timestamp(now))
        if after == before:
            return namespace
        namespace["status"]["conditions"] = after
        return self.update(NAMESPACES, namespace, "status")
