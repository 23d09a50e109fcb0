"""The kopf variant: the shared sync function under kopf, the way kopf's documentation teaches.

    kopf run --standalone -A --liveness=http://0.0.0.0:8081/healthz operator/nginxpod.py

kopf watches, calls the handlers below and keeps their retries in annotations of the NginxPod. The handlers decide
nothing: each runs `twinloop.sync.sync` for one NginxPod. What kopf has no word for is added in the open:

- A pod's event runs the sync of its NginxPod, one visit at a time; events that come meanwhile share the next visit.
  kopf never retries an event handler, so when such a visit fails, one annotation of the NginxPod is touched: that is
  an update to kopf, and its own retry takes over.
- A change of a NginxPod that comes while kopf waits to retry is served at once: kopf would let it wait, and would drop
  the retry if the change leads back to what it last handled.
- A visit that wants to be repeated later without having failed gets a timer of the event loop. kopf's timers and
  daemons would put a finalizer on every NginxPod, and a NginxPod could not be deleted while the operator is down.

By environment: KUBECONFIG (or in-cluster), TWINLOOP_CONTEXT, TWINLOOP_WORKERS, TWINLOOP_METRICS_ADDRESS (/metrics and
/readyz; /healthz is kopf's --liveness). This folder must never get an __init__.py: it would hide Python's own `operator`.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import sys
import weakref
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import kopf
from prometheus_client import disable_created_metrics

from twinloop import __version__
from twinloop.cluster import ToldCluster
from twinloop.errors import ApiError, ConfigurationError, NotFound
from twinloop.kube import NGINXPODS, PODS, Client, Configuration, EventRecorder, load_configuration
from twinloop.memory import Memory
from twinloop.metrics import ReconcileMetrics
from twinloop.nginxpod import GROUP, VERSION, Object, name_of, namespace_of, parents_of, uid_of
from twinloop.serving import Server, metrics_answer, probe, serve
from twinloop.sync import DONE, RETRY_MAX, Outcome, retry_delay, sync

log = logging.getLogger("twinloop.operator")

Key = tuple[str, str]

TOUCHED = f"{GROUP}/touched"
PLURAL = NGINXPODS.plural

# Seconds by which kopf may be late with a retry before it counts as dropped: it first waits, up to 5 s, for the echo of
# its own last write.
PROMISE_GRACE = 6.0


@dataclass(frozen=True)
class Promise:
    """A retry that kopf has pending: for which generation, and what happens if it never comes."""

    generation: int
    timer: asyncio.TimerHandle


class Operator:
    """What the handlers share: the client, the worker threads, and one lock for each NginxPod in work."""

    def __init__(self) -> None:
        self.configuration: Configuration = load_configuration(context=os.environ.get("TWINLOOP_CONTEXT") or None)
        self.workers = _positive("TWINLOOP_WORKERS", 4)
        self.client = Client(self.configuration, user_agent=f"twinloop-kopf/{__version__}", pool_size=self.workers + 2)
        self.recorder = EventRecorder(self.client)
        self.metrics = ReconcileMetrics("nginxpod", workers=self.workers)
        self.memory = Memory()
        self.known: dict[Key, str] = {}  # NginxPods that exist, with their uid: other people's pods cost no request
        self.started = self.listed = False
        self.logged_in = datetime.min.replace(tzinfo=UTC)
        # The sync function blocks, so it runs in threads: as many as the handwritten variant has workers.
        self._executor = ThreadPoolExecutor(self.workers, thread_name_prefix="sync")
        self._locks: weakref.WeakValueDictionary[Key, asyncio.Lock] = weakref.WeakValueDictionary()
        self._waiting: set[Key] = set()  # a visit for an event is about to begin
        self._told: dict[Key, set[str]] = {}  # pods that events named since the last good visit
        self._timers: dict[Key, asyncio.TimerHandle] = {}
        self._promises: dict[Key, Promise] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    # --- visits ---

    async def visit(self, key: Key) -> Outcome:
        """Run the sync function once, after whatever visit of the same NginxPod is under way."""
        lock = self._locks.setdefault(key, asyncio.Lock())
        async with lock:
            # From here on an event finds nobody waiting, and starts a visit of its own.
            self._waiting.discard(key)
            told = set(self._told.get(key, ()))
            outcome = await self._run(key, told)
            if not outcome.failure:
                self._told.get(key, set()).difference_update(told)
            self._come_back(key, outcome)
            return outcome

    async def serve_event(self, key: Key, pod: str = "") -> None:
        """Answer an event that kopf will not repeat: it ends in a good visit or in kopf's own retry, never in nothing."""
        if pod:
            self._told.setdefault(key, set()).add(pod)
        if key in self._waiting:
            # A visit is about to begin, and it reads after this event: it serves this one too.
            return
        for failures in itertools.count():
            self._waiting.add(key)
            outcome = await self.visit(key)
            if not outcome.failure or key in self._promises or await self._touch(key):
                return
            await asyncio.sleep(retry_delay(failures))

    async def _run(self, key: Key, told: Collection[str]) -> Outcome:
        cluster = ToldCluster(self.client, self.recorder, told)

        def once() -> Outcome:
            try:
                return self.metrics.observe(lambda: sync(cluster, *key, now=_now, memory=self.memory))
            except Exception as error:
                log.exception("Sync function raised", extra={"nginxpod": "/".join(key)})
                return Outcome(f"{type(error).__name__}: {error}")

        return await asyncio.get_running_loop().run_in_executor(self._executor, once)

    async def _touch(self, key: Key) -> bool:
        """Make kopf see an update, so that its retries take over; False when even that was refused."""
        namespace, name = key
        patch = {"metadata": {"annotations": {TOUCHED: _now().isoformat()}}}
        try:
            await asyncio.to_thread(self.client.merge_patch, NGINXPODS, name, patch, namespace)
        except NotFound:
            return True
        except ApiError:
            return False
        return True

    # --- coming back later ---

    def _come_back(self, key: Key, outcome: Outcome) -> None:
        """Set, or take away, the one timer of a NginxPod; every visit says anew when the next one is due."""
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()
        if outcome.again is not None and not outcome.failure:
            self._timers[key] = asyncio.get_running_loop().call_later(outcome.again, self.serve_soon, key)

    def promise(self, key: Key, generation: int, delay: float) -> None:
        """kopf will repeat the handler after `delay` seconds; make sure that somebody does.

        kopf drops a retry without a word when the NginxPod is changed back meanwhile to what it last handled well: it
        compares, and sees nothing to do. So a visit of our own is set for a moment later; kopf's makes it needless.
        """
        self.promise_kept(key)
        timer = asyncio.get_running_loop().call_later(delay + PROMISE_GRACE, self.serve_soon, key)
        self._promises[key] = Promise(generation, timer)

    def promise_kept(self, key: Key) -> None:
        """No retry of kopf's is counted on any more."""
        promise = self._promises.pop(key, None)
        if promise is not None:
            promise.timer.cancel()

    def seen(self, key: Key, uid: str, generation: int) -> None:
        """A NginxPod exists, in this generation.

        kopf does not call its handlers for a change that comes while their retry is pending. A corrected spec should not
        wait for that: it is served like an event.
        """
        self.known[key] = uid
        promise = self._promises.get(key)
        if promise is not None and promise.generation != generation:
            self.serve_soon(key)

    def gone(self, key: Key, uid: str) -> None:
        """A NginxPod is no more. kopf handles each uid by itself, so a later one of the same name may be known already."""
        if self.known.get(key) != uid:
            return
        del self.known[key]
        self._told.pop(key, None)
        self.promise_kept(key)
        self._come_back(key, DONE)
        self.memory.forget(*key)

    def serve_soon(self, key: Key) -> None:
        """Serve a NginxPod in a task of its own."""
        self._timers.pop(key, None)
        self.promise_kept(key)
        task = asyncio.ensure_future(self.serve_event(key))
        # The loop keeps only a weak reference to a task.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- life ---

    def ready(self) -> bool | str:
        """For /readyz: started, and both kinds could be listed once."""
        if not self.started:
            return "not started"
        if not self.listed:
            try:
                for resource in (NGINXPODS, PODS):
                    self.client.list_page(resource, limit=1)
            except ApiError as error:
                return str(error)
            self.listed = True
        return True

    async def close(self) -> None:
        """Let go of everything that would outlive kopf's handlers."""
        for timer in [*self._timers.values(), *(promise.timer for promise in self._promises.values())]:
            timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.to_thread(self.recorder.close, 2.0)


def _key(body: kopf.Body) -> Key:
    obj: Object = dict(body)
    return namespace_of(obj), name_of(obj)


def _generation(body: kopf.Body) -> int:
    return int(body["metadata"].get("generation", 0))


def _now() -> datetime:
    return datetime.now(UTC)


def _positive(variable: str, default: int) -> int:
    text = os.environ.get(variable) or str(default)
    if not text.isdecimal() or int(text) < 1:
        raise ConfigurationError(f"{variable} must be a positive number, not {text!r}", hint="")
    return int(text)


def _open() -> tuple[Operator, Server]:
    """Everything that can be wrong with the configuration shows here: one line and exit 2, before kopf starts."""
    try:
        opened = Operator()
        address = os.environ.get("TWINLOOP_METRICS_ADDRESS", ":8080")
        return opened, serve(address, {"/metrics": metrics_answer, "/readyz": probe(opened.ready)})
    except ConfigurationError as error:
        sys.exit(_complain(error))


def _complain(error: ConfigurationError) -> int:
    sys.stderr.write(" ".join(f"error: {error}. {error.hint}".split()) + "\n")
    return 2


# The same pages as the handwritten variant's.
disable_created_metrics()  # type: ignore[no-untyped-call]
app, server = _open()


class EndlessBackoffs:
    """kopf's own back-offs, and then 30 s for ever."""

    def __iter__(self) -> Iterator[float]:
        """Start over for each request."""
        return itertools.chain((1, 1, 2, 3, 5, 8, 13, 21), itertools.repeat(30))


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
    # Default: 600 s. A worker thread that hangs must not outlive the pod's grace period.
    settings.process.ultimate_exiting_timeout = 9
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
    configuration = await asyncio.to_thread(load_configuration, None, os.environ.get("TWINLOOP_CONTEXT") or None)
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
        app.promise_kept(key)
        return
    delay = retry_delay(retry) if outcome.again is None else outcome.again
    app.promise(key, generation, delay)
    raise kopf.TemporaryError(outcome.failure, delay=delay)


@kopf.on.event(GROUP, VERSION, PLURAL)
async def remember(event: kopf.RawEvent, body: kopf.Body, **_: Any) -> None:
    """Keep track of which NginxPods exist, and serve a change that kopf would let wait."""
    if event["type"] == "DELETED":
        app.gone(_key(body), uid_of(dict(body)))
    else:
        app.seen(_key(body), uid_of(dict(body)), _generation(body))


@kopf.on.event("", "v1", "pods")
async def on_pod(body: kopf.Body, **_: Any) -> None:
    """A pod changed: visit the NginxPods that it may concern."""
    pod: Object = dict(body)
    parents = [(namespace_of(pod), name) for name in sorted(parents_of(pod))]
    visits = [app.serve_event(key, name_of(pod)) for key in parents if key in app.known]
    await asyncio.gather(*visits)


@kopf.on.cleanup()
async def cleanup(**_: Any) -> None:
    """Stop what kopf does not know of."""
    await app.close()
    server.close()
