"""What happens to objects by itself: scheduler, kubelet, garbage collector and the others, each in a file of its own.

Belongs here: controllers that a cluster runs beside its API server and without which an object would never come to
life, come to its end, or be counted. Each is a class over `controller.Controller`, can be switched off by its name, and
does nothing but in `run`, so that a test with a manual clock decides when anything happens.

Never belongs here: what a write must satisfy (`admission/`), the semantics of a verb (`verbs/`), threads and sleeping.

The flow: `verbs/` commit to the storage, which tells `Controllers.observe`; `ApiServer.tick` calls `run`;
what a controller writes comes back to all of them as events.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from twinloop.apiserver.controllers.controller import Controller
from twinloop.apiserver.controllers.garbage import GarbageCollector
from twinloop.apiserver.controllers.kubelet import Kubelet
from twinloop.apiserver.controllers.namespaces import Namespaces
from twinloop.apiserver.controllers.quota import Quota
from twinloop.apiserver.controllers.scheduler import Scheduler
from twinloop.apiserver.controllers.serviceaccounts import ServiceAccounts
from twinloop.apiserver.storage import Event

if TYPE_CHECKING:
    from twinloop.apiserver.server import ApiServer

# In the order of a pod's life, so that one round of `run` takes a pod as far as it can come at once.
ALL: tuple[type[Controller[Any]], ...] = (ServiceAccounts, Scheduler, Kubelet, Namespaces, GarbageCollector, Quota)
NAMES = tuple(each.name for each in ALL)


class Controllers:
    """The controllers that run in one server: all, none, or those of the given names."""

    def __init__(self, server: ApiServer, which: bool | set[str]) -> None:
        if isinstance(which, set) and which - set(NAMES):
            raise ValueError(f"no such controller: {', '.join(sorted(which - set(NAMES)))}")
        wanted = set(NAMES) if which is True else which or set()
        self._running: dict[str, Controller[Any]] = {each.name: each(server) for each in ALL if each.name in wanted}
        server.storage.listeners.append(self.observe)
        server.storage.on_restore.append(self.resume)

    def __iter__(self) -> Iterator[Controller[Any]]:
        return iter(self._running.values())

    def runs(self, name: str) -> bool:
        """Whether a controller is switched on."""
        return name in self._running

    @property
    def kubelet(self) -> Kubelet:
        """The kubelet, for who wants to freeze it or order a pod about. Raises KeyError when it is switched off."""
        found = self._running["kubelet"]
        assert isinstance(found, Kubelet)  # noqa: S101 - the table above says so
        return found

    def observe(self, event: Event) -> None:
        """Tell all of them what was committed."""
        for controller in self._running.values():
            controller.observe(event)

    def resume(self) -> None:
        """Have all of them begin anew from what is stored."""
        for controller in self._running.values():
            controller.resume()
