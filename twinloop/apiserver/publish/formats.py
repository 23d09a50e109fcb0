"""Documents as answers: JSON or YAML by the Accept header, indented JSON, ETags.

`discovery.py`, `version.py` and `openapi.py` make the documents. Their content negotiation is go-restful's and simpler
than that of objects, and so is the wording of the 406.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml

from twinloop.apiserver import codec, failures
from twinloop.apiserver.answer import Answer, text_answer
from twinloop.apiserver.failures import Failure
from twinloop.apiserver.request import Request

JSON, YAML = "application/json", "application/yaml"
ALL = (JSON, YAML, "application/vnd.kubernetes.protobuf")


def accepted(request: Request) -> Iterator[tuple[str, dict[str, str]]]:
    """The media types that the client takes, in its order, with their parameters."""
    for clause in (request.headers.get("accept") or "*/*").split(","):
        media_type, *parameters = (part.strip() for part in clause.split(";"))
        yield media_type, dict(part.split("=", 1) for part in parameters if "=" in part)


def document(request: Request, value: Mapping[str, Any], *, routed: bool = True) -> Answer:
    """A document in the first form that the client takes and that we have.

    Raises 406, in the words of go-restful where that has routed the request and knows none of the media types.
    """
    if routed and not any(media_type in {*ALL, "*/*"} for media_type, _ in accepted(request)):
        raise not_acceptable(ALL)
    for media_type, parameters in accepted(request):
        if "as" in parameters:
            continue
        if media_type in {JSON, "*/*", "application/*"}:
            return Answer(200, codec.encode(value))
        if media_type == YAML:
            return Answer(200, yaml.safe_dump(value, sort_keys=True).encode(), YAML)
    raise failures.not_acceptable()


def not_acceptable(available: Iterable[str]) -> Failure:
    """406 as go-restful words it."""
    message = f"406: Not Acceptable\n\nAvailable representations: {', '.join(available)}"
    return Failure(406, "NotAcceptable", message, details={})


def indented(code: int, value: Mapping[str, Any]) -> Answer:
    """JSON for people."""
    return Answer(code, json.dumps(value, indent=2).encode())


def digest(body: bytes) -> str:
    """The hash of a document, as it stands in ETags and in the OpenAPI index."""
    return hashlib.sha512(body).hexdigest().upper()


def cached(request: Request, answer: Answer, tag: str) -> Answer:
    """The answer with its ETag, or 304 when the client has it."""
    answer.headers["Etag"] = f'"{tag}"'
    known = [each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")]
    if f'"{tag}"' in known:
        return Answer(304, b"", "", answer.headers)
    return answer


def only_get(request: Request) -> None:
    """Raise 405 for any other method."""
    if request.method != "GET":
        raise failures.method_not_allowed()


def page_not_found() -> Answer:
    """The 404 of a path that no handler knows."""
    return text_answer(404, "404 page not found\n")
