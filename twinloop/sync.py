"""One reconciliation: read a NginxPod and its pods, do what the plan says, write what is true.

Last of the modules that decide, and the only thing that either control loop calls. It talks to the cluster through
the `Cluster` protocol, so it runs on a cache, on live requests or on a test's dictionary alike. What it wants from a
loop afterwards is in the `Outcome`: a failure asks for back-off, `again` asks for another visit at a time.

    read the NginxPod -> read its pods -> plan -> delete, create -> judge -> write the status -> Outcome
          ^                                                             |
          +---- the view was too old (409, a uid that changed) <--------+

The NginxPod is read before its pods, and the status is written under the resource version that was read: so a status
is never computed from pods older than the status that it replaces (R11).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from twinloop.errors import (
    AlreadyExists,
    ApiError,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    TooManyRequests,
    Unavailable,
)
from twinloop.memory import HeldBack, Memory
from twinloop.nginxpod import Object, format_time, is_terminating, name_of, namespace_of, uid_of
from twinloop.plan import Deletion, Plan, plan
from twinloop.status import (
    ALL_READY,
    INVALID_SPEC,
    NAME_CONFLICT,
    POD_CREATE_FAILED,
    POD_DELETE_FAILED,
    Difference,
    Refusals,
    difference,
    judge,
    message_of,
    reason_of,
)

log = logging.getLogger(__name__)

# R11: how often one visit reads and plans again at once before the failure is left to the loop's back-off.
ATTEMPTS: Final = 3
# R12: both loops wait this long after a failure, twice as long each time; a key is never given up.
RETRY_BASE: Final = 0.005
RETRY_MAX: Final = 15.0
# R12: who names a longer time than this is asked again after it; meanwhile a NginxPod is served by nothing, not even by a
# corrected spec.
RETRY_AFTER_MAX: Final = 60.0

NORMAL: Final = "Normal"
WARNING: Final = "Warning"


def retry_delay(failures: int) -> float:
    """Seconds to wait after so many earlier failures in a row: 5 ms * 2^failures, at most 15 s."""
    return min(RETRY_MAX, RETRY_BASE * 2.0 ** min(failures, 30))


class Cluster(Protocol):
    """What a reconciliation needs of the world. Errors are those of `twinloop.errors`.

    `live` asks for a read that is not served from a cache: the cached view has just proved to be too old.
    """

    def get_nginxpod(self, namespace: str, name: str, *, live: bool) -> Object | None:
        """The NginxPod, None when it does not exist."""

    def list_pods(self, nginxpod: Object, *, live: bool) -> list[Object]:
        """At least the pods that carry the NginxPod's label; more of the namespace does no harm."""

    def get_pod(self, namespace: str, name: str) -> Object | None:
        """One pod, always live; None when it does not exist."""

    def create_pod(self, pod: Object) -> Object:
        """Create a pod; the object as the server accepted it."""

    def delete_pod(self, pod: Object) -> Object:
        """Delete exactly this pod, by a precondition on its uid (R8); the object as the server answered."""

    def patch_status(self, nginxpod: Object, status: Object) -> Object:
        """Write a status under the resource version of `nginxpod`; Conflict when that is no longer the latest."""

    def record(self, nginxpod: Object, type_: str, reason: str, message: str) -> None:
        """Publish a Kubernetes Event about the NginxPod; never fails."""


@dataclass(frozen=True)
class Outcome:
    """What a loop does next.

    `failure`: one line, "" when nothing failed; otherwise the key is tried again with back-off (`retry_delay`).
    `again`: seconds after which to come back even if nothing happens; beside a failure it replaces the back-off
    (the server named a time); None = no need.
    """

    failure: str = ""
    again: float | None = None


DONE: Final = Outcome()


class _StaleViewError(Exception):
    """What was read has changed meanwhile: read and plan again."""


class _UnreadError(Exception):
    """The server wants to be left alone before it has shown the NginxPod."""

    def __init__(self, error: TooManyRequests) -> None:
        super().__init__(str(error))
        self.error = error


class _NamespaceGoneError(Exception):
    """The namespace is being deleted: nothing that we could do or say matters (R12)."""


def sync(cluster: Cluster, namespace: str, name: str, *, now: Callable[[], datetime], memory: Memory) -> Outcome:
    """Reconcile one NginxPod once.

    Any `ApiError` becomes a failure in the outcome. Other exceptions mean that an object was not what the API
    promises, or a mistake of ours; they pass through and a loop treats them as a failure too.

    R12: when the server has named a time, a visit before it asks for nothing that was refused and fails as the last one did.
    Without that the echo of our own write would bring the refused request back at once. client-go waits one layer lower, in
    its REST client (`withRetry`), which holds up a worker.
    """
    held = memory.held_back(namespace, name, now())
    if held is not None and held.unread:
        return Outcome(held.failure, again=held.left)
    try:
        outcome, unread = _rounds(cluster, namespace, name, now=now, memory=memory), False
    except _UnreadError as error:
        outcome, unread = _failed(error.error), True
    if outcome.failure and outcome.again:
        memory.hold_back(namespace, name, HeldBack(outcome.failure, outcome.again, unread), now())
    return outcome


def _rounds(cluster: Cluster, namespace: str, name: str, *, now: Callable[[], datetime], memory: Memory) -> Outcome:
    """Read, act and report, again at once when the view has proved to be too old."""
    failure = ""
    try:
        for attempt in range(ATTEMPTS):
            try:
                return _reconcile(cluster, namespace, name, now=now, memory=memory, live=attempt > 0)
            except _StaleViewError as stale:
                failure = f"The cluster changed under {ATTEMPTS} attempts in a row: {stale}"
    except _NamespaceGoneError:
        return DONE
    except ApiError as error:
        return _failed(error)
    return Outcome(failure)


def _failed(error: ApiError) -> Outcome:
    # `or None`: a server that names no time to wait, 0 or one that has passed, does not switch the back-off off.
    asked = (error.retry_after or None) if isinstance(error, TooManyRequests) else None
    return Outcome(str(error), None if asked is None else min(asked, RETRY_AFTER_MAX))


def _read(cluster: Cluster, namespace: str, name: str, *, live: bool) -> Object | None:
    try:
        return cluster.get_nginxpod(namespace, name, live=live)
    except TooManyRequests as error:
        raise _UnreadError(error) from error


def _reconcile(
    cluster: Cluster, namespace: str, name: str, *, now: Callable[[], datetime], memory: Memory, live: bool
) -> Outcome:
    nginxpod = _read(cluster, namespace, name, live=live)
    if nginxpod is not None and memory.is_lost(uid_of(nginxpod)):
        # Its pods are being collected, and a cache that has not heard of its end would have each of them made again.
        live, nginxpod = True, _read(cluster, namespace, name, live=True)
        if nginxpod is None:  # nothing is forgotten before the cache has heard of it too
            return DONE
    if nginxpod is None:
        memory.forget(namespace, name)
        return DONE
    memory.seen(nginxpod)
    memory.found(uid_of(nginxpod))
    if is_terminating(nginxpod):  # R9
        return DONE
    # After the reading: of one that is gone, or was made anew under the name, the server has not spoken.
    if (held := memory.held_back(namespace, name, now())) is not None:
        return Outcome(held.failure, again=held.left)
    visit = _Visit(cluster, nginxpod, cluster.list_pods(nginxpod, live=live), now=now(), memory=memory)
    visit.act()
    return _report(visit, memory)


class _Visit:
    """One round over one view: the pods as they are after each write, and what was refused."""

    def __init__(
        self, cluster: Cluster, nginxpod: Object, pods: list[Object], *, now: datetime, memory: Memory
    ) -> None:
        self.cluster = cluster
        self.nginxpod = nginxpod
        self.now = now
        self.memory = memory
        self.pods = {name_of(pod): pod for pod in pods}
        self.plan = Plan()
        self.refused_create: ApiError | None = None
        self.refused_delete: ApiError | None = None

    def act(self) -> None:
        """Plan and carry out; again at once while names turn out to be held by pods that were not in view (R1)."""
        for _ in range(ATTEMPTS):
            self.plan = plan(self.nginxpod, self.pods.values(), self.now)
            kept = self._delete_all()
            if not self._create_all(kept) or self.refused_create or self.refused_delete:
                return
        raise _StaleViewError("pod names kept changing hands")

    def _delete_all(self) -> set[str]:
        """Carry out the deletions; the names of the pods that are still there because the server refused."""
        kept = {name_of(deletion.pod) for deletion in self.plan.deletions}
        for deletion in self.plan.deletions:
            try:
                self._delete(deletion)
                kept.discard(name_of(deletion.pod))
            except ApiError as error:
                self.refused_delete = self.refused_delete or error
                # The server is in trouble, not this pod: the other deletions would only add to it.
                if isinstance(error, TooManyRequests | Unavailable):
                    break
        return kept

    def _delete(self, deletion: Deletion) -> None:
        pod = deletion.pod
        try:
            answer = self.cluster.delete_pod(pod)
        except (NotFound, Conflict) as error:
            # Gone or replaced since it was read: what else is no longer as we saw it?
            raise _StaleViewError(str(error)) from error
        self.pods[name_of(pod)] = _as_terminating(pod, answer, self.now)
        self._did("PodDeleted", f"Deleted pod {name_of(pod)}: {deletion.why}")

    def _create_all(self, kept: set[str]) -> bool:
        """Carry out the creations; whether a name was taken by a pod that the plan did not know."""
        surprised = False
        for pod in self.plan.creations:
            if name_of(pod) in kept:
                continue
            try:
                surprised |= not self._create(pod)
            except Conflict as error:  # not the name: two creations raced for one quota
                raise _StaleViewError(str(error)) from error
            except ApiError as error:
                # R12: the next creation would be refused for the same reason; it waits for the next round.
                self.refused_create = error
                break
        return surprised

    def _create(self, pod: Object) -> bool:
        """Create one pod; False when its name was taken, and its holder is now in view."""
        pod = self.memory.with_failures(uid_of(self.nginxpod), pod)
        try:
            created = self.cluster.create_pod(pod)
        except AlreadyExists:
            self._look_up(pod)
            return False
        except Forbidden as error:
            if error.namespace_terminating:
                raise _NamespaceGoneError from error
            raise
        self.memory.created(uid_of(self.nginxpod), pod)
        self.pods[name_of(pod)] = created
        self._did("PodCreated", f"Created pod {name_of(pod)}")
        return True

    def _look_up(self, pod: Object) -> None:
        holder = self.cluster.get_pod(namespace_of(pod), name_of(pod))
        if holder is None:
            self.pods.pop(name_of(pod), None)
        else:
            self.pods[name_of(pod)] = holder

    def _did(self, reason: str, message: str) -> None:
        log.info(message, extra={"nginxpod": f"{namespace_of(self.nginxpod)}/{name_of(self.nginxpod)}"})
        self.cluster.record(self.nginxpod, NORMAL, reason, message)

    def status(self) -> Object:
        """The status that is true after this round."""
        refusals = Refusals(str(self.refused_create or ""), str(self.refused_delete or ""))
        return judge(self.nginxpod, self.pods.values(), refusals, self.now)

    def outcome(self, status: Object) -> Outcome:
        """What the loop has to do, whatever becomes of the status."""
        refused = self.refused_create or self.refused_delete
        if refused is not None:
            return _failed(refused)
        if reason_of(status) == NAME_CONFLICT:
            return Outcome(message_of(status))
        return Outcome(again=self.plan.again)


def _as_terminating(pod: Object, answer: Object, now: datetime) -> Object:
    """A deleted pod as the rest of the round should see it: on its way out, its name perhaps not free yet."""
    known = answer if (answer.get("metadata") or {}).get("uid") == uid_of(pod) else pod
    if is_terminating(known):
        return known
    return {**known, "metadata": {**known["metadata"], "deletionTimestamp": format_time(now)}}


# --- the status -------------------------------------------------------------------------------------------------------


def _report(visit: _Visit, memory: Memory) -> Outcome:
    """Write the status if that is worth a write now (R11)."""
    status, uid = visit.status(), uid_of(visit.nginxpod)
    outcome = visit.outcome(status)
    changed = difference(visit.nginxpod.get("status"), status)
    if changed is Difference.NOTHING:
        memory.words_stand(uid, reason_of(status), alone=False)
        return outcome
    if not memory.may_write(uid, status["observedGeneration"]):  # R13
        return outcome
    if changed is Difference.WORDS:
        wait = memory.wait_for_words(uid, reason_of(status), visit.now)
        if wait > 0:
            return _sooner(outcome, wait)
    if not _write(visit, status, memory):
        return outcome
    memory.words_stand(uid, reason_of(status), alone=changed is Difference.WORDS)
    _announce(visit, status)
    return outcome


def _sooner(outcome: Outcome, wait: float) -> Outcome:
    """Come back for the message too, unless a failure brings us back anyway."""
    if outcome.failure:
        return outcome
    return Outcome(again=wait if outcome.again is None else min(wait, outcome.again))


def _write(visit: _Visit, status: Object, memory: Memory) -> bool:
    """Write the status; False when that is impossible and no back-off would change it."""
    try:
        visit.cluster.patch_status(visit.nginxpod, status)
    except NotFound:
        memory.lost(uid_of(visit.nginxpod))
        return False
    except Conflict as error:
        raise _StaleViewError(str(error)) from error
    except Invalid as error:
        memory.cannot_write(uid_of(visit.nginxpod), status["observedGeneration"])
        name = f"{namespace_of(visit.nginxpod)}/{name_of(visit.nginxpod)}"
        log.error("Status was refused as invalid: %s", error, extra={"nginxpod": name})  # noqa: TRY400 - no news in a trace
        return False
    return True


# R15: which reasons are worth a Kubernetes Event, under which name.
_ANNOUNCED: Final = {
    ALL_READY: ("Ready", NORMAL),
    INVALID_SPEC: (INVALID_SPEC, WARNING),
    NAME_CONFLICT: (NAME_CONFLICT, WARNING),
    POD_CREATE_FAILED: (POD_CREATE_FAILED, WARNING),
    POD_DELETE_FAILED: (POD_DELETE_FAILED, WARNING),
}


def _announce(visit: _Visit, status: Object) -> None:
    """R15: an event for a change of reason, once it is written, so that a restart repeats none."""
    reason = reason_of(status)
    if reason in _ANNOUNCED and reason != reason_of(visit.nginxpod.get("status")):
        event, type_ = _ANNOUNCED[reason]
        visit.cluster.record(visit.nginxpod, type_, event, message_of(status))
