"""Answers other than success: `Failure` carries a Kubernetes Status, and one function makes each kind of it.

Raised anywhere below `server.py`, turned into an HTTP answer there and nowhere else. Reasons, codes and wording are
those of apimachinery's api/errors and of kube-apiserver's endpoint handlers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from twinloop.apiserver.fielderrors import FieldError
from twinloop.apiserver.gofmt import quote


class Failure(Exception):
    """An answer with a `Status` object for a body; `code` is its HTTP status."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        *,
        details: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.code, self.reason, self.message = code, reason, message
        self.details = details
        self.metadata = metadata or {}
        self.headers = headers or {}

    @property
    def status(self) -> dict[str, Any]:
        """The `Status` object, fields in the order in which kube-apiserver writes them."""
        body: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": self.metadata,
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            body["reason"] = self.reason
        if self.details is not None:  # empty details are written out, absent ones are not
            body["details"] = self.details
        return {**body, "code": self.code}


def qualified(group: str, resource: str) -> str:
    """A resource or kind as messages name it: pods, nginxpods.twinloop.dev."""
    return f"{resource}.{group}" if group else resource


def _details(group: str, kind: str, name: str, **more: Any) -> dict[str, Any]:
    found = {"name": name, "group": group, "kind": kind, **more}
    return {key: value for key, value in found.items() if value}


def not_found(group: str, plural: str, name: str) -> Failure:
    """404: no such object."""
    message = f"{qualified(group, plural)} {quote(name)} not found"
    return Failure(404, "NotFound", message, details=_details(group, plural, name))


def no_such_path() -> Failure:
    """404: no such resource, group or version; it has empty details of its own."""
    return Failure(404, "NotFound", "the server could not find the requested resource", details={})


def already_exists(group: str, plural: str, name: str) -> Failure:
    """409: a create met an object of the same name."""
    message = f"{qualified(group, plural)} {quote(name)} already exists"
    return Failure(409, "AlreadyExists", message, details=_details(group, plural, name))


MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


def being_deleted(group: str, plural: str, name: str) -> Failure:
    """409: a create met an object of the same name that is on its way out."""
    found = already_exists(group, plural, name)
    return Failure(409, found.reason, f"object is being deleted: {found.message}", details=found.details)


def conflict(group: str, plural: str, name: str, why: str = MODIFIED, causes: Sequence[dict[str, str]] = ()) -> Failure:
    """409: the write was meant for another state of the object."""
    message = f"Operation cannot be fulfilled on {qualified(group, plural)} {quote(name)}: {why}"
    return Failure(409, "Conflict", message, details=_details(group, plural, name, causes=list(causes)))


def invalid(group: str, kind: str, name: str, errors: Iterable[FieldError]) -> Failure:
    """422: the object is well-formed and wrong."""
    found = list(errors)
    lines = list(dict.fromkeys(map(str, found)))
    text = lines[0] if len(lines) == 1 else f"[{', '.join(lines)}]"
    message = f"{qualified(group, kind)} {quote(name)} is invalid: {text}"
    return Failure(
        422, "Invalid", message, details=_details(group, kind, name, causes=[each.cause() for each in found])
    )


def bad_request(message: str) -> Failure:
    """400: the request itself makes no sense."""
    return Failure(400, "BadRequest", message)


def forbidden(group: str, plural: str, name: str, why: str, causes: Sequence[dict[str, str]] = ()) -> Failure:
    """403: admission refused it."""
    message = f"{qualified(group, plural)} {quote(name)} is forbidden: {why}"
    return Failure(403, "Forbidden", message, details=_details(group, plural, name, causes=list(causes)))


def unauthorized() -> Failure:
    """401: no bearer token, or not ours."""
    return Failure(401, "Unauthorized", "Unauthorized")


def method_not_allowed() -> Failure:
    """405: the resource has no such verb."""
    return Failure(
        405, "MethodNotAllowed", "the server does not allow this method on the requested resource", details={}
    )


def expired(message: str) -> Failure:
    """410 Expired: the history that a list or watch asks for is gone."""
    return Failure(410, "Expired", message)


def list_expired() -> Failure:
    """410: an exact old version of a collection is asked for, and forgotten."""
    return expired("The resourceVersion for the provided list is too old.")


def continue_expired(fresh_token: str) -> Failure:
    """410: the state that a continue token stands for is forgotten; `fresh_token` goes on with the present one."""
    return Failure(410, "Expired", _CONTINUE_EXPIRED, metadata={"continue": fresh_token})


_CONTINUE_EXPIRED = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list."
)


def too_large_version(asked: int, current: int) -> Failure:
    """504: a version is asked for that does not exist yet; the real server waits three seconds for it first."""
    cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    return Failure(
        504,
        "Timeout",
        f"Timeout: Too large resource version: {asked}, current: {current}",
        details={"causes": [cause], "retryAfterSeconds": 1},
        headers={"Retry-After": "1"},
    )


_WRITTEN = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf")
_STREAMED = ("application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch")


def not_acceptable(*, watch: bool = False) -> Failure:
    """406: of a form that the client accepts, the details cannot be met."""
    message = f"only the following media types are accepted: {', '.join(_STREAMED if watch else _WRITTEN)}"
    return Failure(406, "NotAcceptable", message)


def not_routable(*, listing: bool = False) -> Failure:
    """406: nothing that the client accepts can be made of a built-in kind."""
    listed = ", ".join((*_WRITTEN, *_STREAMED) if listing else _WRITTEN)
    message = f"406: Not Acceptable\n\nAvailable representations: {listed}"
    return Failure(406, "NotAcceptable", message, details={})


def unsupported_media_type(accepted: Iterable[str]) -> Failure:
    """415: the body's content type is not one that the verb reads."""
    listed = ", ".join(accepted)
    message = f"the body of the request was in an unknown format - accepted media types include: {listed}"
    return Failure(415, "UnsupportedMediaType", message)


def unsupported_patch_type() -> Failure:
    """415 for a patch of a built-in kind, which never reaches a handler."""
    return Failure(415, "UnsupportedMediaType", "415: Unsupported Media Type", details={})


def body_too_large(limit: int) -> Failure:
    """413: the request's body is over the server's limit."""
    return Failure(413, "RequestEntityTooLarge", f"Request entity too large: limit is {limit}")


def request_too_large() -> Failure:
    """500, as etcd's refusal of an object over its limit comes out."""
    return Failure(500, "", "etcdserver: request is too large")


def internal_error(what: str) -> Failure:
    """500: the server's own fault."""
    return Failure(500, "InternalError", f"Internal error occurred: {what}", details={"causes": [{"message": what}]})
