"""Covers the informer: cache before notification, who hears of what, resync, tombstones, late handlers, stop.

Names follow client-go's shared_informer_test.go and controller_test.go. Most tests let an informer run
on a `FakeControllerSource` and wait for what must come; those about processing alone feed it deltas.

Every one of them runs on both pipelines. Left out: what the reflector asks the server for (test_reflector.py), how deltas are
applied (test_process_deltas.py), the mutation detector, filtering handlers.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable, Iterator
from typing import Any, Self

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handwritten.clock import RealClock
from handwritten.fake_controller_source import FakeControllerSource
from handwritten.fifo import DeletedFinalStateUnknown, Delta, DeltaType
from handwritten.handlers import Notification, ResourceEventHandler, ResourceEventHandlerFuncs
from handwritten.informer import InformerStopped, SharedInformer, strip_managed_fields, wait_for_cache_sync
from handwritten.pipeline import CLASSIC, CURRENT, Pipeline
from handwritten.store import NAMESPACE_INDEX, Object, index_by_namespace
from handwritten.testing import FakeClock
from support.cache import pod, wait_until
from twinloop.errors import Unavailable

pytestmark = pytest.mark.timeout(60)


class Recorder:
    """A handler that remembers what it heard: "+name", "~name", "-name", "*name" for an initial add, "!" a tombstone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._heard: list[str] = []

    def on_add(self, obj: Object, is_in_initial_list: bool) -> None:
        self.note("*" if is_in_initial_list else "+", obj)

    def on_update(self, old: Object, new: Object) -> None:
        self.note("~", new)

    def on_delete(self, obj: Object | DeletedFinalStateUnknown) -> None:
        if isinstance(obj, DeletedFinalStateUnknown):
            assert obj.obj is not None
            self.note("-!", obj.obj)
        else:
            self.note("-", obj)

    def note(self, mark: str, obj: Object) -> None:
        with self._lock:
            self._heard.append(mark + obj["metadata"]["name"])

    @property
    def heard(self) -> list[str]:
        with self._lock:
            return [*self._heard]

    def expect(self, *marks: str) -> None:
        """Wait until exactly this was heard, in this order for each object."""
        wait_until(lambda: len(self.heard) >= len(marks))
        assert sorted(self.heard) == sorted(marks)

    def expect_names(self, names: set[str]) -> None:
        """Wait until each of `names`, and nothing else, was heard of once."""
        wait_until(lambda: len(self.heard) >= len(names))
        assert sorted(mark[1:] for mark in self.heard) == sorted(names)


class Hasty(FakeClock):
    """A clock on which no pause of the reflector takes any time."""

    def sleep(self, stop: threading.Event, seconds: float) -> bool:
        return stop.wait(0.0005) if seconds < 100 else super().sleep(stop, seconds)


class Running:
    """An informer on a thread of its own; at the end of the block it is stopped and must leave no thread."""

    pipeline = CLASSIC  # set by the fixture of that name

    def __init__(self, source: FakeControllerSource, *handlers: ResourceEventHandler, **options: Any) -> None:
        options.setdefault("pipeline", self.pipeline)
        options.setdefault("clock", RealClock())
        self.source = source
        self.stop = threading.Event()
        self.informer = SharedInformer(source, rng=random.Random(1), name="pods", **options)
        self.registrations = [self.informer.add_event_handler(handler) for handler in handlers]
        self.thread = threading.Thread(target=self.informer.run, args=(self.stop,))

    def __enter__(self) -> Self:
        self.before = threading.active_count()
        self.thread.start()
        wait_until(self.informer.has_synced)
        return self

    def __exit__(self, *_: object) -> None:
        self.finish()

    def finish(self) -> None:
        self.stop.set()
        self.thread.join(10)
        assert not self.thread.is_alive()
        assert self.informer.is_stopped
        assert threading.active_count() <= self.before

    def watching(self) -> None:
        """Wait until the informer has an open watch: what happens from now on comes as events."""
        wait_until(lambda: any(not watch.stops for watch in self.source._watches))


@pytest.fixture(autouse=True, params=[CLASSIC, CURRENT], ids=["classic", "current"])
def pipeline(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """Every test runs on both pipelines: whatever the queue is, an informer keeps its promises."""
    monkeypatch.setattr(Running, "pipeline", request.param)
    assert isinstance(request.param, Pipeline)
    return request.param


@pytest.fixture
def source() -> FakeControllerSource:
    return FakeControllerSource()


# --------------------------------------------------------------------------------------- cache and handlers


def test_hammer_controller(source: FakeControllerSource) -> None:
    """Many threads change things at random; in the end the cache is what the source has."""
    recorder = Recorder()
    with Running(source, recorder) as running:

        def hammer(seed: int) -> None:
            rng = random.Random(seed)
            mine: set[str] = set()
            for i in range(60):
                name = f"{seed}-{rng.randrange(8)}"
                if name not in mine:
                    source.add(pod(name, str(i)))
                    mine.add(name)
                elif rng.random() < 0.5:
                    source.modify(pod(name, str(i)))
                else:
                    source.delete(pod(name))
                    mine.remove(name)

        threads = [threading.Thread(target=hammer, args=(seed,)) for seed in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        expected = {key: obj["metadata"]["resourceVersion"] for key, obj in source._items.items()}

        def cached() -> dict[str, str]:
            objects = running.informer.indexer.list()
            return {f"default/{obj['metadata']['name']}": obj["metadata"]["resourceVersion"] for obj in objects}

        wait_until(lambda: cached() == expected)


def test_update(source: FakeControllerSource) -> None:
    """A handler sees only from-to pairs that follow one another, never two states the wrong way round."""
    pairs: list[tuple[str, str]] = []
    done = threading.Event()

    def on_update(old: Object, new: Object) -> None:
        pairs.append((old["value"], new["value"]))
        if new["value"] == "9":
            done.set()

    source.add(pod("a", "0"))
    with Running(source, ResourceEventHandlerFuncs(update=on_update)) as running:
        running.watching()
        for i in range(1, 10):
            source.modify(pod("a", str(i)))
        assert done.wait(10)
    assert pairs == [(str(i), str(i + 1)) for i in range(9)]


def informer_without_a_source() -> SharedInformer:
    return SharedInformer(FakeControllerSource(), clock=FakeClock(), rng=random.Random(1))


@pytest.mark.statement("PD-2")
def test_the_cache_is_changed_before_anybody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    informer = informer_without_a_source()
    seen: list[tuple[str, list[str]]] = []

    def distribute(notification: Notification, *, is_sync: bool) -> None:
        values = [obj["value"] for obj in informer.indexer.list()]
        seen.append((type(notification).__name__, values))

    monkeypatch.setattr(informer._processor, "distribute", distribute)
    deltas = [
        Delta(DeltaType.ADDED, pod("a", "new")),
        Delta(DeltaType.UPDATED, pod("a", "changed")),
        Delta(DeltaType.DELETED, pod("a")),
    ]
    informer._process_deltas(deltas, False)
    assert seen == [("AddNotification", ["new"]), ("UpdateNotification", ["changed"]), ("DeleteNotification", [])]


@pytest.mark.statement("PD-1")
def test_the_store_decides_whether_it_is_an_add_or_an_update() -> None:
    """An Added delta of a known object is an update, an Updated or Replaced one of an unknown is an add."""
    informer, recorder = informer_without_a_source(), Recorder()
    informer.add_event_handler(recorder)
    process = informer._process_deltas
    informer._processor.start()
    process([Delta(DeltaType.UPDATED, pod("a", resourceVersion="1"))], False)
    process([Delta(DeltaType.ADDED, pod("a", resourceVersion="2"))], False)
    process([Delta(DeltaType.REPLACED, pod("b", resourceVersion="3"))], True)
    process([Delta(DeltaType.DELETED, pod("b", resourceVersion="4"))], False)
    process([Delta(DeltaType.REPLACED, pod("b", resourceVersion="5"))], False)
    recorder.expect("+a", "~a", "*b", "-b", "+b")
    informer._processor.stop()


@pytest.mark.statement("SI-5")
def test_all_deltas_of_a_key_are_told_in_their_order() -> None:
    informer, recorder = informer_without_a_source(), Recorder()
    informer.add_event_handler(recorder)
    informer._processor.start()
    deltas = [
        Delta(DeltaType.ADDED, pod("a", resourceVersion="1")),
        Delta(DeltaType.UPDATED, pod("a", resourceVersion="2")),
        Delta(DeltaType.DELETED, pod("a", resourceVersion="3")),
        Delta(DeltaType.ADDED, pod("a", resourceVersion="4")),
        Delta(DeltaType.DELETED, DeletedFinalStateUnknown("default/a", pod("a"))),
    ]
    informer._process_deltas(deltas, False)
    wait_until(lambda: len(recorder.heard) == 5)
    assert recorder.heard == ["+a", "~a", "-a", "+a", "-!a"]
    assert informer.indexer.list() == []
    informer._processor.stop()


@pytest.mark.statement("TS-7")
def test_an_object_that_cannot_be_indexed_costs_that_object_alone(source: FakeControllerSource) -> None:
    source.add(pod("a", "x"))
    source.add({"metadata": {"namespace": "default", "name": "odd"}})
    with Running(source, indexers={"value": lambda obj: [obj["value"]]}) as running:
        wait_until(lambda: running.informer.process_failures == 1)
        running.watching()
        source.add(pod("b", "x"))
        wait_until(lambda: len(running.informer.indexer.by_index("value", "x")) == 2)


@pytest.mark.statement("PD-4")
def test_a_deletion_behind_a_state_that_cannot_be_indexed_is_not_lost() -> None:
    informer = informer_without_a_source()
    informer.add_indexers({"value": lambda obj: [obj["value"]]})
    informer._process_deltas([Delta(DeltaType.ADDED, pod("a", "x"))], False)
    odd: Object = {"metadata": {"namespace": "default", "name": "a"}}
    informer._process_deltas([Delta(DeltaType.UPDATED, odd), Delta(DeltaType.DELETED, odd)], False)
    assert informer.indexer.list() == []
    assert informer.process_failures == 1


@pytest.mark.statement("SI-4")
def test_a_slow_handler_holds_up_neither_the_cache_nor_another_handler(source: FakeControllerSource) -> None:
    release = threading.Event()

    def wait(obj: Object, is_in_initial_list: bool) -> None:
        release.wait(10)

    slow, quick = ResourceEventHandlerFuncs(add=wait), Recorder()
    for i in range(20):
        source.add(pod(f"p{i}"))
    with Running(source, slow, quick) as running:
        wait_until(lambda: len(quick.heard) == 20)
        assert len(running.informer.indexer.list()) == 20
        assert running.registrations[1].has_synced()
        assert not running.registrations[0].has_synced()
        release.set()
        wait_until(running.registrations[0].has_synced)


# --------------------------------------------------------------------------------------------- has synced


@pytest.mark.statement("SI-1")
def test_has_synced_is_false_before_the_first_list() -> None:
    informer = informer_without_a_source()
    registration = informer.add_event_handler(Recorder())
    assert not informer.has_synced()
    assert not registration.has_synced()


@pytest.mark.statement("SI-1")
def test_an_empty_list_is_enough_to_be_synced(source: FakeControllerSource) -> None:
    with Running(source, Recorder()) as running:
        wait_until(running.registrations[0].has_synced)


@pytest.mark.statement("SI-2")
def test_a_registration_has_synced_when_the_handler_has_returned_from_the_last_initial_add(
    source: FakeControllerSource,
) -> None:
    inside, release = threading.Event(), threading.Event()

    def on_add(obj: Object, is_in_initial_list: bool) -> None:
        if obj["metadata"]["name"] == "b":
            inside.set()
            release.wait(10)

    source.add(pod("a"))
    source.add(pod("b"))
    with Running(source, ResourceEventHandlerFuncs(add=on_add)) as running:
        assert inside.wait(10)
        assert running.informer.has_synced()
        assert not running.registrations[0].has_synced()
        release.set()
        wait_until(running.registrations[0].has_synced)


@pytest.mark.statement("SI-6")
def test_add_while_active(source: FakeControllerSource) -> None:
    """A late handler gets what is in the cache as its initial list, and has a sync of its own."""
    first, second = Recorder(), Recorder()
    source.add(pod("a"))
    with Running(source, first) as running:
        wait_until(running.registrations[0].has_synced)
        running.watching()
        source.add(pod("b"))
        wait_until(lambda: len(running.informer.indexer.list()) == 2)
        registration = running.informer.add_event_handler(second)
        wait_until(registration.has_synced)
        source.add(pod("c"))
        first.expect("*a", "+b", "+c")
        second.expect("*a", "*b", "+c")


@pytest.mark.statement("SI-6")
def test_late_handlers_miss_nothing_and_hear_nothing_twice(source: FakeControllerSource) -> None:
    """Handlers join while objects come in: each hears of every object exactly once."""
    recorders = [Recorder() for _ in range(20)]
    with Running(source) as running:
        running.watching()

        def produce() -> None:
            for i in range(300):
                source.add(pod(f"p{i}"))

        producer = threading.Thread(target=produce)
        producer.start()
        for recorder in recorders:
            running.informer.add_event_handler(recorder)
        producer.join()
        expected = {f"p{i}" for i in range(300)}
        for recorder in recorders:
            recorder.expect_names(expected)


@pytest.mark.statement("SI-3")
def test_wait_for() -> None:
    """Looks at once; then every 100 ms; False when stopped first."""
    clock, stop = FakeClock(), threading.Event()
    assert wait_for_cache_sync(stop, lambda: True, lambda: True, clock=clock)
    looks: list[int] = []
    answers: list[bool] = []

    def synced() -> bool:
        looks.append(1)
        return len(looks) == 3

    waiter = threading.Thread(target=lambda: answers.append(wait_for_cache_sync(stop, synced, clock=clock)))
    waiter.start()
    for count in (1, 2):
        clock.wait_for_waiters()
        assert len(looks) == count
        clock.step(0.1)
    waiter.join(5)
    assert answers == [True]
    stop.set()
    assert not wait_for_cache_sync(stop, lambda: False, clock=clock)


# ---------------------------------------------------------------------------------------------- disruption


def let_back_off_pass(running: Running, clock: FakeClock) -> None:
    """Step over the pause after a failed watch, if and when the reflector is in it."""
    # the delta thread, the resync thread, each handler, and the reflector in its back-off
    wait_until(lambda: any(0 < left < 100 for left in clock.timeouts()))
    clock.step(60.0)


@pytest.mark.statement("SI-7", "SI-9")
def test_shared_informer_watch_disruption(source: FakeControllerSource) -> None:
    """What the watch has lost appears with the next list; a handler without resync hears only of changes."""
    clock, recorder = FakeClock(), Recorder()
    source.add(pod("pod1"))
    source.add(pod("pod2"))
    with Running(source, recorder, clock=clock) as running:
        recorder.expect("*pod1", "*pod2")
        running.watching()
        source.modify_drop_watch(pod("pod2", "changed"))
        source.add_drop_watch(pod("pod3"))
        source.delete_drop_watch(pod("pod1"))
        source.reset_watch()
        let_back_off_pass(running, clock)
        recorder.expect("*pod1", "*pod2", "~pod2", "+pod3", "-!pod1")
        assert running.informer.indexer.list_keys() == ["default/pod2", "default/pod3"]


@pytest.mark.statement("SI-9")
def test_reset_watch(source: FakeControllerSource) -> None:
    """After a relist nothing is an initial add any more, and the tombstone holds the last state that was seen."""
    clock = FakeClock()
    tombs: list[Object | DeletedFinalStateUnknown] = []
    source.add(pod("a", "last seen"))
    with Running(source, ResourceEventHandlerFuncs(delete=tombs.append), clock=clock) as running:
        running.watching()
        source.modify_drop_watch(pod("a", "never seen"))
        source.delete_drop_watch(pod("a"))
        source.reset_watch()
        let_back_off_pass(running, clock)
        wait_until(lambda: len(tombs) == 1)
    assert isinstance(tombs[0], DeletedFinalStateUnknown)
    assert tombs[0].key == "default/a"
    assert tombs[0].obj is not None
    assert tombs[0].obj["value"] == "last seen"


@pytest.mark.statement("SI-10")
def test_a_name_that_was_used_again_unseen_is_one_update_with_two_uids(source: FakeControllerSource) -> None:
    clock = FakeClock()
    uids: list[tuple[str, str]] = []
    source.add(pod("a", uid="1"))

    def on_update(old: Object, new: Object) -> None:
        uids.append((old["metadata"]["uid"], new["metadata"]["uid"]))

    with Running(source, ResourceEventHandlerFuncs(update=on_update), clock=clock) as running:
        running.watching()
        source.delete_drop_watch(pod("a"))
        source.add_drop_watch(pod("a", uid="2"))
        source.reset_watch()
        let_back_off_pass(running, clock)
        wait_until(lambda: uids == [("1", "2")])


def test_shared_informer_error_handling(source: FakeControllerSource) -> None:
    """The error handler gets the list's error, and `last_error` shows it until a list succeeds."""
    clock = FakeClock()
    errors: list[Exception] = []
    source.list_error = Unavailable("etcd is down", code=500)
    stop = threading.Event()
    informer = SharedInformer(source, clock=clock, rng=random.Random(1), error_handler=errors.append)
    thread = threading.Thread(target=informer.run, args=(stop,))
    thread.start()
    wait_until(lambda: len(errors) == 1)
    assert errors == [source.list_error]
    assert informer.last_error is source.list_error
    assert not informer.has_synced()
    source.list_error = None
    wait_until(lambda: any(0 < left < 100 for left in clock.timeouts()))
    clock.step(2.0)
    wait_until(informer.has_synced)
    wait_until(lambda: informer.last_error is None)
    stop.set()
    thread.join(10)


# ------------------------------------------------------------------------------------------------- resync


@pytest.mark.statement("SI-8")
def test_listener_resync_periods(source: FakeControllerSource) -> None:
    """Three handlers, every 0, 2 and 3 s: each resync goes to those that are due, and asks the server nothing."""
    clock = FakeClock()
    source.add(pod("a"))
    source.add(pod("b"))
    running = Running(source, clock=clock, resync_period=1.0)
    never, two, three = Recorder(), Recorder(), Recorder()
    for recorder, period in ((never, 0.0), (two, 2.0), (three, 3.0)):
        running.informer.add_event_handler(recorder, resync_period=period)
    with running:
        for recorder in (never, two, three):
            recorder.expect("*a", "*b")
        for second in range(1, 7):
            clock.wait_for_deadline(float(second))
            clock.step(1.0)
            expected = [2, 2 + 2 * (second // 2), 2 + 2 * (second // 3)]
            wait_until(lambda: [len(recorder.heard) for recorder in (never, two, three)] == expected)  # noqa: B023
        assert len(source._watches) == 1
        assert set(two.heard) == {"*a", "*b", "~a", "~b"}


@pytest.mark.statement("SI-8")
def test_listener_resync_periods_delayed(source: FakeControllerSource) -> None:
    """A handler whose first call takes long is resynced as soon as it returns, and holds nobody up until then."""
    clock, inside, release = FakeClock(), threading.Event(), threading.Event()
    heard: list[str] = []

    def on_add(obj: Object, is_in_initial_list: bool) -> None:
        inside.set()
        release.wait(10)

    slow = ResourceEventHandlerFuncs(add=on_add, update=lambda old, new: heard.append("resync"))
    quick = Recorder()
    source.add(pod("a"))
    with Running(source, slow, quick, clock=clock, resync_period=1.0):
        assert inside.wait(10)
        clock.wait_for_deadline(1.0)
        clock.step(1.0)
        quick.expect("*a", "~a")
        assert heard == []
        release.set()
        wait_until(lambda: heard == ["resync"])


@pytest.mark.statement("SI-8")
def test_resync_check_period() -> None:
    """12 h for the informer, then handlers that want it sooner: the informer follows the smallest wish."""
    informer = SharedInformer(
        FakeControllerSource(), clock=FakeClock(), rng=random.Random(1), resync_period=12 * 3600.0
    )

    def periods() -> list[float]:
        return [listener._resync_period for listener in informer._processor._listeners]

    informer.add_event_handler(Recorder())
    assert (informer._resync_check_period, periods()) == (12 * 3600, [12 * 3600])
    informer.add_event_handler(Recorder(), resync_period=60.0)
    assert (informer._resync_check_period, periods()) == (60, [12 * 3600, 60])
    informer.add_event_handler(Recorder(), resync_period=55.0)
    assert (informer._resync_check_period, periods()) == (55, [12 * 3600, 60, 55])
    informer.add_event_handler(Recorder(), resync_period=0.01)  # raised to a second
    assert (informer._resync_check_period, periods()) == (1, [12 * 3600, 60, 55, 1])
    informer.add_event_handler(Recorder(), resync_period=0.0)
    assert periods()[-1] == 0


@pytest.mark.statement("SI-8")
def test_an_informer_without_a_resync_period_never_resyncs() -> None:
    informer = informer_without_a_source()
    informer.add_event_handler(Recorder(), resync_period=5.0)
    assert [listener._resync_period for listener in informer._processor._listeners] == [0]


@pytest.mark.statement("SI-8")
def test_a_late_handler_cannot_be_resynced_more_often_than_the_informer_looks(source: FakeControllerSource) -> None:
    with Running(source, resync_period=30.0, clock=FakeClock()) as running:
        running.informer.add_event_handler(Recorder(), resync_period=5.0)
        assert [listener._resync_period for listener in running.informer._processor._listeners] == [30]


@pytest.mark.statement("SI-7")
def test_what_is_no_change_goes_to_those_who_are_due_and_a_change_to_everybody() -> None:
    """A new handler counts as due until the first resync says otherwise, so it hears of the first no change."""
    informer, recorder = informer_without_a_source(), Recorder()
    informer.add_event_handler(recorder)
    informer._processor.start()

    def relist(version: str) -> None:
        informer._process_deltas([Delta(DeltaType.REPLACED, pod("a", resourceVersion=version))], False)

    relist("1")
    relist("1")
    recorder.expect("+a", "~a")
    assert not informer._processor.should_resync()
    relist("1")
    relist("2")
    recorder.expect("+a", "~a", "~a")
    informer._processor.stop()


# ------------------------------------------------------------------------------------- handlers that fail


@pytest.mark.statement("SI-15")
def test_event_panics(source: FakeControllerSource, caplog: pytest.LogCaptureFixture) -> None:
    """A handler that raises is logged, counted, and goes on with the next object after a second."""
    clock = FakeClock()
    calls: list[str] = []

    def on_add(obj: Object, is_in_initial_list: bool) -> None:
        calls.append(obj["metadata"]["name"])
        raise RuntimeError("a bug in the handler")

    source.add(pod("a"))
    source.add(pod("b"))
    other = Recorder()
    with Running(source, ResourceEventHandlerFuncs(add=on_add), other, clock=clock) as running:
        other.expect("*a", "*b")
        wait_until(lambda: any(left == 1.0 for left in clock.timeouts()))
        assert calls == ["a"]
        clock.step(1.0)
        wait_until(lambda: len(calls) == 2)
        # It has been told everything, if in vain: who waits for the sync is not kept waiting for ever.
        wait_until(running.registrations[0].has_synced)
        wait_until(lambda: running.informer.handler_failures == 2)
        assert running.registrations[0].failures == 2
        assert running.registrations[1].failures == 0
    failed = [record for record in caplog.records if record.message == "An event handler failed"]
    assert len(failed) == 2
    assert failed[0].__dict__["handler"] == "pods-handler-1"


# ----------------------------------------------------------------------------------- adding and removing


@pytest.mark.statement("SI-11")
def test_shared_informer_remove_handler(source: FakeControllerSource) -> None:
    kept, removed = Recorder(), Recorder()
    with Running(source, kept, removed) as running:
        running.watching()
        source.add(pod("a"))
        kept.expect("+a")
        removed.expect("+a")
        running.informer.remove_event_handler(running.registrations[1])
        running.informer.remove_event_handler(running.registrations[1])  # again: no harm
        source.add(pod("b"))
        kept.expect("+a", "+b")
    assert removed.heard == ["+a"]


@pytest.mark.statement("SI-11")
def test_shared_informer_remove_foreign_handler(source: FakeControllerSource) -> None:
    foreign = informer_without_a_source().add_event_handler(Recorder())
    recorder = Recorder()
    with Running(source, recorder) as running:
        running.watching()
        running.informer.remove_event_handler(foreign)
        source.add(pod("a"))
        recorder.expect("+a")


@pytest.mark.statement("SI-11")
def test_a_handler_may_remove_itself(source: FakeControllerSource) -> None:
    heard: list[str] = []

    def on_add(obj: Object, is_in_initial_list: bool) -> None:
        heard.append(obj["metadata"]["name"])
        running.informer.remove_event_handler(running.registrations[0])

    source.add(pod("a"))
    source.add(pod("b"))
    running = Running(source, ResourceEventHandlerFuncs(add=on_add))
    with running:
        wait_until(lambda: len(heard) == 1)
    assert heard == ["a"]


@pytest.mark.statement("SI-11")
def test_removing_removed_shared_informer(source: FakeControllerSource) -> None:
    """Also with the informer gone."""
    recorder = Recorder()
    with Running(source, recorder) as running:
        running.informer.remove_event_handler(running.registrations[0])
        running.informer.remove_event_handler(running.registrations[0])
    running.informer.remove_event_handler(running.registrations[0])


@pytest.mark.statement("SI-11")
def test_remove_while_active(source: FakeControllerSource) -> None:
    """What is buffered for a handler that is removed is dropped; the call under way ends."""
    inside, release = threading.Event(), threading.Event()
    heard: list[str] = []

    def on_add(obj: Object, is_in_initial_list: bool) -> None:
        heard.append(obj["metadata"]["name"])
        inside.set()
        release.wait(10)

    for name in "abc":
        source.add(pod(name))
    other = Recorder()
    with Running(source, ResourceEventHandlerFuncs(add=on_add), other) as running:
        assert inside.wait(10)
        other.expect("*a", "*b", "*c")
        running.informer.remove_event_handler(running.registrations[0])
        release.set()
    assert len(heard) == 1


@pytest.mark.statement("SI-11")
def test_remove_event_handler_synchronous_shutdown(source: FakeControllerSource) -> None:
    """`shut_down_event_handler` returns when the call that is under way has; `remove_event_handler` at once."""
    inside, release, gone = threading.Event(), threading.Event(), threading.Event()

    def on_add(obj: Object, is_in_initial_list: bool) -> None:
        inside.set()
        release.wait(10)

    source.add(pod("a"))
    with Running(source, ResourceEventHandlerFuncs(add=on_add)) as running:
        assert inside.wait(10)

        def shut_down() -> None:
            running.informer.shut_down_event_handler(running.registrations[0])
            gone.set()

        thread = threading.Thread(target=shut_down)
        thread.start()
        assert not gone.wait(0.02)
        release.set()
        assert gone.wait(10)
        thread.join()


def test_shut_down_event_handler_lifecycles(source: FakeControllerSource) -> None:
    """Before the start, twice, after the stop, and of somebody else's: none of it waits or harms."""
    informer = informer_without_a_source()
    early = informer.add_event_handler(Recorder())
    informer.shut_down_event_handler(early)
    with Running(source, Recorder()) as running:
        running.informer.shut_down_event_handler(early)
        running.informer.shut_down_event_handler(running.registrations[0])
        running.informer.shut_down_event_handler(running.registrations[0])
    running.informer.shut_down_event_handler(running.registrations[0])


@pytest.mark.statement("SI-15")
def test_remove_event_handler_asynchronous_panic(source: FakeControllerSource) -> None:
    """A handler that raises while it is removed takes nobody with it, and its pause ends with it."""
    clock, inside, release = FakeClock(), threading.Event(), threading.Event()

    def on_add(obj: Object, is_in_initial_list: bool) -> None:
        inside.set()
        release.wait(10)
        raise RuntimeError("a bug in the handler")

    source.add(pod("a"))
    other = Recorder()
    with Running(source, ResourceEventHandlerFuncs(add=on_add), other, clock=clock) as running:
        assert inside.wait(10)
        running.informer.remove_event_handler(running.registrations[0])
        release.set()
        running.watching()
        source.add(pod("b"))
        other.expect("*a", "+b")


def test_shared_informer_initialization_race(source: FakeControllerSource) -> None:
    """Handlers join from other threads while the informer starts: each hears of everything, once."""
    for name in "abc":
        source.add(pod(name))
    recorders = [Recorder() for _ in range(10)]
    running = Running(source)
    threads = [threading.Thread(target=running.informer.add_event_handler, args=(recorder,)) for recorder in recorders]
    for thread in threads[:5]:
        thread.start()
    with running:
        for thread in threads[5:]:
            thread.start()
        for thread in threads:
            thread.join()
        for recorder in recorders:
            recorder.expect("*a", "*b", "*c")


@pytest.mark.statement("SI-13")
def test_shared_informer_start_race(source: FakeControllerSource) -> None:
    """Started from several threads at once, one of them runs it; the others return at once."""
    source.add(pod("a"))
    recorder = Recorder()
    with Running(source, recorder) as running:
        others = [threading.Thread(target=running.informer.run, args=(running.stop,)) for _ in range(5)]
        for thread in others:
            thread.start()
        for thread in others:
            thread.join(10)
            assert not thread.is_alive()
        recorder.expect("*a")


@pytest.mark.statement("SI-12")
def test_shared_informer_multiple_registration(source: FakeControllerSource) -> None:
    """The same handler twice is told twice, until one of the two is removed."""
    recorder = Recorder()
    with Running(source, recorder, recorder) as running:
        running.watching()
        source.add(pod("a"))
        recorder.expect("+a", "+a")
        running.informer.remove_event_handler(running.registrations[0])
        source.add(pod("b"))
        recorder.expect("+a", "+a", "+b")


def test_shared_informer_handler_abuse(source: FakeControllerSource) -> None:
    """Handlers come and go from many threads during a storm of events; nothing hangs and no thread is left."""
    with Running(source) as running:
        running.watching()

        def abuse() -> None:
            for _ in range(20):
                registration = running.informer.add_event_handler(Recorder())
                running.informer.remove_event_handler(registration)

        threads = [threading.Thread(target=abuse) for _ in range(8)]
        for thread in threads:
            thread.start()
        for i in range(500):
            source.add(pod(f"p{i}"))
        for thread in threads:
            thread.join()
        wait_until(lambda: len(running.informer.indexer.list()) == 500)


@pytest.mark.statement("TS-6")
def test_indexer(source: FakeControllerSource) -> None:
    """Indexes from before the start and from after it can be used at once."""
    source.add(pod("a", "x"))
    with Running(source, indexers={NAMESPACE_INDEX: index_by_namespace}) as running:
        indexer = running.informer.indexer
        wait_until(lambda: indexer.index_keys(NAMESPACE_INDEX, "default") == ["default/a"])
        running.informer.add_indexers({"value": lambda obj: [obj["value"]]})
        assert indexer.index_keys("value", "x") == ["default/a"]
        running.watching()
        source.modify(pod("a", "y"))
        wait_until(lambda: indexer.index_keys("value", "y") == ["default/a"])
        assert indexer.index_keys("value", "x") == []


def test_shared_informer_transformer(source: FakeControllerSource) -> None:
    def shout(obj: Object) -> Object:
        return obj | {"value": obj["value"].upper()}

    source.add(pod("a", "listed"))
    with Running(source, transform=shout) as running:
        running.watching()
        source.add(pod("b", "watched"))
        wait_until(lambda: len(running.informer.indexer.list()) == 2)
        assert {obj["value"] for obj in running.informer.indexer.list()} == {"LISTED", "WATCHED"}


def test_transforming_informer(source: FakeControllerSource) -> None:
    """Handlers see what is stored: the transformed object, as old and as new, and in a tombstone."""
    heard: list[tuple[str, ...]] = []
    handler = ResourceEventHandlerFuncs(
        add=lambda obj, _: heard.append((obj["value"],)),
        update=lambda old, new: heard.append((old["value"], new["value"])),
        delete=lambda obj: heard.append((obj.obj["value"] if isinstance(obj, DeletedFinalStateUnknown) else "",)),  # type: ignore[index]
    )
    source.add(pod("a", "one"))
    with Running(
        source, handler, transform=lambda obj: obj | {"value": obj["value"].upper()}, clock=Hasty()
    ) as running:
        running.watching()
        source.modify(pod("a", "two"))
        wait_until(lambda: len(heard) == 2)
        source.delete_drop_watch(pod("a"))
        source.reset_watch()
        wait_until(lambda: len(heard) == 3)
    assert heard == [("ONE",), ("ONE", "TWO"), ("TWO",)]


def test_transforming_informer_race(source: FakeControllerSource) -> None:
    """Nobody ever sees an object that has not been transformed, however often it is looked at meanwhile."""
    done, raw = threading.Event(), list[str]()
    with Running(source, transform=lambda obj: obj | {"value": "transformed"}) as running:

        def look() -> None:
            while not done.is_set():
                raw.extend(obj["value"] for obj in running.informer.indexer.list() if obj["value"] != "transformed")

        threads = [threading.Thread(target=look) for _ in range(4)]
        for thread in threads:
            thread.start()
        running.watching()
        for i in range(200):
            source.add(pod(f"p{i}"))
        wait_until(lambda: len(running.informer.indexer.list_keys()) == 200)
        done.set()
        for thread in threads:
            thread.join()
    assert raw == []


@pytest.mark.statement("PD-4")
def test_panic_propagated(source: FakeControllerSource) -> None:
    """What goes wrong between queue and store does not end the informer, and is not hidden either: it is counted."""
    with Running(source, indexers={"value": lambda obj: [obj["missing"]]}) as running:
        running.watching()
        source.add(pod("a"))
        wait_until(lambda: running.informer.process_failures == 1)
        source.add(pod("b"))
        wait_until(lambda: running.informer.process_failures == 2)


def test_managed_fields_are_not_kept(source: FakeControllerSource) -> None:
    source.add(pod("a", managedFields=[{"manager": "kubectl"}]))
    with Running(source) as running:
        wait_until(lambda: len(running.informer.indexer.list()) == 1)
        (obj,) = running.informer.indexer.list()
        assert set(obj["metadata"]) == {"namespace", "name", "resourceVersion"}
    for odd in ({}, {"metadata": None}):
        assert strip_managed_fields(dict(odd)) == odd


# --------------------------------------------------------------------------------------------------- stop


@pytest.mark.statement("SI-3")
def test_sync_result() -> None:
    """Waiting for several caches is over when the last has synced."""
    clock, stop = FakeClock(), threading.Event()
    answers = {"a": False, "b": False}
    waiter = threading.Thread(
        target=lambda: wait_for_cache_sync(stop, lambda: answers["a"], lambda: answers["b"], clock=clock)
    )
    waiter.start()
    for name in answers:
        clock.wait_for_waiters()
        assert waiter.is_alive()
        answers[name] = True
        clock.step(0.1)
    waiter.join(10)
    assert not waiter.is_alive()


@pytest.mark.statement("SI-14")
def test_shutdown(source: FakeControllerSource) -> None:
    """A stop ends all threads, with handlers idle, busy and removed, and drops what was not delivered."""
    inside, release = threading.Event(), threading.Event()
    calls: list[str] = []

    def on_add(obj: Object, is_in_initial_list: bool) -> None:
        calls.append(obj["metadata"]["name"])
        inside.set()
        release.wait(10)

    source.add(pod("a"))
    source.add(pod("b"))
    running = Running(source, ResourceEventHandlerFuncs(add=on_add), Recorder(), Recorder())
    with running:
        assert inside.wait(10)
        running.informer.remove_event_handler(running.registrations[2])
        running.stop.set()
        wait_until(lambda: running.informer.is_stopped)
        assert running.thread.is_alive()  # it waits for the call that is under way
        release.set()
    assert calls == ["a"]


def test_the_threads_of_an_informer_have_names(source: FakeControllerSource) -> None:
    with Running(source, Recorder()) as running:
        running.watching()
        names = {thread.name for thread in threading.enumerate()}
        assert {"pods-reflector", "pods-reflector-resync", "pods-handler-1"} <= names


@pytest.mark.statement("SI-13")
def test_state_shared_informer(source: FakeControllerSource, caplog: pytest.LogCaptureFixture) -> None:
    source.add(pod("a"))
    with Running(source) as running:
        assert not running.informer.is_stopped
        running.informer.run(running.stop)  # a second run is refused, and returns
        assert "The informer was started already" in caplog.messages
        running.watching()
        source.add(pod("b"))
        wait_until(lambda: running.informer.last_sync_resource_version == "3")
    assert running.informer.is_stopped


@pytest.mark.statement("SI-12")
def test_add_on_stopped_shared_informer(source: FakeControllerSource) -> None:
    with Running(source, Recorder()) as running:
        pass
    with pytest.raises(InformerStopped):
        running.informer.add_event_handler(Recorder())
    with pytest.raises(InformerStopped):
        running.informer.add_indexers({NAMESPACE_INDEX: index_by_namespace})


@pytest.mark.statement("SI-12")
def test_remove_on_stopped_shared_informer(source: FakeControllerSource) -> None:
    with Running(source, Recorder()) as running:
        pass
    running.informer.remove_event_handler(running.registrations[0])


# ---------------------------------------------------------------------------------- any history, any loss


# A change reaches the open watches; or they end behind it and their history is forgotten; or they end before it,
# so that it is lost to them. A server that loses an event *and goes on* does not exist, and could not be noticed.
FATES = st.sampled_from(["told", "told, then 410", "lost, then 410"])
CHANGES = st.lists(st.tuples(st.sampled_from(["add", "modify", "delete"]), st.sampled_from("abcd"), FATES), max_size=25)


def follow(objects: dict[str, str], mark: str, name: str) -> None:
    """What a listener that keeps a list of names makes of a notification."""
    if mark in {"+", "*"}:
        assert name not in objects, "an add of a known object"
        objects[name] = mark
    elif mark == "~":
        assert name in objects, "an update of an unknown object"
    else:
        assert objects.pop(name, None) is not None, "a delete of an unknown object"


def apply(source: FakeControllerSource, changes: Iterable[tuple[str, str, str]]) -> set[str]:
    """Make the changes that are possible; return the names that are left."""
    alive: set[str] = set()
    for verb, name, fate in changes:
        if (verb == "add") == (name in alive):
            continue
        getattr(source, f"{verb}_drop_watch" if fate.startswith("lost") else verb)(pod(name))
        alive = alive - {name} if verb == "delete" else alive | {name}
        if fate.endswith("410"):
            source.reset_watch()
    return alive


@settings(max_examples=60, deadline=None)
@given(CHANGES)
def test_whatever_is_lost_the_cache_and_the_handlers_end_up_with_the_truth(
    changes: list[tuple[str, str, str]],
) -> None:
    """And on the way no handler hears of a change that makes no sense to it."""
    source, recorder = FakeControllerSource(), Recorder()
    with Running(source, recorder, clock=Hasty()) as running:
        alive = apply(source, changes)
        wait_until(lambda: set(running.informer.indexer.list_keys()) == {f"default/{name}" for name in alive})

        def told() -> set[str]:
            known: dict[str, str] = {}
            for mark in recorder.heard:
                follow(known, mark.rstrip("abcd"), mark[-1])
            return set(known)

        wait_until(lambda: told() == alive)


def test_rc_number(source: FakeControllerSource) -> None:
    """The fake source numbers changes and replays those that a watch has missed."""
    source.add(pod("a"))
    source.modify(pod("a"))
    source.modify(pod("a"))
    listing = source.list(resource_version="", limit=0, continue_token="")
    assert listing["metadata"]["resourceVersion"] == "4"

    def versions(since: str) -> Iterator[str]:
        with source.watch(resource_version=since, timeout_seconds=1) as watch:
            watch.end()
            for event in watch:
                yield f"{event['type']} {event['object']['metadata']['resourceVersion']}"

    assert list(versions("2")) == ["MODIFIED 3", "MODIFIED 4"]
    assert list(versions("4")) == []
