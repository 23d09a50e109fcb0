"""podwatch without HTTP: the article's transcripts line by line, tombstones, resync, five retries and the drop.

Left out: flags, signals, klog's format and the flushing of stdout (tests/variants/test_podwatch.py), and the workers'
rules (test_controller.py).
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from handwritten.clock import Clock, RealClock
from handwritten.fake_controller_source import FakeControllerSource
from handwritten.informer import SYNC_POLL_SECONDS
from handwritten.podwatch import MAX_RETRIES, PodController
from handwritten.testing import FakeClock
from support.builders import changed, foreign, terminating
from twinloop.errors import Unavailable
from twinloop.kube import Object

PATIENCE = 5.0
KEY = "nginx/nginx-1"
POD = changed(foreign("nginx-1"), namespace="nginx")
STARTED = ["add pod:  nginx/nginx-1", "Sync/Add/Update for Pod nginx-1"]
UPDATED = ["update pod:  nginx/nginx-1", "Sync/Add/Update for Pod nginx-1"]
DELETED = ["delete pod:  nginx/nginx-1", "Pod nginx/nginx-1 does not exists anymore"]


class HeldSource(FakeControllerSource):
    """A source whose list can be held up, so that the workers have to wait for it."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()
        self.go_on.set()

    def list(self, *, resource_version: str, limit: int, continue_token: str) -> Object:
        assert self.go_on.wait(PATIENCE)
        return super().list(resource_version=resource_version, limit=limit, continue_token=continue_token)


class Program:
    """A PodController in a thread, on a source in memory, and what it says."""

    def __init__(self, clock: Clock | None = None, *, resync: float = 0.0) -> None:
        self.source = HeldSource()
        self.lines: list[str] = []
        self.refuse = False  # the sync's lines cannot be said
        self.syncs_go_on = threading.Event()
        self.syncs_go_on.set()
        self._said = threading.Condition()
        self.controller = PodController(
            self.source, self._say, clock=clock or RealClock(), rng=random.Random(1), resync=resync
        )
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self.controller.run, args=(1, self._stop))

    def _say(self, line: str) -> None:
        with self._said:
            self.lines.append(line)
            self._said.notify_all()
        if line.startswith("Sync/"):
            assert self.syncs_go_on.wait(PATIENCE)
            if self.refuse:
                raise OSError("no space left")

    def until(self, true: Callable[[list[str]], bool]) -> None:
        with self._said:
            assert self._said.wait_for(lambda: true(self.lines), PATIENCE), self.lines

    def expect(self, lines: list[str]) -> None:
        """Wait for as many lines, and compare them all."""
        self.until(lambda said: len(said) >= len(lines))
        assert self.lines == lines

    @contextmanager
    def running(self) -> Iterator[None]:
        self._thread.start()
        try:
            yield
        finally:
            self._stop.set()
            self._thread.join(PATIENCE)
            assert not self._thread.is_alive()


@pytest.fixture(autouse=True)
def info(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "handwritten.podwatch")


def let_it_sync(program: Program, clock: FakeClock) -> None:
    """Let the list through once the controller waits for it, and the controller see that: time is SYNC_POLL_SECONDS then."""
    clock.wait_for_deadline(SYNC_POLL_SECONDS)
    program.source.go_on.set()
    program.until(lambda lines: STARTED[0] in lines)
    clock.step(SYNC_POLL_SECONDS)


def said_to_log(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "handwritten.podwatch"]


def test_a_pod_that_is_there_at_the_start_is_added_and_synced() -> None:
    program = Program()
    program.source.add(POD)
    with program.running():
        program.expect(STARTED)


def test_a_changed_annotation_is_one_update_and_one_sync() -> None:
    program = Program()
    program.source.add(POD)
    with program.running():
        program.expect(STARTED)
        program.source.modify(changed(POD, annotations={"by": "hand"}))
        program.expect(STARTED + UPDATED)


@pytest.mark.statement("CT-5")
def test_a_deletion_is_several_updates_and_then_a_key_that_is_not_in_the_cache() -> None:
    program = Program()
    program.source.add(POD)
    with program.running():
        program.expect(STARTED)
        for count in range(1, 4):
            program.source.modify(changed(terminating(POD), annotations={"step": str(count)}))
            program.expect(STARTED + UPDATED * count)
        program.source.delete(terminating(POD))
        program.expect(STARTED + UPDATED * 3 + DELETED)


@pytest.mark.statement("CT-6")
def test_a_pod_deleted_while_the_watch_was_broken_is_shown_as_deleted_all_the_same() -> None:
    """CT-6: the deletion comes as a tombstone, which has a key of its own."""
    program = Program()
    program.source.add(POD)
    with program.running():
        program.expect(STARTED)
        program.source.delete_drop_watch(POD)
        program.source.reset_watch()
        program.expect(STARTED + DELETED)


def test_updates_that_come_while_a_pod_is_synced_are_one_more_sync() -> None:
    """The queue's doing: each event has its line, but a key that is queued already is not queued again."""
    program = Program()
    program.source.add(POD)
    program.syncs_go_on.clear()
    with program.running():
        program.expect(STARTED)
        for count in range(1, 4):
            program.source.modify(changed(POD, annotations={"count": str(count)}))
            program.expect(STARTED + UPDATED[:1] * count)
        program.syncs_go_on.set()
        program.expect(STARTED + UPDATED[:1] * 3 + UPDATED[1:])


def test_with_a_resync_every_pod_is_updated_again_without_any_event() -> None:
    clock = FakeClock()
    program = Program(clock, resync=5.0)
    program.source.add(POD)
    program.source.go_on.clear()
    with program.running():
        let_it_sync(program, clock)
        program.expect(STARTED)
        for count in range(1, 4):
            clock.wait_for_deadline(5.0 * count)
            clock.step(5.0 * count - clock.now())
            program.expect(STARTED + UPDATED * count)


def start_with_a_sync_that_fails(clock: FakeClock) -> Program:
    program = Program(clock)
    program.source.add(POD)
    program.source.go_on.clear()
    program.refuse = True
    return program


@pytest.mark.statement("CT-4")
def test_a_failing_key_is_tried_six_times_within_155_ms_and_dropped(caplog: pytest.LogCaptureFixture) -> None:
    """CT-4: one try and five retries after 5, 10, 20, 40 and 80 ms."""
    clock = FakeClock()
    program = start_with_a_sync_that_fails(clock)
    with program.running():
        let_it_sync(program, clock)
        for failures, milliseconds in enumerate([5, 10, 20, 40, 80], start=1):
            program.until(lambda lines, tries=failures: lines.count(STARTED[1]) == tries)  # type: ignore[misc]
            clock.wait_for_deadline(clock.now() + milliseconds / 1000)
            assert program.controller.queue.num_requeues(KEY) == failures
            clock.step(milliseconds / 1000)
        program.until(lambda lines: lines.count(STARTED[1]) == 1 + MAX_RETRIES)
    assert said_to_log(caplog) == [
        "Starting Pod controller",
        *["Error syncing pod nginx/nginx-1: OSError: no space left"] * MAX_RETRIES,
        "OSError: no space left",
        'Dropping pod "nginx/nginx-1" out of the queue: OSError: no space left',
        "Stopping Pod controller",
    ]


def test_a_dropped_key_comes_back_with_its_next_event() -> None:
    clock = FakeClock()
    program = start_with_a_sync_that_fails(clock)
    with program.running():
        let_it_sync(program, clock)
        for milliseconds in (5, 10, 20, 40, 80):
            clock.wait_for_deadline(clock.now() + milliseconds / 1000)
            clock.step(milliseconds / 1000)
        program.until(lambda lines: lines.count(STARTED[1]) == 1 + MAX_RETRIES)
        while program.controller.queue.num_requeues(KEY):
            pass
        program.refuse = False
        program.source.modify(POD)
        program.until(lambda lines: lines[-2:] == UPDATED)


@pytest.mark.statement("RL-3")
def test_failures_of_many_keys_share_the_token_bucket() -> None:
    """The default controller rate limiter: after a burst of 100, one key each 100 ms."""
    program = Program(FakeClock())
    limiter = program.controller.queue._rate_limiter
    assert [limiter.when(f"nginx/{number}") for number in range(100)] == [0.005] * 100
    assert limiter.when("nginx/100") == pytest.approx(0.1)
    assert limiter.when("nginx/101") == pytest.approx(0.2)


def test_a_stop_before_the_first_list_ends_it_without_a_sync(caplog: pytest.LogCaptureFixture) -> None:
    program = Program()
    program.source.list_error = Unavailable("away")
    with program.running():
        pass
    assert program.lines == []
    assert said_to_log(caplog) == ["Starting Pod controller", "Stopping Pod controller"]
