"""Volumes of a pod.

`spec.py` calls `volumes` first and hands its valid ones to `mounts.py` by way of `containers.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from twinloop.apiserver import names
from twinloop.apiserver.builtin import quantities
from twinloop.apiserver.builtin.checks import (
    Errors,
    dns_label,
    file_mode,
    no_backsteps,
    not_reserved_path,
    one_of,
    words,
)
from twinloop.apiserver.builtin.podspec import env
from twinloop.apiserver.fielderrors import FieldError, duplicate, forbidden, invalid, not_supported, required

Object = dict[str, Any]

# In the order in which the original looks at them.
TYPES = (
    "emptyDir", "hostPath", "gitRepo", "gcePersistentDisk", "awsElasticBlockStore", "secret", "nfs", "iscsi",
    "glusterfs", "flocker", "persistentVolumeClaim", "rbd", "cinder", "cephfs", "quobyte", "downwardAPI", "fc",
    "flexVolume", "configMap", "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume", "azureDisk",
    "storageos", "projected", "scaleIO", "csi", "ephemeral", "image",
)  # fmt: skip
_HOST_PATH_TYPES = ("", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket")
_SHORTEST_TOKEN, _LONGEST_TOKEN = 600, 2**32


def volumes(path: str, listed: Iterable[Object], errors: list[FieldError]) -> dict[str, Object]:
    """Check volumes; returns those without an error by name, the only ones that a mount may refer to."""
    valid: dict[str, Object] = {}
    for index, volume in enumerate(listed):
        found = list(_volume(f"{path}[{index}]", volume))
        if volume["name"] in valid:
            found.append(duplicate(f"{path}[{index}].name", volume["name"]))
        if not found:
            valid[volume["name"]] = volume
        errors += found
    return valid


def _volume(path: str, volume: Object) -> Errors:
    kinds = [kind for kind in TYPES if kind in volume]
    if not kinds:
        yield required(path, "must specify a volume type")
    for position, kind in enumerate(kinds):
        if position:
            yield forbidden(f"{path}.{kind}", "may not specify more than 1 volume type")
        elif kind in _RULES:
            yield from _RULES[kind](f"{path}.{kind}", volume[kind])
    if not volume["name"]:
        yield required(f"{path}.name")
    else:
        yield from dns_label(f"{path}.name", volume["name"])


def _empty_dir(path: str, source: Object) -> Errors:
    if quantities.amount(source.get("sizeLimit", "0")) < 0:
        yield forbidden(f"{path}.sizeLimit", "SizeLimit field must be a valid resource quantity")


def _host_path(path: str, source: Object) -> Errors:
    if not source["path"]:
        yield required(f"{path}.path")
        return
    yield from no_backsteps(f"{path}.path", source["path"])
    if source.get("type", "") not in _HOST_PATH_TYPES:
        yield not_supported(f"{path}.type", source["type"], _HOST_PATH_TYPES)


def _secret(path: str, source: Object) -> Errors:
    if not source.get("secretName"):
        yield required(f"{path}.secretName")
    yield from _keyed_files(path, source)


def _config_map(path: str, source: Object) -> Errors:
    if not source.get("name"):
        yield required(f"{path}.name")
    yield from _keyed_files(path, source)


def _keyed_files(path: str, source: Object) -> Errors:
    yield from file_mode(f"{path}.defaultMode", source.get("defaultMode"))
    for index, item in enumerate(source.get("items", ())):
        yield from _key_to_path(f"{path}.items[{index}]", item)


def _key_to_path(path: str, item: Object) -> Errors:
    for name in ("key", "path"):
        if not item[name]:
            yield required(f"{path}.{name}")
    yield from not_reserved_path(f"{path}.path", item["path"])
    yield from file_mode(f"{path}.mode", item.get("mode"))


def _claim(path: str, source: Object) -> Errors:
    if not source["claimName"]:
        yield required(f"{path}.claimName")


def _nfs(path: str, source: Object) -> Errors:
    if not source["server"]:
        yield required(f"{path}.server")
    if not source["path"]:
        yield required(f"{path}.path")
    if not source["path"].startswith("/"):
        yield invalid(f"{path}.path", source["path"], "must be an absolute path")


def _downward(path: str, source: Object) -> Errors:
    yield from file_mode(f"{path}.defaultMode", source.get("defaultMode"))
    for item in source.get("items", ()):
        yield from _downward_file(path, item)


def _downward_file(path: str, item: Object) -> Errors:
    """The original names no index here."""
    if not item["path"]:
        yield required(f"{path}.path")
    yield from not_reserved_path(f"{path}.path", item["path"])
    if "fieldRef" in item:
        yield from env.field_reference(f"{path}.fieldRef", item["fieldRef"], env.VOLUME_FIELDS)
        if "resourceFieldRef" in item:
            yield invalid(path, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously")
    elif "resourceFieldRef" in item:
        yield from env.resource_reference(f"{path}.resourceFieldRef", item["resourceFieldRef"], volume=True)
    else:
        yield required(path, "one of fieldRef and resourceFieldRef is required")
    yield from file_mode(f"{path}.mode", item.get("mode"))


def _csi(path: str, source: Object) -> Errors:
    if not source["driver"]:
        yield required(f"{path}.driver")
    yield from words(f"{path}.driver", source["driver"], names.subdomain(source["driver"].lower()))
    if "nodePublishSecretRef" in source and not source["nodePublishSecretRef"].get("name"):
        yield required(f"{path}.nodePublishSecretRef.name")


def _ephemeral(path: str, source: Object) -> Errors:
    if "volumeClaimTemplate" not in source:
        yield required(f"{path}.volumeClaimTemplate")


def _image(path: str, source: Object) -> Errors:
    if not source.get("reference"):
        yield required(f"{path}.reference")
    yield from one_of(f"{path}.pullPolicy", source["pullPolicy"], ("Always", "IfNotPresent", "Never"))


# ------------------------------------------------------------------ projected volumes


def _projected(path: str, source: Object) -> Errors:
    yield from file_mode(f"{path}.defaultMode", source.get("defaultMode"))
    taken: set[str] = set()
    for index, each in enumerate(source["sources"] or ()):
        yield from _projection(path, f"{path}.sources[{index}]", each, taken)
        if len(each) > 1:
            yield forbidden(f"{path}.sources[{index}]", "may not specify more than 1 volume type per source")


def _projection(volume: str, path: str, source: Object, taken: set[str]) -> Errors:
    for kind in ("secret", "configMap"):
        if kind in source:
            yield from _projected_keys(volume, f"{path}.{kind}", source[kind], taken)
    for item in source.get("downwardAPI", {}).get("items", ()):
        yield from _downward_file(f"{path}.downwardAPI", item)
        yield from _unique(volume, item["path"], item["path"], taken)
    if "serviceAccountToken" in source:
        yield from _token(volume, f"{path}.serviceAccountToken", source["serviceAccountToken"])


def _projected_keys(volume: str, path: str, source: Object, taken: set[str]) -> Errors:
    if not source.get("name"):
        yield required(f"{path}.name")
    for index, item in enumerate(source.get("items", ())):
        yield from _key_to_path(f"{path}.items[{index}]", item)
        yield from _unique(volume, item["path"], source.get("name", ""), taken)


def _unique(path: str, file: str, shown: str, taken: set[str]) -> Errors:
    if file in taken:
        yield invalid(path, shown, "conflicting duplicate paths")
    if file:
        taken.add(file)


def _token(volume: str, path: str, token: Object) -> Errors:
    seconds = token["expirationSeconds"]
    if seconds < _SHORTEST_TOKEN:
        yield invalid(f"{path}.expirationSeconds", seconds, "may not specify a duration less than 10 minutes")
    if seconds > _LONGEST_TOKEN:
        yield invalid(f"{path}.expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds")
    if not token["path"]:
        yield required(f"{volume}.path")
    else:
        yield from not_reserved_path(f"{volume}.path", token["path"])


_RULES: dict[str, Callable[[str, Object], Errors]] = {
    "emptyDir": _empty_dir,
    "hostPath": _host_path,
    "secret": _secret,
    "configMap": _config_map,
    "persistentVolumeClaim": _claim,
    "nfs": _nfs,
    "downwardAPI": _downward,
    "projected": _projected,
    "csi": _csi,
    "ephemeral": _ephemeral,
    "image": _image,
}
