"""Answers that say no: the Status objects, their codes, reasons, words and details.

Bodies were taken from kube-apiserver 1.34. Leaves out: which request gets which of them (tests of the verbs).
"""

from __future__ import annotations

import pytest

from twinloop.apiserver import failures, fielderrors
from twinloop.apiserver.failures import Failure


def test_a_status_has_the_fields_of_a_real_one_in_their_order() -> None:
    status = failures.not_found("example.com", "gadgets", "g").status
    assert list(status) == ["kind", "apiVersion", "metadata", "status", "message", "reason", "details", "code"]
    assert status["details"] == {"name": "g", "group": "example.com", "kind": "gadgets"}


def test_empty_details_are_written_and_absent_ones_are_not() -> None:
    assert failures.no_such_path().status["details"] == {}
    assert "details" not in failures.bad_request("no").status


def test_a_failure_without_a_reason_has_none() -> None:
    assert "reason" not in Failure(500, "", "strange").status


@pytest.mark.parametrize(
    ("failure", "code", "reason", "message"),
    [
        (failures.not_found("", "pods", "a"), 404, "NotFound", 'pods "a" not found'),
        (failures.not_found("", "pods", 'a"\x00'), 404, "NotFound", 'pods "a\\"\\x00" not found'),
        (failures.already_exists("", "pods", "a"), 409, "AlreadyExists", 'pods "a" already exists'),
        (failures.being_deleted("", "pods", "a"), 409, "AlreadyExists", 'object is being deleted: pods "a" already exists'),
        (failures.conflict("", "pods", "a", "why"), 409, "Conflict", 'Operation cannot be fulfilled on pods "a": why'),
        (failures.forbidden("", "pods", "a", "why"), 403, "Forbidden", 'pods "a" is forbidden: why'),
        (failures.bad_request("why"), 400, "BadRequest", "why"),
        (failures.unauthorized(), 401, "Unauthorized", "Unauthorized"),
        (failures.expired("why"), 410, "Expired", "why"),
        (failures.body_too_large(5), 413, "RequestEntityTooLarge", "Request entity too large: limit is 5"),
        (failures.unsupported_patch_type(), 415, "UnsupportedMediaType", "415: Unsupported Media Type"),
        (failures.internal_error("oh"), 500, "InternalError", "Internal error occurred: oh"),
    ],
)  # fmt: skip
def test_each_failure_has_its_code_reason_and_words(failure: Failure, code: int, reason: str, message: str) -> None:
    status = failure.status
    assert (failure.code, status["code"], status["reason"], status["message"]) == (code, code, reason, message)


def test_one_finding_stands_alone_and_several_in_brackets() -> None:
    one = fielderrors.required("spec.a")
    two = fielderrors.invalid("spec.b", "x", "must be y")
    assert failures.invalid("", "Pod", "p", [one]).message == 'Pod "p" is invalid: spec.a: Required value'
    assert failures.invalid("", "Pod", "p", [one, two]).message == (
        'Pod "p" is invalid: [spec.a: Required value, spec.b: Invalid value: "x": must be y]'
    )


def test_a_finding_that_comes_twice_is_one_in_the_message_and_two_causes() -> None:
    error = fielderrors.required("spec.a")
    failure = failures.invalid("", "Pod", "p", [error, error])
    assert failure.message == 'Pod "p" is invalid: spec.a: Required value'
    assert failure.status["details"]["causes"] == [error.cause(), error.cause()]


@pytest.mark.parametrize(
    ("error", "text", "reason"),
    [
        (fielderrors.required("a", "say it"), "a: Required value: say it", "FieldValueRequired"),
        (fielderrors.invalid("a", {"b": 1}, "no"), 'a: Invalid value: {"b":1}: no', "FieldValueInvalid"),
        (fielderrors.type_invalid("a", "s", "no"), 'a: Invalid value: "s": no', "FieldValueTypeInvalid"),
        (fielderrors.not_supported("a", "x", ["y", "z"]), 'a: Unsupported value: "x": supported values: "y", "z"', "FieldValueNotSupported"),
        (fielderrors.not_found("a", "x"), 'a: Not found: "x"', "FieldValueNotFound"),
        (fielderrors.duplicate("a", "x"), 'a: Duplicate value: "x"', "FieldValueDuplicate"),
        (fielderrors.forbidden("a", "no"), "a: Forbidden: no", "FieldValueForbidden"),
        (fielderrors.too_long("a", 5), "a: Too long: may not be more than 5 bytes", "FieldValueTooLong"),
        (fielderrors.too_many("a", 7, 5), "a: Too many: 7: must have at most 5 items", "FieldValueTooMany"),
    ],
)  # fmt: skip
def test_findings_about_fields_are_worded_as_in_apimachinery(
    error: fielderrors.FieldError, text: str, reason: str
) -> None:
    assert (str(error), error.cause()["reason"], error.cause()["field"]) == (text, reason, "a")


def test_a_forgotten_page_offers_a_token_to_go_on_with() -> None:
    status = failures.continue_expired("fresh").status
    assert (status["code"], status["metadata"]) == (410, {"continue": "fresh"})


def test_a_version_that_is_not_there_yet_says_when_to_ask_again() -> None:
    failure = failures.too_large_version(9, 5)
    assert (failure.code, failure.headers) == (504, {"Retry-After": "1"})
