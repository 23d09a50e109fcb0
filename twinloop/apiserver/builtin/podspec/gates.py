"""Fields whose feature gates are off in Kubernetes v1.34: the server forgets them, as the real one does.

`pods.py` and `deployments.py` call `drop_disabled` before they validate.
"""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]

_CONTAINERS = ("initContainers", "containers", "ephemeralContainers")


def drop_disabled(spec: Object) -> None:
    """HostnameOverride, ImageVolume, ContainerRestartRules, ContainerStopSignals, EnvFiles."""
    spec.pop("hostnameOverride", None)
    images = {volume["name"] for volume in spec.get("volumes", ()) if "image" in volume}
    if images:
        _drop_volumes(spec, images)
    for kind in _CONTAINERS:
        for container in spec.get(kind) or ():
            if kind != "initContainers" or container.get("restartPolicy") != "Always":
                container.pop("restartPolicy", None)
            container.pop("restartPolicyRules", None)
            _drop_in_container(container)


def _drop_volumes(spec: Object, names: set[str]) -> None:
    _keep(spec, "volumes", names)
    for kind in _CONTAINERS:
        for container in spec.get(kind) or ():
            _keep(container, "volumeMounts", names)


def _keep(holder: Object, field: str, without: set[str]) -> None:
    kept = [each for each in holder.get(field, ()) if each["name"] not in without]
    holder.pop(field, None)
    if kept:
        holder[field] = kept


def _drop_in_container(container: Object) -> None:
    hooks = container.get("lifecycle", {})
    if hooks.pop("stopSignal", None) and not hooks:
        del container["lifecycle"]
    for variable in container.get("env", ()):
        if "valueFrom" in variable:
            variable["valueFrom"].pop("fileKeyRef", None)
