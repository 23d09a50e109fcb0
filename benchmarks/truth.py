"""What has become of the NginxPods, by a watch of the benchmark's own: the operators are not asked.

`operators.py` changes NginxPods and waits here until each is as asked for.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from twinloop.kube import NGINXPODS, Client, WatchStream, decode_event

# Seconds without a change of any NginxPod after which an operator is taken to be stuck.
PATIENCE = 120.0


@dataclass
class Truth:
    """When each NginxPod was first seen as `wanted`, and which there are."""

    client: Client
    namespace: str
    ready_at: dict[str, float] = field(default_factory=dict)
    alive: set[str] = field(default_factory=set)
    wanted: int = 1
    _last: float = 0.0
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @contextlib.contextmanager
    def followed(self) -> Iterator[None]:
        """Keep up to date while the block lasts."""
        start = self.client.list_page(NGINXPODS, self.namespace)["metadata"]["resourceVersion"]
        with self.client.watch(
            NGINXPODS, self.namespace, resource_version=start, timeout_seconds=7200, idle_timeout=7200
        ) as stream:
            thread = threading.Thread(target=self._follow, args=(stream,), daemon=True)
            thread.start()
            yield
        thread.join()

    def expect(self, replicas: int) -> None:
        """From now on a NginxPod is as asked for with so many pods."""
        with self._changed:
            self.wanted = replicas
            self.ready_at.clear()

    def wait(self, done: Callable[[], bool], stuck: Callable[[], bool], why: Callable[[], str]) -> None:
        """Until `done`. Raises RuntimeError with `why` when the operator is `stuck`, or nothing happens any more."""
        with self._changed:
            self._last = time.monotonic()
            while not done():
                if stuck() or time.monotonic() - self._last > PATIENCE:
                    raise RuntimeError(why())
                self._changed.wait(0.5)

    def _follow(self, stream: WatchStream) -> None:
        for line in stream:
            event = decode_event(line)
            if event["type"] != "BOOKMARK":
                self._take(event["type"], event["object"])

    def _take(self, kind: str, obj: dict[str, Any]) -> None:
        now, name = time.monotonic(), obj["metadata"]["name"]
        with self._changed:
            self._last = now
            (self.alive.discard if kind == "DELETED" else self.alive.add)(name)
            if is_ready(obj, self.wanted):
                self.ready_at.setdefault(name, now)
            self._changed.notify_all()


def is_ready(nginxpod: dict[str, Any], replicas: int) -> bool:
    """Ready by its own account, about its newest generation, with so many pods."""
    status = nginxpod.get("status") or {}
    conditions = {each["type"]: each["status"] for each in status.get("conditions", [])}
    current = status.get("observedGeneration") == nginxpod["metadata"]["generation"]
    return current and conditions.get("Ready") == "True" and status.get("readyReplicas") == replicas
