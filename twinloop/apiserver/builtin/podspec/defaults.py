"""What a PodSpec gets where it says nothing: Kubernetes' SetDefaults functions for pods and pod templates.

`pods.py` calls `default_pod` after decoding, `deployments.py` calls `default_template`, whose object leaves out what
only a pod gets (requests from limits, service links, host ports).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import ROUND_CEILING, Decimal
from functools import lru_cache
from typing import Any

from twinloop.apiserver.builtin import quantities

Object = dict[str, Any]

# The grammar of references to images.
_WORD = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"{_WORD}(?:/{_WORD})*(?::(?P<tag>\w[\w.-]{{0,127}}))?(?:@(?P<digest>[A-Za-z][A-Za-z0-9+._-]*:[0-9a-fA-F]{{32,}}))?",
    re.ASCII,
).fullmatch
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*(?::[0-9]+)?").fullmatch

_VOLUME_MODES = ("secret", "configMap", "downwardAPI", "projected")
_FILE_MODE = 0o644
_TOKEN_SECONDS = 3600


def default_pod(obj: Object) -> None:
    """A Pod's defaults."""
    spec = obj["spec"]
    for container in _containers(spec):
        _requests_from_limits(container["resources"])
    spec.setdefault("enableServiceLinks", True)
    if spec.get("hostNetwork"):
        _host_ports(spec)
    default_spec(spec)
    if "resources" in spec:
        _pod_requests(spec["resources"])


def default_spec(spec: Object) -> None:
    """The defaults that pods and templates share."""
    put = spec.setdefault
    put("restartPolicy", "Always")
    put("terminationGracePeriodSeconds", 30)
    put("dnsPolicy", "ClusterFirst")
    put("securityContext", {})
    put("schedulerName", "default-scheduler")
    _same_service_account(spec)
    for volume in spec.get("volumes", ()):
        _default_volume(volume)
    for container in _containers(spec, "ephemeralContainers"):
        _default_container(container)


def _same_service_account(spec: Object) -> None:
    """serviceAccount is the old name of serviceAccountName; both are written, the new one wins."""
    name = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if name:
        spec["serviceAccountName"] = spec["serviceAccount"] = name


def _containers(spec: Object, *more: str) -> Iterator[Object]:
    for key in ("initContainers", "containers", *more):
        yield from spec.get(key) or ()


def _default_container(container: Object) -> None:
    put = container.setdefault
    put("terminationMessagePath", "/dev/termination-log")
    put("terminationMessagePolicy", "File")
    if "imagePullPolicy" not in container:
        container["imagePullPolicy"] = pull_policy(container.get("image", ""))
    for port in container.get("ports", ()):
        port.setdefault("protocol", "TCP")
    for variable in container.get("env", ()):
        if "valueFrom" in variable:
            _default_source(variable["valueFrom"])
    _round_resources(container["resources"])
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if name in container:
            _default_probe(container[name])
    for handler in container.get("lifecycle", {}).values():
        if isinstance(handler, dict) and "httpGet" in handler:
            _default_http(handler["httpGet"])


@lru_cache(maxsize=256)
def pull_policy(image: str) -> str:
    """Always for the tag latest, said or implied; a digest or any other tag is looked for on the node first.

    What is no reference to an image has no tag at all.
    """
    found = _REFERENCE(_without_domain(image))
    if found is None or (found["digest"] and not found["tag"]):
        return "IfNotPresent"
    return "Always" if found["tag"] in {None, "latest"} else "IfNotPresent"


def _without_domain(image: str) -> str:
    """An image's name below its registry: what stands before the first slash is one when it looks like a host."""
    first, slash, rest = image.partition("/")
    is_host = slash and (first != first.lower() or first == "localhost" or any(each in first for each in ".:"))
    return rest if is_host and _DOMAIN(first) else image


def _default_source(source: Object) -> None:
    if "fieldRef" in source:
        source["fieldRef"].setdefault("apiVersion", "v1")
    if "fileKeyRef" in source:
        source["fileKeyRef"].setdefault("optional", False)


def _default_probe(probe: Object) -> None:
    put = probe.setdefault
    put("timeoutSeconds", 1)
    put("periodSeconds", 10)
    put("successThreshold", 1)
    put("failureThreshold", 3)
    if "httpGet" in probe:
        _default_http(probe["httpGet"])
    if "grpc" in probe and probe["grpc"].get("service") is None:
        probe["grpc"]["service"] = ""


def _default_http(action: Object) -> None:
    action.setdefault("path", "/")
    action.setdefault("scheme", "HTTP")


# ------------------------------------------------------------------ resources


def _requests_from_limits(resources: Object) -> None:
    if "limits" in resources:
        requests = dict(resources.get("requests", {}))
        for name, limit in resources["limits"].items():
            requests.setdefault(name, limit)
        resources["requests"] = requests


def _pod_requests(resources: Object) -> None:
    """Requests of the pod as a whole, where it has limits. Sums over its containers are not made."""
    for name, limit in resources.get("limits", {}).items():
        if name in {"cpu", "memory"} or name.startswith("hugepages-"):
            resources.setdefault("requests", {}).setdefault(name, limit)
    _round_resources(resources)


def _round_resources(resources: Object) -> None:
    for name in ("limits", "requests"):
        if name in resources:
            resources[name] = round_up(resources[name])


def round_up(listed: Object) -> Object:
    """A resource list with nothing finer than a thousandth."""
    return {name: _to_milli(value) for name, value in listed.items()}


@lru_cache(maxsize=1024)
def _to_milli(text: str) -> str:
    value = quantities.amount(text)
    rounded = value.quantize(Decimal("0.001"), ROUND_CEILING) if value != value.to_integral_value() else value
    return text if rounded == value else quantities.written(rounded, quantities.style_of(text))


def _host_ports(spec: Object) -> None:
    for container in _containers(spec):
        for port in container.get("ports", ()):
            port.setdefault("hostPort", port["containerPort"])


# ------------------------------------------------------------------ volumes


def _default_volume(volume: Object) -> None:
    if len(volume) == 1 or set(volume) == {"name"}:
        volume["emptyDir"] = {}
    for kind in _VOLUME_MODES:
        if kind in volume:
            volume[kind].setdefault("defaultMode", _FILE_MODE)
    if "hostPath" in volume:
        volume["hostPath"].setdefault("type", "")
    if "image" in volume:
        volume["image"].setdefault("pullPolicy", pull_policy(volume["image"].get("reference", "")))
    for item in volume.get("downwardAPI", {}).get("items", ()):
        _default_source(item)
    for source in volume.get("projected", {}).get("sources") or ():
        _default_projection(source)
    if "volumeClaimTemplate" in volume.get("ephemeral", {}):
        volume["ephemeral"]["volumeClaimTemplate"]["spec"].setdefault("volumeMode", "Filesystem")


def _default_projection(source: Object) -> None:
    for item in source.get("downwardAPI", {}).get("items", ()):
        _default_source(item)
    if "serviceAccountToken" in source:
        source["serviceAccountToken"].setdefault("expirationSeconds", _TOKEN_SECONDS)
