"""Which resource a path names, which verb a method means there, and what is answered where there is none.

Codes and messages were taken from kube-apiserver 1.34, which says no to built-in kinds and to custom resources in
different ways. Leaves out: discovery and other documents, which are no resources.
"""

from __future__ import annotations

import pytest

from support.bare_server import GADGETS, THINGS, BareServer, kinds
from twinloop.apiserver.failures import Failure
from twinloop.apiserver.kinds import Registry
from twinloop.apiserver.request import Target, locate


@pytest.fixture
def registry() -> Registry:
    found = Registry()
    for kind in kinds():
        found.add(kind)
    return found


def named(target: Target | None) -> tuple[str, str, str, str]:
    assert target is not None
    return target.kind.plural, target.namespace, target.name, target.subresource


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api/v1/things", ("things", "", "", "")),
        ("/api/v1/things/", ("things", "", "", "")),
        ("/api/v1/namespaces/ns/things", ("things", "ns", "", "")),
        ("/api/v1/namespaces/ns/things/a", ("things", "ns", "a", "")),
        ("/api/v1/namespaces/ns/things/a/status", ("things", "ns", "a", "status")),
        ("/api/v1/machines/m", ("machines", "", "m", "")),
        ("/apis/example.com/v1/gadgets", ("gadgets", "", "", "")),
        ("/apis/example.com/v2/namespaces/ns/gadgets/a", ("gadgets", "ns", "a", "")),
        ("/apis/example.com/v1/namespaces/ns/gadgets/a/scale", ("gadgets", "ns", "a", "scale")),
        ("/api/v1/namespaces/a%20b/things", ("things", "a b", "", "")),
        ("/api/v1/namespaces/../things", ("things", "..", "", "")),
        ("/api/v1/namespaces//things", ("things", "", "", "")),
    ],
)
def test_a_path_names_a_resource(registry: Registry, path: str, expected: tuple[str, str, str, str]) -> None:
    assert named(locate(path, registry)) == expected


def test_the_old_watch_prefix_is_understood(registry: Registry) -> None:
    target = locate("/api/v1/watch/namespaces/ns/things/a", registry)
    assert target is not None
    assert (target.watch, *named(target)) == (True, "things", "ns", "a", "")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "",
        "/foo",
        "/api",
        "/api/v1",
        "/apis/example.com",
        "/apis/nope/v1/things",
        "/apis/example.com/v9/gadgets",
        "/apis/example.com/v1/others",
        "/apis/example.com/v1/gadgets/a",
        "/apis//v1/things",
        "/healthz",
    ],
)
def test_a_path_outside_the_served_resources_is_left_to_others(registry: Registry, path: str) -> None:
    assert locate(path, registry) is None


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/others",
        "/api/v2/things",
        "/api/v1/things/a",
        "/api/v1/namespaces/ns/machines",
        "/api/v1/namespaces/ns/things/a/scale",
        "/api/v1/namespaces/ns/things/a/status/more",
        "/api/v1/namespaces/ns/things/a%2Fb",
        "/api/v1//things",
        "/api/v1/namespaces//things/a",
    ],
)
def test_a_path_that_names_nothing_in_a_built_in_group_is_not_found(registry: Registry, path: str) -> None:
    with pytest.raises(Failure) as failure:
        locate(path, registry)
    assert failure.value.status == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": "the server could not find the requested resource",
        "reason": "NotFound",
        "details": {},
        "code": 404,
    }


# ------------------------------------------------------------------ methods


@pytest.fixture
def api() -> BareServer:
    return BareServer()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", THINGS),
        ("PATCH", THINGS),
        ("POST", f"{THINGS}/a"),
        ("POST", "/api/v1/things"),
        ("DELETE", "/api/v1/things"),
        ("DELETE", f"{THINGS}/a/status"),
        ("POST", "/api/v1/watch/things"),
        ("HEAD", THINGS),
        ("FOO", THINGS),
    ],
)
def test_a_method_that_a_built_in_resource_has_not_is_not_allowed(api: BareServer, method: str, path: str) -> None:
    reply = api.send(method, path, {})
    assert (reply.code, reply.reason, reply.json["details"]) == (405, "MethodNotAllowed", {})
    assert reply.message == "the server does not allow this method on the requested resource"


@pytest.mark.parametrize(
    ("method", "path", "verb"),
    [
        ("FOO", GADGETS, ""),
        ("POST", f"{GADGETS}/a/status", "create"),
        ("DELETE", f"{GADGETS}/a/status", "delete"),
        ("DELETE", f"{GADGETS}/a/scale", "delete"),
    ],
)
def test_a_method_that_a_custom_resource_has_not_is_named(api: BareServer, method: str, path: str, verb: str) -> None:
    reply = api.send(method, path, {})
    assert (reply.code, reply.reason) == (405, "MethodNotAllowed")
    assert reply.message == f'{verb} is not supported on resources of kind "gadgets.example.com"'
    assert reply.json["details"] == {"group": "example.com", "kind": "gadgets"}


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_write_to_a_collection_of_custom_resources_asks_for_a_name(api: BareServer, method: str) -> None:
    reply = api.send(method, GADGETS, {}, content_type="application/merge-patch+json")
    assert (reply.code, reply.message) == (400, "name must be provided")


def test_a_patch_of_a_collection_is_first_asked_for_its_type(api: BareServer) -> None:
    assert api.send("PATCH", GADGETS, {}).code == 415


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_write_to_custom_resources_of_all_namespaces_is_no_path(api: BareServer, method: str) -> None:
    reply = api.send(method, "/apis/example.com/v1/gadgets", {})
    assert (reply.code, reply.text) == (404, "404 page not found\n")


def test_a_subresource_that_a_custom_resource_has_not_is_not_found_by_its_name(api: BareServer) -> None:
    reply = api.get(f"{GADGETS}/a/nope")
    assert (reply.code, reply.message) == (404, 'gadgets.example.com "a" not found')


def test_an_unknown_path_is_answered_in_plain_text(api: BareServer) -> None:
    reply = api.get("/foo")
    assert (reply.code, reply.text, reply.answer.content_type) == (
        404,
        "404 page not found\n",
        "text/plain; charset=utf-8",
    )
    assert reply.answer.headers == {"X-Content-Type-Options": "nosniff"}
