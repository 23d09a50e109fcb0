"""The kopf variant: the shared sync function under kopf, the way kopf's documentation teaches.

    kopf run --standalone -A --liveness=http://0.0.0.0:8081/healthz operator/nginxpod.py

kopf watches, calls the handlers below and keeps their retries in annotations of the NginxPod. The handlers decide
nothing: each runs `twinloop.sync.sync` for one NginxPod. What kopf has no word for is added in the open:

- A pod's event runs the sync of its NginxPod, one visit at a time; events that come meanwhile share the next visit.
  kopf never retries an event handler, so when such a visit fails, one annotation of the NginxPod is touched: that is
  an update to kopf, and its own retry takes over.
- A change of a NginxPod that comes while kopf waits to retry is served at once: kopf would let it wait, and would drop
  the retry if the change leads back to what it last handled.
- Each NginxPod has one timer of the event loop, for a visit that wants to be repeated without having failed, and for a
  look at everything every 10 minutes. kopf's own timers and daemons would put a finalizer on every NginxPod, and none
  could be deleted while the operator is down.

By environment: KUBECONFIG (or in-cluster), TWINLOOP_CONTEXT, TWINLOOP_NAMESPACE (what /readyz asks for, if not all),
TWINLOOP_WORKERS, TWINLOOP_RESYNC (seconds, 0 = never), TWINLOOP_METRICS_ADDRESS (/metrics and /readyz; /healthz is kopf's
--liveness). This folder must never get an __init__.py: it would hide Python's own `operator`.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import random
from dataclasses import dataclass, field
from typing import Any

import framework
import kopf
from framework import Login, configured, in_thread, now, number, opened

from twinloop import __version__
from twinloop.cluster import ToldCluster
from twinloop.errors import ApiError, NotFound
from twinloop.kube import NGINXPODS, PODS, Client, EventRecorder
from twinloop.memory import Memory
from twinloop.metrics import ReconcileMetrics
from twinloop.nginxpod import GROUP, VERSION, Object, name_of, namespace_of, parents_of, uid_of
from twinloop.sync import RETRY_MAX, Outcome, retry_delay, sync

log = logging.getLogger("twinloop.operator")

Key = tuple[str, str]

TOUCHED = f"{GROUP}/touched"
PLURAL = NGINXPODS.plural

# Seconds by which kopf may be late with a retry before it counts as dropped: it first waits, up to 5 s, for the echo of
# its own last write.
PROMISE_GRACE = 6.0
# Resyncs are spread by this part of their period, so that what started together does not come back together.
RESYNC_JITTER = 0.1


@dataclass
class Keyed:
    """What is kept for one NginxPod while it exists."""

    # One visit at a time; the handlers of kopf's, which has a queue for each uid, and of a pod's events overlap.
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    # The objects that have, or had, this name: a reused name overlaps with its predecessor.
    uids: set[str] = field(default_factory=set)
    # Pods of ours that a list by label may not show, named by events.
    told: set[str] = field(default_factory=set)
    # A visit for an event is about to begin.
    waiting: bool = False
    # kopf has a retry pending, for this generation.
    promised: int | None = None
    # The next visit that nobody else asks for.
    timer: asyncio.TimerHandle | None = None


class Operator:
    """What the handlers share: the client, the worker threads, and the NginxPods that exist."""

    def __init__(self) -> None:
        self.configuration = configured()
        self.workers = int(number("TWINLOOP_WORKERS", 4, least=1))
        self.resync = number("TWINLOOP_RESYNC", 600, least=0)
        self.client = Client(self.configuration, user_agent=f"twinloop-kopf/{__version__}", pool_size=self.workers + 2)
        self.recorder = EventRecorder(self.client)
        self.metrics = ReconcileMetrics("nginxpod", workers=self.workers)
        self.memory = Memory()
        self.keyed: dict[Key, Keyed] = {}
        self.started = self.listed = False
        # As many visits at once as the handwritten variant has workers.
        self._slots = asyncio.Semaphore(self.workers)
        self._tasks: set[asyncio.Task[None]] = set()

    # --- visits ---

    async def visit(self, key: Key) -> Outcome:
        """Run the sync function once, after whatever visit of the same NginxPod is under way."""
        keyed = self.keyed.setdefault(key, Keyed())
        async with keyed.lock:
            # From here on an event finds nobody waiting, and starts a visit of its own.
            keyed.waiting = False
            told, keyed.told = keyed.told, set()
            cluster = ToldCluster(self.client, self.recorder, told)
            async with self._slots:
                outcome = await in_thread(lambda: self._sync(cluster, key))
            # A stray that waits for its turn must be looked at next time too: no list will show it.
            keyed.told |= told if outcome.failure else cluster.strays
            if not outcome.failure:
                self._good(key, keyed, outcome)
            return outcome

    def _sync(self, cluster: ToldCluster, key: Key) -> Outcome:
        try:
            return self.metrics.observe(lambda: sync(cluster, *key, now=now, memory=self.memory))
        except Exception as error:
            log.exception("Sync function raised", extra={"nginxpod": "/".join(key)})
            return Outcome(f"{type(error).__name__}: {error}")

    async def serve_event(self, key: Key, pod: str = "") -> None:
        """Answer an event that kopf will not repeat: it ends in a good visit or in kopf's own retry, never in nothing."""
        keyed = self.keyed.setdefault(key, Keyed())
        keyed.told |= {pod} - {""}
        if keyed.waiting:
            # A visit is about to begin, and it reads after this event: it serves this one too.
            return
        for failures in itertools.count():
            keyed.waiting = True
            outcome = await self.visit(key)
            if not outcome.failure or keyed.promised is not None:
                return
            if outcome.again is not None:
                # The server wants to be left alone until then; a touch would be one request more.
                self._set_timer(key, keyed, outcome.again)
                return
            if await self._touch(key):
                return
            await asyncio.sleep(retry_delay(failures))

    async def _touch(self, key: Key) -> bool:
        """Make kopf see an update, so that its retries take over; False when even that was refused."""
        namespace, name = key
        patch = {"metadata": {"annotations": {TOUCHED: now().isoformat()}}}

        def touch() -> bool:
            try:
                self.client.merge_patch(NGINXPODS, name, patch, namespace)
            except NotFound:
                return True
            except ApiError:
                return False
            return True

        return await in_thread(touch)

    # --- the next visit that nobody else asks for ---

    def _good(self, key: Key, keyed: Keyed, outcome: Outcome) -> None:
        """After a good visit no retry is needed any more; the next visit is when the plan asks for it, or a resync."""
        keyed.promised = None
        resync = self.resync * random.uniform(1 - RESYNC_JITTER, 1 + RESYNC_JITTER)  # noqa: S311 - spreads load
        waits = [wait for wait in (outcome.again, resync) if wait]
        self._set_timer(key, keyed, min(waits, default=None) if keyed.uids else None)

    def promise(self, key: Key, generation: int, delay: float) -> None:
        """kopf will repeat the handler after `delay` seconds; make sure that somebody does.

        kopf drops a retry without a word when the NginxPod is changed back meanwhile to what it last handled well: it
        compares, and sees nothing to do. So a visit of our own is set for a moment later; a good one makes it needless.
        """
        keyed = self.keyed.setdefault(key, Keyed())
        keyed.promised = generation
        self._set_timer(key, keyed, delay + PROMISE_GRACE)

    def _set_timer(self, key: Key, keyed: Keyed, wait: float | None) -> None:
        if keyed.timer is not None:
            keyed.timer.cancel()
        keyed.timer = None if wait is None else asyncio.get_running_loop().call_later(wait, self._due, key, keyed)

    def _due(self, key: Key, keyed: Keyed) -> None:
        self._set_timer(key, keyed, None)
        keyed.promised = None
        task = asyncio.ensure_future(self.serve_event(key))
        # The loop keeps only a weak reference to a task.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- which NginxPods exist ---

    def seen(self, key: Key, uid: str, generation: int) -> None:
        """A NginxPod exists, in this generation.

        kopf does not call its handlers for a change that comes while their retry is pending. A corrected spec should not
        wait for that: it is served like an event.
        """
        keyed = self.keyed.setdefault(key, Keyed())
        keyed.uids.add(uid)
        if keyed.promised not in {None, generation}:
            self._due(key, keyed)

    async def gone(self, key: Key, uid: str) -> None:
        """A NginxPod is no more; under its name there may be another one already."""
        keyed = self.keyed.setdefault(key, Keyed())
        keyed.uids.discard(uid)
        async with keyed.lock:
            if not keyed.uids and self.keyed.pop(key, None) is not None:
                self._set_timer(key, keyed, None)
                self.memory.forget(*key)

    def exists(self, key: Key) -> bool:
        """Whether there is such a NginxPod: an event of somebody else's pod costs no request."""
        return key in self.keyed and bool(self.keyed[key].uids)

    # --- life ---

    def ready(self) -> bool | str:
        """For /readyz: started, and both kinds could be listed once."""
        if not self.started:
            return "not started"
        if not self.listed:
            try:
                for resource in (NGINXPODS, PODS):
                    self.client.list_page(resource, os.environ.get("TWINLOOP_NAMESPACE") or None, limit=1)
            except ApiError as error:
                return str(error)
            self.listed = True
        return True

    async def close(self) -> None:
        """Let go of everything that would outlive kopf's handlers."""
        for key, keyed in self.keyed.items():
            self._set_timer(key, keyed, None)
        for task in self._tasks:
            task.cancel()
        await in_thread(lambda: self.recorder.close(1.0))


def _key(body: kopf.Body) -> Key:
    obj: Object = dict(body)
    return namespace_of(obj), name_of(obj)


def _generation(body: kopf.Body) -> int:
    return int(body["metadata"].get("generation", 0))


app, server = opened(Operator)


@kopf.on.startup()
def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
    """Settings beyond the common ones; each says what it changes."""
    framework.configure(settings)
    # Default: 60 s. An exception that is no kopf error is a mistake of ours or a strange object; the handwritten loop
    # waits no longer than this either.
    settings.execution.default_backoff = RETRY_MAX
    # Default: 2 s, after which a visit in flight is cancelled. The process has 10 s to exit.
    settings.queueing.exit_timeout = 5
    app.started = True


kopf.on.login()(Login().log_in)


@kopf.on.resume(GROUP, VERSION, PLURAL)
@kopf.on.create(GROUP, VERSION, PLURAL)
@kopf.on.update(GROUP, VERSION, PLURAL)
async def reconcile(body: kopf.Body, retry: int, **_: Any) -> None:
    """A NginxPod was made, changed, or was there when we came: visit it, and let kopf repeat what fails."""
    key, generation = _key(body), _generation(body)
    outcome = await app.visit(key)
    if not outcome.failure:
        return
    delay = retry_delay(retry) if outcome.again is None else outcome.again
    app.promise(key, generation, delay)
    raise kopf.TemporaryError(outcome.failure, delay=delay)


@kopf.on.event(GROUP, VERSION, PLURAL)
async def remember(event: kopf.RawEvent, body: kopf.Body, **_: Any) -> None:
    """Keep track of which NginxPods exist, and serve a change that kopf would let wait."""
    if event["type"] == "DELETED":
        await app.gone(_key(body), uid_of(dict(body)))
    else:
        app.seen(_key(body), uid_of(dict(body)), _generation(body))


@kopf.on.event("", "v1", "pods")
async def on_pod(body: kopf.Body, **_: Any) -> None:
    """A pod changed: visit the NginxPods that it may concern."""
    pod: Object = dict(body)
    parents = [(namespace_of(pod), name) for name in sorted(parents_of(pod))]
    visits = [app.serve_event(key, name_of(pod)) for key in parents if app.exists(key)]
    await asyncio.gather(*visits)


@kopf.on.cleanup()
async def cleanup(**_: Any) -> None:
    """Stop what kopf does not know of."""
    await app.close()
    server.close()
