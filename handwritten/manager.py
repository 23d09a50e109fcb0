"""Work that is done while this process leads, and an orderly end of both.

`nginxpod.py` starts its informers in every replica, so that a standby's caches are warm, and leaves the workers to
`run_elected`. controller-runtime: pkg/manager/internal.go, which stops the runnables before it releases the lease, and
whose users, like those of client-go, end the process when the lease is lost.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from typing import Final

from handwritten.clock import Clock
from handwritten.leaderelection import (
    LeaderCallbacks,
    LeaderElectionConfig,
    LeaderElectionMetrics,
    LeaderElector,
)
from handwritten.resourcelock import Lock
from twinloop.errors import TwinloopError

log = logging.getLogger(__name__)

# How long giving the lease back may take at the end: the process has 10 s in all, and its workers come first. A lease
# that is not given back runs out by itself.
RELEASE_PATIENCE: Final = 2.0

# How much longer than its lease a leader may go on before /healthz says so (kube-controller-manager's 20 s).
HEALTH_TOLERANCE: Final = 20.0

# What a process that has lost its lease exits with: a restart is wanted, and it is not the configuration's fault.
EXIT_LEADERSHIP_LOST: Final = 1

Work = Callable[[threading.Event], None]


class LeadershipLost(TwinloopError):
    """Another process may be leading by now; this one must not go on for a moment longer."""

    hint = "The process ends and is started again as a standby; see the log for why the lease was not renewed."


def run_elected(elect: Callable[[LeaderCallbacks], LeaderElector], work: Work, stop: threading.Event) -> None:
    """Run `work(event)` from the moment that we lead until `stop` is set, then release the lease.

    `work` returns soon after its event is set. Raises LeadershipLost as soon as the lease is lost, without waiting for
    `work`: the caller ends the process.
    """
    # Set by `stop` and by a lost lease alike: either ends the work, and only one of them is an orderly end.
    ending, finished = threading.Event(), threading.Event()
    election_over, lost, started = threading.Event(), threading.Event(), threading.Event()
    failures: list[Exception] = []

    def lead(_over: threading.Event) -> None:
        started.set()
        try:
            work(ending)
        except Exception as error:  # noqa: BLE001 - raised again by the thread that waits for it
            failures.append(error)
        finally:
            finished.set()
            ending.set()

    def stopped() -> None:
        if not election_over.is_set():
            lost.set()
        ending.set()

    def stop_too() -> None:
        stop.wait()
        ending.set()

    elector = elect(LeaderCallbacks(lead, stopped, lambda leader: log.info("New leader", extra={"leader": leader})))
    election = threading.Thread(target=elector.run, args=(election_over,), name="election", daemon=True)
    election.start()
    threading.Thread(target=stop_too, name="election-stop", daemon=True).start()
    ending.wait()
    if lost.is_set():
        raise LeadershipLost("the leader lease was lost")
    # The work first: as long as a worker writes, nobody else may begin.
    if started.is_set():
        finished.wait()
    election_over.set()
    election.join(RELEASE_PATIENCE)
    if failures:
        raise failures[0]


class Election:
    """The election that this process takes part in: what `run_elected` needs, and its part of /healthz."""

    def __init__(
        self,
        lock: Lock,
        *,
        name: str,
        clock: Clock,
        rng: random.Random,
        metrics: LeaderElectionMetrics | None = None,
    ) -> None:
        """`name` labels the metrics."""
        self._lock = lock
        self._name = name
        self._clock = clock
        self._rng = rng
        self._metrics = metrics
        self._elector: LeaderElector | None = None

    def elect(self, callbacks: LeaderCallbacks) -> LeaderElector:
        """Return the one elector of this process."""
        config = LeaderElectionConfig(self._lock, callbacks, name=self._name)
        self._elector = LeaderElector(config, clock=self._clock, rng=self._rng, metrics=self._metrics)
        return self._elector

    def healthy(self) -> bool | str:
        """For /healthz: False for a leader that should have ended itself long ago."""
        if self._elector is None or self._elector.check(HEALTH_TOLERANCE):
            return True
        return "leading without a valid lease"
