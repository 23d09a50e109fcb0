"""The listening socket: one port for TLS and plain HTTP on loopback, and the certificate that comes with it.

Covered: both protocols on one port, clients that check the certificate, silent and broken connections, a port that is
taken, how much is read at a time, the end of listening.
Left out: requests and answers (test_edge.py).
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from support.edge import serving
from twinloop.apiserver.answer import Answer
from twinloop.apiserver.http import edge, listener
from twinloop.apiserver.http.certificate import Certificate, Maker
from twinloop.errors import ConfigurationError


@cache
def certificate() -> Certificate:
    return Maker().result()


def trusting() -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=certificate().authority.decode())
    context.verify_flags |= ssl.VERIFY_X509_STRICT  # what Python 3.13 does by itself
    return context


def test_tls_and_plain_http_share_a_port() -> None:
    async def main() -> None:
        async with serving(lambda _: Answer(200, b"hello"), tls=certificate().context()) as site:
            assert (await (await site.connect()).ask("GET", "/")).body == b"hello"
            assert (await (await site.connect(tls=trusting())).ask("GET", "/")).body == b"hello"

    asyncio.run(main())


@pytest.mark.parametrize("encrypted", [False, True])
def test_little_is_read_at_a_time(encrypted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else each read would allocate 256 KB, and the heap grow for want of room that is large enough."""
    asked: list[int] = []

    class Noting(edge._Protocol):
        def data_received(self, data: bytes) -> None:
            # Over TLS, where pieces are put together before they come here, it is TLS that reads.
            reader: Any = self.transport
            asked.append(getattr(reader, "_ssl_protocol", reader).max_size)
            super().data_received(data)

    monkeypatch.setattr(edge, "_Protocol", Noting)

    async def main() -> None:
        async with serving(lambda _: Answer(200, b""), tls=certificate().context()) as site:
            client = await site.connect(tls=trusting() if encrypted else None)
            assert (await client.ask("POST", "/", b"x" * 1000)).code == 200

    asyncio.run(main())
    assert set(asked) == {edge.READ_SIZE}


def test_a_client_that_trusts_somebody_else_is_not_served() -> None:
    async def main() -> None:
        async with serving(lambda _: Answer(200, b""), tls=certificate().context()) as site:
            with pytest.raises(ssl.SSLCertVerificationError):
                await site.connect(tls=ssl.create_default_context())
            assert (await (await site.connect()).ask("GET", "/")).code == 200

    asyncio.run(main())


def test_two_servers_have_nothing_in_common() -> None:
    other = Maker().result()
    assert other.authority != certificate().authority
    assert other.chain != certificate().chain


def test_the_authority_s_key_is_not_kept() -> None:
    assert b"PRIVATE" not in certificate().authority
    assert certificate().chain.count(b"PRIVATE KEY") == 2, "begin and end of one key, the server's own"


@pytest.mark.parametrize("opening", [b"", b"\x16\x03\x01\x00\x05nonsense", b"\x00\x00\x00"])
def test_a_connection_that_says_nonsense_or_nothing_harms_nobody(opening: bytes) -> None:
    async def main() -> None:
        async with serving(lambda _: Answer(200, b""), tls=certificate().context()) as site:
            _, writer = await asyncio.open_connection(listener.HOST, site.port)
            writer.write(opening)
            assert (await (await site.connect()).ask("GET", "/")).code == 200
            writer.transport.abort()
            assert (await (await site.connect()).ask("GET", "/")).code == 200

    asyncio.run(main())


def test_a_silent_connection_is_closed_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "_SILENCE", 0.05)

    async def main() -> None:
        async with serving(lambda _: Answer(200, b""), tls=certificate().context()) as site:
            assert await (await site.connect()).is_closed()

    asyncio.run(main())


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as other:
        other.bind((listener.HOST, 0))
        other.listen()
        yield other.getsockname()[1]


def test_a_port_that_is_taken_is_one_clear_line(taken: int) -> None:
    with pytest.raises(ConfigurationError) as caught:
        listener.bind(taken)
    assert (
        caught.value.for_a_person() == f"error: port {taken} is in use. Choose another --port, or 0 for any free one."
    )


def test_a_port_that_cannot_be_is_one_clear_line() -> None:
    with pytest.raises(ConfigurationError, match=r"cannot listen on 127\.0\.0\.1:99999"):
        listener.bind(99999)


def test_a_server_listens_on_loopback_only() -> None:
    with listener.bind(0) as listening:
        assert listening.getsockname()[0] == "127.0.0.1"


def test_clients_wait_while_no_file_descriptor_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "_PAUSE", 0.05)
    real, tries = socket.socket.accept, []

    def accept(listening: socket.socket) -> object:
        tries.append(1)
        if len(tries) == 1:
            raise OSError(24, "Too many open files")
        return real(listening)

    async def main() -> None:
        async with serving(lambda _: Answer(200, b"")) as site:
            monkeypatch.setattr(socket.socket, "accept", accept)
            assert (await (await site.connect()).ask("GET", "/")).code == 200
            assert len(tries) < 10, "it does not try again and again meanwhile"

    asyncio.run(main())


def test_a_closed_listener_takes_no_more_and_leaves_open_connections_alone() -> None:
    async def main() -> None:
        async with serving(lambda _: Answer(200, b"")) as site:
            client = await site.connect()
            await client.ask("GET", "/")
            site.close_listener()
            with pytest.raises(OSError, match="Connect call failed"):
                await site.connect()
            assert (await client.ask("GET", "/")).code == 200

    asyncio.run(main())
