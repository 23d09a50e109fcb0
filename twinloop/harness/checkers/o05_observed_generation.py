"""O5: observedGeneration tells the truth: it never goes back, is never ahead, and Ready=True about a generation means it.

Looked at in every version of a NginxPod that an operator wrote. When a status says Ready=True of a generation, there was a
moment since that generation (or just before: two watches have no common order) at which exactly the pods of its spec were
there.

Limits: whether those pods were ready is O10's question. What a user writes into the status is not held against anybody.
"""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.harness.checkers.findings import Breach, unknown, verdict_of
from twinloop.harness.checkers.right import alive, same_template, wanted
from twinloop.harness.checkers.timeline import Version, name_of
from twinloop.harness.checkers.trial_view import Trial
from twinloop.harness.objects import condition
from twinloop.harness.verdict import Finding
from twinloop.kube import NGINXPODS, Object

ORACLE = "O5"


@dataclass
class Seen:
    """What the versions so far of one NginxPod have said."""

    highest: int = -1


def check(trial: Trial) -> Finding:
    """See the module."""
    breaches: list[Breach] = []
    looked = 0
    for uid in trial.timeline.uids(str(NGINXPODS)):
        seen = Seen()
        for version in trial.timeline.versions(uid):
            if version.number in trial.author and not version.gone:
                looked += 1
                breaches += _wrong(trial, uid, version, seen)
    if not looked:
        return unknown(ORACLE, "no operator wrote a status that was seen afterwards")
    return verdict_of(ORACLE, breaches, f"right in all of {looked} versions that operators wrote", versions=looked)


def _wrong(trial: Trial, uid: str, version: Version, seen: Seen) -> list[Breach]:
    obj = version.object
    observed = (obj.get("status") or {}).get("observedGeneration", -1)
    generation = obj["metadata"].get("generation", 0)
    before, seen.highest = seen.highest, max(seen.highest, observed)
    says = f"{name_of(obj)} says observedGeneration {observed}"
    if observed > generation:
        return [Breach(f"{says} and is at generation {generation}", (version.seq,))]
    if observed < before:
        return [Breach(f"{says} after it said {before}", (version.seq,))]
    if condition(obj, "Ready").get("status") == "True" and not _was_done(trial, uid, version, observed):
        return [Breach(f"{says} and Ready=True, and the pods of that spec were never there", (version.seq,))]
    return []


def _was_done(trial: Trial, uid: str, version: Version, generation: int) -> bool:
    """Whether at some time up to a version the pods were those of a generation's spec."""
    first = next((each for each in trial.timeline.versions(uid) if _generation(each.object) == generation), None)
    if first is None:
        return True
    low = trial.timeline.number_at(first.t - trial.lag)
    return any(_matches(trial, first.object, uid, number) for number in trial.timeline.moments(low, version.number))


def _generation(obj: Object) -> int:
    return int(obj["metadata"].get("generation", 0))


def _matches(trial: Trial, nginxpod: Object, uid: str, number: int) -> bool:
    want = wanted(nginxpod)
    if want is None:
        return False
    pods = [pod for pod in trial.timeline.pods_of(uid, number) if alive(pod)]
    return sorted(map(name_of, pods)) == sorted(want.names) and all(same_template(pod, want) for pod in pods)
