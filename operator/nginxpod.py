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
import contextlib
import itertools
import logging
import math
import os
import random
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast

import kopf
from prometheus_client import disable_created_metrics

from twinloop import __version__
from twinloop.cluster import ToldCluster
from twinloop.errors import EXIT_CONFIGURATION, ApiError, ConfigurationError, NotFound
from twinloop.kube import NGINXPODS, PODS, Client, Configuration, EventRecorder, load_configuration
from twinloop.memory import Memory
from twinloop.metrics import ReconcileMetrics
from twinloop.nginxpod import GROUP, VERSION, Object, name_of, namespace_of, parents_of, uid_of
from twinloop.serving import Server, metrics_answer, probe, serve
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

T = TypeVar("T")


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
        self.configuration: Configuration = load_configuration(context=os.environ.get("TWINLOOP_CONTEXT") or None)
        self.workers = int(_number("TWINLOOP_WORKERS", 4, least=1))
        self.resync = _number("TWINLOOP_RESYNC", 600, least=0)
        self.client = Client(self.configuration, user_agent=f"twinloop-kopf/{__version__}", pool_size=self.workers + 2)
        self.recorder = EventRecorder(self.client)
        self.metrics = ReconcileMetrics("nginxpod", workers=self.workers)
        self.memory = Memory()
        self.keyed: dict[Key, Keyed] = {}
        self.started = self.listed = False
        self.logged_in = datetime.min.replace(tzinfo=UTC)
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
            return self.metrics.observe(lambda: sync(cluster, *key, now=_now, memory=self.memory))
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
            if not outcome.failure or keyed.promised is not None or await self._touch(key):
                return
            await asyncio.sleep(retry_delay(failures))

    async def _touch(self, key: Key) -> bool:
        """Make kopf see an update, so that its retries take over; False when even that was refused."""
        namespace, name = key
        patch = {"metadata": {"annotations": {TOUCHED: _now().isoformat()}}}

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


async def in_thread(call: Callable[[], T]) -> T:
    """Run a blocking call in a thread that nobody waits for at the end of the process.

    An executor's threads are joined when Python exits: one request that hangs would keep the process for as long as
    its time-out, past the grace period of its pod.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: Exception | None) -> None:
        if future.done():  # cancelled meanwhile
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(cast("T", result))

    def run() -> None:
        result, error = None, None
        try:
            result = call()
        except Exception as caught:  # noqa: BLE001 - handed to whoever awaits
            error = caught
        with contextlib.suppress(RuntimeError):  # the loop may be closed by now
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, name="blocking", daemon=True).start()
    return await future


def _key(body: kopf.Body) -> Key:
    obj: Object = dict(body)
    return namespace_of(obj), name_of(obj)


def _generation(body: kopf.Body) -> int:
    return int(body["metadata"].get("generation", 0))


def _now() -> datetime:
    return datetime.now(UTC)


def _number(variable: str, default: float, *, least: float) -> float:
    text = os.environ.get(variable) or str(default)
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not least <= number < math.inf:
        raise ConfigurationError(f"{variable} must be a number, at least {least:g}, not {text!r}", hint="")
    return number


def _open() -> tuple[Operator, Server]:
    """Everything that can be wrong with the configuration shows here: one line and exit 2, before kopf starts."""
    try:
        opened = Operator()
        address = os.environ.get("TWINLOOP_METRICS_ADDRESS", ":8080")
        return opened, serve(address, {"/metrics": metrics_answer, "/readyz": probe(opened.ready)})
    except ConfigurationError as error:
        sys.stderr.write(error.for_a_person() + "\n")
        sys.exit(EXIT_CONFIGURATION)


# The same pages as the handwritten variant's.
disable_created_metrics()  # type: ignore[no-untyped-call]
app, server = _open()


class EndlessBackoffs:
    """kopf's own back-offs up to the longest delay of either variant, and then that for ever."""

    def __iter__(self) -> Iterator[float]:
        """Start over for each request."""
        return itertools.chain((1, 1, 2, 3, 5, 8, 13), itertools.repeat(RETRY_MAX))


@kopf.on.startup()
def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
    """Settings that make kopf as fair a match as it can be; each says what it changes."""
    # One line for each event handler's success, of every pod in the cluster, says nothing; failures are still logged.
    # So are the visits, by the sync function itself, and the kubelet's probes are not.
    logging.getLogger("kopf.objects").addFilter(lambda record: record.levelno > logging.INFO)
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    # Default: True. Events come from the shared recorder, the same in both variants; kopf's would come on top.
    settings.posting.enabled = False
    # Default: 8 retries in 54 s, after which a watch that still gets 5xx or 403 ends the process. An outage or a missing
    # right is waited out instead, as client-go does.
    settings.networking.error_backoffs = EndlessBackoffs()
    # Default: 300 s and no limit. One request that hangs would hold up its NginxPod for minutes.
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 5
    # Default: 60 s. An exception that is no kopf error is a mistake of ours or a strange object; the handwritten loop
    # waits no longer than this either.
    settings.execution.default_backoff = RETRY_MAX
    # Default: 2 s, after which a visit in flight is cancelled. The process has 10 s to exit.
    settings.queueing.exit_timeout = 5
    app.started = True


@kopf.on.login()
async def login(**_: Any) -> kopf.ConnectionInfo:
    """Log in with what the kubeconfig or the service account says now.

    kopf calls this at the start and after every 401, so a rotated token is read again here. kopf gives up when a login
    returns what was refused before; an API server that has just started may well refuse a good token for a moment.
    Hence an `expiration` of its own for each login, and a pause when the last one was a moment ago.
    """
    if _now() - app.logged_in < timedelta(seconds=5):
        await asyncio.sleep(1)
    app.logged_in = _now()
    configuration = await in_thread(lambda: load_configuration(context=os.environ.get("TWINLOOP_CONTEXT") or None))
    rest, credential = configuration.rest, configuration.credentials.current()
    scheme, _space, token = (credential.authorization or "").partition(" ")
    return kopf.ConnectionInfo(
        server=configuration.server,
        ca_path=rest.ssl_ca_cert,
        insecure=not rest.verify_ssl,
        scheme=scheme or None,
        token=token or None,
        certificate_path=rest.cert_file,
        private_key_path=rest.key_file,
        proxy_url=rest.proxy,
        default_namespace=configuration.namespace,
        expiration=_now() + timedelta(days=365),
    )


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
