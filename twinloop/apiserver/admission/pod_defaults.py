"""DefaultTolerationSeconds and Priority: what every pod gets from plugins that are always on.

Both act on new pods only; the scheduler and the quota of terminating pods look at the result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twinloop.apiserver import failures
from twinloop.apiserver.failures import Failure
from twinloop.apiserver.kinds import Kind

if TYPE_CHECKING:
    from twinloop.apiserver.server import ApiServer

Object = dict[str, Any]

PODS = ("", "pods")
_SECONDS = 300
_NODE_FAILURES = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
_PREEMPTION = "PreemptLowerPriority"
# The two classes that every cluster has; others would be PriorityClass objects, which are not served.
PRIORITY_CLASSES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}


def tolerate_node_failures(
    server: ApiServer,
    operation: str,
    kind: Kind,
    obj: Object | None,
    old: Object | None,
    namespace: str,
    subresource: str,
    dry_run: bool,
) -> None:
    """Let a pod stay for five minutes on a node that fails, unless it says otherwise."""
    del server, old, namespace, dry_run
    if kind.storage != PODS or operation != "CREATE" or subresource or obj is None:
        return
    tolerations = obj["spec"].get("tolerations") or []
    missing = [key for key in _NODE_FAILURES if not any(_concerns(each, key) for each in tolerations)]
    added = [
        {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": _SECONDS} for key in missing
    ]
    if added:
        obj["spec"]["tolerations"] = tolerations + added


def _concerns(toleration: Object, key: str) -> bool:
    return toleration.get("key") in {None, "", key} and toleration.get("effect") in {None, "", "NoExecute"}


def prioritize(
    server: ApiServer,
    operation: str,
    kind: Kind,
    obj: Object | None,
    old: Object | None,
    namespace: str,
    subresource: str,
    dry_run: bool,
) -> None:
    """Work out a pod's priority from its class. Raises 403 for a class that is not there."""
    del server, old, namespace, dry_run
    if kind.storage != PODS or operation != "CREATE" or subresource or obj is None:
        return
    spec, name = obj["spec"], obj["spec"].get("priorityClassName") or ""
    if name and name not in PRIORITY_CLASSES:
        raise _refused(obj, f"no PriorityClass with name {name} was found")
    priority = PRIORITY_CLASSES.get(name, 0)
    if spec.get("priority") not in {None, priority}:
        raise _refused(obj, _own_choice("integer value of priority", spec["priority"], priority))
    if spec.get("preemptionPolicy") not in {None, _PREEMPTION}:
        raise _refused(obj, _own_choice("string value of PreemptionPolicy", spec["preemptionPolicy"], _PREEMPTION))
    spec["priority"], spec["preemptionPolicy"] = priority, _PREEMPTION


def _own_choice(what: str, given: object, computed: object) -> str:
    return (
        f"the {what} ({given}) must not be provided in pod spec; "
        f"priority admission controller computed {computed} from the given PriorityClass name"
    )


def _refused(pod: Object, why: str) -> Failure:
    meta = pod["metadata"]
    return failures.forbidden("", "pods", meta.get("name") or meta.get("generateName") or "Unknown", why)
