"""O2: in the end every pod that the operator made has a living owner, and when all NginxPods are deleted none is left.

Only pods that the operator created are looked at: a stranger may wear our labels. Whoever loses its owner by somebody else's
hand is a stranger from then on. A pod on its way out, or whose owner went a moment ago, is the garbage collector's.

Limits: on a backend without a garbage collector an operator that relies on it would be blamed; all of ours have one.
"""

from __future__ import annotations

from twinloop.harness.checkers.findings import Breach, unknown, verdict_of
from twinloop.harness.checkers.right import leaving
from twinloop.harness.checkers.timeline import name_of, uid_of
from twinloop.harness.checkers.trial_view import Trial
from twinloop.harness.history import Mark
from twinloop.harness.objects import controller
from twinloop.harness.verdict import Finding
from twinloop.kube import Object

ORACLE = "O2"

# Seconds that the garbage collector may take after an owner's end before a pod counts as left behind.
COLLECTION = 3.0


def check(trial: Trial) -> Finding:
    """See the module."""
    if trial.rest is None:
        return unknown(ORACLE, "the trial ended before its quiet window")
    breaches = _orphans(trial, trial.rest)
    cleaned = trial.history.mark("cleanup-end")
    if cleaned is not None:
        breaches += _orphans(trial, cleaned)
    elif not breaches:
        return unknown(ORACLE, "the trial ended before everything was deleted")
    return verdict_of(ORACLE, breaches, f"none of {len(trial.made)} pods was left behind", made=len(trial.made))


def _orphans(trial: Trial, mark: Mark) -> list[Breach]:
    """Pods of the operator's without a living owner at a mark."""
    number = trial.timeline.number_at(mark.t)
    pods = [pod for uid in sorted(trial.made) if (pod := trial.timeline.at(uid, number)) and not leaving(pod)]
    return [_breach(trial, pod, mark) for pod in pods if _orphaned(trial, pod, number, mark.t)]


def _orphaned(trial: Trial, pod: Object, number: int, t: float) -> bool:
    owner = str(controller(pod).get("uid", ""))
    if not owner:
        # Stripped by somebody else: no longer ours. The operator's own doing: ours to answer for.
        return not _stripped(trial, uid_of(pod))
    if trial.timeline.at(owner, number):
        return False
    ended = [version.t for version in trial.timeline.versions(owner) if version.gone]
    return not ended or t - ended[-1] > COLLECTION


def _stripped(trial: Trial, uid: str) -> bool:
    owned = [version for version in trial.timeline.versions(uid) if controller(version.object)]
    lost = [each for each in trial.timeline.versions(uid) if owned and each.number > owned[-1].number]
    return bool(owned) and bool(lost) and lost[0].number not in trial.author


def _breach(trial: Trial, pod: Object, mark: Mark) -> Breach:
    when = "after all NginxPods were deleted" if mark.name == "cleanup-end" else "in the end"
    line = trial.timeline.line(uid_of(pod), trial.timeline.number_at(mark.t))
    return Breach(f"pod {name_of(pod)} has no living owner and is still there {when}", line)
