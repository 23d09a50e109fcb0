"""Clients that exist already, against the embedded API server: the kubernetes package, and kopf by list and by WatchList.

Left out: kubectl (test_kubectl.py), both operators (tests/variants), the handwritten reflector against faults
(tests/unit/handwritten).
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from handwritten.clock import RealClock
from handwritten.informer import SharedInformer
from handwritten.listwatch import ListWatch
from support.processes import ROOT, until
from twinloop.apiserver.http.local import LocalServer
from twinloop.kube import Client, Object, Resource, load_configuration

CONFIGMAPS = Resource("", "v1", "configmaps", "ConfigMap")


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    with LocalServer(delays={"start_after": 0.02, "ready_after": 0.02, "stop_after": 0.02}) as running:
        yield running


@pytest.fixture
def client(server: LocalServer) -> Iterator[Client]:
    made = Client(load_configuration(str(server.kubeconfig)), user_agent="tests")
    yield made
    made.close()


def configmap(name: str, **labels: str) -> Object:
    return {"metadata": {"name": name, "labels": labels}, "data": {"k": "v"}}


# --- the kubernetes package ---------------------------------------------------------------------------------------------


@pytest.fixture
def official(server: LocalServer) -> Iterator[Any]:
    """Its API client, over TLS with the token of the kubeconfig, as its users have it."""
    from kubernetes import client, config  # noqa: PLC0415 - heavy

    loaded: Any = config
    settings: Any = client.Configuration()
    loaded.load_kube_config(str(server.kubeconfig), client_configuration=settings)
    with client.ApiClient(settings) as made:
        yield made


def test_the_kubernetes_package_creates_reads_patches_and_deletes(official: Any) -> None:
    from kubernetes.client import CoreV1Api  # noqa: PLC0415

    api: Any = CoreV1Api(official)
    assert api.create_namespaced_config_map("default", configmap("official", a="1")).metadata.uid
    assert api.patch_namespaced_config_map("official", "default", {"data": {"more": "yes"}}).data == {
        "k": "v",
        "more": "yes",
    }
    (found,) = api.list_namespaced_config_map("default", label_selector="a=1").items
    assert found.metadata.name == "official"
    api.delete_namespaced_config_map("official", "default")
    assert api.list_namespaced_config_map("default", label_selector="a=1").items == []


def test_the_kubernetes_package_parses_a_running_pod(official: Any) -> None:
    """Its models refuse an answer that lacks what the API says is always there."""
    from kubernetes.client import CoreV1Api  # noqa: PLC0415

    api: Any = CoreV1Api(official)
    body = {"metadata": {"name": "official"}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
    api.create_namespaced_pod("default", body)
    until(lambda: api.read_namespaced_pod("official", "default").status.phase == "Running", "not running")
    assert api.list_namespaced_event("default").items is not None
    assert api.list_node().items


def test_the_informer_of_the_kubernetes_package_follows(official: Any, client: Client) -> None:
    from kubernetes import informer as informers  # noqa: PLC0415
    from kubernetes.client import CoreV1Api  # noqa: PLC0415

    untyped: Any = informers
    seen: list[str] = []
    informer = untyped.SharedInformer(
        CoreV1Api(official).list_namespaced_config_map, namespace="default", label_selector="b"
    )
    informer.add_event_handler("ADDED", lambda obj: seen.append(f"ADDED {obj.metadata.name}"))
    informer.add_event_handler("DELETED", lambda obj: seen.append(f"DELETED {obj.metadata.name}"))
    client.create(CONFIGMAPS, configmap("before", b="1"), "default")
    informer.start()
    try:
        until(lambda: "ADDED before" in seen, f"{seen}")
        client.delete(CONFIGMAPS, "before", "default")
        until(lambda: "DELETED before" in seen, f"{seen}")
    finally:
        informer.stop()


# --- kopf ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("streaming", ["0", "1"], ids=["list", "watch list"])
def test_kopf_follows(server: LocalServer, client: Client, streaming: str, tmp_path: Path) -> None:
    before, after = f"before-{streaming}", f"after-{streaming}"
    client.create(CONFIGMAPS, configmap(before, echo="yes"), "default")
    output = tmp_path / "output"
    environ = {**os.environ, "KUBECONFIG": str(server.kubeconfig), "KOPF_STREAMING": streaming}
    command = [sys.executable, "-m", "kopf", "run", "--standalone", "-n", "default", "-q", "tests/clients/kopf_echo.py"]
    with (
        output.open("wb") as stream,
        subprocess.Popen(command, cwd=ROOT, env=environ, stdout=stream, stderr=stream) as kopf,
    ):
        try:
            until(lambda: f"None {before}" in output.read_text().splitlines(), output.read_text())
            client.create(CONFIGMAPS, configmap(after, echo="yes"), "default")
            until(lambda: f"ADDED {after}" in output.read_text().splitlines(), output.read_text())
            client.delete(CONFIGMAPS, after, "default")
            until(lambda: f"DELETED {after}" in output.read_text().splitlines(), output.read_text())
        finally:
            kopf.kill()
    assert "Traceback" not in output.read_text()


# --- the handwritten informer -------------------------------------------------------------------------------------------


class Names:
    """A handler that keeps the names it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def on_add(self, obj: Object, is_in_initial_list: bool) -> None:
        self.told.append(f"add {obj['metadata']['name']}")

    def on_update(self, old: Object, new: Object) -> None:
        self.told.append(f"update {new['metadata']['name']}")

    def on_delete(self, obj: Any) -> None:
        self.told.append("delete")


def test_the_handwritten_informer_outlives_a_compaction(server: LocalServer, client: Client) -> None:
    names, stop = Names(), threading.Event()
    lister_watcher = ListWatch(client, CONFIGMAPS, "default", label_selector="informer")
    informer = SharedInformer(lister_watcher, clock=RealClock(), rng=random.Random(1))
    informer.add_event_handler(names)
    client.create(CONFIGMAPS, configmap("listed", informer="1"), "default")
    thread = threading.Thread(target=informer.run, args=(stop,))
    thread.start()
    try:
        until(lambda: names.told == ["add listed"], f"{names.told}")
        server.compact()
        client.create(CONFIGMAPS, configmap("watched", informer="1"), "default")
        until(lambda: names.told == ["add listed", "add watched"], f"{names.told}")
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()
