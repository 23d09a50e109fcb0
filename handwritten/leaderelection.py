"""One leader among several processes: whoever holds the lock, for as long as it keeps renewing.

    acquire: try, and again each retry period -> lead -> renew: each retry period -> not renewed in time: over
                                                    `-> asked to stop: release, over

`manager.py` runs a controller while its process leads; `resourcelock.py` keeps the record. Counterpart of client-go's
tools/leaderelection/leaderelection.go.

What it promises, and what it does not: a candidate takes over only when the record has not changed for the whole lease
duration by its *own* monotonic clock, and a leader stops calling itself one when it has not renewed within the renew
deadline by *its* own. So clocks may show any time, if only they run at about the same speed; 15 s against 10 s leaves room
for one that is a third too fast. A leader whose process is frozen for longer than that may still act for a moment after it
wakes: the lock is no fence, and what it writes must be safe then too (preconditions, resource versions).

Different from client-go: an attempt runs on a thread of its own. Go cancels a request at the deadline; in Python a
request that hangs would let the deadline pass while the process still believes that it leads. And a lease that was
lost is not released, so that its loss is reported at once.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Protocol

from handwritten.clock import Clock
from handwritten.resourcelock import LeaderElectionRecord, Lock, now_text
from twinloop.errors import ApiError, ConfigurationError, Conflict, NotFound

log = logging.getLogger(__name__)

# The defaults of every client-go component and of controller-runtime, in seconds. A crashed leader is succeeded within
# LEASE_DURATION and a retry period; a leader survives an API server that is away for less than RENEW_DEADLINE.
LEASE_DURATION: Final = 15.0
RENEW_DEADLINE: Final = 10.0
RETRY_PERIOD: Final = 2.0
# Candidates wait a random 1 to 2.2 retry periods, so that they do not all ask at once.
JITTER_FACTOR: Final = 1.2

# How often a thread that waits for an attempt looks whether it should stop; only while a request is on its way.
_LOOK: Final = 0.1


class LeaderElectionMetrics(Protocol):
    """client-go's leaderMetricsAdapter."""

    def leader_on(self, name: str) -> None:
        """This process leads."""
        ...

    def leader_off(self, name: str) -> None:
        """This process does not lead."""
        ...

    def slowpath_exercised(self, name: str) -> None:
        """A leader had to read the record before it could renew it."""
        ...


class NoLeaderElectionMetrics:
    """Nothing is counted."""

    def leader_on(self, name: str) -> None:
        """See `LeaderElectionMetrics`."""

    def leader_off(self, name: str) -> None:
        """See `LeaderElectionMetrics`."""

    def slowpath_exercised(self, name: str) -> None:
        """See `LeaderElectionMetrics`."""


@dataclass(frozen=True)
class LeaderCallbacks:
    """What happens with leadership.

    - `on_started_leading` runs on a thread of its own; the event that it gets is set when leadership ends.
    - `on_stopped_leading` is called at the end of `run`, also if this process never led.
    - `on_new_leader` hears of every holder that is seen, ourselves included; it must not block.
    """

    on_started_leading: Callable[[threading.Event], None]
    on_stopped_leading: Callable[[], None]
    on_new_leader: Callable[[str], None] = lambda _: None


@dataclass(frozen=True)
class LeaderElectionConfig:
    """How to elect; all durations in seconds. Raises ConfigurationError for a combination that cannot be safe."""

    lock: Lock
    callbacks: LeaderCallbacks
    lease_duration: float = LEASE_DURATION
    renew_deadline: float = RENEW_DEADLINE
    retry_period: float = RETRY_PERIOD
    release_on_cancel: bool = True
    name: str = ""

    def __post_init__(self) -> None:
        """Check what NewLeaderElector checks."""
        problem = self._problem()
        if problem:
            raise ConfigurationError(f"leader election: {problem}", hint="The usual values are 15, 10 and 2 seconds.")

    def _problem(self) -> str:
        if self.lease_duration <= self.renew_deadline:
            return "the lease duration must be longer than the renew deadline"
        if self.renew_deadline <= self.retry_period * JITTER_FACTOR:
            return f"the renew deadline must be longer than {JITTER_FACTOR} retry periods"
        if self.lease_duration < 1 or self.retry_period <= 0:
            return "the lease duration must be at least a second, and the retry period more than nothing"
        if not self.lock.identity:
            return "the lock needs an identity"
        return ""


class LeaderElector:
    """Takes part in one election. `run` once; the other methods from any thread."""

    def __init__(
        self,
        config: LeaderElectionConfig,
        *,
        clock: Clock,
        rng: random.Random,
        metrics: LeaderElectionMetrics | None = None,
        wall_clock: Callable[[], str] = now_text,
    ) -> None:
        """`clock` is what leases are judged by; `wall_clock` gives the times that are only written into them."""
        self._config = config
        self._lock = config.lock
        self._clock = clock
        self._rng = rng
        self._metrics = metrics or NoLeaderElectionMetrics()
        self._wall_clock = wall_clock
        # Guards the four below. An attempt that was given up may still come back: it must find another number.
        self._guard = threading.Lock()
        self._attempt = 0
        self._observed: LeaderElectionRecord | None = None
        self._observed_at = 0.0
        self._reported_leader = ""
        self._metrics.leader_off(config.name)

    # --- what others may ask ------------------------------------------------------------------------------------------

    def is_leader(self) -> bool:
        """Return whether the record that was seen last names us. It may have run out since: see `check`."""
        return self.get_leader() == self._lock.identity

    def get_leader(self) -> str:
        """Return who held the record when it was seen last; "" for nobody."""
        with self._guard:
            return self._observed.holder_identity if self._observed is not None else ""

    def check(self, max_tolerable_expired_lease_duration: float) -> bool:
        """Return False for a leader that has not renewed for longer than its lease and this tolerance (seconds).

        For a liveness probe: such a process should have ended itself. A standby is always fine.
        """
        with self._guard:
            mine = self._observed is not None and self._observed.holder_identity == self._lock.identity
            age = self._clock.now() - self._observed_at
        return not mine or age <= self._config.lease_duration + max_tolerable_expired_lease_duration

    # --- the life of a candidate --------------------------------------------------------------------------------------

    def run(self, stop: threading.Event) -> None:
        """Acquire the lock, lead, and return when `stop` is set or leadership is lost."""
        over = threading.Event()
        try:
            if not self._acquire(stop):
                return
            leading = self._config.callbacks.on_started_leading
            threading.Thread(target=leading, args=(over,), name="leading", daemon=True).start()
            self._renew(stop)
        finally:
            over.set()
            self._config.callbacks.on_stopped_leading()

    def _acquire(self, stop: threading.Event) -> bool:
        """Return True as soon as we lead, False when `stop` comes first."""
        log.info("Attempting to acquire leader lease", extra={"lock": self._lock.describe()})
        while not stop.is_set():
            acquired = self._try(stop, self._clock.now() + self._config.renew_deadline)
            self._report_transition()
            if acquired:
                self._metrics.leader_on(self._config.name)
                log.info("Acquired lease", extra={"lock": self._lock.describe(), "identity": self._lock.identity})
                return True
            self._clock.sleep(stop, self._config.retry_period * (1.0 + JITTER_FACTOR * self._rng.random()))
        return False

    def _renew(self, stop: threading.Event) -> None:
        """Keep the lease until `stop` is set or the renew deadline passes without a success."""
        while not stop.is_set():
            renewed = self._renew_once(stop, self._clock.now() + self._config.renew_deadline)
            self._report_transition()
            if not renewed:
                break
            self._clock.sleep(stop, self._config.retry_period)
        self._metrics.leader_off(self._config.name)
        if not stop.is_set():
            # client-go tries to release here too, and reports only after that. What could not be renewed for ten
            # seconds can hardly be released, and every second of trying is one in which two may believe that they lead.
            log.error("Failed to renew lease", extra={"lock": self._lock.describe()})
        elif self._config.release_on_cancel:
            self._release()

    def _renew_once(self, stop: threading.Event, deadline: float) -> bool:
        while not stop.is_set() and self._clock.now() < deadline:
            if self._try(stop, deadline):
                return True
            self._clock.sleep(stop, max(min(self._config.retry_period, deadline - self._clock.now()), 0.0))
        return stop.is_set()

    def _release(self) -> None:
        """Give the lock back, if it is ours: whoever waits need not wait for the lease to run out."""
        deadline = self._clock.now() + self._config.renew_deadline
        never = threading.Event()
        if self._bounded(self._try_release, never, deadline):
            log.info("Released lease", extra={"lock": self._lock.describe()})

    def _report_transition(self) -> None:
        """Tell of a new holder, once."""
        leader = self.get_leader()
        with self._guard:
            if leader == self._reported_leader:
                return
            self._reported_leader = leader
        self._config.callbacks.on_new_leader(leader)

    # --- one attempt --------------------------------------------------------------------------------------------------

    def _try(self, stop: threading.Event, deadline: float) -> bool:
        return self._bounded(self._try_acquire_or_renew, stop, deadline)

    def _bounded(self, call: Callable[[int], bool], stop: threading.Event, deadline: float) -> bool:
        """Return what `call` does; False when it raises, or is not done before `deadline` or `stop`."""
        with self._guard:
            self._attempt += 1
            number = self._attempt
        answers: list[bool] = []
        done = threading.Event()

        def work() -> None:
            try:
                answers.append(call(number))
            except ApiError as error:
                log.warning(
                    "Leader election request failed", extra={"lock": self._lock.describe(), "error": str(error)}
                )
            finally:
                done.set()

        threading.Thread(target=work, name="leader-election", daemon=True).start()
        while not self._clock.sleep(done, max(min(_LOOK, deadline - self._clock.now()), 0.0)):
            if stop.is_set() or self._clock.now() >= deadline:
                with self._guard:
                    self._attempt += 1  # whatever it still finds out is nobody's news
                return False
        return bool(answers and answers[0])

    def _try_acquire_or_renew(self, attempt: int) -> bool:
        """Return True if we hold the lock afterwards (tryAcquireOrRenew)."""
        wanted = self._new_record()
        if self.is_leader() and self._is_lease_valid():
            # The record that we wrote last is most likely still there: one request instead of two.
            observed = self._observed_record()
            renewed = replace(
                wanted, acquire_time=observed.acquire_time, leader_transitions=observed.leader_transitions
            )
            try:
                self._lock.update(renewed)
            except ApiError as error:
                log.info("Optimistic renewal failed, reading the lease", extra={"error": str(error)})
            else:
                return self._observe(renewed, attempt)
        try:
            found = self._lock.get()
        except NotFound:
            self._lock.create(wanted)
            return self._observe(wanted, attempt)
        if self._observed is None or found != self._observed:
            self._observe(found, attempt)
        if found.holder_identity and not self.is_leader() and self._is_lease_valid():
            log.debug("Lease is held and has not run out", extra={"holder": found.holder_identity})
            return False
        if self.is_leader():
            self._metrics.slowpath_exercised(self._config.name)
            wanted = replace(wanted, acquire_time=found.acquire_time, leader_transitions=found.leader_transitions)
        else:
            wanted = replace(wanted, leader_transitions=found.leader_transitions + 1)
        self._lock.update(wanted)
        return self._observe(wanted, attempt)

    def _try_release(self, attempt: int) -> bool:
        """Return True if we have released the lock, or had none to release."""
        while True:
            # Fresh, since an attempt that was given up may have written after all.
            try:
                found = self._lock.get()
            except NotFound:
                return False
            if found.holder_identity != self._lock.identity:
                return False
            released = found.released(self._wall_clock())
            try:
                self._lock.update(released)
            except Conflict:
                if not self._is_current(attempt):
                    return False
                continue
            return self._observe(released, attempt)

    def _new_record(self) -> LeaderElectionRecord:
        now = self._wall_clock()
        return LeaderElectionRecord(self._lock.identity, int(self._config.lease_duration), now, now)

    def _observed_record(self) -> LeaderElectionRecord:
        with self._guard:
            assert self._observed is not None  # noqa: S101 - we lead, so we have seen the record
            return self._observed

    def _is_lease_valid(self) -> bool:
        """Return whether the record changed within the time that it gives itself, as far as *we* could see."""
        with self._guard:
            if self._observed is None:
                return False
            return self._clock.now() < self._observed_at + self._observed.lease_duration_seconds

    def _observe(self, record: LeaderElectionRecord, attempt: int) -> bool:
        """Note a record and when we saw it; False if the attempt has been given up meanwhile."""
        with self._guard:
            if attempt != self._attempt:
                return False
            self._observed = record
            self._observed_at = self._clock.now()
            return True

    def _is_current(self, attempt: int) -> bool:
        with self._guard:
            return attempt == self._attempt
