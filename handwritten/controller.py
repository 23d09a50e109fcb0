"""The control loop: workers that take keys from the queue and call the reconcile function.

client-go: examples/workqueue/main.go and sample-controller's controller.go. The machinery before this point
(reflector, DeltaFIFO, informer) turns the cluster into keys on a queue; what a key means is the reconcile
function's business. This module owns only the order of things: caches first, then workers; `done` always; back-off
after a failure, `forget` after a success; at the end every worker finishes its item.

Different from client-go, on purpose: `run` waits for the workers to end (sample-controller does not), and a key may ask
to be visited again at a time of its own (controller-runtime's RequeueAfter).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Final

from handwritten.clock import Clock
from handwritten.informer import wait_for_cache_sync
from handwritten.ratelimit import RateLimitingQueue
from twinloop.sync import Outcome

log = logging.getLogger(__name__)

# client-go: wait.UntilWithContext(ctx, c.runWorker, time.Second).
WORKER_RESTART: Final = 1.0
# How long workers may take to finish what they hold. The process has 10 s for its whole exit, and one request can take
# longer than that: then the worker is left behind, it dies with the process, and its key is visited after the restart.
STOP_PATIENCE: Final = 6.0

Reconcile = Callable[[str], Outcome]


class Controller:
    """Workers between a queue of keys and a reconcile function."""

    def __init__(
        self,
        name: str,
        queue: RateLimitingQueue[str],
        reconcile: Reconcile,
        *,
        has_synced: Sequence[Callable[[], bool]],
        clock: Clock,
        max_retries: int | None = None,
    ) -> None:
        """Wire a loop; nothing starts yet.

        `has_synced` are the caches that must be filled before the first key is worked on. `max_retries` is how often a
        failing key is put back before it is dropped until its next event; None never drops a key.
        """
        self.name = name
        self._queue = queue
        self._reconcile = reconcile
        self._has_synced = has_synced
        self._clock = clock
        self._max_retries = max_retries

    def has_synced(self) -> bool:
        """Whether all caches hold their initial list."""
        return all(synced() for synced in self._has_synced)

    def run(self, workers: int, stop: threading.Event) -> None:
        """Run until `stop` is set; returns when the workers have ended, or after `STOP_PATIENCE`."""
        log.info("Starting controller", extra={"controller": self.name})
        threads = [
            threading.Thread(target=self._until, args=(stop,), name=f"{self.name}-worker-{i}", daemon=True)
            for i in range(workers)
        ]
        try:
            if not self._wait_for_sync(stop):
                return
            log.info("Starting workers", extra={"controller": self.name, "workers": workers})
            for thread in threads:
                thread.start()
            stop.wait()
        finally:
            log.info("Stopping controller", extra={"controller": self.name})
            # Nothing new is accepted; workers are handed what is queued and then told to end.
            self._queue.shut_down()
            self._join([thread for thread in threads if thread.ident is not None])

    def _wait_for_sync(self, stop: threading.Event) -> bool:
        """CT-1: no worker before the caches are filled, or every object would look deleted."""
        return not stop.is_set() and wait_for_cache_sync(stop, self.has_synced, clock=self._clock)

    def _join(self, threads: list[threading.Thread]) -> None:
        deadline = self._clock.now() + STOP_PATIENCE
        for thread in threads:
            thread.join(max(0.0, deadline - self._clock.now()))
        late = sum(thread.is_alive() for thread in threads)
        if late:
            log.warning("Workers did not finish in time", extra={"controller": self.name, "workers": late})

    def _until(self, stop: threading.Event) -> None:
        """Keep one worker going: whatever escapes from it costs a second, not the worker (CT-2)."""
        while True:
            try:
                while self._process_next():
                    # On the way out only the item in hand is finished; what is still queued is for the next process.
                    if stop.is_set():
                        return
            except Exception:
                log.exception("Worker crashed", extra={"controller": self.name})
                if self._clock.sleep(stop, WORKER_RESTART):
                    return
            else:
                return

    def _process_next(self) -> bool:
        """Visit one key; False when the queue is shut down."""
        key, shutdown = self._queue.get()
        if shutdown or key is None:
            return False
        try:
            self._handle(key, self._visit(key))
        finally:
            # Also after an exception: a key that is never given back could never be handed out again.
            self._queue.done(key)
        return True

    def _visit(self, key: str) -> Outcome:
        try:
            return self._reconcile(key)
        except Exception as error:
            log.exception("Reconcile function raised", extra={"controller": self.name, "key": key})
            return Outcome(f"{type(error).__name__}: {error}")

    def _handle(self, key: str, outcome: Outcome) -> None:
        """What becomes of a key (handleErr in client-go's example, CT-4)."""
        if not outcome.failure:
            self._queue.forget(key)
        elif self._max_retries is not None and self._queue.num_requeues(key) >= self._max_retries:
            self._queue.forget(key)
            self.dropping(key, outcome.failure)
            return
        else:
            self.retrying(key, outcome.failure)
        if outcome.again is not None:
            self._queue.add_after(key, outcome.again)
        elif outcome.failure:
            self._queue.add_rate_limited(key)

    # What is said about a key that fails; a program may have words of its own for it.

    def retrying(self, key: str, failure: str) -> None:
        """Log that a key failed and is about to be put back with back-off."""
        log.warning("Reconcile failed, will retry", extra={"key": key, "error": failure})

    def dropping(self, key: str, failure: str) -> None:
        """Log that a key failed once too often and is given up until its next event."""
        log.error("Dropping key out of the queue", extra={"key": key, "error": failure})
