"""The level-triggered kopf variant: kopf watches, and all that follows is the handwritten loop's own.

    kopf run --standalone -A --liveness=http://0.0.0.0:8081/healthz operator/nginxpod_level.py

    kopf's watch --- on.event ---> Mirror --- handlers ---> queue -> Controller -> twinloop.sync
    our own LIST ----------------> Mirror

Beside `nginxpod.py`, which does what kopf's documentation teaches, this shows what kopf does to an operator that uses it as
a watch and nothing more. Queue, workers, caches and handlers come from `handwritten`, so that where the two differ it is
the watch. No handler of kopf's is one that it would retry, so it writes nothing on a NginxPod: no annotation, no finalizer.

What kopf's watch does not say, a list of our own does: that the mirrors are complete, which starts the workers, and which
objects vanished unseen, before kopf's first list or when it had to list again. An event without a type is how one learns
that kopf has listed: then so do we. It lists nothing silently: a kind whose last object has vanished is noticed by the
other kind's events, or by the resync every 10 minutes.

By environment: as `nginxpod.py`. It needs the package `handwritten` beside it, which the image for kopf does not hold.
"""

from __future__ import annotations

import logging
import os
import random
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import framework
import kopf
from framework import EndlessBackoffs, Login, configured, in_thread, number, opened
from mirror import Mirror
from prometheus_client import REGISTRY

from handwritten.clock import RealClock
from handwritten.controller import Controller
from handwritten.metrics import PrometheusMetricsProvider
from handwritten.nginxpod import CONTROLLER, POD_INDEXERS, CachedCluster, NginxPodHandler, PodHandler, visit
from handwritten.ratelimit import ItemExponentialFailureRateLimiter, RateLimitingQueue
from handwritten.store import Indexer
from twinloop import __version__
from twinloop.kube import NGINXPODS, PODS, Client, EventRecorder
from twinloop.memory import Memory
from twinloop.metrics import ReconcileMetrics
from twinloop.nginxpod import GROUP, VERSION
from twinloop.sync import RETRY_BASE, RETRY_MAX, Outcome

log = logging.getLogger("twinloop.operator")

# Relists are spread by this part of their period, so that what started together does not come back together.
RESYNC_JITTER = 0.1
# So long after the last event of a list of kopf's we list, too: all of it has been told by then, and one list will do.
SETTLED = 0.3
# How long the controller may take to end: its workers have six seconds, and the process has ten.
PATIENCE = 7.0


class NoDiffBase(kopf.DiffBaseStorage):
    """Nothing is compared: there is no handler that hears of changes, and comparing costs most of an event's time."""

    def build(self, *, body: kopf.Body, extra_fields: Iterable[Any] | None = None) -> kopf.BodyEssence:  # noqa: ARG002
        """Say that there is nothing to compare."""
        return kopf.BodyEssence()

    def fetch(self, *, body: kopf.Body) -> kopf.BodyEssence | None:  # noqa: ARG002
        """Say that nothing was kept."""
        return None

    def store(self, *, body: kopf.Body, patch: kopf.Patch, essence: kopf.BodyEssence) -> None:
        """Keep nothing."""


class NoProgress(kopf.ProgressStorage):
    """Nothing is retried by kopf, so there is no progress to keep."""

    def fetch(self, *, key: str, body: kopf.Body) -> None:
        """Say that nothing was kept."""

    def store(self, *, key: str, record: Any, body: kopf.Body, patch: kopf.Patch) -> None:
        """Keep nothing."""

    def purge(self, *, key: str, body: kopf.Body, patch: kopf.Patch) -> None:
        """Do nothing: nothing was kept."""

    def touch(self, *, body: kopf.Body, patch: kopf.Patch, value: str | None) -> None:
        """Leave the object alone."""

    def clear(self, *, essence: kopf.BodyEssence) -> kopf.BodyEssence:
        """Give back what is empty anyway; the default copies it."""
        return essence


class Operator:
    """Two mirrors, a queue and a controller; `start` and `stop` are called by kopf's activities."""

    def __init__(self) -> None:
        self._workers = int(number("TWINLOOP_WORKERS", 4, least=1))
        self._resync = number("TWINLOOP_RESYNC", 600, least=0)
        self._namespace = os.environ.get("TWINLOOP_NAMESPACE") or None
        agent = f"twinloop-kopf-level/{__version__}"
        self._client = Client(configured(), user_agent=agent, pool_size=self._workers + 2)
        self._recorder = EventRecorder(self._client)
        self._stop = threading.Event()
        # kopf has listed and we have not since; or it is time to stop.
        self._listed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="controller", daemon=True)
        clock, indexers = RealClock(), {NGINXPODS: Indexer(), PODS: Indexer(POD_INDEXERS)}
        self._cluster = CachedCluster(self._client, self._recorder, indexers[NGINXPODS], indexers[PODS], clock)
        self._nginxpods = indexers[NGINXPODS]
        # No token bucket: the limit is each NginxPod's own back-off, in every variant.
        self._queue: RateLimitingQueue[str] = RateLimitingQueue(
            rate_limiter=ItemExponentialFailureRateLimiter(RETRY_BASE, RETRY_MAX),
            name=CONTROLLER,
            clock=clock,
            metrics=PrometheusMetricsProvider(REGISTRY),
        )
        enqueue = self._queue.add
        self.nginxpods = Mirror(indexers[NGINXPODS], NginxPodHandler(self._cluster, enqueue))
        self.pods = Mirror(indexers[PODS], PodHandler(self._cluster, indexers[NGINXPODS], enqueue))
        self._controller = Controller(
            CONTROLLER, self._queue, self._visits(), has_synced=[lambda: self.ready() is True], clock=clock
        )

    def _visits(self) -> Callable[[str], Outcome]:
        memory, metrics = Memory(), ReconcileMetrics(CONTROLLER, workers=self._workers)
        return lambda key: visit(self._cluster, key, memory, metrics)

    def ready(self) -> bool | str:
        """For /readyz: both mirrors hold a whole list."""
        mirrors = {"nginxpods": self.nginxpods, "pods": self.pods}
        waiting = [name for name, mirror in mirrors.items() if not mirror.synced]
        return f"not synced: {', '.join(waiting)}" if waiting else True

    def start(self) -> None:
        """Begin to list and to work; returns at once, so that kopf answers its own probe while the API server is away."""
        self._thread.start()
        threading.Thread(target=self._relist, name="relist", daemon=True).start()

    def stop(self) -> None:
        """Let the workers finish what they hold, and flush the Events."""
        self._stop.set()
        self._listed.set()
        self._thread.join(PATIENCE)
        self._recorder.close(1.0)

    def _run(self) -> None:
        self._controller.run(self._workers, self._stop)

    def heard(self, mirror: Mirror, event: kopf.RawEvent) -> None:
        """Take in an event of kopf's; the object itself is kept, not kopf's view of it."""
        mirror.apply(event["type"], dict(event["object"]))
        if event["type"] is None:
            self._listed.set()

    def _relist(self) -> None:
        """List both kinds until that has worked, then after each list of kopf's and in each period of the resync."""
        waits: Iterator[float] = iter(EndlessBackoffs())
        while True:
            try:
                self._list_both()
                waits, wait = iter(EndlessBackoffs()), self._next_resync()
            except Exception as error:  # noqa: BLE001 - a broken answer: the next one may be whole
                wait = next(waits)
                log.warning("List failed, will retry", extra={"error": str(error), "seconds": wait})
            self._listed.wait(wait)
            while self._listed.is_set():
                self._listed.clear()
                if self._stop.wait(SETTLED):
                    return

    def _list_both(self) -> None:
        primed = self.ready() is True
        for mirror, resource in ((self.nginxpods, NGINXPODS), (self.pods, PODS)):
            mirror.refresh(partial(self._client.list_all, resource, self._namespace))
        # At the start each NginxPod was put on the queue as it was found; a resync visits them all.
        for key in self._nginxpods.list_keys() if primed else []:
            self._queue.add(key)

    def _next_resync(self) -> float | None:
        spread = random.uniform(1 - RESYNC_JITTER, 1 + RESYNC_JITTER)  # noqa: S311 - spreads load
        return self._resync * spread or None


app, server = opened(Operator)
kopf.on.login()(Login().log_in)


@kopf.on.startup()
async def start(settings: kopf.OperatorSettings, **_: Any) -> None:
    """Set kopf up as a watch that costs as little as it can, and start the loop behind it."""
    framework.configure(settings)
    # Defaults: notes in annotations, and a deep copy of every object of every event to compare with them.
    settings.persistence.diffbase_storage = NoDiffBase()
    settings.persistence.progress_storage = NoProgress()
    app.start()


@kopf.on.event(GROUP, VERSION, NGINXPODS.plural)
async def on_nginxpod(event: kopf.RawEvent, **_: Any) -> None:
    """A NginxPod as kopf tells of it."""
    app.heard(app.nginxpods, event)


@kopf.on.event("", "v1", PODS.plural)
async def on_pod(event: kopf.RawEvent, **_: Any) -> None:
    """A pod as kopf tells of it."""
    app.heard(app.pods, event)


@kopf.on.cleanup()
async def cleanup(**_: Any) -> None:
    """Stop what kopf does not know of."""
    await in_thread(app.stop)
