"""What an answer means: which error for which code and reason, what its text is, how long to wait.

Left out: how answers are read from a socket (test_client.py) and what an API server sends for what (tests/e2e).
"""

import contextlib
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop import errors
from twinloop.kube import error_from_status
from twinloop.kube.answers import decode_object, error_from_answer, parse_retry_after

NOW = datetime(2024, 2, 29, 12, 0, 0, tzinfo=UTC)


def status(code: int, reason: str, **more: Any) -> dict[str, Any]:
    return {"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": "why", **more}


@pytest.mark.parametrize(
    ("code", "reason", "expected"),
    [
        (400, "BadRequest", errors.BadRequest),
        (401, "Unauthorized", errors.Unauthorized),
        (403, "Forbidden", errors.Forbidden),
        (404, "NotFound", errors.NotFound),
        (405, "MethodNotAllowed", errors.BadRequest),
        (408, "Timeout", errors.Unavailable),
        (409, "Conflict", errors.Conflict),
        (409, "AlreadyExists", errors.AlreadyExists),
        (410, "Expired", errors.Gone),
        (410, "Gone", errors.Gone),
        (400, "Expired", errors.Gone),
        (413, "RequestEntityTooLarge", errors.BadRequest),
        (415, "UnsupportedMediaType", errors.BadRequest),
        (422, "Invalid", errors.Invalid),
        (429, "TooManyRequests", errors.TooManyRequests),
        (500, "InternalError", errors.Unavailable),
        (500, "ServerTimeout", errors.Unavailable),
        (503, "ServiceUnavailable", errors.Unavailable),
        (504, "Timeout", errors.Unavailable),
        (0, "", errors.Unavailable),
        (0, "AlreadyExists", errors.AlreadyExists),
    ],
)
def test_class_follows_code_and_reason(code: int, reason: str, expected: type[errors.ApiError]) -> None:
    error = error_from_status(status(code, reason))
    assert type(error) is expected
    assert (error.code, error.reason, str(error)) == (code, reason, "why")


def test_causes_stay_visible_so_that_too_large_resource_version_is_told_from_a_time_out() -> None:
    causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
    error = error_from_status(status(504, "Timeout", details={"causes": causes, "retryAfterSeconds": 1}))
    assert error.causes == causes
    assert error.retry_after == 1.0


def test_namespace_that_is_going_away_is_seen_in_the_causes() -> None:
    error = error_from_status(status(403, "Forbidden", details={"causes": [{"reason": "NamespaceTerminating"}]}))
    assert isinstance(error, errors.Forbidden)
    assert error.namespace_terminating


@pytest.mark.parametrize("thing", [None, "Gone", [], {"kind": "Pod", "metadata": {}}])
def test_an_error_event_without_a_status_is_a_corrupt_answer(thing: object) -> None:
    assert isinstance(error_from_status(thing), errors.CorruptAnswer)


def test_a_status_with_fields_of_wrong_types_still_becomes_an_error() -> None:
    error = error_from_status({"kind": "Status", "code": "410", "reason": ["Gone"], "message": None, "details": 7})
    assert type(error) is errors.Unavailable
    assert error.causes == []


def test_the_http_code_fills_in_for_a_status_without_one() -> None:
    error = error_from_answer(404, {}, b'{"kind": "Status", "message": "gone away"}', "GET /x")
    assert (type(error), error.code, str(error)) == (errors.NotFound, 404, "gone away")


def test_retry_after_of_a_503_is_kept() -> None:
    error = error_from_answer(503, {"Retry-After": "7"}, b"", "GET /x")
    assert (type(error), error.retry_after) == (errors.Unavailable, 7.0)


def test_retry_after_of_the_header_goes_before_the_one_in_the_status() -> None:
    body = b'{"kind": "Status", "code": 429, "details": {"retryAfterSeconds": 9}}'
    assert error_from_answer(429, {"Retry-After": "2"}, body, "GET /x").retry_after == 2.0
    assert error_from_answer(429, {}, body, "GET /x").retry_after == 9.0


def test_a_proxys_page_is_cut_to_one_line_that_says_where_it_came_from() -> None:
    page = b"<html>\n<body>502 Bad Gateway</body>\n" + b"x" * 5000
    error = error_from_answer(502, {}, page, "GET /api/v1/pods")
    assert type(error) is errors.Unavailable
    assert str(error).startswith("GET /api/v1/pods: HTTP 502: <html> <body>502 Bad Gateway</body>")
    assert "\n" not in str(error)
    assert len(str(error)) < 330
    assert "5036 bytes" in str(error)


def test_a_login_pages_redirect_is_no_answer_of_an_api_server() -> None:
    assert type(error_from_answer(302, {}, b"", "GET /x")) is errors.Unavailable


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("3", 3.0),
        (" 0 ", 0.0),
        ("Thu, 29 Feb 2024 12:00:30 GMT", 30.0),
        ("Thu, 29 Feb 2024 11:00:00 GMT", 0.0),
        ("Thu, 29 Feb 2024 12:00:30 -0000", 30.0),
        ("soon", None),
        ("-5", None),
        ("inf", None),
        ("1e9", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert parse_retry_after(header, NOW) == seconds


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'{"a": 1', b"[]", b"null", b'"text"', b"\xff\xfe\xfa", b"[" * 200_000]
)
def test_a_body_that_is_no_json_object_is_a_corrupt_answer(body: bytes) -> None:
    with pytest.raises(errors.CorruptAnswer) as caught:
        decode_object(body, "GET /x")
    assert "\n" not in str(caught.value)


@given(st.binary(max_size=300))
def test_no_bytes_cause_anything_but_a_dict_or_a_corrupt_answer(body: bytes) -> None:
    with contextlib.suppress(errors.CorruptAnswer):
        assert isinstance(decode_object(body, "GET /x"), dict)


@given(st.integers(300, 999), st.binary(max_size=300), st.text(max_size=30))
def test_no_refusal_causes_anything_but_an_api_error(code: int, body: bytes, header: str) -> None:
    error = error_from_answer(code, {"Retry-After": header}, body, "GET /x")
    assert isinstance(error, errors.ApiError)
    assert "\n" not in str(error)
