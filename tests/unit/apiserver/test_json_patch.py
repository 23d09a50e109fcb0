"""RFC 6902 as kube-apiserver applies it: each operation, paths, indices, and the one answer to all that fails.

Left out: which bodies are patches at all (test_patch_bodies), what the kind makes of the result.
"""

from __future__ import annotations

from typing import Any

import pytest

from twinloop.apiserver.failures import Failure
from twinloop.apiserver.patches import json_patch

DOC: dict[str, Any] = {
    "metadata": {"name": "a", "labels": {"app.kubernetes.io/name": "x", "a~b": "y"}, "finalizers": ["one", "two"]},
    "spec": {"replicas": 1, "list": [{"n": 1}, {"n": 2}], "ratio": 1.0, "on": True, "nothing": None},
}


def op(kind: str, path: str, *value: Any, **more: Any) -> dict[str, Any]:
    return {"op": kind, "path": path, **({"value": value[0]} if value else {}), **more}


def refused(*patch: dict[str, Any]) -> Failure:
    with pytest.raises(Failure) as caught:
        json_patch.apply(DOC, list(patch))
    return caught.value


@pytest.mark.parametrize(
    ("operation", "where", "expected"),
    [
        (op("add", "/spec/image", "i"), ("spec", "image"), "i"),
        (op("add", "/spec/replicas", 3), ("spec", "replicas"), 3),
        (op("add", "/metadata/finalizers/-", "three"), ("metadata", "finalizers"), ["one", "two", "three"]),
        (op("add", "/metadata/finalizers/0", "zero"), ("metadata", "finalizers"), ["zero", "one", "two"]),
        (op("add", "/metadata/finalizers/2", "three"), ("metadata", "finalizers"), ["one", "two", "three"]),
        (op("add", "/metadata/finalizers/-1", "three"), ("metadata", "finalizers"), ["one", "two", "three"]),
        (op("add", "/metadata/finalizers/-2", "x"), ("metadata", "finalizers"), ["one", "x", "two"]),
        (op("add", "/spec/image"), ("spec", "image"), None),
        (op("add", "/spec/list/0/m", 5), ("spec", "list"), [{"n": 1, "m": 5}, {"n": 2}]),
        (op("replace", "/spec/replicas", 2), ("spec", "replicas"), 2),
        (op("replace", "/spec/missing", 2), ("spec", "missing"), 2),
        (op("replace", "/metadata/finalizers/1", "b"), ("metadata", "finalizers"), ["one", "b"]),
        (op("replace", "/metadata/finalizers/-1", "b"), ("metadata", "finalizers"), ["one", "b"]),
        (op("replace", "/metadata/labels/app.kubernetes.io~1name", "z"), ("metadata", "labels", "app.kubernetes.io/name"), "z"),
        (op("replace", "/metadata/labels/a~0b", "z"), ("metadata", "labels", "a~b"), "z"),
        (op("remove", "/metadata/finalizers/0"), ("metadata", "finalizers"), ["two"]),
        (op("remove", "/metadata/finalizers/-1"), ("metadata", "finalizers"), ["one"]),
        (op("remove", "/spec/list/1/n"), ("spec", "list"), [{"n": 1}, {}]),
        (op("copy", "/spec/copy", **{"from": "/spec/list/0"}), ("spec", "copy"), {"n": 1}),
        (op("copy", "/spec/copy", **{"from": "/spec/missing"}), ("spec", "copy"), None),
        (op("move", "/spec/moved", **{"from": "/spec/replicas"}), ("spec", "moved"), 1),
        (op("move", "/metadata/finalizers/1", **{"from": "/metadata/finalizers/0"}), ("metadata", "finalizers"), ["two", "one"]),
    ],
)  # fmt: skip
def test_an_operation_does_what_the_rfc_says_or_evanphx_allows(
    operation: dict[str, Any], where: tuple[str, ...], expected: Any
) -> None:
    found: Any = json_patch.apply(DOC, [operation])
    for key in where:
        found = found[key]
    assert found == expected


@pytest.mark.parametrize(
    "operation",
    [
        op("remove", "/spec/missing"),
        op("remove", "/missing/below"),
        op("remove", "/metadata/finalizers/2"),
        op("remove", "/metadata/finalizers/-3"),
        op("remove", "/metadata/finalizers/-"),
        op("remove", ""),
        op("add", "", {}),
        op("add", "/missing/below", 1),
        op("add", "/metadata/finalizers/4", "x"),
        op("add", "/metadata/finalizers/x", "x"),
        op("add", "/metadata/finalizers/1.0", "x"),
        op("add", "/spec/replicas/below", 1),
        op("add", "replicas", 1),
        op("replace", "/metadata/finalizers/2", "x"),
        op("replace", "/missing/below", "x"),
        op("replace", "", "scalar"),
        op("replace", ""),
        op("move", "/spec/x", **{"from": "/spec/missing"}),
        op("move", "/missing/x", **{"from": "/spec/replicas"}),
        op("move", "/spec/x"),
        op("copy", "/spec/x"),
        op("copy", "/spec/x", **{"from": "/missing/x"}),
        op("copy", "/missing/x", **{"from": "/spec/replicas"}),
        op("frobnicate", "/spec/x", 1),
        {"path": "/spec/x", "value": 1},
        {"op": "add", "value": 1},
        {"op": 1, "path": "/spec/x"},
        {"op": "add", "path": 1},
        {},
    ],
    ids=str,
)
def test_whatever_cannot_be_done_is_one_422(operation: dict[str, Any]) -> None:
    failure = refused(operation)
    assert failure.status == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": "the server rejected our request due to an error in our request",
        "reason": "Invalid",
        "details": {},
        "code": 422,
    }


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/spec/replicas", 1),
        ("/spec/on", True),
        ("/spec/list", [{"n": 1}, {"n": 2}]),
        ("/spec/list/-1", {"n": 2}),
        ("/spec/nothing", None),
        ("/spec/missing", None),
        ("", DOC),
    ],
)
def test_a_test_of_what_is_so_lets_the_patch_go_on(path: str, value: Any) -> None:
    assert json_patch.apply(DOC, [op("test", path, value), op("replace", "/spec/replicas", 9)])["spec"]["replicas"] == 9


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/spec/replicas", 2),
        ("/spec/replicas", "1"),
        ("/spec/replicas", 1.0),
        ("/spec/replicas", True),
        ("/spec/ratio", 1),
        ("/spec/on", 1),
        ("/spec/list", [{"n": 2}, {"n": 1}]),
        ("/spec/list/2", None),
        ("/spec/missing", 1),
        ("/spec/missing/below", None),
        ("", {}),
    ],
)
def test_a_failed_test_fails_the_patch(path: str, value: Any) -> None:
    assert refused(op("test", path, value), op("replace", "/spec/replicas", 9)).code == 422


def test_a_test_without_a_value_fails() -> None:
    """The real server's library falls over its own feet here and closes the connection."""
    assert refused(op("test", "/spec/missing")).code == 422


def test_nothing_of_a_patch_that_fails_remains() -> None:
    before = json_patch.apply(DOC, [])
    refused(op("remove", "/spec/replicas"), op("add", "/spec/list/0/n", 7), op("remove", "/spec/missing"))
    assert before == DOC


def test_operations_see_what_the_ones_before_them_did() -> None:
    patch = [
        op("add", "/spec/new", {}),
        op("add", "/spec/new/list", []),
        op("add", "/spec/new/list/-", "x"),
        op("copy", "/spec/other", **{"from": "/spec/new"}),
        op("add", "/spec/new/list/0", "y"),
    ]
    spec = json_patch.apply(DOC, patch)["spec"]
    assert (spec["new"], spec["other"]) == ({"list": ["y", "x"]}, {"list": ["x"]})


def test_a_value_of_the_patch_is_not_shared_with_the_result() -> None:
    patch = [op("add", "/spec/new", {"a": []}), op("add", "/spec/new/a/-", 1)]
    json_patch.apply(DOC, patch)
    assert patch[0]["value"] == {"a": []}


def test_the_whole_document_can_be_replaced() -> None:
    assert json_patch.apply(DOC, [op("replace", "", {"kind": "X"})]) == {"kind": "X"}


def test_an_empty_patch_changes_nothing() -> None:
    assert json_patch.apply(DOC, []) == DOC


def test_ten_thousand_operations_are_enough() -> None:
    many = [op("add", "/spec/replicas", 1)] * 10_000
    assert json_patch.apply(DOC, many) == DOC
    failure = refused(*many, many[0])
    assert (failure.code, failure.reason) == (413, "RequestEntityTooLarge")
    assert failure.message == (
        "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001"
    )
