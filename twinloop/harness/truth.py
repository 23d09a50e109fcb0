"""What really is: a watch of the harness's own on NginxPods and pods, straight to the API server, past every fault.

`trial.py` opens it before the operator starts. Each change is a Truth record, wakes whoever waits (`stage.py`), and is what
judges later compare with. A watch that ends is opened again from where it was; when the server has forgotten that, what
changed meanwhile is told by a list, deletions included, so that the truth has no holes in its end.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from twinloop.errors import ApiError, Gone, TwinloopError
from twinloop.harness.history import Recorder, Truth
from twinloop.harness.objects import condition, controller
from twinloop.kube import NGINXPODS, PODS, Client, Object, Resource, WatchStream, decode_event

log = logging.getLogger(__name__)

WATCHED = (NGINXPODS, PODS)
# Seconds after which the server ends a watch, longer than nearly every trial.
WATCH_SECONDS = 600
# Between two attempts to reach a server that is away; nobody else hammers it meanwhile.
PAUSE = 0.2


class TruthView:
    """The objects of one namespace as last seen. Read it under `changed`, or through the methods, which take it."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.objects: dict[Resource, dict[str, Object]] = {resource: {} for resource in WATCHED}
        # When the last change was recorded, on the trial's clock.
        self.at = 0.0

    def nginxpod(self, name: str) -> Object | None:
        """A NginxPod, None when there is none."""
        return self.objects[NGINXPODS].get(name)

    def pod(self, name: str) -> Object | None:
        """A pod, None when there is none."""
        return self.objects[PODS].get(name)

    def pods(self, owner: str = "") -> list[Object]:
        """All pods, or those whose controller is the living NginxPod of that name, by uid."""
        with self.changed:
            pods = list(self.objects[PODS].values())
        if not owner:
            return pods
        uid = (self.nginxpod(owner) or {"metadata": {"uid": None}})["metadata"]["uid"]
        return [pod for pod in pods if uid and controller(pod).get("uid") == uid]

    def ready(self, name: str) -> bool:
        """Whether the NginxPod says Ready=True about its present generation."""
        obj = self.nginxpod(name)
        if obj is None:
            return False
        current = (obj.get("status") or {}).get("observedGeneration") == obj["metadata"].get("generation")
        return current and condition(obj, "Ready").get("status") == "True"

    def wait(self, true: Callable[[TruthView], bool], within: float, now: Callable[[], float]) -> bool:
        """Block until `true(self)`, at most `within` seconds of `now`; its last value."""
        deadline = now() + within
        with self.changed:
            while not true(self):
                left = deadline - now()
                if left <= 0:
                    return False
                # Not to the deadline in one go: what `true` asks may depend on more than the truth.
                self.changed.wait(min(left, 0.05))
        return True


class TruthWatch:
    """Keeps a TruthView up to date and records it; a thread for each resource, from `open` to `close`."""

    def __init__(self, client: Client, namespace: str, recorder: Recorder) -> None:
        self.view = TruthView()
        self._client, self._namespace, self._recorder = client, namespace, recorder
        self._stopped = threading.Event()
        self._streams: dict[Resource, WatchStream] = {}
        self._threads: list[threading.Thread] = []

    def open(self) -> None:
        """List, record what is there, and watch from there on."""
        for resource in WATCHED:
            version = self._list(resource)
            thread = threading.Thread(target=self._follow, args=(resource, version), daemon=True)
            thread.start()
            self._threads.append(thread)

    def close(self) -> None:
        """End the watches and their threads."""
        self._stopped.set()
        for stream in list(self._streams.values()):
            stream.close()
        for thread in self._threads:
            thread.join(5)

    def _list(self, resource: Resource) -> str:
        """Read everything; what differs from what was known is recorded. The version to watch from."""
        answer = self._client.list_all(resource, self._namespace)
        items = {item["metadata"]["name"]: item for item in answer["items"]}
        for name, known in dict(self.view.objects[resource]).items():
            # Also one that was replaced under its name: its own end was not seen.
            if name not in items or items[name]["metadata"]["uid"] != known["metadata"]["uid"]:
                self._take(resource, "DELETED", known)
        for name, item in items.items():
            before = self.view.objects[resource].get(name)
            if before is None or before["metadata"]["resourceVersion"] != item["metadata"]["resourceVersion"]:
                self._take(resource, "LISTED", item)
        return str(answer["metadata"]["resourceVersion"])

    def _follow(self, resource: Resource, version: str) -> None:
        while not self._stopped.is_set():
            try:
                version = self._watch(resource, version) if version else self._list(resource)
            except Gone:
                version = ""
            except TwinloopError as error:
                log.debug("the truth about %s was interrupted: %s", resource, error)
                self._stopped.wait(PAUSE)
            except Exception:
                # A thread that died would make every operator look as if it did nothing.
                log.exception("the truth about %s was interrupted", resource)
                version = ""
                self._stopped.wait(PAUSE)

    def _watch(self, resource: Resource, version: str) -> str:
        """Follow one watch to its end. The version to go on from, "" when only a list can tell."""
        stream = self._client.watch(
            resource,
            self._namespace,
            resource_version=version,
            timeout_seconds=WATCH_SECONDS,
            idle_timeout=WATCH_SECONDS + 10,
        )
        with stream:
            self._streams[resource] = stream
            # `close` may have come between the two, and would have missed this stream.
            if self._stopped.is_set():
                return version
            try:
                for line in stream:
                    event = decode_event(line)
                    if event["type"] == "ERROR":
                        return ""
                    version = event["object"]["metadata"]["resourceVersion"]
                    self._take(resource, event["type"], event["object"])
            except ApiError:
                # It broke: the caller goes on from the last line that came whole.
                self._stopped.wait(PAUSE)
        return version

    def _take(self, resource: Resource, kind: str, obj: Object) -> None:
        if kind not in {"ADDED", "MODIFIED", "DELETED", "LISTED"}:
            return
        obj["metadata"].pop("managedFields", None)
        with self.view.changed:
            objects = self.view.objects[resource]
            if kind == "DELETED":
                objects.pop(obj["metadata"]["name"], None)
            else:
                objects[obj["metadata"]["name"]] = obj
            written = self._recorder.write(Truth(type=kind, resource=str(resource), object=obj))
            self.view.at = written.t
            self.view.changed.notify_all()
