"""What the bytes of an answer mean: a dict, or the one error that says what the caller can do.

`transport.py` hands over status, headers and body; `client.py` and `watch.py` hand on what comes out.
The classes are those of `twinloop.errors`, chosen by HTTP code and, where one code has two meanings
(409, 410 in a 4xx or an event), by the Status reason, as apimachinery's `errors.ReasonForError` does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from twinloop.errors import (
    AlreadyExists,
    ApiError,
    BadRequest,
    Conflict,
    CorruptAnswer,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    TooManyRequests,
    Unauthorized,
    Unavailable,
)
from twinloop.kube.resources import Object

# A proxy's error page is kilobytes of HTML. The message lands in a log line and, through PodCreateFailed, in a
# status condition, so only its beginning is kept: enough to recognise whose page it is.
MAX_FOREIGN_TEXT = 256

_BY_CODE: Mapping[int, type[ApiError]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    408: Unavailable,
    409: Conflict,
    410: Gone,
    422: Invalid,
    429: TooManyRequests,
}
# Reasons that say more than their code. The 410 of an old resource version is called Expired by the watch cache and
# Gone by older servers, and both also come inside a stream whose HTTP status is 200.
_BY_REASON: Mapping[str, type[ApiError]] = {
    "AlreadyExists": AlreadyExists,
    "Expired": Gone,
    "Gone": Gone,
    "Timeout": Unavailable,
    "ServerTimeout": Unavailable,
}


def decode_object(body: bytes, where: str) -> Object:
    """The JSON object in `body`; CorruptAnswer, naming `where`, when it is anything else."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as error:  # RecursionError: a body of nothing but brackets
        raise CorruptAnswer(f"{where}: the answer is no JSON ({type(error).__name__}): {excerpt(body)}") from None
    if not isinstance(answer, dict):
        raise CorruptAnswer(f"{where}: the answer is JSON but no object: {excerpt(body)}")
    return answer


def error_from_answer(code: int, headers: Mapping[str, str], body: bytes, where: str) -> ApiError:
    """The error of an HTTP answer outside 2xx, whether its body is a Status or a proxy's page."""
    retry_after = parse_retry_after(headers.get("Retry-After"), datetime.now(UTC))
    try:
        status = decode_object(body, where)
    except CorruptAnswer:
        status = {}
    if status.get("kind") == "Status":
        return error_from_status({**status, "code": status.get("code") or code}, retry_after=retry_after)
    return _error(code, "", f"{where}: HTTP {code}: {excerpt(body) or 'no body'}", {}, retry_after)


def error_from_status(status: object, *, retry_after: float | None = None) -> ApiError:
    """The error of a Status object, from an answer's body or from an ERROR event in a watch stream.

    `retry_after` (seconds, from a header) goes before the Status's own details.retryAfterSeconds.
    """
    if not isinstance(status, Mapping) or status.get("kind", "Status") != "Status":
        return CorruptAnswer(f"an error that is no Status object: {shorten(repr(status))}")
    code, reason, message = status.get("code"), status.get("reason"), status.get("message")
    code = code if isinstance(code, int) else 0
    reason = reason if isinstance(reason, str) else ""
    text = message if isinstance(message, str) and message else f"HTTP {code} {reason}".rstrip()
    return _error(code, reason, text, dict(status), _retry_after(status) if retry_after is None else retry_after)


def _error(code: int, reason: str, message: str, body: Mapping[str, Any], retry_after: float | None) -> ApiError:
    error_class = _error_class(code, reason)
    return error_class(message, code=code, reason=reason, body=body, retry_after=retry_after)


def _error_class(code: int, reason: str) -> type[ApiError]:
    if reason in _BY_REASON:
        return _BY_REASON[reason]
    if code in _BY_CODE:
        return _BY_CODE[code]
    # Below 400 is a redirect, to a login page for example: no API server wrote that. No code at all is a Status
    # that does not say what it means. Both may be over with the next try.
    return BadRequest if 400 <= code < 500 else Unavailable


def _retry_after(status: Mapping[str, Any]) -> float | None:
    details = status.get("details")
    seconds = details.get("retryAfterSeconds") if isinstance(details, Mapping) else None
    return float(seconds) if isinstance(seconds, int) and seconds > 0 else None


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds from a Retry-After header (RFC 9110: digits or an HTTP date), None when it says nothing usable."""
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - now).total_seconds())


def excerpt(body: bytes) -> str:
    """The beginning of a body as one line of text, whatever the bytes are."""
    # Four bytes a character at most: nothing that would be shown is lost, and megabytes are not decoded for a line.
    text = shorten(body[: 4 * MAX_FOREIGN_TEXT].decode("utf-8", errors="replace"))
    return f"{text} ({len(body)} bytes)" if len(body) > MAX_FOREIGN_TEXT else text


def shorten(text: str) -> str:
    """`text` on one line, at most MAX_FOREIGN_TEXT characters."""
    line = " ".join(text.split())
    return line if len(line) <= MAX_FOREIGN_TEXT else line[: MAX_FOREIGN_TEXT - 3] + "..."
