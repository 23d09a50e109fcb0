"""A watch as it comes over the wire: lines of bytes, one JSON document each.

`Client.watch` opens the stream, this module cuts it into lines the moment they arrive, and a reflector decodes
them with `decode_event` and keeps the store. Lines rather than objects, because a recorder or a proxy wants
the bytes, and because one broken line must not cost the lines before it.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import urllib3
from urllib3.exceptions import ReadTimeoutError

from twinloop.errors import CorruptAnswer, Unavailable
from twinloop.kube.answers import decode_object, excerpt
from twinloop.kube.resources import Object
from twinloop.kube.transport import BROKEN, describe

# An upper bound of one read, not a wait: read1 returns what one recv brought.
READ_SIZE = 64 * 1024

# etcd keeps objects below 1.5 MB by default and the API server takes requests of 3 MB. A "line" far beyond both is a
# stream without line ends, and waiting for its end would fill the memory.
MAX_LINE = 64 * 1024 * 1024

# The types whose object is one of the kind that is watched, at least with metadata. Others are handed on as they are:
# ERROR, whose object is a Status, and whatever a later API server may invent, which is for the reader to skip.
OBJECT_EVENTS = ("ADDED", "MODIFIED", "DELETED", "BOOKMARK")


class WatchStream:
    """An open watch; iterate it once, and close it, best as a context manager.

    Iterating ends by itself when the server ended the stream after a whole line or when close() was called.
    Raises Unavailable when the connection breaks or when no byte came for `idle_timeout` seconds (the socket's
    read time-out, set by who opened the response), CorruptAnswer when the stream ends inside a line: the server
    always ends a line, so that the event before the break is known to be lost and not taken for half a truth.
    """

    def __init__(self, response: urllib3.BaseHTTPResponse, *, where: str, idle_timeout: float) -> None:
        self._response = response
        self._where = where
        self._idle_timeout = idle_timeout
        self._closed = threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        # What is left over after the last line end, as it came. A list and one join, since a line of 1.5 MB comes in
        # some hundred pieces and appending each to the last would copy it as often.
        pending: list[bytes] = []
        size = 0
        for chunk in self._chunks():
            first, *others = chunk.split(b"\n")
            pending.append(first)
            size += len(first)
            for following in others:
                yield from _unless_blank(b"".join(pending))
                pending, size = [following], len(following)
            if size > MAX_LINE:
                raise CorruptAnswer(f"{self._where}: a line of the watch is longer than {MAX_LINE} bytes")
        rest = b"".join(pending)
        if rest.strip() and not self._closed.is_set():
            raise CorruptAnswer(f"{self._where}: the watch ended in the middle of a line: {excerpt(rest)}")

    def _chunks(self) -> Iterator[bytes]:
        while not self._closed.is_set():
            try:
                # read1, never read or stream: those wait for the whole READ_SIZE of a body that is not chunked.
                chunk = self._response.read1(READ_SIZE)
            except Exception as error:
                # close() pulls the socket away under the read, and which error that gives depends on how far the
                # read was (OSError, ValueError, AttributeError inside http.client). After close() all mean the end.
                if self._closed.is_set():
                    return
                raise self._failure(error) from error
            if not chunk:
                return
            yield chunk

    def _failure(self, error: Exception) -> Exception:
        if isinstance(error, ReadTimeoutError):
            return Unavailable(f"{self._where}: the watch was silent for {self._idle_timeout:g} s")
        if isinstance(error, BROKEN):
            return Unavailable(f"{self._where}: the watch broke: {describe(error)}")
        return error

    def close(self) -> None:
        """End the iteration at once, from any thread, and give the socket back. May be called again."""
        self._closed.set()
        # Closing a socket does not wake a thread that is blocked in recv on it; shutting it down does. The errors mean
        # that the stream has ended already and nobody is left to wake.
        with contextlib.suppress(RuntimeError, ValueError, OSError):
            self._response.shutdown()
        self._response.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def decode_event(line: bytes) -> Object:
    """One line of a watch as `{"type": ..., "object": {...}}`; CorruptAnswer when it is anything else.

    An ERROR event is decoded like any other: its object is a Status for `error_from_status`.
    """
    event = decode_object(line, "a line of the watch")
    if not isinstance(event.get("type"), str) or not isinstance(event.get("object"), dict):
        raise CorruptAnswer(f"a line of the watch is no event: {excerpt(line)}")
    metadata = event["object"].get("metadata")
    if event["type"] in OBJECT_EVENTS and not isinstance(metadata, dict):
        raise CorruptAnswer(f"an object of the watch has no metadata: {excerpt(line)}")
    return event


def _unless_blank(line: bytes) -> Iterator[bytes]:
    if line.strip():
        yield line
