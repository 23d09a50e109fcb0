"""Builds NginxPods and pods as the API server would give them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from twinloop import nginxpod as resource
from twinloop.nginxpod import Object

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
NAMESPACE = "shop"


def at(seconds: float) -> str:
    """An API time so many seconds from NOW."""
    return resource.format_time(NOW + timedelta(seconds=seconds))


def nginxpod(name: str = "web", *, uid: str = "uid-web", generation: int = 1, **spec: Any) -> Object:
    """A NginxPod that exists since long before NOW and that nobody has visited."""
    return {
        "apiVersion": resource.API_VERSION,
        "kind": resource.KIND,
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "uid": uid,
            "generation": generation,
            "resourceVersion": "1",
            "creationTimestamp": at(-3600),
        },
        "spec": {"replicas": 3, "image": "nginx:1", "port": 8080, **spec},
        "status": {"observedGeneration": -1},
    }


def pod(parent: Object, ordinal: int, *, ready: bool = True, image: str | None = None, failures: int = 0) -> Object:
    """A running pod of `parent`, current unless another image is given."""
    spec = resource.parse_spec(parent)
    spec = resource.Spec(spec.replicas, image or spec.image, spec.port)
    made = resource.build_pod(parent, spec, ordinal, failures)
    made["metadata"] |= {
        "uid": f"uid-{made['metadata']['name']}",
        "resourceVersion": "1",
        "creationTimestamp": at(-600),
    }
    made["status"] = {"phase": "Running", "conditions": [condition("Ready", ready)]}
    return made


def condition(type_: str, value: bool, *, since: float = -500, **more: str) -> Object:
    """A pod condition that holds since so many seconds from NOW."""
    return {"type": type_, "status": "True" if value else "False", "lastTransitionTime": at(since), **more}


def foreign(name: str = "web-1") -> Object:
    """A pod of somebody else."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": NAMESPACE, "uid": f"foreign-{name}", "creationTimestamp": at(-900)},
        "spec": {"containers": []},
        "status": {"phase": "Running"},
    }


def terminating(obj: Object, *, since: float = -5, grace: int = 30) -> Object:
    """The object after a delete request so many seconds from NOW."""
    gone = {"deletionTimestamp": at(since + grace), "deletionGracePeriodSeconds": grace}
    return {**obj, "metadata": {**obj["metadata"], **gone}}


def finished(obj: Object, *, ended: float = -1, ran: float = 5, ready: bool = True, phase: str = "Failed") -> Object:
    """The pod after its only container ended; `ready`: it was ready from its start to its end."""
    began = ended - ran
    state = {"terminated": {"startedAt": at(began), "finishedAt": at(ended), "exitCode": 1, "reason": "Error"}}
    turned = ended if ready else began - 1
    status = {
        "phase": phase,
        "conditions": [condition("Ready", False, since=turned)],
        "containerStatuses": [{"name": "nginx", "state": state}],
    }
    return {**obj, "status": status}


def waiting(obj: Object, reason: str) -> Object:
    """The pod with its container waiting for `reason`."""
    status = {
        "phase": "Pending",
        "conditions": [condition("Ready", False)],
        "containerStatuses": [{"name": "nginx", "state": {"waiting": {"reason": reason}}}],
    }
    return {**obj, "status": status}


def changed(obj: Object, **metadata: Any) -> Object:
    """The object with other metadata."""
    return {**obj, "metadata": {**obj["metadata"], **metadata}}


def names(pods: Any) -> list[str]:
    """The names of pods or of deletions, in order."""
    return [resource.name_of(getattr(item, "pod", item)) for item in pods]
