"""O3: a pod too many, when it is made and in the end.

Left out: two pods of one name, which no API server allows.
"""

from __future__ import annotations

import pytest

from support.histories import PODS, assert_ok, assert_unknown, assert_violated, begun, plain_trial, pod_for
from twinloop.harness.checkers.o03_no_duplicate import check


def test_as_many_as_wanted() -> None:
    assert_ok(check(plain_trial()))


@pytest.mark.parametrize("name", ["web-2", "web-x7f3k"])
def test_one_more_than_wanted(name: str) -> None:
    tale = begun()
    tale.makes("web", name)
    tale.deletes(name)
    tale.says()
    assert_violated(check(tale.rests().cleans().trial()), f"creating {name} made 3 living pods, and 2 were wanted")


def test_names_of_an_operators_own_choice_are_counted_not_read() -> None:
    tale = begun(replicas=0)
    tale.user_edits(replicas=1)
    tale.makes("web", "web-x7f3k")
    assert_ok(check(tale.rests().cleans().trial()))


def test_a_spec_of_a_moment_ago_excuses() -> None:
    tale = begun(replicas=3)
    tale.user_edits(replicas=2)
    tale.user_edits(replicas=3)
    tale.deletes("web-2")
    tale.user_edits(replicas=2)
    tale.makes("web", "web-2")
    tale.deletes("web-2")
    assert_ok(check(tale.rests().cleans().trial()))


def test_an_old_spec_does_not() -> None:
    tale = begun(replicas=3)
    tale.user_edits(replicas=2)
    tale.deletes("web-2")
    tale.after(2.0)
    tale.makes("web", "web-2")
    tale.deletes("web-2")
    assert_violated(check(tale.rests().cleans().trial()), "creating web-2 made 3 living pods")


def test_a_surplus_pod_that_could_not_go_in_time_makes_no_duplicate_of_a_wanted_one() -> None:
    tale = begun(replicas=3)
    tale.user_edits(replicas=2)
    tale.deletes("web-0")
    tale.after(3.0)
    tale.makes("web", "web-0")
    tale.deletes("web-2")
    assert_ok(check(tale.rests().cleans().trial()))


def test_a_pod_that_ended_does_not_count() -> None:
    tale = begun(replicas=1)
    tale.becomes("web-0", ready=False, phase="Failed")
    tale.makes("web", "web-new")
    assert_ok(check(tale.rests().cleans().trial()))


def test_one_too_many_in_the_end() -> None:
    tale = begun()
    tale.add(PODS, {**pod_for(tale.get("nginxpods.twinloop.dev", "web"), "web-9"), "status": {"phase": "Running"}})
    assert_violated(check(tale.rests().cleans().trial()), "in the end web has 3 living pods, not 2")


def test_a_trial_that_ended_early_shows_nothing() -> None:
    assert_unknown(check(begun().trial()), "before its quiet window")


def test_a_create_that_was_never_seen_shows_nothing() -> None:
    tale = begun()
    request = tale.asks("create", PODS, body={"metadata": {"name": "web-7"}})
    tale.answers(request, code=0, committed=201)
    assert_unknown(check(tale.rests().cleans().trial()), "nothing was seen")
