"""The resource: what a NginxPod is, what its pods look like, and whose a pod is.

First of the four modules that decide: `nginxpod` (facts) -> `plan` (which pods to delete and create) ->
`status` (what to say about it) -> `sync` (do it). Everything here is data to data: objects are the plain
dicts of the API server's JSON, nothing is read or written, the time is an argument.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

Object = dict[str, Any]

GROUP: Final = "twinloop.dev"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"
KIND: Final = "NginxPod"

LABEL_NGINXPOD: Final = f"{GROUP}/nginxpod"
LABEL_TEMPLATE: Final = f"{GROUP}/template"
ANNOTATION_FAILURES: Final = f"{GROUP}/failures"
CONTAINER: Final = "nginx"

DEFAULT_REPLICAS: Final = 1
DEFAULT_IMAGE: Final = "nginxinc/nginx-unprivileged:stable"
DEFAULT_PORT: Final = 8080

MAX_REPLICAS: Final = 100
MAX_IMAGE: Final = 512
MAX_PORT: Final = 65535
# A pod's name is also a label value and a host name, at most 63 characters: 57 leave room for "-" and an ordinal.
MAX_NAME: Final = 57

_TRAILING_ORDINAL = re.compile(r"(?P<name>.+)-(?P<ordinal>0|[1-9][0-9]*)")


class InvalidSpecError(ValueError):
    """A spec that the CRD's schema should have refused; the text says which field and why."""


@dataclass(frozen=True)
class Spec:
    """A NginxPod's spec, checked and with its defaults filled in."""

    replicas: int
    image: str
    port: int

    @property
    def template(self) -> str:
        """The hash of what a pod is made from; two pods with the same one are interchangeable."""
        return hashlib.sha256(json.dumps([self.image, self.port]).encode()).hexdigest()[:10]


def parse_spec(nginxpod: Object) -> Spec:
    """Read and check a NginxPod's spec, as the CRD's schema would.

    Raises:
        InvalidSpecError: the object was accepted under an older or loosened CRD (R13).
    """
    if len(name_of(nginxpod)) > MAX_NAME:
        raise InvalidSpecError(f"metadata.name must be at most {MAX_NAME} characters long")
    spec = nginxpod.get("spec")
    if not isinstance(spec, Mapping):
        raise InvalidSpecError("spec must be an object")
    return Spec(
        replicas=_integer(spec, "replicas", DEFAULT_REPLICAS, 0, MAX_REPLICAS),
        image=_image(spec.get("image", DEFAULT_IMAGE)),
        port=_integer(spec, "port", DEFAULT_PORT, 1, MAX_PORT),
    )


def _integer(spec: Mapping[str, Any], field: str, default: int, low: int, high: int) -> int:
    value = spec.get(field, default)
    # bool is an int in Python, but `true` is no number in JSON.
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise InvalidSpecError(f"spec.{field} must be an integer from {low} to {high}, not {_shown(value)}")
    return value


def _image(value: object) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_IMAGE:
        raise InvalidSpecError(f"spec.image must be a text of 1 to {MAX_IMAGE} characters, not {_shown(value)}")
    return value


def _shown(value: object) -> str:
    return json.dumps(value, default=str)[:80]


# --- any object -------------------------------------------------------------------------------------------------------


def name_of(obj: Object) -> str:
    """`metadata.name`."""
    return str(obj["metadata"]["name"])


def namespace_of(obj: Object) -> str:
    """`metadata.namespace`."""
    return str(obj["metadata"]["namespace"])


def uid_of(obj: Object) -> str:
    """`metadata.uid`: tells an object from a later one of the same name."""
    return str(obj["metadata"]["uid"])


def is_terminating(obj: Object) -> bool:
    """Whether somebody has asked to delete the object; it still holds its name."""
    return bool(obj["metadata"].get("deletionTimestamp"))


def terminating_since(obj: Object) -> datetime | None:
    """When the deletion was asked for: deletionTimestamp lies a grace period after that moment."""
    due = parse_time(obj["metadata"].get("deletionTimestamp"))
    grace = obj["metadata"].get("deletionGracePeriodSeconds") or 0
    return None if due is None else datetime.fromtimestamp(due.timestamp() - grace, tz=due.tzinfo)


def parse_time(text: object) -> datetime | None:
    """An RFC 3339 time of the API as an aware datetime; None when there is none or it makes no sense."""
    try:
        parsed = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return parsed if parsed is not None and parsed.tzinfo is not None else None


def format_time(moment: datetime) -> str:
    """The API's form of a time: UTC, whole seconds, `Z`."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


# --- whose is a pod? --------------------------------------------------------------------------------------------------


def controller_of(pod: Object) -> Mapping[str, Any] | None:
    """The owner reference with `controller: true`; the API server allows one at most."""
    references = pod["metadata"].get("ownerReferences") or []
    return next((reference for reference in references if reference.get("controller")), None)


def owner_uid(pod: Object) -> str:
    """The uid of the controller owner, "" when there is none; what caches index pods by."""
    controller = controller_of(pod)
    return str(controller.get("uid", "")) if controller else ""


def is_ours(nginxpod: Object, pod: Object) -> bool:
    """R3: by the controller owner's uid alone. A label says who may look, not who owns."""
    return owner_uid(pod) == uid_of(nginxpod)


def _nginxpod_owner(pod: Object) -> str:
    controller = controller_of(pod)
    if controller is None or controller.get("kind") != KIND:
        return ""
    group = str(controller.get("apiVersion", "")).partition("/")[0]
    return str(controller.get("name", "")) if group == GROUP else ""


def is_left_behind(nginxpod: Object, pod: Object) -> bool:
    """R4: whether the pod belongs to a deleted NginxPod of the same name and waits for the garbage collector."""
    return _nginxpod_owner(pod) == name_of(nginxpod) and not is_ours(nginxpod, pod)


def parents_of(pod: Object) -> set[str]:
    """The names of the NginxPods, in the pod's namespace, that an event of this pod may concern.

    By controller owner, by label, and by the name with its ordinal cut off: the last finds the NginxPod
    that waits for a foreign pod to give a name back.
    """
    match = _TRAILING_ORDINAL.fullmatch(name_of(pod))
    labels = pod["metadata"].get("labels") or {}
    names = {_nginxpod_owner(pod), labels.get(LABEL_NGINXPOD, ""), match["name"] if match else ""}
    return {name for name in names if name}


# --- what state is a pod in? ------------------------------------------------------------------------------------------


def pod_name(name: str, ordinal: int) -> str:
    """R1: the name of the pod with this ordinal."""
    return f"{name}-{ordinal}"


def ordinal_of(name: str, pod: Object) -> int | None:
    """The ordinal in a pod's name; None when the name is not exactly `<name>-<ordinal>`."""
    match = _TRAILING_ORDINAL.fullmatch(name_of(pod))
    return int(match["ordinal"]) if match and match["name"] == name else None


def is_finished(pod: Object) -> bool:
    """Phase Failed or Succeeded: such a pod never runs again (R6)."""
    return (pod.get("status") or {}).get("phase") in {"Failed", "Succeeded"}


def is_alive(pod: Object) -> bool:
    """Neither finished nor on its way out: what `status.replicas` counts (R10)."""
    return not is_finished(pod) and not is_terminating(pod)


def is_ready(pod: Object) -> bool:
    """Alive, and the kubelet says that it takes traffic."""
    condition = pod_condition(pod, "Ready")
    return is_alive(pod) and condition is not None and condition.get("status") == "True"


def pod_condition(pod: Object, type_: str) -> Mapping[str, Any] | None:
    """One of `status.conditions` by its type."""
    conditions = (pod.get("status") or {}).get("conditions") or []
    return next((condition for condition in conditions if condition.get("type") == type_), None)


def failures_of(pod: Object) -> int:
    """How many of this pod's predecessors failed in a row (R6); a mangled annotation counts as none."""
    text = (pod["metadata"].get("annotations") or {}).get(ANNOTATION_FAILURES, "0")
    return int(text) if re.fullmatch(r"[0-9]{1,6}", str(text)) else 0


# --- what a pod should be ---------------------------------------------------------------------------------------------


def selector_of(name: str) -> str:
    """The label selector that finds the pods of a NginxPod; also `status.selector` for the scale subresource."""
    return f"{LABEL_NGINXPOD}={name}"


def pod_labels(name: str, spec: Spec) -> dict[str, str]:
    """R2: the labels of every pod of this NginxPod."""
    return {
        "app.kubernetes.io/name": "nginx",
        "app.kubernetes.io/instance": name,
        "app.kubernetes.io/managed-by": "twinloop",
        LABEL_NGINXPOD: name,
        LABEL_TEMPLATE: spec.template,
    }


def is_current(nginxpod: Object, spec: Spec, pod: Object) -> bool:
    """R3: the labels are right and the live container is what the spec asks for.

    The container is looked at and not the template label alone: a container's image can be patched on a live pod.
    """
    labels = pod["metadata"].get("labels") or {}
    wanted = pod_labels(name_of(nginxpod), spec)
    containers = (pod.get("spec") or {}).get("containers") or []
    nginx: Object = next((container for container in containers if container.get("name") == CONTAINER), {})
    ports = [port.get("containerPort") for port in nginx.get("ports") or []]
    return (
        all(labels.get(key) == value for key, value in wanted.items())
        and nginx.get("image") == spec.image
        and ports == [spec.port]
    )


def build_pod(nginxpod: Object, spec: Spec, ordinal: int, failures: int = 0) -> Object:
    """R2: the pod to create for an ordinal; `failures` is what it inherits from a failed predecessor."""
    metadata: Object = {
        "name": pod_name(name_of(nginxpod), ordinal),
        "namespace": namespace_of(nginxpod),
        "labels": pod_labels(name_of(nginxpod), spec),
        "ownerReferences": [_owner_reference(nginxpod)],
    }
    if failures:
        metadata["annotations"] = {ANNOTATION_FAILURES: str(failures)}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": _pod_spec(spec)}


def _owner_reference(nginxpod: Object) -> Object:
    # blockOwnerDeletion makes a foreground deletion of the NginxPod wait for its pods.
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "name": name_of(nginxpod),
        "uid": uid_of(nginxpod),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def _pod_spec(spec: Spec) -> Object:
    return {
        "automountServiceAccountToken": False,
        "restartPolicy": "Always",
        # What the restricted Pod Security Standard asks of a pod and of each container.
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [
            {
                "name": CONTAINER,
                "image": spec.image,
                "imagePullPolicy": "IfNotPresent",
                "ports": [{"name": "http", "containerPort": spec.port, "protocol": "TCP"}],
                # A connection, not a page: an image may serve nothing at "/" and still be well. Every 2 s, since a
                # first probe that comes before nginx listens would otherwise cost the default 10 s.
                "readinessProbe": {"tcpSocket": {"port": spec.port}, "periodSeconds": 2},
                "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
            }
        ],
    }
