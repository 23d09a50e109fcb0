"""A reflector played against a script: what it asked for, what reached its store, how long it waited.

Used by the tests of lists and watches (test_reflector.py) and of watch lists (test_watch_list.py).
"""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from handwritten.fake_controller_source import FakeWatch
from handwritten.reflector import Reflector
from handwritten.store import Object
from twinloop.errors import Unavailable

REFUSED = Unavailable("connection refused")


class PatientClock:
    """A clock on which nobody really waits: a pause is noted and over. `now` moves by the pauses alone."""

    def __init__(self) -> None:
        self.pauses: list[float] = []
        self._now = 0.0

    def now(self) -> float:
        return self._now

    def wait(self, condition: threading.Condition, timeout: float | None) -> bool:
        # Only who warns of a slow server waits so, and no time goes by for it.
        return condition.wait()

    wait_until = wait

    def sleep(self, stop: threading.Event, seconds: float) -> bool:
        if math.isinf(seconds):  # the thread beside, without a resync period
            return stop.wait()
        self.pauses.append(seconds)
        self._now += seconds
        return stop.is_set()


class Store:
    """Remembers every call and what is there after it."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.objects: dict[str, str] = {}
        self.resync_error: Exception | None = None

    def add(self, obj: Object) -> None:
        self.calls.append(("add", obj["metadata"]["name"]))
        self.objects[obj["metadata"]["name"]] = obj["metadata"]["resourceVersion"]

    def update(self, obj: Object) -> None:
        self.calls.append(("update", obj["metadata"]["name"]))
        self.objects[obj["metadata"]["name"]] = obj["metadata"]["resourceVersion"]

    def delete(self, obj: Object) -> None:
        self.calls.append(("delete", obj["metadata"]["name"]))
        del self.objects[obj["metadata"]["name"]]

    def replace(self, objects: Iterable[Object], resource_version: str) -> None:
        self.calls.append(("replace", resource_version))
        self.objects = {obj["metadata"]["name"]: obj["metadata"]["resourceVersion"] for obj in objects}

    def resync(self) -> None:
        self.calls.append(("resync", None))
        if self.resync_error is not None:
            raise self.resync_error


def thing(name: str, version: str = "1", kind: str = "Pod") -> Object:
    return {"kind": kind, "metadata": {"name": name, "resourceVersion": version}}


def page(version: str, *names: str, token: str = "") -> Object:
    return {"metadata": {"resourceVersion": version, "continue": token}, "items": [thing(name) for name in names]}


def event(kind: str, version: str, name: str = "a") -> Object:
    return {"type": kind, "object": thing(name, version)}


def bookmark(version: str) -> Object:
    return {"type": "BOOKMARK", "object": {"kind": "Pod", "metadata": {"resourceVersion": version}}}


def status(code: int, reason: str, **details: Any) -> Object:
    return {
        "type": "ERROR",
        "object": {"kind": "Status", "code": code, "reason": reason, "message": reason, "details": details},
    }


def ends(*events: Object | Exception) -> FakeWatch:
    """A watch that delivers `events` and is then ended by the server."""
    return FakeWatch([*events], ended=True)


Answer = Object | Exception | Callable[[], Object]

# (verb, resource version, limit); names, since a class with a method `list` cannot say list[...].
Requests = list[tuple[str, str, int]]
Strings = list[str]
Integers = list[int]
Watches = list[FakeWatch]


@dataclass
class Server:
    """A lister-watcher that answers from a script and sets `stop` when somebody asks beyond its end."""

    lists: Iterator[Answer]
    watches: Iterator[FakeWatch | Exception]
    stop: threading.Event = field(default_factory=threading.Event)
    asked: Requests = field(default_factory=list)
    timeouts: Integers = field(default_factory=list)
    tokens: Strings = field(default_factory=list)
    opened: Watches = field(default_factory=list)

    def list(self, *, resource_version: str, limit: int, continue_token: str) -> Object:
        answer = next(self.lists, None)
        if answer is None:
            self.stop.set()
            raise REFUSED
        self.asked.append(("list", resource_version, limit))
        self.tokens.append(continue_token)
        if isinstance(answer, Exception):
            raise answer
        return answer() if callable(answer) else answer

    def watch(self, *, resource_version: str, timeout_seconds: int, send_initial_events: bool = False) -> FakeWatch:
        answer = next(self.watches, None)
        if answer is None:
            self.stop.set()
            raise REFUSED
        self.asked.append(("watch-list" if send_initial_events else "watch", resource_version, 0))
        self.timeouts.append(timeout_seconds)
        if isinstance(answer, Exception):
            raise answer
        self.opened.append(answer)
        return answer

    @property
    def conversation(self) -> Strings:
        return [f"{verb} {version!r}" for verb, version, _ in self.asked]

    @property
    def list_versions(self) -> Strings:
        return [version for verb, version, _ in self.asked if verb == "list"]

    @property
    def limits(self) -> Integers:
        return [limit for verb, _, limit in self.asked if verb == "list"]


@dataclass
class Played:
    """What is left after a script."""

    server: Server
    store: Store
    clock: PatientClock
    reflector: Reflector
    errors: list[Exception]


def play(lists: Iterable[Answer], watches: Iterable[FakeWatch | Exception] = (), **options: Any) -> Played:
    """Run a reflector against the script until it asks for something that is not in it."""
    server, store, clock = Server(iter([*lists]), iter([*watches])), Store(), PatientClock()
    errors: list[Exception] = []
    reflector = Reflector(
        server, store, clock=clock, rng=random.Random(1), name="pods", error_handler=errors.append, **options
    )
    before = threading.active_count()
    reflector.run(server.stop)
    assert threading.active_count() <= before
    # Whatever was opened is closed, and only once (RE-15).
    assert [watch.stops for watch in server.opened] == [1] * len(server.opened)
    return Played(server, store, clock, reflector, errors)


def assert_backed_off(pauses: list[float], *bases: float) -> None:
    """Each pause is its base times a random number from 1 to 2."""
    assert len(pauses) == len(bases)
    for pause, base in zip(pauses, bases, strict=True):
        assert base <= pause < 2 * base
