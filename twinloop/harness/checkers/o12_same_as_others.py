"""O12: told the same story, all variants come to the same end; on a calm day also by the same creates and deletes.

The trials of one story and plan are compared field by field with those of the base variant, the first in the list. What
differs between two trials of one variant is chance, and is left out for all. How often each pod was created and deleted is
compared when nothing raced: no fault, and no user operation that came before the last one was done with.

Limits: a mistake that all variants make is no difference. Trials that never came to rest cannot be compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from twinloop.harness.checkers.findings import Breach, ok, unknown, violated
from twinloop.harness.checkers.joining import ECHO
from twinloop.harness.checkers.normal import Form, differing, form, shown, summary
from twinloop.harness.checkers.right import leaving
from twinloop.harness.checkers.timeline import name_of
from twinloop.harness.checkers.trial_view import Trial
from twinloop.harness.history import User
from twinloop.harness.objects import condition
from twinloop.harness.verdict import Finding
from twinloop.kube import NGINXPODS, PODS, Object

ORACLE = "O12"


def check_many(trials: Sequence[Trial]) -> Finding:
    """See the module. The base variant's trials come first."""
    resting = [trial for trial in trials if trial.rest is not None and trial.settled]
    variants = list(dict.fromkeys(trial.begin.variant for trial in resting))
    if len(variants) < 2 or variants[0] != trials[0].begin.variant:
        return unknown(ORACLE, "fewer than two variants came to rest")
    breaches: list[Breach] = []
    for plan in dict.fromkeys(trial.begin.plan for trial in resting):
        told = [trial for trial in resting if trial.begin.plan == plan]
        breaches += _differences(told, [_form(trial) for trial in told])
        if not any(map(racing, told)):
            breaches += _differences(told, [summary(trial) for trial in told])
    if breaches:
        return violated(ORACLE, breaches)
    return ok(ORACLE, f"{' and '.join(variants)} came to the same end", compared=len(resting))


def _form(trial: Trial) -> Form:
    return form(trial, trial.rest_number)


def _differences(told: Sequence[Trial], forms: Sequence[Form]) -> list[Breach]:
    """How the other variants' forms differ from the base's first, but for chance."""
    base, chance = told[0].begin.variant, _chance(told, forms)
    breaches, known = [], set()
    for trial, other in zip(told, forms, strict=True):
        paths = [path for path in differing(other, forms[0]) if path not in chance]
        if trial.begin.variant != base and paths and trial.begin.variant not in known:
            known.add(trial.begin.variant)
            more = f" (and {len(paths) - 1} fields more)" if len(paths) > 1 else ""
            breaches.append(Breach(f"{trial.begin.variant} beside {base}: {shown(other, forms[0], paths[0])}{more}"))
    return breaches


def _chance(told: Sequence[Trial], forms: Sequence[Form]) -> set[str]:
    pairs = combinations(zip(told, forms, strict=True), 2)
    same = ((one, two) for (first, one), (second, two) in pairs if first.begin.variant == second.begin.variant)
    return {path for one, two in same for path in differing(one, two)}


def racing(trial: Trial) -> bool:
    """Whether chance decides how many writes it takes: a fault, a second replica, or a user who did not wait."""
    until = trial.rest.seq if trial.rest else 0
    replicas = {each.replica for each in trial.processes}
    raced = any(_raced(trial, user) for user in trial.users if user.seq < until)
    return raced or not trial.calm or len(replicas) > 1


def _raced(trial: Trial, user: User) -> bool:
    """Whether a user's operation hit something that the operator was still busy with."""
    if user.resource == str(NGINXPODS):
        target = _deleted(trial, user) if user.op == "delete" else _changed(trial, user)
        return target is not None and not _done(target)
    if user.resource == str(PODS):
        nginxpods = trial.timeline.nginxpods(trial.before(user))
        return any(not _done(each) for each in nginxpods if user.name.startswith(f"{name_of(each)}-"))
    return False


def _changed(trial: Trial, user: User) -> Object | None:
    """What a user changed, as it was before."""
    return trial.timeline.named(user.resource, user.name, trial.before(user))


def _deleted(trial: Trial, user: User) -> Object | None:
    """What a user deleted, as it was last: the truth of it may have come after the deletion."""
    for uid in reversed(trial.timeline.uids_named(user.resource, user.name)):
        versions = trial.timeline.versions(uid)
        standing = [each for each in versions if not each.gone and not leaving(each.object)]
        if standing and standing[0].t <= user.t + ECHO:
            return standing[-1].object
    return None


def _done(nginxpod: Object) -> bool:
    status = nginxpod.get("status") or {}
    said = condition(nginxpod, "Ready")
    current = status.get("observedGeneration") == nginxpod["metadata"].get("generation")
    return bool(current and (said.get("status") == "True" or said.get("reason") in {"NameConflict", "InvalidSpec"}))
