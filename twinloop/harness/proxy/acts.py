"""What rules do to a request: a function an act, made of the steps of `exchange.py`.

`rulebook.py` has chosen the rules. Those of `ON_THE_WAY` happen before the request is forwarded; one of `DECISIONS` decides
what becomes of it, or gives None when it cannot: then the request passes. A rule has fired once its act notes the fault,
when nothing of the API server's can come in between any more. The acts on streams are in `stream.py`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from aiohttp import web

from twinloop.harness.faults import Act, Armed
from twinloop.harness.proxy.answer import Answer, refusal
from twinloop.harness.proxy.lists import stale

if TYPE_CHECKING:
    from twinloop.harness.proxy.exchange import Exchange

_NOTHING = Answer(0, (), b"")


def _note(exchange: Exchange, armed: Armed, detail: str = "") -> None:
    exchange.carried_out(armed)
    exchange.context.journal.fault(armed.rule, exchange.number, detail)


# ---------------------------------------------------------------------------------------------- on the way


async def _signal(exchange: Exchange, armed: Armed) -> None:
    name = str(armed.rule.how["signal"])
    _note(exchange, armed, name)
    await exchange.context.call(armed, exchange.context.hooks.signal, exchange.replica, name)


async def _delay(exchange: Exchange, armed: Armed) -> None:
    seconds = float(armed.rule.how["seconds"])
    with exchange.connection.interruptible():
        _note(exchange, armed, f"{seconds:g} s")
        await exchange.context.until_over(armed.rule, seconds)


async def _touch(exchange: Exchange, armed: Armed) -> None:
    _note(exchange, armed, f"{exchange.info.resource} {exchange.info.name}")
    context = exchange.context
    await context.call(armed, context.hooks.touch, exchange.info.kind_of_object, exchange.info.name)


# ---------------------------------------------------------------------------------------------- decisions


async def _answer(exchange: Exchange, armed: Armed) -> web.StreamResponse | None:
    committed = await _committed(exchange, armed)
    _note(exchange, armed, str(armed.rule.how["code"]))
    return await exchange.reply(refusal(armed.rule.how, exchange.info), forged=armed.rule.id, committed=committed.code)


async def _abort(exchange: Exchange, armed: Armed) -> web.StreamResponse | None:
    committed = await _committed(exchange, armed)
    _note(exchange, armed, "committed" if armed.rule.how.get("committed") else "")
    reset = armed.rule.how.get("how") == "reset"
    exchange.note(committed, code=0, committed=committed.code, forged=armed.rule.id)
    return exchange.vanish(forged=armed.rule.id, reset=reset)


async def _hang(exchange: Exchange, armed: Armed) -> web.StreamResponse | None:
    committed, forged = await _committed(exchange, armed), ""
    try:
        with exchange.connection.interruptible():
            _note(exchange, armed)
            forged = armed.rule.id
            await exchange.context.until_over(armed.rule)
    finally:
        # Over or given up, it was never answered. What comes after so long is a reset, as from a gateway that forgot.
        exchange.note(committed, code=0, committed=committed.code, forged=forged)
    return exchange.vanish(forged=armed.rule.id, reset=True)


async def _crash(exchange: Exchange, armed: Armed) -> web.StreamResponse | None:
    when, rule = armed.rule.how.get("when", "before"), armed.rule
    answer = _NOTHING if when == "before" else await exchange.forward()
    _note(exchange, armed, when)
    # From here on deaf, before the operator can read the answer and say more.
    exchange.listener.deaf = True
    response: web.StreamResponse | None = None
    if when == "answered":
        response = await exchange.reply(answer)
    else:
        exchange.note(answer, code=0, committed=answer.code, forged=rule.id)
    try:
        await exchange.context.call(armed, exchange.context.hooks.crash, exchange.replica)
    finally:
        exchange.listener.cut(rule.id)
        exchange.listener.deaf = False
    return response or web.Response()


async def _stale(exchange: Exchange, armed: Armed) -> web.StreamResponse | None:
    kept = exchange.context.lists.get(exchange.info.resource)
    answer = stale(kept, exchange.info) if kept is not None and exchange.info.verb == "list" else None
    if answer is None:
        return None
    _note(exchange, armed)
    return await exchange.reply(answer, forged=armed.rule.id, committed=0)


async def _truncate(exchange: Exchange, armed: Armed) -> web.StreamResponse | None:
    answer = await exchange.forward()
    if len(answer.body) < 2:
        return await exchange.reply(answer)
    _note(exchange, armed)
    response = web.StreamResponse(status=answer.code, headers=answer.headers)
    response.content_length = len(answer.body)
    await response.prepare(exchange.request)
    await response.write(answer.body[: len(answer.body) // 2])
    exchange.note(answer, code=answer.code, committed=answer.code, forged=armed.rule.id)
    exchange.vanish(forged=armed.rule.id)
    return response


async def _committed(exchange: Exchange, armed: Armed) -> Answer:
    """What the server answered, if the rule lets it have the request; else nothing, with code 0."""
    return await exchange.forward() if armed.rule.how.get("committed") else _NOTHING


ON_THE_WAY: Mapping[Act, Callable[[Exchange, Armed], Awaitable[None]]] = {
    Act.SIGNAL: _signal,
    Act.DELAY: _delay,
    Act.TOUCH: _touch,
}

DECISIONS: Mapping[Act, Callable[[Exchange, Armed], Awaitable[web.StreamResponse | None]]] = {
    Act.ANSWER: _answer,
    Act.ABORT: _abort,
    Act.CRASH: _crash,
    Act.HANG: _hang,
    Act.STALE: _stale,
    Act.TRUNCATE: _truncate,
}
