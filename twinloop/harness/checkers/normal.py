"""What a trial came to, in a form in which two of them can be compared field by field.

Nothing is left out of the interface: spec, every condition with status, reason and generation, counts, labels, owners, what the
pods were made from. Left out are names that a server makes up, times, versions, words for people, annotations (an operator's
notes to itself), and where a pod happened to run. Used by the oracles that look at several trials.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from twinloop.harness.checkers.right import ready
from twinloop.harness.checkers.timeline import name_of, uid_of
from twinloop.harness.checkers.trial_view import Trial
from twinloop.harness.objects import controller
from twinloop.kube import Object

Form = dict[str, str]

_POD_SPEC = ("automountServiceAccountToken", "containers", "restartPolicy", "securityContext")
# Where the API server fills in a volume with a random name.
_UNEVEN = frozenset({"volumeMounts", "lastTransitionTime", "message"})
_GENERATIONS = frozenset({"generation", "observedGeneration"})


def form(trial: Trial, number: int) -> Form:
    """All NginxPods and pods at a resourceVersion, flat: path -> value."""
    whole = {
        "nginxpods": {name_of(each): _nginxpod(each) for each in trial.timeline.nginxpods(number)},
        "pods": {name_of(each): _pod(trial, each, number) for each in trial.timeline.pods(number)},
    }
    return dict(_flat(whole, ""))


def form_of(trial: Trial, nginxpod: Object, number: int) -> Form:
    """One NginxPod and its pods, without their generations: what a spec came to, whatever went before."""
    whole = {
        "status": _nginxpod(nginxpod)["status"],
        "pods": {name_of(each): _pod(trial, each, number) for each in trial.timeline.pods_of(uid_of(nginxpod), number)},
    }
    flat = dict(_flat(whole, ""))
    return {path: value for path, value in flat.items() if path.rpartition(".")[2] not in _GENERATIONS}


def _nginxpod(obj: Object) -> Object:
    metadata, status = obj["metadata"], obj.get("status") or {}
    conditions = {str(each.get("type")): each for each in status.get("conditions") or []}
    return {
        "generation": metadata.get("generation"),
        "labels": metadata.get("labels"),
        "finalizers": metadata.get("finalizers"),
        "leaving": bool(metadata.get("deletionTimestamp")),
        "spec": obj.get("spec"),
        "status": {**status, "conditions": conditions},
    }


def _pod(trial: Trial, obj: Object, number: int) -> Object:
    owner = controller(obj)
    spec = obj.get("spec") or {}
    return {
        "labels": obj["metadata"].get("labels"),
        "owner": f"{owner.get('kind')} {owner.get('name')}" if owner else None,
        "orphan": bool(owner) and trial.timeline.at(str(owner.get("uid")), number) is None,
        "leaving": bool(obj["metadata"].get("deletionTimestamp")),
        "ready": ready(obj),
        "phase": (obj.get("status") or {}).get("phase"),
        "spec": {key: spec.get(key) for key in _POD_SPEC},
    }


def _flat(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in _UNEVEN:
                yield from _flat(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _flat(inner, f"{path}.{index}")
    elif value is not None:
        yield path, json.dumps(value)


def summary(trial: Trial) -> Form:
    """How often each pod's name was created and deleted by the operator in the story."""
    until = trial.rest.seq if trial.rest else 0
    writes = (write for write in trial.changes if write.on_pods and write.seq < until)
    counts = Counter(f"{write.request.verb} {write.name}" for write in writes)
    return {what: str(times) for what, times in sorted(counts.items())}


def differing(first: Form, second: Form) -> list[str]:
    """The paths at which two forms differ, in order."""
    return sorted(path for path in first.keys() | second.keys() if first.get(path) != second.get(path))


def shown(first: Form, second: Form, path: str) -> str:
    """One difference, for a sentence."""
    return f"{path} is {first.get(path, 'missing')} here and {second.get(path, 'missing')} there"
