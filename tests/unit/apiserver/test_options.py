"""Query parameters and delete options: how they are read, and what cannot be said together.

Codes and messages were taken from kube-apiserver 1.34. Leaves out: what the verbs do with them.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import pytest

from twinloop.apiserver.failures import Failure
from twinloop.apiserver.options import (
    DeleteOptions,
    ListOptions,
    WriteOptions,
    delete_options,
    list_options,
    manager_of,
    write_options,
)
from twinloop.apiserver.request import Request


def asked(query: str) -> Request:
    return Request("GET", "/", parse_qsl(query, keep_blank_values=True))


def refused(run: Any, *arguments: Any, **named: Any) -> Failure:
    with pytest.raises(Failure) as failure:
        run(*arguments, **named)
    return failure.value


def causes(failure: Failure) -> list[str]:
    assert failure.details is not None
    return [f"{each['field']}: {each['message']}" for each in failure.details["causes"]]


# ------------------------------------------------------------------ lists and watches


def test_a_list_without_parameters_asks_for_everything_now() -> None:
    assert list_options(asked("")) == ListOptions()


def test_all_parameters_of_a_list_are_read() -> None:
    found = list_options(
        asked("labelSelector=a&fieldSelector=b=c&limit=5&continue=t&resourceVersion=7&timeoutSeconds=9")
    )
    assert found == ListOptions(label_selector="a", field_selector="b=c", limit=5, token="t", version="7", timeout=9)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("true", True), ("1", True), ("", True), ("x", True), ("false", False), ("0", False), ("False", False)],
)
def test_a_flag_is_true_unless_it_says_otherwise(value: str, expected: bool) -> None:
    assert list_options(asked(f"watch={value}&resourceVersion=5")).watch is expected


def test_the_first_of_several_values_counts() -> None:
    assert list_options(asked("limit=1&limit=abc")).limit == 1


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("limit=abc", 'strconv.ParseInt: parsing "abc": invalid syntax'),
        ("timeoutSeconds=", 'strconv.ParseInt: parsing "": invalid syntax'),
        ("limit=99999999999999999999", 'strconv.ParseInt: parsing "99999999999999999999": value out of range'),
    ],
)
def test_what_is_no_number_is_a_bad_request(query: str, message: str) -> None:
    failure = refused(list_options, asked(query))
    assert (failure.code, failure.message) == (400, message)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("resourceVersionMatch=Exact", ["resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"]),
        ("resourceVersionMatch=Exact&resourceVersion=0", ['resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"']),
        ("resourceVersionMatch=Exact&resourceVersion=5&continue=x", ["resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided"]),
        ("resourceVersionMatch=Foo&resourceVersion=5", ['resourceVersionMatch: Unsupported value: "Foo": supported values: "Exact", "NotOlderThan", ""']),
        ("sendInitialEvents=true", ["sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list"]),
        ("watch=1&sendInitialEvents=true", ["resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"]),
        ("watch=1&resourceVersion=5&resourceVersionMatch=NotOlderThan", ["resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"]),
        (
            "watch=1&resourceVersion=5&resourceVersionMatch=Exact",
            [
                "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
                'resourceVersionMatch: Unsupported value: "Exact": supported values: "NotOlderThan"',
            ],
        ),
        ("watch=1&continue=x", ["resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided"]),
    ],
)  # fmt: skip
def test_parameters_that_cannot_be_together_are_invalid(query: str, expected: list[str]) -> None:
    failure = refused(list_options, asked(query))
    assert (failure.code, failure.reason, causes(failure)) == (422, "Invalid", expected)
    assert failure.message.startswith('ListOptions.meta.k8s.io "" is invalid: ')


@pytest.mark.parametrize("version", ["", "0"])
def test_a_watch_from_no_version_begins_with_initial_events(version: str) -> None:
    found = list_options(asked(f"watch=1&resourceVersion={version}"))
    assert (found.initial_events, found.match) == (True, "NotOlderThan")


def test_a_watch_from_a_version_begins_there() -> None:
    assert list_options(asked("watch=1&resourceVersion=5")).initial_events is None


def test_a_path_can_make_a_watch_of_a_list() -> None:
    assert list_options(asked(""), forced=True).watch


# ------------------------------------------------------------------ writes


def test_a_plain_write_warns_of_unknown_fields() -> None:
    assert write_options(asked(""), "CreateOptions") == WriteOptions(field_validation="Warn")


def test_all_parameters_of_a_write_are_read() -> None:
    found = write_options(
        asked("dryRun=All&fieldManager=me&fieldValidation=Strict&force=true"), "PatchOptions", apply=True
    )
    assert found == WriteOptions(dry_run=True, field_manager="me", field_validation="Strict", force=True)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("dryRun=None", ['dryRun: Unsupported value: ["None"]: supported values: "All"']),
        ("fieldValidation=Foo", ['fieldValidation: Unsupported value: "Foo": supported values: "", "Ignore", "Strict", "Warn"']),
        (f"fieldManager={'a' * 129}", ["fieldManager: Too long: may not be more than 128 bytes"]),
        ("fieldManager=a%0Ab", ['fieldManager: Invalid value: "a\\nb": invalid character U+000A (at position 1)']),
    ],
)  # fmt: skip
def test_bad_parameters_of_a_write_are_invalid(query: str, expected: list[str]) -> None:
    failure = refused(write_options, asked(query), "UpdateOptions")
    assert (failure.code, causes(failure)) == (422, expected)
    assert failure.message.startswith('UpdateOptions.meta.k8s.io "" is invalid: ')


def test_only_an_apply_can_be_forced() -> None:
    failure = refused(write_options, asked("force=true"), "PatchOptions")
    assert causes(failure) == ["force: Forbidden: may not be specified for non-apply patch"]


def test_an_apply_needs_a_manager() -> None:
    failure = refused(write_options, asked(""), "PatchOptions", apply=True)
    assert causes(failure) == ["fieldManager: Required value: is required for apply patch"]


@pytest.mark.parametrize(
    ("field_manager", "agent", "expected"),
    [
        ("me", "kubectl/1.34", "me"),
        ("", "kubectl/1.34 (linux/amd64)", "kubectl"),
        ("", "curl", "curl"),
        ("", "", ""),
        ("", "a\x01b/1", "ab"),
        ("", "é" * 100 + "/1", "é" * 64),
    ],
)
def test_who_writes_is_the_field_manager_or_the_program(field_manager: str, agent: str, expected: str) -> None:
    assert manager_of(WriteOptions(field_manager=field_manager), agent) == expected


# ------------------------------------------------------------------ deletes


def test_delete_options_come_from_the_query() -> None:
    found = delete_options(asked("gracePeriodSeconds=5&propagationPolicy=Orphan&dryRun=All"), None)
    assert found == DeleteOptions(grace=5, propagation="Orphan", dry_run=["All"])


def test_a_body_wins_over_the_query() -> None:
    body = {"gracePeriodSeconds": 7, "preconditions": {"uid": "u", "resourceVersion": "3"}}
    assert delete_options(asked("gracePeriodSeconds=5"), body) == DeleteOptions(grace=7, uid="u", version="3")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"propagationPolicy": "Foo"}, 'Unsupported value: "Foo": supported values: "Foreground", "Background", "Orphan", "nil"'),
        ({"propagationPolicy": "Orphan", "orphanDependents": True}, 'Invalid value: "Orphan": orphanDependents and deletionPropagation cannot be both set'),
        ({"dryRun": ["Some"]}, 'Unsupported value: ["Some"]: supported values: "All"'),
    ],
)  # fmt: skip
def test_bad_delete_options_are_invalid(body: dict[str, Any], expected: str) -> None:
    failure = refused(delete_options, asked(""), body)
    assert failure.code == 422
    assert [cause.partition(": ")[2] for cause in causes(failure)] == [expected]
