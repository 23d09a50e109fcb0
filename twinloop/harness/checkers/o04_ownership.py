"""O4: a pod belongs to the NginxPod whose uid its controller reference has, and nobody else's pod is ever touched.

Every accepted write on a pod is looked at: what is created has exactly one controller, a NginxPod that lived a moment ago;
what is deleted or changed has one too. A label is not ownership, and neither is a name: a pod of a NginxPod that is gone
belongs to the garbage collector, also when a new NginxPod has taken the name.

Limits: a write whose result was never seen cannot be held against anybody. Deleting a collection by labels is O11's matter.
"""

from __future__ import annotations

from twinloop.harness.checkers.findings import Breach, unknown, verdict_of
from twinloop.harness.checkers.right import owned_by_a_nginxpod
from twinloop.harness.checkers.trial_view import Trial
from twinloop.harness.checkers.writes import Write
from twinloop.harness.objects import controller
from twinloop.harness.verdict import Finding
from twinloop.kube import Object

ORACLE = "O4"


def check(trial: Trial) -> Finding:
    """See the module."""
    if trial.rest is None:
        return unknown(ORACLE, "the trial ended before its quiet window")
    writes = [write for write in trial.changes if write.on_pods and write.request.verb != "deletecollection"]
    breaches = [Breach(f"{write}: {why}", (write.seq,)) for write in writes if (why := _wrong(trial, write))]
    return verdict_of(
        ORACLE, breaches, f"all of {len(writes)} writes were on pods of the right owner", pods=len(writes)
    )


def _wrong(trial: Trial, write: Write) -> str:
    if write.request.verb == "create":
        body = write.request.body
        return _wrong_owner(trial, write, body) if isinstance(body, dict) and "metadata" in body else ""
    target = _target(trial, write)
    if target is None:
        return ""
    if not owned_by_a_nginxpod(target):
        return "the pod is somebody else's"
    return _wrong_owner(trial, write, target)


def _target(trial: Trial, write: Write) -> Object | None:
    """The pod as it was just before the write."""
    _, before = trial.window(write)
    return trial.timeline.at(write.uid, before)


def _wrong_owner(trial: Trial, write: Write, pod: Object) -> str:
    owner = controller(pod)
    if not owner:
        return "the pod has no controller"
    if not owned_by_a_nginxpod(pod):
        return f"its controller is {owner.get('kind')} {owner.get('name')}"
    uid = str(owner.get("uid", ""))
    if any(trial.timeline.at(uid, number) for number in trial.timeline.moments(*trial.window(write))):
        return ""
    if not trial.timeline.versions(uid):
        return f"no NginxPod ever had the uid {uid} of its owner"
    return f"its owner {owner.get('name')} had been gone for longer than {trial.lag:g} s"
