"""Events go an hour after they were written last, as kube-apiserver's --event-ttl has it: nothing else ever deletes one.

Part of the API server and no controller, so that it is not switched off with them: `ApiServer.tick` calls `run`. There,
etcd drops the key; here as there a watch sees an Event being deleted, and finalizers do not count.
"""

from __future__ import annotations

from collections import OrderedDict

from twinloop.apiserver.clock import Clock
from twinloop.apiserver.storage import Event, Resource, Storage

# What lives for how many seconds.
TTL = 3600.0
RESOURCE: Resource = ("", "events")  # what both versions of Events are stored under

# Deletions of one call: the requests that wait are served in between.
MOST = 500


class Expiry:
    """When each Event goes: all live equally long, so the order of writes is the order of ends."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage, self._clock = storage, clock
        self._ends: OrderedDict[tuple[str, str], float] = OrderedDict()
        storage.listeners.append(self.observe)
        storage.on_restore.append(self.resume)

    def observe(self, event: Event) -> None:
        """An Event that is written again, as a counted one is, lives on from then."""
        if event.resource != RESOURCE:
            return
        key = event.record.namespace, event.record.name
        if event.type == "DELETED":
            self._ends.pop(key, None)
        else:
            self._ends[key] = self._clock.now() + TTL
            self._ends.move_to_end(key)

    def resume(self) -> None:
        """After a restore, all of them live anew: a snapshot knows no ends."""
        end = self._clock.now() + TTL
        self._ends = OrderedDict(((each.namespace, each.name), end) for each in self._storage.list(RESOURCE))

    def run(self, now: float) -> None:
        """Delete what has lived long enough."""
        for _ in range(MOST):
            due = self.due()
            if due is None or due > now:
                return
            (namespace, name), _end = self._ends.popitem(last=False)
            record = self._storage.get(RESOURCE, namespace, name)
            if record is not None:
                self._storage.delete(RESOURCE, record)

    def due(self) -> float | None:
        """When the next one goes."""
        return next(iter(self._ends.values()), None)
