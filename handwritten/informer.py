"""The consumer: keeps the cache and tells the handlers what changed in it.

    reflector.py -> delta_fifo.py -> process_deltas.py (the store first, then the notification) -> processor.py

This is what a controller is built on: it reads `indexer`, registers a handler that puts keys into a work
queue, and starts its workers (`controller.py`) when the handler's registration has synced. Counterpart of
sharedIndexInformer in client-go's tools/cache/shared_informer.go, and of the controller in controller.go.

Threads: `run`'s own applies deltas, one is the reflector's (with one beside it), and one a handler's.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable

from handwritten.clock import Clock
from handwritten.fifo import BatchQueue, Deltas, FIFOClosed, Queue, Transform
from handwritten.handlers import AddNotification, Registration, ResourceEventHandler
from handwritten.listwatch import ListerWatcher
from handwritten.mutation_detector import MutationDetector
from handwritten.pipeline import CLASSIC, Pipeline
from handwritten.process_deltas import DeltaProcessor
from handwritten.processor import ProcessorListener, SharedProcessor, determine_resync_period
from handwritten.reflector import Reflector
from handwritten.store import Indexer, Indexers, Object
from twinloop.errors import TwinloopError

logger = logging.getLogger("handwritten.informer")

# A handler that wants to be resynced more often is resynced this often (client-go's minimumResyncPeriod).
MIN_RESYNC_SECONDS = 1.0

# How often `wait_for_cache_sync` looks (client-go's syncedPollPeriod).
SYNC_POLL_SECONDS = 0.1


class InformerStopped(TwinloopError):
    """The informer has been stopped; it is never started again."""


def strip_managed_fields(obj: Object) -> Object:
    """Drop metadata.managedFields, in place: about a quarter of an object's size, and no controller reads it."""
    metadata = obj.get("metadata")
    if isinstance(metadata, dict):
        metadata.pop("managedFields", None)
    return obj


class SharedInformer:
    """A cache of one kind with indexes, and handlers that hear of its changes. Thread-safe."""

    def __init__(
        self,
        lister_watcher: ListerWatcher,
        *,
        clock: Clock,
        rng: random.Random,
        name: str = "informer",
        indexers: Indexers | None = None,
        resync_period: float = 0.0,
        transform: Transform | None = strip_managed_fields,
        expected_kind: str = "",
        error_handler: Callable[[Exception], None] = lambda _: None,
        pipeline: Pipeline = CLASSIC,
        mutation_detector: MutationDetector | None = None,
    ) -> None:
        """Prepare; nothing happens before `run`.

        - `name` begins the names of the threads and is in the log lines.
        - `resync_period` (seconds, 0 for never): what handlers get that ask for none of their own.
        - `transform` sees each object once before it is stored and may change it in place. It should be
          idempotent: a watch list applies it twice.
        - `expected_kind`, `error_handler`: see `Reflector`.
        - `pipeline` says which queue is between the reflector and the cache, and how the first state is asked for.
        - `mutation_detector` finds out who changes what the cache shares; it costs a copy of every object.
        """
        self.name = name
        self.indexer = Indexer(indexers)
        self._clock = clock
        self._default_resync_period = resync_period
        # How often anyone is looked after: the shortest period that a handler asked for before the start.
        self._resync_check_period = resync_period
        self._fifo: Queue = pipeline.new_queue(self.indexer, transform, clock)
        self._processor = SharedProcessor(clock)
        self._deltas = DeltaProcessor(self.indexer, self._processor, name=name, detector=mutation_detector)
        self._detector = mutation_detector
        self._new_reflector: Callable[[float], Reflector] = lambda check_period: Reflector(
            lister_watcher,
            self._fifo,
            clock=clock,
            rng=rng,
            name=f"{name}-reflector",
            resync_period=check_period,
            should_resync=self._processor.should_resync,
            expected_kind=expected_kind,
            error_handler=error_handler,
            watch_list=pipeline.watch_list,
        )
        self._reflector: Reflector | None = None
        # Guards the three below, the check period and the reflector.
        self._lock = threading.Lock()
        self._started = False
        self._stopped = False
        self._handlers = 0
        # Held while deltas go into the store and out to the handlers, and while a late handler joins: so that it
        # gets what is in the store and then everything after it, with no gap and nothing twice.
        # Taken after _lock, and after the queue's lock.
        self._block_deltas = threading.Lock()

    def add_event_handler(self, handler: ResourceEventHandler, *, resync_period: float | None = None) -> Registration:
        """Let `handler` hear of every object in the store, as an add, and of every change from now on.

        `resync_period` (seconds) None is the informer's, 0 is never. An informer whose own is 0 resyncs
        nobody, and once it runs nobody can be resynced more often than it looks. The same handler may be added twice and is then told twice.
        Raises InformerStopped.
        """
        with self._lock:
            if self._stopped:
                raise InformerStopped(f"informer {self.name} has stopped: no handler can be added")
            requested = self._settle_resync_period(resync_period)
            self._handlers += 1
            listener = ProcessorListener(
                handler,
                name=f"{self.name}-handler-{self._handlers}",
                clock=self._clock,
                upstream_has_synced=self.has_synced,
                requested_resync_period=requested,
            )
            listener.set_resync_period(determine_resync_period(requested, self._resync_check_period))
            with self._block_deltas:
                # Nothing is delivered before this block ends, so nobody can see the count of initial objects at 0
                # between two of them.
                self._processor.add_listener(listener)
                for obj in self.indexer.list():
                    listener.add(AddNotification(obj, is_in_initial_list=True))
        return listener

    def remove_event_handler(self, registration: Registration) -> None:
        """Tell this handler nothing more. Does not wait for a call that is under way; may be repeated."""
        if isinstance(registration, ProcessorListener):
            self._processor.remove_listener(registration)

    def shut_down_event_handler(self, registration: Registration) -> None:
        """Like `remove_event_handler`, but wait for a call that is under way; never from within the handler itself."""
        if isinstance(registration, ProcessorListener):
            self._processor.remove_listener(registration)
            registration.join()

    def add_indexers(self, indexers: Indexers) -> None:
        """See `Indexer.add_indexers`. Raises InformerStopped."""
        with self._lock:
            if self._stopped:
                raise InformerStopped(f"informer {self.name} has stopped: no index can be added")
            self.indexer.add_indexers(indexers)

    def has_synced(self) -> bool:
        """Return whether the first list is in the store. It says nothing of the handlers; see `Registration`."""
        return self._fifo.has_synced()

    @property
    def is_stopped(self) -> bool:
        """Whether `run` has come to its end."""
        with self._lock:
            return self._stopped

    @property
    def last_error(self) -> Exception | None:
        """What went wrong last between us and the API server; None while it answers."""
        with self._lock:
            return self._reflector.last_error if self._reflector is not None else None

    @property
    def last_sync_resource_version(self) -> str:
        """The version up to which the reflector has seen everything; opaque, "" at first."""
        with self._lock:
            return self._reflector.last_sync_resource_version if self._reflector is not None else ""

    @property
    def last_store_sync_resource_version(self) -> str:
        """The version up to which everything is in `indexer`, for those who wait for their own writes; opaque, "" at first.

        Always "" with a queue that takes lists apart: in the middle of one, the version of the last object that went in
        says nothing about the others.
        """
        return self.indexer.resource_version if self._fifo.atomic else ""

    @property
    def handler_failures(self) -> int:
        """How many calls of handlers have raised."""
        return self._processor.failures

    @property
    def process_failures(self) -> int:
        """How many changes could not be put into the store: an index function raised."""
        with self._block_deltas:
            return self._deltas.failures

    def run(self, stop: threading.Event) -> None:
        """Keep the cache until `stop` is set; all threads have ended when this returns. To be called once."""
        with self._lock:
            if self._started:
                logger.warning("The informer was started already", extra={"informer": self.name})
                return
            self._started = True
            self._reflector = self._new_reflector(self._resync_check_period)
            self._processor.start()
        producer = threading.Thread(
            target=self._produce, args=(self._reflector, stop), name=f"{self.name}-reflector", daemon=True
        )
        threads = [producer]
        if self._detector is not None:
            detect = threading.Thread(
                target=self._detector.run, args=(stop,), name=f"{self.name}-detector", daemon=True
            )
            threads.append(detect)
        for thread in threads:
            thread.start()
        self._process_loop(stop)
        # The producer first, the handlers last, as in client-go: nobody is told of a change that was not stored.
        for thread in threads:
            thread.join()
        with self._lock:
            self._stopped = True
        self._processor.stop()

    def _produce(self, reflector: Reflector, stop: threading.Event) -> None:
        try:
            reflector.run(stop)
        finally:
            self._fifo.close()

    def _process_loop(self, stop: threading.Event) -> None:
        batches = self._fifo if isinstance(self._fifo, BatchQueue) else None
        while not stop.is_set():
            try:
                if batches is not None:
                    batches.pop_batch(self._process_batch, self._process_deltas)
                else:
                    self._fifo.pop(self._process_deltas)
            except FIFOClosed:
                return

    def _process_deltas(self, deltas: Deltas, is_in_initial_list: bool) -> None:
        with self._block_deltas:
            self._deltas.process(deltas, is_in_initial_list)

    def _process_batch(self, deltas: Deltas, is_in_initial_list: bool) -> None:
        with self._block_deltas:
            self._deltas.process_batch(deltas, is_in_initial_list)

    def _settle_resync_period(self, wanted: float | None) -> float:
        """Return what to ask for on behalf of a new handler, and look more often for its sake if that is possible."""
        period = self._default_resync_period if wanted is None else wanted
        if period <= 0:
            return 0.0
        period = max(period, MIN_RESYNC_SECONDS)
        if period >= self._resync_check_period:
            return period
        if self._started:
            return self._resync_check_period
        self._resync_check_period = period
        self._processor.resync_check_period_changed(period)
        return period


def wait_for_cache_sync(stop: threading.Event, *has_synced: Callable[[], bool], clock: Clock) -> bool:
    """Wait until all of `has_synced` say True; False when `stop` is set first. Looks at once, then every 100 ms."""
    while not all(synced() for synced in has_synced):
        if clock.sleep(stop, SYNC_POLL_SECONDS):
            return False
    return True
