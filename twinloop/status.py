"""What is true: the status of a NginxPod, computed from its pods and from what the server refused.

Third of the modules that decide. `judge` builds the whole status that ought to stand in the object (R10, R13);
`difference` says whether writing it would change anything, and whether only words would change (R11). `sync`
takes over and writes it.

Conditions follow the API conventions and kstatus: `Ready` is always there, `Stalled` only while it is True,
conditions of other types belong to somebody else and are kept.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from twinloop.nginxpod import (
    InvalidSpecError,
    Object,
    Spec,
    format_time,
    is_alive,
    is_current,
    is_finished,
    is_ours,
    is_ready,
    is_terminating,
    name_of,
    parse_spec,
    pod_condition,
    selector_of,
    terminating_since,
)
from twinloop.plan import Slot, View, made_again_at, observe, patience_left

ALL_READY: Final = "AllReady"
INVALID_SPEC: Final = "InvalidSpec"
NAME_CONFLICT: Final = "NameConflict"
POD_CREATE_FAILED: Final = "PodCreateFailed"
POD_DELETE_FAILED: Final = "PodDeleteFailed"
PROGRESSING: Final = "Progressing"

# R10: a server's message is shown up to this size; admission webhooks can be talkative and etcd keeps every version.
MAX_MESSAGE: Final = 1024

# Reasons a container waits that mean nothing but "wait": naming them would change the message on every good start.
_ORDINARY_WAITS: Final = frozenset({"ContainerCreating", "PodInitializing"})


@dataclass(frozen=True)
class Refusals:
    """What the server said to this round's writes: its message for the first refused one of each kind, or ""."""

    create: str = ""
    delete: str = ""


@dataclass(frozen=True)
class Verdict:
    """The Ready condition in short; `stalled` when only a person or another object can help."""

    reason: str
    message: str
    stalled: bool = False

    @property
    def ready(self) -> bool:
        """Whether this is the one good verdict."""
        return self.reason == ALL_READY


def judge(nginxpod: Object, pods: Iterable[Object], refusals: Refusals, now: datetime) -> Object:
    """The status that says what is true, ready to stand in `nginxpod["status"]`.

    Args:
        nginxpod: as it was read; its old status supplies transition times and foreign conditions.
        pods: as they are after this round's writes.
        refusals: what the server refused in this round.
        now: an aware datetime, for conditions that turn.
    """
    pods = list(pods)
    ours = [pod for pod in pods if is_ours(nginxpod, pod)]
    generation = nginxpod["metadata"].get("generation", 0)
    return {
        "observedGeneration": generation,
        "replicas": sum(map(is_alive, ours)),
        "readyReplicas": sum(map(is_ready, ours)),
        "selector": selector_of(name_of(nginxpod)),
        "conditions": _conditions(nginxpod, _verdict(nginxpod, pods, refusals, now), generation, now),
    }


def _verdict(nginxpod: Object, pods: list[Object], refusals: Refusals, now: datetime) -> Verdict:
    try:
        spec = parse_spec(nginxpod)
    except InvalidSpecError as error:
        return Verdict(INVALID_SPEC, str(error), stalled=True)
    view = observe(nginxpod, spec, pods)
    taken = [slot.name for slot in view.slots if slot.holder and not patience_left(nginxpod, slot.holder, now)]
    if taken:
        return Verdict(NAME_CONFLICT, f"Pod {taken[0]} exists and is not owned by this NginxPod", stalled=True)
    if refusals.create:
        return Verdict(POD_CREATE_FAILED, refusals.create)
    if refusals.delete:
        return Verdict(POD_DELETE_FAILED, refusals.delete)
    lacking = _lacking(nginxpod, spec, view)
    return Verdict(PROGRESSING, lacking) if lacking else Verdict(ALL_READY, _all_ready(spec))


def _all_ready(spec: Spec) -> str:
    if spec.replicas == 0:
        return "No pods are wanted and none are left"
    return "The pod is ready" if spec.replicas == 1 else f"All {spec.replicas} pods are ready"


# --- R10: which pod is not ready, and why -----------------------------------------------------------------------------


def _lacking(nginxpod: Object, spec: Spec, view: View) -> str:
    """What is still missing to be Ready, in words; "" when nothing is.

    The words hold no time that passes and no progress that is ordinary, so that they change only when the cause does.
    """
    for slot in view.slots:
        if slot.pod is None or not is_ready(slot.pod):
            return f"Pod {slot.name} {_not_ready(nginxpod, spec, slot)}"
    for slot in view.slots:
        if slot.pod is not None and not is_current(nginxpod, spec, slot.pod):
            return f"Pod {slot.name} is outdated and waits for its turn to be replaced"
    return next((f"Pod {name_of(pod)} is not wanted and {_leaving(pod)}" for pod in view.surplus), "")


def _not_ready(nginxpod: Object, spec: Spec, slot: Slot) -> str:
    pod = slot.pod
    if pod is None:
        return "does not exist yet: the pod that has its name is leaving" if slot.holder else "does not exist yet"
    if is_terminating(pod):
        return f"is {_leaving(pod)}"
    if is_finished(pod):
        at = made_again_at(nginxpod, spec, pod)
        return f"has failed: {_why_finished(pod)}" + (f"; it is made again at {format_time(at)}" if at else "")
    trouble = _trouble(pod)
    return f"is not ready: {trouble}" if trouble else "is not ready"


def _leaving(pod: Object) -> str:
    since = terminating_since(pod)
    return f"terminating since {format_time(since)}" if since else "to be deleted"


def _why_finished(pod: Object) -> str:
    status = pod["status"]
    return str(status.get("reason") or status["phase"])


def _trouble(pod: Object) -> str:
    """A reason that a person should know of: Unschedulable, ImagePullBackOff, CrashLoopBackOff, ..."""
    scheduled = pod_condition(pod, "PodScheduled") or {}
    if scheduled.get("status") == "False" and scheduled.get("reason"):
        return str(scheduled["reason"])
    statuses: list[Mapping[str, Any]] = (pod.get("status") or {}).get("containerStatuses") or []
    reasons = [str(((status.get("state") or {}).get("waiting") or {}).get("reason") or "") for status in statuses]
    return next((reason for reason in reasons if reason and reason not in _ORDINARY_WAITS), "")


# --- conditions -------------------------------------------------------------------------------------------------------


def conditions_of(status: Mapping[str, Any] | None) -> dict[str, Mapping[str, Any]]:
    """The conditions of a status by type, in their order."""
    return {str(condition.get("type")): condition for condition in (status or {}).get("conditions") or []}


def reason_of(status: Mapping[str, Any] | None) -> str:
    """The Ready condition's reason, "" before the first visit."""
    return str(conditions_of(status).get("Ready", {}).get("reason", ""))


def message_of(status: Mapping[str, Any] | None) -> str:
    """The Ready condition's message, "" before the first visit."""
    return str(conditions_of(status).get("Ready", {}).get("message", ""))


def _conditions(nginxpod: Object, verdict: Verdict, generation: int, now: datetime) -> list[Mapping[str, Any]]:
    old = conditions_of(nginxpod.get("status"))
    new = dict(old)
    said = {"observedGeneration": generation, "reason": verdict.reason, "message": verdict.message[:MAX_MESSAGE]}
    new["Ready"] = {**_turned("Ready", verdict.ready, old.get("Ready"), now), **said}
    if verdict.stalled:
        new["Stalled"] = {**_turned("Stalled", True, old.get("Stalled"), now), **said}
    else:
        new.pop("Stalled", None)
    return list(new.values())


def _turned(type_: str, value: bool, old: Mapping[str, Any] | None, now: datetime) -> Object:
    """The part of a condition that tells since when it holds: a new reason or message does not touch it (R11)."""
    status = "True" if value else "False"
    holds = old is not None and old.get("status") == status and old.get("lastTransitionTime")
    since = old["lastTransitionTime"] if old is not None and holds else format_time(now)
    return {"type": type_, "status": status, "lastTransitionTime": since}


# --- R11: is it worth a write? ----------------------------------------------------------------------------------------


class Difference(enum.Enum):
    """How a status that ought to be differs from the one that stands in the object."""

    NOTHING = "nothing"
    WORDS = "words"  # only a message, under the same reason
    FACTS = "facts"


def difference(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> Difference:
    """Compare the fields that we own; what others keep in the status is not looked at."""
    old = old or {}
    mine = {key: old.get(key) for key in new}
    if mine == new:
        return Difference.NOTHING
    return Difference.WORDS if _without_words(mine) == _without_words(new) else Difference.FACTS


def _without_words(status: Mapping[str, Any]) -> Object:
    conditions = [
        {key: value for key, value in condition.items() if key != "message"}
        for condition in status.get("conditions") or []
    ]
    return {**status, "conditions": conditions}
