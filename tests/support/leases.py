"""A Lease in memory that several candidates write to, with the API server's optimistic concurrency."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable

from handwritten.store import Object
from twinloop.errors import AlreadyExists, ApiError, Conflict, NotFound
from twinloop.kube import LEASES, Resource


class Leases:
    """The part of a client that a LeaseLock uses; `before` runs ahead of every request and may raise or wait."""

    def __init__(self, namespace: str = "ns", name: str = "lock") -> None:
        self.namespace, self.name = namespace, name
        self.lease: Object | None = None
        self.requests: list[str] = []
        self.before: Callable[[str], object] = lambda _: None
        self._guard = threading.Lock()
        self._version = 0

    @property
    def spec(self) -> Object:
        """The Lease's spec; {} while there is none."""
        with self._guard:
            return copy.deepcopy(self.lease["spec"]) if self.lease else {}

    @property
    def holder(self) -> str:
        """Whoever holds the Lease, "" for nobody."""
        return str(self.spec.get("holderIdentity") or "")

    def put(self, **spec: object) -> None:
        """Make the Lease say this, as if another candidate had written it."""
        with self._guard:
            self._store({"metadata": {"name": self.name, "namespace": self.namespace}, "spec": spec})

    def get(self, resource: Resource, name: str, namespace: str | None = None) -> Object:
        """See Client.get."""
        self._called("get", resource, name, namespace)
        with self._guard:
            if self.lease is None:
                raise NotFound("no such lease", code=404)
            return copy.deepcopy(self.lease)

    def create(self, resource: Resource, body: Object, namespace: str | None = None) -> Object:
        """See Client.create."""
        self._called("create", resource, body["metadata"]["name"], namespace)
        with self._guard:
            if self.lease is not None:
                raise AlreadyExists("there is one", code=409)
            return self._store(body)

    def update(self, resource: Resource, name: str, body: Object, namespace: str | None = None) -> Object:
        """See Client.update."""
        self._called("update", resource, name, namespace)
        with self._guard:
            if self.lease is None:
                raise NotFound("no such lease", code=404)
            if body["metadata"].get("resourceVersion") != self.lease["metadata"]["resourceVersion"]:
                raise Conflict("somebody was faster", code=409)
            return self._store(body)

    def _called(self, verb: str, resource: Resource, name: str, namespace: str | None) -> None:
        if (resource, name, namespace) != (LEASES, self.name, self.namespace):
            raise ApiError("another object was meant")
        self.requests.append(verb)
        self.before(verb)

    def _store(self, body: Object) -> Object:
        self._version += 1
        self.lease = copy.deepcopy(body)
        self.lease["metadata"]["resourceVersion"] = str(self._version)
        return copy.deepcopy(self.lease)
