"""O16: the way does not matter: a spec comes to the same, whatever specs came before it.

Of each NginxPod every rest is looked at, before a user's next operation and in the end. Wherever one variant was at rest
twice with the same spec of the same NginxPod, status and pods have to be the same, but for their generation.

Limits: a rest that was none (an operator that had not even begun) is left out by asking for Ready=True.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence

from twinloop.harness.checkers.findings import Breach, ok, unknown, violated
from twinloop.harness.checkers.normal import Form, differing, form_of, shown
from twinloop.harness.checkers.timeline import name_of, uid_of
from twinloop.harness.checkers.trial_view import Trial
from twinloop.harness.objects import condition
from twinloop.harness.verdict import Finding
from twinloop.kube import NGINXPODS, Object

ORACLE = "O16"


def check_many(trials: Sequence[Trial]) -> Finding:
    """See the module. All trials are of one variant."""
    visits: dict[tuple[str, str], list[tuple[Form, int]]] = defaultdict(list)
    for trial in trials:
        for key, reached, seq in _rests(trial):
            visits[key].append((reached, seq))
    compared = [each for each in visits.values() if len(each) > 1]
    if not compared:
        return unknown(ORACLE, "no spec was come to twice")
    breaches = [breach for each in compared for breach in _differences(each)]
    return violated(ORACLE, breaches) if breaches else ok(ORACLE, f"{len(compared)} specs came to the same each time")


def _differences(visits: list[tuple[Form, int]]) -> list[Breach]:
    (first, _), breaches = visits[0], []
    for other, seq in visits[1:]:
        paths = differing(other, first)
        if paths:
            breaches.append(Breach(f"the same spec, and {shown(other, first, paths[0])}", (seq,)))
    return breaches


def _rests(trial: Trial) -> Iterator[tuple[tuple[str, str], Form, int]]:
    """(name and spec, what it came to, the line of its last version) for each NginxPod at each rest."""
    seen: set[tuple[str, int]] = set()
    for number in _moments(trial):
        for nginxpod in trial.timeline.nginxpods(number):
            key = (uid_of(nginxpod), nginxpod["metadata"].get("generation", 0))
            if key not in seen and _done(nginxpod):
                seen.add(key)
                spec = json.dumps(nginxpod.get("spec"), sort_keys=True)
                seq = [each.seq for each in trial.timeline.versions(key[0]) if each.number <= number][-1]
                yield (name_of(nginxpod), spec), form_of(trial, nginxpod, number), seq


def _moments(trial: Trial) -> Iterator[int]:
    until = trial.rest.seq if trial.rest else len(trial.history.records)
    for user in trial.users:
        if user.resource == str(NGINXPODS) and user.op != "create" and user.seq < until:
            yield trial.before(user)
    if trial.rest is not None and trial.settled:
        yield trial.rest_number


def _done(nginxpod: Object) -> bool:
    observed = (nginxpod.get("status") or {}).get("observedGeneration")
    return condition(nginxpod, "Ready").get("status") == "True" and observed == nginxpod["metadata"].get("generation")
