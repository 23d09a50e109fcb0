"""O11: deletes with and without a reason, by uid and by name.

Left out: whose pod it was (test_o04_ownership.py).
"""

from __future__ import annotations

from typing import Any

import pytest

from support.histories import NGINXPODS, PODS, Tale, assert_ok, assert_unknown, assert_violated, begun, plain_trial
from twinloop.harness.checkers.o11_safe_destruction import check
from twinloop.harness.scenario import OTHER_IMAGE


def end(tale: Tale) -> Any:
    return tale.rests().cleans().trial()


def test_nothing_is_deleted() -> None:
    assert_ok(check(plain_trial()))


def test_surplus_goes() -> None:
    tale = begun(replicas=3)
    tale.user_edits(replicas=1)
    tale.serves()
    finding = check(end(tale))
    assert_ok(finding)
    assert finding.numbers == {"deletes": 2, "bare": 0}


def test_nothing_was_wrong_with_it() -> None:
    tale = begun()
    request = tale.deletes("web-1")
    assert_violated(check(end(tale)), "delete pods web-1: nothing was wrong with the pod", request.seq)


def test_that_it_had_just_been_made_is_no_reason() -> None:
    tale = begun()
    tale.deletes("web-1")
    tale.makes("web", "web-1")
    tale.deletes("web-1")
    assert_violated(check(end(tale)), "nothing was wrong with the pod (and 1 more)")


def test_the_wrong_one_goes() -> None:
    tale = begun(replicas=3)
    tale.user_edits(replicas=2)
    tale.deletes("web-0")
    assert_violated(check(end(tale)), "delete pods web-0: nothing was wrong")


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
def test_what_has_ended_goes(phase: str) -> None:
    tale = begun()
    tale.becomes("web-1", ready=False, phase=phase)
    tale.deletes("web-1")
    assert_ok(check(end(tale)))


def test_what_is_unready_stays() -> None:
    tale = begun()
    tale.becomes("web-1", ready=False)
    tale.deletes("web-1")
    assert_violated(check(end(tale)), "nothing was wrong")


def test_what_has_lost_a_label_goes() -> None:
    tale = begun()
    tale.user_patches(PODS, "web-1", lambda pod: pod["metadata"]["labels"].update({"twinloop.dev/template": "other"}))
    tale.deletes("web-1")
    assert_ok(check(end(tale)))


def test_whose_container_was_changed_goes() -> None:
    tale = begun()
    tale.user_patches(PODS, "web-1", lambda pod: pod["spec"]["containers"][0].update(image="other"))
    tale.deletes("web-1")
    assert_ok(check(end(tale)))


def test_a_spec_that_makes_no_sense_is_no_reason() -> None:
    tale = begun()
    tale.user_patches(NGINXPODS, "web", lambda obj: obj["spec"].update(replicas="none"))
    tale.after(2.0).deletes("web-1")
    assert_violated(check(end(tale)), "nothing was wrong")


def test_a_nginxpod_on_its_way_out_is_no_reason() -> None:
    tale = begun()
    tale.user_patches(NGINXPODS, "web", lambda obj: obj["metadata"].update(deletionTimestamp="T"))
    tale.after(2.0).deletes("web-1")
    assert_violated(check(end(tale)), "nothing was wrong")


# ------------------------------------------------------------------ a new template


def test_one_at_a_time() -> None:
    tale = begun(replicas=3)
    tale.user_edits(image=OTHER_IMAGE)
    tale.serves()
    assert_ok(check(end(tale)))


def test_the_second_before_the_first_is_back() -> None:
    tale = begun(replicas=3)
    tale.user_edits(image=OTHER_IMAGE)
    tale.deletes("web-2")
    request = tale.deletes("web-1")
    tale.serves()
    assert_violated(check(end(tale)), "delete pods web-1: nothing was wrong", request.seq)


def test_the_second_when_the_first_is_there_and_not_ready() -> None:
    tale = begun(replicas=3)
    tale.user_edits(image=OTHER_IMAGE)
    tale.deletes("web-2")
    tale.makes("web", "web-2")
    tale.deletes("web-1")
    tale.becomes("web-2")
    assert_violated(check(end(tale)), "delete pods web-1: nothing was wrong")


def test_another_replica_may_not_know_of_the_first() -> None:
    tale = begun(replicas=3)
    tale.user_edits(image=OTHER_IMAGE)
    tale.deletes("web-2")
    tale.deletes("web-1", replica="b")
    assert_ok(check(end(tale)))


def test_what_is_not_ready_may_go_whatever_the_others_do() -> None:
    tale = begun(replicas=3)
    tale.user_edits(image="nowhere/none")
    tale.serves()
    for name in ("web-2", "web-1"):
        tale.becomes(name, ready=False)
    tale.user_edits(image=OTHER_IMAGE)
    tale.deletes("web-2")
    tale.deletes("web-1")
    assert_ok(check(end(tale)))


def test_a_name_that_a_stranger_holds_is_not_waited_for() -> None:
    tale = begun(replicas=1)
    tale.stranger("web-1")
    tale.user_edits(replicas=2)
    tale.user_edits(image=OTHER_IMAGE)
    tale.deletes("web-0")
    assert_ok(check(end(tale)))


# ------------------------------------------------------------------ what the operator may have had in mind


def test_a_spec_of_a_moment_ago_is_a_reason() -> None:
    tale = begun(replicas=2)
    tale.user_edits(replicas=1)
    tale.user_edits(replicas=2)
    tale.deletes("web-1")
    assert_ok(check(end(tale)))


def test_an_old_spec_is_none() -> None:
    tale = begun(replicas=2)
    tale.user_edits(replicas=1)
    tale.user_edits(replicas=2)
    tale.after(3.0).deletes("web-1")
    assert_violated(check(end(tale)), "nothing was wrong")


def test_who_was_stopped_meanwhile_had_it_in_mind() -> None:
    tale = begun(replicas=2)
    tale.user_edits(replicas=1)
    tale.process("signalled", detail="SIGSTOP")
    tale.user_edits(replicas=2)
    tale.after(30.0).process("signalled", detail="SIGCONT")
    tale.deletes("web-1")
    assert_ok(check(end(tale)))


def test_who_waited_for_a_slow_answer_had_it_in_mind() -> None:
    tale = begun(replicas=2)
    tale.user_edits(replicas=1)
    slow = tale.asks("list", PODS)
    tale.user_edits(replicas=2)
    tale.after(8.0).answers(slow)
    tale.deletes("web-1")
    assert_ok(check(end(tale)))


def test_a_real_cluster_gets_more_patience() -> None:
    tale = begun(settings={"pace": 10.0})
    tale.user_edits(replicas=1)
    tale.user_edits(replicas=2)
    tale.after(3.0).deletes("web-1")
    assert_ok(check(end(tale)))


# ------------------------------------------------------------------ by uid


def test_by_name_long_after_it_was_read() -> None:
    tale = begun()
    tale.user_edits(replicas=1)
    tale.deletes("web-1", uid="")
    assert_violated(check(end(tale)), "no precondition on the uid")


@pytest.mark.parametrize(("verb", "name"), [("get", "web-1"), ("list", "")])
def test_by_name_right_after_it_was_read(verb: str, name: str) -> None:
    tale = begun()
    tale.user_edits(replicas=1)
    tale.reads(verb, PODS, name)
    tale.deletes("web-1", uid="")
    finding = check(end(tale))
    assert_ok(finding)
    assert finding.numbers["bare"] == 1


def test_reading_another_one_does_not_help() -> None:
    tale = begun()
    tale.user_edits(replicas=1)
    tale.reads("get", PODS, "web-0")
    tale.deletes("web-1", uid="")
    assert_violated(check(end(tale)), "no precondition on the uid")


def test_a_bare_delete_that_failed_was_unsafe_too() -> None:
    tale = begun()
    tale.refused(tale.asks("delete", PODS, "web-1", body={}), 500)
    assert_violated(check(end(tale)), "no precondition on the uid")


def test_by_labels() -> None:
    tale = begun()
    tale.answers(tale.asks("deletecollection", PODS, query={"labelSelector": "a=b"}))
    assert_violated(check(end(tale)), "whoever wears these labels is deleted")


def test_a_trial_that_ended_early_shows_nothing() -> None:
    assert_unknown(check(begun().trial()), "before its quiet window")
