"""Every act on a request, over a real socket: what the operator meets, what the server hears, what is written down.

Left out: acts on watches (test_proxy_streams.py), which rules hit at all (tests/unit/harness/test_proxy_rulebook.py).
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from typing import Any

import pytest

from support.fake_upstream import Operator, Seen, Told
from support.proxied import NGINXPODS, PODS, WATCH, Scene, eventually, pod, scene
from twinloop.harness.faults import Act, Match, Rule
from twinloop.harness.history import Fault, Request, Response, StreamEnd
from twinloop.kube import PODS as PODS_RESOURCE

BROKEN = (OSError, http.client.HTTPException)

CREATED = Told(201, pod("web-0"))


def rule(act: Act, how: dict[str, Any] | None = None, *, verb: str = "create", **more: Any) -> Rule:
    """A rule for one request on pods."""
    return Rule(id="r", match=Match(verb=verb, resource="pods"), act=act, how=how or {}, **more)


def create(on: Scene) -> int:
    """Ask for a pod; the code."""
    return on.operator.ask("POST", PODS, pod("web-0")).code


def only_fault(on: Scene) -> tuple[str, str, int, str]:
    """The one fault that was written down."""
    (fault,) = on.of(Fault)
    return fault.rule, fault.action, fault.request, fault.detail


# ---------------------------------------------------------------------------------------------- answer


def test_an_answer_comes_in_place_of_the_servers_who_never_hears() -> None:
    how = {"code": 429, "reason": "TooManyRequests", "message": "slow down", "retry_after": 3}
    with scene(rule(Act.ANSWER, how), told=CREATED) as on:
        got = on.operator.ask("POST", PODS, pod("web-0"))
        assert (got.code, got.headers["Retry-After"]) == (429, "3")
        assert got.headers["Content-Type"] == "application/json"
        status = got.json()
        assert (status["kind"], status["status"], status["code"]) == ("Status", "Failure", 429)
        assert (status["reason"], status["message"]) == ("TooManyRequests", "slow down")
        assert status["details"] == {"kind": "pods", "retryAfterSeconds": 3}
        assert on.upstream.seen == []
        (response,) = on.soon(Response, 1)
        assert (response.code, response.committed, response.forged, response.body) == (429, 0, "r", status)
        assert only_fault(on) == ("r", "answer", 1, "429")
        assert on.proxy.unfired() == []


def test_the_fault_stands_between_the_request_and_its_response() -> None:
    with scene(rule(Act.ANSWER, {"code": 500})) as on:
        create(on)
        on.soon(Response, 1)
        assert [type(each) for each in on.recorded] == [Request, Fault, Response]


def test_an_answer_after_the_commit_hides_what_the_server_did() -> None:
    with scene(rule(Act.ANSWER, {"code": 504, "committed": True}), told=CREATED) as on:
        assert create(on) == 504
        assert len(on.upstream.seen) == 1
        (response,) = on.soon(Response, 1)
        assert (response.code, response.committed, response.forged) == (504, 201, "r")


def test_a_raw_answer_is_the_page_of_some_gateway() -> None:
    with scene(rule(Act.ANSWER, {"code": 502, "raw": "<html>502</html>"})) as on:
        got = on.operator.ask("POST", PODS, {})
        assert (got.code, got.body, got.headers["Content-Type"]) == (502, b"<html>502</html>", "text/html")
        assert on.soon(Response, 1)[0].body == "<html>502</html>"


def test_a_raw_answer_may_be_empty() -> None:
    with scene(rule(Act.ANSWER, {"code": 503, "raw": ""})) as on:
        assert on.operator.ask("POST", PODS, {}).body == b""


def test_only_the_ordinal_is_hit_and_the_connection_lives_on() -> None:
    with scene(rule(Act.ANSWER, {"code": 409}, first=2, times=2), told=CREATED) as on:
        assert [create(on) for _ in range(5)] == [201, 409, 409, 201, 201]
        assert [each.request for each in on.of(Fault)] == [2, 3]


def test_a_watch_can_be_refused_before_it_begins() -> None:
    refuse = rule(Act.ANSWER, {"code": 410}, verb="watch")
    with scene(refuse, told=Told(stream=True)) as on:
        got = on.operator.ask("GET", WATCH)
        assert (got.code, got.json()["reason"]) == (410, "Expired")
        assert on.of(StreamEnd) == []


def test_time_that_a_fault_takes_is_no_cost_of_the_proxy() -> None:
    with scene(rule(Act.ANSWER, {"code": 500})) as on:
        create(on)
        assert on.soon(Response, 1)[0].added == 0
        assert on.proxy.added() == []


# ---------------------------------------------------------------------------------------------- abort, hang, truncate


@pytest.mark.parametrize("how", ["clean", "reset"])
def test_an_abort_closes_the_connection_without_an_answer(how: str) -> None:
    with scene(rule(Act.ABORT, {"how": how}), told=CREATED) as on:
        with pytest.raises(ConnectionResetError if how == "reset" else http.client.RemoteDisconnected) as caught:
            create(on)
        assert isinstance(caught.value, http.client.RemoteDisconnected) == (how == "clean")
        assert on.upstream.seen == []
        (response,) = on.soon(Response, 1)
        assert (response.code, response.committed, response.forged) == (0, 0, "r")
        assert create(on) == 201


def test_an_abort_after_the_commit() -> None:
    with scene(rule(Act.ABORT, {"committed": True}), told=CREATED) as on:
        with pytest.raises(BROKEN):
            create(on)
        (response,) = on.soon(Response, 1)
        assert (response.code, response.committed, response.body) == (0, 201, pod("web-0"))


def test_a_hang_lasts_as_long_as_its_rule_and_others_pass_meanwhile() -> None:
    with scene(rule(Act.HANG), told=CREATED) as on:
        failed: list[BaseException] = []
        waiting = threading.Thread(target=lambda: _expect_break(on, failed))
        waiting.start()
        eventually(lambda: on.of(Fault))
        assert on.proxy.quiet_for() == 0
        with Operator(on.proxy.listen("a")) as other:
            assert other.ask("GET", PODS).code == 201
        assert waiting.is_alive()
        on.proxy.disarm("r")
        waiting.join(5)
        assert failed
        assert [each.committed for each in on.soon(Response, 2)] == [201, 0]
        assert len(on.upstream.seen) == 1


def _expect_break(on: Scene, failed: list[BaseException]) -> None:
    try:
        create(on)
    except BROKEN as error:
        failed.append(error)


def test_an_operator_that_gives_up_a_hanging_request_leaves_nothing_in_flight() -> None:
    with scene(rule(Act.HANG, {"committed": True}), told=CREATED) as on:
        threading.Thread(target=lambda: _expect_break(on, [])).start()
        eventually(lambda: on.upstream.seen and on.of(Fault))
        time.sleep(0.05)
        on.operator.hang_up()
        (response,) = on.soon(Response, 1)
        assert (response.code, response.committed) == (0, 201)
        eventually(lambda: on.proxy.quiet_for() > 0)


def test_half_an_answer_says_in_its_head_that_it_is_a_whole_one() -> None:
    with scene(rule(Act.TRUNCATE), told=CREATED) as on:
        with pytest.raises(http.client.IncompleteRead) as caught:
            create(on)
        whole = json.dumps(pod("web-0")).encode()
        assert caught.value.partial == whole[: len(whole) // 2]
        (response,) = on.soon(Response, 1)
        assert (response.code, response.committed, response.forged) == (201, 201, "r")


# ---------------------------------------------------------------------------------------------- on the way


def test_a_delayed_request_is_forwarded_late() -> None:
    with scene(rule(Act.DELAY, {"seconds": 0.2}), told=CREATED) as on:
        began = time.monotonic()
        assert create(on) == 201
        assert time.monotonic() - began >= 0.2
        assert only_fault(on) == ("r", "delay", 1, "0.2 s")
        (response,) = on.soon(Response, 1)
        assert response.forged == ""
        # What the proxy took of its own, and not what the rule asked for.
        assert 0 < response.added < 0.2
        assert on.proxy.added() == [pytest.approx(response.added, abs=1e-6)]


def test_the_end_of_a_delay_lets_the_request_go() -> None:
    with scene(rule(Act.DELAY, {"seconds": 60}), told=CREATED) as on:
        codes: list[int] = []
        waiting = threading.Thread(target=lambda: codes.append(create(on)))
        waiting.start()
        eventually(lambda: on.of(Fault))
        on.proxy.disarm()
        waiting.join(5)
        assert codes == [201]


def test_a_delayed_request_whose_author_is_gone_is_not_sent() -> None:
    with scene(rule(Act.DELAY, {"seconds": 60}), told=CREATED) as on:
        threading.Thread(target=lambda: _expect_break(on, [])).start()
        eventually(lambda: on.of(Fault))
        on.operator.hang_up()
        assert on.soon(Response, 1)[0].committed == 0
        assert on.upstream.seen == []


def test_a_signal_is_sent_before_the_request_is() -> None:
    with scene(rule(Act.SIGNAL, {"signal": "SIGTERM"}), told=CREATED) as on:
        on.done.act = lambda _: on.done.calls.append((f"{len(on.upstream.seen)} heard",))
        assert create(on) == 201
        assert on.done.calls == [("signal", "a", "SIGTERM"), ("0 heard",)]
        assert only_fault(on) == ("r", "signal", 1, "SIGTERM")


def test_a_touch_changes_the_object_before_the_request_arrives() -> None:
    touch = Rule(id="r", match=Match(verb="patch", subresource="status"), act=Act.TOUCH)
    with scene(touch) as on:
        order: list[str] = []
        on.done.act = lambda _: order.append("touched")

        def answer(_: Seen) -> Told:
            order.append("patched")
            return Told(409)

        on.upstream.answer = answer
        assert on.operator.ask("PATCH", NGINXPODS + "/web/status", {}).code == 409
        assert order == ["touched", "patched"]
        assert on.done.calls == [("touch", "nginxpods.twinloop.dev", "web")]


@pytest.mark.parametrize(("act", "how"), [(Act.TOUCH, {}), (Act.SIGNAL, {"signal": "SIGCONT"})])
def test_the_time_of_a_hook_is_no_cost_of_the_proxy(act: Act, how: dict[str, Any]) -> None:
    with scene(rule(act, how), told=CREATED) as on:
        on.done.act = lambda _: time.sleep(0.3)
        create(on)
        assert 0 < on.soon(Response, 1)[0].added < 0.3


def test_a_hook_that_fails_is_a_rule_that_has_not_fired() -> None:
    with scene(rule(Act.TOUCH), told=CREATED) as on:

        def fail(_: tuple[str, ...]) -> None:
            raise RuntimeError("no such object")

        on.done.act = fail
        assert create(on) == 201
        assert on.proxy.unfired() == ["r"]


# ---------------------------------------------------------------------------------------------- crash


def crash(when: str, **more: Any) -> Rule:
    """A rule that kills the operator at a create."""
    return rule(Act.CRASH, {"when": when}, **more)


@pytest.mark.parametrize(
    ("when", "heard", "code", "committed"), [("before", 0, 0, 0), ("committed", 1, 0, 201), ("answered", 1, 201, 201)]
)
def test_a_crash_comes_at_its_moment(when: str, heard: int, code: int, committed: int) -> None:
    with scene(crash(when), told=CREATED) as on:
        killed_when: list[tuple[int, int]] = []
        on.done.act = lambda _: killed_when.append((len(on.upstream.seen), len(on.of(Response))))
        got: list[object] = []
        try:
            got.append(create(on))
        except BROKEN as error:
            got.append(error)
        eventually(lambda: killed_when)
        # Dead when the server had heard of it, and the history too.
        assert killed_when == [(heard, 1)]
        assert on.done.calls == [("crash", "a")]
        response = on.response()
        assert (response.code, response.committed) == (code, committed)
        assert only_fault(on) == ("r", "crash", 1, when)
        assert (got == [201]) == (when == "answered")


def test_nothing_that_is_said_while_it_is_killed_is_heard() -> None:
    with scene(crash("committed"), told=CREATED) as on:
        url = on.proxy.listen("a")
        refused: list[str] = []

        def meanwhile(_: tuple[str, ...]) -> None:
            with Operator(url) as another:
                try:
                    another.ask("DELETE", PODS + "/web-1")
                except BROKEN as error:
                    refused.append(type(error).__name__)

        on.done.act = meanwhile
        with pytest.raises(BROKEN):
            create(on)
        assert refused
        assert [each.verb for each in on.of(Request)] == ["create"]
        assert [seen.method for seen in on.upstream.seen] == ["POST"]


def test_a_crash_ends_the_watches_of_that_replica_and_of_no_other() -> None:
    with scene(crash("before"), told=Told(stream=True)) as on, Operator(on.proxy.listen("b")) as other:
        on.operator.watch(WATCH)
        other.watch(WATCH)
        eventually(lambda: len(on.proxy.open_streams()) == 2)
        with pytest.raises(BROKEN):
            create(on)
        assert [each.why for each in on.soon(StreamEnd, 1)] == ["r"]
        assert on.proxy.open_streams() == [("b", "pods")]


def test_the_restarted_operator_is_heard_again() -> None:
    with scene(crash("before"), told=CREATED) as on:
        with pytest.raises(BROKEN):
            create(on)
        eventually(lambda: on.done.calls)
        assert create(on) == 201


def test_a_crash_may_hit_a_watch() -> None:
    with scene(rule(Act.CRASH, {"when": "committed"}, verb="watch"), told=Told(stream=True)) as on:
        with pytest.raises(BROKEN):
            on.operator.watch(WATCH)
        assert on.done.calls == [("crash", "a")]
        assert (on.response().code, on.response().committed) == (0, 200)


@pytest.mark.parametrize(
    ("act", "how"),
    [
        (Act.CRASH, {"when": "committed"}),
        (Act.CRASH, {"when": "answered"}),
        (Act.ANSWER, {"code": 500, "committed": True}),
        (Act.ABORT, {"committed": True}),
        (Act.HANG, {"committed": True}),
        (Act.TRUNCATE, {}),
    ],
)
def test_a_rule_that_the_server_forestalls_by_hanging_up_has_not_fired(act: Act, how: dict[str, Any]) -> None:
    with scene(rule(act, how), told=Told(hang_up=True)) as on:
        with pytest.raises(BROKEN):
            create(on)
        assert on.soon(Response, 1)[0].forged == ""
        eventually(lambda: on.proxy.unfired() == ["r"])
        assert on.of(Fault) == []
        assert on.done.calls == []


def test_a_decision_that_a_hang_up_on_the_way_forestalls_has_not_fired() -> None:
    match = Match(verb="create", resource="pods")
    slow = Rule(id="slow", match=match, act=Act.DELAY, how={"seconds": 60})
    with scene(slow, crash("before"), told=CREATED) as on:
        threading.Thread(target=lambda: _expect_break(on, [])).start()
        eventually(lambda: on.of(Fault))
        on.operator.hang_up()
        on.soon(Response, 1)
        eventually(lambda: on.proxy.unfired() == ["r"])
        assert on.done.calls == []


def test_a_rule_for_a_watch_that_is_refused_has_not_fired() -> None:
    with scene(rule(Act.CUT, verb="watch"), told=Told(410, {"kind": "Status"})) as on:
        assert on.operator.ask("GET", WATCH).code == 410
        eventually(lambda: on.proxy.unfired() == ["r"])
        assert on.of(Fault) == []


# ---------------------------------------------------------------------------------------------- stale


def stale() -> Rule:
    """A rule for the second list of pods."""
    return rule(Act.STALE, verb="list", first=2)


def listed(version: str, *names: str) -> Told:
    """A list of pods."""
    return Told(
        body={"kind": "PodList", "metadata": {"resourceVersion": version}, "items": [pod(each) for each in names]}
    )


def test_a_stale_list_is_the_one_that_was_remembered() -> None:
    with scene(stale(), told=listed("5", "old")) as on:
        on.proxy.remember(PODS_RESOURCE, "ns")
        assert on.upstream.seen[-1].target == PODS
        assert on.of(Request) == []  # ours, not the operator's
        on.upstream.answer = lambda _: listed("9", "new")
        first, second, third = (on.operator.ask("GET", PODS).json() for _ in range(3))
        assert [each["metadata"]["resourceVersion"] for each in (first, second, third)] == ["9", "5", "9"]
        assert [each["metadata"]["name"] for each in second["items"]] == ["old"]
        assert [(each.forged, each.committed) for each in on.soon(Response, 3)] == [("", 200), ("r", 0), ("", 200)]


def test_without_a_list_to_show_the_rule_has_not_fired() -> None:
    with scene(stale(), told=listed("9")) as on:
        for _ in range(2):
            assert on.operator.ask("GET", PODS).json()["metadata"]["resourceVersion"] == "9"
        assert on.proxy.unfired() == ["r"]


# ---------------------------------------------------------------------------------------------- several rules


def test_what_happens_on_the_way_comes_before_the_decision() -> None:
    match = Match(verb="create")
    rules = (
        Rule(id="refuse", match=match, act=Act.ANSWER, how={"code": 403}),
        Rule(id="tell", match=match, act=Act.SIGNAL, how={"signal": "SIGCONT"}),
    )
    with scene(*rules) as on:
        assert create(on) == 403
        assert [each.rule for each in on.of(Fault)] == ["tell", "refuse"]


def test_a_rule_armed_in_the_story_counts_from_there() -> None:
    with scene(rule(Act.ANSWER, {"code": 500}, since="story"), told=CREATED) as on:
        assert create(on) == 201
        on.proxy.begin_story()
        assert [create(on), create(on)] == [500, 201]


def test_rules_can_be_armed_by_whoever_reads_the_history_as_it_is_written() -> None:
    with scene(told=CREATED) as on:
        waited = threading.Event()

        def arm_at_first(record: object) -> None:
            if isinstance(record, Response) and not waited.is_set():
                waited.set()
                on.proxy.arm(rule(Act.ANSWER, {"code": 500}))

        on.recorded_by(arm_at_first)
        assert [create(on), create(on)] == [201, 500]
