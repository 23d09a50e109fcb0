"""The listeners of a proxy and its life: ports, replicas, an API server that is away, kubeconfig, TLS, the end.

Left out: what passes through (test_proxy_recording.py), real operators (test_proxy_operators.py).
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from support.fake_upstream import Operator, Told, Upstream
from support.proxied import PODS, WATCH, eventually, pod, scene
from twinloop.apiserver.http.authority import make
from twinloop.apiserver.http.local import LocalServer
from twinloop.harness.faults import Act, BadRuleError, Match, Rule
from twinloop.harness.history import Fault, Recorder, Request, Response, StreamEnd
from twinloop.harness.proxy.host import ProxyHost
from twinloop.harness.proxy.proxy import ProxyError
from twinloop.kube import NAMESPACES, Client, load_configuration
from twinloop.kube import PODS as PODS_RESOURCE

BROKEN = (OSError, http.client.HTTPException)


def test_a_replica_keeps_its_address_and_each_has_its_own() -> None:
    with scene() as on:
        assert on.proxy.listen("a") == on.proxy.listen("a")
        assert on.proxy.listen("a") != on.proxy.listen("b")
        assert urlsplit(on.proxy.listen("a")).hostname == "127.0.0.1"


def test_the_listener_says_who_speaks() -> None:
    with scene() as on, Operator(on.proxy.listen("b")) as other:
        on.operator.ask("GET", "/version")
        other.ask("GET", "/version")
        on.soon(Response, 2)
        assert [each.replica for each in on.of(Request)] == ["a", "b"]


def test_a_rule_may_be_about_one_replica() -> None:
    only_b = Rule(id="r", match=Match(verb="list", replica="b"), act=Act.ANSWER, how={"code": 500})
    with scene(only_b) as on, Operator(on.proxy.listen("b")) as other:
        assert [on.operator.ask("GET", PODS).code, other.ask("GET", PODS).code] == [200, 500]


def test_away_resets_what_is_open_and_refuses_what_is_new() -> None:
    with scene(told=Told(stream=True)) as on:
        watch = on.operator.watch(WATCH)
        eventually(on.proxy.open_streams)
        on.proxy.away()
        with pytest.raises(ConnectionResetError):
            watch.read()
        with pytest.raises(ConnectionRefusedError):
            on.operator.connection().connect()
        assert [each.why for each in on.soon(StreamEnd, 1)] == ["away"]
        assert [(each.rule, each.action, each.detail) for each in on.of(Fault)] == [("", "away", "a")]


def test_back_is_the_same_address() -> None:
    with scene() as on:
        for _ in range(3):
            on.proxy.away()
            with pytest.raises(BROKEN):
                on.operator.ask("GET", "/version")
            on.proxy.back()
            assert on.operator.ask("GET", "/version").code == 200
        assert [each.action for each in on.of(Fault)] == ["away", "back"] * 3


def test_back_without_away_is_nothing() -> None:
    with scene() as on:
        on.proxy.back()
        assert on.operator.ask("GET", "/version").code == 200
        assert on.of(Fault) == []


def test_a_replica_that_comes_while_it_is_away_is_refused_too() -> None:
    with scene() as on:
        on.proxy.away()
        with Operator(on.proxy.listen("b")) as other:
            with pytest.raises(ConnectionRefusedError):
                other.ask("GET", "/version")
            on.proxy.back()
            assert other.ask("GET", "/version").code == 200


def test_nobody_else_gets_the_port_while_it_is_away() -> None:
    with scene() as on:
        port = urlsplit(on.proxy.listen("a")).port
        on.proxy.away()
        with socket.socket() as thief:
            thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with pytest.raises(OSError, match="in use"):
                thief.bind(("127.0.0.1", port))


def test_the_kubeconfig_leads_to_the_proxy_and_is_private(tmp_path: Path) -> None:
    with scene(told=Told(body=pod("web-0"))) as on:
        path = tmp_path / "kubeconfig"
        on.proxy.kubeconfig("a", path, "ns")
        on.proxy.kubeconfig("a", path, "ns")  # a second trial in the same folder
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        configuration = load_configuration(str(path))
        assert (configuration.server, configuration.namespace) == (on.proxy.listen("a"), "ns")
        client = Client(configuration, user_agent="op/1")
        assert client.get(PODS_RESOURCE, "web-0", "ns") == pod("web-0")
        client.close()


def test_a_rule_that_makes_no_sense_is_refused_at_once() -> None:
    with scene() as on, pytest.raises(BadRuleError, match="needs the parameter code"):
        on.proxy.arm(Rule(id="r", match=Match(verb="list"), act=Act.ANSWER))


def test_a_list_that_cannot_be_had_cannot_be_remembered() -> None:
    with scene(told=Told(403)) as on, pytest.raises(ProxyError, match="pods cannot be remembered: 403"):
        on.proxy.remember(PODS_RESOURCE, "ns")


def _break(operator: Operator) -> None:
    with pytest.raises(BROKEN):
        operator.ask("POST", PODS, {})


def test_the_end_of_a_trial_ends_everything_that_is_open() -> None:
    with scene(Rule(id="r", match=Match(verb="create"), act=Act.HANG), told=Told(stream=True)) as on:
        watch = on.operator.watch(WATCH)
        hanging = threading.Thread(target=lambda: _break(on.operator))
        hanging.start()
        eventually(lambda: on.of(Fault) and on.proxy.open_streams())
        on.proxy.close()
        hanging.join(5)
        assert not hanging.is_alive()
        with pytest.raises(BROKEN):
            watch.read()
        assert on.proxy.open_streams() == []
        assert len(on.of(StreamEnd)) == 1
        assert sorted(each.request for each in on.of(Response)) == [1, 2]
        on.proxy.close()  # twice does no harm
        assert on.proxy.unfired() == []


def test_nothing_is_written_down_after_the_end() -> None:
    with scene(told=Told(stream=True)) as on:
        on.operator.watch(WATCH)
        eventually(on.proxy.open_streams)
        on.proxy.close()
        before = len(on.recorded)
        on.proxy._context.journal.listener("away", "a")  # whatever comes too late
        assert len(on.recorded) == before


def test_trials_follow_each_other_on_one_host() -> None:
    with Upstream() as upstream, ProxyHost() as host:
        for _ in range(3):
            proxy = host.open(upstream.configuration(), Recorder(io.StringIO()))
            with Operator(proxy.listen("a")) as operator:
                assert operator.ask("GET", "/version").code == 200
            proxy.close()
            with pytest.raises(ConnectionRefusedError):
                operator.connection().connect()


def test_a_host_closes_what_is_still_open() -> None:
    with Upstream() as upstream:
        with ProxyHost() as host:
            proxy = host.open(upstream.configuration(), Recorder(io.StringIO()))
            proxy.listen("a")
        assert not host._thread.is_alive()


# ---------------------------------------------------------------------------------------------- towards the server


def test_the_server_may_stand_below_a_path() -> None:
    with Upstream() as upstream, ProxyHost() as host:
        configuration = upstream.configuration()
        object.__setattr__(configuration, "server", upstream.url + "/clusters/c1/")
        proxy = host.open(configuration, Recorder(io.StringIO()))
        with Operator(proxy.listen("a")) as operator:
            operator.ask("GET", "/api/v1/pods?limit=1")
        assert upstream.seen[0].target == "/clusters/c1/api/v1/pods?limit=1"


def test_the_server_may_speak_tls_with_an_authority_of_its_own() -> None:
    with LocalServer(controllers=()) as server, ProxyHost() as host:
        configuration = load_configuration(str(server.kubeconfig))
        assert configuration.server.startswith("https://")
        proxy = host.open(configuration, Recorder(io.StringIO()))
        with Operator(proxy.listen("a")) as operator:
            assert operator.ask("GET", "/api/v1/namespaces/default").json()["metadata"]["name"] == "default"


def test_a_client_certificate_is_shown(tmp_path: Path) -> None:
    authority, pair = make()
    for name, content in {"ca": authority, "pair": pair, "client": _self_signed()}.items():
        (tmp_path / f"{name}.pem").write_bytes(content)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "pair.pem")
    server.load_verify_locations(tmp_path / "client.pem")
    server.verify_mode = ssl.CERT_REQUIRED
    trust, own = {"ssl_ca_cert": str(tmp_path / "ca.pem")}, {"cert_file": str(tmp_path / "client.pem")}
    with Upstream(server) as upstream, ProxyHost() as host:
        proxy = host.open(upstream.configuration(**trust, **own), Recorder(io.StringIO()))
        with Operator(proxy.listen("a")) as operator:
            assert operator.ask("GET", "/version").code == 200
        stranger = host.open(upstream.configuration(**trust), Recorder(io.StringIO()))
        with Operator(stranger.listen("a")) as operator, pytest.raises(BROKEN):
            operator.ask("GET", "/version")


def _self_signed() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "op")]), datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private + certificate.public_bytes(Encoding.PEM)


def test_the_embedded_server_is_served_through_plain_http(tmp_path: Path) -> None:
    with LocalServer(controllers=()) as server, ProxyHost() as host:
        configuration = load_configuration(str(server.kubeconfig))
        object.__setattr__(configuration, "server", server.url)
        proxy = host.open(configuration, Recorder(io.StringIO()))
        proxy.kubeconfig("a", tmp_path / "kubeconfig", "default")
        client = Client(load_configuration(str(tmp_path / "kubeconfig")), user_agent="op/1")
        assert client.get(NAMESPACES, "default")["status"]["phase"] == "Active"
        client.close()
