"""Real clients through the proxy, before the embedded API server: both operators of this project, and kubectl.

They must not notice, and what they say must be in the history. Left out: whether they are right (tests/variants).
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.processes import VARIANTS, Operator
from support.proxied import eventually
from twinloop.harness.backends.embedded import EmbeddedBackend
from twinloop.harness.faults import Act, Match, Rule
from twinloop.harness.history import Begin, History, Record, Recorder, Request, Response, StreamEnd, StreamEvent
from twinloop.harness.proxy.host import ProxyHost
from twinloop.harness.proxy.proxy import Proxy
from twinloop.kube import NGINXPODS, PODS, Client

SOURCES = Path(__file__).resolve().parents[2]


def namespace_of(tmp_path: Path) -> str:
    """A namespace of the test's own."""
    return f"scratch-{zlib.crc32(str(tmp_path).encode()):x}"


@pytest.fixture(scope="module")
def backend() -> Iterator[EmbeddedBackend]:
    with EmbeddedBackend() as found:
        yield found


@contextmanager
def proxied(backend: EmbeddedBackend, tmp_path: Path) -> Iterator[tuple[Proxy, Client, list[Record]]]:
    """A proxy with a history in a file, a kubeconfig beside it, and a client that goes past it."""
    backend.make_namespace(namespace_of(tmp_path))
    client = Client(backend.configuration, user_agent="user/1")
    records: list[Record] = []
    with ProxyHost() as host, (tmp_path / "history.jsonl").open("w") as stream:
        recorder = Recorder(stream)
        recorder.listeners.append(records.append)
        recorder.write(Begin(scenario="s", variant="v", backend="embedded", namespace="", started=""))
        proxy = host.open(backend.configuration, recorder)
        proxy.kubeconfig("a", tmp_path / "kubeconfig", namespace_of(tmp_path))
        yield proxy, client, records
        proxy.close()
    client.close()


def is_ready(client: Client, namespace: str) -> bool:
    """Whether the NginxPod says so."""
    status = client.get(NGINXPODS, "web", namespace).get("status") or {}
    return any(each["type"] == "Ready" and each["status"] == "True" for each in status.get("conditions", []))


def of(records: list[Record], verb: str, resource: str) -> list[Request]:
    """The requests of a kind."""
    requests = [each for each in records if isinstance(each, Request)]
    return [each for each in requests if (each.verb, each.resource) == (verb, resource)]


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_operator_works_through_the_proxy_and_a_fault_is_no_end(
    variant: str, backend: EmbeddedBackend, tmp_path: Path
) -> None:
    namespace = namespace_of(tmp_path)
    with proxied(backend, tmp_path) as (proxy, client, records):
        refuse = Rule(id="r", match=Match(verb="create", resource="pods"), act=Act.ANSWER, how={"code": 503}, first=2)
        proxy.arm(refuse)
        with Operator(variant, namespace, tmp_path / "kubeconfig", tmp_path / "log") as operator:
            eventually(operator.ready, 20)
            # Lists make it ready, watches follow.
            wanted = {("a", "pods"), ("a", "nginxpods.twinloop.dev")}
            eventually(lambda: wanted <= set(proxy.open_streams()))
            body = {"apiVersion": NGINXPODS.api_version, "kind": NGINXPODS.kind, "metadata": {"name": "web"}}
            client.create(NGINXPODS, {**body, "spec": {"replicas": 2}}, namespace)
            eventually(lambda: is_ready(client, namespace), 20)
            assert proxy.unfired() == []
        assert proxy.open_streams() == []
    creates = of(records, "create", "pods")
    # One was refused, so it came again.
    assert [each.name or each.body["metadata"]["name"] for each in creates][:2] == ["web-0", "web-1"]
    assert len(creates) == 3
    assert of(records, "patch", "nginxpods.twinloop.dev")
    assert {each.resource for each in records if isinstance(each, StreamEvent)} >= {"pods", "nginxpods.twinloop.dev"}
    assert {each.why for each in records if isinstance(each, StreamEnd)} == {"client"}
    assert statistics.median(proxy.added()) < 0.01  # benchmarks/proxy.py measures it properly
    assert History.read(tmp_path / "history.jsonl").records == records
    assert {each["metadata"]["name"] for each in client.list_all(PODS, namespace)["items"]} == {"web-0", "web-1"}


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_kubectl_works_through_the_proxy(backend: EmbeddedBackend, tmp_path: Path) -> None:
    environment = {**os.environ, "KUBECONFIG": str(tmp_path / "kubeconfig"), "HOME": str(tmp_path)}

    def kubectl(*arguments: str) -> str:
        done = subprocess.run(
            ["kubectl", *arguments], env=environment, cwd=SOURCES, capture_output=True, text=True, timeout=30, check=False
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    with proxied(backend, tmp_path) as (_, _, records):
        kubectl("apply", "-f", "crds/samples")
        assert "minimal" in kubectl("get", "ngp", "-o", "wide")
        kubectl("scale", "ngp", "minimal", "--replicas=0")
        assert "spec" in kubectl("explain", "nginxpod.spec").lower()
        kubectl("wait", "--for=jsonpath={.spec.replicas}=0", "ngp/minimal", "--timeout=5s")
        kubectl("delete", "ngp", "--all")
    assert of(records, "patch", "nginxpods.twinloop.dev")[0].subresource == "scale"
    # A wait is a list and a watch of one object, and both are about that object.
    assert [each.name for each in of(records, "watch", "nginxpods.twinloop.dev")][:1] == ["minimal"]
    assert len(of(records, "delete", "nginxpods.twinloop.dev")) == 2
    assert all(each.code for each in records if isinstance(each, Response))
