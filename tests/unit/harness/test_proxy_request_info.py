"""What a request asks for: every form of address that the API has.

Left out: what the proxy does with it (tests/harness/test_proxy_*.py).
"""

from __future__ import annotations

import pytest

from twinloop.harness.proxy.request_info import RequestInfo, parse

CORE, GROUP = "/api/v1", "/apis/twinloop.dev/v1alpha1"


def said(info: RequestInfo) -> tuple[str, str, str, str, str]:
    """Verb, resource, subresource, namespace, name."""
    return info.verb, info.resource, info.subresource, info.namespace, info.name


@pytest.mark.parametrize(
    ("method", "target", "expected"),
    [
        ("GET", f"{CORE}/namespaces/ns/pods", ("list", "pods", "", "ns", "")),
        ("GET", f"{CORE}/namespaces/ns/pods/web-0", ("get", "pods", "", "ns", "web-0")),
        ("HEAD", f"{CORE}/namespaces/ns/pods/web-0", ("get", "pods", "", "ns", "web-0")),
        ("GET", f"{CORE}/pods", ("list", "pods", "", "", "")),
        ("POST", f"{CORE}/namespaces/ns/pods", ("create", "pods", "", "ns", "")),
        ("PUT", f"{CORE}/namespaces/ns/pods/web-0", ("update", "pods", "", "ns", "web-0")),
        ("PATCH", f"{CORE}/namespaces/ns/pods/web-0/status", ("patch", "pods", "status", "ns", "web-0")),
        ("DELETE", f"{CORE}/namespaces/ns/pods/web-0", ("delete", "pods", "", "ns", "web-0")),
        ("DELETE", f"{CORE}/namespaces/ns/pods", ("deletecollection", "pods", "", "ns", "")),
        ("POST", f"{CORE}/namespaces/ns/pods/web-0/eviction", ("create", "pods", "eviction", "ns", "web-0")),
        ("POST", f"{CORE}/namespaces/ns/pods/web-0/proxy/a/b", ("create", "pods", "proxy", "ns", "web-0")),
        ("GET", f"{GROUP}/namespaces/ns/nginxpods", ("list", "nginxpods.twinloop.dev", "", "ns", "")),
        ("GET", f"{GROUP}/nginxpods", ("list", "nginxpods.twinloop.dev", "", "", "")),
        ("PATCH", f"{GROUP}/namespaces/ns/nginxpods/w/status", ("patch", "nginxpods.twinloop.dev", "status", "ns", "w")),
        ("PUT", f"{GROUP}/namespaces/ns/nginxpods/w/scale", ("update", "nginxpods.twinloop.dev", "scale", "ns", "w")),
        ("PUT", "/apis/coordination.k8s.io/v1/namespaces/ns/leases/l", ("update", "leases.coordination.k8s.io", "", "ns", "l")),
        ("GET", f"{CORE}/nodes/n1", ("get", "nodes", "", "", "n1")),
        ("GET", f"{CORE}/namespaces", ("list", "namespaces", "", "", "")),
        ("GET", f"{CORE}/namespaces/ns", ("get", "namespaces", "", "ns", "ns")),
        ("POST", f"{CORE}/namespaces", ("create", "namespaces", "", "", "")),
        ("DELETE", f"{CORE}/namespaces/ns", ("delete", "namespaces", "", "ns", "ns")),
        ("PUT", f"{CORE}/namespaces/ns/finalize", ("update", "namespaces", "finalize", "ns", "ns")),
        ("PATCH", f"{CORE}/namespaces/ns/status", ("patch", "namespaces", "status", "ns", "ns")),
        ("GET", f"{CORE}/watch/namespaces/ns/pods", ("watch", "pods", "", "ns", "")),
        ("GET", f"{CORE}/watch/pods", ("watch", "pods", "", "", "")),
        ("GET", f"{CORE}/namespaces/n%2Fs/pods/%C3%A9", ("get", "pods", "", "n/s", "é")),
        ("GET", f"{CORE}/namespaces/ns/pods/", ("list", "pods", "", "ns", "")),
    ],
)  # fmt: skip
def test_every_form_of_address(method: str, target: str, expected: tuple[str, ...]) -> None:
    assert said(parse(method, target)) == expected


@pytest.mark.parametrize(
    "target", ["/", "/api", "/api/v1", "/apis", "/apis/apps", "/apis/apps/v1", "/version", "/healthz", "/openapi/v3/api/v1"]
)  # fmt: skip
def test_discovery_and_the_like_name_no_resource(target: str) -> None:
    assert said(parse("GET", target)) == ("get", "", "", "", "")


@pytest.mark.parametrize(
    ("value", "verb"),
    [("true", "watch"), ("1", "watch"), ("True", "watch"), ("", "watch"), ("yes", "watch"), ("false", "list"), ("0", "list"), ("FALSE", "list")],
)  # fmt: skip
def test_what_counts_as_a_watch(value: str, verb: str) -> None:
    assert parse("GET", f"{CORE}/pods?watch={value}").verb == verb


def test_a_get_of_one_object_is_no_watch_whatever_it_says() -> None:
    assert parse("GET", f"{CORE}/namespaces/ns/pods/web-0?watch=true").verb == "get"


def test_the_first_of_two_values_counts_as_it_does_for_the_server() -> None:
    info = parse("GET", f"{CORE}/pods?watch=false&watch=true&limit=5")
    assert (info.verb, info.query) == ("list", {"watch": "false", "limit": "5"})


@pytest.mark.parametrize(
    ("selector", "name"),
    [
        ("metadata.name%3Dweb", "web"),
        ("metadata.name%3D%3Dweb", "web"),
        ("status.phase%3DRunning,metadata.name%3Dweb", "web"),
        ("status.phase%3DRunning", ""),
        ("metadata.namespace%3Dns", ""),
    ],
)
def test_a_list_of_one_object_is_about_that_object(selector: str, name: str) -> None:
    assert parse("GET", f"{GROUP}/nginxpods?fieldSelector={selector}").name == name


def test_a_query_and_the_path_are_kept() -> None:
    info = parse("GET", f"{CORE}/pods?labelSelector=a%3Db&limit=500")
    assert (info.path, info.query) == (f"{CORE}/pods", {"labelSelector": "a=b", "limit": "500"})


@pytest.mark.parametrize(
    ("method", "target", "writes"),
    [
        ("POST", f"{CORE}/namespaces/ns/pods", True),
        ("DELETE", f"{CORE}/namespaces/ns/pods", True),
        ("GET", f"{CORE}/namespaces/ns/pods", False),
        ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", False),
        ("POST", "/apis/authentication.k8s.io/v1/tokenreviews", False),
        ("POST", "/version", False),
    ],
)
def test_what_changes_something(method: str, target: str, writes: bool) -> None:
    assert parse(method, target).writes is writes


@pytest.mark.parametrize(
    ("query", "streams"), [("watch=1", True), ("follow=true", True), ("follow=0", False), ("", False)]
)
def test_what_has_no_end_of_its_own(query: str, streams: bool) -> None:
    assert parse("GET", f"{CORE}/pods?{query}").streams is streams


def test_the_address_leads_back_to_the_resource() -> None:
    info = parse("PATCH", f"{GROUP}/namespaces/ns/nginxpods/web/status")
    assert info.kind_of_object.path("ns", "web") == f"{GROUP}/namespaces/ns/nginxpods/web"
    assert str(info.kind_of_object) == info.resource
    cluster = parse("PATCH", f"{CORE}/nodes/n1").kind_of_object
    assert cluster.path(None, "n1") == f"{CORE}/nodes/n1"
