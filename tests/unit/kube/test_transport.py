"""Connections, credentials on the wire, and what becomes of an exchange that breaks.

Left out: socks proxies (another package does them), a hanging connect (loopback has none).
"""

import socket
import threading
import time
from collections.abc import Callable
from http.client import HTTPException, RemoteDisconnected
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY
from urllib3.exceptions import ProtocolError

from twinloop import errors
from twinloop.kube import PODS, Client, load_configuration
from twinloop.kube.transport import describe

Connect = Callable[..., Client]
POD = {"metadata": {"name": "web-0"}}


def get(client: Client) -> Any:
    return client.get(PODS, "web-0", "shop")


def authorizations(api: Any) -> list[str | None]:
    return [request.headers["Authorization"] for request in api.requests]


def test_every_request_says_who_we_are_and_what_we_take(api: Any, client: Client) -> None:
    api.answer(200, POD)
    get(client)
    headers = api.requests[0].headers
    assert headers["User-Agent"] == "twinloop-test/1"
    assert headers["Accept"] == "application/json"
    assert headers["Authorization"] is None


def test_requests_share_a_connection(api: Any, client: Client) -> None:
    for _ in range(3):
        api.answer(200, POD)
        get(client)
    assert len({request.connection for request in api.requests}) == 1


def test_a_connection_that_the_server_closed_meanwhile_is_replaced(api: Any, client: Client) -> None:
    api.answer(200, POD, Connection="close")
    api.answer(200, POD)
    get(client)
    get(client)
    assert len({request.connection for request in api.requests}) == 2


def test_threads_beyond_the_pool_are_served_without_waiting(api: Any, connect: Connect) -> None:
    client = connect(api, pool_size=1)
    streams = [api.stream() for _ in range(3)]
    watches = [client.watch(PODS, resource_version="1", timeout_seconds=60, idle_timeout=5) for _ in streams]
    api.answer(200, POD)
    assert get(client) == POD
    for watch in watches:
        watch.close()


def test_connections_are_kept_alive_as_client_go_does(api: Any, client: Client) -> None:
    api.answer(200, POD)
    get(client)
    pool = client._transport._pool.connection_from_url(api.url)
    connection: Any = pool._get_conn()
    options = {
        name: connection.sock.getsockopt(level, getattr(socket, name))
        for level, name in [
            (socket.SOL_SOCKET, "SO_KEEPALIVE"),
            (socket.IPPROTO_TCP, "TCP_KEEPIDLE"),
            (socket.IPPROTO_TCP, "TCP_KEEPINTVL"),
            (socket.IPPROTO_TCP, "TCP_KEEPCNT"),
        ]
    }
    pool._put_conn(connection)
    assert options == {"SO_KEEPALIVE": 1, "TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 9}


def test_a_refused_token_is_read_again_and_the_request_sent_again(api: Any, connect: Connect, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("old")
    client = connect(api, user={"tokenFile": str(token)})
    api.status(401, "Unauthorized")
    api.answer(201, POD)
    # Rotated between the request and its refusal, as it happens: the file is looked at before each request.
    scripted = api._scripts[0]

    def rotate(handler: Any) -> None:
        token.write_text("new")
        scripted(handler)

    api._scripts[0] = rotate
    assert client.create(PODS, POD, "shop") == POD
    assert authorizations(api) == ["Bearer old", "Bearer new"]
    assert [request.method for request in api.requests] == ["POST", "POST"]


def test_a_second_refusal_is_unauthorized(api: Any, connect: Connect, tmp_path: Path) -> None:
    counter = tmp_path / "runs"
    script = tmp_path / "plugin"
    script.write_text(
        f"#!/bin/sh\necho >> {counter}\n"
        'echo \'{"apiVersion": "v1", "kind": "ExecCredential", "status": {"token": "\'"$(wc -l < '
        f'{counter} | tr -d " ")"\'"}}}}\'\n'
    )
    script.chmod(0o700)
    client = connect(api, user={"exec": {"apiVersion": "v1", "command": str(script)}})
    api.status(401, "Unauthorized")
    api.status(401, "Unauthorized", "who are you")
    with pytest.raises(errors.Unauthorized, match="who are you"):
        get(client)
    assert authorizations(api) == ["Bearer 1", "Bearer 2"]


def test_a_refused_token_that_cannot_change_is_not_sent_again(api: Any, connect: Connect) -> None:
    client = connect(api, user={"token": "fixed"})
    api.status(401, "Unauthorized")
    with pytest.raises(errors.Unauthorized):
        get(client)
    assert len(api.requests) == 1


def test_a_watch_gets_new_credentials_too(api: Any, connect: Connect, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("old")
    client = connect(api, user={"tokenFile": str(token)})
    before = token.stat()
    api.status(401, "Unauthorized")
    stream = api.stream()
    scripted = api._scripts[0]
    api._scripts[0] = lambda handler: (token.write_text("newer"), scripted(handler))
    stream.end()
    with client.watch(PODS, resource_version="1", timeout_seconds=60, idle_timeout=5) as watch:
        assert list(watch) == []
    assert authorizations(api) == ["Bearer old", "Bearer newer"]
    assert before.st_size != token.stat().st_size


def test_tls_checks_the_server_against_the_kubeconfigs_authority(
    tls_api: Any, connect: Connect, tls_files: Path
) -> None:
    tls_api.answer(200, POD)
    assert get(connect(tls_api, cluster={"certificate-authority": str(tls_files / "ca.pem")})) == POD
    with pytest.raises(errors.Unavailable, match=r"(?i)certificate verify failed"):
        get(connect(tls_api))
    tls_api.answer(200, POD)
    with pytest.warns(match="Unverified HTTPS"):
        assert get(connect(tls_api, cluster={"insecure-skip-tls-verify": True})) == POD


def test_tls_asks_for_the_server_name_of_the_kubeconfig(
    tls_api: Any, connect: Connect, tls_files: Path, tls_names: list[str | None]
) -> None:
    authority = {"certificate-authority": str(tls_files / "ca.pem")}
    tls_api.answer(200, POD)
    get(connect(tls_api, cluster={**authority, "tls-server-name": "kubernetes"}))
    assert tls_names == ["kubernetes"]
    with pytest.raises(errors.Unavailable, match="elsewhere"):
        get(connect(tls_api, cluster={**authority, "tls-server-name": "elsewhere"}))


def test_a_client_certificate_identifies_us(tls_api: Any, connect: Connect, tls_files: Path) -> None:
    certificate = str(tls_files / "client.pem")
    user = {"client-certificate": certificate, "client-key": certificate}
    tls_api.answer(200, POD)
    get(connect(tls_api, user=user, cluster={"certificate-authority": str(tls_files / "ca.pem")}))
    assert tls_api.requests[0].peer == "first client"


def test_a_renewed_client_certificate_replaces_the_connections_of_the_old_one(
    tls_api: Any, connect: Connect, tls_files: Path, tmp_path: Path
) -> None:
    printer = tmp_path / "plugin"
    printer.write_text(
        "#!/bin/sh\n"
        f"name=client; test -e {tmp_path}/ran && name=renewed; touch {tmp_path}/ran\n"
        f'pem() {{ sed -n "/BEGIN $1/,/END $1/p" {tls_files}/$name.pem | awk \'{{printf "%s\\\\n", $0}}\'; }}\n'
        'printf \'{"apiVersion": "v1", "kind": "ExecCredential", "status": '
        '{"clientCertificateData": "%s", "clientKeyData": "%s"}}\' "$(pem CERTIFICATE)" "$(pem "PRIVATE KEY")"\n'
    )
    printer.chmod(0o700)
    user = {"exec": {"apiVersion": "v1", "command": str(printer)}}
    client = connect(tls_api, user=user, cluster={"certificate-authority": str(tls_files / "ca.pem")})
    tls_api.answer(200, POD)
    tls_api.status(401, "Unauthorized")
    tls_api.answer(200, POD)
    get(client)
    get(client)
    assert [request.peer for request in tls_api.requests] == ["first client", "first client", "renewed client"]


def test_the_proxy_of_the_kubeconfig_is_used(api: Any, write_kubeconfig: Callable[..., Path]) -> None:
    path = write_kubeconfig("http://cluster.invalid:8080", **{"proxy-url": api.url})
    client = Client(load_configuration(str(path)), user_agent="test")
    api.answer(200, POD)
    assert get(client) == POD
    assert api.requests[0].headers["Host"] == "cluster.invalid:8080"
    client.close()


def test_the_proxy_of_the_environment_is_used_except_where_it_must_not(
    api: Any, write_kubeconfig: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_kubeconfig("http://cluster.invalid:8080")
    monkeypatch.setenv("http_proxy", api.url)
    client = Client(load_configuration(str(path)), user_agent="test")
    api.answer(200, POD)
    assert get(client) == POD
    client.close()
    monkeypatch.setenv("no_proxy", "cluster.invalid")
    client = Client(load_configuration(str(path)), user_agent="test")
    with pytest.raises(errors.Unavailable, match="resolve"):
        get(client)
    assert len(api.requests) == 1


def test_a_proxy_that_cannot_be_used_is_a_configuration_error(write_kubeconfig: Callable[..., Path]) -> None:
    path = write_kubeconfig("http://x", **{"proxy-url": "gopher://proxy"})
    with pytest.raises(errors.ConfigurationError, match="proxy gopher://proxy cannot be used"):
        Client(load_configuration(str(path)), user_agent="test")


def test_a_refused_connection_is_unavailable_and_tried_once(write_kubeconfig: Callable[..., Path]) -> None:
    with socket.socket() as placeholder:
        placeholder.bind(("127.0.0.1", 0))
        port = placeholder.getsockname()[1]
    client = Client(load_configuration(str(write_kubeconfig(f"http://127.0.0.1:{port}"))), user_agent="test")
    with pytest.raises(errors.Unavailable) as caught:
        get(client)
    assert "Connection refused" in str(caught.value)
    assert str(caught.value).startswith("GET /api/v1/namespaces/shop/pods/web-0 at 127.0.0.1")
    assert "object at" not in str(caught.value)
    assert caught.value.code == 0


@pytest.mark.parametrize(
    "answer",
    [
        (),
        (b"HTTP/1.1 200 OK\r\n",),
        (b"rubbish\r\n\r\n",),
        (b"HTTP/1.1 999999 ?\r\n\r\n",),
        (b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"metadata"',),
        (b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"met\r\n',),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",),
    ],
)
def test_an_answer_that_breaks_off_is_unavailable_and_asked_for_once(
    api: Any, client: Client, answer: tuple[bytes, ...]
) -> None:
    api.raw(*answer)
    with pytest.raises(errors.Unavailable) as caught:
        get(client)
    assert "\n" not in str(caught.value)
    assert len(api.requests) == 1


def test_a_broken_answer_to_a_write_is_not_sent_again(api: Any, client: Client) -> None:
    api.raw()
    with pytest.raises(errors.Unavailable):
        client.delete(PODS, "web-0", "shop")
    assert len(api.requests) == 1


def test_a_silent_server_is_unavailable_after_the_read_time_out(api: Any, connect: Connect) -> None:
    api.hang()
    started = time.monotonic()
    with pytest.raises(errors.Unavailable, match="timed out"):
        get(connect(api, read_timeout=0.1))
    assert time.monotonic() - started < 5


def test_a_redirect_is_not_followed(api: Any, client: Client) -> None:
    api.answer(302, b"", Location=f"{api.url}/login")
    with pytest.raises(errors.Unavailable, match="HTTP 302"):
        get(client)
    assert len(api.requests) == 1


def sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_every_exchange_is_counted_by_code_method_and_host(api: Any, client: Client) -> None:
    host = f"127.0.0.1:{api.port}"
    api.answer(200, POD)
    api.status(404, "NotFound")
    api.raw()
    get(client)
    for _ in range(2):
        with pytest.raises(errors.ApiError):
            get(client)
    counts = [
        sample("rest_client_requests_total", code=code, method="GET", host=host) for code in ("200", "404", "<error>")
    ]
    assert counts == [1.0, 1.0, 1.0]
    assert sample("rest_client_request_duration_seconds_count", verb="GET", host=host) == 3.0


def test_many_threads_share_a_client(api: Any, client: Client) -> None:
    for _ in range(64):
        api.answer(200, POD)
    answers: list[Any] = []
    threads = [threading.Thread(target=lambda: answers.extend(get(client) for _ in range(8))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [POD] * 64


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ProtocolError("Connection aborted.", RemoteDisconnected("closed")), "Connection aborted. closed"),
        (OSError(111, "Connection refused"), "111 Connection refused"),
        (HTTPException(), "HTTPException"),
        (ValueError("a\nb"), "a b"),
    ],
)
def test_an_error_is_described_in_one_line(error: BaseException, expected: str) -> None:
    assert describe(error) == expected
