"""Work that is done while this process leads, and an orderly end of both.

`nginxpod.py` starts its informers in every replica, so that a standby's caches are warm, and leaves the workers to
`run_elected`. controller-runtime: pkg/manager/internal.go, which stops the runnables before it releases the lease, and
whose users, like those of client-go, end the process when the lease is lost.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from handwritten.leaderelection import LeaderCallbacks, LeaderElector
from twinloop.errors import TwinloopError

log = logging.getLogger(__name__)

# How long giving the lease back may take at the end: the process has 10 s in all, and its workers come first. A lease
# that is not given back runs out by itself.
RELEASE_PATIENCE: Final = 2.0

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
    election_over = threading.Event()
    lost = threading.Event()
    started = threading.Event()

    def lead(_over: threading.Event) -> None:
        started.set()
        try:
            work(ending)
        finally:
            finished.set()
            ending.set()

    def stopped() -> None:
        if not election_over.is_set():
            lost.set()
        ending.set()

    elector = elect(LeaderCallbacks(lead, stopped, lambda leader: log.info("New leader", extra={"leader": leader})))
    election = threading.Thread(target=elector.run, args=(election_over,), name="election", daemon=True)
    watcher = threading.Thread(target=lambda: (stop.wait(), ending.set()), name="election-stop", daemon=True)
    election.start()
    watcher.start()
    ending.wait()
    if lost.is_set():
        raise LeadershipLost("the leader lease was lost")
    # The work first: as long as a worker writes, nobody else may begin.
    if started.is_set():
        finished.wait()
    election_over.set()
    election.join(RELEASE_PATIENCE)
