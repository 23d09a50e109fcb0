"""The pretend kubelet: brings the pods of its nodes to life, and to their end.

It takes over when the scheduler (or anyone) has bound a pod to one of its nodes and writes the pod's status with the
changes that an operator sees on a real node: ContainerCreating, Running, Ready; on deletion not ready, ended, removed
with grace 0. It runs nothing. What a pod is doing is told by `pod_life.py`, what it was ordered to do by
`pod_orders.py`; this module is about when, and it writes only what has changed: an idle pod costs nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from twinloop.apiserver.clock import timestamp
from twinloop.apiserver.controllers import nodes, pod_events, pod_fields
from twinloop.apiserver.controllers.agenda import Agenda
from twinloop.apiserver.controllers.controller import NODES, PODS, RETRY, VISITS, Controller, Object
from twinloop.apiserver.controllers.pod_life import TERMINAL, Delays, Life, View
from twinloop.apiserver.controllers.pod_orders import NAMES, orders
from twinloop.apiserver.controllers.pod_status import Host, status
from twinloop.apiserver.failures import Failure
from twinloop.apiserver.storage import Event, Record

NODE_NAME = "node-0"


class Key(NamedTuple):
    """One pod, this one and no successor of the same name."""

    namespace: str
    name: str
    uid: str


class Kubelet(Controller[Key]):
    """All pretend nodes' kubelets in one. `names` are the nodes that it registers and whose pods it runs."""

    name = "kubelet"
    manager = "kubelet"

    def __init__(self, *args: Any, names: tuple[str, ...] = (NODE_NAME,), delays: Delays | None = None) -> None:
        super().__init__(*args)
        self.names = names
        self.delays = delays or Delays()
        self.frozen = False
        self._lives: dict[str, Life] = {}
        self._commands: dict[tuple[str, str], dict[str, str]] = {}
        self._addresses = 1
        self._nodes: Agenda[str] = Agenda()
        self._register_later()

    # ------------------------------------------------------------------ told from outside

    def configure(self, **changes: Any) -> None:
        """Change `Delays` by name; pods on their way go on by the new ones. Raises TypeError for an unknown name."""
        self.delays = replace(self.delays, **changes)
        self._visit_all()

    def freeze(self) -> None:
        """Do nothing until `thaw`; what happens meanwhile is noted."""
        self.frozen = True

    def thaw(self) -> None:
        """Go on, and catch up."""
        self.frozen = False

    def order(self, namespace: str, name: str, **said: str) -> None:
        """Tell a pod what to do, as its annotations could (`ready`, `phase`, `crashes`, ...); "" takes an order back.

        Holds for whoever has this name, until the pod of that name is gone. Raises KeyError for an unknown order.
        """
        for word in said:
            if word.replace("_", "-") not in NAMES:
                raise KeyError(word)
        known = self._commands.setdefault((namespace, name), {})
        known.update({word.replace("_", "-"): value for word, value in said.items()})
        record = self.record(PODS, namespace, name)
        if record is not None:
            self._visit_now(record)

    # ------------------------------------------------------------------ events

    def observe(self, event: Event) -> None:
        """Note pods of our nodes that are new or changed."""
        if event.resource != PODS or event.record.fields.get("spec.nodeName") not in self.names:
            return
        if event.type == "DELETED":
            self._forget(event.record)
        else:
            self._visit_now(event.record)

    def due(self) -> float | None:
        """When the next pod or node is due; never while frozen."""
        if self.frozen:
            return None
        return min((at for at in (self._nodes.next(), super().due()) if at is not None), default=None)

    def run(self, now: float) -> None:
        """Register what is not registered, then see to the pods."""
        if self.frozen:
            return
        for name in self._nodes.take(now, VISITS):
            self._register(name, now)
        super().run(now)

    def resume(self) -> None:
        """Begin anew with the pods as they are; their lives go on where their status says."""
        self._lives.clear()
        self._register_later()
        super().resume()

    def _register_later(self) -> None:
        for name in self.names:
            if self.record(NODES, "", name) is None:
                self._nodes.add(name, self.server.clock.now())

    def _visit_now(self, record: Record) -> None:
        self.agenda.add(Key(record.namespace, record.name, record.uid), self.server.clock.now())

    def _visit_all(self) -> None:
        for record in self.server.storage.list(PODS):
            if record.fields.get("spec.nodeName") in self.names:
                self._visit_now(record)

    def _forget(self, record: Record) -> None:
        self._lives.pop(record.uid, None)
        self._commands.pop((record.namespace, record.name), None)
        self.agenda.drop(Key(record.namespace, record.name, record.uid))

    # ------------------------------------------------------------------ work

    def visit(self, key: Key, now: float) -> None:
        """Bring one pod up to date."""
        record = self.record(PODS, key.namespace, key.name, key.uid)
        if record is None:
            return
        pod = record.object()
        if _rests(record, pod):
            return
        life = self._lives.get(key.uid) or self._lives.setdefault(key.uid, Life.of(pod, now))
        said = orders(pod, self._commands.get((key.namespace, key.name), {}))
        view = life.view(pod, said, self.delays, now)
        self._write(key, pod, life, view, now)
        if view.gone:
            self._remove(key)
        elif view.due is not None:
            self.agenda.add(key, max(view.due, now))

    def _write(self, key: Key, pod: Object, life: Life, view: View, now: float) -> None:
        wanted = status(pod, view.containers, view.phase, self._host(pod, life, view), timestamp(now))
        if wanted == pod.get("status"):
            return
        events = list(pod_events.failures_to_start(pod, pod.get("status") or {}, wanted, now))
        if pod_fields.only_ours(pod["metadata"]):
            self._store(pod, wanted, now)
        else:
            self.update(PODS, pod | {"status": wanted}, "status")
        self.agenda.drop(key)  # what we wrote ourselves tells us nothing
        for event in events:
            self.tell(event)

    def _store(self, pod: Object, wanted: Object, now: float) -> None:
        """The short way: the status is right by construction, and its owner is known."""
        meta = pod["metadata"]
        pod_fields.credit(meta, pod.get("status") or {}, wanted, timestamp(now))
        pod["status"] = wanted
        record = self.record(PODS, meta["namespace"], meta["name"])
        if record is not None:
            self.server.storage.update(PODS, record, pod, self.kind(PODS).strategy.selectable(pod))

    def _remove(self, key: Key) -> None:
        record = self.record(PODS, key.namespace, key.name, key.uid)
        if record is not None:
            self.delete(PODS, record, grace=0)

    def _host(self, pod: Object, life: Life, view: View) -> Host:
        """The node's address; the pod gets its own with its first container that runs."""
        node = nodes.address(self.names.index(pod["spec"]["nodeName"]))
        if pod["spec"].get("hostNetwork"):
            return Host(node, node)
        if not life.address and any("waiting" not in each.state for each in view.containers):
            life.address = self._next_address()
        return Host(node, life.address)

    def _next_address(self) -> str:
        self._addresses += 1
        return f"10.244.{self._addresses // 254 % 256}.{self._addresses % 254 + 1}"

    def _register(self, name: str, now: float) -> None:
        """Make the Node; one that is there already is ready from now on."""
        index = self.names.index(name)
        try:
            found = self.read(NODES, "", name) or self.create(NODES, nodes.node(name, index, timestamp(now)))
            found["status"] = nodes.status(name, index, timestamp(now))
            self.update(NODES, found, "status")
        except Failure:
            self._nodes.add(name, now + RETRY)


def _rests(record: Record, pod: Object) -> bool:
    """Whether a pod has come to its end and only waits for someone to delete it."""
    return not record.deleting and (pod.get("status") or {}).get("phase") in TERMINAL
