"""What the proxy writes down, and what it can tell while the trial runs: how long it is quiet, which streams are open.

`exchange.py` and `stream.py` call it on the proxy's loop, in the order of what happened; other threads read the figures. A
request is written before it is forwarded, so that no truth can come before its cause; an answer after it was sent, with
nothing in between, so that writing delays nobody and the next request still comes later.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twinloop.harness.faults import Rule
from twinloop.harness.history import Fault, R, Recorder, Request, Response, StreamEnd, StreamEvent
from twinloop.harness.proxy.answer import decode
from twinloop.harness.proxy.lines import LineInfo
from twinloop.harness.proxy.request_info import RequestInfo

# A leader that renews its lease has not changed anything: it would never be quiet otherwise.
_NOT_NOTICED = "leases.coordination.k8s.io"


class Journal:
    """The proxy's part of one trial's history."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._requests = 0
        self._writing: set[int] = set()
        self._last_write = recorder.now()
        self._streams: dict[int, tuple[str, str]] = {}
        self._closed = False
        self.added: list[float] = []

    def close(self) -> None:
        """Write nothing more: the file may be closed from now on."""
        self._closed = True

    def _write(self, record: R) -> R:
        return record if self._closed else self._recorder.write(record)

    # ------------------------------------------------------------------ requests

    def request(self, info: RequestInfo, replica: str, headers: Mapping[str, str], body: bytes) -> int:
        """Note a request; its number."""
        self._requests += 1
        if info.writes and info.resource != _NOT_NOTICED:
            self._writing.add(self._requests)
        self._write(
            Request(
                id=self._requests,
                replica=replica,
                verb=info.verb,
                resource=info.resource,
                subresource=info.subresource,
                namespace=info.namespace,
                name=info.name,
                path=info.path,
                query=dict(info.query),
                user_agent=headers.get("User-Agent", ""),
                content_type=headers.get("Content-Type", ""),
                body=decode(body, headers.get("Content-Encoding", "")),
                size=len(body),
            )
        )
        return self._requests

    def response(
        self,
        request: int,
        *,
        code: int,
        committed: int,
        body: Any = None,
        size: int = 0,
        upstream: float = 0.0,
        added: float | None = None,
        forged: str = "",
    ) -> None:
        """Note an answer. `added` is None where a rule took its place: that is no cost of the proxy."""
        written = self._write(
            Response(
                request=request,
                code=code,
                committed=committed,
                body=body,
                size=size,
                upstream=round(upstream, 6),
                added=round(added or 0.0, 6),
                forged=forged,
            )
        )
        if added is not None:
            self.added.append(added)
        if request in self._writing:
            # In this order: another thread must not see an old time and nothing in flight.
            self._last_write = written.t
            self._writing.discard(request)

    def fault(self, rule: Rule, request: int, detail: str = "") -> None:
        """Note that a rule fires."""
        self._write(Fault(rule=rule.id, action=str(rule.act), request=request, detail=detail))

    def listener(self, action: str, detail: str) -> None:
        """Note what happens to a listener as a whole: it goes away and comes back."""
        self._write(Fault(rule="", action=action, detail=detail))

    # ------------------------------------------------------------------ streams

    def stream_began(self, request: int, replica: str, resource: str) -> None:
        """A stream counts as open from its response on."""
        self._streams[request] = (replica, resource)

    def line(
        self, request: int, resource: str, line: LineInfo, size: int, *, delivered: bool = True, forged: str = ""
    ) -> None:
        """Note a line of a watch."""
        self._write(
            StreamEvent(
                request=request,
                type=line.type,
                resource=resource,
                namespace=line.namespace,
                name=line.name,
                uid=line.uid,
                resource_version=line.resource_version,
                size=size,
                delivered=delivered,
                forged=forged,
            )
        )

    def stream_ended(self, request: int, why: str) -> None:
        """Note the end of a watch."""
        self._streams.pop(request, None)
        self._write(StreamEnd(request=request, why=why))

    # ------------------------------------------------------------------ read by other threads

    def quiet_for(self) -> float:
        """Seconds since the last write was answered, or since the trial began; 0 while one is in flight."""
        # The time is read first: a write that begins and ends in between then counts as just ended.
        last = self._last_write
        return 0.0 if self._writing else max(0.0, self._recorder.now() - last)

    def open_streams(self) -> list[tuple[str, str]]:
        """Replica and resource of every open watch."""
        return list(self._streams.values())
