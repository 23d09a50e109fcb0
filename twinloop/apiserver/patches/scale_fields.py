"""Who owns the number of replicas, told from an object to its scale subresource and back.

A Scale is no stored object: whoever serves it makes one of a Deployment or a custom resource, lets `managed_fields` or
`apply` work on that, and takes the number and the owners back. Both ways follow apimachinery's ScaleHandler, with its
oddities: an entry that comes back has no time unless its manager had it before, and one that an update made in the
object's own version comes back as another one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from twinloop.apiserver.patches import fieldset, managers
from twinloop.apiserver.patches.fieldset import EMPTY, Fields
from twinloop.apiserver.patches.managers import Managers, Owned

API_VERSION = "autoscaling/v1"
# What `Scale` can have an owner for.
REPLICAS = ("f:spec", "f:replicas")
# Where each served version of an object keeps its replicas; None where it has no scale subresource.
Paths = Mapping[str, tuple[str, ...] | None]


def to_scale(entries: list[dict[str, Any]] | None, paths: Paths) -> list[dict[str, Any]]:
    """The managedFields of a Scale, from those of its object."""
    found: Managers = {}
    for manager, owned in managers.read(entries).items():
        path = paths.get(owned.api_version)
        if path and fieldset.has(owned.fields, _elements(path)):
            found[manager] = replace(owned, fields=fieldset.of(REPLICAS), api_version=API_VERSION)
    return managers.written(found)


def to_object(
    entries: list[dict[str, Any]] | None,
    scale_entries: list[dict[str, Any]] | None,
    api_version: str,
    paths: Paths,
) -> list[dict[str, Any]]:
    """The managedFields of the object, from what they were and those of its Scale after a write in `api_version`."""
    before, of_scale = managers.read(entries), managers.read(scale_entries)
    found: Managers = {}
    for manager, was in before.items():
        if was.api_version not in paths:
            continue
        replicas = _replicas(was, paths)
        owned = was if replicas and manager in of_scale else _without(was, replicas)
        if replicas:
            of_scale.pop(manager, None)
        found |= {manager: owned} if owned.fields else {}
    fields = fieldset.of(_elements(paths.get(api_version) or ()))
    for manager, owned in of_scale.items():
        if fieldset.has(owned.fields, REPLICAS):
            time = before[manager].time if manager in before else None
            found[manager] = Owned(fields, api_version, time)
    return managers.written(found)


def _replicas(owned: Owned, paths: Paths) -> Fields:
    """The set of just the replicas if that is among what is owned, else the empty one."""
    path = _elements(paths[owned.api_version] or ())
    return fieldset.of(path) if path and fieldset.has(owned.fields, path) else EMPTY


def _without(owned: Owned, replicas: Fields) -> Owned:
    return replace(owned, fields=fieldset.difference(owned.fields, replicas))


def _elements(path: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"f:{name}" for name in path)
