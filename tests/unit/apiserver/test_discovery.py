"""What is served, as the server tells it: /api and /apis, plain and aggregated, and how that follows the registry.

Covered: the shape of each document, order of groups and versions, subresources, verbs, the Accept header, ETags, closing
slashes, methods, the kinds of 404.
Left out: the same requests at a real server, field by field (tests/conformance).
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from twinloop.apiserver import builtin
from twinloop.apiserver.answer import Answer
from twinloop.apiserver.failures import Failure
from twinloop.apiserver.kinds import Kind, Registry, version_priority
from twinloop.apiserver.publish.discovery import AGGREGATED
from twinloop.apiserver.publish.paths import Documents
from twinloop.apiserver.request import Request
from twinloop.apiserver.storage import Storage
from twinloop.apiserver.strategy import Strategy
from twinloop.apiserver.tally import Tally

KUBECTL = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"
)


class Host:
    def __init__(self) -> None:
        self.registry, self.storage, self.tally = Registry(), Storage(), Tally()
        builtin.register(self.registry)


def widget(version: str = "v1", **more: Any) -> Kind:
    return Kind("example.com", version, "Widget", "widgets", Strategy(), singular="widget", **more)


class Site:
    def __init__(self, *kinds: Kind) -> None:
        self.host = Host()
        for kind in kinds:
            self.host.registry.add(kind)
        self.documents = Documents(self.host)

    def get(self, path: str, accept: str = "", method: str = "GET", **headers: str) -> Answer:
        given = {"accept": accept, "host": "127.0.0.1:1"} | {
            key.replace("_", "-"): each for key, each in headers.items()
        }
        return self.documents.answer(Request(method, path, headers=given))

    def json(self, path: str, accept: str = "") -> Any:
        answer = self.get(path, accept)
        assert answer.code == 200
        return json.loads(answer.body)


def resources(document: Any) -> dict[str, Any]:
    return {each["name"]: each for each in document["resources"]}


# --- plain ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/api", "/api/"])
def test_api_lists_the_core_version_and_our_address(path: str) -> None:
    assert Site().json(path) == {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1:1"}],
    }


@pytest.mark.parametrize("path", ["/apis", "/apis/"])
def test_apis_lists_groups_in_order_of_priority(path: str) -> None:
    document = Site(widget(), Kind("aaa.example", "v1", "A", "as", Strategy())).json(path)
    assert (document["kind"], document["apiVersion"]) == ("APIGroupList", "v1")
    names = [group["name"] for group in document["groups"]]
    assert names[0] == "apps"
    assert names[-2:] == ["aaa.example", "example.com"], "custom groups come last, by name"
    assert "" not in names


def test_versions_are_listed_best_first() -> None:
    group = Site(*map(widget, ["v1beta1", "v1alpha1", "v2", "v1", "v10"])).json("/apis/example.com")
    assert [each["version"] for each in group["versions"]] == ["v10", "v2", "v1", "v1beta1", "v1alpha1"]
    assert group["preferredVersion"] == {"groupVersion": "example.com/v10", "version": "v10"}
    assert (group["kind"], group["apiVersion"], group["name"]) == ("APIGroup", "v1", "example.com")


def test_versions_that_are_none_of_kubernetes_come_last_by_name() -> None:
    given = ["foo", "v1", "v0", "v1beta2", "v1beta10", "v2alpha1", "bar", "v11"]
    assert sorted(given, key=version_priority) == ["v11", "v1", "v1beta10", "v1beta2", "v2alpha1", "bar", "foo", "v0"]


@pytest.mark.parametrize("path", ["/api/v1", "/api/v1/"])
def test_a_group_version_lists_its_resources_and_their_subresources(path: str) -> None:
    document = Site().json(path)
    assert "apiVersion" not in document, "the core group's list has never had one"
    assert document["groupVersion"] == "v1"
    found = resources(document)
    assert found["pods"] == {
        "name": "pods",
        "singularName": "pod",
        "namespaced": True,
        "kind": "Pod",
        "verbs": ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
        "shortNames": ["po"],
        "categories": ["all"],
        "storageVersionHash": "xPOwRZ+Yhw8=",
    }
    assert found["pods/eviction"] == {
        "name": "pods/eviction",
        "singularName": "",
        "namespaced": True,
        "group": "policy",
        "version": "v1",
        "kind": "Eviction",
        "verbs": ["create"],
    }
    assert found["namespaces"]["namespaced"] is False
    assert "deletecollection" not in found["namespaces"]["verbs"]


def test_resources_are_sorted_by_name() -> None:
    names = [each["name"].partition("/")[0] for each in Site().json("/api/v1")["resources"]]
    assert names == sorted(names)


def test_a_named_group_s_list_has_an_api_version() -> None:
    document = Site().json("/apis/apps/v1")
    assert (document["apiVersion"], document["groupVersion"]) == ("v1", "apps/v1")
    scale = resources(document)["deployments/scale"]
    assert (scale["group"], scale["version"], scale["kind"]) == ("autoscaling", "v1", "Scale")


def test_both_kinds_of_event_are_stored_as_one() -> None:
    site = Site()
    core, named = site.json("/api/v1"), site.json("/apis/events.k8s.io/v1")
    hashes = {resources(each)["events"]["storageVersionHash"] for each in (core, named)}
    assert hashes == {"r2yiGXH7wu8="}


def test_what_is_never_stored_has_no_storage_version() -> None:
    review = resources(Site().json("/apis/authorization.k8s.io/v1"))["selfsubjectaccessreviews"]
    assert (review["verbs"], "storageVersionHash" in review) == (["create"], False)


def test_custom_resources_list_their_verbs_in_the_order_of_apiextensions() -> None:
    kind = widget(short_names=("wd",), categories=("all",), subresources=("status", "scale"))
    found = resources(Site(kind).json("/apis/example.com/v1"))
    assert found["widgets"]["verbs"] == [
        "delete",
        "deletecollection",
        "get",
        "list",
        "patch",
        "create",
        "update",
        "watch",
    ]
    assert list(found) == ["widgets", "widgets/status", "widgets/scale"]
    assert found["widgets/status"]["kind"] == "Widget"
    assert found["widgets/scale"]["kind"] == "Scale"


def test_documents_follow_the_registry() -> None:
    site = Site()
    assert site.get("/apis/example.com/v1").code == 404
    site.host.registry.add(widget())
    assert site.get("/apis/example.com/v1").code == 200
    site.host.registry.remove("example.com", "v1", "widgets")
    assert site.get("/apis/example.com/v1").code == 404


# --- aggregated -------------------------------------------------------------------------------------------------------


def test_kubectl_gets_everything_in_two_answers() -> None:
    site = Site(widget(subresources=("status",)))
    core, named = site.get("/api", KUBECTL), site.get("/apis", KUBECTL)
    assert core.content_type == named.content_type == AGGREGATED
    assert core.headers["Cache-Control"] == "public"
    document = json.loads(core.body)
    assert (document["kind"], document["apiVersion"]) == ("APIGroupDiscoveryList", "apidiscovery.k8s.io/v2")
    assert [item["metadata"] for item in document["items"]] == [{}]
    names = [item["metadata"]["name"] for item in json.loads(named.body)["items"]]
    assert (names[0], names[-1]) == ("apps", "example.com")


def test_an_aggregated_resource_of_a_built_in_group_leaves_its_group_empty() -> None:
    version = Site().json("/api", KUBECTL)["items"][0]["versions"][0]
    assert (version["version"], version["freshness"]) == ("v1", "Current")
    found = {each["resource"]: each for each in version["resources"]}
    assert found["serviceaccounts"] == {
        "resource": "serviceaccounts",
        "responseKind": {"group": "", "version": "", "kind": "ServiceAccount"},
        "scope": "Namespaced",
        "singularResource": "serviceaccount",
        "verbs": ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
        "shortNames": ["sa"],
        "subresources": [
            {
                "subresource": "token",
                "responseKind": {"group": "authentication.k8s.io", "version": "v1", "kind": "TokenRequest"},
                "verbs": ["create"],
            }
        ],
    }
    assert found["namespaces"]["scope"] == "Cluster"


def test_an_aggregated_custom_resource_names_its_group() -> None:
    item = Site(widget(subresources=("status",))).json("/apis", KUBECTL)["items"][-1]
    own = {"group": "example.com", "version": "v1", "kind": "Widget"}
    found = item["versions"][0]["resources"][0]
    assert found["responseKind"] == own
    assert found["subresources"] == [
        {"subresource": "status", "responseKind": own, "verbs": ["get", "patch", "update"]}
    ]


def test_who_has_the_document_gets_304_until_something_changes() -> None:
    site = Site()
    tag = site.get("/apis", KUBECTL).headers["Etag"]
    again = site.get("/apis", KUBECTL, if_none_match=tag)
    assert (again.code, again.body, again.headers["Etag"]) == (304, b"", tag)
    site.host.registry.add(widget())
    assert site.get("/apis", KUBECTL, if_none_match=tag).code == 200


def test_who_prefers_the_plain_form_gets_it() -> None:
    assert Site().json("/apis", f"application/json,{KUBECTL}")["kind"] == "APIGroupList"
    assert Site().json("/apis", "*/*")["kind"] == "APIGroupList"


@pytest.mark.parametrize("path", ["/api", "/apis"])
def test_an_older_aggregated_form_is_not_to_be_had(path: str) -> None:
    with pytest.raises(Failure) as caught:
        Site().get(path, "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList")
    assert caught.value.code == 406


# --- forms, methods and 404 -------------------------------------------------------------------------------------------


def test_yaml_for_who_wants_it() -> None:
    answer = Site().get("/api", "application/yaml")
    assert answer.content_type == "application/yaml"
    assert answer.body.startswith(b"kind: APIVersions\n")


@pytest.mark.parametrize(
    ("path", "accept", "by_route"),
    [
        ("/api", "text/html", True),
        ("/api/v1", "application/*", True),
        ("/api", "application/json;as=Table;v=v1;g=meta.k8s.io", False),
        ("/apis", "text/html", False),
        ("/apis/apps", ",", False),
    ],
)
def test_other_forms_are_refused_by_the_route_or_by_the_negotiation(path: str, accept: str, by_route: bool) -> None:
    with pytest.raises(Failure) as caught:
        Site().get(path, accept)
    forms = "application/json, application/yaml, application/vnd.kubernetes.protobuf"
    routed, negotiated = (
        "406: Not Acceptable\n\nAvailable representations: ",
        "only the following media types are accepted: ",
    )
    assert caught.value.message == (routed if by_route else negotiated) + forms


@pytest.mark.parametrize("path", ["/api", "/api/", "/apis/", "/api/v1", "/apis/apps/v1"])
def test_documents_are_read_only(path: str) -> None:
    if path == "/api":
        assert Site().get(path, method="GET").code == 200
    with pytest.raises(Failure) as caught:
        Site().get(path, method="POST")
    assert caught.value.code == 405


@pytest.mark.parametrize("path", ["/apis", "/apis/apps"])
def test_some_documents_never_look_at_the_method(path: str) -> None:
    assert Site().get(path, method="POST").code == 200


@pytest.mark.parametrize(
    "path",
    ["/apis/nope", "/apis/nope/v1", "/apis//", "/apis//apps", "/apis/example.com/v2", "/nope", "/apifoo", "//api"],
)
def test_an_unknown_group_is_plain_text(path: str) -> None:
    answer = Site(widget()).get(path)
    assert (answer.code, answer.body, answer.content_type) == (
        404,
        b"404 page not found\n",
        "text/plain; charset=utf-8",
    )


@pytest.mark.parametrize("path", ["/api/v2", "/api//v1", "/apis/apps/v2", "/apis/apps/nope"])
def test_an_unknown_version_of_a_built_in_group_is_a_status(path: str) -> None:
    with pytest.raises(Failure) as caught:
        Site().get(path)
    assert (caught.value.code, caught.value.reason) == (404, "NotFound")
