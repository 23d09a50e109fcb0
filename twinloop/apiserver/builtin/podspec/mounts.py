"""Mounts of volumes in a container.

`containers.py` calls `mounts` with the volumes that `volumes.py` found valid.
"""

from __future__ import annotations

from typing import Any

from twinloop.apiserver.builtin.checks import Errors, descending_path
from twinloop.apiserver.fielderrors import forbidden, invalid, not_found, not_supported, required

Object = dict[str, Any]

_PROPAGATIONS = ("Bidirectional", "HostToContainer", "None")


def mounts(path: str, container: Object, known: dict[str, Object]) -> Errors:
    """`volumeMounts` of a container."""
    places: set[str] = set()
    for index, mount in enumerate(container.get("volumeMounts", ())):
        yield from _mount(f"{path}[{index}]", mount, known, places)
        yield from _mount_details(path, f"{path}[{index}]", mount, container)


def _mount(path: str, mount: Object, known: dict[str, Object], places: set[str]) -> Errors:
    name, place = mount["name"], mount["mountPath"]
    if not name:
        yield required(f"{path}.name")
    if name not in known:
        yield not_found(f"{path}.name", name)
    if not place:
        yield required(f"{path}.mountPath")
    if place in places:
        yield invalid(f"{path}.mountPath", place, "must be unique")
    places.add(place)


def _mount_details(listed: str, path: str, mount: Object, container: Object) -> Errors:
    """The original reports most of this at the list instead of at the mount."""
    if mount.get("subPath"):
        yield from descending_path(f"{listed}.subPath", mount["subPath"])
    if mount.get("subPathExpr"):
        if mount.get("subPath"):
            why = "subPathExpr and subPath are mutually exclusive"
            yield invalid(f"{path}.subPathExpr", mount["subPathExpr"], why)
        yield from descending_path(f"{listed}.subPathExpr", mount["subPathExpr"])
    if "mountPropagation" in mount:
        yield from _propagation(f"{listed}.mountPropagation", mount["mountPropagation"], container)


def _propagation(path: str, mode: str, container: Object) -> Errors:
    if mode not in _PROPAGATIONS:
        yield not_supported(path, mode, _PROPAGATIONS)
    if mode == "Bidirectional" and not container.get("securityContext", {}).get("privileged"):
        yield forbidden(path, "Bidirectional mount propagation is available only to privileged containers")
