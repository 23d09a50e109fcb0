"""What every controller is: a small class without threads that notes events and works when its time has come.

`server.py` hands each committed event to `observe` and calls `run` from `tick`; between the two lies an `Agenda`. A
controller reads the storage and writes through the same verbs as any client, under the name of the component that it
stands for, so that validation, generation and managedFields come out as they do there.
"""

from __future__ import annotations

import logging
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from twinloop.apiserver import failures
from twinloop.apiserver.controllers.agenda import Agenda
from twinloop.apiserver.failures import Failure
from twinloop.apiserver.kinds import Kind
from twinloop.apiserver.storage import Event, Record, Resource

if TYPE_CHECKING:
    from twinloop.apiserver.server import ApiServer

log = logging.getLogger(__name__)
Object = dict[str, Any]
K = TypeVar("K", bound=Hashable)

PODS: Resource = ("", "pods")
NODES: Resource = ("", "nodes")
NAMESPACES: Resource = ("", "namespaces")
QUOTAS: Resource = ("", "resourcequotas")
SERVICE_ACCOUNTS: Resource = ("", "serviceaccounts")
CONFIG_MAPS: Resource = ("", "configmaps")
EVENTS: Resource = ("", "events")

# Visits in one `run`: the requests that wait meanwhile are served after some 20 ms.
VISITS = 50
# Seconds after which a visit that the API refused is made again.
RETRY = 1.0
RETRY_AFTER_BUG = 60.0


class Controller(Generic[K]):
    """The frame: an agenda of keys, and one visit for each that is due.

    A subclass fills in `observe` and `visit`. A `Failure` in a visit is what a conflict or a webhook is to a real
    controller: the key is visited again after `RETRY` seconds.
    """

    name: ClassVar[str]
    manager: ClassVar[str] = "kube-controller-manager"

    def __init__(self, server: ApiServer) -> None:
        self.server = server
        self.agenda: Agenda[K] = Agenda()

    def observe(self, event: Event) -> None:
        """Note what an event asks for; called within the write, so it must be quick and may not write."""
        raise NotImplementedError

    def visit(self, key: K, now: float) -> None:
        """See to one key: look at what is there, do what is missing."""
        raise NotImplementedError

    def resume(self) -> None:
        """Begin anew from what is stored: at the start, and after the storage went back to a snapshot."""
        self.agenda.clear()
        for resource in self.server.storage.resources():
            for record in self.server.storage.list(resource):
                self.observe(Event("ADDED", record.revision, resource, record, None))

    def run(self, now: float) -> None:
        """See to what is due, a limited number of keys at a time."""
        for key in self.agenda.take(now, VISITS):
            try:
                self.visit(key, now)
            except Failure:
                self.agenda.add(key, now + RETRY)
            except Exception:
                log.exception("%s: %s", self.name, key)  # one object that we cannot cope with is no reason to stop
                self.agenda.add(key, now + RETRY_AFTER_BUG)

    def due(self) -> float | None:
        """The clock time at which `run` has something to do; None: not before the next event."""
        return self.agenda.next()

    # ------------------------------------------------------------------ reading and writing

    def record(self, resource: Resource, namespace: str, name: str, uid: str = "") -> Record | None:
        """The present state of an object; None also when another object has its name by now."""
        found = self.server.storage.get(resource, namespace, name)
        return found if found and (not uid or found.uid == uid) else None

    def read(self, resource: Resource, namespace: str, name: str, uid: str = "") -> Object | None:
        """A copy of the present state of an object; None also when another object has its name by now."""
        found = self.record(resource, namespace, name, uid)
        return found.object() if found else None

    def create(self, resource: Resource, obj: Object) -> Object:
        """Create an object; kind and apiVersion are filled in."""
        kind = self.kind(resource)
        named = {"kind": kind.kind, "apiVersion": kind.api_version, **obj}
        return self.server.internal.create(kind, named, manager=self.manager)

    def tell(self, event: Object) -> None:
        """Leave an Event; one that is refused (a terminating namespace) is only an Event."""
        try:
            self.create(EVENTS, event)
        except Failure as failure:
            log.debug("%s: an event was refused: %s", self.name, failure)

    def update(self, resource: Resource, obj: Object, subresource: str = "") -> Object:
        """Write an object's next state; raises the Conflict `Failure` when it is not the present one's successor."""
        return self.server.internal.update(self.kind(resource), obj, subresource, manager=self.manager)

    def delete(self, resource: Resource, record: Record, *, grace: int | None = None, propagation: str = "") -> None:
        """Delete this very object; that it is gone already is as good."""
        kind = self.kind(resource)
        try:
            self.server.internal.delete(
                kind, record.namespace, record.name, uid=record.uid, grace=grace, propagation=propagation or None
            )
        except Failure as failure:
            if failure.code != 404:
                raise

    def kind(self, resource: Resource) -> Kind:
        """The stored version of a resource."""
        kind = self.server.registry.stored(*resource)
        if kind is None:
            raise failures.no_such_path()
        return kind
