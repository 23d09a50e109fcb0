"""O8: what somebody else wrote into an object survives the operator's writes.

Every version of a NginxPod or pod that an operator wrote is compared with the one before: no field that somebody else wrote
last may have changed, but for the operator's own part of the status. And nobody puts a whole object without the
resourceVersion that it was read with.

Limits: a version whose author is unknown (its write was never answered) counts as somebody else's. What the operator adds
where nothing was, it may: what that costs is in the report.
"""

from __future__ import annotations

from twinloop.harness.checkers.authors import Path, Taken, taken
from twinloop.harness.checkers.findings import Breach, unknown, verdict_of
from twinloop.harness.checkers.timeline import name_of
from twinloop.harness.checkers.trial_view import Trial
from twinloop.harness.checkers.writes import Write
from twinloop.harness.verdict import Finding
from twinloop.kube import NGINXPODS, PODS

ORACLE = "O8"

OWN_STATUS = frozenset({"observedGeneration", "replicas", "readyReplicas", "selector"})
OWN_CONDITIONS = frozenset({"Ready", "Stalled"})


def check(trial: Trial) -> Finding:
    """See the module."""
    if trial.rest is None:
        return unknown(ORACLE, "the trial ended before its quiet window")
    updates = [write for write in trial.changes if write.request.verb in {"update", "patch"}]
    uids = [uid for resource in (NGINXPODS, PODS) for uid in trial.timeline.uids(str(resource))]
    breaches = [_breach(each) for uid in uids for each in taken(trial, uid) if not _own(each.path)]
    breaches += [
        Breach(f"{write} puts a whole object without saying which version it had read", (write.seq,))
        for write in trial.writes
        if _blind(write)
    ]
    return verdict_of(
        ORACLE, breaches, f"{len(updates)} updates left everybody else's fields alone", updates=len(updates)
    )


def _own(path: Path) -> bool:
    if path[0] != "status":
        return False
    return (path[1:2] == ("conditions",) and path[2] in OWN_CONDITIONS) or (len(path) > 1 and path[1] in OWN_STATUS)


def _breach(each: Taken) -> Breach:
    field, name = ".".join(each.path), name_of(each.version.object)
    what = "removed" if each.after is None else f"overwrote with {each.after!r:.60}"
    return Breach(f"the operator {what} {field} of {name}, which somebody else had written", (each.version.seq,))


def _blind(write: Write) -> bool:
    ours = write.on_nginxpods or write.on_pods
    if not ours or write.request.verb != "update":
        return False
    body = write.request.body
    return isinstance(body, dict) and not (body.get("metadata") or {}).get("resourceVersion")
