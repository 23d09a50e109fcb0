"""A watch on its way to the operator, line by line and each at once, and what rules do to lines.

`exchange.py` hands over a watch that has begun and gets it back when it has ended. Without a rule that waits for lines, a
line is sent before anybody reads it. A rule that hit the whole stream acts on its beginning (ERROR, CUT, SILENCE) or on
every line; a rule that waits for lines acts in the place of the line that it hit, which the operator then never gets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web

from twinloop.harness.faults import Act, Armed
from twinloop.harness.proxy.answer import Answer, passed_on, status
from twinloop.harness.proxy.late import LateDelivery
from twinloop.harness.proxy.lines import SURPRISE, LineInfo, LineSplitter, broken, error_line, half, read, renamed
from twinloop.harness.proxy.upstream import OpenAnswer

if TYPE_CHECKING:
    from twinloop.harness.proxy.exchange import Exchange

# What CUT with how="line" sends half of when there is no line yet.
_BEGINNING = b'{"type":"ADDED","object":{"apiVersion":"v1","metadata":{}}}\n'

_ENDS = frozenset({Act.ERROR, Act.CUT, Act.SILENCE})


class Stream:
    """One watch. `out` is what goes to the operator."""

    def __init__(self, exchange: Exchange, upstream: OpenAnswer, opening: tuple[Armed, ...]) -> None:
        self.exchange, self._opening = exchange, opening
        self._upstream, self._began_in = upstream.response, upstream.seconds
        self._context, self._journal = exchange.context, exchange.context.journal
        self.out = web.StreamResponse(status=self._upstream.status, headers=passed_on(self._upstream.headers.items()))
        self._always: list[Armed] = []
        self._late: LateDelivery | None = None
        # Protobuf has no lines; nor has anything that is not a watch.
        self._has_lines = exchange.info.verb == "watch" and "json" in self._upstream.headers.get("Content-Type", "")

    async def run(self) -> web.StreamResponse:
        """Until either side, or a rule, ends it."""
        exchange = self.exchange
        self.out.enable_chunked_encoding()
        await self.out.prepare(exchange.request)
        code = self._upstream.status
        exchange.note(Answer(code, (), b"", self._began_in), code=code, committed=code)
        self._journal.stream_began(exchange.number, exchange.replica, exchange.info.resource)
        why = "client"
        try:
            with exchange.connection.interruptible():
                why = await self._pump()
        except asyncio.CancelledError:
            if not exchange.connection.lost:
                raise
            task = asyncio.current_task()
            if task is not None:
                task.uncancel()
            why = exchange.connection.why
        except ConnectionError:
            why = exchange.connection.why
        finally:
            if self._late is not None:
                self._late.close()
            self._journal.stream_ended(exchange.number, why)
        return self.out

    # ------------------------------------------------------------------ from the server to the operator

    async def _pump(self) -> str:
        """Pass on what comes; why it ended."""
        why = await self._open()
        splitter = LineSplitter()
        while not why and (data := await self._read()):
            why = await self._pass_on(splitter, data)
        if why:
            return why
        await self._drain()
        if data is None:
            # The server broke off, so the operator must not see a clean end.
            self.exchange.connection.reset("server")
            return "server"
        if splitter.rest:
            await self.out.write(splitter.rest)
        await self.out.write_eof()
        return "server"

    async def _read(self) -> bytes | None:
        """What the server sends next: empty at its end, None when it broke off."""
        try:
            return await self._upstream.content.readany()
        except (aiohttp.ClientError, OSError):
            return None

    async def _pass_on(self, splitter: LineSplitter, data: bytes) -> str:
        if not self._has_lines:
            await self.out.write(data)
            return ""
        for line in splitter.feed(data):
            why = await self._line(line)
            if why:
                return why
        return ""

    async def _line(self, line: bytes) -> str:
        """One line; why the stream ends with it, "" when it goes on."""
        if not self._always and not self._context.book.reads_lines:
            await self.deliver(line)
            return ""
        info = read(line)
        acting = self._context.book.line(self.exchange.info, self.exchange.replica, info)
        decision = None
        for armed in [*self._always, *acting]:
            if armed not in self._always:
                self._note(armed, f"{info.type} {info.name}")
            if armed.rule.act is Act.HOLD:
                self._hold(armed)
            else:
                decision = decision or armed
        if decision is None:
            await self.deliver(line, info)
            return ""
        return await _IN_PLACE[decision.rule.act](self, decision, line, info)

    async def _open(self) -> str:
        """Obey the rules that hit the stream as a whole."""
        for armed in self._opening:
            self._note(armed)
            if armed.rule.act is Act.HOLD:
                self._hold(armed)
            elif armed.rule.act in _ENDS:
                return await _IN_PLACE[armed.rule.act](self, armed, b"", LineInfo())
            else:
                self._always.append(armed)
        return ""

    def _note(self, armed: Armed, detail: str = "") -> None:
        self.exchange.carried_out(armed)
        self._journal.fault(armed.rule, self.exchange.number, detail)

    # ------------------------------------------------------------------ steps

    async def deliver(self, line: bytes, info: LineInfo | None = None, *, forged: str = "") -> None:
        """Send a line and write it down; later, when the stream is held."""
        if self._late is not None and not await self._caught_up(self._late):
            self._late.put(line, info)
            return
        await self.out.write(line)
        self._write_down(info or read(line), len(line), forged=forged)

    def withhold(self, line: bytes, info: LineInfo, rule: str) -> None:
        """Write down a line that the operator did not get."""
        if line:
            self._write_down(info, len(line), delivered=False, forged=rule)

    async def finish(self) -> None:
        """End the stream as a server does that has nothing more to say."""
        await self._drain()
        await self.out.write_eof()

    async def until_over(self, armed: Armed) -> None:
        """Wait for the end of a fault."""
        await self._context.until_over(armed.rule)

    def _write_down(self, info: LineInfo, size: int, *, delivered: bool = True, forged: str = "") -> None:
        exchange = self.exchange
        self._journal.line(exchange.number, exchange.info.resource, info, size, delivered=delivered, forged=forged)

    def _hold(self, armed: Armed) -> None:
        """From now on everything comes late; the first rule that says so sets the delay."""
        if self._late is None:

            async def send(line: bytes, info: LineInfo | None) -> None:
                await self.out.write(line)
                self._write_down(info or read(line), len(line), forged=armed.rule.id)

            self._late = LateDelivery(
                send,
                float(armed.rule.how["seconds"]),
                pause=lambda seconds: self._context.until_over(armed.rule, seconds),
                over=lambda: self._context.is_over(armed.rule),
            )

    async def _caught_up(self, late: LateDelivery) -> bool:
        """Whether the fault is over; then what was held has gone out, and the stream is as fresh as any."""
        if not late.over():
            return False
        await late.drained()
        late.close()
        self._late = None
        return True

    async def _drain(self) -> None:
        """What is held comes before what follows it."""
        if self._late is not None:
            await self._late.drained()


# ---------------------------------------------------------------------------------------------- in place of a line


async def _error(stream: Stream, armed: Armed, line: bytes, info: LineInfo) -> str:
    stream.withhold(line, info, armed.rule.id)
    how = {"message": "the harness ends this watch", **armed.rule.how}
    await stream.deliver(error_line(status(how, stream.exchange.info)), forged=armed.rule.id)
    await stream.finish()
    return armed.rule.id


async def _cut(stream: Stream, armed: Armed, line: bytes, info: LineInfo) -> str:
    stream.withhold(line, info, armed.rule.id)
    how = armed.rule.how.get("how", "clean")
    if how == "reset":
        stream.exchange.connection.reset(armed.rule.id)
        return armed.rule.id
    if how == "line":
        await stream.out.write(half(line or _BEGINNING))
    await stream.finish()
    return armed.rule.id


async def _silence(stream: Stream, armed: Armed, line: bytes, info: LineInfo) -> str:
    stream.withhold(line, info, armed.rule.id)
    await stream.until_over(armed)
    # What was lost meanwhile must not look as if it had never been: the operator hears that the connection is dead.
    stream.exchange.connection.reset(armed.rule.id)
    return armed.rule.id


async def _drop(stream: Stream, armed: Armed, line: bytes, info: LineInfo) -> str:
    stream.withhold(line, info, armed.rule.id)
    return ""


async def _repeat(stream: Stream, armed: Armed, line: bytes, info: LineInfo) -> str:
    await stream.deliver(line, info)
    await stream.deliver(line, info, forged=armed.rule.id)
    return ""


async def _corrupt(stream: Stream, armed: Armed, line: bytes, info: LineInfo) -> str:
    stream.withhold(line, info, armed.rule.id)
    text = armed.rule.how.get("text")
    await stream.deliver(broken(line) if text is None else f"{text}\n".encode(), LineInfo(), forged=armed.rule.id)
    return ""


async def _unknown(stream: Stream, armed: Armed, line: bytes, info: LineInfo) -> str:
    stream.withhold(line, info, armed.rule.id)
    await stream.deliver(renamed(line, str(armed.rule.how.get("type", SURPRISE))), forged=armed.rule.id)
    return ""


_IN_PLACE: Mapping[Act, Callable[[Stream, Armed, bytes, LineInfo], Awaitable[str]]] = {
    Act.ERROR: _error,
    Act.CUT: _cut,
    Act.SILENCE: _silence,
    Act.DROP: _drop,
    Act.REPEAT: _repeat,
    Act.CORRUPT: _corrupt,
    Act.UNKNOWN: _unknown,
}
