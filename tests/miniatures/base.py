"""The right miniature: a level-triggered operator in a hundred lines, whose every step a subclass may spoil.

    a watch of each kind --> names --> Keys --> workers --> visit: twinloop.sync on live reads --> again, later, or done

A watch that ends is opened again where it was; one that cannot be, lists anew and visits everything that was ever known.
Visits read live, so no cache can be wrong here. `__main__.py` makes it a process.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime
from typing import ClassVar

from miniatures.keys import Keys
from twinloop.cluster import LiveCluster, Recorder
from twinloop.errors import ApiError, CorruptAnswer, TooManyRequests, Unavailable
from twinloop.kube import NGINXPODS, PODS, Client, Object, Resource, decode_event, error_from_status
from twinloop.memory import Memory
from twinloop.nginxpod import name_of, namespace_of, parents_of
from twinloop.sync import Outcome, retry_delay, sync

log = logging.getLogger("miniature")

WORKERS = 3
KINDS = (NGINXPODS, PODS)
# A watch that lived shorter than this counts as a failure, and the next one waits.
SHORT_LIFE = 1.0


class WholeNamespace(LiveCluster):
    """A cluster that shows the sync function every pod of the namespace, also those without the label."""

    def __init__(self, client: Client, recorder: Recorder) -> None:
        super().__init__(client, recorder)
        self.client = client

    def list_pods(self, nginxpod: Object, *, live: bool) -> list[Object]:
        """All of them."""
        items: list[Object] = self.client.list_all(PODS, namespace_of(nginxpod))["items"]
        return items


class Miniature:
    """The right one. A bug is a subclass that says in which story it shows, as SCENARIO or SCENARIO.PLAN, and who sees it.

    `also`: another plan to run beside it, for an oracle that compares.
    """

    shown: ClassVar[str] = ""
    also: ClassVar[str] = ""
    caught: ClassVar[str] = ""
    Cluster: ClassVar[type[WholeNamespace]] = WholeNamespace

    def __init__(self, client: Client, recorder: Recorder, namespace: str, resync: float) -> None:
        self.client, self.namespace, self.resync = client, namespace, resync
        self.cluster = self.Cluster(client, recorder)
        self.keys, self.memory, self.stopped = Keys(), Memory(), threading.Event()
        self.known: set[str] = set()
        self.synced: set[Resource] = set()
        # Where each watch is; "" when it has lost its place.
        self.versions = dict.fromkeys(KINDS, "")
        self.failures: dict[str, int] = {}

    def run(self) -> None:
        """Live until `stopped` is set; what is in hand is finished."""
        for resource in KINDS:
            threading.Thread(target=self.follow, args=(resource,), daemon=True).start()
        workers = [threading.Thread(target=self.work, daemon=True) for _ in range(WORKERS)]
        for worker in workers:
            worker.start()
        while not self.stopped.wait(self.resync or None):
            self.visit_all()
        self.keys.close()
        for worker in workers:
            worker.join(5)

    def ready(self) -> bool | str:
        """For /readyz: both kinds were listed."""
        return len(self.synced) == len(KINDS) or "not listed"

    # ------------------------------------------------------------------ watching

    def follow(self, resource: Resource) -> None:
        """Keep a kind in view for ever."""
        failures = 0
        while not self.stopped.is_set():
            began, asked = time.monotonic(), 0.0
            try:
                self.list_if_lost(resource)
                self.watch(resource)
            except ApiError as error:
                log.info("%s: %s", resource, error)
                asked = self.after_error(resource, error)
            failures = 0 if time.monotonic() - began > SHORT_LIFE else failures + 1
            self.stopped.wait(max(asked, self.pause(failures)))

    def after_error(self, resource: Resource, error: ApiError) -> float:
        """Lose the place unless the stream was merely cut; how long the server asks to wait."""
        if not isinstance(error, Unavailable | TooManyRequests) or isinstance(error, CorruptAnswer):
            self.versions[resource] = ""
        return (error.retry_after or 0.0) if isinstance(error, TooManyRequests) else 0.0

    def pause(self, failures: int) -> float:
        """How long to wait before the next watch."""
        return min(5.0, 0.1 * 2.0**failures) if failures else 0.0

    def list_if_lost(self, resource: Resource) -> None:
        """List a kind when there is no version to watch from, and visit everything that it may concern."""
        if self.versions[resource]:
            return
        answer = self.client.list_all(resource, self.namespace)
        for obj in answer["items"]:
            self.wake(resource, obj)
        self.visit_all()
        self.versions[resource] = str(answer["metadata"]["resourceVersion"])
        self.synced.add(resource)

    def watch(self, resource: Resource) -> None:
        """Wake whoever an event concerns, until the watch ends."""
        with self.client.watch(
            resource,
            self.namespace,
            resource_version=self.versions[resource],
            timeout_seconds=300,
            idle_timeout=60,
        ) as stream:
            for line in stream:
                event = decode_event(line)
                if event["type"] == "ERROR":
                    raise error_from_status(event["object"])
                self.versions[resource] = event["object"]["metadata"]["resourceVersion"]
                if event["type"] != "BOOKMARK":
                    self.wake(resource, event["object"])

    def wake(self, resource: Resource, obj: Object) -> None:
        """Ask for a visit of every NginxPod that an object may concern."""
        names = {name_of(obj)} if resource == NGINXPODS else parents_of(obj) & self.known
        self.known |= names
        for name in names:
            self.ask(name)

    def visit_all(self) -> None:
        """Ask for a visit of everything that was ever known: a visit of what is gone costs one request."""
        for name in self.known.copy():
            self.ask(name)

    def ask(self, name: str) -> None:
        """Ask for a visit now."""
        self.keys.add(name)

    # ------------------------------------------------------------------ working

    def work(self) -> None:
        """Visit what is due until the queue closes."""
        while (name := self.keys.take()) is not None:
            try:
                outcome = self.visit(name)
            except Exception as error:  # noqa: BLE001 - a strange object costs itself a retry, and nobody else
                outcome = Outcome(f"{type(error).__name__}: {error}")
            self.failures[name] = self.failures.get(name, 0) + 1 if outcome.failure else 0
            wait = self.next_visit(outcome, self.failures[name])
            if wait is not None:
                self.keys.add(name, wait)
            self.keys.done(name)

    def visit(self, name: str) -> Outcome:
        """One reconciliation."""
        return sync(self.cluster, self.namespace, name, now=lambda: datetime.now(UTC), memory=self.memory)

    def next_visit(self, outcome: Outcome, failures: int) -> float | None:
        """Seconds until the next visit that nobody else asks for."""
        if outcome.failure:
            log.info("failed, will retry: %s", outcome.failure)
        if outcome.again is not None:
            return outcome.again
        return retry_delay(failures - 1) if outcome.failure else None
