"""O10: the status says what is true: exactly when all is quiet, and never Ready=True of what never was.

At the end of the quiet window each status is what can be computed from the truth (at some state of the last moment). Every
write of Ready=True is looked at by itself: it was true at some state that the operator may have had in mind. A transition
time moves only with its condition. For how long a status said Ready=True of something that no longer was, is measured; on a
calm day there is a bound.

Limits: who was told late is not blamed for what it wrote (delayed, dropped or old lists), but for what it leaves. Messages are
not judged.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from twinloop.harness.checkers.findings import Breach, unknown, verdict_of
from twinloop.harness.checkers.right import leaving, owner_is, wanted
from twinloop.harness.checkers.status_truth import World, fine, untruth
from twinloop.harness.checkers.timeline import Version, name_of, uid_of
from twinloop.harness.checkers.trial_view import Trial
from twinloop.harness.checkers.writes import Write
from twinloop.harness.history import Fault
from twinloop.harness.objects import condition
from twinloop.harness.verdict import Finding
from twinloop.kube import NGINXPODS, PODS, Object

ORACLE = "O10"

# Seconds that Ready=True may outlive its truth on a calm day.
LIE = 5.0
# Faults that keep the truth from an operator.
BLINDING = frozenset({"hold", "drop", "silence", "stale", "repeat", "corrupt", "unknown", "hang"})


def check(trial: Trial) -> Finding:
    """See the module."""
    if trial.rest is None:
        return unknown(ORACLE, "the trial ended before its quiet window")
    breaches = [*_in_the_end(trial), *_born_lies(trial), *_moved_times(trial)]
    lies = {uid: _lie(trial, uid) for uid in trial.timeline.uids(str(NGINXPODS))}
    longest = max(lies.values(), default=0.0)
    if trial.calm and longest > LIE * trial.lag:
        breaches.append(Breach(f"a status said Ready=True for {longest:.1f} s when it was not true"))
    looked = len(trial.timeline.nginxpods(trial.rest_number))
    return verdict_of(
        ORACLE, breaches, f"all of {looked} statuses are true in the end", looked=looked, lie=round(longest, 3)
    )


def world(trial: Trial, nginxpod: Object, number: int, refused: frozenset[str] = frozenset()) -> World:
    """A NginxPod with the pods of a resourceVersion that matter to it: its own, and whoever holds a name that it wants."""
    want, own = wanted(nginxpod), trial.timeline.pods_of(uid_of(nginxpod), number)
    named = (trial.timeline.named(str(PODS), name, number) for name in (want.names if want else ()))
    pods = [*own, *(pod for pod in named if pod is not None and not owner_is(pod, nginxpod))]
    return World(nginxpod, pods, {uid_of(pod): trial.timeline.born(uid_of(pod)) for pod in pods}, refused)


def _in_the_end(trial: Trial) -> Iterator[Breach]:
    end = trial.rest_number
    begin = trial.timeline.number_at(trial.rest.t - trial.lag) if trial.rest else end
    for nginxpod in trial.timeline.nginxpods(end):
        refused = frozenset(
            write.request.verb
            for write in trial.writes
            if write.on_pods and not write.answered and trial.owner_of(write) == uid_of(nginxpod)
        )
        states = list(trial.timeline.moments(begin, end))
        untrue = [untruth(world(trial, nginxpod, number, refused)) for number in states]
        if all(untrue) and not leaving(nginxpod):
            what = f"in the end the status of {name_of(nginxpod)} is not true: {untrue[0]}"
            yield Breach(what, trial.timeline.line(uid_of(nginxpod), end))


def _born_lies(trial: Trial) -> Iterator[Breach]:
    blinded = min((each.seq for each in trial.history.of(Fault) if each.action in BLINDING), default=None)
    for write in trial.changes:
        if (
            write.on_status
            and _says_ready(write)
            and (blinded is None or write.seq < blinded)
            and _never_true(trial, write)
        ):
            yield Breach(f"{write} said Ready=True when it was not", (write.seq,))


def _says_ready(write: Write) -> bool:
    status = write.request.body.get("status") if isinstance(write.request.body, dict) else None
    conditions = (status or {}).get("conditions") or []
    return any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions)


def _never_true(trial: Trial, write: Write) -> bool:
    for number in trial.timeline.moments(*trial.window(write)):
        nginxpod = trial.timeline.at(write.uid, number)
        if nginxpod is not None and fine(world(trial, nginxpod, number)):
            return False
    return True


def _moved_times(trial: Trial) -> Iterator[Breach]:
    for uid in trial.timeline.uids(str(NGINXPODS)):
        for before, after in pairwise(trial.timeline.versions(uid)):
            moved = _moved(before, after)
            if moved and after.number in trial.author and not after.gone:
                name = name_of(after.object)
                yield Breach(f"the transition time of {moved} of {name} moved, and its status did not", (after.seq,))


def _moved(before: Version, after: Version) -> str:
    for kind in ("Ready", "Stalled"):
        old, new = condition(before.object, kind), condition(after.object, kind)
        same = old and new and old.get("status") == new.get("status")
        if same and old.get("lastTransitionTime") != new.get("lastTransitionTime"):
            return kind
    return ""


# ------------------------------------------------------------------ how long it was not true


def _lie(trial: Trial, uid: str) -> float:
    """The longest time for which Ready=True stood in a NginxPod about its own generation and was not true."""
    longest, since = 0.0, None
    for t, number in _when(trial, uid):
        nginxpod = trial.timeline.at(uid, number)
        lies = nginxpod is not None and _claims(nginxpod) and not fine(world(trial, nginxpod, number))
        longest = max(longest, t - since if since is not None else 0.0)
        since = (since if since is not None else t) if lies and _up(trial, t) else None
    return longest


def _when(trial: Trial, uid: str) -> list[tuple[float, int]]:
    """The moments at which a NginxPod or a pod of it changed, and the rest."""
    versions = [version for each in (uid, *trial.timeline.ever_owned(uid)) for version in trial.timeline.versions(each)]
    moments = sorted((version.number, version.t) for version in versions if version.number <= trial.rest_number)
    rest = [(trial.rest.t, trial.rest_number)] if trial.rest else []
    return [(t, number) for number, t in moments] + rest


def _claims(nginxpod: Object) -> bool:
    observed = (nginxpod.get("status") or {}).get("observedGeneration")
    ready = condition(nginxpod, "Ready").get("status") == "True"
    return ready and observed == nginxpod["metadata"].get("generation") and not leaving(nginxpod)


def _up(trial: Trial, t: float) -> bool:
    """Whether some replica was ready for work at a time."""
    up: dict[str, bool] = {}
    for each in trial.processes:
        if each.t <= t:
            up[each.replica] = each.what == "ready" or (
                each.what not in {"exited", "killed"} and up.get(each.replica, False)
            )
    return any(up.values())
