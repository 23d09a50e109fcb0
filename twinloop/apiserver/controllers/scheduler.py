"""The pretend scheduler: binds pods that ask for default-scheduler to a node, or says why it cannot.

It takes over when a pod without a node appears; `kubelet.py` goes on once it is bound. Of the nodes that suit
(`fitting.py`) the one with the fewest pods is taken. A pod that suits no node gets the condition PodScheduled=False
with the reason Unschedulable and is tried again when a node or the room on one changes. Both outcomes leave an Event.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from twinloop.apiserver.clock import micro_timestamp, timestamp
from twinloop.apiserver.controllers import fitting
from twinloop.apiserver.controllers.controller import NAMESPACES, NODES, PODS, Controller, Object
from twinloop.apiserver.controllers.fitting import Room
from twinloop.apiserver.pods import binding
from twinloop.apiserver.storage import Event, Record

NAME = "default-scheduler"
_DONE = ("Failed", "Succeeded")
# Seconds between a change of nodes and another look at the pods that suit none: many changes make one look.
_LOOK_AGAIN = 0.1


class Key(NamedTuple):
    """One pod, this one and no successor of the same name."""

    namespace: str
    name: str
    uid: str


_EVERYONE = Key("", "", "")  # all pods that suited no node: one entry, however many they are


class Scheduler(Controller[Key]):
    """One scheduler for all nodes. `events`: whether it leaves Events, which cost a write each."""

    name = "scheduler"
    manager = "kube-scheduler"

    def __init__(self, *args: Any, events: bool = True) -> None:
        super().__init__(*args)
        self.events = events
        self._rooms: dict[str, Room] = {}
        self._homeless: dict[Key, None] = {}
        self._nodes: dict[str, Object] = {}

    def resume(self) -> None:
        """Begin anew from what is stored."""
        self._rooms.clear()
        self._homeless.clear()
        self._nodes.clear()
        super().resume()

    # ------------------------------------------------------------------ events

    def observe(self, event: Event) -> None:
        """Note pods without a node, room that pods take or give back, and changes of nodes."""
        if event.resource == PODS:
            self._pod_changed(event)
        elif event.resource == NODES:
            self._node_changed(event)

    def _node_changed(self, event: Event) -> None:
        if event.type == "DELETED":
            self._nodes.pop(event.record.name, None)
        else:
            self._nodes[event.record.name] = event.record.object()
        self._look_again()

    def _pod_changed(self, event: Event) -> None:
        record, key = event.record, _key(event.record)
        node, phase = record.fields.get("spec.nodeName"), record.fields.get("status.phase")
        if event.type == "DELETED" or phase in _DONE:
            self._homeless.pop(key, None)
            self._leaves(node, record.uid)
        elif node:
            self._arrives(node, record)
        elif record.fields.get("spec.schedulerName") == NAME and not record.deleting:
            self.agenda.add(key, self.server.clock.now())

    def _arrives(self, node: str, record: Record) -> None:
        room = self._rooms.setdefault(node, Room())
        if record.uid not in room.pods:
            room.put(record.uid, fitting.requests(record.object()))

    def _leaves(self, node: str | None, uid: str) -> None:
        if node and node in self._rooms:
            self._rooms[node].take(uid)
            self._look_again()

    def _look_again(self) -> None:
        if self._homeless:
            self.agenda.add(_EVERYONE, self.server.clock.now() + _LOOK_AGAIN)

    # ------------------------------------------------------------------ work

    def visit(self, key: Key, now: float) -> None:
        """Find a node for one pod."""
        if key == _EVERYONE:
            for homeless in self._homeless:
                self.agenda.add(homeless, now)
            return
        pod = self.read(PODS, key.namespace, key.name, key.uid)
        if pod is None or pod["spec"].get("nodeName") or pod["spec"].get("schedulingGates"):
            return
        namespace = self.record(NAMESPACES, "", key.namespace)
        if namespace is None or namespace.deleting:
            return  # its bindings are refused
        requested = fitting.requests(pod)
        refusals = {name: self._refusals(pod, requested, node) for name, node in self._nodes.items()}
        fitting_nodes = [name for name, why in refusals.items() if not why]
        if fitting_nodes:
            self._bind(key, pod, min(fitting_nodes, key=self._load), now)
        else:
            self._refuse(key, pod, _no_node(list(refusals.values())), now)

    def _refusals(self, pod: Object, requested: fitting.Resources, node: Object) -> list[str]:
        if not fitting.is_ready(node):
            return [fitting.UNTOLERATED]  # such a node has the taint not-ready
        return fitting.refusals(pod, requested, node, self._rooms.get(node["metadata"]["name"], Room()))

    def _load(self, node: str) -> int:
        return len(self._rooms[node].pods) if node in self._rooms else 0

    def _bind(self, key: Key, pod: Object, node: str, now: float) -> None:
        self._homeless.pop(key, None)
        binding.bind(self.server, key.namespace, key.name, node, uid=key.uid)
        message = f"Successfully assigned {key.namespace}/{key.name} to {node}"
        self._tell(pod, "Normal", "Scheduled", "Binding", message, now)

    def _refuse(self, key: Key, pod: Object, why: str, now: float) -> None:
        new = key not in self._homeless
        self._homeless[key] = None
        conditions = pod["status"].setdefault("conditions", [])
        old = next((each for each in conditions if each["type"] == "PodScheduled"), None)
        if old is not None and old.get("message") == why:
            return
        pod["status"]["conditions"] = [each for each in conditions if each is not old] + [
            _unschedulable(pod, old, why, now)
        ]
        self.update(PODS, pod, "status")
        self.agenda.drop(key)  # what we wrote ourselves tells us nothing
        if new:
            self._tell(pod, "Warning", "FailedScheduling", "Scheduling", why, now)

    def _tell(self, pod: Object, kind: str, reason: str, action: str, message: str, now: float) -> None:
        if self.events:
            self.tell(_event(pod, kind, reason, action, message, now))


def _key(record: Record) -> Key:
    return Key(record.namespace, record.name, record.uid)


def _unschedulable(pod: Object, old: Object | None, why: str, now: float) -> Object:
    same = old is not None and old["status"] == "False"
    return {
        "type": "PodScheduled",
        "observedGeneration": pod["metadata"].get("generation", 1),
        "status": "False",
        "lastProbeTime": None,
        "lastTransitionTime": old["lastTransitionTime"] if old is not None and same else timestamp(now),
        "reason": "Unschedulable",
        "message": why,
    }


def _no_node(refusals: list[list[str]]) -> str:
    """The sentence that adds up why each node was refused."""
    if not refusals:
        return "no nodes available to schedule pods"
    counted = Counter(why for each in refusals for why in each)
    reasons = sorted(f"{number} {why}" for why, number in counted.items())
    count = len(refusals)
    head = f"0/{count} nodes are available: {', '.join(reasons)}."
    full = all(why.startswith(("Insufficient", "Too many")) for each in refusals for why in each)
    helpless = "No preemption victims found for incoming pod" if full else "Preemption is not helpful for scheduling"
    preemption = f"preemption: 0/{count} nodes are available: {count} {helpless}."
    return f"{head} no new claims to deallocate, {preemption}"


def _event(pod: Object, kind: str, reason: str, action: str, message: str, now: float) -> Object:
    meta = pod["metadata"]
    return {
        "metadata": {"name": f"{meta['name']}.{int(now * 1e9):x}", "namespace": meta["namespace"]},
        "involvedObject": {
            "kind": "Pod",
            "namespace": meta["namespace"],
            "name": meta["name"],
            "uid": meta["uid"],
            "apiVersion": "v1",
            "resourceVersion": meta["resourceVersion"],
        },
        "reason": reason,
        "message": message,
        "source": {},
        "firstTimestamp": None,
        "lastTimestamp": None,
        "type": kind,
        "eventTime": micro_timestamp(now),
        "action": action,
        "reportingComponent": NAME,
        "reportingInstance": f"{NAME}-0",
    }
