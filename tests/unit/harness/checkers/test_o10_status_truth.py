"""O10: statuses that are true, that were never true, and that are true no longer.

Left out: observedGeneration over time (test_o05_observed_generation.py); what each reason means (test_status_truth.py).
"""

from __future__ import annotations

from typing import Any

import pytest

from support.histories import NGINXPODS, Tale, assert_ok, assert_unknown, assert_violated, begun, plain_trial
from twinloop.harness.checkers.o10_status_truth import LIE, check

READY = [{"type": "Ready", "status": "True", "reason": "AllReady", "lastTransitionTime": "T1"}]


def end(tale: Tale) -> Any:
    return tale.rests().cleans().trial()


def test_everything_that_is_said_is_true() -> None:
    assert_ok(check(plain_trial()))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"replicas": 1}, "replicas is 1 and should be 2"),
        ({"readyReplicas": 3}, "readyReplicas is 3 and should be 2"),
        ({"observedGeneration": 0}, "observedGeneration is 0 and should be 1"),
        ({"selector": "app=web"}, "selector is 'app=web'"),
        ({"conditions": []}, "there is no condition Ready"),
        (
            {"conditions": [{**READY[0], "reason": "Progressing"}]},
            "Ready is True (Progressing) and should be True (AllReady)",
        ),
        ({"conditions": [{**READY[0], "status": "False"}]}, "Ready is False (AllReady) and should be True"),
        ({"conditions": [*READY, {"type": "Stalled", "status": "True"}]}, "Stalled is there beside"),
    ],
)
def test_what_is_not_true_in_the_end(changes: dict[str, Any], words: str) -> None:
    tale = begun()
    request = tale.says(**changes)
    finding = check(end(tale))
    assert_violated(finding, "in the end the status of web is not true: ", request.seq + 1)
    assert words in finding.message


def test_what_changed_in_the_last_moment_may_not_be_said_yet() -> None:
    tale = begun().settles().after(0.6)
    tale.becomes("web-0", ready=False)
    tale.mark("quiet-end")
    assert_ok(check(tale.cleans().trial()))


def test_ready_of_what_never_was() -> None:
    tale = begun()
    tale.user_edits(replicas=3)
    tale.after(2.0)
    request = tale.says(conditions=READY)
    tale.serves()
    assert_violated(check(end(tale)), "patch nginxpods/status web said Ready=True when it was not", request.seq)


def test_ready_of_what_was_a_moment_ago() -> None:
    tale = begun()
    tale.becomes("web-0", ready=False)
    tale.says(conditions=READY)
    tale.says()
    tale.becomes("web-0")
    tale.says()
    assert_ok(check(end(tale)))


def test_who_was_kept_from_the_truth_is_not_blamed_for_what_it_wrote() -> None:
    tale = begun()
    tale.fault("hold", tale.listening[NGINXPODS])
    tale.becomes("web-0", ready=False)
    tale.after(3.0).says(conditions=READY)
    tale.becomes("web-0")
    tale.says()
    assert_ok(check(end(tale)))


def test_who_was_stopped_had_an_old_view() -> None:
    tale = begun()
    tale.process("signalled", detail="SIGSTOP")
    tale.becomes("web-0", ready=False)
    tale.after(30.0).process("signalled", detail="SIGCONT")
    tale.says(conditions=READY)
    tale.says()
    tale.becomes("web-0")
    tale.says()
    assert_ok(check(end(tale)))


def lying(seconds: float, tale: Tale) -> Tale:
    tale.becomes("web-0", ready=False)
    tale.after(seconds).becomes("web-0")
    return tale


def test_ready_that_outlives_its_truth() -> None:
    finding = check(end(lying(LIE + 1, begun())))
    assert_violated(finding, "a status said Ready=True for 6.0 s when it was not true")
    assert finding.numbers["lie"] == pytest.approx(6.0, abs=0.1)


def test_a_short_lie_is_measured() -> None:
    finding = check(end(lying(0.5, begun())))
    assert_ok(finding)
    assert finding.numbers["lie"] == pytest.approx(0.5, abs=0.1)


def test_nobody_lies_while_nobody_is_there() -> None:
    tale = lying(LIE + 1, begun().down())
    assert_ok(check(end(tale.up())))


def test_under_a_fault_a_lie_is_measured_and_no_more() -> None:
    tale = begun()
    tale.fault("silence")
    finding = check(end(lying(LIE + 1, tale)))
    assert_ok(finding)
    assert finding.numbers["lie"] > LIE


def test_a_transition_time_that_moves_alone() -> None:
    tale = begun()
    tale.says(conditions=[{**READY[0], "lastTransitionTime": "T9"}])
    assert_violated(check(end(tale)), "the transition time of Ready of web moved")


def test_a_transition_time_that_somebody_else_moved() -> None:
    tale = begun()
    tale.user_patches(NGINXPODS, "web", lambda obj: obj["status"]["conditions"][0].update(lastTransitionTime="T9"))
    assert_ok(check(end(tale)))


def test_what_is_being_deleted_need_not_say_anything() -> None:
    tale = begun()
    tale.says(replicas=7)
    tale.user_patches(NGINXPODS, "web", lambda obj: obj["metadata"].update(deletionTimestamp="T"))
    assert_ok(check(end(tale)))


def test_a_trial_that_ended_early_shows_nothing() -> None:
    assert_unknown(check(begun().trial()), "before its quiet window")
