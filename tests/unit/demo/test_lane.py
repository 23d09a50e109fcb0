"""A lane follows two watches, tells lines, and knows when to give up.

Left out: real watches (tests/demo), the wording of lines (test_headlines.py).
"""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from typing import Any, cast

import pytest

from support.builders import nginxpod, pod
from twinloop.demo.lane import DemoFailedError, Lane
from twinloop.errors import Unavailable
from twinloop.kube import NGINXPODS, PODS, Client, Object, Resource

POD = pod(nginxpod(), 0) | {"kind": "Pod"}


class Stream:
    """A watch that gives what a test puts into it; None is a break."""

    def __init__(self) -> None:
        self.lines: queue.Queue[bytes | Exception | None] = queue.Queue()

    def __iter__(self) -> Iterator[bytes]:
        while (line := self.lines.get()) is not None:
            if isinstance(line, Exception):
                raise line
            yield line

    def close(self) -> None:
        self.lines.put(None)

    def event(self, type_: str, obj: Object) -> None:
        self.lines.put(json.dumps({"type": type_, "object": obj}).encode())


class FakeApi:
    """As much of `Client` as a lane uses."""

    def __init__(self) -> None:
        self.streams = {NGINXPODS: Stream(), PODS: Stream()}
        self.asked: list[tuple[str, str]] = []

    def list_page(self, resource: Resource, namespace: str) -> Object:
        return {"metadata": {"resourceVersion": "7"}, "items": []}

    def watch(self, resource: Resource, namespace: str, *, resource_version: str, **_: Any) -> Stream:
        self.asked.append((namespace, resource_version))
        return self.streams[resource]


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


@pytest.fixture
def told() -> queue.Queue[tuple[str, str]]:
    return queue.Queue()


@pytest.fixture
def lane(api: FakeApi, told: queue.Queue[tuple[str, str]]) -> Iterator[Lane]:
    made = Lane("left", cast("Client", api), "there", lambda name, line: told.put((name, line)))
    made.open()
    yield made
    made.close()


def test_a_lane_watches_from_the_version_of_its_list(api: FakeApi, lane: Lane) -> None:
    assert api.asked == [("there", "7"), ("there", "7")]


def test_events_become_lines_and_objects(api: FakeApi, lane: Lane, told: queue.Queue[tuple[str, str]]) -> None:
    api.streams[PODS].event("ADDED", POD)
    assert told.get(timeout=5) == ("left", "pod web-0 created, 1")
    assert list(lane.pods()) == ["web-0"]
    api.streams[PODS].event("DELETED", POD)
    assert told.get(timeout=5) == ("left", "pod web-0 gone")
    assert lane.pods() == {}


def test_bookmarks_are_not_told(api: FakeApi, lane: Lane, told: queue.Queue[tuple[str, str]]) -> None:
    api.streams[PODS].event("BOOKMARK", {"kind": "Pod", "metadata": {"resourceVersion": "9"}})
    api.streams[PODS].event("ADDED", POD)
    assert told.get(timeout=5) == ("left", "pod web-0 created, 1")


def test_waiting_ends_when_the_event_has_come(api: FakeApi, lane: Lane) -> None:
    threading.Timer(0.01, lambda: api.streams[NGINXPODS].event("ADDED", nginxpod())).start()
    lane.wait(lambda seen: seen.nginxpod("web") is not None, 10, lambda: True)


def test_waiting_gives_up_when_nothing_happens(lane: Lane) -> None:
    with pytest.raises(DemoFailedError, match="left: nothing more happened for 0 s"):
        lane.wait(lambda _: False, 0, lambda: True)


def test_waiting_gives_up_when_the_operator_is_dead(lane: Lane) -> None:
    with pytest.raises(DemoFailedError, match="left: the operator ended by itself"):
        lane.wait(lambda _: False, 10, lambda: False)


def test_waiting_gives_up_when_the_watch_broke(api: FakeApi, lane: Lane) -> None:
    api.streams[PODS].lines.put(Unavailable("connection reset"))
    with pytest.raises(DemoFailedError, match="left: the watch ended: connection reset"):
        lane.wait(lambda _: False, 10, lambda: True)
