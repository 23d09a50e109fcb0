"""Events go an hour after they were written last; nothing else does.

Left out: how the two versions of Events share a storage (test_create.py), what a watch shows of it (test_watch.py).
"""

from __future__ import annotations

from typing import Any

import pytest

from support.live_server import LiveServer, config_map
from twinloop.apiserver import expiry
from twinloop.apiserver.expiry import TTL

EVENTS = "/api/v1/namespaces/team/events"


def event(name: str) -> Any:
    about = {"kind": "Pod", "name": "web", "namespace": "team"}
    return {"metadata": {"name": name}, "involvedObject": about, "reason": "Because", "type": "Normal"}


@pytest.fixture
def live() -> LiveServer:
    server = LiveServer()  # no controllers: it does not depend on them
    server.namespace("team")
    return server


def test_an_event_goes_after_an_hour_and_a_watch_is_told(live: LiveServer) -> None:
    live.create(EVENTS, event("a"))
    live.settle(TTL - 1)
    assert live.exists(f"{EVENTS}/a")
    live.settle(1)
    assert not live.exists(f"{EVENTS}/a")
    assert live.seen("events") == ["ADDED a", "DELETED a"]


def test_an_event_that_is_written_again_lives_on_from_then(live: LiveServer) -> None:
    for name in ("a", "b"):
        live.create(EVENTS, event(name))
    live.settle(TTL / 2)
    live.patch(f"{EVENTS}/a", {"count": 2})
    live.settle(TTL / 2)
    assert (live.exists(f"{EVENTS}/a"), live.exists(f"{EVENTS}/b")) == (True, False)
    live.settle(TTL / 2)
    assert not live.exists(f"{EVENTS}/a")


def test_the_events_of_both_versions_go(live: LiveServer) -> None:
    path = "/apis/events.k8s.io/v1/namespaces/team/events"
    new = {"eventTime": "2023-11-14T22:13:19.000000Z", "reportingController": "example.com/c",
           "reportingInstance": "c-1", "action": "Acting", "reason": "Because", "type": "Normal",
           "regarding": {"kind": "Pod", "name": "web", "namespace": "team"}}  # fmt: skip
    live.create(path, {"metadata": {"name": "a"}, **new})
    live.settle(TTL)
    assert live.get(path)["items"] == []


def test_finalizers_do_not_hold_it(live: LiveServer) -> None:
    held = event("a")
    held["metadata"]["finalizers"] = ["example.com/hold"]
    live.create(EVENTS, held)
    live.settle(TTL)
    assert not live.exists(f"{EVENTS}/a")


def test_an_event_that_was_deleted_and_made_again_has_its_own_hour(live: LiveServer) -> None:
    live.create(EVENTS, event("a"))
    live.settle(TTL / 2)
    live.delete(f"{EVENTS}/a")
    live.settle(TTL / 4)
    live.create(EVENTS, event("a"))
    live.settle(TTL / 2)
    assert live.exists(f"{EVENTS}/a")
    live.settle(TTL / 2)
    assert not live.exists(f"{EVENTS}/a")


def test_after_a_restore_events_live_anew(live: LiveServer) -> None:
    live.create(EVENTS, event("a"))
    snapshot = live.server.storage.snapshot()
    live.settle(TTL)
    live.server.storage.restore(snapshot)
    live.settle(TTL - 1)
    assert live.exists(f"{EVENTS}/a")
    live.settle(1)
    assert not live.exists(f"{EVENTS}/a")


def test_many_go_in_several_rounds(live: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expiry, "MOST", 2)
    for number in range(5):
        live.create(EVENTS, event(f"e{number}"))
    live.clock.advance(TTL)
    assert live.server.tick() is not None, "there is more to do at once"
    assert len(live.get(EVENTS)["items"]) == 3
    live.settle()
    assert live.get(EVENTS)["items"] == []


def test_nothing_else_goes(live: LiveServer) -> None:
    live.create("/api/v1/namespaces/team/configmaps", config_map("kept"))
    live.settle(100 * TTL)
    assert live.exists("/api/v1/namespaces/team/configmaps/kept")
    assert live.server.expiry.due() is None
