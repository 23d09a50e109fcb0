"""O9: no more is written than there was to write.

Each pod made and each pod deleted is one write; a status may be written once for each state that its NginxPod and pods went
through (generation, how many exist, how many are ready). What an operator notes for itself in annotations of the NginxPod is
its own memory: it has a bound of its own, and counts in the ratio of all writes to the least that were needed.

    ratio       all writes by the least: pods made and deleted, and one status for each generation that was seen
    bound       the most that can be explained; each fault and each restart explains a few more

Limits: the bound is generous to an operator that writes each intermediate state. The ratio tells the difference.
"""

from __future__ import annotations

from itertools import groupby

from twinloop.harness.checkers.findings import Breach, unknown, verdict_of
from twinloop.harness.checkers.right import alive, leaving, ready
from twinloop.harness.checkers.trial_view import Trial
from twinloop.harness.checkers.writes import Write
from twinloop.harness.history import Fault
from twinloop.harness.objects import condition
from twinloop.harness.verdict import Finding
from twinloop.kube import NGINXPODS, PODS, Object

ORACLE = "O9"

# Writes that one fault, or one restart, may cause in addition: the interrupted one, and the status before and after.
PER_FAULT = 3
# Notes to itself that an operator may leave for each state: one when it begins, one when it is done.
NOTES = 2


def check(trial: Trial) -> Finding:
    """See the module."""
    if trial.rest is None:
        return unknown(ORACLE, "the trial ended before its quiet window")
    changes = [write for write in trial.changes if write.seq < trial.rest.seq]
    # A pod that is changed is not made by it: such a write has to be explained like one of a status.
    pods = [write for write in changes if write.on_pods and write.request.verb in {"create", "delete"}]
    notes = [write for write in changes if _is_note(write)]
    states = {uid: _states(trial, uid) for uid in trial.timeline.uids(str(NGINXPODS))}
    rough = PER_FAULT * (len(trial.history.of(Fault)) + _restarts(trial)) + _refusals(trial) + _strangers(trial)
    breaches = _too_many(changes, pods, notes, sum(states.values()), rough)
    least = int(trial.begin.settings.get("writes") or 0) or len(pods) + _generations(trial)
    return verdict_of(
        ORACLE, breaches, f"{len(changes)} writes, of which {least} were needed",
        writes=len(changes), pods=len(pods), notes=len(notes), least=least,
        ratio=round(len(changes) / least, 2) if least else None,
        idle=sum(trial.idle(write) for write in changes),
        events=sum(write.is_event and write.accepted for write in trial.writes),
    )  # fmt: skip


def _is_note(write: Write) -> bool:
    """Whether a write is about the NginxPod's metadata alone."""
    return write.on_nginxpods and not write.request.subresource


def _too_many(changes: list[Write], pods: list[Write], notes: list[Write], states: int, rough: int) -> list[Breach]:
    others = len(changes) - len(pods) - len(notes)
    breaches = []
    if others > states + rough:
        seqs = tuple(write.seq for write in changes if write not in pods and write not in notes)
        breaches.append(
            Breach(f"{others} writes beside pods made and deleted, and {states + rough} can be explained", seqs[-5:])
        )
    if len(notes) > NOTES * states + rough:
        seqs = tuple(write.seq for write in notes)
        breaches.append(Breach(f"{len(notes)} notes to itself about {states} states", seqs[-5:]))
    return breaches


def _states(trial: Trial, uid: str) -> int:
    """How many different states in a row a NginxPod and its pods went through until the rest."""
    numbers = {version.number for version in trial.timeline.versions(uid)}
    for pod in trial.timeline.ever_owned(uid):
        numbers |= {version.number for version in trial.timeline.versions(pod)}
    seen = [_state(trial, uid, number) for number in sorted(numbers) if number <= trial.rest_number]
    return sum(1 for _ in groupby(seen))


def _state(trial: Trial, uid: str, number: int) -> tuple[object, ...]:
    pods = trial.timeline.pods_of(uid, number)
    # Whatever somebody else did to the NginxPod itself may be worth an answer too.
    others = sum(each.number <= number and each.number not in trial.author for each in trial.timeline.versions(uid))
    counts = (sum(map(alive, pods)), sum(map(ready, pods)), sum(map(leaving, pods)), len(pods))
    return others, counts, sorted(map(_trouble, pods))


def _trouble(pod: Object) -> str:
    """What a pod suffers from, in the kubelet's words: a status may tell."""
    status = pod.get("status") or {}
    waits = [
        ((each.get("state") or {}).get("waiting") or {}).get("reason") for each in status.get("containerStatuses") or []
    ]
    return f"{status.get('phase')} {waits} {condition(pod, 'PodScheduled').get('reason')}"


def _generations(trial: Trial) -> int:
    seen = {
        (uid, version.object["metadata"].get("generation"))
        for uid in trial.timeline.uids(str(NGINXPODS))
        for version in trial.timeline.versions(uid)
        if version.number <= trial.rest_number and not version.gone
    }
    return len(seen)


def _restarts(trial: Trial) -> int:
    return max(0, sum(each.what == "started" for each in trial.processes) - 1)


def _refusals(trial: Trial) -> int:
    """The different things that the server refused: each may be told, and taken back."""
    refused = [
        write for write in trial.writes if write.counts and write.response is not None and write.response.code >= 400
    ]
    return 2 * len({(write.name, write.response and write.response.code) for write in refused})


def _strangers(trial: Trial) -> int:
    """What became of pods that no operator made: a conflict may be told, and its end."""
    strangers = [uid for uid in trial.timeline.uids(str(PODS)) if uid not in trial.made]
    return sum(len(trial.timeline.versions(uid)) for uid in strangers)
