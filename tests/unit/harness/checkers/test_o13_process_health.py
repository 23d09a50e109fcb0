"""O13: how processes end, start, and what their logs say.

Left out: which log lines are alarms (test_log_alarms.py).
"""

from __future__ import annotations

from support.histories import Tale, assert_ok, assert_unknown, assert_violated, begun, plain_trial
from twinloop.harness.checkers.o13_process_health import check


def test_it_comes_and_goes_in_good_order() -> None:
    finding = check(plain_trial())
    assert_ok(finding)
    assert finding.numbers == {"restarts": 0}


def test_it_ends_by_itself() -> None:
    tale = begun()
    end = tale.process("exited", code=1)
    assert_violated(check(tale.up().rests().cleans().trial()), "replica a ended by itself, with exit status 1", end.seq)


def test_it_is_killed_by_somebody_else() -> None:
    tale = begun()
    tale.process("exited", code=-9)
    assert_violated(check(tale.up().rests().cleans().trial()), "ended by itself, with signal 9")


def test_a_crash_on_purpose_is_a_restart_and_no_more() -> None:
    tale = begun()
    tale.process("killed", expected=True, detail="SIGKILL")
    tale.process("exited", code=-9, expected=True)
    finding = check(tale.up().rests().cleans().trial())
    assert_ok(finding)
    assert finding.numbers == {"restarts": 1}


def test_it_answers_a_term_signal_with_an_error() -> None:
    tale = begun().down(code=1).up()
    assert_violated(check(tale.rests().cleans().trial()), "answered SIGTERM with exit status 1")


def test_it_takes_too_long_to_go() -> None:
    tale = begun(settings={"grace": 10.0})
    tale.process("signalled", expected=True, detail="SIGTERM")
    tale.after(11.0).process("exited", expected=True, code=0)
    assert_violated(check(tale.up().rests().cleans().trial()), "replica a took 11.0 s to go")


def test_it_does_not_go_at_all() -> None:
    tale = begun()
    tale.process("signalled", expected=True, detail="SIGTERM")
    tale.after(10.0).process("killed", expected=True, detail="SIGKILL")
    tale.process("exited", expected=True, code=-9)
    assert_violated(check(tale.up().rests().cleans().trial()), "did not go within 10 s of SIGTERM")


def test_its_log_has_an_alarm() -> None:
    tale = begun().rests()
    tale.alarm("Task exception was never retrieved")
    assert_violated(check(tale.cleans().trial()), "its log says: Task exception was never retrieved")


def test_it_never_says_that_it_is_ready() -> None:
    tale = Tale(settings={"start": 20.0})
    tale.process("started")
    tale.after(20.0).mark("steady", ok=False)
    assert_violated(check(tale.rests().cleans().trial()), "replica a was not ready after 2")


def test_who_is_stopped_before_it_could_be_ready_is_not_blamed() -> None:
    tale = Tale().begins().down()
    tale.process("started")
    assert_ok(check(tale.closes().trial()))


def test_two_replicas_are_no_restart() -> None:
    assert check(begun().up("b").rests().cleans().trial()).numbers == {"restarts": 0}


def test_without_a_process_nothing_was_seen() -> None:
    tale = Tale().rests()
    tale.mark("cleanup-begin")
    assert_unknown(check(tale.trial()), "no process")


def test_a_history_that_breaks_off_shows_nothing() -> None:
    assert_unknown(check(begun().trial()), "breaks off")
