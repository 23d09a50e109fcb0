"""One request of an operator, from its arrival to its answer.

    read -> parse -> write down -> which rules? -> what happens on the way -> forward -> answer -> write down

Without a rule that is all. A rule's act is a function of `acts.py` that uses the steps below in another order; a watch
that has begun is handed to `stream.py`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

from aiohttp import web

from twinloop.harness.faults import Armed
from twinloop.harness.proxy import acts
from twinloop.harness.proxy.answer import Answer, for_history, passed_on
from twinloop.harness.proxy.context import Context
from twinloop.harness.proxy.listener import Connection, Listener
from twinloop.harness.proxy.request_info import RequestInfo, parse
from twinloop.harness.proxy.rulebook import not_fired
from twinloop.harness.proxy.stream import Stream
from twinloop.harness.proxy.upstream import OpenAnswer, UpstreamLostError

log = logging.getLogger(__name__)


class Exchange:
    """A request that has been read."""

    def __init__(
        self,
        context: Context,
        listener: Listener,
        connection: Connection,
        request: web.BaseRequest,
        body: bytes,
    ) -> None:
        self.context, self.listener, self.connection, self.request = context, listener, connection, request
        self._body = body
        self._arrived = time.monotonic()
        self.info: RequestInfo = parse(request.method, request.raw_path)
        self.replica = listener.replica
        self.number = context.journal.request(self.info, self.replica, request.headers, body)
        # Between the number and the rules nothing else runs: ordinals count in the order of the history.
        self._obeyed = context.book.request(self.info, self.replica)
        # Rules that were chosen and have done nothing yet: until they have, nobody may take them for fired.
        self._owed = self._obeyed.all()
        for armed in self._owed:
            armed.owed += 1
        self._asked_for = 0.0
        self._noted = False

    # ------------------------------------------------------------------ the way through

    async def run(self) -> web.StreamResponse:
        """Do all of it."""
        try:
            return await self._through()
        except UpstreamLostError as error:
            # The operator meets what the proxy met: a connection that breaks.
            return self.vanish(body=str(error))
        except ConnectionError:
            return self.vanish()
        except asyncio.CancelledError:
            if not self.connection.lost:
                raise
            _forget_cancellation()
            return self.vanish()
        except Exception as error:
            # Ours, so the operator gets no answer that the API server has not given, and the history says why.
            log.exception("the proxy failed at %s %s", self.info.verb, self.info.path)
            return self.vanish(body=f"the proxy failed: {error!r}")
        finally:
            self._forestalled()

    async def _through(self) -> web.StreamResponse:
        for armed in self._obeyed.on_the_way:
            began = time.monotonic()
            await acts.ON_THE_WAY[armed.rule.act](self, armed)
            self._asked_for += time.monotonic() - began
        decision = self._obeyed.decision
        if decision is not None:
            response = await acts.DECISIONS[decision.rule.act](self, decision)
            if response is not None:
                return response
        return await self.pass_on(self._obeyed.stream)

    async def pass_on(self, opening: tuple[Armed, ...] = ()) -> web.StreamResponse:
        """Forward and answer, with a stream or as a whole."""
        if not self.info.streams:
            return await self.reply(await self.forward())
        upstream = await self.open()
        try:
            if upstream.response.status != 200:
                return await self.reply(await upstream.whole())
            return await Stream(self, upstream, opening).run()
        finally:
            upstream.close()

    # ------------------------------------------------------------------ steps

    def carried_out(self, armed: Armed) -> None:
        """Told by each act when it takes place; a rule of which nobody says so by the end has not fired."""
        if armed in self._owed:
            self._owed.remove(armed)
            armed.owed -= 1

    def _forestalled(self) -> None:
        for armed in self._owed:
            armed.owed -= 1
        not_fired(self._owed)
        self._owed = []

    async def forward(self) -> Answer:
        """Send the request to the API server; its whole answer, or of a stream only how it began."""
        if not self.info.streams:
            return await self.context.upstream.send(*self._outgoing())
        upstream = await self.open()
        upstream.close()
        return Answer(upstream.response.status, (), b"", upstream.seconds)

    async def open(self) -> OpenAnswer:
        """Send the request to the API server; the beginning of its answer."""
        return await self.context.upstream.open(*self._outgoing())

    def _outgoing(self) -> tuple[str, str, tuple[tuple[str, str], ...], bytes]:
        headers = passed_on(self.request.headers.items())
        if self.info.streams:
            # Compressed, a stream would have no lines; servers do not do it, but they may.
            headers = tuple(each for each in headers if each[0].lower() != "accept-encoding")
        return self.request.method, self.request.raw_path, headers, self._body

    async def reply(self, answer: Answer, *, forged: str = "", committed: int | None = None) -> web.StreamResponse:
        """Send an answer and write it down. `committed`: what the server said, where that is something else."""
        response = web.Response(status=answer.code, headers=answer.headers, body=answer.body)
        code = answer.code
        try:
            await response.prepare(self.request)
            await response.write_eof()
        except ConnectionError:  # the operator did not wait for it
            code = 0
        self.note(answer, code=code, committed=answer.code if committed is None else committed, forged=forged)
        return response

    def note(self, answer: Answer, *, code: int, committed: int, forged: str = "") -> None:
        """Write down what was answered, at the moment when it was."""
        took = time.monotonic() - self._arrived - self._asked_for
        self._noted = True
        self.context.journal.response(
            self.number,
            code=code,
            committed=committed,
            body=for_history(self.info, answer),
            size=len(answer.body),
            upstream=answer.seconds,
            added=None if forged else max(0.0, took - answer.seconds),
            forged=forged,
        )

    def vanish(
        self, *, committed: int = 0, forged: str = "", reset: bool = False, body: Any = None
    ) -> web.StreamResponse:
        """Break the connection without an answer, and write that down unless something was."""
        if not self._noted:
            self._noted = True
            self.context.journal.response(self.number, code=0, committed=committed, body=body, forged=forged)
        why = forged or "client"
        if reset:
            self.connection.reset(why)
        else:
            self.connection.close(why)
        return web.Response()  # aiohttp wants one; there is nobody to send it to


async def handle(context: Context, listener: Listener, request: web.BaseRequest) -> web.StreamResponse:
    """What a listener does with a request."""
    with context.under_way():
        return await _handle(context, listener, request)


async def _handle(context: Context, listener: Listener, request: web.BaseRequest) -> web.StreamResponse:
    if request.headers.get("Expect", "").lower() == "100-continue" and request.transport is not None:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    try:
        body = await request.read()
    except (OSError, web.RequestPayloadError):  # the operator died in the middle of a word
        return web.Response()
    connection = listener.connection(request)
    if connection is None or connection.lost:
        return web.Response()
    if listener.deaf:
        # Said by an operator that is as good as dead: nobody has heard it.
        connection.close("client")
        return web.Response()
    return await Exchange(context, listener, connection, request, body).run()


def _forget_cancellation() -> None:
    """The task goes on: it was only called back from waiting."""
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()
