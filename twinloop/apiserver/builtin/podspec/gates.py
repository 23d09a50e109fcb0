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
    for volume in spec.get("volumes", ()):
        volume.pop("image", None)
    for kind in _CONTAINERS:
        for container in spec.get(kind) or ():
            if kind != "initContainers" or container.get("restartPolicy") != "Always":
                container.pop("restartPolicy", None)
            container.pop("restartPolicyRules", None)
            _drop_in_container(container)


def _drop_in_container(container: Object) -> None:
    hooks = container.get("lifecycle", {})
    if hooks.pop("stopSignal", None) and not hooks:
        del container["lifecycle"]
    for variable in container.get("env", ()):
        if "valueFrom" in variable:
            variable["valueFrom"].pop("fileKeyRef", None)
