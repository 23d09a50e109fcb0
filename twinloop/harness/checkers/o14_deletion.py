"""O14: what is deleted goes: nothing of the operator's keeps a NginxPod, and none is served while it goes.

Every NginxPod that was asked to go is gone at the end, unless somebody else's finalizer holds it. A finalizer that the
operator added and that still holds it is a breach, and so is a pod made for a NginxPod that had been going for longer than a
moment.

Limits: a finalizer that the operator adds and takes away again in time is a style; the findings count them.
"""

from __future__ import annotations

from collections.abc import Iterator

from twinloop.harness.checkers.findings import Breach, unknown, verdict_of
from twinloop.harness.checkers.right import leaving
from twinloop.harness.checkers.timeline import name_of, uid_of
from twinloop.harness.checkers.trial_view import Trial
from twinloop.harness.verdict import Finding
from twinloop.kube import NGINXPODS, Object

ORACLE = "O14"


def check(trial: Trial) -> Finding:
    """See the module."""
    cleaned = trial.history.mark("cleanup-end")
    breaches = list(_served_on_the_way(trial))
    if cleaned is None:
        return (
            verdict_of(ORACLE, breaches, "") if breaches else unknown(ORACLE, "it ended before everything was deleted")
        )
    number = trial.timeline.number_at(cleaned.t)
    left = [obj for obj in trial.timeline.nginxpods(number) if leaving(obj)]
    breaches += [Breach(why, trial.timeline.line(uid_of(obj), number)) for obj in left if (why := _held(trial, obj))]
    deleted = sum(trial.timeline.versions(uid)[-1].gone for uid in trial.timeline.uids(str(NGINXPODS)))
    if not deleted and not left:
        return unknown(ORACLE, "nothing was deleted")
    return verdict_of(
        ORACLE, breaches, f"all of {deleted} NginxPods went", deleted=deleted, finalizers=_finalizers(trial)
    )


def _held(trial: Trial, obj: Object) -> str:
    """Why a NginxPod that should go is still there, when that is the operator's doing; "" when it is not."""
    finalizers = set(obj["metadata"].get("finalizers") or [])
    own = finalizers & _added(trial, uid_of(obj))
    if own:
        return f"{name_of(obj)} is held by the operator's finalizer {min(own)}"
    if finalizers - {"foregroundDeletion"}:
        return ""
    return f"{name_of(obj)} was deleted and is still there"


def _added(trial: Trial, uid: str) -> set[str]:
    """The finalizers that operators put on an object."""
    before: set[str] = set()
    added: set[str] = set()
    for version in trial.timeline.versions(uid):
        now = set(version.object["metadata"].get("finalizers") or [])
        if version.number in trial.author:
            added |= now - before
        before = now
    return added


def _finalizers(trial: Trial) -> int:
    return sum(len(_added(trial, uid)) for uid in trial.timeline.uids(str(NGINXPODS)))


def _served_on_the_way(trial: Trial) -> Iterator[Breach]:
    for write in trial.changes:
        if write.on_pods and write.request.verb == "create":
            owner, (low, _) = trial.owner_of(write), trial.window(write)
            nginxpod = trial.timeline.at(owner, low)
            if nginxpod is not None and leaving(nginxpod):
                yield Breach(
                    f"{write}: its NginxPod had been on its way out for more than {trial.lag:g} s", (write.seq,)
                )
