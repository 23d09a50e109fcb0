"""GET of objects and lists: selectors, pages, resource versions, and what is expired or too new.

Codes and messages were taken from kube-apiserver 1.34, which waits three seconds before it says that a version is too
large; here that is said at once. Leaves out: forms of answers (test_media.py), watches (test_watch.py).
"""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from support.bare_server import GADGETS, THINGS, BareServer, thing

EXPIRED = "The resourceVersion for the provided list is too old."


@pytest.fixture
def api() -> BareServer:
    found = BareServer()
    for number, name in enumerate("abcde"):
        found.post(THINGS, thing(name, labels={"n": str(number)}, colour="red" if number % 2 else "blue"))
    return found


def token_of(reply: Any) -> dict[str, Any]:
    text = reply.meta["continue"]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return found


def token(**fields: Any) -> str:
    raw = json.dumps({"v": "meta.k8s.io/v1", **fields}).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


# ------------------------------------------------------------------ one object


def test_an_object_that_is_not_there_is_not_found(api: BareServer) -> None:
    reply = api.get(f"{THINGS}/nope")
    assert (reply.code, reply.reason, reply.message) == (404, "NotFound", 'things "nope" not found')
    assert reply.json["details"] == {"name": "nope", "kind": "things"}


def test_a_custom_resource_is_named_with_its_group(api: BareServer) -> None:
    reply = api.get(f"{GADGETS}/nope")
    assert reply.message == 'gadgets.example.com "nope" not found'
    assert reply.json["details"] == {"name": "nope", "group": "example.com", "kind": "gadgets"}


@pytest.mark.parametrize("version", ["0", "1", "103"])
def test_a_version_not_newer_than_now_gets_the_present_state(api: BareServer, version: str) -> None:
    assert api.get(f"{THINGS}/a?resourceVersion={version}").code == 200


def test_a_malformed_version_of_one_object_is_an_error(api: BareServer) -> None:
    reply = api.get(f"{THINGS}/a?resourceVersion=abc")
    text = 'resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax'
    assert (reply.code, reply.reason, reply.message) == (500, "", text)


@pytest.mark.parametrize("path", [f"{THINGS}/a", THINGS])
def test_a_version_that_is_not_there_yet_is_too_large(api: BareServer, path: str) -> None:
    reply = api.get(f"{path}?resourceVersion=999")
    assert reply.code == 504
    assert reply.json["message"] == f"Timeout: Too large resource version: 999, current: {api.version}"
    assert reply.json["details"] == {
        "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
        "retryAfterSeconds": 1,
    }
    assert reply.answer.headers == {"Retry-After": "1"}


# ------------------------------------------------------------------ lists


def test_a_list_says_its_kind_and_the_present_version(api: BareServer) -> None:
    reply = api.get(THINGS)
    assert (reply.json["kind"], reply.json["apiVersion"], reply.names) == ("ThingList", "v1", list("abcde"))
    assert reply.meta == {"resourceVersion": str(api.version)}


def test_a_list_of_all_namespaces_is_ordered_by_namespace(api: BareServer) -> None:
    api.post(THINGS.replace("here", "elsewhere"), thing("z"))
    assert api.get("/api/v1/things").names == ["z", *"abcde"]
    assert api.get("/api/v1/namespaces/nowhere/things").names == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("labelSelector=n=1", "b"),
        ("labelSelector=n in (1,2)", "bc"),
        ("labelSelector=n>2", "de"),
        ("labelSelector=!n", ""),
        ("fieldSelector=metadata.name=c", "c"),
        ("fieldSelector=metadata.name!=c", "abde"),
        ("fieldSelector=metadata.namespace=here", "abcde"),
        ("fieldSelector=metadata.namespace=there", ""),
        ("fieldSelector=spec.colour=red", "bd"),
        ("fieldSelector=spec.colour=red,metadata.name!=d", "b"),
        ("labelSelector=n>0&fieldSelector=spec.colour=blue", "ce"),
    ],
)
def test_selectors_pick_objects(api: BareServer, query: str, expected: str) -> None:
    assert "".join(api.get(f"{THINGS}?{query}").names) == expected


def test_a_field_that_the_kind_does_not_offer_is_a_bad_request(api: BareServer) -> None:
    reply = api.get(f"{THINGS}?fieldSelector=spec.size=1")
    assert (reply.code, reply.reason) == (400, "BadRequest")
    assert reply.message == '"spec.size" is not a known field selector: only "metadata.name", "metadata.namespace"'
    assert api.get(f"{GADGETS}?fieldSelector=spec.size=1").message == "field label not supported: spec.size"


# ------------------------------------------------------------------ pages


def test_pages_follow_one_another_and_end(api: BareServer) -> None:
    first = api.get(f"{THINGS}?limit=2")
    assert (first.names, first.meta["remainingItemCount"]) == (["a", "b"], 3)
    assert token_of(first) == {"v": "meta.k8s.io/v1", "rv": api.version, "start": "/b\0"}
    second = api.get(f"{THINGS}?limit=2&continue={first.meta['continue']}")
    assert (second.names, second.meta["remainingItemCount"]) == (["c", "d"], 1)
    third = api.get(f"{THINGS}?limit=2&continue={second.meta['continue']}")
    assert third.names == ["e"]
    assert "continue" not in third.meta
    assert "remainingItemCount" not in third.meta


def test_a_page_that_holds_everything_has_no_continue(api: BareServer) -> None:
    assert "continue" not in api.get(f"{THINGS}?limit=5").meta


@pytest.mark.parametrize("limit", ["0", "-1"])
def test_a_limit_below_one_is_none(api: BareServer, limit: str) -> None:
    assert api.get(f"{THINGS}?limit={limit}").names == list("abcde")


def test_pages_show_the_state_of_the_first(api: BareServer) -> None:
    first = api.get(f"{THINGS}?limit=2")
    api.delete(f"{THINGS}/c")
    api.patch(f"{THINGS}/d", {"spec": {"colour": "green"}})
    api.thing("cc")
    rest = api.get(f"{THINGS}?continue={first.meta['continue']}")
    assert rest.names == ["c", "d", "e"]
    assert rest.json["items"][1]["spec"]["colour"] == "red"
    assert rest.meta["resourceVersion"] == first.meta["resourceVersion"]


def test_pages_run_over_namespaces(api: BareServer) -> None:
    api.post(THINGS.replace("here", "there"), thing("a"))
    first = api.get("/api/v1/things?limit=5")
    assert token_of(first)["start"] == "here/e\0"
    rest = api.get(f"/api/v1/things?continue={first.meta['continue']}")
    assert [item["metadata"]["namespace"] for item in rest.json["items"]] == ["there"]


def test_pages_of_a_selection_do_not_count_what_remains(api: BareServer) -> None:
    page = api.get(f"{THINGS}?labelSelector=n>0&limit=2")
    assert page.names == ["b", "c"]
    assert "remainingItemCount" not in page.meta
    assert api.get(f"{THINGS}?labelSelector=n>0&continue={page.meta['continue']}").names == ["d", "e"]


def test_a_page_may_be_empty_because_nobody_looks_further_than_the_last(api: BareServer) -> None:
    page = api.get(f"{THINGS}?labelSelector=n<2&limit=2")
    assert page.names == ["a", "b"]
    rest = api.get(f"{THINGS}?labelSelector=n<2&limit=2&continue={page.meta['continue']}")
    assert rest.names == []
    assert "continue" not in rest.meta


def test_one_object_by_its_name_is_never_a_page(api: BareServer) -> None:
    page = api.get(f"{THINGS}?fieldSelector=metadata.name=a&limit=1")
    assert page.names == ["a"]
    assert "continue" not in page.meta


def test_a_page_of_a_forgotten_state_is_expired_and_offers_to_go_on(api: BareServer) -> None:
    page = api.get(f"{THINGS}?limit=2")
    api.delete(f"{THINGS}/c")
    api.storage.compact(api.version)
    reply = api.get(f"{THINGS}?limit=2&continue={page.meta['continue']}")
    assert (reply.code, reply.reason) == (410, "Expired")
    assert reply.message.startswith("The provided continue parameter is too old to display a consistent list result.")
    assert token_of(reply) == {"v": "meta.k8s.io/v1", "rv": -1, "start": "b\0"}
    rest = api.get(f"{THINGS}?limit=2&continue={reply.meta['continue']}")
    assert (rest.names, rest.meta["resourceVersion"]) == (["d", "e"], str(api.version))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("xyz", "continue key is not valid: invalid character '\u00c7' looking for beginning of value"),
        ("abc", "continue key is not valid: invalid character 'i' looking for beginning of value"),
        ("a", "continue key is not valid: illegal base64 data at input byte 0"),
        (token(rv=5, start=""), "continue key is not valid: encoded start key empty (version meta.k8s.io/v1)"),
        (token(rv=0, start="a"), "continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)"),
        (token(rv=5, start="a", v="v9"), "continue key is not valid: server does not recognize this encoded version v9"),
        (token(rv=5, start="../a"), "continue key is not valid: ../a"),
    ],
)  # fmt: skip
def test_a_continue_that_is_none_is_a_bad_request(api: BareServer, bad: str, message: str) -> None:
    reply = api.get(f"{THINGS}?continue={bad}")
    assert (reply.code, reply.reason, reply.message) == (400, "BadRequest", f"invalid continue token: {message}")


def test_a_continue_goes_with_no_version(api: BareServer) -> None:
    page = api.get(f"{THINGS}?limit=2")
    reply = api.get(f"{THINGS}?continue={page.meta['continue']}&resourceVersion={api.version}")
    assert reply.message == "specifying resource version is not allowed when using continue"


# ------------------------------------------------------------------ versions of lists


def past(api: BareServer) -> int:
    """A version at which there was no f."""
    version = api.version
    api.thing("f")
    return version


@pytest.mark.parametrize(
    "query", ["", "resourceVersion=", "resourceVersion=0", "resourceVersion=0&resourceVersionMatch=NotOlderThan"]
)
def test_without_a_version_the_present_is_shown(api: BareServer, query: str) -> None:
    past(api)
    assert api.get(f"{THINGS}?{query}").names == list("abcdef")


def test_a_version_alone_is_a_lower_bound(api: BareServer) -> None:
    version = past(api)
    for match in ("", "&resourceVersionMatch=NotOlderThan"):
        reply = api.get(f"{THINGS}?resourceVersion={version}{match}")
        assert (reply.names, reply.meta["resourceVersion"]) == (list("abcdef"), str(api.version))


def test_an_exact_version_is_shown_as_it_was(api: BareServer) -> None:
    version = past(api)
    reply = api.get(f"{THINGS}?resourceVersion={version}&resourceVersionMatch=Exact")
    assert (reply.names, reply.meta["resourceVersion"]) == (list("abcde"), str(version))


def test_pages_of_an_exact_version(api: BareServer) -> None:
    version = past(api)
    page = api.get(f"{THINGS}?resourceVersion={version}&resourceVersionMatch=Exact&limit=4")
    assert (page.names, page.meta["remainingItemCount"]) == (list("abcd"), 1)
    assert api.get(f"{THINGS}?continue={page.meta['continue']}").names == ["e"]


def test_a_limit_with_a_version_alone_means_exactly_that_version(api: BareServer) -> None:
    version = past(api)
    assert api.get(f"{THINGS}?resourceVersion={version}&limit=9").names == list("abcde")


def test_version_0_is_answered_whole_whatever_the_limit(api: BareServer) -> None:
    assert api.get(f"{THINGS}?resourceVersion=0&limit=2").names == list("abcde")


def test_an_exact_version_that_is_forgotten_is_expired(api: BareServer) -> None:
    for query in ("resourceVersion=1&resourceVersionMatch=Exact", "resourceVersion=1&limit=5"):
        reply = api.get(f"{THINGS}?{query}")
        assert (reply.code, reply.reason, reply.message) == (410, "Expired", EXPIRED)


@pytest.mark.parametrize("version", ["abc", "-1", "1.5"])
def test_a_malformed_version_of_a_list_is_a_bad_request(api: BareServer, version: str) -> None:
    reply = api.get(f"{THINGS}?resourceVersion={version}")
    text = f'resourceVersion: Invalid value: "{version}": strconv.ParseUint: parsing "{version}": invalid syntax'
    assert (reply.code, reply.message) == (400, f"invalid resource version: {text}")


def test_a_version_out_of_range_is_told_so(api: BareServer) -> None:
    assert api.get(f"{THINGS}?resourceVersion={1 << 64}").message.endswith("value out of range")
