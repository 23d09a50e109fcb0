"""The small server of probes and metrics, asked over real sockets.

Left out: a kubelet's and a Prometheus's own view of it (tests/e2e).
"""

import logging
import socket
import struct
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from urllib.request import urlopen

import pytest
from prometheus_client import REGISTRY, Counter

from twinloop.errors import ConfigurationError
from twinloop.serving import Answer, Server, metrics_answer, probe, serve


@pytest.fixture
def ready() -> list[bool | str]:
    """What the readiness check returns: the last element."""
    return [True]


@pytest.fixture
def server(ready: list[bool | str]) -> Iterator[Server]:
    def broken() -> Answer:
        raise RuntimeError("cannot look")

    routes = {
        "/healthz": probe(lambda: True),
        "/readyz": probe(lambda: ready[-1]),
        "/metrics": metrics_answer,
        "/broken": broken,
    }
    with serve("127.0.0.1:0", routes) as running:
        yield running


def ask(server: Server, path: str, method: str = "GET") -> tuple[HTTPResponse, str]:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request(method, path)
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    return response, body


def test_a_check_that_holds_is_200_ok(server: Server) -> None:
    response, body = ask(server, "/healthz")
    assert (response.status, body) == (200, "ok\n")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    ("result", "body"), [(False, "not ok\n"), ("pods: not synced", "pods: not synced\n"), ("", "not ok\n")]
)
def test_a_check_that_fails_is_503_with_the_reason(
    server: Server, ready: list[bool | str], result: bool | str, body: str
) -> None:
    ready.append(result)
    response, text = ask(server, "/readyz")
    assert (response.status, text) == (503, body)


def test_each_request_asks_the_check_anew(server: Server, ready: list[bool | str]) -> None:
    ready.append(False)
    assert ask(server, "/readyz")[0].status == 503
    ready.append(True)
    assert ask(server, "/readyz?verbose")[0].status == 200


def test_metrics_are_prometheus_text(server: Server) -> None:
    counter = Counter("twinloop_serving_test", "A counter of this test.")
    counter.inc(3)
    try:
        response, body = ask(server, "/metrics")
    finally:
        REGISTRY.unregister(counter)
    assert response.status == 200
    assert response.headers["Content-Type"].startswith("text/plain; version=")
    assert "\ntwinloop_serving_test_total 3.0\n" in body


def test_head_has_the_headers_of_get_and_no_body(server: Server) -> None:
    response, body = ask(server, "/healthz", "HEAD")
    assert (response.status, response.headers["Content-Length"], body) == (200, "3", "")


@pytest.mark.parametrize("path", ["/", "/nothing", "/healthz/"])
def test_other_paths_are_404(server: Server, path: str) -> None:
    assert ask(server, path)[0].status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_405_and_say_what_is_allowed(server: Server, method: str) -> None:
    response, _ = ask(server, "/healthz", method)
    assert (response.status, response.headers["Allow"]) == (405, "GET, HEAD")


def test_a_check_that_raises_is_500_and_the_server_lives_on(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    response, body = ask(server, "/broken")
    assert (response.status, body) == (500, "the check itself failed: cannot look\n")
    assert "the answer of /broken failed" in caplog.text
    assert ask(server, "/healthz")[0].status == 200


def test_requests_are_not_logged_at_info_nor_printed(
    server: Server, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.INFO):
        ask(server, "/healthz")
        ask(server, "/nothing")
    assert caplog.text == ""
    assert capsys.readouterr() == ("", "")


def test_a_client_that_hangs_up_prints_nothing(
    server: Server, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "twinloop.serving")
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(b"GET /metr")
        # Closing is a reset now, which the server's read ends in.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    deadline = time.monotonic() + 10
    while "went away" not in caplog.text and time.monotonic() < deadline:
        time.sleep(0.01)
    assert "went away" in caplog.text
    assert capsys.readouterr() == ("", "")


def test_the_versions_of_python_are_not_told(server: Server) -> None:
    assert ask(server, "/healthz")[0].headers["Server"] == "twinloop"


def test_an_address_without_a_host_is_every_interface() -> None:
    with serve(":0", {"/healthz": probe(lambda: True)}) as server:
        with urlopen(f"http://127.0.0.1:{server.port}/healthz") as response:
            assert response.status == 200
        if socket.has_dualstack_ipv6() and _has_ipv6_loopback():
            with urlopen(f"http://[::1]:{server.port}/healthz") as response:
                assert response.status == 200


def _has_ipv6_loopback() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe_socket:
            probe_socket.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.parametrize("address", ["", "0"])
def test_an_empty_address_is_off(address: str) -> None:
    with serve(address, {}) as server:
        assert server.port == 0


@pytest.mark.parametrize("host", ["127.0.0.1", ""])
def test_a_busy_port_is_one_clear_line(server: Server, host: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        serve(f"{host}:{server.port}", {})
    assert str(caught.value) == f"cannot listen on {host}:{server.port}: Address already in use"
    assert caught.value.hint


def test_a_host_that_is_not_ours_is_one_clear_line() -> None:
    with pytest.raises(ConfigurationError, match=r"cannot listen on 192\.0\.2\.1:0"):
        serve("192.0.2.1:0", {})


@pytest.mark.parametrize("address", ["8081", "localhost", ":", ":x", ":70000", ":-1", ":8081x"])
def test_what_is_no_address_is_one_clear_line(address: str) -> None:
    with pytest.raises(ConfigurationError, match="is no address to listen on"):
        serve(address, {})


def test_close_frees_the_port_and_may_come_twice() -> None:
    server = serve("127.0.0.1:0", {})
    port = server.port
    server.close()
    server.close()
    with serve(f"127.0.0.1:{port}", {}) as again:
        assert again.port == port
