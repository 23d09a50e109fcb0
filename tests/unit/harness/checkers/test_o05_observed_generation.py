"""O5: a generation that goes back, runs ahead, or is claimed before its time.

Left out: everything else that a status says (test_o10_status_truth.py).
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from support.histories import (
    NGINXPODS,
    PODS,
    Tale,
    assert_ok,
    assert_unknown,
    assert_violated,
    begun,
    plain_trial,
)
from twinloop.harness.checkers.o05_observed_generation import check
from twinloop.harness.scenario import OTHER_IMAGE


def test_every_status_is_about_what_was_seen() -> None:
    assert_ok(check(plain_trial()))


def test_ahead_of_the_object() -> None:
    tale = begun()
    tale.says(observedGeneration=2)
    assert_violated(check(tale.trial()), "web says observedGeneration 2 and is at generation 1")


def test_back_to_an_older_one() -> None:
    tale = begun()
    tale.user_edits(replicas=3)
    tale.serves()
    tale.says(observedGeneration=1)
    assert_violated(check(tale.trial()), "web says observedGeneration 1 after it said 2")


def test_ready_before_anything_was_done_about_it() -> None:
    tale = begun()
    tale.user_edits(image=OTHER_IMAGE)
    tale.says(conditions=[{"type": "Ready", "status": "True", "reason": "AllReady"}])
    assert_violated(check(tale.trial()), "the pods of that spec were never there")


def test_ready_after_it_was_done_and_undone() -> None:
    tale = begun()
    tale.user_edits(image=OTHER_IMAGE)
    tale.serves()
    tale.becomes("web-0", ready=False)
    tale.says(conditions=[{"type": "Ready", "status": "True", "reason": "AllReady"}])
    assert_ok(check(tale.trial()))  # a lie, but not one about the generation: O10


def test_a_pod_that_went_just_before_the_change_was_seen_still_counts() -> None:
    tale = begun()
    tale.remove(PODS, "web-1")
    tale.user_edits(replicas=2)
    tale.says(conditions=[{"type": "Ready", "status": "True", "reason": "AllReady"}])
    assert_ok(check(tale.trial()))


def test_what_a_user_writes_is_nobodys_mistake() -> None:
    tale = begun()
    tale.user_patches(NGINXPODS, "web", lambda obj: obj["status"].update(observedGeneration=99))
    tale.says()
    assert_ok(check(tale.trial()))


def test_a_namesake_begins_anew() -> None:
    tale = begun()
    tale.user_edits(replicas=1)
    tale.serves()
    tale.user_deletes()
    tale.user_creates()
    tale.serves()
    assert_ok(check(tale.trial()))


def test_without_a_status_there_is_nothing_to_see() -> None:
    tale = Tale().begins()
    tale.user_creates()
    assert_unknown(check(tale.rests().cleans().trial()), "no operator wrote a status")


@settings(deadline=None)  # a busy machine
@given(st.lists(st.integers(0, 4), min_size=1, max_size=8))
def test_only_never_falling_and_never_ahead_passes(said: list[int]) -> None:
    tale = begun(replicas=1)
    for _ in range(3):
        tale.user_edits(port=8080)
    for observed in said:
        tale.says(observedGeneration=observed, conditions=[])
    rising = all(before <= after for before, after in zip([1, *said], said, strict=False))
    good = rising and max(said) <= 4
    assert (check(tale.trial()).verdict == "ok") is good
