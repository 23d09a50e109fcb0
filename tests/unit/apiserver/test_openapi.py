"""OpenAPI v3: the index with its hashes, the documents of built-in groups, and those made of CustomResourceDefinitions.

Covered: hashes and caching, redirects, what kubectl's explain and validation look for in a document of custom resources,
following the registry.
Left out: that kubectl is content (tests/clients/test_kubectl.py), the built-in documents' content (it is Kubernetes' own).
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

import pytest

from twinloop.apiserver import builtin
from twinloop.apiserver.answer import Answer
from twinloop.apiserver.builtin import documents
from twinloop.apiserver.kinds import Kind, Registry
from twinloop.apiserver.publish.custom_openapi import DEFINITIONS
from twinloop.apiserver.publish.paths import Documents
from twinloop.apiserver.request import Request
from twinloop.apiserver.storage import Storage
from twinloop.apiserver.strategy import Strategy
from twinloop.apiserver.tally import Tally

PATH = "apis/stable.example.com/v1"
SCHEMA = {
    "type": "object",
    "description": "A widget.",
    "properties": {
        "spec": {
            "type": "object",
            "required": ["replicas"],
            "properties": {
                "replicas": {"type": "integer", "default": 1},
                "port": {"x-kubernetes-int-or-string": True},
                "template": {
                    "type": "object",
                    "x-kubernetes-embedded-resource": True,
                    "properties": {"spec": {"type": "object"}},
                },
            },
            "x-kubernetes-validations": [{"rule": "self.replicas < 5"}],
        }
    },
}


class Site:
    def __init__(self) -> None:
        self.registry, self.storage, self.tally = Registry(), Storage(), Tally()
        builtin.register(self.registry)
        self.documents = Documents(self)

    def define(
        self, schema: Any = SCHEMA, *, namespaced: bool = True, subresources: tuple[str, ...] = ("status", "scale")
    ) -> None:
        version = {"name": "v1", "served": True, "schema": {"openAPIV3Schema": schema}}
        spec = {"group": "stable.example.com", "names": {"plural": "widgets", "kind": "Widget"}, "versions": [version]}
        head = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
        meta = {"name": "widgets.stable.example.com"}
        self.storage.create(DEFINITIONS, {**head, "metadata": meta, "spec": spec}, {})
        kind = Kind(
            "stable.example.com",
            "v1",
            "Widget",
            "widgets",
            Strategy(),
            namespaced=namespaced,
            subresources=subresources,
        )
        self.registry.add(kind)

    def get(self, path: str, *query: tuple[str, str], **headers: str) -> Answer:
        given = {key.replace("_", "-"): value for key, value in headers.items()}
        return self.documents.answer(Request("GET", path, query, given))

    def index(self) -> dict[str, str]:
        paths = json.loads(self.get("/openapi/v3").body)["paths"]
        return {path: entry["serverRelativeURL"] for path, entry in paths.items()}

    def document(self, path: str = PATH) -> Any:
        answer = self.get(f"/openapi/v3/{path}")
        assert answer.code == 200
        return json.loads(answer.body)


# --- the index and how documents are fetched --------------------------------------------------------------------------


def test_the_index_has_a_url_with_the_hash_of_each_document() -> None:
    site = Site()
    index = site.index()
    assert {"api/v1", "apis/apps/v1", "apis/apiextensions.k8s.io/v1"} <= set(index)
    for path, url in index.items():
        found, _, tag = url.partition("?hash=")
        assert found == f"/openapi/v3/{path}"
        assert tag == hashlib.sha512(site.get(found).body).hexdigest().upper()


def test_a_document_under_its_hash_may_be_kept_for_good() -> None:
    site = Site()
    tag = site.index()["api/v1"].partition("=")[2]
    answer = site.get("/openapi/v3/api/v1", ("hash", tag))
    assert answer.headers["Cache-Control"] == "public, immutable"
    assert "Expires" in answer.headers
    assert answer.headers["Etag"] == f'"{tag}"'
    assert "Cache-Control" not in site.get("/openapi/v3/api/v1").headers


def test_an_outdated_hash_leads_to_the_right_one() -> None:
    site = Site()
    answer = site.get("/openapi/v3/api/v1", ("hash", "00"))
    assert (answer.code, answer.body, answer.headers["Location"]) == (301, b"", site.index()["api/v1"])


def test_who_has_a_document_gets_304() -> None:
    site = Site()
    tag = site.get("/openapi/v3/api/v1").headers["Etag"]
    assert site.get("/openapi/v3/api/v1", if_none_match=tag).code == 304
    assert site.get("/openapi/v3/api/v1", if_none_match='"other"').code == 200


@pytest.mark.parametrize("path", ["/openapi/v3/", "/openapi/v3/nope", "/openapi/v3/apis/apps"])
def test_an_unknown_document_is_an_empty_404(path: str) -> None:
    answer = Site().get(path)
    assert (answer.code, answer.body) == (404, b"")


def test_only_json_is_to_be_had() -> None:
    assert Site().get("/openapi/v3/api/v1", accept="text/html").code == 406
    assert Site().get("/openapi/v3/api/v1", accept="application/json, */*").code == 200


def test_built_in_documents_are_kubernetes_own() -> None:
    assert Site().get("/openapi/v3/apis/apps/v1").body == documents.document_bytes("apis/apps/v1")


def test_documents_come_and_go_with_their_definition() -> None:
    site = Site()
    assert PATH not in site.index()
    site.define()
    assert PATH in site.index()
    site.registry.remove("stable.example.com", "v1", "widgets")
    assert PATH not in site.index()


# --- documents of custom resources ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def document() -> Any:
    site = Site()
    site.define()
    return site.document()


def schema(document: Any, name: str = "com.example.stable.v1.Widget") -> Any:
    return document["components"]["schemas"][name]


def test_a_schema_is_marked_with_its_kind(document: Any) -> None:
    """kubectl explain and validation find it by that."""
    found = {"group": "stable.example.com", "kind": "Widget", "version": "v1"}
    assert schema(document)["x-kubernetes-group-version-kind"] == [found]
    assert schema(document, "com.example.stable.v1.WidgetList")["x-kubernetes-group-version-kind"] == [
        {**found, "kind": "WidgetList"}
    ]


def test_a_schema_has_what_every_object_has(document: Any) -> None:
    properties = schema(document)["properties"]
    assert properties["apiVersion"]["type"] == properties["kind"]["type"] == "string"
    assert properties["metadata"]["allOf"] == [
        {"$ref": "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}
    ]
    assert schema(document)["description"] == "A widget."
    assert properties["spec"]["properties"]["replicas"] == {"type": "integer", "default": 1}
    assert properties["spec"]["x-kubernetes-validations"] == [{"rule": "self.replicas < 5"}]


def test_an_integer_or_string_is_any_of_both(document: Any) -> None:
    port = schema(document)["properties"]["spec"]["properties"]["port"]
    assert port["anyOf"] == [{"type": "integer"}, {"type": "string"}]


def test_an_embedded_object_has_metadata_too(document: Any) -> None:
    embedded = schema(document)["properties"]["spec"]["properties"]["template"]
    assert set(embedded["properties"]) == {"apiVersion", "kind", "metadata", "spec"}


def test_every_reference_leads_somewhere(document: Any) -> None:
    known = set(document["components"]["schemas"])
    assert {name.rpartition("/")[2] for name in re.findall(r'"\$ref": "([^"]+)"', json.dumps(document))} <= known


def test_paths_are_those_that_are_served(document: Any) -> None:
    here = f"/{PATH}/namespaces/{{namespace}}/widgets"
    assert {path: set(item) for path, item in document["paths"].items()} == {
        here: {"get", "post", "delete"},
        f"{here}/{{name}}": {"get", "put", "patch", "delete"},
        f"{here}/{{name}}/scale": {"get", "put", "patch"},
        f"{here}/{{name}}/status": {"get", "put", "patch"},
        f"/{PATH}/widgets": {"get"},
    }


def test_a_cluster_scoped_kind_has_no_namespaced_paths() -> None:
    site = Site()
    site.define(namespaced=False, subresources=())
    assert set(site.document()["paths"]) == {f"/{PATH}/widgets", f"/{PATH}/widgets/{{name}}"}


def test_a_patch_says_that_it_knows_field_validation(document: Any) -> None:
    """kubectl looks for it before it sends fieldValidation=Strict, and validates by itself where it is missing."""
    patch = document["paths"][f"/{PATH}/namespaces/{{namespace}}/widgets/{{name}}"]["patch"]
    assert patch["x-kubernetes-group-version-kind"] == {
        "group": "stable.example.com",
        "version": "v1",
        "kind": "Widget",
    }
    assert {each["name"] for each in patch["parameters"]} == {"dryRun", "fieldManager", "fieldValidation", "force"}
    assert "application/apply-patch+yaml" in patch["requestBody"]["content"]


def test_a_schema_that_allows_anything_is_published_as_that() -> None:
    site = Site()
    site.define({"type": "object", "x-kubernetes-preserve-unknown-fields": True})
    found = schema(site.document())
    assert (found["type"], found["x-kubernetes-preserve-unknown-fields"]) == ("object", True)
    assert set(found["properties"]) == {"apiVersion", "kind", "metadata"}


def test_values_that_look_like_schemas_stay_as_they_are() -> None:
    site = Site()
    given = {"type": "object", "properties": {"a": {"type": "object", "default": {"x-kubernetes-int-or-string": True}}}}
    site.define(given)
    assert schema(site.document())["properties"]["a"]["default"] == {"x-kubernetes-int-or-string": True}
