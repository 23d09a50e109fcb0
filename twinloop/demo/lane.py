"""One lane: what happens in one namespace, kept up to date by two watches, told line by line.

`run.py` opens a lane for each operator. Each watch is a thread that keeps the objects of one kind and wakes whoever
waits in `wait`; `tell` gets every line worth reading. This is a reader for a demo and no reflector: it begins
before anything exists, and a watch that breaks ends the demo with an error.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from twinloop.demo.headlines import headline
from twinloop.errors import TwinloopError
from twinloop.kube import NGINXPODS, PODS, Client, Object, Resource, WatchStream, decode_event

Tell = Callable[[str, str], None]

# Longer than any demo; the server ends a watch after this many seconds.
WATCH_SECONDS = 600


class DemoFailedError(TwinloopError):
    """The story did not come to its end: an operator died, or a step took too long."""


class Lane:
    """The NginxPods and pods of `namespace`; `tell(name, line)` is called from the watches' threads."""

    def __init__(self, name: str, client: Client, namespace: str, tell: Tell) -> None:
        self.name, self.client, self.namespace = name, client, namespace
        self._tell = tell
        self._objects: dict[Resource, dict[str, Object]] = {NGINXPODS: {}, PODS: {}}
        self._changed = threading.Condition()
        self._streams: list[WatchStream] = []
        self._broken = ""

    def open(self) -> None:
        """Start watching, from now on."""
        for resource in self._objects:
            start = self.client.list_page(resource, self.namespace)["metadata"]["resourceVersion"]
            stream = self.client.watch(
                resource,
                self.namespace,
                resource_version=start,
                timeout_seconds=WATCH_SECONDS,
                idle_timeout=WATCH_SECONDS,
            )
            self._streams.append(stream)
            threading.Thread(target=self._follow, args=(resource, stream), daemon=True).start()

    def close(self) -> None:
        """End the watches."""
        for stream in self._streams:
            stream.close()

    def nginxpod(self, name: str) -> Object | None:
        """A NginxPod as the watch last showed it."""
        return self._objects[NGINXPODS].get(name)

    def pods(self) -> dict[str, Object]:
        """The pods of the namespace by name."""
        return dict(self._objects[PODS])

    def wait(self, done: Callable[[Lane], bool], patience: float, alive: Callable[[], bool]) -> None:
        """Block until `done(self)`; DemoFailedError after `patience` seconds or when `alive` turns False."""
        deadline = time.monotonic() + patience
        with self._changed:
            while not done(self):
                if self._broken:
                    raise DemoFailedError(f"{self.name}: the watch ended: {self._broken}")
                if not alive():
                    raise DemoFailedError(f"{self.name}: the operator ended by itself")
                if time.monotonic() > deadline:
                    raise DemoFailedError(f"{self.name}: nothing more happened for {patience:g} s")
                # Not longer, since nobody notifies when an operator dies.
                self._changed.wait(0.2)

    def _follow(self, resource: Resource, stream: WatchStream) -> None:
        try:
            for line in stream:
                self._take(resource, decode_event(line))
        except TwinloopError as error:
            self._broken = str(error)

    def _take(self, resource: Resource, event: dict[str, Any]) -> None:
        if event["type"] not in {"ADDED", "MODIFIED", "DELETED"}:
            return
        objects, obj = self._objects[resource], event["object"]
        name = obj["metadata"]["name"]
        with self._changed:
            before = objects.pop(name, None)
            now = None if event["type"] == "DELETED" else obj
            if now is not None:
                objects[name] = now
            line = headline(before, now)
            if line:
                self._tell(self.name, line)
            self._changed.notify_all()
