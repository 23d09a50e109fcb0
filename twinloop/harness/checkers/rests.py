"""Restarts that should have had no effect: the operator was stopped and started while everything was as it should be.

Used by the oracle of quiescence. Nothing of it is announced by the story: it is read off the truth, so that any story with a
restart in it is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from twinloop.harness.checkers.right import current, ready, wanted
from twinloop.harness.checkers.timeline import uid_of
from twinloop.harness.checkers.trial_view import Trial
from twinloop.harness.history import Fault, Mark, Process, Record, Truth, User
from twinloop.harness.objects import condition
from twinloop.kube import Object


@dataclass(frozen=True)
class Rest:
    """From the line `started` to before the line `until` a fresh process of `replica` had nothing to do.

    `number`: the resourceVersion at its beginning.
    """

    replica: str
    started: int
    until: int
    number: int


def restarts_at_rest(trial: Trial) -> Iterator[Rest]:
    """All of them. Only those that were stopped in good order: who is killed may have left something half done."""
    stopped: dict[str, bool] = {}
    for process in trial.processes:
        if process.what == "exited":
            stopped[process.replica] = process.expected and process.code == 0
        elif process.what == "started" and stopped.pop(process.replica, False) and _at_rest(trial, process):
            yield Rest(process.replica, process.seq, _until(trial, process), trial.timeline.number_at(process.t))


def _at_rest(trial: Trial, process: Process) -> bool:
    number = trial.timeline.number_at(process.t)
    nginxpods = trial.timeline.nginxpods(number)
    return bool(nginxpods) and all(_fine(trial, each, number) for each in nginxpods)


def _fine(trial: Trial, nginxpod: Object, number: int) -> bool:
    """Whether a NginxPod says that it is ready, and is."""
    observed = (nginxpod.get("status") or {}).get("observedGeneration")
    if observed != nginxpod["metadata"].get("generation") or condition(nginxpod, "Ready").get("status") != "True":
        return False
    want, pods = wanted(nginxpod), trial.timeline.pods_of(uid_of(nginxpod), number)
    right = want is not None and len(pods) == want.replicas
    return right and all(
        ready(pod) and want is not None and current(pod, nginxpod, want, trial.timeline.born(uid_of(pod)))
        for pod in pods
    )


def _until(trial: Trial, process: Process) -> int:
    """The first line after a start at which something else begins."""
    for record in trial.history.records:
        if record.seq > process.seq and _begins_something(trial, record, process):
            return record.seq
    return len(trial.history.records) + 1


def _begins_something(trial: Trial, record: Record, process: Process) -> bool:
    if isinstance(record, Truth):
        return int(record.object["metadata"]["resourceVersion"]) not in trial.author
    if isinstance(record, Mark):
        return record.name in {"canary-begin", "cleanup-begin"}
    if isinstance(record, Process):
        return record.replica == process.replica and record.what in {"signalled", "killed", "exited", "started"}
    return isinstance(record, User | Fault)
