"""kind, kwok and the current cluster as backends: what is run and what is deleted, with programs and servers that pretend.

Left out: whether kind and kwokctl take these words (they are the same as in hack/ and benchmarks/), and the embedded backend
(tests/harness/test_embedded_backend.py).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from twinloop.apiserver.controllers.namespaces import Namespaces
from twinloop.apiserver.http.local import LocalServer
from twinloop.errors import ConfigurationError, Forbidden, NotFound
from twinloop.harness.backends import served, tools
from twinloop.harness.backends.backend import BackendError, UnsupportedError
from twinloop.harness.backends.choose import BACKENDS, backend
from twinloop.harness.backends.current import DEPLOYMENTS, OPERATORS, CurrentBackend
from twinloop.harness.backends.kind import KindBackend
from twinloop.harness.backends.kwok import KwokBackend
from twinloop.harness.backends.served import DEFINITION, DEFINITIONS, Served, definition
from twinloop.kube import NAMESPACES, NGINXPODS, Client, Configuration, load_configuration


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    """A server that every backend of this module meets."""
    with LocalServer(in_process=True, manual_clock=False) as running:
        # A namespace is looked at two seconds after its deletion otherwise.
        for controller in running.server.controllers:
            if isinstance(controller, Namespaces):
                controller.delay = 0.0
        yield running


@pytest.fixture
def cluster(server: LocalServer) -> Iterator[Client]:
    """A client of it; NginxPods are not served, as in anybody's cluster."""
    client = Client(load_configuration(str(server.kubeconfig)), user_agent="test")
    yield client
    for item in client.list_all(DEFINITIONS)["items"]:
        client.delete(DEFINITIONS, item["metadata"]["name"])
    client.close()


class Tool:
    """kind or kwokctl: remembers what it was asked, and writes the kubeconfig of the server that is there."""

    def __init__(self, server: LocalServer, clusters: str = "", fails: str = "") -> None:
        self.server, self.clusters, self.fails = server, clusters, fails
        self.asked: list[str] = []

    def __call__(self, *words: str) -> str:
        line = " ".join(words)
        self.asked.append(line)
        if self.fails and self.fails in line:
            raise BackendError(f"{line} failed")
        if "get clusters" in line:
            return self.clusters
        if "--kubeconfig" in words and ("create" in words or "export" in words):
            Path(words[words.index("--kubeconfig") + 1]).write_text(self.server.kubeconfig.read_text())
        return ""

    def verbs(self) -> list[str]:
        """What was asked for without the names of files."""
        return [line.partition(" --kubeconfig")[0] for line in self.asked]


def nginxpod(name: str) -> dict[str, Any]:
    return {"apiVersion": NGINXPODS.api_version, "kind": NGINXPODS.kind, "metadata": {"name": name}}


def exists(client: Client, resource: Any, name: str) -> bool:
    try:
        client.get(resource, name)
    except NotFound:
        return False
    return True


# --- kind -----------------------------------------------------------------------------------------------------------


def test_kind_makes_a_cluster_of_its_own_and_deletes_it(server: LocalServer, cluster: Client) -> None:
    tool = Tool(server, clusters="twinloop-e2e\n")
    with KindBackend(tool, {}) as kind:
        assert kind.server_version().startswith("v1.")
        assert exists(cluster, DEFINITIONS, DEFINITION)
    assert tool.verbs() == [
        "kind get clusters",
        "kind create cluster --name twinloop-compare",
        "kind delete cluster --name twinloop-compare",
    ]
    assert "--wait 180s" in tool.asked[1]
    assert "--image" not in tool.asked[1]


def test_kind_takes_program_and_image_from_the_environment(server: LocalServer, cluster: Client) -> None:
    tool = Tool(server)
    with KindBackend(tool, {"KIND": "/opt/kind", "KIND_IMAGE": "node:1"}):
        pass
    assert tool.asked[1].startswith("/opt/kind create cluster")
    assert "--image node:1" in tool.asked[1]


def test_a_kind_cluster_that_exists_is_used_and_stays(server: LocalServer, cluster: Client) -> None:
    tool = Tool(server, clusters="twinloop-compare\nother\n")
    with KindBackend(tool, {}):
        pass
    assert tool.verbs() == ["kind get clusters", "kind export kubeconfig --name twinloop-compare"]


def test_half_a_kind_cluster_is_deleted_too(server: LocalServer) -> None:
    tool = Tool(server, fails="create cluster")
    with pytest.raises(BackendError, match="create cluster"):
        KindBackend(tool, {}).open()
    assert tool.verbs()[-1] == "kind delete cluster --name twinloop-compare"


def test_only_our_own_kubeconfig_is_written(server: LocalServer, cluster: Client) -> None:
    tool = Tool(server)
    with KindBackend(tool, {}):
        files = {line.split("--kubeconfig ")[1].split()[0] for line in tool.asked if "--kubeconfig" in line}
    assert len(files) == 1
    assert not Path(files.pop()).exists()


# --- kwok -----------------------------------------------------------------------------------------------------------


def test_kwok_makes_a_cluster_with_nodes_and_deletes_it(server: LocalServer, cluster: Client) -> None:
    tool = Tool(server)
    with KwokBackend(tool):
        assert exists(cluster, DEFINITIONS, DEFINITION)
    verbs = [line.removeprefix("kwokctl --name twinloop-compare ") for line in tool.verbs()]
    assert verbs == [
        "get clusters",
        "create cluster --runtime binary --disable-qps-limits --wait 60s",
        "scale node --replicas 5",
        "delete cluster",
    ]


def test_a_kwok_cluster_of_our_name_is_somebodys_and_stays(server: LocalServer) -> None:
    tool = Tool(server, clusters="twinloop-compare\n")
    with pytest.raises(BackendError, match="already") as caught:
        KwokBackend(tool).open()
    assert "delete cluster" in caught.value.hint
    assert len(tool.asked) == 1


def test_half_a_kwok_cluster_is_deleted_too(server: LocalServer) -> None:
    tool = Tool(server, fails="scale node")
    with pytest.raises(BackendError, match="scale node"):
        KwokBackend(tool).open()
    assert tool.verbs()[-1].endswith("delete cluster")


# --- the current cluster ----------------------------------------------------------------------------------------------


def current(server: LocalServer, asked: list[str | None] | None = None, context: str = "") -> CurrentBackend:
    def load(*, context: str | None) -> Configuration:
        if asked is not None:
            asked.append(context)
        return load_configuration(str(server.kubeconfig))

    return CurrentBackend(context, load)


@pytest.mark.parametrize(("context", "expected"), [("", None), ("kind-mine", "kind-mine")])
def test_the_context_is_the_kubeconfigs_unless_named(server: LocalServer, context: str, expected: str | None) -> None:
    asked: list[str | None] = []
    with current(server, asked, context):
        assert asked == [expected]


def test_what_was_made_in_the_current_cluster_is_gone_in_the_end(server: LocalServer, cluster: Client) -> None:
    with current(server) as backend:
        backend.make_namespace("ours-1")
        cluster.create(NGINXPODS, nginxpod("web"), "ours-1")
        assert cluster.get(NAMESPACES, "ours-1")["metadata"]["labels"]["app.kubernetes.io/created-by"]
    assert not exists(cluster, NAMESPACES, "ours-1")
    assert not exists(cluster, DEFINITIONS, DEFINITION)


def test_a_definition_that_was_there_stays(server: LocalServer, cluster: Client) -> None:
    cluster.create(DEFINITIONS, definition())
    uid = cluster.get(DEFINITIONS, DEFINITION)["metadata"]["uid"]
    with current(server):
        pass
    assert cluster.get(DEFINITIONS, DEFINITION)["metadata"]["uid"] == uid


def test_a_definition_that_somebody_has_come_to_use_stays(
    server: LocalServer, cluster: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), current(server):
        cluster.create(NGINXPODS, nginxpod("theirs"), "default")
    assert cluster.get(NGINXPODS, "theirs", "default")
    assert "somebody else has NginxPods by now, in default" in caplog.text


def test_a_namespace_of_somebody_else_is_never_taken_or_deleted(server: LocalServer, cluster: Client) -> None:
    cluster.create(NAMESPACES, {"metadata": {"name": "theirs"}})
    with current(server) as backend:
        with pytest.raises(BackendError, match="there is a namespace theirs already"):
            backend.make_namespace("theirs")
        with pytest.raises(BackendError, match="theirs is not ours"):
            backend.delete_namespace("theirs")
    assert exists(cluster, NAMESPACES, "theirs")


def test_beside_an_operator_nothing_begins(server: LocalServer, cluster: Client) -> None:
    cluster.create(NAMESPACES, {"metadata": {"name": OPERATORS}})
    labels = {"app": "x"}
    container = {"name": "operator", "image": "twinloop-kopf:dev"}
    spec = {
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
    }
    metadata = {"name": "twinloop-kopf", "labels": {"twinloop.dev/variant": "kopf"}}
    cluster.create(DEPLOYMENTS, {"metadata": metadata, "spec": spec}, OPERATORS)
    try:
        with pytest.raises(ConfigurationError, match="twinloop-kopf is deployed") as caught:
            current(server).open()
        assert "make undeploy" in caught.value.hint
        assert not exists(cluster, DEFINITIONS, DEFINITION)
    finally:
        cluster.delete(DEPLOYMENTS, "twinloop-kopf", OPERATORS)


def test_not_knowing_whether_an_operator_is_there_is_no_no(
    server: LocalServer, cluster: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise Forbidden("deployments.apps is forbidden")

    backend = current(server)
    monkeypatch.setattr(Client, "list_all", refuse)
    with pytest.raises(ConfigurationError, match="cannot tell whether an operator is deployed"):
        backend.open()
    monkeypatch.undo()
    assert not exists(cluster, DEFINITIONS, DEFINITION)


def test_a_namespace_that_somebody_deleted_meanwhile_is_no_error(server: LocalServer, cluster: Client) -> None:
    with current(server) as backend:
        backend.make_namespace("ours-2")
        cluster.delete(NAMESPACES, "ours-2")
    assert not exists(cluster, DEFINITIONS, DEFINITION)


def test_what_cannot_be_deleted_is_said_and_keeps_nothing_else(
    server: LocalServer, cluster: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    delete = Client.delete

    def fails(client: Client, resource: Any, name: str, *words: Any, **options: Any) -> Any:
        if name == "ours-3":
            raise Forbidden("namespaces is forbidden")
        return delete(client, resource, name, *words, **options)

    with caplog.at_level(logging.WARNING), current(server) as backend:
        backend.make_namespace("ours-3")
        backend.make_namespace("ours-4")
        monkeypatch.setattr(Client, "delete", fails)
    monkeypatch.undo()
    assert "namespace ours-3 could not be deleted: namespaces is forbidden" in caplog.text
    assert exists(cluster, NAMESPACES, "ours-3")
    assert not exists(cluster, NAMESPACES, "ours-4")
    cluster.delete(NAMESPACES, "ours-3")


def test_a_cluster_with_another_version_of_nginxpods_is_refused(server: LocalServer, cluster: Client) -> None:
    other = definition()
    other["spec"]["versions"][0]["name"] = "v9"
    cluster.create(DEFINITIONS, other)
    with pytest.raises(ConfigurationError, match="not v1alpha1"):
        current(server).open()
    assert exists(cluster, DEFINITIONS, DEFINITION)


# --- all of them ------------------------------------------------------------------------------------------------------


class Nothing(Served):
    """A backend that cannot do anything, on a clock of its own."""

    name = "nothing"

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__(clock=lambda: self.now, sleep=self._pass)

    def _pass(self, seconds: float) -> None:
        self.now += seconds

    def _start(self) -> Configuration:
        raise BackendError("no")

    def _stop(self) -> None: ...


def test_a_closed_backend_says_so() -> None:
    with pytest.raises(BackendError, match="not open"):
        _ = Nothing().configuration


def test_what_never_comes_true_is_given_up_with_its_words() -> None:
    nothing = Nothing()
    with pytest.raises(BackendError, match="the sky did not fall after 120 s"):
        nothing._wait("the sky did not fall", lambda: False)
    assert nothing.now == pytest.approx(served.PATIENCE, abs=served.LONGEST)


def test_what_a_backend_cannot_do_is_said() -> None:
    with pytest.raises(UnsupportedError, match="nothing does not forget"):
        Nothing().compact()
    with pytest.raises(UnsupportedError, match="no orders for pod ns/web-0: phase"):
        Nothing().order_pod("ns", "web-0", phase="Failed")


@pytest.mark.parametrize("name", list(BACKENDS))
def test_a_backend_is_known_by_its_name(name: str) -> None:
    made = backend(name)
    assert made.name == name
    assert made.pace >= 1
    assert made.abilities <= {"compact", "orders", "quota"}


def test_what_makes_no_sense_is_one_clear_line() -> None:
    with pytest.raises(ConfigurationError, match="no backend 'minikube'") as caught:
        backend("minikube")
    assert "embedded, kind, kwok, current" in caught.value.hint
    with pytest.raises(ConfigurationError, match="kind takes no context"):
        backend("kind", "mine")


# --- running programs -------------------------------------------------------------------------------------------------


def test_what_a_program_prints_comes_back() -> None:
    assert tools.run("echo", "a", "b") == "a b\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("sh", "-c", "echo first; echo 'last words' >&2; exit 3"), "last words"),
        (("sh", "-c", "exit 3"), "status 3"),
        (("there-is-no-such-program", "x"), "there-is-no-such-program is not on the PATH"),
    ],
)
def test_a_program_that_fails_is_one_line_with_its_own_words(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(BackendError, match=message):
        tools.run(*words)
