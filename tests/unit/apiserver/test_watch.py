"""Watches: where they start, what they show through selectors, bookmarks, ends and errors.

Compared with kube-apiserver 1.34, whose WatchList is on. The guarantees of etcd's watches (ordered, unique, reliable,
resumable) are held against random histories here. Leaves out: the edge that writes the stream (tests of http/).
"""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from support.bare_server import GADGETS, THINGS, BareServer, Watching, gadget, thing
from twinloop.apiserver import codec
from twinloop.apiserver.answer import Answer
from twinloop.apiserver.verbs import watch as module

END = {"k8s.io/initial-events-end": "true"}


@pytest.fixture
def api() -> BareServer:
    found = BareServer()
    found.post(THINGS, thing("a", labels={"x": "1"}))
    found.post(THINGS, thing("b", labels={"x": "2"}))
    return found


def label(api: BareServer, name: str, **labels: str | None) -> None:
    assert api.patch(f"{THINGS}/{name}", {"metadata": {"labels": labels}}).code == 200


def from_now(api: BareServer, query: str = "") -> Watching:
    return api.watch(f"{THINGS}?resourceVersion={api.version}{query}")


# ------------------------------------------------------------------ where a watch starts


@pytest.mark.parametrize("query", ["", "?resourceVersion=0", "?resourceVersion="])
def test_without_a_version_the_present_comes_first(api: BareServer, query: str) -> None:
    watch = api.watch(THINGS + query)
    assert [(kind, name) for kind, name, _ in watch.short()] == [("ADDED", "a"), ("ADDED", "b")]
    api.thing("c")
    assert watch.short() == [("ADDED", "c", api.version)]


def test_from_a_version_what_followed_comes_first(api: BareServer) -> None:
    version = api.version
    label(api, "a", x="3")
    api.delete(f"{THINGS}/b")
    watch = api.watch(f"{THINGS}?resourceVersion={version}")
    api.thing("c")
    assert watch.short() == [("MODIFIED", "a", version + 1), ("DELETED", "b", version + 2), ("ADDED", "c", version + 3)]


def test_from_the_present_version_nothing_comes_first(api: BareServer) -> None:
    assert from_now(api).read() == []


def test_a_version_that_is_forgotten_is_an_error_in_the_stream(api: BareServer) -> None:
    watch = api.watch(f"{THINGS}?resourceVersion=1")
    (event,) = watch.read()
    assert event == {
        "type": "ERROR",
        "object": {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": f"too old resource version: 1 ({api.storage.compacted})",
            "reason": "Expired",
            "code": 410,
        },
    }
    assert watch.answer.code == 200
    assert watch.stream.ended


def test_a_future_version_waits_for_what_comes_after_it(api: BareServer) -> None:
    watch = api.watch(f"{THINGS}?resourceVersion={api.version + 1}")
    api.thing("c")
    api.thing("d")
    assert watch.short() == [("ADDED", "d", api.version)]


def test_a_malformed_version_answers_no_stream(api: BareServer) -> None:
    reply = api.get(f"{THINGS}?watch=1&resourceVersion=abc")
    text = 'resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax'
    assert (reply.code, reply.reason, reply.message) == (500, "", text)


@pytest.mark.parametrize("query", ["labelSelector=a=b=c", "fieldSelector=nope=1", "timeoutSeconds=x"])
def test_a_request_that_makes_no_sense_answers_no_stream(api: BareServer, query: str) -> None:
    assert isinstance(api.get(f"{THINGS}?watch=1&{query}").answer, Answer)


# ------------------------------------------------------------------ initial events


LISTING = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"


@pytest.mark.parametrize("version", ["", "&resourceVersion=0", "&resourceVersion=1", "&resourceVersion=101"])
def test_initial_events_end_with_a_bookmark_that_says_so(api: BareServer, version: str) -> None:
    *added, last = api.watch(f"{THINGS}?{LISTING}{version}").read()
    assert [each["type"] for each in added] == ["ADDED", "ADDED"]
    assert last == {
        "type": "BOOKMARK",
        "object": {
            "kind": "Thing",
            "apiVersion": "v1",
            "metadata": {"resourceVersion": str(api.version), "annotations": END},
        },
    }


def test_initial_events_of_an_empty_collection_are_the_bookmark_alone(api: BareServer) -> None:
    (event,) = api.watch(f"{GADGETS}?{LISTING}").read()
    assert event["object"]["metadata"]["annotations"] == END


def test_a_plain_watch_with_bookmarks_is_told_the_end_of_the_present_too(api: BareServer) -> None:
    *_, last = api.watch(f"{THINGS}?allowWatchBookmarks=true").read()
    assert last["object"]["metadata"]["annotations"] == END


def test_who_wants_no_bookmarks_gets_none(api: BareServer) -> None:
    watch = api.watch(f"{THINGS}?sendInitialEvents=true&resourceVersionMatch=NotOlderThan")
    assert watch.types() == ["ADDED", "ADDED"]


def test_initial_events_can_be_declined(api: BareServer) -> None:
    watch = api.watch(f"{THINGS}?sendInitialEvents=false&resourceVersionMatch=NotOlderThan")
    assert watch.read() == []
    api.thing("c")
    assert watch.types() == ["ADDED"]


def test_initial_events_of_a_future_version_are_an_error_in_the_stream(api: BareServer) -> None:
    (event,) = api.watch(f"{THINGS}?{LISTING}&resourceVersion=999").read()
    assert (event["type"], event["object"]["code"]) == ("ERROR", 504)


def test_what_happens_while_the_present_is_read_comes_after_it(api: BareServer) -> None:
    watch = api.watch(f"{THINGS}?{LISTING}")
    label(api, "a", x="9")
    events = watch.read()
    assert [each["type"] for each in events] == ["ADDED", "ADDED", "BOOKMARK", "MODIFIED"]
    assert events[0]["object"]["metadata"]["labels"] == {"x": "1"}


# ------------------------------------------------------------------ what is shown


def test_an_event_shows_the_object_as_a_get_does(api: BareServer) -> None:
    watch = from_now(api)
    label(api, "a", x="5")
    (event,) = watch.read()
    assert event["object"] == api.get(f"{THINGS}/a").json


def test_a_deletion_shows_the_last_state_with_its_own_version(api: BareServer) -> None:
    last = api.get(f"{THINGS}/a").json
    watch = from_now(api)
    api.delete(f"{THINGS}/a")
    (event,) = watch.read()
    assert event["type"] == "DELETED"
    assert event["object"] == {**last, "metadata": {**last["metadata"], "resourceVersion": str(api.version)}}


def test_a_write_that_changes_nothing_is_no_event(api: BareServer) -> None:
    watch = from_now(api)
    label(api, "a", x="1")
    assert watch.read() == []


def test_a_dry_run_is_no_event(api: BareServer) -> None:
    watch = from_now(api)
    api.post(f"{THINGS}?dryRun=All", thing("c"))
    api.delete(f"{THINGS}/a?dryRun=All")
    assert watch.read() == []


def test_a_watch_shows_its_own_resource_and_namespace(api: BareServer) -> None:
    here, everywhere = from_now(api), api.watch(f"/api/v1/things?resourceVersion={api.version}")
    api.post(THINGS.replace("here", "there"), thing("c"))
    api.post(GADGETS, gadget("g"))
    assert here.read() == []
    assert [name for _, name, _ in everywhere.short()] == ["c"]


def test_a_selector_turns_updates_into_additions_and_deletions(api: BareServer) -> None:
    watch = from_now(api, "&labelSelector=x=1")
    label(api, "b", x="1")
    label(api, "b", y="1")
    label(api, "b", x="2")
    label(api, "b", x="3")
    api.delete(f"{THINGS}/b")
    assert [(kind, name) for kind, name, _ in watch.short()] == [("ADDED", "b"), ("MODIFIED", "b"), ("DELETED", "b")]


def test_an_object_that_leaves_a_selection_is_shown_as_it_was_in_it(api: BareServer) -> None:
    watch = from_now(api, "&labelSelector=x=1")
    label(api, "a", x="2")
    (event,) = watch.read()
    assert event["object"]["metadata"]["labels"] == {"x": "1"}
    assert event["object"]["metadata"]["resourceVersion"] == str(api.version)


def test_a_replay_goes_through_the_selector_too(api: BareServer) -> None:
    version = api.version
    label(api, "a", x="2")
    label(api, "b", x="1")
    watch = api.watch(f"{THINGS}?resourceVersion={version}&labelSelector=x=1")
    assert [(kind, name) for kind, name, _ in watch.short()] == [("DELETED", "a"), ("ADDED", "b")]


def test_fields_select_too(api: BareServer) -> None:
    watch = from_now(api, "&fieldSelector=spec.colour=red")
    api.patch(f"{THINGS}/a", {"spec": {"colour": "red"}})
    api.patch(f"{THINGS}/a", {"spec": {"colour": "blue"}})
    assert watch.types() == ["ADDED", "DELETED"]


def test_one_object_is_watched_by_its_name(api: BareServer) -> None:
    for path in (f"{THINGS}?fieldSelector=metadata.name=a", "/api/v1/watch/namespaces/here/things/a"):
        assert [name for _, name, _ in api.watch(path).short()] == ["a"]


def test_a_path_and_a_selector_that_disagree_are_a_bad_request(api: BareServer) -> None:
    reply = api.get("/api/v1/watch/namespaces/here/things/a?fieldSelector=metadata.name=b")
    assert (reply.code, reply.message) == (400, "fieldSelector metadata.name doesn't match requested name")


def test_an_object_is_not_watched_by_a_get_of_it(api: BareServer) -> None:
    assert api.get(f"{THINGS}/a?watch=1").json["kind"] == "Thing"


# ------------------------------------------------------------------ bookmarks and the end


def test_a_bookmark_comes_every_minute(api: BareServer) -> None:
    watch = from_now(api, "&allowWatchBookmarks=true")
    assert watch.stream.deadline == api.clock.now() + 60
    api.clock.advance(59.9)
    assert watch.read() == []
    api.post(GADGETS, gadget("g"))
    api.clock.advance(0.1)
    assert watch.read() == [
        {
            "type": "BOOKMARK",
            "object": {"kind": "Thing", "apiVersion": "v1", "metadata": {"resourceVersion": str(api.version)}},
        }
    ]
    assert watch.read() == []
    api.clock.advance(60)
    assert watch.types() == ["BOOKMARK"]


def test_a_bookmark_comes_after_what_happened_before_it(api: BareServer) -> None:
    watch = from_now(api, "&allowWatchBookmarks=true")
    api.thing("c")
    api.clock.advance(60)
    assert watch.types() == ["ADDED", "BOOKMARK"]


def test_a_bookmark_comes_two_seconds_before_the_end(api: BareServer) -> None:
    watch = from_now(api, "&allowWatchBookmarks=true&timeoutSeconds=10")
    api.clock.advance(8)
    assert watch.types() == ["BOOKMARK"]
    assert watch.stream.deadline == api.clock.now() + 2
    api.clock.advance(2)
    assert (watch.read(), watch.stream.ended) == ([], True)


def test_a_short_watch_has_no_time_for_a_bookmark(api: BareServer) -> None:
    watch = from_now(api, "&allowWatchBookmarks=true&timeoutSeconds=2")
    api.clock.advance(2)
    assert (watch.read(), watch.stream.ended) == ([], True)


def test_no_bookmark_says_less_than_was_asked_for(api: BareServer) -> None:
    watch = api.watch(f"{THINGS}?resourceVersion={api.version + 5}&allowWatchBookmarks=true")
    api.clock.advance(60)
    assert watch.read() == []


def test_a_watch_ends_when_its_time_is_over(api: BareServer) -> None:
    watch = from_now(api, "&timeoutSeconds=5")
    api.clock.advance(4.9)
    assert (watch.read(), watch.stream.ended) == ([], False)
    api.clock.advance(0.1)
    assert watch.stream.ended
    api.thing("c")
    assert watch.read() == []


def test_what_happened_before_the_end_is_still_read(api: BareServer) -> None:
    watch = from_now(api, "&timeoutSeconds=5")
    api.thing("c")
    api.clock.advance(5)
    assert not watch.stream.ended
    assert watch.types() == ["ADDED"]
    assert watch.stream.ended


def test_a_watch_without_a_time_ends_within_an_hour(api: BareServer) -> None:
    deadline = from_now(api).stream.deadline
    assert deadline is not None
    assert 1800 <= deadline - api.clock.now() <= 3600


def test_a_negative_time_is_over_at_once(api: BareServer) -> None:
    watch = from_now(api, "&timeoutSeconds=-1")
    (event,) = watch.read()
    assert (event["object"]["code"], event["object"]["message"]) == (500, "context deadline exceeded")
    assert watch.stream.ended


def test_a_closed_watch_is_forgotten_by_the_storage(api: BareServer) -> None:
    watch = from_now(api)
    watch.stream.close()
    watch.stream.close()
    api.thing("c")
    assert (watch.read(), watch.stream.ended, watch.stream.deadline) == ([], True, None)
    assert not any(api.storage.watches.values())


def test_going_back_to_a_snapshot_ends_all_watches(api: BareServer) -> None:
    snapshot, watch = api.storage.snapshot(), from_now(api)
    api.thing("c")
    api.storage.restore(snapshot)
    assert watch.types() == ["ADDED"]
    assert watch.stream.ended


def test_a_reader_that_is_too_far_behind_is_cut_off(api: BareServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BACKLOG", 3)
    slow, quick = from_now(api), from_now(api)
    for name in "cdefg":
        api.thing(name)
        quick.read()
    assert [name for _, name, _ in slow.short()] == list("cdef")
    assert (slow.stream.ended, quick.stream.ended) == (True, False)


# ------------------------------------------------------------------ the stream


def test_a_reader_is_woken_once_for_what_it_has_not_read(api: BareServer) -> None:
    woken: list[str] = []
    watch = from_now(api)
    watch.stream.on_ready = lambda: woken.append("woken")
    api.thing("c")
    api.thing("d")
    assert woken == ["woken"]
    watch.read()
    api.thing("e")
    assert woken == ["woken", "woken"]


def test_a_reader_is_woken_by_the_end(api: BareServer) -> None:
    woken: list[str] = []
    watch = from_now(api)
    watch.stream.on_ready = lambda: woken.append("woken")
    api.storage.restore(api.storage.snapshot())
    assert woken == ["woken"]


def test_a_long_replay_comes_in_pieces_and_whole(api: BareServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK", 1500)
    version = api.version
    for number in range(50):
        api.thing(f"t{number:02}")
    watch, pieces = api.watch(f"{THINGS}?resourceVersion={version}"), []
    while piece := watch.stream.read():
        pieces.append(piece)
    assert len(pieces) > 10
    assert all(piece.endswith(b"\n") for piece in pieces)
    names = [json.loads(line)["object"]["metadata"]["name"] for line in b"".join(pieces).splitlines()]
    assert names == [f"t{number:02}" for number in range(50)]


def test_a_write_between_two_pieces_comes_last(api: BareServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK", 1)
    watch = api.watch(THINGS)
    assert json.loads(watch.stream.read())["object"]["metadata"]["name"] == "a"
    api.thing("c")
    assert [name for _, name, _ in watch.short()] == ["b", "c"]


def test_however_many_watch_an_object_is_encoded_once(api: BareServer, monkeypatch: pytest.MonkeyPatch) -> None:
    watches = [from_now(api) for _ in range(10)]
    api.thing("c")
    monkeypatch.delattr(codec, "encode")  # whoever encodes from here on fails
    events = [watch.stream.read() for watch in watches]
    assert len(set(events)) == 1
    assert b'"name":"c"' in events[0]


# ------------------------------------------------------------------ what a watch guarantees


@pytest.mark.parametrize("seed", range(8))
def test_any_history_can_be_followed_and_resumed(seed: int) -> None:
    """Ordered, unique, reliable, resumable: a copy kept by watches from random versions is the collection."""
    rng, api = random.Random(seed), BareServer(seed=seed)
    followed = _Copy(api)
    versions = [api.version]
    for _ in range(150):
        _random_write(api, rng)
        versions.append(api.version)
        if rng.random() < 0.1:
            followed.reconnect()
        elif rng.random() < 0.5:
            followed.catch_up()
    followed.catch_up()
    assert followed.objects == _collection(api)
    start = rng.choice(versions)
    late = [each[2] for each in api.watch(f"{THINGS}?resourceVersion={start}").short()]
    assert late == sorted(set(late))
    assert all(version > start for version in late)


class _Copy:
    """What a client knows of a collection."""

    def __init__(self, api: BareServer) -> None:
        self.objects: dict[str, str] = {}
        self.api, self.version = api, api.version
        self.watch = api.watch(f"{THINGS}?resourceVersion={self.version}&labelSelector=x")

    def reconnect(self) -> None:
        self.watch.stream.close()
        self.watch = self.api.watch(f"{THINGS}?resourceVersion={self.version}&labelSelector=x")

    def catch_up(self) -> None:
        for event in self.watch.read():
            meta = event["object"]["metadata"]
            assert int(meta["resourceVersion"]) > self.version, "an event came twice or out of order"
            self.version = int(meta["resourceVersion"])
            known = meta["name"] in self.objects
            assert known is (event["type"] != "ADDED")
            self.objects.pop(meta["name"], None)
            if event["type"] != "DELETED":
                self.objects[meta["name"]] = meta["resourceVersion"]


def _collection(api: BareServer) -> dict[str, Any]:
    items = api.get(f"{THINGS}?labelSelector=x").json["items"]
    return {item["metadata"]["name"]: item["metadata"]["resourceVersion"] for item in items}


def _random_write(api: BareServer, rng: random.Random) -> None:
    name = rng.choice("abcdef")
    match rng.randrange(4):
        case 0:
            api.post(THINGS, thing(name, labels=rng.choice([{}, {"x": "1"}])))
        case 1:
            api.delete(f"{THINGS}/{name}")
        case _:
            api.patch(f"{THINGS}/{name}", {"metadata": {"labels": {rng.choice("xy"): rng.choice(["1", "2", None])}}})
