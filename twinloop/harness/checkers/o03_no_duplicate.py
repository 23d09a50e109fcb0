"""O3: never are there more pods than wanted, not even for a moment.

Looked at with every create that the server accepted, by the count of the owner's living pods at that very state: a pod too
many has been created when there are more than any spec of the last moment asks for, and its name is none that is asked for.
(A surplus pod that could not be deleted in time is no duplicate of the one that is made beside it.) In the end the count is
exact.

Limits: between two writes of the operator nothing can multiply, so that nothing is looked at there.
"""

from __future__ import annotations

from twinloop.harness.checkers.findings import Breach, unknown, verdict_of
from twinloop.harness.checkers.right import alive, leaving, wanted
from twinloop.harness.checkers.timeline import name_of, uid_of
from twinloop.harness.checkers.trial_view import Trial
from twinloop.harness.checkers.writes import Write
from twinloop.harness.verdict import Finding

ORACLE = "O3"


def check(trial: Trial) -> Finding:
    """See the module."""
    if trial.rest is None:
        return unknown(ORACLE, "the trial ended before its quiet window")
    creates = [write for write in trial.changes if write.on_pods and write.request.verb == "create"]
    unseen = [write for write in creates if not write.number]
    breaches = [breach for write in creates if write.number and (breach := _excess(trial, write))]
    breaches += _too_many_in_the_end(trial)
    if unseen and not breaches:
        return unknown(ORACLE, f"of {len(unseen)} creates nothing was seen afterwards", creates=len(creates))
    return verdict_of(ORACLE, breaches, f"none of {len(creates)} creates made a pod too many", creates=len(creates))


def _excess(trial: Trial, write: Write) -> Breach | None:
    owner = trial.owner_of(write)
    specs = [
        want
        for number in trial.timeline.moments(*trial.window(write))
        if (nginxpod := trial.timeline.at(owner, number)) and (want := wanted(nginxpod))
    ]
    if not specs or any(write.name in want.names for want in specs):
        # Without an owner it is no duplicate, but O4's or O2's matter.
        return None
    living = [pod for pod in trial.timeline.pods_of(owner, write.number) if alive(pod)]
    most = max(want.replicas for want in specs)
    if len(living) <= most:
        return None
    return Breach(f"creating {write.name} made {len(living)} living pods, and {most} were wanted", (write.seq,))


def _too_many_in_the_end(trial: Trial) -> list[Breach]:
    breaches, number = [], trial.rest_number
    for nginxpod in trial.timeline.nginxpods(number):
        want = wanted(nginxpod)
        living = [pod for pod in trial.timeline.pods_of(uid_of(nginxpod), number) if alive(pod)]
        if want and not leaving(nginxpod) and len(living) > want.replicas:
            what = f"in the end {name_of(nginxpod)} has {len(living)} living pods, not {want.replicas}"
            breaches.append(Breach(what, trial.timeline.line(uid_of(living[-1]), number)))
    return breaches
