"""The handwritten variant: the machinery wired to the shared sync function.

    nginxpods: ListWatch -> Reflector -> DeltaFIFO -> Indexer --- handlers --+
                                                                             +-> queue -> Controller -> twinloop.sync
    pods:      ListWatch -> Reflector -> DeltaFIFO -> Indexer --- handlers --+                               |
                                             ^                                                               |
                                             +------- MutationCache <------------ answers to our writes -----+

Nothing is decided here. The handlers say which NginxPod an event may concern; `CachedCluster` answers the sync
function's reads from the caches. Reads cost no request, so an idle operator sends none.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from prometheus_client import REGISTRY, CollectorRegistry

from handwritten.clock import Clock
from handwritten.controller import Controller
from handwritten.fifo import DeletedFinalStateUnknown
from handwritten.informer import SharedInformer
from handwritten.listwatch import ListerWatcher, ListWatch
from handwritten.manager import Election, LeadershipLost, run_elected
from handwritten.metrics import PrometheusMetricsProvider
from handwritten.mutation_cache import MutationCache
from handwritten.mutation_detector import new_cache_mutation_detector
from handwritten.pipeline import CLASSIC, Pipeline
from handwritten.ratelimit import ItemExponentialFailureRateLimiter, RateLimitingQueue
from handwritten.store import Indexer, meta_namespace_key, split_meta_namespace_key
from twinloop.cluster import LiveCluster, Recorder
from twinloop.errors import NotFound
from twinloop.kube import NGINXPODS, PODS, Client
from twinloop.memory import Memory
from twinloop.metrics import ReconcileMetrics
from twinloop.nginxpod import Object, is_terminating, name_of, namespace_of, owner_uid, parents_of, uid_of
from twinloop.sync import RETRY_BASE, RETRY_MAX, Outcome, sync

log = logging.getLogger(__name__)

CONTROLLER: Final = "nginxpod"

# How long an informer may take to end; it waits on nothing but its threads.
INFORMER_PATIENCE: Final = 1.0

# Which pods does a NginxPod own: by uid, since a name can be used again.
BY_OWNER: Final = "owner-uid"
# Which pods may concern a NginxPod: also the foreign ones that hold a name it wants.
BY_PARENT: Final = "parent"


def _parents(pod: Object) -> list[str]:
    return [f"{namespace_of(pod)}/{name}" for name in sorted(parents_of(pod))]


def _owner(pod: Object) -> list[str]:
    uid = owner_uid(pod)
    return [uid] if uid else []


POD_INDEXERS: Final = {BY_OWNER: _owner, BY_PARENT: _parents}


class CachedCluster(LiveCluster):
    """The sync function's `Cluster` on the informers' caches, corrected by the answers to our own writes."""

    def __init__(self, client: Client, recorder: Recorder, nginxpods: Indexer, pods: Indexer, clock: Clock) -> None:
        super().__init__(client, recorder)
        self._nginxpods = nginxpods
        self._pods = pods
        self.own_nginxpods = MutationCache(meta_namespace_key, clock=clock)
        self.own_pods = MutationCache(owner_uid, clock=clock)

    def get_nginxpod(self, namespace: str, name: str, *, live: bool) -> Object | None:
        """From the cache; live when the cache has just proved to be behind."""
        if live:
            return super().get_nginxpod(namespace, name, live=True)
        key = f"{namespace}/{name}"
        cached = self._nginxpods.get_by_key(key)
        return next(iter(self.own_nginxpods.overlay(key, [cached])), None) if cached is not None else None

    def list_pods(self, nginxpod: Object, *, live: bool) -> list[Object]:
        """Ours by owner, and the foreign pods that may be in the way."""
        if live:
            return self._list_live(nginxpod)
        around = self._pods.by_index(BY_PARENT, meta_namespace_key(nginxpod))
        owned = self._pods.by_index(BY_OWNER, uid_of(nginxpod))
        known = {name_of(pod): pod for pod in [*around, *owned]}
        return self.own_pods.overlay(uid_of(nginxpod), known.values())

    def _list_live(self, nginxpod: Object) -> list[Object]:
        """Like the cached list, as of now; and no later visit may read older than this one did."""
        pods = super().list_pods(nginxpod, live=True)
        # The label misses a pod that has lost it; the cache knows such a pod by its owner or its name.
        for name in {name_of(pod) for pod in self.list_pods(nginxpod, live=False)} - {name_of(pod) for pod in pods}:
            pod = self.get_pod(namespace_of(nginxpod), name)
            pods += [pod] if pod is not None else []
        for pod in pods:
            self.own_pods.written(pod)
        return pods

    def get_pod(self, namespace: str, name: str) -> Object | None:
        """Live; and no later visit may read older."""
        pod = super().get_pod(namespace, name)
        cached = self._pods.get_by_key(f"{namespace}/{name}")
        if pod is not None:
            self.own_pods.written(pod)
        elif cached is not None:
            self.own_pods.removed(cached)
        return pod

    def create_pod(self, pod: Object) -> Object:
        """Create, and know of it before the watch does."""
        created = super().create_pod(pod)
        self.own_pods.written(created)
        return created

    def delete_pod(self, pod: Object) -> Object:
        """Delete, and know of it before the watch does."""
        try:
            answer = super().delete_pod(pod)
        except NotFound:
            self.own_pods.removed(pod)
            raise
        if _is_gone(answer):
            self.own_pods.removed(pod)
        else:
            self.own_pods.written(answer)
        return answer

    def patch_status(self, nginxpod: Object, status: Object) -> Object:
        """Write the status, and know its resource version before the watch does."""
        answer = super().patch_status(nginxpod, status)
        self.own_nginxpods.written(answer)
        return answer

    def unconfirmed(self, namespace: str, name: str) -> float | None:
        """Seconds until the last write for this NginxPod that no event has confirmed is forgotten; None = all are."""
        key = f"{namespace}/{name}"
        cached = self._nginxpods.get_by_key(key)
        waits = [self.own_nginxpods.unconfirmed(key), self.own_pods.unconfirmed(uid_of(cached)) if cached else None]
        return max((wait for wait in waits if wait is not None), default=None)


def _is_gone(answer: Object) -> bool:
    """Whether the answer to a DELETE says that the object is gone and not merely going.

    A pod that was finished or never scheduled is removed at once: the server then answers with the object as it was,
    or with a grace period of 0.
    """
    metadata = answer.get("metadata") or {}
    at_once = "deletionTimestamp" not in metadata or metadata.get("deletionGracePeriodSeconds") == 0
    return at_once and not metadata.get("finalizers")


@dataclass(frozen=True)
class Sources:
    """Where the informers list and watch: the API server, or a test's memory."""

    nginxpods: ListerWatcher
    pods: ListerWatcher

    @classmethod
    def of(cls, client: Client, namespace: str | None) -> Sources:
        """The API server's; `namespace` None = all. Pods come without a selector: a foreign one may be in the way."""
        return cls(ListWatch(client, NGINXPODS, namespace), ListWatch(client, PODS, namespace))


class NginxPodOperator:
    """Two informers, a queue and a controller; `run` lives as long as the process."""

    def __init__(
        self,
        client: Client,
        recorder: Recorder,
        *,
        sources: Sources,
        clock: Clock,
        rng: random.Random,
        resync: float = 600.0,
        workers: int = 4,
        registry: CollectorRegistry = REGISTRY,
        pipeline: Pipeline = CLASSIC,
    ) -> None:
        """`sources` is where both kinds come from; `resync` in seconds, 0 = never; `registry` takes the metrics."""
        self._workers = workers
        self._memory = Memory()
        self._metrics = ReconcileMetrics(CONTROLLER, workers=workers, registry=registry)
        # Pods need no resync of their own: the NginxPods' brings every pod under review.
        self.nginxpods = SharedInformer(
            sources.nginxpods,
            clock=clock,
            rng=rng,
            name="nginxpods",
            resync_period=resync,
            pipeline=pipeline,
            mutation_detector=new_cache_mutation_detector("nginxpods", clock=clock),
        )
        self.pods = SharedInformer(
            sources.pods,
            clock=clock,
            rng=rng,
            name="pods",
            indexers=POD_INDEXERS,
            pipeline=pipeline,
            mutation_detector=new_cache_mutation_detector("pods", clock=clock),
        )
        self.cluster = CachedCluster(client, recorder, self.nginxpods.indexer, self.pods.indexer, clock)
        # No token bucket: the limit is each NginxPod's own back-off, in both variants.
        self.queue: RateLimitingQueue[str] = RateLimitingQueue(
            rate_limiter=ItemExponentialFailureRateLimiter(RETRY_BASE, RETRY_MAX),
            name=CONTROLLER,
            clock=clock,
            metrics=PrometheusMetricsProvider(registry),
        )
        registrations = [
            self.nginxpods.add_event_handler(NginxPodHandler(self.cluster, self.queue.add)),
            self.pods.add_event_handler(PodHandler(self.cluster, self.nginxpods.indexer, self.queue.add)),
        ]
        # The handlers' own has_synced, not the informers': only then is every listed object on the queue.
        self.controller = Controller(
            CONTROLLER,
            self.queue,
            self._reconcile,
            has_synced=[registration.has_synced for registration in registrations],
            clock=clock,
        )

    def run(self, stop: threading.Event, election: Election | None = None) -> None:
        """Run until `stop` is set; informers first, and they end last, so that workers finish on live caches.

        With an `election` the workers wait for leadership, on caches that are kept up to date meanwhile. Raises
        LeadershipLost when it is lost: the process has to end then.
        """
        informers_stop = threading.Event()
        patience = INFORMER_PATIENCE
        threads = [
            threading.Thread(target=informer.run, args=(informers_stop,), name=f"informer-{informer.name}", daemon=True)
            for informer in (self.nginxpods, self.pods)
        ]
        for thread in threads:
            thread.start()
        try:
            if election is None:
                self._work(stop)
            else:
                run_elected(election.elect, self._work, stop)
        except LeadershipLost:
            patience = 0.0  # somebody else may be leading: out, as fast as possible
            raise
        finally:
            informers_stop.set()
            for thread in threads:
                thread.join(patience)

    def _work(self, stop: threading.Event) -> None:
        self.controller.run(self._workers, stop)

    def ready(self) -> bool | str:
        """For /readyz: both caches hold their initial list. A standby's do too: it could take over at once."""
        waiting = [informer.name for informer in (self.nginxpods, self.pods) if not informer.has_synced()]
        return f"not synced: {', '.join(waiting)}" if waiting else True

    def _reconcile(self, key: str) -> Outcome:
        return visit(self.cluster, key, self._memory, self._metrics)


def visit(cluster: CachedCluster, key: str, memory: Memory, metrics: ReconcileMetrics) -> Outcome:
    """Run the sync function for a key on what the caches know, and come back while they have yet to confirm a write."""
    namespace, name = split_meta_namespace_key(key)
    outcome = metrics.observe(lambda: sync(cluster, namespace, name, now=lambda: datetime.now(UTC), memory=memory))
    wait = cluster.unconfirmed(namespace, name)
    if outcome.failure or wait is None:
        return outcome
    return Outcome(again=wait if outcome.again is None else min(wait, outcome.again))


class NginxPodHandler:
    """Events of NginxPods: each asks for a visit, except the echo of our own status write."""

    def __init__(self, cluster: CachedCluster, enqueue: Callable[[str], None]) -> None:
        self._own = cluster.own_nginxpods
        self._enqueue = enqueue

    def on_add(self, obj: Object, is_in_initial_list: bool) -> None:  # noqa: ARG002 - the handler protocol
        """Visit it."""
        self._enqueue(meta_namespace_key(obj))

    def on_update(self, old: Object, new: Object) -> None:
        """Visit it, unless all that changed is what we wrote ourselves."""
        # By the version that the server gave to our write: a status that somebody else has changed comes under another
        # one and is put right. Equal versions on both sides are a resync, which is there to visit everything.
        echo = old["metadata"]["resourceVersion"] != new["metadata"]["resourceVersion"] and self._own.is_ours(new)
        self._own.seen(new)
        if not echo or is_terminating(new):
            self._enqueue(meta_namespace_key(new))

    def on_delete(self, obj: Object | DeletedFinalStateUnknown) -> None:
        """Visit it once more, to forget it."""
        key = obj.key if isinstance(obj, DeletedFinalStateUnknown) else meta_namespace_key(obj)
        last = _last_known(obj)
        if last is not None:
            self._own.removed(last)
        self._enqueue(key)


class PodHandler:
    """Events of pods: they ask for a visit of every NginxPod that they may concern and that exists."""

    def __init__(self, cluster: CachedCluster, nginxpods: Indexer, enqueue: Callable[[str], None]) -> None:
        self._own = cluster.own_pods
        self._nginxpods = nginxpods
        self._enqueue = enqueue

    def on_add(self, obj: Object, is_in_initial_list: bool) -> None:  # noqa: ARG002 - the handler protocol
        """Visit whom it concerns."""
        self._own.seen(obj)
        self._wake(obj)

    def on_update(self, old: Object, new: Object) -> None:
        """Visit whom it concerns, or did."""
        # Both: a pod that lost its owner or its label concerns the NginxPod that it no longer names.
        self._own.seen(new)
        if old["metadata"].get("uid") != new["metadata"].get("uid"):
            self._own.removed(old)
        self._wake(old, new)

    def on_delete(self, obj: Object | DeletedFinalStateUnknown) -> None:
        """Visit whom it concerned."""
        last = _last_known(obj)
        if last is not None:
            self._own.removed(last)
            self._wake(last)

    def _wake(self, *pods: Object) -> None:
        for key in {key for pod in pods for key in _parents(pod)}:
            # Somebody else's pod costs a look into a dict. A NginxPod that is not in the cache yet gets its own event.
            if self._nginxpods.get_by_key(key) is not None:
                self._enqueue(key)


def _last_known(obj: Object | DeletedFinalStateUnknown) -> Any:
    """The object of a deletion, or its last known state; None when even that is unknown."""
    return obj.obj if isinstance(obj, DeletedFinalStateUnknown) else obj
