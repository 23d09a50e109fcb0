"""O7: patience and impatience after failures, of writes, reads and watches.

Left out: faults during which no request reaches the proxy at all.
"""

from __future__ import annotations

from itertools import accumulate, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.histories import (
    NGINXPODS,
    PODS,
    STEP,
    Tale,
    assert_ok,
    assert_unknown,
    assert_violated,
    begun,
    plain_trial,
)
from twinloop.harness.checkers.o07_bounded_retry import check, most

BODY = {"metadata": {"name": "web-2"}}


def attempts(tale: Tale, gaps: list[float], code: int = 500, **answer: object) -> Tale:
    """Attempts at one create, all refused, with these pauses between them."""
    for gap in [0.0, *gaps]:
        tale.after(max(0.0, gap - 2 * STEP))
        tale.refused(tale.asks("create", PODS, body=BODY), code, **answer)
    return tale


def doubling(first: float, times: int, cap: float) -> list[float]:
    return [min(cap, first * 2**n) for n in range(times)]


def test_nothing_failed() -> None:
    finding = check(plain_trial())
    assert_ok(finding)
    assert finding.numbers["failures"] == 0


def test_back_off_from_milliseconds_to_seconds() -> None:
    finding = check(attempts(begun(), doubling(0.005, 16, 15.0)).rests().cleans().trial())
    assert_ok(finding)
    assert finding.numbers["failures"] == 16


def test_three_attempts_at_once_on_every_conflict_are_part_of_the_style() -> None:
    gaps = [each for pause in doubling(0.01, 8, 15.0) for each in (0.02, 0.02, pause)]
    assert_ok(check(attempts(begun(), gaps, 409).rests().cleans().trial()))


def test_once_a_second_for_a_minute() -> None:
    assert_ok(check(attempts(begun(), [1.0] * 60).rests().cleans().trial()))


@pytest.mark.parametrize("gap", [0.02, 0.05, 0.2])
def test_a_constant_rate_of_many_a_second(gap: float) -> None:
    tale = attempts(begun(), [gap] * int(10 / gap))
    assert_violated(check(tale.rests().cleans().trial()), "create pods web-2: ")


def test_a_success_begins_anew() -> None:
    tale = begun()
    for _ in range(12):
        attempts(tale, [0.02] * 4)
        tale.answers(tale.asks("create", PODS, body=BODY), 201)
    assert_ok(check(tale.rests().cleans().trial()))


def test_two_objects_fail_for_themselves() -> None:
    tale = begun()
    for index in range(40):
        tale.refused(tale.asks("create", PODS, body={"metadata": {"name": f"web-{index}"}}), 500)
    assert_ok(check(tale.rests().cleans().trial()))


def test_a_restarted_process_knows_nothing_of_earlier_failures() -> None:
    tale = begun()
    for _ in range(8):
        attempts(tale, [0.02] * 5)
        tale.down().up()
    assert_ok(check(tale.rests().cleans().trial()))


# ------------------------------------------------------------------ Retry-After


def test_trying_again_before_the_servers_time() -> None:
    tale = attempts(begun(), [0.3], 429, details={"retryAfterSeconds": 1})
    assert_violated(check(tale.rests().cleans().trial()), "tried again after 0.30 s, the server had asked for 1 s")


def test_trying_again_in_time() -> None:
    assert_ok(check(attempts(begun(), [1.0, 1.2], 429, details={"retryAfterSeconds": 1}).rests().cleans().trial()))


def test_the_time_may_stand_in_the_rule_that_forged_the_answer() -> None:
    rule = {"id": "busy", "match": {}, "act": "answer", "how": {"code": 429, "retry_after": 2}}
    tale = attempts(begun(rules=[rule]), [0.5], 429, forged="busy", committed=0)
    assert_violated(check(tale.rests().cleans().trial()), "the server had asked for 2 s")


def test_who_is_woken_by_a_change_of_its_pods_may_try_again() -> None:
    tale = attempts(begun(), [], 429, details={"retryAfterSeconds": 5})
    tale.becomes("web-1", ready=False)
    tale.hears(tale.listening[PODS], PODS, "web-1")
    assert_ok(check(attempts(tale, [], 500).rests().cleans().trial()))


def test_who_was_woken_once_more_while_it_prepared_the_first_attempt_may_too() -> None:
    tale = begun()
    for ready in (False, True):
        tale.becomes("web-1", ready=ready)
        tale.hears(tale.listening[PODS], PODS, "web-1")
    attempts(tale.after(0.1), [], 429, details={"retryAfterSeconds": 5})
    assert_ok(check(attempts(tale, [], 500).rests().cleans().trial()))


def test_what_the_first_attempt_was_for_is_no_excuse_for_the_second() -> None:
    tale = begun()
    tale.becomes("web-1", ready=False)
    tale.hears(tale.listening[PODS], PODS, "web-1")
    attempts(tale.after(0.1), [], 429, details={"retryAfterSeconds": 5})
    assert_violated(check(attempts(tale, [], 500).rests().cleans().trial()), "the server had asked for 5 s")


def test_what_was_heard_long_before_wakes_nobody() -> None:
    tale = begun()
    tale.becomes("web-1", ready=False)
    tale.hears(tale.listening[PODS], PODS, "web-1")
    attempts(tale.after(2.0), [], 429, details={"retryAfterSeconds": 5})
    assert_violated(check(attempts(tale, [], 500).rests().cleans().trial()), "the server had asked for 5 s")


def test_who_is_woken_by_its_own_write_may_not() -> None:
    tale = begun()
    tale.after(1.0)
    attempts(tale, [], 429, details={"retryAfterSeconds": 5})
    tale.says(conditions=[])
    tale.hears(tale.listening[NGINXPODS], NGINXPODS, "web")
    assert_violated(check(attempts(tale, [], 500).rests().cleans().trial()), "the server had asked for 5 s")


def test_another_nginxpods_news_wake_nobody() -> None:
    tale = begun()
    tale.user_creates("other")
    attempts(tale, [], 429, details={"retryAfterSeconds": 5})
    tale.hears(tale.listening[NGINXPODS], NGINXPODS, "other")
    assert_violated(check(attempts(tale, [], 500).rests().cleans().trial()), "the server had asked for 5 s")


# ------------------------------------------------------------------ watches


def watch_again(tale: Tale, lives: float, pause: float, times: int) -> Tale:
    for _ in range(times):
        watch = tale.watches(NGINXPODS)
        tale.after(lives).ends(watch)
        tale.after(pause)
    return tale


def test_watches_that_end_at_once_and_are_reopened_at_once() -> None:
    tale = watch_again(begun(), 0.0, 0.0, 60)
    assert_violated(check(tale.rests().cleans().trial()), "watch nginxpods: 60 attempts")


def test_watches_that_live_are_no_failures() -> None:
    assert_ok(check(watch_again(begun(), 1.5, 0.0, 60).rests().cleans().trial()))


def test_watches_that_are_reopened_with_a_pause() -> None:
    assert_ok(check(watch_again(begun(), 0.0, 1.0, 60).rests().cleans().trial()))


def test_watches_that_the_operator_closes_itself_are_no_failures() -> None:
    tale = begun()
    for _ in range(60):
        tale.ends(tale.watches(NGINXPODS), "client")
    assert_ok(check(tale.rests().cleans().trial()))


def test_lists_of_different_pods_are_different_requests() -> None:
    tale = begun()
    for index in range(60):
        tale.refused(tale.asks("list", PODS, query={"labelSelector": f"twinloop.dev/nginxpod=web-{index}"}), 500)
    assert_ok(check(tale.rests().cleans().trial()))


def test_a_history_that_breaks_off_shows_nothing() -> None:
    assert_unknown(check(attempts(begun(), [0.02] * 500).trial()), "breaks off")


# ------------------------------------------------------------------ the curve


@settings(deadline=None)  # a busy machine
@given(st.lists(st.floats(0.02, 20), min_size=1, max_size=40))
def test_pauses_that_only_grow_to_a_second_and_more_never_alarm(gaps: list[float]) -> None:
    growing = list(accumulate([0.02, *gaps], lambda before, gap: max(before * 1.5, min(gap, 30.0))))
    assert_ok(check(attempts(begun(), growing).rests().cleans().trial()))


@settings(deadline=None)  # a busy machine
@given(st.floats(0.001, 1000))
def test_the_curve_never_falls_and_allows_one_a_second(seconds: float) -> None:
    assert all(most(before) <= most(after) for before, after in pairwise([0.0, seconds, 2 * seconds]))
    assert most(seconds) >= seconds


# ------------------------------------------------------------------ several clients


def test_two_clients_of_one_process_do_not_repeat_one_another() -> None:
    """kopf lists, and so does the operator on top of it: each has been refused once."""
    tale = begun()
    for agent in ("kopf/1.45", "twinloop-kopf/0.1"):
        tale.refused(tale.asks("list", PODS, user_agent=agent), 429, details={"retryAfterSeconds": 1})
    assert_ok(check(tale.rests().cleans().trial()))
