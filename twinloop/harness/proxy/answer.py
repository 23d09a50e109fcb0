"""An answer to a request: what the API server gave, or what a rule puts in its place.

`upstream.py` makes the first kind, `refusal` the second, `exchange.py` sends either. `for_history` is the part of a body that
judges need. Pure.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from twinloop.harness.proxy.request_info import RequestInfo

JSON = "application/json"

# What an API server calls them.
_REASONS = {
    400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 405: "MethodNotAllowed", 409: "Conflict",
    410: "Expired", 413: "RequestEntityTooLarge", 415: "UnsupportedMediaType", 422: "Invalid", 429: "TooManyRequests",
    500: "InternalError", 503: "ServiceUnavailable", 504: "Timeout",
}  # fmt: skip

# Enough of a page that is no JSON to recognise it.
_EXCERPT = 1000


@dataclass(frozen=True)
class Answer:
    """A whole answer. `seconds`: what the API server took for it, 0 for one of our own."""

    code: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    seconds: float = 0.0

    def header(self, name: str) -> str:
        """The first header of that name, "" without one; `name` in lower case."""
        return next((value for key, value in self.headers if key.lower() == name), "")


def status(how: Mapping[str, Any], info: RequestInfo) -> dict[str, Any]:
    """The Status that a rule's `code`, `reason`, `message` and `retry_after` stand for."""
    code = int(how["code"])
    details: dict[str, Any] = {"name": info.name, "group": info.group, "kind": info.resource.partition(".")[0]}
    if how.get("retry_after") is not None:
        details["retryAfterSeconds"] = int(how["retry_after"])
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": how.get("message") or f"the harness says {code} to this {info.verb} of {info.resource}",
        "reason": how.get("reason") or _REASONS.get(code, "Unknown"),
        "details": {key: value for key, value in details.items() if value},
        "code": code,
    }


def refusal(how: Mapping[str, Any], info: RequestInfo) -> Answer:
    """The answer of a rule with Act.ANSWER. `raw` is sent as it is, as a gateway's error page would be."""
    headers = [("Content-Type", JSON if how.get("raw") is None else "text/html")]
    if how.get("retry_after") is not None:
        headers.append(("Retry-After", str(how["retry_after"])))
    raw = how.get("raw")
    body = json.dumps(status(how, info)).encode() if raw is None else str(raw).encode()
    return Answer(int(how["code"]), tuple(headers), body)


def for_history(info: RequestInfo, answer: Answer) -> Any:
    """The object of a write, the Status of a failure, of a list its version and length; None of all else."""
    if answer.code >= 400:
        found = decode(answer.body, answer.header("content-encoding"))
        return answer.body[:_EXCERPT].decode(errors="replace") if found is None else found
    if info.verb == "list":
        return _of_list(decode(answer.body, answer.header("content-encoding")))
    # What a GET brought is not parsed: nobody judges it, and it would cost each of them.
    return decode(answer.body, answer.header("content-encoding")) if info.writes else None


def _of_list(found: Any) -> Any:
    if not isinstance(found, dict):
        return None
    metadata = found.get("metadata") or {}
    items = found.get("items") or found.get("rows") or []  # kubectl asks for a table
    kept = {"resourceVersion": metadata.get("resourceVersion", ""), "items": len(items)}
    return {**kept, "continue": metadata["continue"]} if metadata.get("continue") else kept


def decode(body: bytes, encoding: str = "") -> Any:
    """A JSON body, None for what is no JSON: protobuf, YAML, a page."""
    try:
        return json.loads(gzip.decompress(body) if encoding == "gzip" else body) if body else None
    except (ValueError, OSError, EOFError, zlib.error):
        return None


# Of a connection, not of a message; the lengths are counted anew, the credentials are ours.
_NOT_PASSED_ON = frozenset({
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
    "transfer-encoding", "upgrade", "content-length", "host", "authorization", "expect",
})  # fmt: skip


def passed_on(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The headers that go through the proxy."""
    return tuple((name, value) for name, value in headers if name.lower() not in _NOT_PASSED_ON)
