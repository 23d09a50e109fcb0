"""Answers: those that rules give, what of them the history keeps, and lists as they were.

Left out: sending them (tests/harness/test_proxy_acts.py).
"""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from twinloop.harness.proxy.answer import Answer, decode, for_history, passed_on, refusal
from twinloop.harness.proxy.lists import stale
from twinloop.harness.proxy.request_info import RequestInfo, parse

PODS = "/api/v1/namespaces/ns/pods"
PATCH = parse("PATCH", "/apis/twinloop.dev/v1alpha1/namespaces/ns/nginxpods/web/status")
LIST = parse("GET", PODS)


def answer(code: int, body: Any, **headers: str) -> Answer:
    """An answer in JSON."""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Answer(code, named, body if isinstance(body, bytes) else json.dumps(body).encode())


@pytest.mark.parametrize(
    ("code", "reason"), [(403, "Forbidden"), (409, "Conflict"), (410, "Expired"), (429, "TooManyRequests"), (599, "Unknown")]
)  # fmt: skip
def test_a_code_has_the_reason_that_servers_give(code: int, reason: str) -> None:
    made = refusal({"code": code}, PATCH)
    status = json.loads(made.body)
    assert (made.code, status["code"], status["reason"]) == (code, code, reason)


def test_a_status_names_the_object() -> None:
    status = json.loads(refusal({"code": 409, "reason": "AlreadyExists", "message": "there"}, PATCH).body)
    assert status["details"] == {"name": "web", "group": "twinloop.dev", "kind": "nginxpods"}
    assert (status["reason"], status["message"]) == ("AlreadyExists", "there")


def test_a_time_to_wait_stands_in_the_head_and_in_the_body() -> None:
    made = refusal({"code": 429, "retry_after": 2}, LIST)
    assert made.header("retry-after") == "2"
    assert json.loads(made.body)["details"]["retryAfterSeconds"] == 2


def test_no_time_to_wait_is_named_unless_asked_for() -> None:
    made = refusal({"code": 429}, LIST)
    assert made.header("retry-after") == ""
    assert "retryAfterSeconds" not in json.loads(made.body)["details"]


@pytest.mark.parametrize("verb", ["POST", "PUT", "PATCH", "DELETE"])
def test_the_object_of_a_write_is_kept(verb: str) -> None:
    assert for_history(parse(verb, PODS + "/a"), answer(200, {"a": 1})) == {"a": 1}


def test_the_object_of_a_read_is_not_even_parsed() -> None:
    assert for_history(parse("GET", PODS + "/a"), answer(200, b"{")) is None


@pytest.mark.parametrize(
    ("listed", "kept"),
    [
        ({"metadata": {"resourceVersion": "5"}, "items": [{}, {}]}, {"resourceVersion": "5", "items": 2}),
        ({"metadata": {"resourceVersion": "5"}, "items": None}, {"resourceVersion": "5", "items": 0}),
        ({"kind": "Table", "metadata": {"resourceVersion": "5"}, "rows": [{}]}, {"resourceVersion": "5", "items": 1}),
        ({"metadata": {"continue": "c"}, "items": []}, {"resourceVersion": "", "items": 0, "continue": "c"}),
        ([], None),
    ],
)
def test_of_a_list_its_version_and_length(listed: Any, kept: Any) -> None:
    assert for_history(LIST, answer(200, listed)) == kept


def test_a_failure_is_kept_as_a_status_or_as_the_beginning_of_a_page() -> None:
    assert for_history(LIST, answer(500, {"code": 500})) == {"code": 500}
    assert for_history(LIST, answer(502, b"<html>" + b"x" * 5000)) == "<html>" + "x" * 994


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\x00", b"k8s\x00protobuf"])
def test_what_is_no_json_is_nothing(body: bytes) -> None:
    assert decode(body) is None


def test_a_compressed_body_is_read_and_a_broken_one_is_nothing() -> None:
    assert decode(gzip.compress(b'{"a":1}'), "gzip") == {"a": 1}
    assert decode(b"no gzip", "gzip") is None
    assert decode(gzip.compress(b'{"a":1}')[:-9], "gzip") is None


def test_headers_of_a_connection_and_credentials_stay_behind() -> None:
    kept = (("Accept", "a"), ("Warning", "1"), ("Warning", "2"))
    gone = tuple((name, "x") for name in ("Connection", "host", "AUTHORIZATION", "Transfer-Encoding", "Content-Length"))
    assert passed_on(kept + gone) == kept


# ---------------------------------------------------------------------------------------------- lists as they were


def item(name: str, namespace: str = "ns", **labels: str) -> dict[str, Any]:
    """An object of a list."""
    return {"metadata": {"name": name, "namespace": namespace, "labels": labels}}


KEPT = {"kind": "PodList", "metadata": {"resourceVersion": "5"}, "items": [item("a", app="x"), item("b", app="y", tier="1"), item("c", "other")]}  # fmt: skip


def names(info: RequestInfo) -> list[str]:
    """Which objects a stale list shows."""
    found = stale(KEPT, info)
    assert found is not None
    body = json.loads(found.body)
    assert (body["kind"], body["metadata"]) == ("PodList", {"resourceVersion": "5"})
    return [each["metadata"]["name"] for each in body["items"]]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/api/v1/pods", ["a", "b", "c"]),
        (PODS, ["a", "b"]),
        (PODS + "?labelSelector=app%3Dx", ["a"]),
        (PODS + "?labelSelector=app%3D%3Dy,tier%3D1", ["b"]),
        (PODS + "?labelSelector=app%3Dz", []),
        (PODS + "?limit=500&resourceVersion=0", ["a", "b"]),
    ],
)
def test_a_stale_list_has_what_was_asked_for(target: str, expected: list[str]) -> None:
    assert names(parse("GET", target)) == expected


@pytest.mark.parametrize(
    "query", ["labelSelector=app", "labelSelector=app!%3Dx", "labelSelector=app+in+(x)", "fieldSelector=a%3Db"]
)
def test_a_selector_that_is_not_understood_gets_no_stale_list(query: str) -> None:
    assert stale(KEPT, parse("GET", f"{PODS}?{query}")) is None
