"""The decision: which pods of a NginxPod to delete, which to create, and when to be asked again.

Second of the modules that decide. `plan` is a pure function of one NginxPod, the pods that are known and the
time. It never remembers: what it needs to know stands in the objects, so any number of operators, restarts and
repeated calls come to the same decision. `status.judge` says afterwards what is true, `sync.sync` does both.

The rules are named R1 to R13 throughout:

    R1   pods are `<name>-<ordinal>`                R6   a finished pod is deleted and made again, with back-off
    R4   a foreign pod under our name stays         R7   surplus pods go at once, highest ordinals first
    R5   outdated pods go one at a time             R9   a NginxPod that is being deleted is left alone
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from twinloop.nginxpod import (
    InvalidSpecError,
    Object,
    Spec,
    build_pod,
    failures_of,
    is_alive,
    is_current,
    is_finished,
    is_left_behind,
    is_ours,
    is_ready,
    is_terminating,
    name_of,
    ordinal_of,
    parse_spec,
    parse_time,
    pod_condition,
    pod_labels,
    pod_name,
    terminating_since,
)

# R6: the first failure is answered at once, the next ones after 10, 20, 40, 80, 160 s and then always 5 minutes.
FAILURE_BACKOFF: Final = 10.0
FAILURE_BACKOFF_MAX: Final = 300.0
# R6: a pod that was ready for this long has proven itself; its failure is a first one again.
READY_FORGIVES: Final = 600.0
# R5: a pod whose labels are right and whose container is not was patched by a person, or changed on its way in by an
# admission webhook. In the second case its successor will be no better, so no pod is replaced for this reason before
# it is this old: ten seconds make a person wait a little and a fight with a webhook slow.
PATCHED_PATIENCE: Final = 10.0
# R4: garbage collection and termination are given this long before a person is told that we are stuck.
HOLDER_PATIENCE: Final = 60.0


@dataclass(frozen=True)
class Slot:
    """One wanted ordinal: its name and who has it.

    `pod` is our pod, if there is one; `holder` a foreign pod that has the name instead. Never both.
    """

    ordinal: int
    name: str
    pod: Object | None = None
    holder: Object | None = None


@dataclass(frozen=True)
class View:
    """A NginxPod's pods, sorted by what they are to it."""

    slots: tuple[Slot, ...]
    surplus: tuple[Object, ...]

    @property
    def ours(self) -> list[Object]:
        """All pods that we own, wanted or not."""
        return [slot.pod for slot in self.slots if slot.pod is not None] + list(self.surplus)


@dataclass(frozen=True)
class Deletion:
    """A pod to delete, and why, in words for the event."""

    pod: Object
    why: str


@dataclass(frozen=True)
class Plan:
    """What to do now. `again` is in seconds: ask again by then even if nothing happens; None = no need."""

    deletions: tuple[Deletion, ...] = ()
    creations: tuple[Object, ...] = ()
    again: float | None = None


def plan(nginxpod: Object, pods: Iterable[Object], now: datetime) -> Plan:
    """Decide what to do about one NginxPod.

    Args:
        nginxpod: the object as the API server gives it.
        pods: at least the pods that it owns; foreign pods among them are recognised, under our names they matter (R4).
        now: an aware datetime.

    Deletions are to be done before creations: a finished pod and its successor share a name.
    """
    if is_terminating(nginxpod):
        return Plan()
    try:
        spec = parse_spec(nginxpod)
    except InvalidSpecError:
        return Plan()
    view = observe(nginxpod, spec, pods)
    finished = [slot for slot in view.slots if slot.pod and is_finished(slot.pod) and not is_terminating(slot.pod)]
    due = [slot for slot in finished if _wait(nginxpod, spec, slot, now) <= 0]
    outdated = _next_outdated(nginxpod, spec, view, due)
    settling = _settling(nginxpod, spec, outdated, now) if outdated else 0.0
    if settling:
        outdated = None
    deletions = [
        *[Deletion(pod, "it is not wanted") for pod in view.surplus if not is_terminating(pod)],
        *[Deletion(slot.pod, _how_it_ended(slot.pod)) for slot in reversed(due) if slot.pod],
        *([Deletion(outdated, "it is outdated")] if outdated else []),
    ]
    missing = [slot for slot in view.slots if slot.pod is None and slot.holder is None]
    creations = [
        build_pod(nginxpod, spec, slot.ordinal, _inherited(nginxpod, spec, slot))
        for slot in sorted([*missing, *due], key=lambda slot: slot.ordinal)
    ]
    waits = [_wait(nginxpod, spec, slot, now) for slot in finished if slot not in due]
    waits += [left for slot in view.slots if slot.holder and (left := patience_left(nginxpod, slot.holder, now)) > 0]
    waits += [settling] if settling else []
    return Plan(tuple(deletions), tuple(creations), min(waits, default=None))


def observe(nginxpod: Object, spec: Spec, pods: Iterable[Object]) -> View:
    """Sort pods into wanted slots and surplus; foreign pods under other names than ours do not matter."""
    by_name = {name_of(pod): pod for pod in pods}
    wanted = {pod_name(name_of(nginxpod), ordinal): ordinal for ordinal in range(spec.replicas)}
    slots = [_slot(nginxpod, ordinal, name, by_name.get(name)) for name, ordinal in wanted.items()]
    surplus = [pod for pod in by_name.values() if is_ours(nginxpod, pod) and name_of(pod) not in wanted]
    surplus.sort(key=lambda pod: _rank(nginxpod, pod), reverse=True)
    return View(tuple(slots), tuple(surplus))


def _rank(nginxpod: Object, pod: Object) -> tuple[bool, int, str]:
    """R7: highest ordinals go first; pods whose name has none go before them."""
    ordinal = ordinal_of(name_of(nginxpod), pod)
    return ordinal is None, ordinal or 0, name_of(pod)


def _slot(nginxpod: Object, ordinal: int, name: str, pod: Object | None) -> Slot:
    if pod is None:
        return Slot(ordinal, name)
    return Slot(ordinal, name, pod=pod) if is_ours(nginxpod, pod) else Slot(ordinal, name, holder=pod)


# --- R4: a name that somebody else holds ------------------------------------------------------------------------------


def patience_left(nginxpod: Object, holder: Object, now: datetime) -> float:
    """How many seconds to go on waiting for a foreign pod to leave; 0 = it is a conflict.

    Only a pod that is on its way out is waited for: one that terminates, or one whose NginxPod is gone and that the
    garbage collector will find. The wait starts when both the pod was leaving and we were there to want its name.
    """
    if not is_terminating(holder) and not is_left_behind(nginxpod, holder):
        return 0.0
    starts = [terminating_since(holder), parse_time(nginxpod["metadata"].get("creationTimestamp"))]
    since = max((start for start in starts if start is not None), default=now)
    return max(0.0, HOLDER_PATIENCE - (now - since).total_seconds())


# --- R5: outdated pods ------------------------------------------------------------------------------------------------


def _next_outdated(nginxpod: Object, spec: Spec, view: View, leaving: list[Slot]) -> Object | None:
    """The one pod to delete for a template change, or None while a previous one is not back.

    "Not back" is read from the objects alone: a slot that is empty, terminating or about to be emptied may be the one
    that we took down, so nothing more is taken. Slots that a foreign pod holds cannot come back and do not count.
    """
    pods = [slot.pod for slot in view.slots if slot.holder is None]
    if any(pod is None or is_terminating(pod) for pod in pods) or leaving:
        return None
    present = [pod for pod in pods if pod is not None]
    outdated = [pod for pod in reversed(present) if is_alive(pod) and not is_current(nginxpod, spec, pod)]
    # A pod that serves nobody is no loss: it goes first, whatever the others do. That is how a bad image is corrected.
    useless = next((pod for pod in outdated if not is_ready(pod)), None)
    if useless is not None:
        return useless
    return outdated[0] if outdated and all(is_ready(pod) for pod in present) else None


def _settling(nginxpod: Object, spec: Spec, pod: Object, now: datetime) -> float:
    """Seconds that an outdated pod still has, because only its container differs and it is young."""
    labels = pod["metadata"].get("labels") or {}
    born = parse_time(pod["metadata"].get("creationTimestamp"))
    if born is None or any(labels.get(key) != value for key, value in pod_labels(name_of(nginxpod), spec).items()):
        return 0.0
    return max(0.0, PATCHED_PATIENCE - (now - born).total_seconds())


# --- R6: finished pods ------------------------------------------------------------------------------------------------


def _wait(nginxpod: Object, spec: Spec, slot: Slot, now: datetime) -> float:
    """Seconds until a finished pod may be made again; zero or less = now."""
    assert slot.pod is not None  # noqa: S101 - callers select slots that have a pod
    delay = _delay(_failures(nginxpod, spec, slot.pod))
    ended = finished_at(slot.pod)
    # Never longer than the delay itself: the kubelet's clock, which wrote the end, may be ahead of ours.
    return min(delay, delay - (now - ended).total_seconds()) if ended else 0.0


def made_again_at(nginxpod: Object, spec: Spec, pod: Object) -> datetime | None:
    """When a finished pod will be made again, for the status message; None = at once."""
    delay, ended = _delay(_failures(nginxpod, spec, pod)), finished_at(pod)
    return datetime.fromtimestamp(ended.timestamp() + delay, tz=ended.tzinfo) if ended and delay else None


def _delay(failures: int) -> float:
    # The exponent is cut before it is used: an annotation may hold any number.
    return min(FAILURE_BACKOFF_MAX, FAILURE_BACKOFF * 2 ** min(failures - 1, 10)) if failures else 0.0


def _failures(nginxpod: Object, spec: Spec, pod: Object) -> int:
    """The failures that count against a finished pod: none if it proved itself, or if the spec has changed since."""
    if ready_seconds(pod) >= READY_FORGIVES or not is_current(nginxpod, spec, pod):
        return 0
    return failures_of(pod)


def _inherited(nginxpod: Object, spec: Spec, slot: Slot) -> int:
    """The failures to write on a successor; a pod that takes an empty slot has no predecessor that we know of."""
    if slot.pod is None or not is_current(nginxpod, spec, slot.pod):
        return 0
    return _failures(nginxpod, spec, slot.pod) + 1


def finished_at(pod: Object) -> datetime | None:
    """When a finished pod ended: its last container's end, else when it stopped being ready, else its creation."""
    ends = [parse_time(state.get("finishedAt")) for state in _terminated(pod)]
    condition = pod_condition(pod, "Ready") or {}
    known = [end for end in ends if end is not None]
    if known:
        return max(known)
    return parse_time(condition.get("lastTransitionTime")) or parse_time(pod["metadata"].get("creationTimestamp"))


def ready_seconds(pod: Object) -> float:
    """At most how long a finished pod had been ready when it ended; 0 when it never was.

    The API keeps no history of readiness. What it keeps is when Ready last turned (for a pod that never was ready:
    when the kubelet first saw it) and when the last container started; the time between them is the last ready spell.
    """
    turned = parse_time((pod_condition(pod, "Ready") or {}).get("lastTransitionTime"))
    starts = [start for state in _terminated(pod) if (start := parse_time(state.get("startedAt"))) is not None]
    if turned is None or not starts:
        return 0.0
    return max(0.0, (turned - max(starts)).total_seconds())


def _terminated(pod: Object) -> list[Object]:
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    return [state for status in statuses if (state := (status.get("state") or {}).get("terminated"))]


def _how_it_ended(pod: Object) -> str:
    status = pod.get("status") or {}
    return f"it is {status.get('phase')}" + (f" ({status['reason']})" if status.get("reason") else "")
