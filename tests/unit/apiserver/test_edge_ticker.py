"""When the edge lets the server's controllers work: after requests, at the time they asked for, when a clock moves.

Covered: `Ticker` on the machine's clock and on a manual one, from the loop's thread and from another.
Left out: what controllers do in a tick (test_kubelet.py and its neighbours).
"""

from __future__ import annotations

import asyncio
import time

from support.edge import Server, serving, until
from twinloop.apiserver.answer import Answer
from twinloop.apiserver.clock import ManualClock
from twinloop.apiserver.http.ticker import Ticker


def test_a_request_is_followed_by_a_tick() -> None:
    async def main() -> None:
        async with serving(lambda _: Answer(200, b"")) as site:
            await (await site.connect()).ask("GET", "/")
            await until(lambda: site.server.ticks, "a tick")

    asyncio.run(main())


def test_a_burst_costs_one_tick() -> None:
    async def main() -> None:
        server = Server(lambda _: Answer(200, b""))
        ticker = Ticker(server, asyncio.get_running_loop())
        for _ in range(100):
            ticker.soon()
        await asyncio.sleep(0.01)
        assert server.ticks == 1

    asyncio.run(main())


def test_the_next_tick_comes_when_the_server_asked_for_it() -> None:
    async def main() -> None:
        server = Server(lambda _: Answer(200, b""))
        ticker = Ticker(server, asyncio.get_running_loop())
        server.next_tick = time.time() + 0.05
        ticker.soon()
        await asyncio.sleep(0.01)
        assert server.ticks == 1
        server.next_tick = None
        await until(lambda: server.ticks == 2, "the second tick")

    asyncio.run(main())


def test_what_is_due_at_once_lets_requests_in_between() -> None:
    async def main() -> None:
        async with serving(lambda _: Answer(200, b"")) as site:
            site.server.next_tick = 0.0
            site.edge.ticker.soon()
            assert (await (await site.connect()).ask("GET", "/")).code == 200
            site.server.next_tick = None

    asyncio.run(main())


def test_on_a_manual_clock_only_advancing_brings_a_time() -> None:
    async def main() -> None:
        clock = ManualClock()
        server = Server(lambda _: Answer(200, b""), clock)
        ticker = Ticker(server, asyncio.get_running_loop())
        server.next_tick = clock.now() + 10
        ticker.soon()
        await asyncio.sleep(0.02)
        assert server.ticks == 1
        clock.advance(10 - 1e-3)
        assert server.ticks == 2, "it looks, and finds that nothing is due"
        ticker.close()
        clock.advance(10)
        assert server.ticks == 2, "a closed one does not look any more"

    asyncio.run(main())


def test_advancing_does_all_that_became_due_before_it_returns() -> None:
    class Busy(Server):
        def tick(self) -> float | None:
            super().tick()
            return self.clock.now() if self.ticks < 5 else None

    async def main() -> None:
        clock = ManualClock()
        server = Busy(lambda _: Answer(200, b""), clock)
        ticker = Ticker(server, asyncio.get_running_loop())
        clock.advance(1)
        assert server.ticks == 5
        ticker.close()

    asyncio.run(main())


def test_a_clock_may_be_moved_from_another_thread() -> None:
    async def main() -> None:
        clock = ManualClock()
        server = Server(lambda _: Answer(200, b""), clock)
        ticker = Ticker(server, asyncio.get_running_loop())
        woken: list[int] = []
        ticker.on_advance.append(lambda: woken.append(1))
        await asyncio.to_thread(clock.advance, 1.0)
        await until(lambda: woken, "the ticker has seen it")
        assert server.ticks == 1
        ticker.close()

    asyncio.run(main())
