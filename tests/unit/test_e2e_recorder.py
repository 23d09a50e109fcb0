"""The recorder of the end-to-end suite against a client that tells it what the test wants.

Covers: nothing is lost or doubled over reconnections, and lost history is marked. Left out: the real watch stream
(tests/unit/kube) and what is concluded from a record (test_e2e_judges).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any, Self

import pytest

from e2e import recorder as module
from e2e.record import DELETED, GAP, LISTED
from e2e.recorder import Recorder
from twinloop.errors import Gone, Unavailable
from twinloop.kube import PODS

Object = dict[str, Any]
Step = Object | Exception
# A recorder that hangs fails a test after this long.
SECONDS = 5.0


def pod(name: str, version: int, uid: str = "") -> Object:
    return {"metadata": {"name": name, "uid": uid or f"uid-{name}", "resourceVersion": str(version)}}


def change(type_: str, obj: Object) -> Object:
    return {"type": type_, "object": obj}


class FakeStream:
    """A watch that gives its steps and then ends, or stays open when it is the last."""

    def __init__(self, steps: list[Step], last: bool) -> None:
        self.steps, self.last = steps, last
        self.closed = threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        for step in self.steps:
            if isinstance(step, Exception):
                raise step
            yield json.dumps(step).encode()
        if self.last:
            self.closed.wait(SECONDS)

    def close(self) -> None:
        self.closed.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class FakeClient:
    """Answers lists and watches in the given order, and notes from which version each watch starts."""

    def __init__(self, lists: list[list[Object]], watches: list[list[Step]]) -> None:
        self.lists, self.watches = lists, watches
        self.versions: list[str] = []

    def list_all(self, resource: object, namespace: str) -> Object:
        return {"metadata": {"resourceVersion": f"list-{len(self.lists)}"}, "items": self.lists.pop(0)}

    def watch(self, resource: object, namespace: str, *, resource_version: str, **_: object) -> FakeStream:
        self.versions.append(resource_version)
        steps = self.watches.pop(0)
        if steps and isinstance(steps[0], Unavailable):
            raise steps[0]
        return FakeStream(steps, last=not self.watches)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.0)


def recorded(client: FakeClient, until: Callable[[Recorder], object]) -> Recorder:
    with Recorder(client, "ns", [PODS]) as recorder:  # type: ignore[arg-type]
        assert recorder.wait(lambda: until(recorder), SECONDS), recorder.record()
    return recorder


def course(recorder: Recorder) -> list[tuple[str, str]]:
    return [(entry.type, entry.object.get("metadata", {}).get("name", "")) for entry in recorder.record().entries]


def test_list_and_changes_are_recorded_in_order() -> None:
    client = FakeClient([[pod("a", 1)]], [[change("ADDED", pod("b", 2)), change("DELETED", pod("a", 3))]])
    found = recorded(client, lambda r: list(r.state("pods")) == ["b"])
    assert course(found) == [(LISTED, "a"), ("ADDED", "b"), (DELETED, "a")]


def test_empty_list_is_on_record_too() -> None:
    found = recorded(FakeClient([[]], [[]]), lambda r: r.record().entries)
    assert course(found) == [(LISTED, "")]


def test_watch_that_ends_is_taken_up_where_it_stopped() -> None:
    watches: list[list[Step]] = [
        [change("ADDED", pod("a", 5))],
        [change("BOOKMARK", pod("", 8)), Unavailable("broken off")],
        [Unavailable("refused")],
        [change("ADDED", pod("b", 9))],
    ]
    client = FakeClient([[]], watches)
    found = recorded(client, lambda r: "b" in r.state("pods"))
    assert course(found) == [(LISTED, ""), ("ADDED", "a"), ("ADDED", "b")]
    assert client.versions == ["list-1", "5", "8", "8"]


@pytest.mark.parametrize(
    "gone", [Gone("too old"), change("ERROR", {"code": 410, "reason": "Expired"})], ids=["status", "event"]
)
def test_lost_history_is_marked_and_made_up_for(gone: Step) -> None:
    before = [pod("kept", 1), pod("lost", 2), pod("again", 3, "first")]
    after = [pod("kept", 1), pod("again", 7, "second"), pod("new", 8)]
    found = recorded(FakeClient([before, after], [[gone], []]), lambda r: "new" in r.state("pods"))
    assert course(found)[3:] == [(GAP, ""), (DELETED, "lost"), (DELETED, "again"), ("ADDED", "again"), ("ADDED", "new")]
    assert found.state("pods").keys() == {"kept", "again", "new"}


def test_wait_gives_up_after_its_time() -> None:
    with Recorder(FakeClient([[]], [[]]), "ns", [PODS]) as recorder:  # type: ignore[arg-type]
        assert recorder.wait(lambda: False, 0.0) is None
