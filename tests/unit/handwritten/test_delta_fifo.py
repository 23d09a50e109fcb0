"""Covers the delta queue: order, compression, deletion detection, HasSynced, closing, the transform.

Names follow client-go's delta_fifo_test.go. A model test drives any sequence of calls against a queue
written down naively. Left out: who consumes (test_informer.py), and speed.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handwritten.delta_fifo import DeltaFIFO
from handwritten.fifo import DeletedFinalStateUnknown, Delta, Deltas, DeltaType, FIFOClosed, deletion_handling_key
from handwritten.store import Object, ObjectKeyError
from handwritten.testing import FakeClock
from support.cache import Known, obj, tombstone

ADDED, UPDATED, DELETED = DeltaType.ADDED, DeltaType.UPDATED, DeltaType.DELETED
REPLACED, SYNC = DeltaType.REPLACED, DeltaType.SYNC


def pop(fifo: DeltaFIFO) -> Deltas:
    return fifo.pop(lambda _deltas, _initial: None)


def pop_all(fifo: DeltaFIFO) -> list[Deltas]:
    fifo.close()
    popped = []
    while True:
        try:
            popped.append(pop(fifo))
        except FIFOClosed:
            return popped


# --------------------------------------------------------------------------------------- order, compression


def test_delta_fifo_basic() -> None:
    """Two producers: what one of them put in comes out in its order."""
    fifo = DeltaFIFO()
    count = 500

    def produce(prefix: str) -> None:
        for i in range(count):
            fifo.add(obj(f"{prefix}{i}", i + 1))

    producers = [threading.Thread(target=produce, args=(prefix,)) for prefix in ("a", "b")]
    for producer in producers:
        producer.start()
    last = {"a": 0, "b": 0}
    for _ in range(2 * count):
        (delta,) = pop(fifo)
        assert isinstance(delta.object, dict)
        prefix = delta.object["metadata"]["name"][0]
        assert delta.object["value"] == last[prefix] + 1
        last[prefix] += 1
    for producer in producers:
        producer.join()
    assert last == {"a": count, "b": count}


@pytest.mark.statement("DF-1")
def test_delta_fifo_add_update() -> None:
    """Any number of changes of one key is one visit, with all of them in it."""
    fifo = DeltaFIFO()
    fifo.add(obj("foo", 10))
    fifo.update(obj("foo", 12))
    fifo.delete(obj("foo", 15))
    assert len(fifo) == 1
    assert pop(fifo) == [Delta(ADDED, obj("foo", 10)), Delta(UPDATED, obj("foo", 12)), Delta(DELETED, obj("foo", 15))]
    assert len(fifo) == 0


def test_delta_fifo_delete_existing_non_propagated() -> None:
    fifo = DeltaFIFO(known_objects=Known())
    fifo.add(obj("foo", 5))
    fifo.delete(obj("foo", 6))
    assert pop(fifo) == [Delta(ADDED, obj("foo", 5)), Delta(DELETED, obj("foo", 6))]


@pytest.mark.statement("DF-1")
def test_delta_fifo_detect_line_jumpers() -> None:
    """A key keeps the place of its first delta, and goes to the end once it has been popped."""
    fifo = DeltaFIFO()
    for name, value in (("foo", 10), ("bar", 1), ("foo", 11), ("foo", 13), ("zab", 30)):
        fifo.add(obj(name, value))
    assert pop(fifo)[-1].object == obj("foo", 13)
    fifo.add(obj("foo", 14))  # behind bar and zab now
    assert [deltas[-1].object for deltas in pop_all(fifo)] == [obj("bar", 1), obj("zab", 30), obj("foo", 14)]


@pytest.mark.statement("DF-2")
@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        (obj("foo", 1), obj("foo", 2), obj("foo", 1)),
        (obj("foo", 1), tombstone("foo", 2), obj("foo", 1)),
        (tombstone("foo", 1), obj("foo", 2), obj("foo", 2)),
        (tombstone("foo", 1), tombstone("foo", 2), tombstone("foo", 2)),
    ],
    ids=["two objects", "tombstone second", "tombstone first", "two tombstones"],
)
def test_two_deletions_in_a_row_are_one(
    first: Object | DeletedFinalStateUnknown,
    second: Object | DeletedFinalStateUnknown,
    kept: Object | DeletedFinalStateUnknown,
) -> None:
    """The older one is kept, unless it is a tombstone."""
    fifo = DeltaFIFO()
    fifo.add(obj("foo", 0))
    fifo.delete(first)
    fifo.delete(second)
    assert pop(fifo) == [Delta(ADDED, obj("foo", 0)), Delta(DELETED, kept)]


@pytest.mark.statement("DF-2")
def test_deletions_with_something_between_stay_two() -> None:
    fifo = DeltaFIFO()
    for change in (fifo.add, fifo.delete, fifo.add, fifo.delete):
        change(obj("foo", 1))
    assert [delta.type for delta in pop(fifo)] == [ADDED, DELETED, ADDED, DELETED]


# ------------------------------------------------------------------------------------------ unknown objects


@pytest.mark.statement("DF-3")
def test_delta_fifo_enqueueing_no_lister() -> None:
    fifo = DeltaFIFO()
    fifo.add(obj("foo", 10))
    fifo.update(obj("bar", 15))
    fifo.add(obj("qux", 17))
    fifo.delete(obj("qux", 18))
    fifo.delete(obj("baz", 20))  # nobody knows it
    assert [fifo.key_of(deltas) for deltas in pop_all(fifo)] == ["foo", "bar", "qux"]


@pytest.mark.statement("DF-3")
def test_delta_fifo_enqueueing_with_lister() -> None:
    fifo = DeltaFIFO(known_objects=Known(obj("foo", 5), obj("bar", 6), obj("baz", 7)))
    fifo.add(obj("foo", 10))
    fifo.update(obj("bar", 15))
    fifo.delete(obj("baz", 20))  # known to the store alone
    fifo.delete(obj("nobody", 20))
    assert [fifo.key_of(deltas) for deltas in pop_all(fifo)] == ["foo", "bar", "baz"]


@pytest.mark.statement("DF-3")
def test_a_failing_lookup_does_not_swallow_a_deletion(caplog: pytest.LogCaptureFixture) -> None:
    known = Known(obj("foo", 5), broken=frozenset({"foo"}))
    fifo = DeltaFIFO(known_objects=known)
    fifo.delete(obj("foo", 6))
    assert pop(fifo) == [Delta(DELETED, obj("foo", 6))]
    fifo.resync()  # cannot hand out what it cannot look up
    fifo.replace([])
    assert pop(fifo) == [Delta(DELETED, tombstone("foo", None))]
    assert {(record.message, record.__dict__["key"]) for record in caplog.records} == {
        ("Looking up a known object failed", "foo")
    }
    assert len(caplog.records) == 3


# -------------------------------------------------------------------------------------------------- replace


@pytest.mark.statement("DF-4")
def test_delta_fifo_add_replace() -> None:
    fifo = DeltaFIFO()
    fifo.add(obj("foo", 10))
    fifo.replace([obj("foo", 15)], "0")
    assert pop(fifo)[-1] == Delta(REPLACED, obj("foo", 15))
    assert len(fifo) == 0


@pytest.mark.statement("DF-5")
def test_delta_fifo_replace_with_delete_delta_in() -> None:
    """A listed object is queued behind its deletion: it has been made again (kubernetes#83810)."""
    old, new = obj("foo", 1), obj("foo", 2)
    fifo = DeltaFIFO(known_objects=Known(old), emit_replaced=False)
    fifo.delete(old)
    fifo.replace([new], "")
    assert pop(fifo) == [Delta(DELETED, old), Delta(SYNC, new)]


@pytest.mark.statement("DF-4")
@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        pytest.param(
            lambda f: (f.add(obj("foo", 1)), f.replace([])),
            [Delta(ADDED, obj("foo", 1)), Delta(DELETED, tombstone("foo", 1))],
            id="Added object should be deleted on Replace",
        ),
        pytest.param(
            lambda f: (f.replace([obj("foo", 1)]), f.replace([])),
            [Delta(REPLACED, obj("foo", 1)), Delta(DELETED, tombstone("foo", 1))],
            id="Replaced object should have only a single Delete",
        ),
        pytest.param(
            lambda f: (f.add(obj("foo", 1)), f.delete(obj("foo", 1)), f.replace([])),
            [Delta(ADDED, obj("foo", 1)), Delta(DELETED, obj("foo", 1))],
            id="Deleted object should have only a single Delete",
        ),
        pytest.param(
            lambda f: (f.replace([obj("foo", 1)]), f.replace([obj("foo", 1)]), f.replace([])),
            [
                Delta(REPLACED, obj("foo", 1)),
                Delta(REPLACED, obj("foo", 1)),
                Delta(DELETED, tombstone("foo", 1)),
            ],
            id="Synced objects should have a single delete",
        ),
        pytest.param(
            lambda f: (f.add(obj("foo", 1)), f.replace([]), f.replace([])),
            [Delta(ADDED, obj("foo", 1)), Delta(DELETED, tombstone("foo", 1))],
            id="Added objects should have a single delete on multiple Replaces",
        ),
        pytest.param(
            lambda f: (f.add(obj("foo", 1)), f.delete(obj("foo", 1)), f.add(obj("foo", 2)), f.replace([])),
            [
                Delta(ADDED, obj("foo", 1)),
                Delta(DELETED, obj("foo", 1)),
                Delta(ADDED, obj("foo", 2)),
                Delta(DELETED, tombstone("foo", 2)),
            ],
            id="Added and deleted and added object should be deleted",
        ),
    ],
)
@pytest.mark.parametrize("with_known_objects", [False, True])
def test_delta_fifo_replace_makes_deletions_for_objects_only_in_queue(
    operations: Callable[[DeltaFIFO], object], expected: Deltas, with_known_objects: bool
) -> None:
    fifo = DeltaFIFO(known_objects=Known() if with_known_objects else None)
    operations(fifo)
    assert pop_all(fifo) == [expected]


@pytest.mark.statement("DF-4")
def test_delta_fifo_replace_makes_deletions() -> None:
    """Known and queued objects that the list does not have get a tombstone, with their newest state."""

    def known() -> Known:
        return Known(obj("foo", 5), obj("bar", 6), obj("baz", 7))

    fifo = DeltaFIFO(known_objects=known())
    fifo.delete(obj("baz", 10))
    fifo.replace([obj("foo", 5)])
    assert pop_all(fifo) == [
        [Delta(DELETED, obj("baz", 10))],  # one deletion: the one that was seen
        [Delta(REPLACED, obj("foo", 5))],
        [Delta(DELETED, tombstone("bar", 6))],
    ]

    fifo = DeltaFIFO(known_objects=known())
    fifo.update(obj("bar", 66))  # newer than the store's
    fifo.replace([obj("foo", 5)])
    assert pop_all(fifo) == [
        [Delta(UPDATED, obj("bar", 66)), Delta(DELETED, tombstone("bar", 66))],
        [Delta(REPLACED, obj("foo", 5))],
        [Delta(DELETED, tombstone("baz", 7))],
    ]

    fifo = DeltaFIFO()
    fifo.add(obj("baz", 10))
    fifo.replace([obj("foo", 5)])
    assert pop_all(fifo) == [
        [Delta(ADDED, obj("baz", 10)), Delta(DELETED, tombstone("baz", 10))],
        [Delta(REPLACED, obj("foo", 5))],
    ]


@pytest.mark.statement("DF-4")
def test_delta_fifo_replace_delta_type() -> None:
    for emit_replaced, expected in ((True, REPLACED), (False, SYNC)):
        fifo = DeltaFIFO(known_objects=Known(obj("foo", 5)), emit_replaced=emit_replaced)
        fifo.replace([obj("foo", 5)])
        assert pop(fifo) == [Delta(expected, obj("foo", 5))]


def test_a_list_with_a_broken_object_changes_nothing() -> None:
    fifo = DeltaFIFO(known_objects=Known(obj("bar", 1)))
    with pytest.raises(ObjectKeyError):
        fifo.replace([obj("foo", 1), {"metadata": {}}])
    assert len(fifo) == 0
    assert not fifo.has_synced()


# --------------------------------------------------------------------------------------------------- resync


@pytest.mark.statement("DF-6")
def test_delta_fifo_resync() -> None:
    fifo = DeltaFIFO(known_objects=Known(obj("foo", 5)))
    fifo.resync()
    assert pop_all(fifo) == [[Delta(SYNC, obj("foo", 5))]]


@pytest.mark.statement("DF-6")
def test_delta_fifo_resync_non_existing() -> None:
    """What is about to be deleted is not synced."""
    fifo = DeltaFIFO(known_objects=Known(obj("foo", 5)))
    fifo.delete(obj("foo", 10))
    fifo.resync()
    assert pop(fifo) == [Delta(DELETED, obj("foo", 10))]


@pytest.mark.statement("DF-6")
def test_delta_fifo_update_resync_race() -> None:
    """What is about to be updated is not synced: the store's state is the older one."""
    fifo = DeltaFIFO(known_objects=Known(obj("foo", 5), obj("bar", 6)))
    fifo.update(obj("foo", 6))
    fifo.resync()
    assert pop_all(fifo) == [[Delta(UPDATED, obj("foo", 6))], [Delta(SYNC, obj("bar", 6))]]


@pytest.mark.statement("DF-6")
def test_resync_without_known_objects_does_nothing() -> None:
    fifo = DeltaFIFO()
    fifo.resync()
    assert len(fifo) == 0
    assert not fifo.has_synced()


# ------------------------------------------------------------------------------------------------ transform


@pytest.mark.statement("DF-9")
def test_delta_fifo_transformer() -> None:
    """Each object is transformed once; tombstones and syncs have been."""
    seen: list[int] = []

    def transform(each: Object) -> Object:
        seen.append(each["value"])
        return each | {"transformed": True}

    fifo = DeltaFIFO(known_objects=Known(obj("known", 1)), transform=transform)
    fifo.add(obj("foo", 10))
    fifo.update(obj("foo", 11))
    fifo.delete(obj("foo", 12))
    fifo.delete(tombstone("foo", 99))
    fifo.resync()
    fifo.replace([obj("bar", 13)])
    assert seen == [10, 11, 12, 13]
    popped = {fifo.key_of(deltas): deltas for deltas in pop_all(fifo)}
    assert all(isinstance(delta.object, dict) and delta.object["transformed"] for delta in popped["foo"])
    assert popped["known"] == [Delta(SYNC, obj("known", 1)), Delta(DELETED, tombstone("known", 1))]


@pytest.mark.statement("DF-9")
def test_a_transform_that_raises_aborts_that_call() -> None:
    def transform(each: Object) -> Object:
        if each["value"] < 0:
            raise ValueError("negative")
        return each

    fifo = DeltaFIFO(transform=transform)
    for change in (fifo.add, fifo.update):
        with pytest.raises(ValueError, match="negative"):
            change(obj("foo", -1))
    with pytest.raises(ValueError, match="negative"):
        fifo.replace([obj("foo", 1), obj("bar", -1)])
    assert len(fifo) == 0


# ------------------------------------------------------------------------------------------- pop and close


@pytest.mark.statement("DF-10")
def test_delta_fifo_key_of() -> None:
    fifo = DeltaFIFO()
    assert fifo.key_of(obj("foo", 1)) == "foo"
    assert fifo.key_of(DeletedFinalStateUnknown("bar", obj("foo", 1))) == "bar"
    assert fifo.key_of([Delta(ADDED, obj("foo", 1))]) == "foo"
    assert fifo.key_of([Delta(ADDED, obj("foo", 1)), Delta(DELETED, tombstone("bar", 1))]) == "bar"
    with pytest.raises(ObjectKeyError, match=r"^an empty list of deltas has no key$") as caught:
        fifo.key_of([])
    assert caught.value.object == []
    with pytest.raises(ObjectKeyError):
        fifo.key_of({})


@pytest.mark.statement("TS-1", "CT-6")
def test_deletion_handling_object_to_name() -> None:
    assert deletion_handling_key({"metadata": {"name": "web", "namespace": "prod"}}) == "prod/web"
    assert deletion_handling_key(DeletedFinalStateUnknown("prod/web", None)) == "prod/web"


@pytest.mark.statement("DF-7")
def test_delta_fifo_pop_should_unblock_when_closed() -> None:
    clock = FakeClock()
    fifo = DeltaFIFO(clock=clock)
    closed: list[bool] = []

    def popper() -> None:
        with pytest.raises(FIFOClosed):
            pop(fifo)
        closed.append(True)

    threads = [threading.Thread(target=popper) for _ in range(10)]
    for thread in threads:
        thread.start()
    clock.wait_for_waiters(10)
    fifo.close()
    for thread in threads:
        thread.join(5)
    assert closed == [True] * 10


def test_what_is_queued_can_be_popped_after_close() -> None:
    fifo = DeltaFIFO()
    fifo.add(obj("foo", 1))
    fifo.close()
    assert pop(fifo) == [Delta(ADDED, obj("foo", 1))]
    with pytest.raises(FIFOClosed):
        pop(fifo)


@pytest.mark.statement("DF-7")
def test_an_error_of_the_consumer_is_passed_on_and_the_key_is_not_queued_again() -> None:
    fifo = DeltaFIFO()
    fifo.add(obj("foo", 1))
    fifo.add(obj("bar", 1))

    def refuse(deltas: Deltas, is_in_initial_list: bool) -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        fifo.pop(refuse)
    assert [fifo.key_of(deltas) for deltas in pop_all(fifo)] == ["bar"]


@pytest.mark.statement("DF-11")
def test_a_slow_consumer_with_a_long_queue_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    clock = FakeClock()
    fifo = DeltaFIFO(clock=clock)
    for i in range(12):
        fifo.add(obj(f"o{i}", i))
    fifo.pop(lambda _deltas, _initial: None)
    assert caplog.records == []
    fifo.add(obj("o12", 12))
    fifo.pop(lambda _deltas, _initial: clock.step(0.2346))
    fifo.pop(lambda _deltas, _initial: clock.step(0.2))  # 10 are left: no longer a long queue
    (record,) = caplog.records
    assert (record.levelno, record.message) == (logging.WARNING, "Slow processing holds up the queue")
    fields = record.__dict__
    assert (fields["key"], fields["seconds"], fields["depth"]) == ("o1", 0.235, 11)


def test_the_consumer_gets_the_deltas_that_pop_returns_and_its_time_alone_counts(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """However long the clock has been running, and whatever waits."""
    fifo = DeltaFIFO(clock=FakeClock(1000.0))
    for i in range(20):
        fifo.add(obj(f"o{i}", i))
    seen: list[Deltas] = []
    popped = fifo.pop(lambda deltas, _initial: seen.append(deltas))
    assert seen == [popped] == [[Delta(ADDED, obj("o0", 0))]]
    assert caplog.records == []


# ----------------------------------------------------------------------------------------------- has synced


@pytest.mark.statement("DF-8")
@pytest.mark.parametrize(
    ("operations", "pops", "synced"),
    [
        (lambda f: None, 0, False),
        (lambda f: f.add(obj("a", 1)), 0, True),
        (lambda f: f.update(obj("a", 1)), 0, True),
        (lambda f: f.delete(obj("a", 1)), 0, True),
        (lambda f: f.resync(), 0, False),
        (lambda f: f.replace([]), 0, True),
        (lambda f: f.replace([obj("a", 1), obj("b", 2)]), 0, False),
        (lambda f: f.replace([obj("a", 1), obj("b", 2)]), 1, False),
        (lambda f: f.replace([obj("a", 1), obj("b", 2)]), 2, True),
        (lambda f: f.replace([obj("a", 1), obj("a", 2)]), 1, True),
        (lambda f: (f.replace([]), f.replace([obj("a", 1)])), 0, True),
    ],
)
def test_delta_fifo_has_synced(operations: Callable[[DeltaFIFO], object], pops: int, synced: bool) -> None:
    fifo = DeltaFIFO()
    operations(fifo)
    for _ in range(pops):
        pop(fifo)
    assert fifo.has_synced() is synced


@pytest.mark.statement("DF-8")
def test_delta_fifo_has_synced_correct_on_deletion() -> None:
    """The tombstones of the first list count, and all of it is said to be the initial list."""
    fifo = DeltaFIFO(known_objects=Known(obj("foo", 5), obj("bar", 6), obj("baz", 7)))
    fifo.replace([obj("foo", 5)])
    flags: list[bool] = []
    for _ in range(3):
        assert not fifo.has_synced()
        fifo.pop(lambda _deltas, initial: flags.append(initial))
    assert fifo.has_synced()
    fifo.add(obj("foo", 8))
    fifo.pop(lambda _deltas, initial: flags.append(initial))
    assert flags == [True, True, True, False]
    fifo.replace([obj("foo", 9)])
    assert fifo.has_synced()  # never back to False


# ---------------------------------------------------------------------------------------------------- model


NAMES = st.sampled_from("abc")
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["add", "update", "delete"]), NAMES),
        st.tuples(st.just("replace"), st.sets(NAMES)),
        st.tuples(st.sampled_from(["resync", "pop"]), st.none()),
    ),
    max_size=40,
)


class Model:
    """The rules DF-1 to DF-8 written down without regard to cost: a list of (key, deltas)."""

    def __init__(self) -> None:
        self.queue: list[tuple[str, list[tuple[DeltaType, object]]]] = []
        self.store: dict[str, Object] = {}
        self.populated = False
        self.unpopped = 0

    def queued(self, key: str) -> list[tuple[DeltaType, object]] | None:
        return next((deltas for name, deltas in self.queue if name == key), None)

    def put(self, kind: DeltaType, key: str, thing: object) -> None:
        deltas = self.queued(key)
        if deltas is None:
            self.queue.append((key, [(kind, thing)]))
        elif not (kind is deltas[-1][0] is DELETED):
            deltas.append((kind, thing))
        elif isinstance(deltas[-1][1], DeletedFinalStateUnknown):
            deltas[-1] = (kind, thing)

    def change(self, verb: str, key: str, value: int) -> None:
        self.populated = True
        if verb != "delete" or self.queued(key) or key in self.store:
            self.put({"add": ADDED, "update": UPDATED, "delete": DELETED}[verb], key, obj(key, value))

    def replace(self, keys: list[str], value: int) -> None:
        for key in keys:
            self.put(REPLACED, key, obj(key, value))
        gone = [key for key, _ in self.queue if key not in keys]
        gone += [key for key in self.store if key not in keys and key not in gone]
        for key in gone:
            newest = (self.queued(key) or [(SYNC, self.store.get(key))])[-1][1]
            last = newest.obj if isinstance(newest, DeletedFinalStateUnknown) else newest
            assert last is None or isinstance(last, dict)
            self.put(DELETED, key, DeletedFinalStateUnknown(key, last))
        if not self.populated:
            self.populated, self.unpopped = True, len(keys) + len(gone)

    def resync(self) -> None:
        for key, known in self.store.items():
            if not self.queued(key):
                self.put(SYNC, key, known)

    def pop(self) -> list[tuple[DeltaType, object]]:
        key, deltas = self.queue.pop(0)
        self.unpopped = max(0, self.unpopped - 1)
        for kind, thing in deltas:
            if kind is DELETED:
                self.store.pop(key, None)
            else:
                assert isinstance(thing, dict)
                self.store[key] = thing
        return deltas


@given(OPERATIONS)
def test_any_sequence_of_calls_gives_what_the_rules_say(operations: list[tuple[str, str | set[str] | None]]) -> None:
    model = Model()
    known = Known()
    fifo = DeltaFIFO(known_objects=known)
    for value, (verb, argument) in enumerate(operations):
        if verb == "pop":
            if model.queue:
                # The real store follows the model's: both look at the same known objects afterwards.
                assert [(delta.type, delta.object) for delta in pop(fifo)] == model.pop()
                known._objects = dict(model.store)
        elif verb == "resync":
            model.resync()
            fifo.resync()
        elif isinstance(argument, str):
            model.change(verb, argument, value)
            getattr(fifo, verb)(obj(argument, value))
        else:
            keys = sorted(argument or ())
            model.replace(keys, value)
            fifo.replace([obj(key, value) for key in keys])
        assert fifo.has_synced() == (model.populated and model.unpopped == 0)
        assert len(fifo) == len(model.queue)
    assert [[(d.type, d.object) for d in deltas] for deltas in pop_all(fifo)] == [deltas for _, deltas in model.queue]
