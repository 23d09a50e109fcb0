"""O6: writes, Events and reads when there is nothing to do, in the quiet window and after a restart.

Left out: attempts that were refused (test_o07_bounded_retry.py).
"""

from __future__ import annotations

import pytest

from support.histories import (
    EVENTS,
    LEASES,
    NGINXPODS,
    PODS,
    Tale,
    assert_ok,
    assert_unknown,
    assert_violated,
    begun,
    plain_trial,
)
from twinloop.harness.checkers.o06_quiescence import LATE_EVENTS, READS, READS_A_SECOND, check


def quiet() -> Tale:
    """At rest for a while, in the quiet window."""
    return begun().after(20.0).settles()


def ended(tale: Tale) -> Tale:
    tale.after(0.6).mark("quiet-end")
    return tale.cleans()


def test_nothing_happens() -> None:
    assert_ok(check(plain_trial()))


def test_a_write_when_nothing_is_left_to_do() -> None:
    tale = quiet()
    write = tale.says(replicas=2, conditions=[])
    assert_violated(check(ended(tale).trial()), "patch nginxpods/status web when nothing was left to do", write.seq)


def test_a_write_that_changes_nothing() -> None:
    tale = quiet()
    tale.becomes("web-0")
    tale.says_again()
    assert_violated(check(ended(tale).trial()), "when nothing was left to do")


def test_a_write_whose_answer_was_lost_is_one_too() -> None:
    tale = quiet()
    tale.says(replicas=2, conditions=[], answer={"code": 504, "committed": 200, "body": None})
    assert_violated(check(ended(tale).trial()), "when nothing was left to do")


def test_an_answer_to_a_pods_change_is_no_breach() -> None:
    tale = quiet()
    tale.becomes("web-0", ready=False)
    tale.says()
    assert_ok(check(ended(tale).trial()))


def test_an_answer_that_comes_much_too_late_is_one() -> None:
    tale = begun()
    tale.becomes("web-0")
    tale.after(10.0).settles()
    tale.says(readyReplicas=2)
    assert_violated(check(ended(tale).trial()), "when nothing was left to do")


def test_what_was_refused_is_a_retry() -> None:
    tale = quiet()
    tale.refused(tale.asks("create", PODS, body={"metadata": {"name": "web-9"}}), 403)
    assert_ok(check(ended(tale).trial()))


def test_renewing_a_lease_is_no_write() -> None:
    tale = quiet()
    tale.answers(tale.asks("update", LEASES, "leader", body={}))
    assert_ok(check(ended(tale).trial()))


@pytest.mark.parametrize(("events", "good"), [(LATE_EVENTS, True), (LATE_EVENTS + 1, False)])
def test_a_late_event_is_forgiven_a_stream_of_them_is_not(events: int, good: bool) -> None:
    tale = quiet()
    for _ in range(events):
        tale.tells()
    finding = check(ended(tale).trial())
    assert_ok(finding) if good else assert_violated(finding, "3 Events about nothing new")


def test_a_hot_loop_of_reads() -> None:
    tale = begun().after(20.0).settles()
    for _ in range(READS + READS_A_SECOND * 6):
        tale.reads("get", NGINXPODS, "web")
    tale.mark("quiet-end")
    assert_violated(check(tale.cleans().trial()), "reads in 2.6 s of nothing to do")


def test_a_backlog_of_events_explains_reads() -> None:
    tale = begun().after(20.0)
    for _ in range(40):
        tale.hears(tale.listening[PODS], PODS, "web-0")
    tale.settles()
    for _ in range(100):
        tale.reads("get", NGINXPODS, "web")
    tale.mark("quiet-end")
    assert_ok(check(tale.cleans().trial()))


def test_polling_is_no_breach() -> None:
    tale = quiet()
    for resource in (NGINXPODS, PODS, NGINXPODS, PODS):
        tale.reads("list", resource)
    assert_ok(check(ended(tale).trial()))


# ------------------------------------------------------------------ an operator that never rests


def test_who_writes_until_its_time_is_over() -> None:
    tale = begun().after(20.0)
    tale.mark("story-end")
    tale.mark("faults-over")
    for _ in range(30):
        tale.after(0.4).says_again()
    tale.mark("settled", ok=False)
    tale.mark("quiet-begin")
    assert_violated(check(ended(tale).trial()), "when nothing was left to do")


def test_who_has_something_left_to_do_is_not_judged() -> None:
    tale = begun().rests(ok=False, detail="pod web-1 is missing").cleans()
    assert_unknown(check(tale.trial()), "it never came to rest: pod web-1 is missing")


# ------------------------------------------------------------------ restarts


def restarted(tale: Tale, *, code: int = 0) -> Tale:
    return tale.down(code=code).after(1.0).up()


def test_a_restart_that_writes_nothing() -> None:
    assert_ok(check(restarted(begun()).rests().cleans().trial()))


def test_a_restart_that_writes_a_status() -> None:
    tale = restarted(begun())
    tale.says_again()
    assert_violated(
        check(tale.rests().cleans().trial()), "after a restart without any change: patch nginxpods/status web"
    )


def test_a_restart_that_writes_an_event() -> None:
    tale = restarted(begun())
    tale.tells()
    assert_violated(check(tale.rests().cleans().trial()), "after a restart without any change: create events web.1")


def test_after_a_restart_with_a_change_writing_is_right() -> None:
    tale = begun().down()
    tale.user_edits(replicas=3)
    tale.up()
    tale.serves()
    assert_ok(check(tale.rests().cleans().trial()))


def test_a_change_after_the_restart_ends_the_rest() -> None:
    tale = restarted(begun())
    tale.user_edits(replicas=3)
    tale.serves()
    assert_ok(check(tale.rests().cleans().trial()))


def test_who_was_killed_may_have_left_something_half_done() -> None:
    tale = begun()
    tale.process("killed", expected=True, detail="SIGKILL")
    tale.process("exited", expected=True, code=-9)
    tale.up()
    tale.tells()
    assert_ok(check(tale.rests().cleans().trial()))


def test_the_other_replicas_writes_are_its_own() -> None:
    tale = begun().down().up("a")
    request = tale.asks("create", EVENTS, replica="b", body={"metadata": {"name": "x"}})
    tale.answers(request, 201)
    assert_ok(check(tale.rests().cleans().trial()))


def test_a_trial_that_ended_early_shows_nothing() -> None:
    assert_unknown(check(begun().settles().trial()), "before its quiet window")
