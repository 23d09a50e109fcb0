"""The schema of ObjectMeta, as far as merges need it, and its place in the schemas of custom resources.

A custom resource's own schema says nothing of its metadata; `typed.custom` asks here for what does. Built-in kinds
bring their own with the OpenAPI documents.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

REFERENCE = "#/components/schemas/ObjectMeta"
_STRING = {"type": "string"}
_STRINGS = {"type": "object", "additionalProperties": _STRING}
_TIME = {"type": "string", "format": "date-time"}
_NUMBER = {"type": "integer", "format": "int64"}
_OWNER = {
    "type": "object",
    "properties": {
        "apiVersion": _STRING,
        "blockOwnerDeletion": {"type": "boolean"},
        "controller": {"type": "boolean"},
        "kind": _STRING,
        "name": _STRING,
        "uid": _STRING,
    },
    "x-kubernetes-map-type": "atomic",
}
_ENTRY = {
    "type": "object",
    "properties": {
        "apiVersion": _STRING,
        "fieldsType": _STRING,
        "fieldsV1": {"type": "object"},
        "manager": _STRING,
        "operation": _STRING,
        "subresource": _STRING,
        "time": _TIME,
    },
}
OBJECT_META: Schema = {
    "type": "object",
    "properties": {
        "annotations": _STRINGS,
        "creationTimestamp": _TIME,
        "deletionGracePeriodSeconds": _NUMBER,
        "deletionTimestamp": _TIME,
        "finalizers": {"type": "array", "items": _STRING, "x-kubernetes-list-type": "set"},
        "generateName": _STRING,
        "generation": _NUMBER,
        "labels": _STRINGS,
        "managedFields": {"type": "array", "items": _ENTRY, "x-kubernetes-list-type": "atomic"},
        "name": _STRING,
        "namespace": _STRING,
        "ownerReferences": {
            "type": "array",
            "items": _OWNER,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["uid"],
        },
        "resourceVersion": _STRING,
        "selfLink": _STRING,
        "uid": _STRING,
    },
}


def resolve(reference: str) -> Schema:
    """The only reference that `with_metadata` makes."""
    return {REFERENCE: OBJECT_META}[reference]


def with_metadata(schema: Schema) -> Schema:
    """A custom resource's schema with apiVersion, kind and metadata declared, in embedded objects too."""
    below = _embedded(schema)
    return {**below, "type": "object", "properties": {**below.get("properties", {}), **_type_and_metadata()}}


def _type_and_metadata() -> dict[str, Schema]:
    return {"apiVersion": _STRING, "kind": _STRING, "metadata": {"$ref": REFERENCE}}


def _embedded(schema: Schema) -> dict[str, Any]:
    """The schema with every embedded object below it completed."""
    found = dict(schema)
    if "properties" in found:
        found["properties"] = {name: _embedded(each) for name, each in found["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(found.get(key), Mapping):
            found[key] = _embedded(found[key])
    if found.get("x-kubernetes-embedded-resource"):
        found["properties"] = {**found.get("properties", {}), **_type_and_metadata()}
    return found
