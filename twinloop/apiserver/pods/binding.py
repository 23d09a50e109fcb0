"""POST .../pods/<name>/binding, or .../bindings: a scheduler says on which node a pod runs.

The pod gets its nodeName and the condition PodScheduled in one write that names no manager, as in the real server's
BindingREST. `controllers/scheduler.py` binds through `bind` too; the kubelet of the node takes over.
"""

from __future__ import annotations

from typing import Any

from twinloop.apiserver import failures
from twinloop.apiserver.answer import Answer, json_answer
from twinloop.apiserver.builtin.base import BuiltinStrategy
from twinloop.apiserver.clock import timestamp
from twinloop.apiserver.failures import Failure
from twinloop.apiserver.fielderrors import FieldError, not_supported, required
from twinloop.apiserver.history import Record
from twinloop.apiserver.kinds import Kind
from twinloop.apiserver.pods.reading import read_body
from twinloop.apiserver.request import Request
from twinloop.apiserver.verbs.call import Call, Host

Object = dict[str, Any]

PODS = ("", "pods")
BINDING = Kind("", "v1", "Binding", "bindings", BuiltinStrategy("", "Binding"))
SUCCESS = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def serve(call: Call, request: Request) -> Answer:
    """Bind a pod to the target of the Binding in the body."""
    return _carry_out(call, read_body(call, request, BINDING))


def serve_collection(call: Call, request: Request) -> Answer:
    """Bind the pod that the Binding in the body names."""
    return _carry_out(call, read_body(call, request, BINDING, names_pod=True))


def _carry_out(call: Call, found: Object) -> Answer:
    wanted = found.get("target") or {}
    if errors := _errors(wanted):
        raise Failure(500, "", ", ".join(map(str, errors)))  # the real one has no better code for it
    meta = found["metadata"]
    labels = {name: meta.get(name) or {} for name in ("labels", "annotations")}
    bind(
        call.host, call.namespace, call.name, wanted["name"], uid=meta.get("uid", ""), more=labels, dry_run=call.dry_run
    )
    return json_answer(201, SUCCESS)


def _errors(wanted: Object) -> list[FieldError]:
    errors: list[FieldError] = []
    if wanted.get("kind", "") not in {"", "Node"}:
        errors.append(not_supported("target.kind", wanted["kind"], ["Node", "<empty>"]))
    if not wanted.get("name"):
        errors.append(required("target.name"))
    return errors


def bind(
    host: Host,
    namespace: str,
    name: str,
    node: str,
    *,
    uid: str = "",
    more: dict[str, dict[str, str]] | None = None,
    dry_run: bool = False,
) -> None:
    """Give a pod its node. `more`: labels and annotations that come with it. Raises 404 or the 409 of a bound pod."""
    record = host.storage.get(PODS, namespace, name)
    if record is None:
        raise failures.not_found("", "pods", name)
    _check_uid(record, uid)
    pod = record.object()
    _check_unbound(pod)
    _assign(pod, node, timestamp(host.clock.now()))
    for field, entries in (more or {}).items():
        if entries:
            pod["metadata"].setdefault(field, {}).update(entries)
    if not dry_run:
        kind = host.registry.stored(*PODS)
        host.storage.update(PODS, record, pod, kind.strategy.selectable(pod) if kind else record.fields)


def _check_uid(record: Record, uid: str) -> None:
    if uid and uid != record.uid:
        why = (
            f"StorageError: invalid object, Code: 4, Key: /registry/pods/{record.key}, ResourceVersion: 0, "
            f"AdditionalErrorMsg: Precondition failed: UID in precondition: {uid}, UID in object meta: {record.uid}"
        )
        raise failures.conflict("", "pods", record.name, why)


def _check_unbound(pod: Object) -> None:
    name, spec = pod["metadata"]["name"], pod["spec"]
    why = ""
    if pod["metadata"].get("deletionTimestamp"):
        why = f"pod {name} is being deleted, cannot be assigned to a host"
    elif spec.get("nodeName"):
        why = f'pod {name} is already assigned to node "{spec["nodeName"]}"'
    elif spec.get("schedulingGates"):
        why = f"pod {name} has non-empty .spec.schedulingGates"
    if why:
        raise failures.conflict("", "pods/binding", name, why)


def _assign(pod: Object, node: str, now: str) -> None:
    pod["spec"]["nodeName"] = node
    conditions = [each for each in pod["status"].get("conditions") or () if each["type"] != "PodScheduled"]
    scheduled = {"type": "PodScheduled", "status": "True", "lastProbeTime": None, "lastTransitionTime": now}
    pod["status"]["conditions"] = [*conditions, scheduled]
