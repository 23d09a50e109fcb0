"""A cluster in a dictionary, for the sync function: the `Cluster` protocol with an API server's manners.

It has uids, resource versions, preconditions, graceful deletion, and lists pods by label only. What it lacks: a
schema, admission, watches; and nothing happens in it unless a test calls one of the kubelet's methods.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import datetime, timedelta

from support import builders
from twinloop import nginxpod as resource
from twinloop.errors import AlreadyExists, ApiError, Conflict, NotFound
from twinloop.memory import Memory
from twinloop.nginxpod import Object, is_finished, is_terminating, name_of, uid_of
from twinloop.sync import Outcome, sync

Fault = Callable[[str, str], ApiError | None]


class FakeCluster:
    """One namespace. `writes` lists accepted writes as (verb, name), `refuse` may answer a write with an error."""

    def __init__(self, *nginxpods: Object) -> None:
        self.time = builders.NOW
        self.nginxpods = {name_of(obj): copy.deepcopy(obj) for obj in nginxpods}
        self.pods: dict[str, Object] = {}
        self.writes: list[tuple[str, str]] = []
        self.attempts: list[tuple[str, str]] = []
        self.reads: list[str] = []
        self.events: list[tuple[str, str, str]] = []
        self.refuse: Fault = lambda verb, name: None
        self.memory = Memory()
        self._version = 100

    # --- the protocol ---

    def get_nginxpod(self, namespace: str, name: str, *, live: bool) -> Object | None:
        self.reads.append(f"nginxpod {'live' if live else 'cached'}")
        return copy.deepcopy(self.nginxpods.get(name))

    def list_pods(self, nginxpod: Object, *, live: bool) -> list[Object]:
        self.reads.append("pods")
        label, value = resource.selector_of(name_of(nginxpod)).split("=")
        labelled = [p for p in self.pods.values() if (p["metadata"].get("labels") or {}).get(label) == value]
        return copy.deepcopy(labelled)

    def get_pod(self, namespace: str, name: str) -> Object | None:
        self.reads.append(f"pod {name}")
        return copy.deepcopy(self.pods.get(name))

    def create_pod(self, pod: Object) -> Object:
        self._ask("create", name_of(pod))
        if name_of(pod) in self.pods:
            raise AlreadyExists(f'pods "{name_of(pod)}" already exists', code=409, reason="AlreadyExists")
        created = copy.deepcopy(pod)
        created["metadata"] |= {"uid": f"pod-{self._next()}", "creationTimestamp": resource.format_time(self.time)}
        created["status"] = {"phase": "Pending", "conditions": []}
        self.put(created)
        self.writes.append(("create", name_of(pod)))
        return copy.deepcopy(self.pods[name_of(pod)])

    def delete_pod(self, pod: Object) -> Object:
        self._ask("delete", name_of(pod))
        live = self.pods.get(name_of(pod))
        if live is None:
            raise NotFound(f'pods "{name_of(pod)}" not found', code=404)
        if uid_of(live) != uid_of(pod):
            raise Conflict("the UID in the precondition does not match", code=409, reason="Conflict")
        self.writes.append(("delete", name_of(pod)))
        if is_finished(live):
            return copy.deepcopy(self.pods.pop(name_of(pod)))
        due = resource.format_time(self.time + timedelta(seconds=30))
        self.put(builders.changed(live, deletionTimestamp=due, deletionGracePeriodSeconds=30))
        return copy.deepcopy(self.pods[name_of(pod)])

    def patch_status(self, nginxpod: Object, status: Object) -> Object:
        self._ask("status", name_of(nginxpod))
        live = self.nginxpods.get(name_of(nginxpod))
        if live is None:
            raise NotFound("gone", code=404)
        if live["metadata"]["resourceVersion"] != nginxpod["metadata"]["resourceVersion"]:
            raise Conflict("the object has been modified", code=409, reason="Conflict")
        live["status"] = copy.deepcopy(status)
        live["metadata"]["resourceVersion"] = self._next()
        self.writes.append(("status", name_of(nginxpod)))
        return copy.deepcopy(live)

    def record(self, nginxpod: Object, type_: str, reason: str, message: str) -> None:
        self.events.append((type_, reason, message))

    # --- the test's hands ---

    def sync(self, name: str = "web") -> Outcome:
        """Visit a NginxPod as a loop would."""
        return sync(self, builders.NAMESPACE, name, now=self.now, memory=self.memory)

    def now(self) -> datetime:
        return self.time

    def pass_time(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)

    def put(self, pod: Object) -> None:
        """Store a pod as its next version."""
        self.pods[name_of(pod)] = copy.deepcopy(builders.changed(pod, resourceVersion=self._next()))

    def edit(self, name: str = "web", **spec: object) -> None:
        """Change a spec as a user does."""
        obj = self.nginxpods[name]
        obj["spec"] |= spec
        obj["metadata"]["generation"] += 1
        obj["metadata"]["resourceVersion"] = self._next()

    def kubelet(self) -> None:
        """Let every pod become what it is on its way to be: ready, or gone."""
        for name, pod in list(self.pods.items()):
            if is_terminating(pod):
                del self.pods[name]
            elif not is_finished(pod) and resource.owner_uid(pod):
                self.put({**pod, "status": {"phase": "Running", "conditions": [builders.condition("Ready", True)]}})

    def settle(self, name: str = "web", rounds: int = 30) -> None:
        """Visit and let the kubelet work until nothing is written any more."""
        for _ in range(rounds):
            before = len(self.writes)
            self.sync(name)
            self.kubelet()
            self.sync(name)
            if len(self.writes) == before:
                return
        raise AssertionError(f"still writing after {rounds} rounds: {self.writes[-5:]}")

    def ready(self, name: str = "web") -> Object:
        """The Ready condition."""
        conditions = self.nginxpods[name]["status"]["conditions"]
        return next(condition for condition in conditions if condition["type"] == "Ready")

    def _ask(self, verb: str, name: str) -> None:
        self.attempts.append((verb, name))
        error = self.refuse(verb, name)
        if error is not None:
            raise error

    def _next(self) -> str:
        self._version += 1
        return str(self._version)
