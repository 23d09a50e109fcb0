"""O11: nothing is deleted by mistake: every delete names the pod by its uid, and there is a reason for it.

A delete without a precondition on the uid is safe only right after the operator has read the pods. And the deletion has a
reason that was true at some state which the operator may have had in mind: the pod is surplus, it has ended, or it is not what
the spec asks for; in the last case only while all other wanted pods are ready (an unready one may always go), counting as down
what this replica has deleted itself.

Limits: what a view of the last second excuses is not seen. Deletes that the server refused are looked at for their
precondition only.
"""

from __future__ import annotations

from twinloop.harness.checkers.findings import Breach, unknown, verdict_of
from twinloop.harness.checkers.right import current, ended, leaving, owner_is, ready, wanted
from twinloop.harness.checkers.timeline import name_of, uid_of
from twinloop.harness.checkers.trial_view import Trial
from twinloop.harness.checkers.writes import Write, preconditions
from twinloop.harness.objects import controller
from twinloop.harness.verdict import Finding
from twinloop.kube import PODS, Object

ORACLE = "O11"


def check(trial: Trial) -> Finding:
    """See the module."""
    if trial.rest is None:
        return unknown(ORACLE, "the trial ended before its quiet window")
    deletes = [
        write for write in trial.writes if write.on_pods and write.request.verb in {"delete", "deletecollection"}
    ]
    breaches = [Breach(f"{write}: {why}", (write.seq,)) for write in deletes if (why := _wrong(trial, write))]
    bare = sum(not preconditions(write).get("uid") for write in deletes)
    good = f"all of {len(deletes)} deletes were meant" + (f", {bare} of them named no uid" if bare else "")
    return verdict_of(ORACLE, breaches, good, deletes=len(deletes), bare=bare)


def _wrong(trial: Trial, write: Write) -> str:
    if write.request.verb == "deletecollection":
        return "whoever wears these labels is deleted"
    if not preconditions(write).get("uid") and not _just_read(trial, write):
        return "no precondition on the uid, and the pod had not just been read"
    return "nothing was wrong with the pod" if write.accepted and not _meant(trial, write) else ""


def _just_read(trial: Trial, write: Write) -> bool:
    """Whether this replica read this very pod, by name or in a list, a moment before."""
    born = trial.timeline.versions(write.uid)
    since = trial.since(write.request.t, write.request.replica)
    return bool(born) and any(
        request.t >= max(since, born[0].t - trial.lag)
        for request in trial.requests.values()
        if request.seq < write.seq
        and request.replica == write.request.replica
        and request.resource == str(PODS)
        and (request.verb == "list" or (request.verb == "get" and request.name == write.name))
    )


def _meant(trial: Trial, write: Write) -> bool:
    """Whether there was a reason to delete this pod at some state of the last moment."""
    if not trial.timeline.versions(write.uid):
        return True
    down = trial.known_deleted(write) - {write.uid}
    return any(_reason(trial, write.uid, number, down) for number in trial.timeline.moments(*trial.window(write)))


def _reason(trial: Trial, uid: str, number: int, down: set[str]) -> bool:
    """Whether there was a reason at one state."""
    version = trial.timeline.version(uid, number)
    if version is None:
        # Not there yet: nobody had it in mind then.
        return False
    if version.gone or leaving(version.object) or ended(version.object):
        return True
    nginxpod = trial.timeline.at(str(controller(version.object).get("uid", "")), number)
    # Without a living owner: whose pod it is, is O4's question.
    return nginxpod is None or _unwanted(trial, nginxpod, version.object, number, down)


def _unwanted(trial: Trial, nginxpod: Object, pod: Object, number: int, down: set[str]) -> bool:
    """Whether a NginxPod at a state had no use for a living pod of its own, or could spare it for a better one."""
    want = wanted(nginxpod)
    if want is None or leaving(nginxpod):
        return False
    if name_of(pod) not in want.names:
        return True
    if current(pod, nginxpod, want, trial.timeline.born(uid_of(pod))):
        return False
    return not ready(pod) or _others_ready(trial, nginxpod, uid_of(pod), number, down)


def _others_ready(trial: Trial, nginxpod: Object, uid: str, number: int, down: set[str]) -> bool:
    """Whether all other wanted pods are ready, those that a stranger holds left aside."""
    want = wanted(nginxpod)
    for name in want.names if want else ():
        pod = trial.timeline.named(str(PODS), name, number)
        if pod is not None and (uid_of(pod) == uid or not owner_is(pod, nginxpod)):
            continue
        if pod is None or not ready(pod) or uid_of(pod) in down:
            return False
    return True
