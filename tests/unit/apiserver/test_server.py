"""The whole server without HTTP: that everything is wired, that nothing it is sent brings it down, controllers' access.

Real built-in kinds, admission and definitions take part. Leaves out: their details, and what the controllers do.
"""

from __future__ import annotations

import json
import logging
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop.apiserver.answer import Answer, WatchAnswer, warning_header
from twinloop.apiserver.clock import ManualClock
from twinloop.apiserver.failures import Failure
from twinloop.apiserver.kinds import Kind
from twinloop.apiserver.request import Request
from twinloop.apiserver.selectors import parse_labels
from twinloop.apiserver.server import SYSTEM_NAMESPACES, ApiServer
from twinloop.apiserver.strategy import Strategy

MAPS = "/api/v1/namespaces/default/configmaps"


def new(**options: Any) -> ApiServer:
    return ApiServer(clock=ManualClock(), rng=random.Random(1), **{"controllers": False, **options})


@pytest.fixture
def server() -> ApiServer:
    return new()


def send(server: ApiServer, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    raw = b"" if body is None else json.dumps(body).encode()
    answer = server.handle(Request(method, path, (), {"content-type": "application/json"}, raw))
    assert isinstance(answer, Answer)
    return answer.code, json.loads(answer.body)


def kind(server: ApiServer, plural: str) -> Kind:
    found = server.registry.find("", "v1", plural)
    assert found is not None
    return found


def test_a_new_cluster_has_its_namespaces(server: ApiServer) -> None:
    code, found = send(server, "GET", "/api/v1/namespaces")
    assert code == 200
    assert [each["metadata"]["name"] for each in found["items"]] == list(SYSTEM_NAMESPACES)


def test_built_in_kinds_are_served(server: ApiServer) -> None:
    assert send(server, "POST", MAPS, {"metadata": {"name": "a"}, "data": {"k": "v"}})[0] == 201
    assert send(server, "GET", f"{MAPS}/a")[1]["data"] == {"k": "v"}


def test_admission_is_asked(server: ApiServer) -> None:
    code, found = send(server, "POST", MAPS.replace("default", "nowhere"), {"metadata": {"name": "a"}})
    assert (code, found["message"]) == (404, 'namespaces "nowhere" not found')


def test_a_definition_is_served_from_its_creation_on(server: ApiServer) -> None:
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
    names = {"plural": "widgets", "kind": "Widget", "singular": "widget", "listKind": "WidgetList"}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {"group": "example.com", "names": names, "scope": "Cluster", "versions": [version]},
    }
    assert send(server, "POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition)[0] == 201
    widget = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}}
    assert send(server, "POST", "/apis/example.com/v1/widgets", widget)[0] == 201


def test_a_bug_is_a_500_and_a_traceback_in_the_log(
    server: ApiServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(type(kind(server, "configmaps").strategy), "validate", lambda self, obj: 1 / 0)
    with caplog.at_level(logging.ERROR):
        code, found = send(server, "POST", MAPS, {"metadata": {"name": "a"}})
    assert (code, found["reason"], found["status"]) == (500, "InternalError", "Failure")
    assert "ZeroDivisionError" in caplog.text
    assert "ZeroDivisionError" not in json.dumps(found)
    assert send(server, "GET", f"{MAPS}/a")[0] == 404


def test_a_failed_create_leaves_nothing_behind(server: ApiServer) -> None:
    before = server.storage.revision
    assert send(server, "POST", MAPS, {"metadata": {"name": "Bad Name"}})[0] == 422
    assert server.storage.revision == before


def test_tick_says_when_there_is_something_to_do_again() -> None:
    assert new().tick() is None
    busy = new(controllers=True)
    due = busy.tick()
    assert due is None or due > 0


def test_a_controller_can_be_chosen_by_name() -> None:
    assert [each.name for each in new(controllers={"kubelet"}).controllers] == ["kubelet"]
    with pytest.raises(ValueError, match="no such controller: nonsense"):
        new(controllers={"nonsense"})


def test_the_history_can_be_short() -> None:
    server = new(history=2)
    for name in "abc":
        send(server, "POST", MAPS, {"metadata": {"name": name}})
    assert server.storage.compacted == server.storage.revision - 2


def test_the_same_seed_gives_the_same_cluster() -> None:
    answers = [send(new(), "POST", MAPS, {"metadata": {"generateName": "a-"}}) for _ in range(2)]
    assert answers[0] == answers[1]


# ------------------------------------------------------------------ how controllers read and write


def test_a_controller_reads_copies(server: ApiServer) -> None:
    maps = kind(server, "configmaps")
    send(server, "POST", MAPS, {"metadata": {"name": "a", "labels": {"x": "1"}}})
    send(server, "POST", MAPS, {"metadata": {"name": "b"}})
    found = server.internal.get(maps, "default", "a")
    assert found is not None
    found["metadata"]["labels"]["x"] = "2"
    (again,) = server.internal.list(maps, "default", parse_labels("x=1"))
    assert again["metadata"]["labels"] == {"x": "1"}
    assert len(server.internal.list(maps)) == 2
    assert server.internal.get(maps, "default", "nope") is None


def test_a_controller_writes_like_a_client(server: ApiServer) -> None:
    maps = kind(server, "configmaps")
    made = server.internal.create(
        maps, {"metadata": {"namespace": "default", "name": "a"}, "data": {"k": "1"}}, manager="me"
    )
    assert made["metadata"]["managedFields"][0]["manager"] == "me"
    changed = server.internal.update(maps, {**made, "data": {"k": "2"}}, manager="me")
    with pytest.raises(Failure) as failure:
        server.internal.update(maps, {**made, "data": {"k": "3"}}, manager="me")
    assert failure.value.reason == "Conflict"
    with pytest.raises(Failure):
        server.internal.delete(maps, "default", "a", uid="another")
    server.internal.delete(maps, "default", "a", uid=changed["metadata"]["uid"])
    assert send(server, "GET", f"{MAPS}/a")[0] == 404


# ------------------------------------------------------------------ whatever is sent

_methods = st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "FOO"])
_segments = st.sampled_from(
    ["api", "apis", "v1", "", "namespaces", "default", "pods", "configmaps", "a", "status", "scale", "log", "watch", "..", "%2f", "é"]
)  # fmt: skip
_words = st.sampled_from(
    ["true", "0", "-1", "5", "abc", "", "All", "Strict", "a=b", "a in (", "metadata.name=a", "%", "\x00"]
)
_names = st.sampled_from(
    ["watch", "limit", "continue", "resourceVersion", "resourceVersionMatch", "labelSelector", "fieldSelector", "dryRun",
     "fieldManager", "fieldValidation", "timeoutSeconds", "allowWatchBookmarks", "sendInitialEvents", "force", "pretty",
     "gracePeriodSeconds", "propagationPolicy", "orphanDependents"]
)  # fmt: skip
_types = st.sampled_from(
    ["application/json", "application/yaml", "application/merge-patch+json", "application/json-patch+json",
     "application/strategic-merge-patch+json", "application/apply-patch+yaml", "text/plain", ""]
)  # fmt: skip
_accepts = st.sampled_from(
    ["", "application/json", "application/yaml", "application/json;as=Table;v=v1;g=meta.k8s.io", "x"]
)
_json = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["a", "", "default", "v1", "ConfigMap", "Pod"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["metadata", "name", "namespace", "labels", "spec", "data", "kind", "apiVersion", "finalizers",
                         "ownerReferences", "managedFields", "resourceVersion", "generateName", "op", "path", "value"]),
        inner, max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip
_bodies = st.one_of(st.just(b""), st.binary(max_size=20), _json.map(lambda value: json.dumps(value).encode()))


@settings(max_examples=400, deadline=None)
@given(
    method=_methods,
    path=st.lists(_segments, max_size=7).map(lambda parts: "/" + "/".join(parts)),
    query=st.lists(st.tuples(_names, _words), max_size=3),
    content_type=_types,
    accept=_accepts,
    body=_bodies,
)
def test_no_request_is_answered_by_a_bug(
    method: str, path: str, query: list[tuple[str, str]], content_type: str, accept: str, body: bytes
) -> None:
    _check(_SHARED, Request(method, path, query, {"content-type": content_type, "accept": accept}, body))


@settings(max_examples=400, deadline=None)
@given(
    method=st.sampled_from(["POST", "PUT", "PATCH", "DELETE"]),
    name=st.sampled_from(["", "/a"]),
    query=st.lists(st.tuples(_names, _words), max_size=1),
    content_type=_types,
    body=_bodies,
)
def test_no_write_is_answered_by_a_bug(
    method: str, name: str, query: list[tuple[str, str]], content_type: str, body: bytes
) -> None:
    _check(_SHARED, Request(method, MAPS + name, query, {"content-type": content_type}, body))


_SHARED = new()  # one for all examples: what was accepted makes the next ones more interesting


def _check(server: ApiServer, request: Request) -> None:
    answer = server.handle(request)
    if isinstance(answer, WatchAnswer):
        while answer.stream.read():
            pass
        answer.stream.close()
        return
    assert b"InternalError" not in answer.body
    assert 200 <= answer.code < 505
    for record in server.storage.list(("", "configmaps")):
        assert record.object()["metadata"]["name"] == record.name


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("plain", '299 - "plain"'),
        ('with "quotes" and \\', '299 - "with \\"quotes\\" and \\\\"'),
        ("two\nlines", '299 - "two lines"'),
    ],
)
def test_a_warning_is_one_header_line(text: str, header: str) -> None:
    assert warning_header(text) == header


def test_a_plain_strategy_is_right_for_a_kind_that_needs_nothing(server: ApiServer) -> None:
    server.registry.add(Kind("example.com", "v1", "Plain", "plains", Strategy(), namespaced=False))
    plain = {"apiVersion": "example.com/v1", "kind": "Plain", "metadata": {"name": "p"}, "any": ["thing"]}
    assert send(server, "POST", "/apis/example.com/v1/plains", plain)[1]["any"] == ["thing"]
    server.registry.remove("example.com", "v1", "plains")
    assert server.registry.find("example.com", "v1", "plains") is None
