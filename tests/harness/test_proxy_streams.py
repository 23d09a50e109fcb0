"""Every act on a watch, on its whole or on a line, over a real socket.

Left out: watches that nothing happens to (test_proxy_recording.py).
"""

from __future__ import annotations

import http.client
import json
import time
from http.client import HTTPResponse
from typing import Any

import pytest

from support.fake_upstream import END, Told
from support.proxied import NGINXPODS, WATCH, Scene, eventually, line, scene
from twinloop.harness.faults import Act, Match, Rule
from twinloop.harness.history import Fault, StreamEnd, StreamEvent

BROKEN = (OSError, http.client.HTTPException)

STREAM = Told(stream=True)


def at(event: str, act: Act, how: dict[str, Any] | None = None, **more: Any) -> Rule:
    """A rule for a line of the watch of pods."""
    name = more.pop("name", "")
    return Rule(id="r", match=Match(resource="pods", event=event, name=name), act=act, how=how or {}, **more)


def whole(act: Act, how: dict[str, Any] | None = None, **more: Any) -> Rule:
    """A rule for the watch of pods as a whole."""
    return Rule(id="r", match=Match(verb="watch", resource="pods"), act=act, how=how or {}, **more)


def begin(on: Scene) -> HTTPResponse:
    """Open the watch."""
    return on.operator.watch(WATCH)


def told(on: Scene) -> list[tuple[str, str, bool, str]]:
    """What is written down about lines: type, name, delivered, forged."""
    return [(each.type, each.name, each.delivered, each.forged) for each in on.of(StreamEvent)]


def say(on: Scene, *names: str) -> None:
    """The server tells of pods, each in a piece of its own."""
    for name in names:
        on.upstream.pieces.put(line("ADDED", name))


def ends(on: Scene) -> list[str]:
    """Why streams ended."""
    return [each.why for each in on.soon(StreamEnd, 1)]


# ---------------------------------------------------------------------------------------------- lines


def test_a_dropped_line_never_comes_and_the_next_does() -> None:
    with scene(at("ADDED", Act.DROP, name="b"), told=STREAM) as on:
        watch = begin(on)
        say(on, "a", "b", "c")
        assert [watch.readline(), watch.readline()] == [line("ADDED", "a"), line("ADDED", "c")]
        on.soon(StreamEvent, 3)
        assert told(on) == [("ADDED", "a", True, ""), ("ADDED", "b", False, "r"), ("ADDED", "c", True, "")]
        (fault,) = on.of(Fault)
        assert (fault.rule, fault.action, fault.request, fault.detail) == ("r", "drop", 1, "ADDED b")


def test_a_repeated_line_comes_twice() -> None:
    with scene(at("ADDED", Act.REPEAT), told=STREAM) as on:
        watch = begin(on)
        say(on, "a", "b")
        assert [watch.readline() for _ in range(3)] == [line("ADDED", name) for name in "aab"]
        on.soon(StreamEvent, 3)
        assert told(on) == [("ADDED", "a", True, ""), ("ADDED", "a", True, "r"), ("ADDED", "b", True, "")]


def test_a_corrupt_line_is_no_json_and_the_stream_goes_on() -> None:
    with scene(at("ADDED", Act.CORRUPT), told=STREAM) as on:
        watch = begin(on)
        say(on, "a", "b")
        with pytest.raises(json.JSONDecodeError):
            json.loads(watch.readline())
        assert watch.readline() == line("ADDED", "b")
        on.soon(StreamEvent, 3)
        assert told(on) == [("ADDED", "a", False, "r"), ("", "", True, "r"), ("ADDED", "b", True, "")]


def test_a_corrupt_line_may_be_what_the_scenario_says() -> None:
    with scene(at("ADDED", Act.CORRUPT, {"text": "<html>"}), told=STREAM) as on:
        watch = begin(on)
        say(on, "a")
        assert watch.readline() == b"<html>\n"


def test_an_unknown_type_carries_the_same_object() -> None:
    with scene(at("ADDED", Act.UNKNOWN), told=STREAM) as on:
        watch = begin(on)
        say(on, "a")
        event = json.loads(watch.readline())
        assert event == {**json.loads(line("ADDED", "a")), "type": "SURPRISE"}
        on.soon(StreamEvent, 2)
        assert told(on) == [("ADDED", "a", False, "r"), ("SURPRISE", "a", True, "r")]


def test_an_error_line_comes_in_place_of_the_line_and_then_the_end() -> None:
    with scene(at("MODIFIED", Act.ERROR, {"code": 410}), told=STREAM) as on:
        watch = begin(on)
        say(on, "a")
        on.upstream.pieces.put(line("MODIFIED", "a"))
        assert watch.readline() == line("ADDED", "a")
        error = json.loads(watch.readline())
        assert (error["type"], error["object"]["kind"]) == ("ERROR", "Status")
        assert (error["object"]["code"], error["object"]["reason"]) == (410, "Expired")
        assert watch.read() == b""
        assert ends(on) == ["r"]
        assert told(on) == [("ADDED", "a", True, ""), ("MODIFIED", "a", False, "r"), ("ERROR", "", True, "r")]


def test_a_clean_cut_ends_the_stream_before_the_line() -> None:
    with scene(at("ADDED", Act.CUT, first=2), told=STREAM) as on:
        watch = begin(on)
        say(on, "a", "b")
        assert watch.read() == line("ADDED", "a")
        assert ends(on) == ["r"]
        assert told(on)[-1] == ("ADDED", "b", False, "r")


def test_a_reset_breaks_the_stream() -> None:
    with scene(at("ADDED", Act.CUT, {"how": "reset"}), told=STREAM) as on:
        watch = begin(on)
        say(on, "a")
        with pytest.raises(ConnectionResetError):
            watch.read()
        assert ends(on) == ["r"]


def test_a_cut_in_a_line_leaves_half_of_it_and_a_clean_end() -> None:
    with scene(at("ADDED", Act.CUT, {"how": "line"}), told=STREAM) as on:
        watch = begin(on)
        say(on, "a")
        sent = line("ADDED", "a")
        assert watch.read() == sent[: len(sent) // 2]
        assert ends(on) == ["r"]


def test_a_silent_stream_stays_open_until_the_fault_is_over_and_is_reset_then() -> None:
    with scene(at("ADDED", Act.SILENCE), told=STREAM) as on:
        watch = begin(on)
        say(on, "a", "b")
        on.soon(Fault, 1)
        time.sleep(0.1)
        assert on.proxy.open_streams() == [("a", "pods")]
        on.proxy.disarm()
        with pytest.raises(ConnectionResetError):
            watch.read()
        assert ends(on) == ["r"]
        assert told(on) == [("ADDED", "a", False, "r")]


def test_an_operator_that_gives_up_a_silent_stream_is_noticed() -> None:
    with scene(at("ADDED", Act.SILENCE), told=STREAM) as on:
        begin(on)
        say(on, "a")
        on.soon(Fault, 1)
        on.operator.hang_up()
        assert ends(on) == ["client"]


def test_a_held_stream_comes_late_and_in_order() -> None:
    with scene(at("ADDED", Act.HOLD, {"seconds": 0.25}, first=2), told=STREAM) as on:
        watch = begin(on)
        say(on, "a")
        assert watch.readline() == line("ADDED", "a")
        began = time.monotonic()
        say(on, "b", "c")
        assert [watch.readline(), watch.readline()] == [line("ADDED", "b"), line("ADDED", "c")]
        assert 0.25 <= time.monotonic() - began < 0.45  # together, not one after another
        on.upstream.pieces.put(END)
        assert watch.read() == b""
        assert told(on) == [("ADDED", "a", True, ""), ("ADDED", "b", True, "r"), ("ADDED", "c", True, "r")]
        (fault,) = on.of(Fault)
        assert fault.detail == "ADDED b"


def test_the_end_of_a_held_stream_waits_for_its_lines() -> None:
    with scene(at("ADDED", Act.HOLD, {"seconds": 0.1}), told=STREAM) as on:
        watch = begin(on)
        say(on, "a")
        on.upstream.pieces.put(END)
        assert watch.read() == line("ADDED", "a")
        assert ends(on) == ["server"]


def test_when_a_hold_is_over_everything_comes_at_once_and_the_stream_is_fresh_again() -> None:
    with scene(at("ADDED", Act.HOLD, {"seconds": 60}), told=STREAM) as on:
        watch = begin(on)
        say(on, "a")
        on.soon(Fault, 1)
        on.proxy.disarm()
        assert watch.readline() == line("ADDED", "a")
        say(on, "b")
        assert watch.readline() == line("ADDED", "b")
        on.soon(StreamEvent, 2)
        assert told(on)[-1] == ("ADDED", "b", True, "")


def test_what_was_held_comes_before_what_is_said_after_the_fault_however_much_it_is() -> None:
    with scene(at("any", Act.HOLD, {"seconds": 60}), told=STREAM) as on:
        watch = begin(on)
        names = [f"{number}-{'x' * 100_000}" for number in range(100)]
        say(on, *names)
        eventually(on.upstream.pieces.empty)
        on.proxy.disarm()
        say(on, "last")
        on.upstream.pieces.put(END)
        assert watch.read() == b"".join(line("ADDED", name) for name in [*names, "last"])


def test_a_hold_and_a_decision_may_hit_the_same_stream() -> None:
    hold = Rule(id="h", match=Match(resource="pods", event="ADDED"), act=Act.HOLD, how={"seconds": 0.1})
    drop = Rule(id="d", match=Match(resource="pods", event="ADDED", name="b"), act=Act.DROP)
    with scene(hold, drop, told=STREAM) as on:
        watch = begin(on)
        say(on, "a", "b", "c")
        assert [watch.readline(), watch.readline()] == [line("ADDED", "a"), line("ADDED", "c")]


# ---------------------------------------------------------------------------------------------- whole streams


def test_an_error_may_be_the_first_thing_that_a_watch_says() -> None:
    with scene(whole(Act.ERROR, {"code": 410}), told=STREAM) as on:
        watch = begin(on)
        assert watch.status == 200
        assert json.loads(watch.readline())["object"]["code"] == 410
        assert watch.read() == b""
        assert begin(on).status == 200
        assert len(on.upstream.seen) == 2
        assert ends(on) == ["r"]


@pytest.mark.parametrize(("how", "sent"), [("clean", b""), ("line", b'{"type":"ADDED","object":{"a')])
def test_a_watch_may_be_cut_at_once(how: str, sent: bytes) -> None:
    with scene(whole(Act.CUT, {"how": how}), told=STREAM) as on:
        assert begin(on).read()[:28] == sent
        assert ends(on) == ["r"]


def test_every_watch_is_cut_while_the_rule_is_armed() -> None:
    with scene(whole(Act.CUT, times=0), told=STREAM) as on:
        for _ in range(20):
            assert begin(on).read() == b""
        on.proxy.disarm("r")
        eventually(lambda: on.upstream.streams == 0)
        watch = begin(on)
        say(on, "a")
        assert watch.readline() == line("ADDED", "a")
        assert [each.why for each in on.of(StreamEnd)] == ["r"] * 20


def test_a_watch_may_be_reset_at_once() -> None:
    with scene(whole(Act.CUT, {"how": "reset"}), told=STREAM) as on:
        with pytest.raises(BROKEN):
            begin(on).read()
        assert ends(on) == ["r"]


def test_every_line_of_a_stream_may_be_dropped() -> None:
    with scene(whole(Act.DROP), told=STREAM) as on:
        watch = begin(on)
        say(on, "a", "b")
        on.upstream.pieces.put(END)
        assert watch.read() == b""
        assert told(on) == [("ADDED", "a", False, "r"), ("ADDED", "b", False, "r")]
        assert len(on.of(Fault)) == 1


def test_a_whole_stream_may_be_held() -> None:
    with scene(whole(Act.HOLD, {"seconds": 0.15}), told=STREAM) as on:
        watch = begin(on)
        began = time.monotonic()
        say(on, "a")
        assert watch.readline() == line("ADDED", "a")
        assert time.monotonic() - began >= 0.15


def test_a_stream_may_be_silent_from_the_start() -> None:
    with scene(whole(Act.SILENCE), told=STREAM) as on:
        watch = begin(on)
        assert watch.status == 200
        on.soon(Fault, 1)
        say(on, "a")
        on.proxy.disarm()
        with pytest.raises(ConnectionResetError):
            watch.read()
        assert told(on) == []


def test_the_start_of_a_watch_may_be_late() -> None:
    with scene(whole(Act.DELAY, {"seconds": 0.1}), told=STREAM) as on:
        began = time.monotonic()
        assert begin(on).status == 200
        assert time.monotonic() - began >= 0.1


# ---------------------------------------------------------------------------------------------- which lines


def test_a_rule_counts_the_lines_of_all_matching_watches_in_their_order() -> None:
    with scene(at("ADDED", Act.DROP, first=2), told=STREAM) as on:
        first = begin(on)
        say(on, "a")
        assert first.readline() == line("ADDED", "a")
        on.upstream.pieces.put(END)
        assert first.read() == b""
        second = begin(on)
        say(on, "a", "b")
        assert second.readline() == line("ADDED", "b")


def test_bookmarks_and_other_resources_do_not_count() -> None:
    with scene(at("any", Act.DROP), told=STREAM) as on:
        other = on.operator.watch(NGINXPODS + "?watch=1")
        say(on, "x")
        assert other.readline() == line("ADDED", "x")
        on.upstream.pieces.put(END)
        assert other.read() == b""
        watch = begin(on)
        bookmark = b'{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9"}}}\n'
        on.upstream.pieces.put(bookmark)
        say(on, "a", "b")
        assert [watch.readline(), watch.readline()] == [bookmark, line("ADDED", "b")]


def test_a_rule_that_is_armed_while_a_watch_is_open_meets_its_next_line() -> None:
    with scene(told=STREAM) as on:
        watch = begin(on)
        say(on, "a")
        assert watch.readline() == line("ADDED", "a")
        on.proxy.arm(at("ADDED", Act.DROP))
        say(on, "b", "c")
        assert watch.readline() == line("ADDED", "c")
        eventually(lambda: not on.proxy.unfired())


def test_two_lines_in_one_piece_are_two_lines() -> None:
    with scene(at("ADDED", Act.CUT, first=2), told=STREAM) as on:
        watch = begin(on)
        on.upstream.pieces.put(line("ADDED", "a") + line("ADDED", "b") + line("ADDED", "c"))
        assert watch.read() == line("ADDED", "a")
