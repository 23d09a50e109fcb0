"""The data behind the built-in kinds: OpenAPI documents, schemas, Go types, columns.

Left out: whether they are what a server of this version publishes, which `hack/openapi-documents` sees to.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from support.builtin_kinds import registry
from twinloop.apiserver.builtin import documents

REFERENCE = "#/components/schemas/"


def references(value: Any) -> Any:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"].removeprefix(REFERENCE)
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


def test_every_group_version_that_is_served_has_a_document() -> None:
    served = {f"apis/{kind.group}/v1" if kind.group else "api/v1" for kind in registry()}
    assert served <= set(documents.document_paths())


@pytest.mark.parametrize("path", documents.document_paths())
def test_a_document_is_complete_in_itself(path: Any) -> None:
    document = documents.document(path)
    schemas = document["components"]["schemas"]
    assert document["openapi"].startswith("3.")
    assert set(references(document)) <= schemas.keys()


def test_a_document_has_what_kubectl_explain_and_apply_look_for() -> None:
    document = documents.document("api/v1")
    schema = document["components"]["schemas"]["io.k8s.api.core.v1.Pod"]
    assert schema["description"]
    assert schema["x-kubernetes-group-version-kind"] == [{"group": "", "kind": "Pod", "version": "v1"}]
    patch = document["paths"]["/api/v1/namespaces/{namespace}/pods/{name}"]["patch"]
    assert patch["x-kubernetes-group-version-kind"] == {"group": "", "kind": "Pod", "version": "v1"}
    assert "fieldValidation" in {each["name"] for each in patch["parameters"]}


def test_a_document_lists_only_what_is_served() -> None:
    paths = documents.document("api/v1")["paths"]
    assert "/api/v1/namespaces/{namespace}/pods/{name}/status" in paths
    assert not [path for path in paths if "persistentvolume" in path or "/exec" in path or "/watch/" in path]


def test_an_unknown_document_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        documents.document_bytes("apis/batch/v1")


def test_a_document_is_json_as_it_stands() -> None:
    assert json.loads(documents.document_bytes("apis/apps/v1")) == documents.document("apis/apps/v1")


def test_a_schema_keeps_its_extensions_and_drops_its_descriptions() -> None:
    schema = documents.schema("io.k8s.api.core.v1.PodSpec")
    containers = schema["properties"]["containers"]
    assert containers["x-kubernetes-list-map-keys"] == ["name"]
    assert containers["x-kubernetes-patch-merge-key"] == "name"
    assert "description" not in containers
    condition = documents.schema("io.k8s.apimachinery.pkg.apis.meta.v1.Status")
    assert "description" not in condition


def test_a_property_called_description_is_no_description() -> None:
    schema = documents.schema("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceColumnDefinition")
    assert "description" in schema["properties"]


def test_references_are_resolved() -> None:
    assert documents.resolve(f"{REFERENCE}io.k8s.api.core.v1.Container")["required"] == ["name"]
    with pytest.raises(KeyError):
        documents.resolve(f"{REFERENCE}io.k8s.api.core.v1.Nothing")


@pytest.mark.parametrize(
    ("group", "kind", "name"),
    [
        ("", "Pod", "io.k8s.api.core.v1.Pod"),
        ("apps", "Deployment", "io.k8s.api.apps.v1.Deployment"),
        ("rbac.authorization.k8s.io", "Role", "io.k8s.api.rbac.v1.Role"),
        ("events.k8s.io", "Event", "io.k8s.api.events.v1.Event"),
        (
            "apiextensions.k8s.io",
            "CustomResourceDefinition",
            "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition",
        ),
    ],
)
def test_a_kind_has_a_schema_of_a_known_name(group: Any, kind: Any, name: Any) -> None:
    assert documents.schema_name(group, kind) == name
    assert documents.schema(name)["type"] == "object"


def test_schemas_stand_under_every_kind() -> None:
    for kind in registry():
        view = documents.typed(kind.group, kind.kind)
        assert view.field("metadata") is not None


def test_go_types_know_every_type_that_they_mention() -> None:
    types = documents.go_types()
    assert types["structs"]["core.Pod"][0][1] == "meta.TypeMeta"
    assert types["named"]["core.RestartPolicy"] == "string"
    assert ["metadata", "meta.ObjectMeta", "omitempty"] in types["structs"]["core.Pod"]


def test_columns_have_names_types_and_descriptions() -> None:
    columns = documents.columns("api/v1/pods")
    assert [each["name"] for each in columns][:5] == ["Name", "Ready", "Status", "Restarts", "Age"]
    assert all(each["type"] and each["description"] for each in columns)
    assert documents.columns("api/v1/nothing") == []


IDLE = """
import sys
from twinloop.apiserver.builtin import documents, register
from twinloop.apiserver.kinds import Registry
register(Registry())
loaded = [name for name in ("schema", "_schema_lines", "_columns", "document_paths") if getattr(documents, name).cache_info().currsize]
sys.exit(f"read without need: {loaded}" if loaded else 0)
"""


def test_registering_reads_no_data() -> None:
    done = subprocess.run([sys.executable, "-c", IDLE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
