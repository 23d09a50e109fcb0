"""The Events that a kubelet leaves when a container does not come up, as plain objects.

`kubelet.py` creates one for each container whose reason for waiting has changed; they are what `kubectl describe` shows.
Of a pod that comes up nothing is told but what the scheduler tells: five Events for each pod would be most of the
writes of a large test.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twinloop.apiserver.clock import timestamp

Object = dict[str, Any]


def failures_to_start(pod: Object, before: Object, after: Object, now: float) -> Iterator[Object]:
    """The Events for what is wrong in a pod's next status and was not in its last."""
    told = {each["name"]: _reason(each) for each in before.get("containerStatuses") or ()}
    for index, container in enumerate(after.get("containerStatuses") or ()):
        found = _event_of(pod, container)
        if found is not None and told.get(container["name"]) != _reason(container):
            yield _event(pod, container["name"], *found, now + index * 1e-6)


def _reason(container: Object) -> str:
    return str((container["state"].get("waiting") or {}).get("reason", ""))


def _event_of(pod: Object, container: Object) -> tuple[str, str, str] | None:
    """Type, reason and message, in the kubelet's words."""
    image, meta = container["image"], pod["metadata"]
    match _reason(container):
        case "ErrImagePull":
            why = container["state"]["waiting"]["message"]
            return "Warning", "Failed", f'Failed to pull image "{image}": {why}'
        case "ImagePullBackOff":
            return "Normal", "BackOff", f'Back-off pulling image "{image}"'
        case "CrashLoopBackOff":
            where = f"{meta['name']}_{meta['namespace']}({meta['uid']})"
            return "Warning", "BackOff", f"Back-off restarting failed container {container['name']} in pod {where}"
    return None


def _event(pod: Object, container: str, kind: str, reason: str, message: str, now: float) -> Object:
    meta, node = pod["metadata"], pod["spec"]["nodeName"]
    names = {name: meta[name] for name in ("namespace", "name", "uid", "resourceVersion")}
    about = {"kind": "Pod", "apiVersion": "v1", **names, "fieldPath": f"spec.containers{{{container}}}"}
    return {
        "metadata": {"name": f"{meta['name']}.{int(now * 1e9):x}", "namespace": meta["namespace"]},
        "involvedObject": about,
        "reason": reason,
        "message": message,
        "source": {"component": "kubelet", "host": node},
        "firstTimestamp": timestamp(now),
        "lastTimestamp": timestamp(now),
        "count": 1,
        "type": kind,
        "eventTime": None,
        "reportingComponent": "kubelet",
        "reportingInstance": node,
    }
