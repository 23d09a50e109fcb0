"""What is large, long, deep or broken costs one request, and nobody else: sizes, depths, names, listeners that raise.

Left out: limits of single fields (the kinds' own tests), bodies of more than 3 MiB (test_edge.py).
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from prometheus_client.parser import text_string_to_metric_families

from support.live_server import LiveServer
from twinloop.apiserver import codec
from twinloop.apiserver.answer import Answer, WatchAnswer
from twinloop.apiserver.controllers.agenda import Agenda
from twinloop.apiserver.http.local import LocalServer
from twinloop.apiserver.request import Request
from twinloop.apiserver.storage import OBJECT_LIMIT, Event, Storage
from twinloop.apiserver.tally import LONGEST_NAME, MOST, OTHERS
from twinloop.apiserver.verbs import watch as watches

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"


@pytest.fixture
def live() -> LiveServer:
    return LiveServer("garbage", "namespaces", "serviceaccounts")


def record_at_the_limit(storage: Storage, **metadata: Any) -> Any:
    """An object that has not one byte to spare."""
    kind = {"kind": "Thing", "apiVersion": "example.com/v1"}
    obj = {**kind, "metadata": {"name": "big", "namespace": "n", "uid": "u", **metadata}, "pad": ""}
    empty = len(Storage.sketch(json.loads(json.dumps(obj)), {}, storage.revision + 1).raw)
    obj["pad"] = "x" * (OBJECT_LIMIT - empty)
    return storage.create(("", "things"), obj, {})


# --- size -------------------------------------------------------------------------------------------------------------


def test_an_object_at_the_limit_can_be_deleted_although_the_revision_got_longer() -> None:
    storage = Storage()
    record = record_at_the_limit(storage)
    storage.revision = 10 ** len(str(storage.revision)) * 10
    storage.delete(("", "things"), record)
    assert storage.list(("", "things")) == []


def test_one_byte_more_is_refused_and_takes_no_revision() -> None:
    storage = Storage()
    record = record_at_the_limit(storage)
    before = storage.revision
    with pytest.raises(Exception, match="too large"):
        storage.update(("", "things"), record, {**record.object(), "more": "x"}, {})
    assert storage.revision == before


def test_the_last_sight_of_an_object_at_the_limit_may_carry_a_longer_revision() -> None:
    storage = Storage()
    record = record_at_the_limit(storage)
    assert watches._as_of(record, 10 * record.revision).revision == 10 * record.revision


def test_a_reader_that_lets_too_many_bytes_wait_is_ended(live: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watches, "BACKLOG_BYTES", 10_000)
    answer = live.server.handle(Request("GET", CONFIGMAPS, [("watch", "1"), ("resourceVersion", "0")]))
    assert isinstance(answer, WatchAnswer)
    for number in range(5):
        live.create(CONFIGMAPS, {"metadata": {"name": f"c{number}"}, "data": {"k": "x" * 3000}})
    while answer.stream.read():
        pass
    assert answer.stream.ended


def test_a_reader_that_keeps_up_may_read_any_amount(live: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watches, "BACKLOG_BYTES", 10_000)
    answer = live.server.handle(Request("GET", CONFIGMAPS, [("watch", "1"), ("resourceVersion", "0")]))
    assert isinstance(answer, WatchAnswer)
    for number in range(10):
        live.create(CONFIGMAPS, {"metadata": {"name": f"c{number}"}, "data": {"k": "x" * 3000}})
        answer.stream.read()
    assert not answer.stream.ended


# --- depth ------------------------------------------------------------------------------------------------------------


def nested(levels: int) -> bytes:
    return b'{"a":' * levels + b"1" + b"}" * levels


def test_a_body_may_be_deep_and_not_too_deep() -> None:
    codec.decode(nested(codec.DEEPEST))
    for levels in (codec.DEEPEST + 1, 5000):
        with pytest.raises(codec.Malformed, match="max depth"):
            codec.decode(nested(levels))
    codec.decode(b"[" + b"{}," * 5000 + b"1]")  # wide is not deep


@pytest.mark.parametrize("levels", [codec.DEEPEST - 5, codec.DEEPEST + 1, 600, 3000])
def test_a_deep_custom_resource_is_stored_or_refused(live: LiveServer, levels: int) -> None:
    live.serve_things()
    body = {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "deep"}, "spec": "HERE"}
    raw = json.dumps(body).encode().replace(b'"HERE"', nested(levels))
    path = "/apis/example.com/v1/namespaces/default/things"
    answer = live.server.handle(Request("POST", path, (), {"content-type": "application/json"}, raw))
    assert answer.code == (201 if levels < codec.DEEPEST else 400)


# --- those who are told -----------------------------------------------------------------------------------------------


def test_a_listener_that_raises_keeps_no_write_from_the_others(
    live: LiveServer, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(event: Event) -> None:
        raise ValueError(event.type)

    told: list[Event] = []
    live.server.storage.listeners[:0] = [broken]
    live.server.storage.listeners.append(told.append)
    live.create(CONFIGMAPS, {"metadata": {"name": "c"}})
    assert [event.record.name for event in told] == ["c"]
    assert "ValueError" in caplog.text


def test_a_controller_that_raises_keeps_no_time_from_the_others(
    live: LiveServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(now: float) -> None:
        raise ValueError(now)

    monkeypatch.setattr(live.server.definitions, "run", broken)
    owner = live.create(CONFIGMAPS, {"metadata": {"name": "owner"}})
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"]}
    live.create(CONFIGMAPS, {"metadata": {"name": "dependent", "ownerReferences": [reference]}})
    live.delete(f"{CONFIGMAPS}/owner")
    live.settle(10)
    assert not live.exists(f"{CONFIGMAPS}/dependent")
    assert "a controller failed" in caplog.text


# --- garbage that does not go the usual way ---------------------------------------------------------------------------


@pytest.mark.parametrize("change", [{"ownerReferences": None}, "unblocked"])
def test_an_owner_stops_waiting_for_a_dependent_that_names_it_no_more(live: LiveServer, change: Any) -> None:
    owner = live.create(CONFIGMAPS, {"metadata": {"name": "owner"}})
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"]}
    blocking = {"ownerReferences": [{**reference, "blockOwnerDeletion": True}], "finalizers": ["example.com/held"]}
    live.create(CONFIGMAPS, {"metadata": {"name": "dependent", **blocking}})
    live.delete(f"{CONFIGMAPS}/owner", {"propagationPolicy": "Foreground"})
    live.settle(5)
    assert live.exists(f"{CONFIGMAPS}/owner")
    if change == "unblocked":
        change = {"ownerReferences": [{**reference, "blockOwnerDeletion": False}]}
    live.patch(f"{CONFIGMAPS}/dependent", {"metadata": change})
    live.settle(5)
    assert not live.exists(f"{CONFIGMAPS}/owner")


def test_a_dependent_that_cannot_be_updated_keeps_no_other_one_from_being_orphaned(live: LiveServer) -> None:
    live.serve_things()
    things = "/apis/example.com/v1/namespaces/default/things"
    owner = live.create(CONFIGMAPS, {"metadata": {"name": "owner"}})
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"]}
    kind = {"apiVersion": "example.com/v1", "kind": "Thing"}
    live.create(things, kind | {"metadata": {"name": "bad", "ownerReferences": [reference]}})
    live.create(CONFIGMAPS, {"metadata": {"name": "good", "ownerReferences": [reference]}})
    schema = {"type": "object", "required": ["spec"], "x-kubernetes-preserve-unknown-fields": True}
    crd = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.example.com"
    path = "/spec/versions/0/schema/openAPIV3Schema"
    live.patch(crd, [{"op": "replace", "path": path, "value": schema}], kind="json")
    live.delete(f"{CONFIGMAPS}/owner", {"propagationPolicy": "Orphan"})
    live.settle(5)
    assert "ownerReferences" not in live.get(f"{CONFIGMAPS}/good")["metadata"]


# --- names that clients make up ---------------------------------------------------------------------------------------


def samples(live: LiveServer) -> Iterator[Any]:
    answer = live.server.handle(Request("GET", "/metrics"))
    assert isinstance(answer, Answer)
    for family in text_string_to_metric_families(answer.body.decode()):
        yield from family.samples if family.name == "apiserver_request" else ()


def test_the_metrics_page_survives_bytes_that_are_no_text(live: LiveServer) -> None:
    live.server.handle(Request("GET", CONFIGMAPS, (), {"user-agent": b"\xff\xfe".decode("utf-8", "surrogateescape")}))
    assert [sample.value for sample in samples(live) if sample.labels["client"] == "??"] == [1]


def test_clients_with_ever_new_and_endless_names_fill_no_memory(live: LiveServer) -> None:
    for number in range(MOST + 50):
        live.server.handle(Request("GET", f"{CONFIGMAPS}/c", (), {"user-agent": f"{number}-" + "x" * 1000}))
    assert len(live.server.tally.counts) <= MOST + 1
    found = {sample.labels["client"]: sample.value for sample in samples(live)}
    assert found[OTHERS] >= 50
    assert max(map(len, found)) == LONGEST_NAME


def test_a_token_that_is_no_text_is_a_wrong_token() -> None:
    with LocalServer(in_process=True) as server:
        where = urlsplit(server.url)
        with socket.create_connection((str(where.hostname), int(where.port or 0)), timeout=10) as client:
            client.sendall(b"GET /version HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\r\n\r\n")
            assert client.recv(1000).startswith(b"HTTP/1.1 401 ")


def test_an_agenda_keeps_no_more_than_there_is_to_do() -> None:
    agenda: Agenda[str] = Agenda()
    agenda.add("first", 1.0)
    for number in range(5000):
        agenda.drop("again")
        agenda.add("again", 1e6 - number)
    assert len(agenda._heap) < 100
    assert agenda.take(2e6, 10) == ["first", "again"]
