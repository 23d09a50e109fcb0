"""What Kubernetes publishes about its own kinds: OpenAPI documents, schemas, and the Go types behind them.

The files in `data/` are cut down by `hack/openapi-documents` from the OpenAPI v3 documents that Kubernetes v1.34
publishes and from its Go types (k8s.io/api and others, v0.34.4), all of them Copyright The Kubernetes Authors and
licensed under the Apache License 2.0. Nothing is read before it is asked for, and a schema is parsed on its own:
an idle server holds none of it.

`shapes.py` makes decoders of the Go types, `patches/` merges by the schemas, `publish/openapi.py` serves the documents.
"""

from __future__ import annotations

import gzip
import json
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twinloop.apiserver.patches.typed import Typed

# Go's package path of a group's v1 types, as it stands in a schema's name.
_SCHEMA_PREFIXES = {
    "apiextensions.k8s.io": "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions",
    "meta": "io.k8s.apimachinery.pkg.apis.meta",
    "rbac.authorization.k8s.io": "io.k8s.api.rbac",
}


def document(path: str) -> dict[str, Any]:
    """The OpenAPI v3 document of a group version, by path: api/v1, apis/apps/v1. Raises KeyError if there is none."""
    parsed: dict[str, Any] = json.loads(document_bytes(path))
    return parsed


def document_bytes(path: str) -> bytes:
    """The same as JSON text, read afresh: a client keeps it, the server need not."""
    if path not in document_paths():
        raise KeyError(path)
    return gzip.decompress(_file(f"documents/{path.replace('/', '_')}.json.gz"))


@cache
def document_paths() -> tuple[str, ...]:
    """The group versions that have a document."""
    folder = resources.files(__package__) / "data/documents"
    return tuple(sorted(each.name.removesuffix(".json.gz").replace("_", "/") for each in folder.iterdir()))


@cache
def schema(name: str) -> dict[str, Any]:
    """One schema without its descriptions, such as io.k8s.api.core.v1.PodSpec. Raises KeyError for an unknown name."""
    parsed: dict[str, Any] = json.loads(_schema_lines()[name])
    return parsed


def resolve(reference: str) -> dict[str, Any]:
    """What a `$ref` of a schema points to."""
    return schema(reference.rpartition("/")[2])


def schema_name(group: str, kind: str) -> str:
    """The name of a built-in kind's schema; every kind that is served has version v1."""
    prefix = _SCHEMA_PREFIXES.get(group) or f"io.k8s.api.{group.partition('.')[0] or 'core'}"
    return f"{prefix}.v1.{kind}"


@cache
def typed(group: str, kind: str) -> Typed:
    """The schema of a kind as patches read it."""
    from twinloop.apiserver.patches.typed import Typed  # noqa: PLC0415 - patches are not needed to decode an object

    return Typed(schema(schema_name(group, kind)), resolve=resolve)


def columns(path: str) -> list[dict[str, Any]]:
    """The columns of a resource's Table, by path such as api/v1/pods."""
    found: list[dict[str, Any]] = _columns().get(path, [])
    return found


@cache
def _columns() -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(gzip.decompress(_file("columns.json.gz")))
    return parsed


def internal_types() -> dict[str, list[list[str]]]:
    """The server's internal structs below a PodSpec: fields as [Go name, type, JSON name]."""
    parsed: dict[str, list[list[str]]] = json.loads(gzip.decompress(_file("internal.json.gz")))
    return parsed


def go_types() -> dict[str, Any]:
    """`structs`: Go type -> fields as [JSON name, type, options]; `named`: Go type -> the type that it is called after."""
    parsed: dict[str, Any] = json.loads(gzip.decompress(_file("shapes.json.gz")))
    return parsed


def numbers() -> dict[str, list[int]]:
    """Go struct -> the protobuf numbers of its fields, in the order of `go_types`; 0 where protobuf has none."""
    parsed: dict[str, list[int]] = json.loads(gzip.decompress(_file("numbers.json.gz")))
    return parsed


@cache
def _schema_lines() -> dict[str, str]:
    lines = gzip.decompress(_file("schemas.txt.gz")).decode().splitlines()
    return dict(line.split("\t", 1) for line in lines)


def _file(name: str) -> bytes:
    return (resources.files(__package__) / "data" / name).read_bytes()
