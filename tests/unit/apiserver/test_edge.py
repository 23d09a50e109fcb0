"""The HTTP edge around a handler that only echoes: who is let in, what the handler gets to see, how answers go out.

Covered: tokens, paths as they were sent, queries, headers, bodies and their limit, methods, keep-alive and pipelining,
HTTP/1.0, framing that is none, slow readers of large answers, compression, indentation, header values, protobuf bodies.

Left out: watches (test_edge_watches.py), TLS and the listening socket (test_edge_listener.py), what the real server
answers to the same requests (tests/conformance).
"""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable

import pytest

from support.edge import Client, Reply, Site, serving, until
from twinloop.apiserver.answer import Answer
from twinloop.apiserver.http import head
from twinloop.apiserver.http.edge import BODY_LIMIT
from twinloop.apiserver.http.head import GZIP_THRESHOLD
from twinloop.apiserver.request import Request


def ok(_: Request) -> Answer:
    return Answer(200, b'{"a":1}')


def run(test: Callable[[Site, Client], Awaitable[None]], handle: Callable[[Request], Answer] = ok) -> None:
    """Run a test with a server and one connection to it."""

    async def main() -> None:
        async with serving(handle) as site:
            await test(site, await site.connect())

    asyncio.run(main())


def ask(method: str, path: str, body: bytes = b"", /, **headers: str) -> tuple[Reply, list[Request]]:
    """One request: the answer, and what the handler saw."""
    seen: list[tuple[Reply, list[Request]]] = []

    async def test(site: Site, client: Client) -> None:
        seen.append((await client.ask(method, path, body, **headers), site.server.asked))

    run(test)
    return seen[0]


# --- who is let in --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer ", "Bearer wrong", "Basic the-token", "the-token", "Bearer the-tokenx"]
)
def test_any_other_caller_gets_401_and_the_handler_never_hears_of_it(given: str) -> None:
    reply, asked = ask("GET", "/api/v1/pods", Authorization=given)
    assert reply.code == 401
    assert json.loads(reply.body) == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": "Unauthorized",
        "reason": "Unauthorized",
        "code": 401,
    }
    assert not asked


@pytest.mark.parametrize("given", ["Bearer the-token", "bearer the-token", "BEARER  the-token"])
def test_the_scheme_is_read_as_go_reads_it(given: str) -> None:
    assert ask("GET", "/", Authorization=given)[0].code == 200


def test_a_token_that_is_no_ascii_is_wrong_and_nothing_worse() -> None:
    assert ask("GET", "/", Authorization="Bearer tökén")[0].code == 401


# --- what the handler sees --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["/", "//", "/api/v1/../v1", "/api/v1/./pods", "/a%2fb", "/a%20b", "/%2e%2e", "/a/", "/a//b", "/%C3%BC", "/a;b=c"],
)
def test_paths_arrive_as_they_were_sent(path: str) -> None:
    assert ask("GET", path)[1][0].path == path


def test_a_path_with_a_broken_escape_is_no_request() -> None:
    reply, asked = ask("GET", "/api/%zz")
    assert (reply.code, reply.body, reply.headers["connection"]) == (400, b"400 Bad Request", "close")
    assert not asked


def test_the_absolute_form_of_a_proxy_is_understood() -> None:
    request = ask("GET", "http://elsewhere:80/api/v1?limit=1")[1][0]
    assert (request.path, request.query) == ("/api/v1", [("limit", "1")])


def test_queries_are_decoded_in_order_and_with_empty_values() -> None:
    request = ask("GET", "/a?b=1&b=2&watch&c=x%3Dy%2Cz&d=+")[1][0]
    assert request.query == [("b", "1"), ("b", "2"), ("watch", ""), ("c", "x=y,z"), ("d", " ")]


def test_headers_are_found_in_lower_case() -> None:
    assert ask("GET", "/", User_Agent="me/1")[1][0].headers["user-agent"] == "me/1"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_bodies_arrive_whole(method: str) -> None:
    assert ask(method, "/", b"x" * 300_000)[1][0].body == b"x" * 300_000


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_bodies_that_mean_nothing_are_not_read(method: str) -> None:
    assert ask(method, "/", b"ignored")[1][0].body == b""


def test_a_chunked_body_arrives_whole() -> None:
    async def test(site: Site, client: Client) -> None:
        client.send("POST", "/", Transfer_Encoding="chunked", Content_Length="")
        client.writer.write(b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
        assert (await client.reply()).code == 200
        assert site.server.asked[0].body == b"abcde"

    run(test)


def test_of_a_body_above_the_limit_one_byte_more_arrives() -> None:
    """Whoever decodes it says 413, so that a path which does not exist still gets its 404."""
    assert len(ask("POST", "/", b"x" * (BODY_LIMIT + 1))[1][0].body) == BODY_LIMIT + 1
    assert len(ask("POST", "/", b"x" * (BODY_LIMIT + 500_000))[1][0].body) == BODY_LIMIT + 1
    assert len(ask("POST", "/", b"x" * BODY_LIMIT)[1][0].body) == BODY_LIMIT


def test_a_body_without_end_is_answered_and_not_gathered() -> None:
    async def test(_: Site, client: Client) -> None:
        client.send("POST", "/", Transfer_Encoding="chunked", Content_Length="")
        for _number in range(4):
            client.writer.write(b"100000\r\n" + b"x" * 0x100000 + b"\r\n")
        assert (await client.reply()).code == 200

    run(test)


def test_a_client_may_wait_for_100_continue() -> None:
    async def test(site: Site, client: Client) -> None:
        client.send("POST", "/", Content_Length="5", Expect="100-continue")
        assert (await client.begin()).code == 100
        client.writer.write(b"hello")
        assert (await client.reply()).code == 200
        assert site.server.asked[0].body == b"hello"

    run(test)


def test_a_gzipped_body_is_not_unpacked() -> None:
    body = gzip.compress(b"{}")
    assert ask("POST", "/", body, Content_Encoding="gzip")[1][0].body == body


def test_a_body_in_protobuf_arrives_as_json() -> None:
    type_meta = b"\x0a\x02v1\x12\x09Namespace"
    body = b"k8s\x00" + b"\x0a" + bytes([len(type_meta)]) + type_meta + b"\x12\x05\x0a\x03\x0a\x01a"
    request = ask("POST", "/", body, Content_Type="application/vnd.kubernetes.protobuf")[1][0]
    assert json.loads(request.body) == {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "a"}}
    assert request.headers["content-type"] == "application/json"
    assert request.headers["host"] == "test"


def test_a_protobuf_body_that_cannot_be_read_goes_on_as_broken_json() -> None:
    request = ask("POST", "/", b"k8s\x00\xff\xff", Content_Type="application/vnd.kubernetes.protobuf")[1][0]
    assert (request.body, request.headers["content-type"]) == (b"k8s\x00\xff\xff", "application/json")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"])
def test_every_method_reaches_the_handler(method: str) -> None:
    assert ask(method, "/x")[1][0].method == method


# --- how answers go out -----------------------------------------------------------------------------------------------


def test_an_answer_has_the_headers_of_kube_apiserver() -> None:
    reply, _ = ask("GET", "/")
    assert reply.headers.pop("date").endswith("GMT")
    assert reply.headers == {
        "cache-control": "no-cache, private",
        "content-type": "application/json",
        "content-length": "7",
    }


def test_head_has_the_length_and_no_body() -> None:
    async def test(_: Site, client: Client) -> None:
        assert (await client.ask("HEAD", "/")).headers["content-length"] == "7"
        assert (await client.ask("GET", "/")).body == b'{"a":1}', "the connection is in step"

    run(test)


def test_headers_and_warnings_of_the_answer_go_out() -> None:
    async def test(_: Site, client: Client) -> None:
        reply = await client.ask("GET", "/")
        assert (reply.headers["etag"], reply.headers["cache-control"]) == ('"x"', "public")
        assert [line for line in client.head if line.startswith("Warning")] == [
            'Warning: 299 - "one \\"quoted\\""',
            'Warning: 299 - "two"',
        ]

    warned = Answer(200, b"", headers={"Etag": '"x"', "Cache-Control": "public"}, warnings=['one "quoted"', "two"])
    run(test, lambda _: warned)


def test_a_header_value_cannot_start_another_header() -> None:
    async def test(_: Site, client: Client) -> None:
        assert "evil" not in (await client.ask("GET", "/")).headers

    run(test, lambda _: Answer(200, b"", headers={"Location": "/a\r\nEvil: 1"}))


def big(_: Request) -> Answer:
    return Answer(200, b'{"a":"' + b"x" * GZIP_THRESHOLD + b'"}')


@pytest.mark.parametrize(
    ("accept", "zipped"),
    [("gzip", True), ("deflate, gzip", True), ("identity", False), ("gzip;q=0", False), ("", False)],
)
def test_large_answers_are_compressed_when_asked(accept: str, zipped: bool) -> None:
    async def test(_: Site, client: Client) -> None:
        reply = await client.ask("GET", "/", Accept_Encoding=accept)
        assert (reply.headers.get("content-encoding") == "gzip") is zipped
        assert (gzip.decompress(reply.body) if zipped else reply.body) == big(_).body  # type: ignore[arg-type]

    run(test, big)


def test_openapi_documents_are_never_compressed() -> None:
    async def test(_: Site, client: Client) -> None:
        assert "content-encoding" not in (await client.ask("GET", "/openapi/v3/api/v1", Accept_Encoding="gzip")).headers

    run(test, big)


def test_small_answers_are_not_compressed() -> None:
    assert "content-encoding" not in ask("GET", "/", Accept_Encoding="gzip")[0].headers


@pytest.mark.parametrize(
    ("path", "user_agent", "indented"),
    [
        ("/", "kubectl/v1.34", False),
        ("/", "curl/8", True),
        ("/", "Mozilla/5.0 (X11)", True),
        ("/?pretty=true", "kubectl", True),
        ("/?pretty=1", "kubectl", True),
        ("/?pretty=false", "curl/8", False),
        ("/?pretty=", "curl/8", True),
        ("/openapi/v3/api/v1", "curl/8", False),
    ],
)
def test_people_get_indented_json(path: str, user_agent: str, indented: bool) -> None:
    body = ask("GET", path, User_Agent=user_agent)[0].body
    assert body == (b'{\n  "a": 1\n}' if indented else b'{"a":1}')


# --- connections ------------------------------------------------------------------------------------------------------


def test_a_connection_serves_many_requests() -> None:
    async def test(site: Site, client: Client) -> None:
        for number in range(50):
            assert (await client.ask("POST", f"/{number}", b"x")).code == 200
        assert len(site.server.asked) == 50

    run(test)


def test_pipelined_requests_are_answered_in_order() -> None:
    async def test(_: Site, client: Client) -> None:
        for number in range(20):
            client.send("POST", f"/{number}", b"x" * number)
        for number in range(20):
            assert (await client.reply()).body == str(number).encode()

    run(test, lambda request: Answer(200, str(len(request.body)).encode()))


def test_connection_close_is_honoured() -> None:
    async def test(_: Site, client: Client) -> None:
        assert (await client.ask("GET", "/", Connection="close")).headers["connection"] == "close"
        assert await client.is_closed()

    run(test)


def test_http_1_0_gets_its_answer_and_the_end() -> None:
    async def test(_: Site, client: Client) -> None:
        client.writer.write(b"GET / HTTP/1.0\r\nAuthorization: Bearer the-token\r\n\r\n")
        assert (await client.reply()).body == b'{"a":1}'
        assert await client.is_closed()

    run(test)


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00\x01\x02\x03\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"POST / HTTP/1.1\r\nAuthorization: Bearer the-token\r\nContent-Length: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nAuthorization: Bearer the-token\r\nTransfer-Encoding: chunked\r\n\r\nnope\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
def test_what_is_no_http_gets_400_and_the_connection_ends(garbage: bytes) -> None:
    async def test(site: Site, client: Client) -> None:
        client.writer.write(garbage)
        reply = await client.reply()
        assert (reply.code, reply.body) == (400, b"400 Bad Request")
        assert await client.is_closed()
        assert not site.server.asked

    run(test)


def test_a_client_that_leaves_in_the_middle_of_a_body_changes_nothing() -> None:
    async def test(site: Site, client: Client) -> None:
        client.send("POST", "/", b"half", Content_Length="100")
        await client.writer.drain()
        client.writer.close()
        assert (await (await site.connect()).ask("GET", "/other")).code == 200
        assert [request.path for request in site.server.asked] == ["/other"]

    run(test)


def test_a_large_answer_to_a_client_that_leaves_harms_nobody() -> None:
    async def test(site: Site, client: Client) -> None:
        client.send("GET", "/")
        await client.begin()
        client.writer.transport.abort()
        assert (await (await site.connect()).ask("GET", "/")).code == 200

    run(test, lambda _: Answer(200, b"x" * 8_000_000, "text/plain"))


def test_a_client_that_takes_nothing_of_a_large_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head, "STALLED", 0.1)

    async def test(site: Site, client: Client) -> None:
        client.reader._transport.pause_reading()  # type: ignore[attr-defined] # there is no public way not to read
        client.send("GET", "/big")
        await until(lambda: site.server.asked, "the request has come")
        await asyncio.sleep(0.3)
        client.reader._transport.resume_reading()  # type: ignore[attr-defined]
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await client.reply()

    run(test, lambda _: Answer(200, b"x" * 30_000_000))


def test_a_client_that_reads_slowly_gets_all_of_a_large_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head, "STALLED", 0.5)

    async def test(_: Site, client: Client) -> None:
        client.send("GET", "/big")
        length = int((await client.begin()).headers["content-length"])
        for _part in range(8):
            await asyncio.sleep(0.1)
            await client.reader.readexactly(length // 8)

    run(test, lambda _: Answer(200, b"x" * 64_000_000))
