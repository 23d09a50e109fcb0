"""The storage and its history: revisions, order, replay, undoing, compaction, owners, snapshots.

Objects go in and out as dicts, without verbs or kinds. Leaves out: who may write what (test_create.py and the tests of
the other verbs), and watches as clients see them (test_watch.py).
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from twinloop.apiserver import history
from twinloop.apiserver.failures import Failure
from twinloop.apiserver.storage import FIRST_REVISION, OBJECT_LIMIT, Event, Record, Storage

PODS = ("", "pods")
MAPS = ("", "configmaps")


def obj(name: str, namespace: str = "ns", **metadata: Any) -> dict[str, Any]:
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {"namespace": namespace, "name": name, "uid": f"u-{name}", **metadata},
    }


def put(storage: Storage, name: str, namespace: str = "ns", **metadata: Any) -> Record:
    return storage.create(PODS, obj(name, namespace, **metadata), {})


def change(storage: Storage, record: Record, **metadata: Any) -> Record:
    return storage.update(
        PODS, record, {**record.object(), "metadata": {**record.object()["metadata"], **metadata}}, {}
    )


def names(records: list[Record]) -> list[str]:
    return [f"{record.namespace}/{record.name}" for record in records]


@pytest.fixture
def storage() -> Storage:
    return Storage()


def test_every_write_takes_the_next_revision_whatever_the_resource(storage: Storage) -> None:
    first = put(storage, "a")
    second = storage.create(MAPS, obj("m"), {})
    third = change(storage, first, labels={"x": "1"})
    fourth = storage.delete(PODS, third)
    assert [each.revision for each in (first, second, third, fourth)] == [FIRST_REVISION + n for n in (1, 2, 3, 4)]
    assert storage.revision == FIRST_REVISION + 4


def test_the_stored_bytes_carry_the_revision_and_begin_with_kind_and_version(storage: Storage) -> None:
    record = put(storage, "a")
    assert record.raw.startswith(b'{"kind":"Pod","apiVersion":"v1",')
    assert record.object()["metadata"]["resourceVersion"] == str(record.revision)
    assert json.loads(b"{" + record.tail) == {"metadata": record.object()["metadata"]}


def test_metadata_is_written_in_the_order_of_a_real_server(storage: Storage) -> None:
    record = put(storage, "a", labels={"x": "1"}, finalizers=["a/b"], creationTimestamp="2024-01-01T00:00:00Z")
    assert list(record.object()["metadata"]) == [
        "name",
        "namespace",
        "uid",
        "resourceVersion",
        "creationTimestamp",
        "labels",
        "finalizers",
    ]


def test_an_object_handed_out_is_a_copy(storage: Storage) -> None:
    record = put(storage, "a")
    record.object()["metadata"]["name"] = "changed"
    assert record.object()["metadata"]["name"] == "a"


def test_a_record_keeps_labels_although_the_writer_goes_on_changing_its_object(storage: Storage) -> None:
    mine = obj("a", labels={"x": "1"})
    record = storage.create(PODS, mine, {})
    mine["metadata"]["labels"]["x"] = "2"
    assert record.labels == {"x": "1"}


def test_a_list_is_ordered_by_namespace_and_name_as_etcd_orders_keys(storage: Storage) -> None:
    for namespace, name in (("b", "z"), ("a", "b"), ("a-b", "a"), ("a", "a")):
        put(storage, name, namespace)
    assert names(storage.list(PODS)) == ["a-b/a", "a/a", "a/b", "b/z"]


def test_a_list_of_one_namespace_has_nothing_of_its_neighbours(storage: Storage) -> None:
    for namespace in ("a", "ab", "a-b", "a0", "b"):
        put(storage, "x", namespace)
    assert names(storage.list(PODS, "a")) == ["a/x"]


def test_a_list_of_an_unknown_resource_is_empty(storage: Storage) -> None:
    assert storage.list(("x", "y")) == []
    assert storage.get(("x", "y"), "", "a") is None


def test_listeners_hear_every_commit_once_and_in_order(storage: Storage) -> None:
    heard: list[Event] = []
    storage.listeners.append(heard.append)
    record = change(storage, put(storage, "a"), labels={"x": "1"})
    storage.delete(PODS, record)
    assert [(each.type, each.revision) for each in heard] == [
        ("ADDED", FIRST_REVISION + 1),
        ("MODIFIED", FIRST_REVISION + 2),
        ("DELETED", FIRST_REVISION + 3),
    ]


def test_a_deletion_carries_the_last_state_with_the_revision_of_the_deletion(storage: Storage) -> None:
    last = put(storage, "a", labels={"x": "1"})
    gone = storage.delete(PODS, last)
    assert gone.object()["metadata"] == {**last.object()["metadata"], "resourceVersion": str(last.revision + 1)}
    assert storage.get(PODS, "ns", "a") is None


def test_events_since_a_revision_are_those_of_the_resource_after_it(storage: Storage) -> None:
    first = put(storage, "a")
    storage.create(MAPS, obj("m"), {})
    put(storage, "b")
    assert [each.record.name for each in storage.events_since(PODS, first.revision)] == ["b"]
    assert storage.events_since(PODS, storage.revision) == []


def test_a_version_from_before_the_history_is_expired(storage: Storage) -> None:
    with pytest.raises(Failure) as failure:
        storage.events_since(PODS, FIRST_REVISION - 1)
    assert (failure.value.code, failure.value.reason) == (410, "Expired")
    assert failure.value.message == f"too old resource version: {FIRST_REVISION - 1} ({FIRST_REVISION})"


def test_the_history_forgets_the_oldest_events_over_its_limit() -> None:
    storage = Storage(history=3)
    for number in range(5):
        put(storage, f"p{number}")
    assert storage.compacted == FIRST_REVISION + 2
    assert len(storage.events_since(PODS, storage.compacted)) == 3
    with pytest.raises(Failure):
        storage.events_since(PODS, storage.compacted - 1)


def test_forgetting_thousands_of_events_keeps_the_rest_in_order() -> None:
    storage = Storage(history=1500)
    for number in range(5000):
        (storage.create(MAPS, obj(f"m{number}"), {}) if number % 3 else put(storage, f"p{number}"))
    events = storage.events_since(PODS, storage.compacted)
    assert [each.revision for each in events] == sorted(each.revision for each in events)
    assert len(events) + len(storage.events_since(MAPS, storage.compacted)) == 1500


def test_large_objects_shorten_the_history(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "BUDGET", 10_000)
    for number in range(5):
        put(storage, f"p{number}", annotations={"x": "y" * 4000})
    assert len(storage.history) == 2
    put(storage, "huge", annotations={"x": "y" * 20_000})
    assert len(storage.history) == 1, "the latest event stays, whatever its size"


def test_states_of_one_object_share_what_they_have_in_common(storage: Storage) -> None:
    first = put(storage, "a", labels={"x": "1"})
    second = change(storage, first, annotations={"y": "2"})
    third = change(storage, second, labels={"x": "2"})
    assert second.labels is first.labels
    assert third.labels == {"x": "2"}


def test_a_smaller_history_forgets_at_once(storage: Storage) -> None:
    for number in range(5):
        put(storage, f"p{number}")
    storage.history.resize(2)
    assert len(storage.history) == 2


def test_compaction_forgets_up_to_and_including_a_revision(storage: Storage) -> None:
    first, second = put(storage, "a"), put(storage, "b")
    storage.compact(first.revision)
    assert [each.revision for each in storage.events_since(PODS, first.revision)] == [second.revision]
    with pytest.raises(Failure):
        storage.events_since(PODS, first.revision - 1)


def test_compaction_never_reaches_into_the_future(storage: Storage) -> None:
    put(storage, "a")
    storage.compact(10**9)
    assert storage.compacted == storage.revision


def test_an_old_state_of_a_collection_can_be_had_again(storage: Storage) -> None:
    a, b = put(storage, "a"), put(storage, "b")
    then = storage.revision
    storage.delete(PODS, a)
    change(storage, b, labels={"x": "1"})
    put(storage, "c")
    assert [(each.name, each.revision) for each in storage.at(PODS, then)] == [("a", a.revision), ("b", b.revision)]
    assert [each.name for each in storage.at(PODS, storage.revision)] == ["b", "c"]


def test_an_old_state_that_is_forgotten_is_expired(storage: Storage) -> None:
    put(storage, "a")
    then = storage.revision
    put(storage, "b")
    storage.compact(storage.revision)
    with pytest.raises(Failure):
        storage.at(PODS, then)


def test_objects_are_found_by_the_uid_of_an_owner(storage: Storage) -> None:
    owned = put(storage, "a", ownerReferences=[{"uid": "o1"}, {"uid": "o2"}])
    assert storage.by_owner("o1") == storage.by_owner("o2") == [(PODS, owned)]
    released = change(storage, owned, ownerReferences=[{"uid": "o2"}])
    assert storage.by_owner("o1") == []
    storage.delete(PODS, released)
    assert storage.by_owner("o2") == []


def test_an_owner_that_is_named_twice_counts_once(storage: Storage) -> None:
    record = put(storage, "a", ownerReferences=[{"uid": "o"}, {"uid": "o"}])
    assert len(storage.by_owner("o")) == 1
    storage.delete(PODS, record)
    assert storage.by_owner("o") == []


def test_an_object_over_etcds_limit_is_refused_and_takes_no_revision(storage: Storage) -> None:
    before = storage.revision
    with pytest.raises(Failure) as failure:
        put(storage, "a", annotations={"x": "y" * OBJECT_LIMIT})
    assert (failure.value.code, failure.value.message) == (500, "etcdserver: request is too large")
    assert (storage.revision, storage.list(PODS)) == (before, [])


def test_dropping_a_resource_deletes_each_object(storage: Storage) -> None:
    put(storage, "a")
    put(storage, "b")
    heard: list[Event] = []
    storage.listeners.append(heard.append)
    storage.drop(PODS)
    assert [each.type for each in heard] == ["DELETED", "DELETED"]
    assert storage.list(PODS) == []


def test_restoring_a_snapshot_brings_back_objects_owners_and_the_revision(storage: Storage) -> None:
    kept = put(storage, "a", ownerReferences=[{"uid": "o"}])
    snapshot = storage.snapshot()
    storage.delete(PODS, kept)
    put(storage, "b")
    storage.restore(snapshot)
    assert (names(storage.list(PODS)), storage.revision) == (["ns/a"], snapshot.revision)
    assert storage.by_owner("o") == [(PODS, kept)]


def test_after_a_restore_the_history_begins_at_the_snapshot(storage: Storage) -> None:
    put(storage, "a")
    snapshot = storage.snapshot()
    put(storage, "b")
    storage.restore(snapshot)
    assert storage.events_since(PODS, snapshot.revision) == []
    with pytest.raises(Failure):
        storage.events_since(PODS, snapshot.revision - 1)


def test_after_a_restore_revisions_are_given_out_again(storage: Storage) -> None:
    snapshot = storage.snapshot()
    first = put(storage, "a")
    storage.restore(snapshot)
    assert put(storage, "b").revision == first.revision


def test_who_asked_is_told_of_a_restore(storage: Storage) -> None:
    told: list[str] = []
    storage.on_restore.append(lambda: told.append("restored"))
    storage.restore(storage.snapshot())
    assert told == ["restored"]
