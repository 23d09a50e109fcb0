"""The embedded API server as a backend, as a trial uses it.

Left out: the server itself (tests/unit/apiserver, tests/conformance).
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.processes import until
from twinloop.errors import NotFound
from twinloop.harness.backends.backend import BackendError
from twinloop.harness.backends.embedded import EmbeddedBackend
from twinloop.kube import NAMESPACES, NGINXPODS, PODS, Client, decode_event


@pytest.fixture(scope="module")
def backend() -> Iterator[EmbeddedBackend]:
    with EmbeddedBackend() as running:
        yield running


@pytest.fixture(scope="module")
def client(backend: EmbeddedBackend) -> Iterator[Client]:
    found = Client(backend.configuration, user_agent="test")
    yield found
    found.close()


def pod(name: str) -> dict[str, object]:
    return {"metadata": {"name": name}, "spec": {"containers": [{"name": "main", "image": "web:1"}]}}


def test_it_is_reached_without_tls_and_without_a_proxy(backend: EmbeddedBackend) -> None:
    assert backend.configuration.server.startswith("http://127.0.0.1:")
    assert backend.configuration.rest.proxy is None


def test_it_says_its_version(backend: EmbeddedBackend) -> None:
    assert backend.server_version().startswith("v1.")


def test_a_fresh_namespace_takes_nginxpods_and_pods_at_once(backend: EmbeddedBackend, client: Client) -> None:
    backend.make_namespace("fresh")
    client.create(
        NGINXPODS, {"apiVersion": NGINXPODS.api_version, "kind": "NginxPod", "metadata": {"name": "web"}}, "fresh"
    )
    client.create(PODS, pod("web-0"), "fresh")
    until(lambda: client.get(PODS, "web-0", "fresh")["status"]["phase"] == "Running", "the pod never ran")


def test_a_namespace_can_be_waited_for_to_go(backend: EmbeddedBackend, client: Client) -> None:
    backend.make_namespace("going")
    client.create(PODS, pod("web-0"), "going")
    backend.delete_namespace("going", wait=True)
    with pytest.raises(NotFound):
        client.get(NAMESPACES, "going")


def test_a_namespace_that_is_gone_already_is_no_error(backend: EmbeddedBackend, client: Client) -> None:
    backend.make_namespace("gone")
    client.delete(NAMESPACES, "gone")
    backend.delete_namespace("gone", wait=True)
    with pytest.raises(BackendError, match="not ours"):
        backend.delete_namespace("gone")


def test_it_forgets_when_told_to(backend: EmbeddedBackend, client: Client) -> None:
    backend.make_namespace("old")
    version = client.list_page(PODS, "old")["metadata"]["resourceVersion"]
    client.create(PODS, pod("web-0"), "old")
    backend.compact()
    with client.watch(PODS, "old", resource_version=version, timeout_seconds=1, idle_timeout=5) as stream:
        event = decode_event(next(iter(stream)))
    assert (event["type"], event["object"]["code"]) == ("ERROR", 410)


def test_its_pods_do_as_they_are_told(backend: EmbeddedBackend, client: Client) -> None:
    backend.make_namespace("orders")
    client.create(PODS, pod("web-0"), "orders")
    backend.order_pod("orders", "web-0", phase="Failed")
    until(lambda: client.get(PODS, "web-0", "orders")["status"]["phase"] == "Failed", "the pod does what it likes")


def test_a_closed_one_is_gone() -> None:
    with EmbeddedBackend() as running:
        configuration = running.configuration
    with pytest.raises(BackendError, match="not open"):
        running.compact()
    client = Client(configuration, user_agent="test")
    with pytest.raises(Exception, match="refused"):
        client.list_page(NAMESPACES)


def test_it_can_be_opened_again() -> None:
    backend = EmbeddedBackend()
    for _ in range(2):
        with backend:
            backend.make_namespace("again")
