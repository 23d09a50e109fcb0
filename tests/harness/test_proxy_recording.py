"""What passes through the proxy unharmed, and what is written down about it; over real sockets, without any rule.

Left out: faults (test_proxy_acts.py, test_proxy_streams.py), listeners (test_proxy_listeners.py).
"""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import threading

import pytest

from support.fake_upstream import BREAK, END, Got, Seen, Told, abandoned
from support.proxied import NGINXPODS, PODS, WATCH, eventually, line, pod, scene
from twinloop.harness.history import Request, Response, StreamEnd, StreamEvent, dump, load


def test_a_request_reaches_the_server_as_it_was_but_for_the_credentials() -> None:
    with scene() as on:
        on.operator.ask(
            "GET", PODS + "/a%2Fb%41?fieldManager=x%20y%7E", Authorization="Bearer theirs", X_Own="1", User_Agent="op/1"
        )
        (seen,) = on.upstream.seen
        assert (seen.method, seen.target) == ("GET", PODS + "/a%2Fb%41?fieldManager=x%20y%7E")
        assert seen.headers["Authorization"] == "Bearer token-1"
        assert (seen.headers["X-Own"], seen.headers["User-Agent"]) == ("1", "op/1")
        assert seen.headers["Host"] == on.upstream.url.removeprefix("http://")


def test_nothing_is_added_to_the_headers_of_a_request() -> None:
    with scene() as on:
        with abandoned(on.proxy.listen("a"), b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n") as raw:
            assert raw.recv(100).startswith(b"HTTP/1.1 200")
        assert set(on.upstream.seen[0].headers) == {"Host", "Authorization"}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_body_passes_unchanged(method: str) -> None:
    with scene() as on:
        raw = b'{"a" : 1,\n "b":"\xc3\xa9"}'
        on.operator.ask(method, PODS + "/web-0", raw)
        assert on.upstream.seen[0].body == raw
        assert on.soon(Request, 1)[0].body == {"a": 1, "b": "é"}


def test_an_empty_post_stays_empty() -> None:
    with scene() as on:
        on.operator.ask("POST", PODS, b"")
        assert on.upstream.seen[0].body == b""
        assert on.upstream.seen[0].headers["Content-Length"] == "0"


def test_an_answer_passes_with_its_code_headers_and_body() -> None:
    told = Told(418, {"x": 1}, {"X-Kubernetes-Pf-Flowschema-Uid": "u", "Warning": '299 - "old"', "Audit-Id": "7"})
    with scene(told=told) as on:
        got = on.operator.ask("GET", PODS)
        assert (got.code, got.json()) == (418, {"x": 1})
        assert {name: got.headers[name] for name in told.headers} == dict(told.headers)


def test_a_chunked_answer_arrives_whole() -> None:
    body = {"items": ["é" * 50, "x"]}
    with scene(told=Told(body=body, chunked=True)) as on:
        assert on.operator.ask("GET", PODS).json() == body


def test_a_compressed_answer_stays_compressed_and_is_still_understood() -> None:
    packed = gzip.compress(json.dumps({"metadata": {"resourceVersion": "9"}, "items": [1, 2]}).encode())
    with scene(told=Told(body=packed, headers={"Content-Encoding": "gzip"})) as on:
        got = on.operator.ask("GET", PODS, Accept_Encoding="gzip")
        assert (got.body, got.headers["Content-Encoding"]) == (packed, "gzip")
        assert on.upstream.seen[0].headers["Accept-Encoding"] == "gzip"
        assert on.soon(Response, 1)[0].body == {"resourceVersion": "9", "items": 2}


def test_a_connection_serves_many_requests() -> None:
    with scene() as on:
        for number in range(5):
            on.operator.ask("GET", f"/version?{number}")
        ports = {on.operator._connection.sock.getsockname()[1]}
        assert len(ports) == 1
        assert [seen.target for seen in on.upstream.seen] == [f"/version?{number}" for number in range(5)]


def test_a_large_body_and_a_long_header_are_the_servers_to_refuse() -> None:
    with scene() as on:
        raw = json.dumps({"big": "x" * 4_000_000}).encode()
        assert on.operator.ask("POST", PODS, raw).code == 200
        assert on.upstream.seen[0].body == raw
        assert on.operator.ask("GET", PODS + "?labelSelector=" + "x" * 60_000).code == 200


def test_a_client_that_waits_to_be_asked_for_its_body_is_asked() -> None:
    head = b"POST " + PODS.encode() + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    with scene() as on, abandoned(on.proxy.listen("a"), head) as raw:
        assert raw.recv(100).startswith(b"HTTP/1.1 100 ")
        raw.sendall(b"{}")
        assert raw.recv(100).startswith(b"HTTP/1.1 200 ")


def test_a_write_is_written_down_with_both_bodies() -> None:
    with scene(told=Told(201, pod("web-0", 7))) as on:
        on.operator.ask("POST", PODS + "?fieldManager=op", pod("web-0"), User_Agent="op/1")
        (response,) = on.soon(Response, 1)
        (request,) = on.of(Request)
        assert (request.id, request.replica, request.verb, request.resource) == (1, "a", "create", "pods")
        assert (request.namespace, request.name, request.subresource) == ("ns", "", "")
        assert (request.path, request.query) == (PODS, {"fieldManager": "op"})
        assert (request.user_agent, request.content_type) == ("op/1", "application/json")
        assert request.body == pod("web-0")
        assert request.size == len(json.dumps(pod("web-0")))
        assert (response.request, response.code, response.committed, response.forged) == (1, 201, 201, "")
        assert response.body == pod("web-0", 7)
        assert response.size == len(json.dumps(pod("web-0", 7)))


def test_a_failure_is_written_down_with_its_status_and_a_page_as_text() -> None:
    with scene() as on:
        on.upstream.answer = lambda _: Told(404, {"kind": "Status", "code": 404})
        on.operator.ask("GET", PODS + "/x")
        on.upstream.answer = lambda _: Told(502, b"<html>bad gateway</html>", {"Content-Type": "text/html"})
        on.operator.ask("GET", PODS + "/x")
        first, second = on.soon(Response, 2)
        assert first.body == {"kind": "Status", "code": 404}
        assert second.body == "<html>bad gateway</html>"


def test_a_list_is_written_down_as_its_version_and_length_and_a_get_as_nothing() -> None:
    listed = {"metadata": {"resourceVersion": "12", "continue": "c"}, "items": [pod("a"), pod("b")]}
    with scene(told=Told(body=listed)) as on:
        on.operator.ask("GET", PODS + "?limit=2")
        on.operator.ask("GET", PODS + "/a")
        first, second = on.soon(Response, 2)
        assert first.body == {"resourceVersion": "12", "items": 2, "continue": "c"}
        assert second.body is None
        assert second.size == len(json.dumps(listed))


def test_a_request_is_written_down_before_the_server_hears_of_it() -> None:
    with scene() as on:
        known: list[int] = []

        def answer(_: Seen) -> Told:
            known.append(len(on.of(Request)))
            return Told()

        on.upstream.answer = answer
        on.operator.ask("POST", PODS, pod("web-0"))
        assert known == [1]


def test_requests_of_many_connections_are_numbered_in_one_order() -> None:
    with scene() as on:
        url = on.proxy.listen("a")
        threads = [threading.Thread(target=_some, args=(url, 20)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        on.soon(Response, 80)
        assert [each.id for each in on.of(Request)] == list(range(1, 81))
        assert sorted(each.request for each in on.of(Response)) == list(range(1, 81))


def _some(url: str, count: int) -> None:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=5)
    for _ in range(count):
        connection.request("GET", "/version")
        connection.getresponse().read()
    connection.close()


def test_the_time_of_the_server_and_of_the_proxy_are_told_apart() -> None:
    with scene() as on:
        gate = threading.Event()

        def slow(_: Seen) -> Told:
            gate.wait(0.15)
            return Told()

        on.upstream.answer = slow
        on.operator.ask("GET", "/version")
        (response,) = on.soon(Response, 1)
        assert 0.15 <= response.upstream < 1
        assert 0 < response.added < 0.1
        assert on.proxy.added() == [pytest.approx(response.added, abs=1e-6)]


def test_a_401_is_healed_with_fresh_credentials_and_the_operator_does_not_notice() -> None:
    with scene() as on:
        on.upstream.answer = lambda seen: Told(200 if seen.headers["Authorization"] == "Bearer token-2" else 401)
        assert on.operator.ask("GET", "/version").code == 200
        assert [seen.headers["Authorization"] for seen in on.upstream.seen] == ["Bearer token-1", "Bearer token-2"]


def test_a_server_that_hangs_up_is_a_connection_that_breaks() -> None:
    with scene(told=Told(hang_up=True)) as on:
        with pytest.raises((OSError, http.client.HTTPException)):
            on.operator.ask("POST", PODS, pod("web-0"))
        (response,) = on.soon(Response, 1)
        assert (response.code, response.committed) == (0, 0)
        assert "no answer from the API server" in response.body
        assert on.proxy.quiet_for() >= 0  # nothing hangs in flight


def test_a_write_whose_author_has_hung_up_is_done_and_written_down_as_unheard() -> None:
    with scene() as on:
        heard, gate = threading.Event(), threading.Event()

        def slow(_: Seen) -> Told:
            heard.set()
            gate.wait(5)
            return Told(201, pod("web-0"))

        on.upstream.answer = slow
        head = b"POST " + PODS.encode() + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
        with abandoned(on.proxy.listen("a"), head):
            assert heard.wait(5)
            assert on.proxy.quiet_for() == 0
        gate.set()
        (response,) = on.soon(Response, 1)
        assert (response.code, response.committed, response.body) == (0, 201, pod("web-0"))
        assert on.proxy.quiet_for() > 0


# ---------------------------------------------------------------------------------------------- watches


def test_every_line_of_a_watch_passes_as_soon_as_it_comes() -> None:
    with scene(told=Told(stream=True)) as on:
        watch = on.operator.watch(WATCH)
        assert watch.status == 200  # before any line
        for number in range(3):
            sent = line("ADDED", f"web-{number}", number)
            on.upstream.pieces.put(sent)
            assert watch.readline() == sent  # while the next has not been said
        assert [(each.type, each.name, each.resource_version, each.uid) for each in on.soon(StreamEvent, 3)] == [
            ("ADDED", f"web-{number}", str(number), f"uid-web-{number}") for number in range(3)
        ]
        event = on.of(StreamEvent)[0]
        assert (event.resource, event.namespace, event.size) == ("pods", "ns", len(line("ADDED", "web-0", 0)))
        assert (event.delivered, event.forged, event.request) == (True, "", 1)


def test_a_line_is_found_wherever_it_was_cut() -> None:
    with scene(told=Told(stream=True)) as on:
        watch = on.operator.watch(WATCH)
        sent = line("ADDED", "é") + line("MODIFIED", "é") + line("DELETED", "x" * 200_000)
        for start in range(0, 600, 5):
            on.upstream.pieces.put(sent[start : start + 5])
        on.upstream.pieces.put(sent[600:])
        on.upstream.pieces.put(END)
        assert watch.read() == sent
        assert [each.type for each in on.soon(StreamEvent, 3)] == ["ADDED", "MODIFIED", "DELETED"]


def test_a_watch_that_the_server_ends_ends_cleanly() -> None:
    with scene(told=Told(stream=True)) as on:
        watch = on.operator.watch(WATCH)
        assert on.soon(Response, 1)[0].code == 200
        eventually(lambda: on.proxy.open_streams() == [("a", "pods")])
        on.upstream.pieces.put(END)
        assert watch.read() == b""
        assert [each.why for each in on.soon(StreamEnd, 1)] == ["server"]
        assert on.proxy.open_streams() == []


def test_a_watch_that_the_server_breaks_off_breaks_for_the_operator_too() -> None:
    with scene(told=Told(stream=True)) as on:
        watch = on.operator.watch(WATCH)
        on.upstream.pieces.put(line("ADDED", "a"))
        watch.readline()
        on.upstream.pieces.put(BREAK)
        with pytest.raises((OSError, http.client.HTTPException)):
            watch.read()
        assert [each.why for each in on.soon(StreamEnd, 1)] == ["server"]


def test_an_operator_that_hangs_up_ends_its_watch_at_once_although_nothing_is_said() -> None:
    with scene(told=Told(stream=True)) as on:
        on.operator.watch(WATCH)
        eventually(on.proxy.open_streams)
        on.operator.hang_up()
        assert [each.why for each in on.soon(StreamEnd, 1)] == ["client"]
        assert on.proxy.open_streams() == []


def test_a_refused_watch_is_an_ordinary_answer() -> None:
    with scene(told=Told(410, {"kind": "Status", "code": 410})) as on:
        assert on.operator.ask("GET", WATCH).code == 410
        (response,) = on.soon(Response, 1)
        assert (response.code, response.body["code"]) == (410, 410)
        assert on.of(StreamEnd) == []


def test_a_stream_of_something_else_than_json_passes_in_its_own_pieces() -> None:
    told = Told(stream=True, headers={"Content-Type": "application/vnd.kubernetes.protobuf;stream=watch"})
    with scene(told=told) as on:
        watch = on.operator.watch(WATCH)
        on.upstream.pieces.put(b"\x00\x01")
        assert watch.read(2) == b"\x00\x01"
        on.upstream.pieces.put(END)
        assert watch.read() == b""
        assert on.soon(StreamEnd, 1)
        assert on.of(StreamEvent) == []


def test_the_log_of_a_pod_can_be_followed() -> None:
    with scene(told=Told(stream=True, headers={"Content-Type": "text/plain"})) as on:
        log = on.operator.watch(PODS + "/web-0/log?follow=true")
        on.upstream.pieces.put(b"hello")
        assert log.read(5) == b"hello"


def test_a_watch_is_never_compressed() -> None:
    with scene(told=Told(stream=True)) as on:
        raw = b"GET " + WATCH.encode() + b" HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n"
        with abandoned(on.proxy.listen("a"), raw) as connection:
            connection.recv(10)
        assert "Accept-Encoding" not in on.upstream.seen[0].headers


def test_what_was_written_down_can_be_read_again() -> None:
    with scene(told=Told(stream=True)) as on:
        on.operator.watch(WATCH)
        on.upstream.pieces.put(line("ADDED", "a"))
        on.soon(StreamEvent, 1)
        lines = on.lines()
        assert [dump(load(each, number)) for number, each in enumerate(lines, 1)] == lines


def test_quiet_counts_from_the_last_write_and_not_from_reads_or_leases() -> None:
    with scene() as on:
        on.operator.ask("POST", PODS, pod("a"))
        on.soon(Response, 1)
        first = on.proxy.quiet_for()
        on.operator.ask("GET", PODS)
        on.operator.ask("PUT", "/apis/coordination.k8s.io/v1/namespaces/ns/leases/l", {})
        on.operator.ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {})
        on.soon(Response, 4)
        assert on.proxy.quiet_for() > first
        on.operator.ask("PATCH", NGINXPODS + "/web/status", {})
        on.soon(Response, 5)
        assert on.proxy.quiet_for() < 0.5


def test_a_request_that_is_no_http_harms_nobody() -> None:
    with scene() as on:
        with abandoned(on.proxy.listen("a"), b"\x16\x03\x01 what\r\n\r\n") as raw:
            assert raw.recv(100).startswith(b"HTTP/1.0 400")
        got: Got = on.operator.ask("GET", "/version")
        assert got.code == 200


def test_an_operator_that_dies_in_the_middle_of_a_body_was_not_heard() -> None:
    head = b"POST " + PODS.encode() + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"
    with scene() as on:
        with abandoned(on.proxy.listen("a"), head) as raw:
            raw.shutdown(socket.SHUT_RDWR)
        assert on.operator.ask("GET", "/version").code == 200
        on.soon(Response, 1)
        assert [each.verb for each in on.of(Request)] == ["get"]
