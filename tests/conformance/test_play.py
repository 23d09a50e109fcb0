"""Playing a case: what each word of a step does, with a server that is a list of answers.

Left out: HTTP (test_wire.py), names for what is random (test_normal.py).
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from typing import Any, cast

import pytest

from conformance import play
from conformance.case import BadCase, Case, Step
from conformance.record import cut
from conformance.wire import Exchange, Server, Stream

JSON = [("Content-Type", "application/json"), ("Date", "today"), ("Warning", "299 - a"), ("Warning", "299 - b")]


class Scripted:
    """Takes requests down and answers from a list; the preparations of a case are answered by themselves."""

    def __init__(self, *answers: Any, streams: list[list[Any]] | None = None) -> None:
        self._answers = deque(answers)
        self._streams = deque(streams or [])
        self.sent: list[tuple[str, str, dict[str, str], Any, str]] = []

    def request(
        self, method: str, path: str, *, headers: Mapping[str, str], body: bytes | None, user: str = "admin"
    ) -> Exchange:
        if path.startswith("/api/v1/namespaces"):
            return Exchange(201 if method == "POST" else 200, [], {})
        self.sent.append((method, path, dict(headers), body, user))
        answer = self._answers.popleft() if len(self._answers) > 1 else self._answers[0]
        return answer if isinstance(answer, Exchange) else Exchange(200, JSON, answer)

    def watch(self, path: str, *, headers: Mapping[str, str], user: str = "admin", bookmarks: int = 0) -> Any:
        self.sent.append(("WATCH", path, dict(headers), bookmarks, user))
        return cast(Stream, Script(self._streams.popleft())) if self._streams else Exchange(410, JSON, {"code": 410})


class Script:
    """A stream whose events are all there already; None ends it."""

    code, headers = 200, JSON

    def __init__(self, events: list[Any]) -> None:
        self._events = deque(events)
        self.ended = self.closed = False

    def take(self, count: int, seconds: float) -> list[Any]:
        found: list[Any] = []
        while self._events and (len(found) < count or not count):
            event = self._events.popleft()
            if event is None:
                self.ended = True
                break
            found.append(event)
        return found

    def close(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(play, "PATIENCE", 0.05)


def played(server: Scripted, *steps: Step) -> list[dict[str, Any]]:
    case = Case("g/case", "g", steps)
    return play.Player(cast(Server, server), case, sleep=lambda _: None).play().records


def event(name: str, kind: str = "ADDED") -> dict[str, Any]:
    return {"type": kind, "object": {"metadata": {"name": name, "resourceVersion": "7"}}}


# --- requests ---------------------------------------------------------------------------------------------------------


def test_a_step_is_sent_with_its_body_and_its_type() -> None:
    server = Scripted({})
    played(server, Step(do="PATCH /x?a=b", body={"n": 1}, type="application/merge-patch+json"))
    method, path, headers, body, _ = server.sent[0]
    assert (method, path, json.loads(body)) == ("PATCH", "/x?a=b", {"n": 1})
    assert headers["Content-Type"] == "application/merge-patch+json"


def test_headers_of_a_step_win_and_an_empty_one_is_not_sent() -> None:
    server = Scripted({})
    played(server, Step(do="POST /x", body={}, headers={"User-Agent": "me", "Content-Type": ""}))
    assert server.sent[0][2] == {"Accept": "application/json", "User-Agent": "me"}


def test_a_raw_body_goes_out_as_it_is_and_fill_makes_it_big() -> None:
    server = Scripted({})
    played(server, Step(do="POST /x", raw="{$fill", fill=5), Step(do="POST /x", raw="\xff"))
    assert [sent[3] for sent in server.sent] == [b"{xxxxx", b"\xff"]


def test_what_is_saved_can_be_used_later() -> None:
    server = Scripted({"metadata": {"resourceVersion": "5", "generation": 3}})
    save = {"rv": "metadata.resourceVersion", "g": "metadata.generation", "no": "none"}
    played(server, Step(do="GET /x", save=save), Step(do="PUT /x?rv=$rv&no=$no", body={"g": "$g"}))
    assert server.sent[1][1] == "/x?rv=5&no=absent"
    assert json.loads(server.sent[1][3]) == {"g": 3}


def test_a_step_without_a_path_is_a_bad_case() -> None:
    with pytest.raises(BadCase, match="no path"):
        played(Scripted({}), Step(do="GET"))


# --- what is written down ---------------------------------------------------------------------------------------------


def test_code_body_and_the_headers_that_matter_are_written_down() -> None:
    (record,) = played(Scripted(Exchange(404, JSON, {"a": 1})), Step(do="GET /x"))
    assert record == {
        "do": "GET /x",
        "code": 404,
        "headers": {"content-type": ["application/json"], "warning": ["299 - a", "299 - b"]},
        "body": {"a": 1},
    }


def test_of_a_quiet_step_only_the_code_is() -> None:
    assert played(Scripted({"a": 1}), Step(do="GET /x", quiet=True)) == [{"do": "GET /x", "code": 200}]


def test_parts_are_picked_and_dropped() -> None:
    body = {"a": 1, "b": {"c": 2, "d": 3}}
    assert cut(Step(pick=("b.c", "z")), {"body": body}, "body")["body"] == {"b.c": 2, "z": None}
    assert cut(Step(drop=("b.c",)), {"body": body}, "body")["body"] == {"a": 1, "b": {"d": 3}}


def test_a_list_without_an_order_is_sorted() -> None:
    rows = {"rows": [{"name": "b"}, {"name": "a"}]}
    assert cut(Step(unordered="rows"), {"body": rows}, "body")["body"] == {"rows": [{"name": "a"}, {"name": "b"}]}
    events = [event("b"), event("a")]
    assert cut(Step(unordered="events"), {"events": events}, "events")["events"] == [event("a"), event("b")]


# --- waiting ----------------------------------------------------------------------------------------------------------


def test_a_request_repeats_until_it_settles() -> None:
    server = Scripted({"n": 1}, {"n": 2}, {"n": 3})
    (record,) = played(server, Step(do="GET /x", until={"n": 3, "code": 200}))
    assert (record["body"], len(server.sent)) == ({"n": 3}, 3)
    assert "settled" not in record


def test_what_never_settles_is_written_down_as_such() -> None:
    (record,) = played(Scripted({"n": 1}), Step(do="GET /x", until={"n": 3}))
    assert record["settled"] is False


@pytest.mark.parametrize(("two", "word"), [("6", "older"), ("5", "equal"), ("4", "newer"), ("x", "not a version")])
def test_versions_are_related(two: str, word: str) -> None:
    server = Scripted({"rv": "5"}, {"rv": two})
    records = played(
        server, Step(do="GET /x", save={"a": "rv"}), Step(do="GET /x", save={"b": "rv"}), Step(relate=("a", "b"))
    )
    assert records[-1]["is"] == word


# --- watches ----------------------------------------------------------------------------------------------------------


def test_events_are_read_where_the_case_says_so() -> None:
    server = Scripted({}, streams=[[event("a"), event("b"), event("c")]])
    records = played(server, Step(do="GET /x?watch=1", watch="w"), Step(read="w", events=2), Step(read="w", events=1))
    assert [each["events"] for each in records[1:3]] == [[event("a"), event("b")], [event("c")]]
    assert records[3] == {"late": {}}


def test_what_comes_after_is_written_down_too() -> None:
    server = Scripted({}, streams=[[event("a"), event("surprise")]])
    records = played(server, Step(do="GET /x?watch=1", watch="w"), Step(read="w", events=1))
    assert records[-1] == {"late": {"w": [event("surprise")]}}


def test_after_the_last_nothing_counts() -> None:
    server = Scripted({}, streams=[[event("a"), event("rest")]])
    records = played(server, Step(do="GET /x?watch=1", watch="w"), Step(read="w", events=1, last=True))
    assert records[1:] == [{"read": "w", "events": [event("a")], "ended": False}]


def test_a_watch_may_be_read_up_to_an_object() -> None:
    server = Scripted({}, streams=[[event("a"), event("b"), event("last"), event("c")]])
    records = played(server, Step(do="GET /x?watch=1", watch="w"), Step(read="w", upto="last"))
    assert [each["object"]["metadata"]["name"] for each in records[1]["events"]] == ["a", "b", "last"]


def test_the_end_of_a_stream_is_part_of_the_answer() -> None:
    server = Scripted({}, streams=[[event("a"), None]])
    records = played(server, Step(do="GET /x?watch=1", watch="w"), Step(read="w", end=True))
    assert (records[1]["ended"], len(records[1]["events"])) == (True, 1)


def test_a_refused_watch_is_an_answer_and_reading_it_gives_nothing() -> None:
    records = played(Scripted({}), Step(do="GET /x?watch=1", watch="w"), Step(read="w", events=1))
    assert (records[0]["code"], records[0]["body"]) == (410, {"code": 410})
    assert records[1] == {"read": "w", "events": [], "ended": True}


@pytest.mark.parametrize(("query", "bookmarks"), [("watch=1", 0), ("watch=1&sendInitialEvents=true", 1)])
def test_only_the_bookmark_after_the_initial_events_counts(query: str, bookmarks: int) -> None:
    server = Scripted({}, streams=[[]])
    played(server, Step(do=f"GET /x?{query}", watch="w"))
    assert server.sent[0][3] == bookmarks


def test_each_play_has_names_of_its_own() -> None:
    case = Case("g/case", "g", ())
    one, two = (play.Player(cast(Server, Scripted({})), case).names for _ in range(2))
    assert not set(one.values()) & set(two.values())
