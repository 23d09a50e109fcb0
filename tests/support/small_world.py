"""A cluster in a dict and an operator without faults: what a story is told to when nothing is to be started.

The operator sees everything at once and does one thing a step, by the documented rules of a NginxPod. It knows nothing of
`twinloop.plan`: a story that expects something wrong is to be found out, also when the sync function is wrong alike.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from twinloop.harness.objects import controller
from twinloop.harness.props import image_of, serves

Object = dict[str, Any]
# Called before a write with verb, resource, subresource and name; the write is done when it says so.
Gate = Callable[[str, str, str, str], bool]


class World:
    """The objects of one namespace, by plural and name; deleted means gone, with everything that was owned, unless a finalizer holds it."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], Object] = {}
        # Told of every change: its type, the plural, the name.
        self.watchers: list[Callable[[str, str, str], None]] = []
        self._uids = itertools.count(1)

    def of(self, plural: str) -> list[Object]:
        return [obj for (kind, _), obj in sorted(self.objects.items()) if kind == plural]

    def add(self, plural: str, obj: Object) -> Object:
        name = obj["metadata"]["name"]
        assert (plural, name) not in self.objects, f"{plural} {name} exists"
        obj["metadata"].update(uid=f"uid-{next(self._uids)}", generation=1)
        self.objects[plural, name] = obj
        if plural == "pods":
            obj["status"] = {"phase": "Pending"}
        if plural == "resourcequotas":
            obj["status"] = {"used": {}}
        self._tell("ADDED", plural, name)
        return obj

    def run_kubelet(self) -> None:
        """Bring every new pod to life whose image is there."""
        for pod in self.of("pods"):
            if pod["status"]["phase"] == "Pending" and "does-not-exist" not in image_of(pod):
                status = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
                self.merge("pods", pod["metadata"]["name"], {"status": status})

    def merge(self, plural: str, name: str, patch: Object) -> Object:
        obj = self.objects[plural, name]
        obj["metadata"]["generation"] += "spec" in patch
        _merge(obj, patch)
        self._tell("MODIFIED", plural, name)
        if terminating(obj) and not obj["metadata"].get("finalizers"):
            self.remove(plural, name)
        return obj

    def remove(self, plural: str, name: str) -> None:
        obj = self.objects.get((plural, name))
        if obj is None:
            return
        if obj["metadata"].get("finalizers"):
            obj["metadata"].update(
                deletionTimestamp="2026-01-01T00:00:00Z", generation=obj["metadata"]["generation"] + 1
            )
            self._tell("MODIFIED", plural, name)
            return
        del self.objects[plural, name]
        self._tell("DELETED", plural, name)
        for pod in self.of("pods"):
            if controller(pod).get("uid") == obj["metadata"]["uid"]:
                self.remove("pods", pod["metadata"]["name"])

    def owned(self, nginxpod: Object) -> dict[str, Object]:
        uid = nginxpod["metadata"]["uid"]
        return {pod["metadata"]["name"]: pod for pod in self.of("pods") if controller(pod).get("uid") == uid}

    def room(self) -> bool:
        quotas = [int(quota["spec"]["hard"]["pods"]) for quota in self.of("resourcequotas")]
        return len(self.of("pods")) < min(quotas, default=1000)

    def _tell(self, event: str, plural: str, name: str) -> None:
        for watcher in self.watchers:
            watcher(event, plural, name)


def terminating(obj: Object) -> bool:
    """Whether an object was deleted, and is held by a finalizer."""
    return "deletionTimestamp" in obj["metadata"]


def _merge(obj: Object, patch: Object) -> None:
    for key, value in patch.items():
        if value is None:
            obj.pop(key, None)
        elif isinstance(value, dict):
            _merge(obj.setdefault(key, {}), value)
        else:
            obj[key] = value


class GoodOperator:
    """Does what the rules say, one thing a step."""

    def __init__(self, world: World, gate: Gate) -> None:
        self._world, self._gate = world, gate

    def step(self) -> bool:
        """Do one thing for some NginxPod; False when there is nothing to do."""
        return any(self._visit(each) for each in self._world.of("nginxpods") if not terminating(each))

    def _visit(self, nginxpod: Object) -> bool:
        spec, name, own = nginxpod["spec"], nginxpod["metadata"]["name"], self._world.owned(nginxpod)
        wanted = [f"{name}-{ordinal}" for ordinal in range(spec["replicas"])]
        for doomed in [
            pod for pod in own if pod not in wanted or (not serves(own[pod]) and _outdated(nginxpod, own[pod]))
        ]:
            return self._delete(doomed)
        free = [pod for pod in wanted if ("pods", pod) not in self._world.objects]
        if free and self._world.room():
            return self._create(nginxpod, free[0])
        outdated = [pod for pod in reversed(wanted) if pod in own and _outdated(nginxpod, own[pod])]
        if outdated and not free and all(map(serves, own.values())):
            return self._delete(outdated[0])
        return self._say(nginxpod, *_verdict(wanted, free, own, outdated))

    def _delete(self, pod: str) -> bool:
        if self._gate("delete", "pods", "", pod):
            self._world.remove("pods", pod)
        return True

    def _create(self, nginxpod: Object, pod: str) -> bool:
        # A name in the body and none in the path, as requests are.
        if self._gate("create", "pods", "", ""):
            self._world.add("pods", _pod(nginxpod, pod))
        return True

    def _say(self, nginxpod: Object, ready: bool, reason: str) -> bool:
        others = [each for each in nginxpod.get("status", {}).get("conditions", []) if each["type"] != "Ready"]
        status = {
            "observedGeneration": nginxpod["metadata"]["generation"],
            "conditions": [*others, {"type": "Ready", "status": str(ready), "reason": reason}],
        }
        if nginxpod.get("status") == status:
            return False
        name = nginxpod["metadata"]["name"]
        if self._gate("patch", "nginxpods", "status", name):
            self._world.merge("nginxpods", name, {"status": status})
        return True


def _outdated(nginxpod: Object, pod: Object) -> bool:
    container, spec = pod["spec"]["containers"][0], nginxpod["spec"]
    label = pod["metadata"]["labels"].get("twinloop.dev/nginxpod")
    wanted = (spec["image"], [{"containerPort": spec["port"]}], nginxpod["metadata"]["name"])
    ended = pod["status"]["phase"] in {"Failed", "Succeeded"}
    return ended or (container["image"], container["ports"], label) != wanted


def _verdict(wanted: list[str], free: list[str], own: dict[str, Object], outdated: list[str]) -> tuple[bool, str]:
    if set(wanted) - set(own) - set(free):
        return False, "NameConflict"
    if free:
        return False, "PodCreateFailed"
    ready = not outdated and all(map(serves, own.values()))
    return ready, "AllReady" if ready else "Progressing"


def _pod(nginxpod: Object, name: str) -> Object:
    parent, spec = nginxpod["metadata"], nginxpod["spec"]
    owner = {"kind": "NginxPod", "name": parent["name"], "uid": parent["uid"], "controller": True}
    container = {"name": "nginx", "image": spec["image"], "ports": [{"containerPort": spec["port"]}]}
    labels = {"twinloop.dev/nginxpod": parent["name"]}
    return {
        "metadata": {"name": name, "labels": labels, "ownerReferences": [owner]},
        "spec": {"containers": [container]},
    }
