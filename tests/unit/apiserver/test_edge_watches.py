"""Watch streams at the HTTP edge, fed by a stream that the test fills: what is written when, and how a watch ends.

Covered: head at once, lines as they come, several lines of one moment in one piece, deadlines, the stream's end, a
client that goes, one that does not read, HTTP/1.0, the end of the server, advancing a manual clock.

Left out: what a stream gives and when it ends itself (test_watch.py), many watches under load (tests/soak).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiohttp import ClientConnectionResetError

from support.edge import Client, Lines, Site, serving, until
from twinloop.apiserver.answer import Answer, WatchAnswer
from twinloop.apiserver.clock import Clock, ManualClock
from twinloop.apiserver.http import head as http_head
from twinloop.apiserver.http import watches
from twinloop.apiserver.http.watches import OpenWatch
from twinloop.apiserver.request import Request

Test = Callable[[Site, Client, Lines], Awaitable[None]]


def run(test: Test, *, clock: Clock | None = None) -> Lines:
    """Run a test with one open watch; other paths get an answer in one piece."""
    stream = Lines()

    def handle(request: Request) -> Answer | WatchAnswer:
        return WatchAnswer(stream, warnings=["old"]) if request.path == "/watch" else Answer(200, b"{}")

    async def main() -> None:
        async with serving(handle, clock=clock) as site:
            client = await site.connect()
            client.send("GET", "/watch")
            await test(site, client, stream)

    asyncio.run(main())
    return stream


def test_the_head_goes_out_before_anything_happens() -> None:
    async def test(_: Site, client: Client, __: Lines) -> None:
        head = await client.begin()
        assert (head.code, head.headers["transfer-encoding"]) == (200, "chunked")
        assert head.headers["content-type"] == "application/json"
        assert head.headers["warning"] == '299 - "old"'
        assert "content-length" not in head.headers

    run(test)


def test_lines_go_out_as_they_come() -> None:
    async def test(_: Site, client: Client, stream: Lines) -> None:
        await client.begin()
        for number in range(3):
            stream.add(b"%d\n" % number)
            assert await client.chunk() == b"%d\n" % number

    run(test)


def test_lines_of_one_moment_go_out_in_one_piece() -> None:
    async def test(_: Site, client: Client, stream: Lines) -> None:
        await client.begin()
        for number in range(100):
            stream.add(b"%d\n" % number)
        assert (await client.chunk()).count(b"\n") == 100

    run(test)


def test_wake_ups_are_gathered_under_load() -> None:
    """A round of the event loop between two events, as between the requests of busy clients."""

    async def test(_: Site, client: Client, stream: Lines) -> None:
        await client.begin()
        began, seen = time.monotonic(), 0
        for _number in range(2000):
            stream.add(b"x\n")
            await asyncio.sleep(0)
        while seen < 2000:
            seen += (await client.chunk()).count(b"\n")
        rounds = (time.monotonic() - began) / watches.GATHER
        assert stream.reads < 2 * rounds + 10, "a round reads lines once, and once more to find none"

    run(test)


def test_a_stream_that_ends_ends_the_answer_and_keeps_the_connection() -> None:
    async def test(_: Site, client: Client, stream: Lines) -> None:
        await client.begin()
        stream.add(b"last\n")
        stream.end()
        assert [chunk async for chunk in client.chunks()] == [b"last\n"]
        assert (await client.ask("GET", "/other")).code == 200

    assert run(test).closed


def test_a_stream_is_asked_again_at_its_deadline() -> None:
    async def test(_: Site, client: Client, stream: Lines) -> None:
        stream.deadline = time.time() + 0.05
        stream.add(b"first\n")
        await client.begin()
        assert await client.chunk() == b"first\n"
        stream.ready.append(b"bookmark\n")
        stream.deadline = None
        assert await client.chunk() == b"bookmark\n"

    run(test)


def test_a_manual_clock_wakes_watches_when_it_moves() -> None:
    clock = ManualClock()

    async def test(site: Site, client: Client, stream: Lines) -> None:
        stream.deadline = clock.now() + 60
        await client.begin()
        await until(lambda: len(site.edge.watches), "the watch is open")
        stream.ready.append(b"bookmark\n")
        clock.advance(60)
        assert await client.chunk() == b"bookmark\n"

    run(test, clock=clock)


def test_a_client_that_goes_closes_its_stream() -> None:
    async def test(site: Site, client: Client, stream: Lines) -> None:
        await client.begin()
        client.writer.transport.abort()
        await until(lambda: stream.closed, "the stream is closed")
        assert len(site.edge.watches) == 0

    run(test)


def test_a_watch_that_is_over_is_let_go_of_at_once() -> None:
    """Without waiting for the garbage collector: a busy server has hundreds of them, with all that they hold."""

    async def test(_: Site, client: Client, stream: Lines) -> None:
        await client.begin()
        assert stream.on_ready is not None
        client.writer.transport.abort()
        await until(lambda: stream.closed, "the stream is closed")
        assert stream.on_ready is None

    run(test)


def test_a_client_that_does_not_read_holds_up_nobody_else() -> None:
    async def test(site: Site, client: Client, stream: Lines) -> None:
        await client.begin()
        client.reader._transport.pause_reading()  # type: ignore[attr-defined] # there is no public way not to read
        before = stream.reads
        for _ in range(200):
            stream.add(b"x" * 100_000 + b"\n")
            await asyncio.sleep(0)
        await asyncio.sleep(0.05)
        assert stream.ready, "what the socket does not take stays with the stream, which counts it"
        assert stream.reads < before + 100
        assert (await (await site.connect()).ask("GET", "/other")).code == 200

    run(test)


def test_a_client_that_takes_nothing_for_long_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_head, "STALLED", 0.1)

    async def test(site: Site, client: Client, stream: Lines) -> None:
        await client.begin()
        client.reader._transport.pause_reading()  # type: ignore[attr-defined]
        for _ in range(300):
            stream.add(b"x" * 100_000 + b"\n")
            await asyncio.sleep(0)
        await until(lambda: stream.closed, "the stream is closed")
        assert len(site.edge.watches) == 0

    run(test)


def test_http_1_0_gets_lines_without_chunks_and_then_the_end() -> None:
    async def test(site: Site, _: Client, stream: Lines) -> None:
        client = await site.connect()
        client.writer.write(b"GET /watch HTTP/1.0\r\nAuthorization: Bearer the-token\r\n\r\n")
        head = await client.begin()
        assert head.headers["connection"] == "close"
        stream.add(b"line\n")
        stream.end()
        assert await client.reader.read() == b"line\n"

    run(test)


def test_the_server_s_end_is_a_clean_end_for_watches() -> None:
    async def test(site: Site, client: Client, stream: Lines) -> None:
        await client.begin()
        stream.ready.append(b"ready\n")
        await until(lambda: len(site.edge.watches), "the watch is open")
        site.edge.watches.end()
        assert [chunk async for chunk in client.chunks()] == [b"ready\n"]

    run(test)


def test_a_hundred_watches_get_every_line() -> None:
    streams: list[Lines] = []

    def handle(_: Request) -> WatchAnswer:
        streams.append(Lines())
        return WatchAnswer(streams[-1])

    async def main() -> None:
        async with serving(handle) as site:
            clients = [await site.connect() for _ in range(100)]
            for client in clients:
                client.send("GET", "/watch")
                await client.begin()
            for stream in streams:
                stream.add(b"line\n")
            assert [await client.chunk() for client in clients] == [b"line\n"] * 100

    asyncio.run(main())
    assert all(stream.closed for stream in streams)


def test_a_client_that_is_gone_before_the_head_is_no_error() -> None:
    class Gone:
        async def write(self, data: bytes) -> None:
            raise ClientConnectionResetError("Cannot write to closing transport")

    request = SimpleNamespace(writer=Gone(), version=(1, 1), keep_alive=True, transport=None)
    stream = Lines()

    async def main() -> None:
        nobody = cast("Any", None)
        await OpenWatch(cast("Any", request), WatchAnswer(stream), nobody, nobody).run()

    asyncio.run(main())
    assert stream.closed
