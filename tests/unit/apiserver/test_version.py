"""The small documents: /version, the probes, /metrics and the index of paths.

Left out: the same at a real server (tests/conformance).
"""

from __future__ import annotations

import json

import pytest

from twinloop import __version__
from twinloop.apiserver import builtin
from twinloop.apiserver.answer import Answer
from twinloop.apiserver.failures import Failure
from twinloop.apiserver.kinds import Registry
from twinloop.apiserver.publish.paths import Documents
from twinloop.apiserver.request import Request
from twinloop.apiserver.storage import Storage
from twinloop.apiserver.tally import Tally


class Host:
    def __init__(self) -> None:
        self.registry, self.storage, self.tally = Registry(), Storage(), Tally()
        builtin.register(self.registry)


def get(
    path: str, *query: tuple[str, str], method: str = "GET", accept: str = "*/*", host: Host | None = None
) -> Answer:
    return Documents(host or Host()).answer(Request(method, path, query, {"accept": accept}))


# --- /version ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/version", "/version/"])
def test_version_passes_for_kubernetes_1_34_and_says_who_it_is(path: str) -> None:
    info = json.loads(get(path).body)
    assert (info["major"], info["minor"]) == ("1", "34")
    assert info["gitVersion"] == f"v1.34.4+twinloop-{__version__}"
    assert set(info) == {
        *("major", "minor", "emulationMajor", "emulationMinor", "minCompatibilityMajor", "minCompatibilityMinor"),
        *("gitVersion", "gitCommit", "gitTreeState", "buildDate", "goVersion", "compiler", "platform"),
    }


def test_version_is_always_indented() -> None:
    assert get("/version").body.startswith(b'{\n  "major": "1",\n')


@pytest.mark.parametrize(
    ("path", "method", "accept", "code"),
    [
        ("/version", "POST", "*/*", 405),
        ("/version/x", "GET", "*/*", 404),
        ("/version", "GET", "application/yaml", 406),
        ("/version", "GET", "text/html", 406),
    ],
)
def test_version_refuses_what_the_real_one_refuses(path: str, method: str, accept: str, code: int) -> None:
    with pytest.raises(Failure) as caught:
        get(path, method=method, accept=accept)
    assert caught.value.code == code


# --- probes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz", "/healthz/ping", "/livez/etcd", "/readyz/shutdown"])
def test_probes_and_their_checks_say_ok(path: str) -> None:
    answer = get(path)
    assert (answer.code, answer.body, answer.content_type) == (200, b"ok", "text/plain; charset=utf-8")


def test_verbose_lists_the_checks() -> None:
    assert get("/livez", ("verbose", "")).body.decode() == "[+]ping ok\n[+]log ok\n[+]etcd ok\nlivez check passed\n"


def test_an_excluded_check_is_marked() -> None:
    text = get("/readyz", ("verbose", ""), ("exclude", "etcd"), ("exclude", "nope")).body.decode()
    assert "[+]etcd excluded: ok\n" in text
    assert text.endswith("readyz check passed\n")


@pytest.mark.parametrize("path", ["/healthz/", "/healthz/nope", "/livez/", "/livez/shutdown"])
def test_unknown_checks_are_not_found(path: str) -> None:
    assert get(path).code == 404


# --- /metrics and / ---------------------------------------------------------------------------------------------------


def test_metrics_say_how_full_the_server_is() -> None:
    host = Host()
    meta = {"name": "a", "namespace": "b"}
    host.storage.create(("", "pods"), {"apiVersion": "v1", "kind": "Pod", "metadata": meta}, {})
    answer = get("/metrics", host=host)
    lines = answer.body.decode().splitlines()
    assert answer.content_type.startswith("text/plain; version=0.0.4")
    assert 'apiserver_storage_objects{resource="pods"} 1' in lines
    assert f"twinloop_apiserver_revision {host.storage.revision}" in lines
    assert "twinloop_apiserver_history_events 1" in lines
    assert "# TYPE apiserver_storage_objects gauge" in lines


def test_the_index_lists_every_path() -> None:
    paths = json.loads(get("/").body)["paths"]
    assert paths == sorted(paths)
    assert {
        "/api",
        "/api/v1",
        "/apis",
        "/apis/apps",
        "/apis/apps/v1",
        "/healthz/ping",
        "/openapi/v3",
        "/version",
    } <= set(paths)


@pytest.mark.parametrize("path", ["/metrics/", "/openapi", "/openapi/v2", "/swagger.json", "/logs"])
def test_what_is_not_published_is_not_found(path: str) -> None:
    assert get(path).code == 404
