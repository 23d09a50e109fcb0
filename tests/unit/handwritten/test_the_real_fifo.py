"""Covers RealFIFO: order, lists taken apart and whole, batches, HasSynced, closing, options that do not fit together.

Names follow client-go's the_real_fifo_test.go. Where DeltaFIFO would behave differently the docstring says so, and
test_pipeline.py shows what a handler notices of it. Left out: who consumes (test_process_deltas.py), and speed.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

from handwritten.fifo import (
    Bookmark,
    DeletedFinalStateUnknown,
    Delta,
    Deltas,
    DeltaType,
    FIFOClosed,
    Payload,
    ReplacedAll,
    SyncAll,
)
from handwritten.store import Object, ObjectKeyError
from handwritten.testing import FakeClock
from handwritten.the_real_fifo import RealFIFO
from support.cache import Known, obj, tombstone

ADDED, UPDATED, DELETED = DeltaType.ADDED, DeltaType.UPDATED, DeltaType.DELETED
REPLACED, SYNC = DeltaType.REPLACED, DeltaType.SYNC
REPLACED_ALL, SYNC_ALL, BOOKMARK = DeltaType.REPLACED_ALL, DeltaType.SYNC_ALL, DeltaType.BOOKMARK


def whole(version: str, *objects: Object) -> Delta:
    return Delta(REPLACED_ALL, ReplacedAll(version, objects))


def apart(*known: Object) -> RealFIFO:
    """A queue that takes lists apart."""
    return RealFIFO(atomic=False, known_objects=Known(*known))


def drain(fifo: RealFIFO) -> Deltas:
    popped: Deltas = []
    while len(fifo):
        fifo.pop(lambda deltas, _: popped.extend(deltas))
    return popped


def batches(fifo: RealFIFO) -> list[Deltas]:
    found = []
    while len(fifo):
        found.append([*fifo.pop_batch(lambda _d, _i: None, lambda _d, _i: None)])
    return found


# ------------------------------------------------------------------------------------------------ order and content


@pytest.mark.statement("RF-1")
def test_real_fifo_basic() -> None:
    """Two producers; what each put in comes out in its order, whole and one by one."""
    fifo = RealFIFO()

    def produce(letter: str) -> None:
        for i in range(500):
            fifo.add(obj(f"{letter}{i}", i))

    threads = [threading.Thread(target=produce, args=(letter,)) for letter in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = [delta.object for delta in drain(fifo)]
    assert len(found) == 1000
    for letter in "ab":
        mine = [each["value"] for each in found if isinstance(each, dict) and each["metadata"]["name"][0] == letter]
        assert mine == [*range(500)]


@pytest.mark.statement("RF-1")
def test_real_fifo_add_update() -> None:
    """Every change by itself; DeltaFIFO would hand out one list of three."""
    fifo = RealFIFO()
    fifo.add(obj("foo", 10))
    fifo.update(obj("foo", 12))
    fifo.delete(obj("foo", 15))
    assert drain(fifo) == [Delta(ADDED, obj("foo", 10)), Delta(UPDATED, obj("foo", 12)), Delta(DELETED, obj("foo", 15))]


@pytest.mark.statement("RF-1")
@pytest.mark.parametrize("fifo", [RealFIFO(), apart()], ids=["atomic", "apart"])
def test_real_fifo_enqueueing_no_lister(fifo: RealFIFO) -> None:
    """The deletion of something unknown goes through, and a second one too; DeltaFIFO would drop both."""
    fifo.delete(obj("nobody", 1))
    fifo.delete(obj("nobody", 2))
    fifo.delete(tombstone("nobody", 3))
    assert drain(fifo) == [
        Delta(DELETED, obj("nobody", 1)),
        Delta(DELETED, obj("nobody", 2)),
        Delta(DELETED, tombstone("nobody", 3)),
    ]


@pytest.mark.statement("RF-1")
def test_real_fifo_enqueueing_with_lister() -> None:
    """The deletion of something known goes through as well."""
    fifo = apart(obj("known", 1))
    fifo.delete(obj("known", 2))
    assert drain(fifo) == [Delta(DELETED, obj("known", 2))]


@pytest.mark.statement("RF-1")
def test_real_fifo_delete_existing_non_propagated() -> None:
    fifo = apart()
    fifo.add(obj("foo", 5))
    fifo.delete(obj("foo", 6))
    assert drain(fifo) == [Delta(ADDED, obj("foo", 5)), Delta(DELETED, obj("foo", 6))]


@pytest.mark.statement("RF-1")
def test_real_fifo_detect_line_jumpers() -> None:
    """The order holds across objects; DeltaFIFO would hand out both changes of foo before bar."""
    fifo = RealFIFO()
    for name, value in [("foo", 10), ("bar", 1), ("foo", 11)]:
        fifo.add(obj(name, value))
    assert [delta.object for delta in drain(fifo)] == [obj("foo", 10), obj("bar", 1), obj("foo", 11)]


@pytest.mark.statement("DF-9")
def test_real_fifo_transformer() -> None:
    """Once for each object that comes in; never for a tombstone."""

    def mark(each: Object) -> Object:
        return {**each, "seen": each.get("seen", 0) + 1}

    fifo = RealFIFO(transform=mark)
    fifo.add(obj("a", 1))
    fifo.replace([obj("b", 2)], "7")
    fifo.delete(obj("c", 3))
    fifo.delete(tombstone("d", 4))
    first, second, third, fourth = (delta.object for delta in drain(fifo))
    assert isinstance(second, ReplacedAll)
    assert [each["seen"] for each in (first, *second.objects, third) if isinstance(each, dict)] == [1, 1, 1]
    assert fourth == tombstone("d", 4)


def test_a_list_with_a_broken_object_changes_nothing() -> None:
    fifo = RealFIFO()
    with pytest.raises(ObjectKeyError):
        fifo.replace([obj("a", 1), {"metadata": {}}], "1")
    with pytest.raises(ObjectKeyError):
        fifo.add({})
    assert len(fifo) == 0
    assert not fifo.has_synced()


# ------------------------------------------------------------------------------------------ lists that are taken apart


@pytest.mark.statement("RF-2")
def test_real_fifo_add_replace() -> None:
    """Tombstones first, then what is there; DeltaFIFO would do it the other way round."""
    fifo = apart(obj("stored", 1), obj("kept", 2))
    fifo.add(obj("queued", 3))
    fifo.replace([obj("kept", 4), obj("new", 5)])
    assert drain(fifo) == [
        Delta(ADDED, obj("queued", 3)),
        Delta(DELETED, tombstone("queued", 3)),
        Delta(DELETED, tombstone("stored", 1)),
        Delta(REPLACED, obj("kept", 4)),
        Delta(REPLACED, obj("new", 5)),
    ]


@pytest.mark.statement("RF-2")
@pytest.mark.parametrize(
    ("before", "gone"),
    [
        (lambda fifo: fifo.add(obj("foo", 5)), [tombstone("foo", 5)]),
        (lambda fifo: fifo.delete(obj("foo", 5)), []),
        (lambda fifo: (fifo.delete(obj("foo", 5)), fifo.add(obj("foo", 6))), [tombstone("foo", 6)]),
        (lambda fifo: (fifo.replace([obj("foo", 5)]), fifo.replace([])), []),
    ],
    ids=["added", "deleted", "deleted and added", "listed and gone"],
)
def test_real_fifo_replace_makes_deletions_for_objects_only_in_queue(
    before: Callable[[RealFIFO], object], gone: list[DeletedFinalStateUnknown]
) -> None:
    fifo = apart()
    before(fifo)
    queued = len(fifo)
    fifo.replace([])
    assert [delta.object for delta in drain(fifo)][queued:] == gone


@pytest.mark.statement("RF-2")
def test_real_fifo_replace_makes_deletions(caplog: pytest.LogCaptureFixture) -> None:
    """The newest state in the queue goes into the tombstone, before the store's; a failing look-up costs the object."""
    fifo = RealFIFO(
        atomic=False, known_objects=Known(obj("foo", 5), obj("bar", 6), obj("baz", 7), broken=frozenset({"bar"}))
    )
    fifo.add(obj("baz", 10))
    fifo.replace([obj("foo", 15)])
    assert drain(fifo) == [
        Delta(ADDED, obj("baz", 10)),
        Delta(DELETED, tombstone("baz", 10)),
        Delta(DELETED, tombstone("bar", None)),
        Delta(REPLACED, obj("foo", 15)),
    ]
    (record,) = caplog.records
    assert (record.message, record.__dict__["key"]) == ("Looking up a known object failed", "bar")


@pytest.mark.statement("RF-2")
def test_real_fifo_replace_with_delete_delta_in() -> None:
    """An object that was deleted and is in the list again: both are told."""
    fifo = apart(obj("foo", 1))
    fifo.delete(obj("foo", 1))
    fifo.replace([obj("foo", 2)])
    assert drain(fifo) == [Delta(DELETED, obj("foo", 1)), Delta(REPLACED, obj("foo", 2))]


@pytest.mark.statement("RF-2")
def test_real_fifo_replace_makes_deletions_replaced() -> None:
    """A deletion that is queued is not repeated, whatever the store still says."""
    fifo = apart(obj("foo", 5), obj("bar", 6), obj("baz", 7))
    fifo.delete(obj("baz", 10))
    fifo.replace([obj("foo", 6)])
    assert drain(fifo) == [
        Delta(DELETED, obj("baz", 10)),
        Delta(DELETED, tombstone("bar", 6)),
        Delta(REPLACED, obj("foo", 6)),
    ]


def test_real_fifo_replace_delta_type() -> None:
    fifo = apart(obj("foo", 5))
    fifo.replace([obj("foo", 5)])
    assert [delta.type for delta in drain(fifo)] == [REPLACED]


def test_real_fifo_update_resync_race() -> None:
    """What is queued is newer than the store: no resync for it."""
    fifo = apart(obj("foo", 5))
    fifo.update(obj("foo", 6))
    fifo.resync()
    assert [delta.type for delta in drain(fifo)] == [UPDATED]


def test_real_fifo_resync_non_existing() -> None:
    fifo = apart(obj("foo", 5))
    fifo.delete(obj("foo", 10))
    fifo.resync()
    assert [delta.type for delta in drain(fifo)] == [DELETED]


def test_real_fifo_resync() -> None:
    """Of each stored object that has nothing queued, when lists are taken apart."""
    fifo = apart(obj("foo", 5), obj("bar", 6))
    fifo.delete(obj("bar", 6))
    fifo.resync()
    assert drain(fifo) == [Delta(DELETED, obj("bar", 6)), Delta(SYNC, obj("foo", 5))]


# ------------------------------------------------------------------------------------------ lists that stay whole


@pytest.mark.statement("RF-3")
def test_real_fifo_replace_atomic() -> None:
    """One piece of news, whatever is queued before it; nobody is asked what is stored."""
    fifo = RealFIFO()
    fifo.add(obj("queued", 1))
    fifo.replace([obj("a", 2), obj("a", 3)], "17")
    assert drain(fifo) == [Delta(ADDED, obj("queued", 1)), whole("17", obj("a", 2), obj("a", 3))]


@pytest.mark.statement("RF-3")
def test_real_fifo_resync_atomic() -> None:
    """One piece of news, also behind queued changes; DeltaFIFO would skip the objects that have some."""
    fifo = RealFIFO()
    fifo.add(obj("a", 1))
    fifo.resync()
    assert drain(fifo)[1:] == [Delta(SYNC_ALL, SyncAll())]


@pytest.mark.statement("RF-4")
def test_bookmarks_are_passed_on_where_that_was_asked_for() -> None:
    silent, telling = RealFIFO(), RealFIFO(emit_bookmarks=True)
    for fifo in (silent, telling):
        fifo.bookmark("9")
    assert drain(silent) == []
    assert drain(telling) == [Delta(BOOKMARK, Bookmark("9"))]


@pytest.mark.statement("RF-8")
@pytest.mark.parametrize(
    "options",
    [
        {"atomic": True, "known_objects": Known()},
        {"atomic": False},
        {"atomic": False, "known_objects": Known(), "unlock_while_processing": True},
        {"atomic": False, "known_objects": Known(), "emit_bookmarks": True},
    ],
)
def test_options_that_do_not_fit_together_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="atomic"):
        RealFIFO(**options)


# ------------------------------------------------------------------------------------------------------- HasSynced


@pytest.mark.statement("RF-5")
@pytest.mark.parametrize(
    ("operations", "pops", "synced"),
    [
        ([], 0, False),
        ([lambda fifo: fifo.add(obj("a", 1))], 0, True),
        ([lambda fifo: fifo.replace([])], 0, True),
        ([lambda fifo: fifo.replace([obj("a", 1), obj("b", 2)])], 0, False),
        ([lambda fifo: fifo.replace([obj("a", 1), obj("b", 2)])], 1, False),
        ([lambda fifo: fifo.replace([obj("a", 1), obj("b", 2)])], 2, True),
        # ATTENTION, different from DeltaFIFO: an object that is twice in the list has to be popped twice.
        ([lambda fifo: fifo.replace([obj("a", 1), obj("a", 2)])], 1, False),
        ([lambda fifo: fifo.replace([obj("a", 1), obj("a", 2)])], 2, True),
    ],
)
def test_real_fifo_has_synced(operations: list[Callable[[RealFIFO], object]], pops: int, synced: bool) -> None:
    fifo = apart()
    for operation in operations:
        operation(fifo)
    for _ in range(pops):
        fifo.pop(lambda _deltas, _initial: None)
    assert fifo.has_synced() is synced


@pytest.mark.statement("RF-5")
def test_real_fifo_replace_atomic_pop() -> None:
    """Synced after the processing and not by the popping; DeltaFIFO counts before it processes, under its lock."""
    fifo = RealFIFO(unlock_while_processing=True)
    fifo.replace([], "1")
    assert not fifo.has_synced()  # an empty list has to be processed too: it may delete everything
    seen: list[tuple[bool, bool]] = []
    fifo.pop(lambda _deltas, initial: seen.append((initial, fifo.has_synced())))
    assert seen == [(True, False)]
    assert fifo.has_synced()
    fifo.add(obj("a", 1))
    fifo.pop(lambda _deltas, initial: seen.append((initial, fifo.has_synced())))
    assert seen[1] == (False, True)


def test_real_fifo_has_synced_correct_on_deletion() -> None:
    """Tombstones belong to the initial list as well."""
    fifo = apart(obj("gone", 1))
    fifo.replace([obj("a", 1)])
    initial: list[bool] = []
    for expected in (False, True):
        fifo.pop(lambda _deltas, flag: initial.append(flag))
        assert fifo.has_synced() is expected
    assert initial == [True, True]


# --------------------------------------------------------------------------------------------------------- batches


def changes(*names: str) -> Deltas:
    return [Delta(ADDED, obj(name, 1)) for name in names]


def filled(*deltas: Delta, **options: Any) -> RealFIFO:
    fifo = RealFIFO(**options)
    fifo._items.extend(deltas)
    fifo._populated = True
    return fifo


BROKEN = Delta(ADDED, {"metadata": {}})
LIST = whole("3", obj("a", 1))
MARK = Delta(BOOKMARK, Bookmark("4"))


@pytest.mark.statement("RF-6")
@pytest.mark.parametrize(
    ("queued", "expected"),
    [
        (changes("a"), [1]),
        (changes("a", "b", "c"), [3]),
        (changes(*"abcdef"), [4, 2]),
        (changes("a", "b", "a"), [2, 1]),
        (changes("a", "a", "a"), [1, 1, 1]),
        ([*changes("a", "b"), LIST, *changes("c")], [2, 1, 1]),
        ([LIST, MARK, Delta(SYNC_ALL, SyncAll())], [1, 1, 1]),
        ([*changes("a"), Delta(DELETED, tombstone("b", 1)), *changes("b")], [2, 1]),
    ],
)
def test_real_fifo_pop_multiple_delta_in_batch(queued: Deltas, expected: list[int]) -> None:
    fifo = filled(*queued, batch_size=4)
    found = batches(fifo)
    assert [len(batch) for batch in found] == expected
    assert [delta for batch in found for delta in batch] == queued


@pytest.mark.statement("RF-6")
@pytest.mark.parametrize(
    ("queued", "expected"),
    [
        ([BROKEN], [1]),
        ([BROKEN, *changes("a")], [1, 1]),
        ([*changes("a", "b"), BROKEN, *changes("c")], [3, 1]),
        ([BROKEN, BROKEN], [1, 1]),
    ],
)
def test_real_fifo_pop_broken_items_in_batch(queued: Deltas, expected: list[int]) -> None:
    assert [len(batch) for batch in batches(filled(*queued))] == expected


@pytest.mark.statement("RF-6")
def test_a_batch_ends_where_the_initial_list_does() -> None:
    fifo = apart()
    fifo.replace([obj("a", 1), obj("b", 2)])
    fifo.add(obj("c", 3))
    heard: list[tuple[int, bool]] = []
    while len(fifo):
        fifo.pop_batch(
            lambda deltas, initial: heard.append((len(deltas), initial)),
            lambda deltas, initial: heard.append((len(deltas), initial)),
        )
    assert heard == [(2, True), (1, False)]


@pytest.mark.statement("RF-6")
def test_one_delta_is_processed_as_one_and_several_as_a_batch() -> None:
    fifo = filled(*changes("a", "b"), LIST)
    called: list[str] = []
    while len(fifo):
        fifo.pop_batch(lambda _d, _i: called.append("batch"), lambda _d, _i: called.append("one"))
    assert called == ["batch", "one"]


def test_a_batch_is_a_thousand_deltas_unless_told_otherwise() -> None:
    assert [len(batch) for batch in batches(filled(*changes(*map(str, range(1001)))))] == [1000, 1]


@pytest.mark.statement("RF-7")
@pytest.mark.parametrize(("waiting", "unlocked"), [(3, True), (4, False)])
def test_producers_come_in_while_a_batch_is_processed_unless_two_more_wait(waiting: int, unlocked: bool) -> None:
    fifo = filled(*changes(*map(str, range(2 + waiting))), batch_size=2, unlock_while_processing=True)
    free: list[bool] = []

    def look(_deltas: Deltas, _initial: bool) -> None:
        free.append(not fifo._changed._lock.locked())  # type: ignore[attr-defined]

    fifo.pop_batch(look, look)
    assert free == [unlocked]


def test_without_that_option_the_lock_is_held() -> None:
    fifo = filled(*changes("a"))
    locked: list[bool] = []
    fifo.pop(lambda _d, _i: locked.append(fifo._changed._lock.locked()))  # type: ignore[attr-defined]
    assert locked == [True]


# --------------------------------------------------------------------------------------------------- end and errors


def test_real_fifo_pop_should_unblock_when_closed() -> None:
    fifo = RealFIFO()
    closed: list[int] = []

    def pop() -> None:
        with pytest.raises(FIFOClosed):
            fifo.pop(lambda _d, _i: None)
        closed.append(1)

    threads = [threading.Thread(target=pop) for _ in range(10)]
    for thread in threads:
        thread.start()
    fifo.close()
    for thread in threads:
        thread.join(5)
    assert len(closed) == 10


def test_what_is_queued_can_be_popped_after_close() -> None:
    fifo = filled(*changes("a"))
    fifo.close()
    assert batches(fifo) == [changes("a")]
    with pytest.raises(FIFOClosed):
        fifo.pop_batch(lambda _d, _i: None, lambda _d, _i: None)


@pytest.mark.parametrize("unlock", [False, True])
def test_an_error_of_the_consumer_is_passed_on_and_counts_as_processed(unlock: bool) -> None:
    fifo = RealFIFO(unlock_while_processing=unlock)
    fifo.replace([], "1")

    def fail(_deltas: Deltas, _initial: bool) -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        fifo.pop(fail)
    assert fifo.has_synced()
    assert len(fifo) == 0


def test_a_slow_consumer_with_a_long_queue_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    clock = FakeClock()
    fifo = filled(*changes(*map(str, range(13))), clock=clock)
    with caplog.at_level(logging.WARNING):
        fifo.pop(lambda _d, _i: clock.step(0.1234))
        fifo.pop(lambda _d, _i: clock.step(0.09))
        fifo.pop(lambda _d, _i: clock.step(0.11))
    (record,) = caplog.records
    assert record.message == "Slow processing holds up the queue"
    assert (record.__dict__["seconds"], record.__dict__["depth"]) == (0.123, 12)


def test_a_pop_waits_for_something_to_do() -> None:
    clock, fifo_popped = FakeClock(), list[Deltas]()
    fifo = RealFIFO(clock=clock)
    thread = threading.Thread(target=lambda: fifo_popped.append(fifo.pop(lambda _d, _i: None)))
    thread.start()
    clock.wait_for_waiters()
    assert fifo_popped == []
    fifo.add(obj("a", 1))
    thread.join(10)
    assert fifo_popped == [changes("a")]


@pytest.mark.statement("DF-10")
@pytest.mark.parametrize(("payload", "key"), [(obj("a", 1), "a"), (tombstone("b", None), "b")])
def test_real_fifo_key_of(payload: Payload, key: str) -> None:
    assert RealFIFO().key_of(payload) == key
    with pytest.raises(ObjectKeyError):
        RealFIFO().key_of(SyncAll())
