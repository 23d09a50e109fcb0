"""What the verbs send and what they make of the answers, over real sockets.

Left out: credentials and connections (test_transport.py), the stream of a watch (test_watch.py), the meaning of each
error (test_answers.py), and whether a real API server agrees (tests/e2e).
"""

from collections.abc import Callable
from typing import Any

import pytest

from twinloop import errors
from twinloop.kube import EVENTS, NAMESPACES, NGINXPODS, PODS, Client

POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-0", "namespace": "shop"}}


def page(*names: str, version: str = "7", token: str = "", remaining: int | None = None) -> dict[str, Any]:
    metadata: dict[str, Any] = {"resourceVersion": version}
    if token:
        metadata |= {"continue": token, "remainingItemCount": remaining}
    return {
        "kind": "PodList",
        "apiVersion": "v1",
        "metadata": metadata,
        "items": [{"metadata": {"name": n}} for n in names],
    }


def names(answer: dict[str, Any]) -> list[str]:
    return [item["metadata"]["name"] for item in answer["items"]]


def test_get_reads_one_object(api: Any, client: Client) -> None:
    api.answer(200, POD)
    assert client.get(PODS, "web-0", "shop") == POD
    (request,) = api.requests
    assert (request.method, request.path, request.query) == ("GET", "/api/v1/namespaces/shop/pods/web-0", {})
    assert request.body == b""


def test_get_of_a_cluster_scoped_object_needs_no_namespace(api: Any, client: Client) -> None:
    api.answer(200, {"metadata": {"name": "shop"}})
    client.get(NAMESPACES, "shop")
    assert api.requests[0].path == "/api/v1/namespaces/shop"


def test_create_posts_the_body_as_json(api: Any, client: Client) -> None:
    api.answer(201, POD)
    assert client.create(PODS, POD, "shop") == POD
    (request,) = api.requests
    assert (request.method, request.path, request.json) == ("POST", "/api/v1/namespaces/shop/pods", POD)
    assert request.headers["Content-Type"] == "application/json"


def test_merge_patch_names_its_content_type_and_subresource(api: Any, client: Client) -> None:
    patch = {"metadata": {"resourceVersion": "5"}, "status": {"replicas": 1}}
    api.answer(200, POD)
    client.merge_patch(NGINXPODS, "web", patch, "shop", subresource="status")
    (request,) = api.requests
    assert request.method == "PATCH"
    assert request.path == "/apis/twinloop.dev/v1alpha1/namespaces/shop/nginxpods/web/status"
    assert request.headers["Content-Type"] == "application/merge-patch+json"
    assert request.json == patch


def test_update_puts_the_whole_object(api: Any, client: Client) -> None:
    api.answer(200, POD)
    client.update(PODS, "web-0", POD, "shop")
    assert (api.requests[0].method, api.requests[0].json) == ("PUT", POD)


def test_delete_carries_the_uid_as_a_precondition(api: Any, client: Client) -> None:
    api.answer(200, {"kind": "Status", "status": "Success"})
    assert client.delete(PODS, "web-0", "shop", uid="abc")["status"] == "Success"
    (request,) = api.requests
    assert (request.method, request.path) == ("DELETE", "/api/v1/namespaces/shop/pods/web-0")
    assert request.json == {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": "abc"}}


def test_delete_passes_grace_period_and_propagation_on(api: Any, client: Client) -> None:
    api.answer(200, POD)
    assert client.delete(PODS, "web-0", "shop", grace_period_seconds=0, propagation_policy="Foreground") == POD
    assert api.requests[0].json["gracePeriodSeconds"] == 0
    assert api.requests[0].json["propagationPolicy"] == "Foreground"
    assert "preconditions" not in api.requests[0].json


def test_delete_without_a_name_never_reaches_the_collection(api: Any, client: Client) -> None:
    with pytest.raises(ValueError, match="no name"):
        client.delete(PODS, "", "shop")
    assert api.requests == []


def test_list_page_sends_what_is_asked_for_and_nothing_else(api: Any, client: Client) -> None:
    api.answer(200, page("a"))
    api.answer(200, page("b"))
    client.list_page(PODS)
    client.list_page(
        PODS,
        "shop",
        label_selector="app in (a, b),x=y",
        field_selector="spec.nodeName=n",
        limit=5,
        resource_version="0",
        resource_version_match="NotOlderThan",
    )
    assert (api.requests[0].path, api.requests[0].query) == ("/api/v1/pods", {})
    assert api.requests[1].query == {
        "labelSelector": "app in (a, b),x=y",
        "fieldSelector": "spec.nodeName=n",
        "limit": "5",
        "resourceVersion": "0",
        "resourceVersionMatch": "NotOlderThan",
    }


def test_a_later_page_carries_its_token_alone(api: Any, client: Client) -> None:
    api.answer(200, page("b"))
    client.list_page(PODS, limit=5, continue_token="t/=", resource_version="9", resource_version_match="Exact")
    assert api.requests[0].query == {"limit": "5", "continue": "t/="}


def test_items_of_a_list_are_told_their_kind(api: Any, client: Client) -> None:
    api.answer(200, page("a"))
    (item,) = client.list_page(PODS)["items"]
    assert (item["apiVersion"], item["kind"]) == ("v1", "Pod")


def test_list_all_puts_the_pages_together(api: Any, client: Client) -> None:
    api.answer(200, page("a", "b", token="t1", remaining=2))
    api.answer(200, page("c", token="t2", remaining=1))
    api.answer(200, page("d"))
    answer = client.list_all(PODS, "shop", label_selector="x=y", limit=2)
    assert names(answer) == ["a", "b", "c", "d"]
    assert answer["metadata"] == {"resourceVersion": "7"}
    assert [request.query for request in api.requests] == [
        {"labelSelector": "x=y", "limit": "2"},
        {"labelSelector": "x=y", "limit": "2", "continue": "t1"},
        {"labelSelector": "x=y", "limit": "2", "continue": "t2"},
    ]


def test_list_all_asks_for_500_at_a_time(api: Any, client: Client) -> None:
    api.answer(200, page())
    client.list_all(PODS)
    assert api.requests[0].query == {"limit": "500"}


def test_list_all_starts_over_without_pages_when_a_token_has_expired(api: Any, client: Client) -> None:
    api.answer(200, page("a", token="t1"))
    api.status(410, "Expired")
    api.answer(200, page("x", "y", version="9"))
    answer = client.list_all(PODS, label_selector="x=y")
    assert names(answer) == ["x", "y"]
    assert answer["metadata"]["resourceVersion"] == "9"
    assert api.requests[2].query == {"labelSelector": "x=y"}


def test_list_all_does_not_hide_a_first_page_that_is_gone(api: Any, client: Client) -> None:
    api.status(410, "Expired")
    with pytest.raises(errors.Gone):
        client.list_all(PODS)
    assert len(api.requests) == 1


def test_list_all_ends_when_a_server_repeats_its_token(api: Any, client: Client) -> None:
    for _ in range(3):
        api.answer(200, page("a", token="same"))
    with pytest.raises(errors.CorruptAnswer, match="again and again"):
        client.list_all(PODS)


def test_an_empty_list_may_be_null(api: Any, client: Client) -> None:
    api.answer(200, {"metadata": {"resourceVersion": "1"}, "items": None})
    assert client.list_page(PODS)["items"] == []


@pytest.mark.parametrize(
    "answer",
    [
        {"items": []},
        {"metadata": {}},
        {"metadata": {}, "items": {}},
        {"metadata": {}, "items": ["text"]},
        {"metadata": {}, "items": [{"no": "metadata"}]},
        {"metadata": {}, "items": 5},
    ],
)
def test_a_list_of_a_wrong_shape_is_a_corrupt_answer(api: Any, client: Client, answer: dict[str, Any]) -> None:
    api.answer(200, answer)
    with pytest.raises(errors.CorruptAnswer):
        client.list_page(PODS)


@pytest.mark.parametrize("body", [b"", b"<html>Welcome</html>", b"[]", b"{}", b'{"metadata": 5}', b'{"metadata": {'])
def test_an_object_of_a_wrong_shape_is_a_corrupt_answer(api: Any, client: Client, body: bytes) -> None:
    api.answer(200, body)
    with pytest.raises(errors.CorruptAnswer):
        client.get(PODS, "web-0", "shop")


@pytest.mark.parametrize(
    ("code", "reason", "expected"),
    [
        (404, "NotFound", errors.NotFound),
        (409, "AlreadyExists", errors.AlreadyExists),
        (409, "Conflict", errors.Conflict),
        (422, "Invalid", errors.Invalid),
        (500, "InternalError", errors.Unavailable),
    ],
)
def test_a_refusal_is_the_error_for_what_to_do(
    api: Any, client: Client, code: int, reason: str, expected: type[errors.ApiError]
) -> None:
    api.status(code, reason, "the server's own words")
    with pytest.raises(expected, match="the server's own words"):
        client.create(PODS, POD, "shop")


def test_too_many_requests_says_how_long_to_wait_and_is_not_retried_here(api: Any, client: Client) -> None:
    api.answer(429, b"slow down", Retry_After="3")
    with pytest.raises(errors.TooManyRequests) as caught:
        client.get(PODS, "web-0", "shop")
    assert caught.value.retry_after == 3.0
    assert len(api.requests) == 1


def test_retry_after_of_a_503_is_kept_and_not_waited_for(api: Any, client: Client) -> None:
    api.answer(503, b"", Retry_After="30")
    with pytest.raises(errors.Unavailable) as caught:
        client.list_page(PODS)
    assert caught.value.retry_after == 30.0
    assert len(api.requests) == 1


def test_events_are_created_in_the_core_group(api: Any, client: Client) -> None:
    api.answer(201, {"metadata": {}})
    client.create(EVENTS, {"metadata": {"name": "e"}}, "shop")
    assert api.requests[0].path == "/api/v1/namespaces/shop/events"


def test_a_server_behind_a_path_keeps_its_path(
    api: Any, write_kubeconfig: Callable[..., Any], connect: Callable[..., Client]
) -> None:
    api.url += "/k8s/clusters/c-1/"
    api.answer(200, POD)
    connect(api).get(PODS, "web-0", "shop")
    assert api.requests[0].path == "/k8s/clusters/c-1/api/v1/namespaces/shop/pods/web-0"
