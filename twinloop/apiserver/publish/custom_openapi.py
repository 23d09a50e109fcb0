"""OpenAPI v3 documents of custom resources, made of their CustomResourceDefinitions as apiextensions' builder does it.

`openapi.py` serves them. A document has the schema of each kind and of its list, what those refer to, and the paths
with their operations: kubectl looks up a resource by its GET path and reads off PATCH whether `fieldValidation` is
known. Descriptions of operations, which nobody reads here, are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from twinloop.apiserver import codec
from twinloop.apiserver.builtin import documents
from twinloop.apiserver.kinds import Kind
from twinloop.apiserver.publish.host import Host

Object = dict[str, Any]

DEFINITIONS = ("apiextensions.k8s.io", "customresourcedefinitions")
_META = "io.k8s.apimachinery.pkg.apis.meta.v1"
_AUTOSCALING = "io.k8s.api.autoscaling.v1"
_SCHEMAS = "#/components/schemas/"
# Where the shared schemas, with their descriptions, are taken from.
_SOURCE = "apis/apps/v1"
_MEDIA_TYPES = ("application/json", "application/yaml")
_PATCHES = ("application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json")


class CustomDocuments:
    """The documents by path, such as apis/twinloop.dev/v1alpha1; kept until the registry changes."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._made_of = -1
        self._documents: dict[str, bytes] = {}

    def all(self) -> Mapping[str, bytes]:
        """Every document as JSON."""
        registry = self._host.registry
        if self._made_of != registry.generation:
            self._made_of = registry.generation
            self._documents = {path: codec.encode(document(kinds)) for path, kinds in self._served().items()}
        return self._documents

    def _served(self) -> dict[str, list[tuple[Kind, Object]]]:
        """Kinds with their schemas by document."""
        found: dict[str, list[tuple[Kind, Object]]] = {}
        for record in self._host.storage.list(DEFINITIONS):
            spec = record.object()["spec"]
            for version in spec["versions"]:
                kind = self._host.registry.find(spec["group"], version["name"], spec["names"]["plural"])
                if kind is not None:
                    schema = (version.get("schema") or {}).get("openAPIV3Schema") or {}
                    found.setdefault(f"apis/{kind.api_version}", []).append((kind, schema))
        return found


def document(kinds: list[tuple[Kind, Object]]) -> Object:
    """The document of one group version."""
    paths: Object = {}
    schemas: Object = {}
    for kind, schema in kinds:
        paths |= dict(_paths(kind))
        schemas |= {_name(kind): _published(kind, schema), f"{_name(kind)}List": _list(kind)}
        if "scale" in kind.subresources:
            schemas |= _shared(f"{_AUTOSCALING}.Scale")
    for name in ("ObjectMeta", "ListMeta", "DeleteOptions", "Patch", "Status"):
        schemas |= _shared(f"{_META}.{name}")
    info = {"title": "Kubernetes CRD Swagger", "version": "v0.1.0"}
    return {
        "openapi": "3.0.0",
        "info": info,
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": dict(sorted(schemas.items()))},
    }


# ---------------------------------------------------------------------------------------------- schemas


def _name(kind: Kind) -> str:
    """A schema's name, such as dev.twinloop.v1alpha1.NginxPod."""
    return ".".join([*reversed(kind.group.split(".")), kind.version, kind.kind])


def _published(kind: Kind, schema: Object) -> Object:
    """A definition's schema with what every object has, marked with its kind."""
    found: Object = _converted(schema)
    described = _described()
    if not schema.get("x-kubernetes-preserve-unknown-fields") or schema.get("properties"):
        found.setdefault("type", "object")
    found["properties"] = {**found.get("properties", {}), **described}
    return found | _marked(kind, kind.kind)


def _list(kind: Kind) -> Object:
    described = _described()
    items = {
        "description": f"List of {kind.plural}. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md",
        "type": "array",
        "items": {"$ref": _SCHEMAS + _name(kind)},
    }
    metadata = {
        "description": "Standard list metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds",
        "allOf": [{"$ref": f"{_SCHEMAS}{_META}.ListMeta"}],
    }
    return {
        "description": f"{kind.list_kind} is a list of {kind.kind}",
        "type": "object",
        "required": ["items"],
        "properties": {**described, "items": items, "metadata": metadata},
    } | _marked(kind, kind.list_kind)


def _marked(kind: Kind, name: str) -> Object:
    return {"x-kubernetes-group-version-kind": [{"group": kind.group, "kind": name, "version": kind.version}]}


@cache
def _described() -> Object:
    """apiVersion, kind and metadata, in the words that built-in kinds have for them."""
    known = documents.document(_SOURCE)["components"]["schemas"]["io.k8s.api.apps.v1.Deployment"]["properties"]
    metadata = {
        "description": "Standard object's metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata",
        "allOf": [{"$ref": f"{_SCHEMAS}{_META}.ObjectMeta"}],
    }
    return {"apiVersion": known["apiVersion"], "kind": known["kind"], "metadata": metadata}


def _converted(schema: Any) -> Any:
    """A structural schema as OpenAPI says it: integers or strings are an anyOf, embedded objects have metadata."""
    if isinstance(schema, list):
        return [_converted(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _convert_keyword(key, value) for key, value in schema.items()}
    if schema.get("x-kubernetes-int-or-string") and "anyOf" not in schema:
        found["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    if schema.get("x-kubernetes-embedded-resource"):
        found["properties"] = {**_described(), **found.get("properties", {})}
    return found


def _convert_keyword(key: str, value: Any) -> Any:
    if key in {"default", "enum", "example", "x-kubernetes-validations", "required"}:
        return value  # values, not schemas, whatever they look like
    if key in {"properties", "patternProperties", "definitions"} and isinstance(value, dict):
        return {name: _converted(each) for name, each in value.items()}
    return _converted(value)


@cache
def _shared(name: str) -> Object:
    """A schema of Kubernetes itself, and all that it refers to."""
    known = documents.document(_SOURCE)["components"]["schemas"]
    found: Object = {}
    wanted = [name]
    while wanted:
        each = wanted.pop()
        if each not in found and each in known:
            found[each] = known[each]
            wanted += re.findall(f'{_SCHEMAS}([^"]+)"', codec.encode(known[each]).decode())
    return found


# ---------------------------------------------------------------------------------------------- paths


def _paths(kind: Kind) -> Iterator[tuple[str, Object]]:
    base = f"/apis/{kind.api_version}"
    here = f"{base}/namespaces/{{namespace}}" if kind.namespaced else base
    schema, name = _name(kind), f"{here}/{kind.plural}/{{name}}"
    collection = {"get": ("list", f"{schema}List"), "post": ("post", schema), "delete": ("deletecollection", "")}
    yield f"{here}/{kind.plural}", _operations(kind, collection)
    if kind.namespaced:
        yield f"{base}/{kind.plural}", _operations(kind, {"get": ("list", f"{schema}List")})
    one = {verb: (verb, schema) for verb in ("get", "put", "patch")}
    yield name, _operations(kind, {**one, "delete": ("delete", "")})
    if "status" in kind.subresources:
        yield f"{name}/status", _operations(kind, one)
    if "scale" in kind.subresources:
        yield f"{name}/scale", _operations(kind, {verb: (verb, f"{_AUTOSCALING}.Scale") for verb in one})


def _operations(kind: Kind, operations: Mapping[str, tuple[str, str]]) -> Object:
    return {method: _operation(kind, method, *told) for method, told in operations.items()}


def _operation(kind: Kind, method: str, action: str, schema: str) -> Object:
    """What a method takes and gives."""
    gives = {"200": {"description": "OK", "content": _content(schema or f"{_META}.Status")}}
    found: Object = {
        "parameters": [_parameter(name) for name in _PARAMETERS[method]],
        "responses": {**gives, "401": {"description": "Unauthorized"}},
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": {"group": kind.group, "version": kind.version, "kind": kind.kind},
    }
    if method == "patch":
        found["requestBody"] = {"content": _content(f"{_META}.Patch", _PATCHES), "required": True}
    elif method in {"post", "put"}:
        found["requestBody"] = {"content": _content(schema), "required": True}
    return found


_WRITES = ("dryRun", "fieldManager", "fieldValidation")
_PARAMETERS = {"get": (), "delete": ("dryRun",), "post": _WRITES, "put": _WRITES, "patch": (*_WRITES, "force")}


def _parameter(name: str) -> Object:
    kind = "boolean" if name == "force" else "string"
    return {"name": name, "in": "query", "schema": {"type": kind, "uniqueItems": True}}


def _content(schema: str, media_types: tuple[str, ...] = _MEDIA_TYPES) -> Object:
    return {media_type: {"schema": {"$ref": _SCHEMAS + schema}} for media_type in media_types}
