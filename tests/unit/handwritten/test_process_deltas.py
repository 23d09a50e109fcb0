"""Covers the step between queue and handlers: what the store is changed to, what is told, and in which order.

Names follow client-go's controller_test.go (TestReplaceEvents, TestProcessDeltasInBatch, TestStoreResourceVersion). Left
out: threads and the order across several pops (test_informer.py).
"""

from __future__ import annotations

import pytest

from handwritten.fifo import (
    Bookmark,
    DeletedFinalStateUnknown,
    Delta,
    DeltaType,
    ReplacedAll,
    SyncAll,
)
from handwritten.handlers import DeleteNotification
from handwritten.mutation_detector import MutationDetector
from handwritten.process_deltas import DeltaProcessor
from handwritten.store import Indexer, IndexFunctionError, Object
from handwritten.testing import FakeClock
from support.cache import Told, word

ADDED, UPDATED, DELETED = DeltaType.ADDED, DeltaType.UPDATED, DeltaType.DELETED


def obj(name: str, version: str, index: str | None = "x") -> Object:
    return {"metadata": {"name": name, "resourceVersion": version}, "index": index}


def index_values(each: Object) -> list[str]:
    if each["index"] is None:
        raise ValueError("no index")
    return [each["index"]]


class Bench:
    """A store with `objects` in it and a processor for it."""

    def __init__(self, *objects: Object) -> None:
        self.indexer = Indexer({"index": index_values})
        for each in objects:
            self.indexer.add(each)
        self.told = Told(self.indexer)
        self.processor = DeltaProcessor(self.indexer, self.told, name="test")

    @property
    def stored(self) -> dict[str, str]:
        return {each["metadata"]["name"]: each["metadata"]["resourceVersion"] for each in self.indexer.list()}


@pytest.mark.statement("PD-1")
@pytest.mark.parametrize("delta_type", [ADDED, UPDATED, DeltaType.REPLACED, DeltaType.SYNC])
def test_the_store_decides_between_add_and_update_whatever_the_delta_is(delta_type: DeltaType) -> None:
    bench = Bench(obj("a", "1"))
    bench.processor.process([Delta(delta_type, obj("a", "2")), Delta(delta_type, obj("b", "1"))], False)
    assert bench.told.words == ["~a1>a2", "+b1"]


@pytest.mark.statement("PD-2")
def test_a_deletion_is_in_the_store_before_it_is_told() -> None:
    bench = Bench(obj("a", "1"), obj("b", "1"))
    gone = [Delta(DELETED, obj("a", "5")), Delta(DELETED, DeletedFinalStateUnknown("b", obj("b", "1")))]
    bench.processor.process(gone, False)
    assert bench.told.words == ["-a5", "-!b1"]
    assert bench.told.stored == [["b"], []]


@pytest.mark.statement("PD-3")
def test_process_deltas_in_batch() -> None:
    """All changes are in the store before the first is told, and what it refused is told to nobody."""
    bench = Bench(obj("old", "1"), obj("gone", "1"), obj("missed", "1"))
    deltas = [
        Delta(ADDED, obj("new", "2")),
        Delta(UPDATED, obj("odd", "3", index=None)),
        Delta(UPDATED, obj("old", "4")),
        Delta(DELETED, obj("gone", "5")),
        Delta(DELETED, DeletedFinalStateUnknown("missed", obj("missed", "1"))),
    ]
    bench.processor.process_batch(deltas, True)
    assert bench.told.words == ["*new2", "~old1>old4", "-gone5", "-!missed1"]
    assert bench.told.stored == [["new", "old"]] * 4
    assert bench.processor.failures == 1


@pytest.mark.statement("PD-3")
def test_an_object_without_a_key_in_a_batch_costs_that_object_alone() -> None:
    bench = Bench()
    bench.processor.process_batch([Delta(ADDED, obj("a", "1")), Delta(ADDED, {"metadata": {}, "index": "x"})], False)
    assert bench.told.words == ["+a1"]
    assert bench.processor.failures == 1


@pytest.mark.statement("PD-4")
def test_what_cannot_be_applied_is_counted_and_the_next_delta_is_taken(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    odd = Delta(ADDED, obj("odd", "1", index=None))
    bench.processor.process([odd, Delta(ADDED, obj("a", "1")), odd], True)
    bench.processor.process_batch([odd, Delta(ADDED, obj("b", "1"))], True)
    assert bench.told.words == ["*a1", "*b1"]
    assert bench.processor.failures == 3
    for record in caplog.records:
        assert (record.message, record.__dict__["informer"]) == ("Applying a change to the cache failed", "test")
        assert record.exc_info is not None
        assert isinstance(record.exc_info[1], IndexFunctionError)


@pytest.mark.statement("RF-3", "SI-9")
@pytest.mark.parametrize("initial", [True, False])
def test_replace_events(initial: bool) -> None:
    """Deletions first, then the list in its order; the store is new in every call already."""
    bench = Bench(obj("kept", "1"), obj("gone", "1"), obj("same", "1"))
    listed = (obj("new", "7"), obj("kept", "6"), obj("same", "1"))
    bench.processor.process([Delta(DeltaType.REPLACED_ALL, ReplacedAll("9", listed))], initial)
    assert bench.told.words == ["-!gone1", "*new7" if initial else "+new7", "~kept1>kept6", "~same1>same1"]
    assert bench.told.stored == [["kept", "new", "same"]] * 4
    assert bench.told.syncs == [False, False, False, True]
    assert bench.told.tombstones == ["gone"]
    assert bench.indexer.resource_version == "9"


@pytest.mark.statement("RF-3")
def test_replace_events_are_the_same_whether_the_list_comes_whole_or_apart() -> None:
    """But for the order in which a DeltaFIFO would queue them: an apart RealFIFO puts tombstones first as well."""
    before = [obj("kept", "1"), obj("gone", "1")]
    whole, apart = Bench(*before), Bench(*before)
    listed = [obj("kept", "2"), obj("new", "3")]
    whole.processor.process([Delta(DeltaType.REPLACED_ALL, ReplacedAll("3", tuple(listed)))], False)
    tombstone = Delta(DELETED, DeletedFinalStateUnknown("gone", obj("gone", "1")))
    for delta in [tombstone, *(Delta(DeltaType.REPLACED, each) for each in listed)]:
        apart.processor.process([delta], False)
    assert whole.told.words == apart.told.words
    assert whole.stored == apart.stored


def test_an_object_that_cannot_be_indexed_does_not_cost_the_list_it_is_in() -> None:
    bench = Bench(obj("gone", "1"))
    listed = (obj("odd", "2", index=None), obj("a", "3"))
    bench.processor.process([Delta(DeltaType.REPLACED_ALL, ReplacedAll("3", listed))], True)
    assert bench.stored == {"a": "3"}
    assert bench.told.words == ["-!gone1", "*a3"]


@pytest.mark.statement("RF-3", "SI-7")
def test_a_resync_of_everything_is_an_update_of_everything_for_those_who_are_due() -> None:
    bench = Bench(obj("a", "1"), obj("b", "2"))
    bench.processor.process([Delta(DeltaType.SYNC_ALL, SyncAll())], False)
    assert sorted(bench.told.words) == ["~a1>a1", "~b2>b2"]
    assert bench.told.syncs == [True, True]


@pytest.mark.statement("RF-4", "TS-10")
def test_a_bookmark_moves_the_version_of_the_store_and_tells_nobody() -> None:
    bench = Bench(obj("a", "1"))
    bench.processor.process([Delta(DeltaType.BOOKMARK, Bookmark("8"))], False)
    assert bench.indexer.resource_version == "8"
    assert bench.told.words == []


@pytest.mark.statement("TS-10")
def test_store_resource_version() -> None:
    """After each step the version of what came last; a tombstone has none to give."""
    bench = Bench()
    steps: list[tuple[Delta, str]] = [
        (Delta(DeltaType.REPLACED_ALL, ReplacedAll("3", (obj("a", "1"),))), "3"),
        (Delta(UPDATED, obj("a", "4")), "4"),
        (Delta(DELETED, obj("a", "5")), "5"),
        (Delta(DELETED, DeletedFinalStateUnknown("b", obj("b", "1"))), "5"),
        (Delta(DeltaType.BOOKMARK, Bookmark("6")), "6"),
    ]
    for delta, version in steps:
        bench.processor.process([delta], False)
        assert bench.indexer.resource_version == version
    bench.processor.process_batch([Delta(ADDED, obj("c", "7")), Delta(ADDED, obj("d", "8"))], False)
    assert bench.indexer.resource_version == "8"


@pytest.mark.statement("SI-16")
def test_the_mutation_detector_gets_what_is_stored_and_not_what_is_gone() -> None:
    watched: list[Object] = []

    class Detector(MutationDetector):
        def add_object(self, obj: Object) -> None:
            watched.append(obj)

    bench = Bench()
    detector = Detector("test", clock=FakeClock())
    processor = DeltaProcessor(bench.indexer, bench.told, name="test", detector=detector)
    first, second = obj("a", "1"), obj("a", "2")
    processor.process([Delta(ADDED, first), Delta(UPDATED, second), Delta(DELETED, obj("a", "3"))], False)
    assert [each is expected for each, expected in zip(watched, (first, second), strict=True)] == [True, True]


def test_a_deletion_notification_carries_what_was_deleted() -> None:
    notification = DeleteNotification(obj("a", "1"))
    assert word(notification) == "-a1"
