"""What goes back to a client: an `Answer` with a body, or a `WatchAnswer` with a stream that goes on.

`verbs/` and `publish/` make them, `http/` writes them out. Nothing here waits: a stream says what is ready now and when
to ask again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from twinloop.apiserver import codec
from twinloop.apiserver.failures import Failure

# What Go's http.Error and kube-apiserver's own not-found handler send along with plain text.
_PLAIN = "text/plain; charset=utf-8"


@dataclass(slots=True)
class Answer:
    """A whole answer. `warnings` are plain texts, `warning_headers` makes header values of them."""

    code: int
    body: bytes
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    @property
    def warning_headers(self) -> list[str]:
        """The values of the Warning headers, in order."""
        return [warning_header(text) for text in self.warnings]


class Stream(Protocol):
    """The lines of a watch, as far as they are ready."""

    on_ready: Callable[[], None] | None  # set by the edge, called when something has become ready

    def read(self) -> bytes:
        """All complete lines that are ready now; empty when there are none."""

    @property
    def ended(self) -> bool:
        """True when no line will ever follow those that `read` has given."""

    @property
    def deadline(self) -> float | None:
        """The clock time at which `read` may give something without any write: a bookmark, or the end."""

    def close(self) -> None:
        """The client is gone."""


@dataclass(slots=True)
class WatchAnswer:
    """An answer whose body is a stream."""

    stream: Stream
    code: int = 200
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    @property
    def warning_headers(self) -> list[str]:
        """The values of the Warning headers, in order."""
        return [warning_header(text) for text in self.warnings]


def json_answer(code: int, value: Mapping[str, Any]) -> Answer:
    """An answer with one JSON object."""
    return Answer(code, codec.encode(value))


def text_answer(code: int, text: str) -> Answer:
    """An answer in plain text."""
    return Answer(code, text.encode(), _PLAIN, {"X-Content-Type-Options": "nosniff"})


def failure_answer(failure: Failure) -> Answer:
    """The answer that says what went wrong."""
    return Answer(failure.code, codec.encode(failure.status), headers=dict(failure.headers))


def warning_header(text: str) -> str:
    """A Warning header's value: code 299, no agent, the text as a quoted string of printable characters."""
    printable = "".join(each if each.isprintable() else " " for each in text)
    quoted = printable.replace("\\", "\\\\").replace('"', '\\"')
    return f'299 - "{quoted}"'
