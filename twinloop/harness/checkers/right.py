"""What is right: the rules for NginxPods and their pods, written down once more, from the documentation of the resource.

Not one line is shared with what the operators run: a mistake there is what the oracles look for. Everything is data to data;
`Timeline` says what was when, this module says what ought to be.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from twinloop.harness.checkers.timeline import name_of, uid_of
from twinloop.harness.objects import condition, controller
from twinloop.kube import Object

# Label -> what it says; the template's hash is each operator's own business.
FIXED_LABELS = {"app.kubernetes.io/name": "nginx", "app.kubernetes.io/managed-by": "twinloop"}
NAME_LABELS = ("app.kubernetes.io/instance", "twinloop.dev/nginxpod")
TEMPLATE_LABEL = "twinloop.dev/template"
LABELS = (*FIXED_LABELS, *NAME_LABELS, TEMPLATE_LABEL)

REASONS = ("AllReady", "InvalidSpec", "NameConflict", "PodCreateFailed", "PodDeleteFailed", "Progressing")


@dataclass(frozen=True)
class Wanted:
    """What a valid spec asks for."""

    names: tuple[str, ...]
    image: str
    port: int

    @property
    def replicas(self) -> int:
        """How many pods."""
        return len(self.names)


def wanted(nginxpod: Object) -> Wanted | None:
    """What a NginxPod asks for; None for a spec that makes no sense."""
    spec: Any = nginxpod.get("spec")
    if not isinstance(spec, dict):
        return None
    replicas, image, port = (spec.get(key, value) for key, value in _DEFAULTS.items())
    if not (_number(replicas, 0, 100) and _number(port, 1, 65535) and isinstance(image, str) and 0 < len(image) <= 512):
        return None
    return Wanted(tuple(f"{name_of(nginxpod)}-{ordinal}" for ordinal in range(replicas)), image, port)


_DEFAULTS = {"replicas": 1, "image": "nginxinc/nginx-unprivileged:stable", "port": 8080}


def _number(value: object, low: int, high: int) -> bool:
    return type(value) is int and low <= value <= high


# ------------------------------------------------------------------ a pod


def leaving(obj: Object) -> bool:
    """Whether somebody has asked to delete it."""
    return bool(obj["metadata"].get("deletionTimestamp"))


def ended(pod: Object) -> bool:
    """Whether it ran to an end and never will again."""
    return (pod.get("status") or {}).get("phase") in {"Failed", "Succeeded"}


def alive(pod: Object) -> bool:
    """What `status.replicas` counts."""
    return not leaving(pod) and not ended(pod)


def ready(pod: Object) -> bool:
    """What `status.readyReplicas` counts."""
    return alive(pod) and condition(pod, "Ready").get("status") == "True"


def owner_is(pod: Object, nginxpod: Object) -> bool:
    """Whether the pod's controller is this very NginxPod."""
    return bool(controller(pod).get("uid") == uid_of(nginxpod))


def owned_by_a_nginxpod(pod: Object) -> bool:
    """Whether the pod's controller is any NginxPod, alive or not."""
    owner = controller(pod)
    return owner.get("kind") == "NginxPod" and str(owner.get("apiVersion", "")).startswith("twinloop.dev/")


def current(pod: Object, nginxpod: Object, want: Wanted, born: Object) -> bool:
    """Whether the pod is what the spec asks for, by its labels and its container; `born`: the pod as it was made."""
    return same_template(pod, want) and not _stomped(pod, nginxpod, born)


def same_template(pod: Object, want: Wanted) -> bool:
    """Whether container and port are those of the spec."""
    containers = (pod.get("spec") or {}).get("containers") or []
    nginx: Object = next((each for each in containers if each.get("name") == "nginx"), {})
    return nginx.get("image") == want.image and [port.get("containerPort") for port in nginx.get("ports") or []] == [
        want.port
    ]


def _stomped(pod: Object, nginxpod: Object, born: Object) -> bool:
    """Whether a label is not, or no longer, what it has to be."""
    labels, first = pod["metadata"].get("labels") or {}, born["metadata"].get("labels") or {}
    right = {**FIXED_LABELS, **dict.fromkeys(NAME_LABELS, name_of(nginxpod)), TEMPLATE_LABEL: first.get(TEMPLATE_LABEL)}
    return any(labels.get(key) != value for key, value in right.items())


# ------------------------------------------------------------------ whose business


def concerned(pod_name: str) -> str:
    """The NginxPod that a pod's name speaks of, "" when it is none of ours."""
    match = re.fullmatch(r"(?P<name>.+)-(?:0|[1-9][0-9]*)", pod_name)
    return match["name"] if match else ""
