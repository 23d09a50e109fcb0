"""O12: variants beside each other, at their ends and in what they created and deleted.

Left out: how their times compare, which is no oracle's question.
"""

from __future__ import annotations

from support.histories import NGINXPODS, PODS, Tale, assert_ok, assert_unknown, assert_violated, begun, plain
from twinloop.harness.checkers.o12_same_as_others import check_many, racing
from twinloop.harness.checkers.trial_view import Trial


def told(variant: str, *, plan: str = "") -> Tale:
    tale = Tale(variant=variant, plan=plan).begins()
    tale.user_creates("web", replicas=2)
    tale.serves("web")
    return tale.after(5.0)


def end(tale: Tale) -> Trial:
    return tale.rests().cleans().trial()


def labelled(variant: str, value: str) -> Trial:
    tale = told(variant)
    tale.put(PODS, "web-0", lambda pod: pod["metadata"]["labels"].update(extra=value))
    return end(tale)


def test_the_same_end() -> None:
    finding = check_many([end(told("one")), end(told("two"))])
    assert_ok(finding)
    assert finding.message == "one and two came to the same end"


def test_names_times_and_words_are_nobodys_difference() -> None:
    other = told("two")
    other.uids += 10
    other.number += 1000
    other.says(
        conditions=[{**other.true_status()["conditions"][0], "message": "in other words", "lastTransitionTime": "T1"}]
    )
    assert_ok(check_many([end(told("one")), end(other)]))


def test_another_label() -> None:
    finding = check_many([end(told("one")), labelled("two", "x")])
    assert_violated(finding, 'two beside one: pods.web-0.labels.extra is "x" here and missing there')


def test_another_condition() -> None:
    other = told("two")
    other.says(conditions=[{**other.true_status()["conditions"][0], "reason": "Fine"}])
    assert_violated(check_many([end(told("one")), end(other)]), "nginxpods.web.status.conditions.Ready.reason")


def test_what_differs_between_two_trials_of_one_variant_is_chance() -> None:
    assert_ok(check_many([end(told("one")), labelled("two", "x"), labelled("two", "y")]))


def test_plans_are_compared_with_their_own() -> None:
    trials = [end(told("one")), end(told("two")), end(told("one", plan="cut")), end(told("two", plan="cut"))]
    assert_ok(check_many(trials))


def churned(variant: str) -> Tale:
    tale = told(variant)
    tale.deletes("web-1")
    tale.serves("web")
    return tale


def test_other_deletes_and_creates_on_a_calm_day() -> None:
    finding = check_many([end(told("one")), end(churned("two"))])
    assert_violated(finding, "create web-1 is 2 here and 1 there")


def test_other_deletes_and_creates_under_a_fault_are_chance() -> None:
    tale = churned("two")
    tale.fault("abort")
    assert_ok(check_many([end(told("one")), end(tale)]))


def test_who_never_came_to_rest_cannot_be_compared() -> None:
    broken = told("two").rests(ok=False).cleans().trial()
    assert_unknown(check_many([end(told("one")), broken]), "fewer than two variants")


def test_one_variant_has_nobody_beside_it() -> None:
    assert_unknown(check_many([end(told("one"))]), "fewer than two variants")


def test_a_base_that_never_rested_is_no_base() -> None:
    broken = told("one").rests(ok=False).cleans().trial()
    assert_unknown(check_many([broken, end(told("two")), end(told("three"))]), "fewer than two variants")


# ------------------------------------------------------------------ racing


def test_who_waits_does_not_race() -> None:
    tale = begun()
    tale.user_edits(replicas=3)
    tale.serves()
    assert not racing(end(tale))


def test_who_changes_it_again_at_once_races() -> None:
    tale = begun()
    tale.user_edits(replicas=3)
    tale.user_edits(replicas=1)
    tale.serves()
    assert racing(end(tale))


def test_who_deletes_a_pod_under_way_races() -> None:
    tale = begun()
    tale.user_edits(replicas=3)
    tale.remove(PODS, "web-1")
    tale.said("delete", PODS, "web-1")
    tale.serves()
    assert racing(end(tale))


def test_any_fault_makes_a_race() -> None:
    tale = plain()
    tale.fault("cut")
    assert racing(tale.trial())


def test_a_new_object_races_with_nobody() -> None:
    tale = begun()
    tale.user_creates("other")
    assert (NGINXPODS, "other") in tale.objects
    tale.serves("other")
    assert not racing(end(tale))


def test_who_deletes_what_was_only_just_created_races() -> None:
    tale = begun()
    tale.user_creates("brief")
    tale.user_deletes("brief")
    assert racing(end(tale))


def test_who_deletes_what_was_done_does_not() -> None:
    tale = begun()
    tale.user_deletes()
    assert not racing(end(tale))


def test_two_replicas_race_with_each_other() -> None:
    assert racing(end(begun().up("b")))
