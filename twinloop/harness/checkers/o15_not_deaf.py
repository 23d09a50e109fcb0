"""O15: when the faults are over the operator hears again: a new NginxPod gets its pod in time.

The canary decides. On a calm day there is none, and nothing that could have made the operator deaf: there it is enough that
it listens, with an open watch or by having read, to both kinds.

Limits: an operator that hears one kind through another (it lists pods whenever a NginxPod changes) passes as long as the
canary becomes ready in time.
"""

from __future__ import annotations

from twinloop.harness.checkers.findings import Breach, ok, unknown, violated
from twinloop.harness.checkers.trial_view import Trial
from twinloop.harness.verdict import Finding
from twinloop.kube import NGINXPODS, PODS

ORACLE = "O15"


def check(trial: Trial) -> Finding:
    """See the module."""
    begin, canary = trial.history.mark("canary-begin"), trial.history.mark("canary")
    if begin is not None and canary is not None:
        seconds = round(canary.t - begin.t, 3)
        if canary.ok:
            return ok(ORACLE, f"a new NginxPod was ready after {seconds:.1f} s", canary=seconds)
        deaf = [kind for kind in (str(NGINXPODS), str(PODS)) if not _open(trial, kind, canary.seq)]
        said = f"; nobody watches {' and '.join(kind.partition('.')[0] for kind in deaf)}" if deaf else ""
        breach = Breach(f"a new NginxPod was not ready after {seconds:.1f} s{said}", (begin.seq, canary.seq))
        return violated(ORACLE, [breach], {"canary": None})
    if not trial.calm or trial.rest is None:
        return unknown(ORACLE, "the trial ended before its canary")
    mute = [kind for kind in (str(NGINXPODS), str(PODS)) if not _listens(trial, kind, trial.rest.seq)]
    if mute:
        return violated(ORACLE, [Breach(f"nobody watches or reads {' and '.join(mute)}")])
    return ok(ORACLE, "it listens to NginxPods and pods; nothing made it deaf")


def _open(trial: Trial, kind: str, seq: int) -> bool:
    """Whether a watch of a kind is open at a line of the history."""
    for request in trial.requests.values():
        if request.verb == "watch" and request.resource == kind and request.seq < seq:
            answer, end = trial.responses.get(request.id), trial.stream_ends.get(request.id)
            if answer is not None and 200 <= answer.code < 300 and (end is None or end.seq > seq):
                return True
    return False


def _listens(trial: Trial, kind: str, seq: int) -> bool:
    read = any(
        request.resource == kind and request.verb in {"get", "list"} and request.seq < seq
        for request in trial.requests.values()
    )
    return read or _open(trial, kind, seq)
