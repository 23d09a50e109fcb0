"""The lines of a watch: cutting a stream of bytes into them, reading what they say, and making false ones.

`stream.py` feeds what the API server sends and passes on what comes out. Pure, and bytes as long as possible: a line that
no rule waits for is sent first and read afterwards.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

# A type that no version of the API has.
SURPRISE = "SURPRISE"


class LineSplitter:
    """Cuts bytes into lines, whatever the pieces they come in."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that are whole now, each with its line end."""
        if b"\n" not in data:
            # A long line comes in many pieces: joined once, not once a piece.
            self._rest.append(data)
            return []
        *whole, rest = data.split(b"\n")
        whole[0] = b"".join([*self._rest, whole[0]])
        self._rest = [rest] if rest else []
        return [line + b"\n" for line in whole]

    @property
    def rest(self) -> bytes:
        """The beginning of a line whose end has not come."""
        return b"".join(self._rest)


@dataclass(frozen=True)
class LineInfo:
    """What a line says. `type` is "" for a line that is no watch event."""

    type: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""
    resource_version: str = ""


def read(line: bytes) -> LineInfo:
    """What a line says, as far as it makes sense."""
    try:
        event = json.loads(line)
        metadata = _metadata(event["object"])
        return LineInfo(
            type=str(event["type"]),
            namespace=str(metadata.get("namespace") or ""),
            name=str(metadata.get("name") or ""),
            uid=str(metadata.get("uid") or ""),
            resource_version=str(metadata.get("resourceVersion") or ""),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return LineInfo()


def _metadata(found: dict[str, Any]) -> dict[str, Any]:
    # kubectl watches tables: the object is in the first row.
    if found.get("kind") == "Table" and found.get("rows"):
        found = found["rows"][0].get("object") or {}
    return found.get("metadata") or {}


def error_line(status: dict[str, Any]) -> bytes:
    """The line with which a watch tells that it cannot go on."""
    return json.dumps({"type": "ERROR", "object": status}).encode() + b"\n"


def renamed(line: bytes, event: str) -> bytes:
    """The same object under another event type."""
    return json.dumps({**json.loads(line), "type": event}).encode() + b"\n"


def broken(line: bytes) -> bytes:
    """The first half of a line as if it were a line: no JSON that anybody can read."""
    return half(line) + b"\n"


def half(line: bytes) -> bytes:
    """The first half of a line, without an end."""
    return line[: max(1, len(line) // 2)].rstrip(b"\n")
