"""What can go wrong, sorted by what the caller can do about it.

Everything that twinloop raises on purpose is a `TwinloopError`: it has a one-line message and a hint
for the person who reads it. Answers of an API server become `ApiError`s in `twinloop.kube`; the sync
function catches them by class and never looks at a status code. Standard library only, since the sync
function must not know HTTP.

| class             | what the caller does                                                    |
|-------------------|-------------------------------------------------------------------------|
| ConfigurationError| tell the person, exit 2: waiting does not help                          |
| NotFound          | the object is gone: that is an answer, not a failure                    |
| AlreadyExists     | look who holds the name                                                 |
| Conflict          | the view was too old: read again, decide again                          |
| Gone              | the resource version is too old: list again                             |
| Invalid           | the server refuses this object: do not send it again unchanged          |
| Forbidden         | a right, a quota or an admission rule is in the way: report, back off   |
| Unauthorized      | credentials are refused: load them again, back off                      |
| BadRequest        | any other 4xx: our own mistake or a server that lacks something         |
| TooManyRequests   | wait as long as the server says                                         |
| Unavailable       | no usable answer came: back off and try again                           |
| CorruptAnswer     | an Unavailable whose bytes made no sense                                |
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# What a process that was configured wrongly exits with, in both variants.
EXIT_CONFIGURATION = 2


class TwinloopError(Exception):
    """The root of all errors raised on purpose.

    `str(error)` is one line; `hint` says what a person can do about it and may be empty.
    """

    hint: str = ""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        if hint:
            self.hint = hint

    def for_a_person(self) -> str:
        """The message and the hint in one line, as a program says it before it exits."""
        return " ".join(f"error: {self}. {self.hint}".split())


class ConfigurationError(TwinloopError):
    """No usable cluster configuration, flags that make no sense: a person has to act."""

    hint = "Check --kubeconfig, --context and the KUBECONFIG variable."


class ApiError(TwinloopError):
    """An answer, or the lack of one, from an API server.

    `code` is the HTTP status (0 when none came), `reason` the server's machine-readable word such as
    "NotFound" (empty when unknown), `body` the decoded Status object (empty when there was none),
    `retry_after` the seconds that the server asks to wait (429 and some 5xx; None when it named no time).
    """

    def __init__(
        self,
        message: str,
        *,
        code: int = 0,
        reason: str = "",
        body: Mapping[str, Any] | None = None,
        hint: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after
        self.code = code
        self.reason = reason
        self.body: Mapping[str, Any] = body or {}

    @property
    def causes(self) -> list[Mapping[str, Any]]:
        """The `details.causes` of the Status body, each with `reason`, `message`, `field`."""
        details = self.body.get("details")
        causes = details.get("causes") if isinstance(details, Mapping) else None
        return [cause for cause in causes if isinstance(cause, Mapping)] if isinstance(causes, list) else []


class NotFound(ApiError):
    """404: the object, or its whole kind, does not exist."""

    hint = "Is the CustomResourceDefinition installed (make install)?"


class AlreadyExists(ApiError):
    """409 AlreadyExists: another object holds the name."""


class Conflict(ApiError):
    """409 Conflict: a resource version or uid precondition did not hold."""


class Gone(ApiError):
    """410 Gone or Expired: the resource version asked for is no longer in the server's history."""


class Invalid(ApiError):
    """422: the object breaks the schema or a rule of its kind."""


class Forbidden(ApiError):
    """403: a missing right, an exhausted quota, an admission rule, or a namespace that is going away."""

    hint = "Compare the operator's Role with deploy/base/rbac.yaml."

    @property
    def namespace_terminating(self) -> bool:
        """Whether the refusal means that the namespace is being deleted (cause NamespaceTerminating)."""
        return any(cause.get("reason") == "NamespaceTerminating" for cause in self.causes)


class Unauthorized(ApiError):
    """401: the server does not know who we are."""

    hint = "The token may have expired: log in to the cluster again."


class BadRequest(ApiError):
    """A 4xx that no other class stands for."""


class TooManyRequests(ApiError):
    """429: the server asks to slow down, by `retry_after` when it names a time."""


class Unavailable(ApiError):
    """5xx, a refused or broken connection, a time-out: nobody knows whether a write was done."""

    hint = "The API server does not answer; the operator keeps trying."


class CorruptAnswer(Unavailable):
    """Bytes came that are no answer: broken JSON, a wrong shape, an HTML page."""
