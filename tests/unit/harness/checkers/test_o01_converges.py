"""O1: when the end is right, when it is not, and what was not seen.

Left out: what a right pod is in every detail (test_table.py).
"""

from __future__ import annotations

from support.histories import PODS, assert_ok, assert_unknown, assert_violated, begun, plain, plain_trial
from twinloop.harness.checkers.o01_converges import check
from twinloop.harness.history import Expect


def test_a_trial_in_which_everything_went_well() -> None:
    finding = check(plain_trial())
    assert_ok(finding)
    assert finding.numbers["converged"] == 0.0


def test_a_pod_that_is_missing_in_the_end() -> None:
    tale = begun()
    tale.user_edits(replicas=3)
    finding = check(tale.rests(ok=False).cleans().trial())
    assert_violated(finding, "web-0, web-1 and should have web-0, web-1, web-2")
    assert finding.numbers == {"converged": None, "never": 1, "breaches": 1}


def test_a_nginxpod_that_should_be_gone() -> None:
    tale = begun()
    tale.note(Expect(name="web", gone=True))
    assert_violated(check(tale.rests(ok=False).cleans().trial()), "in the end NginxPod web is still there")


def test_a_pod_that_belongs_to_a_namesake_does_not_count() -> None:
    tale = begun()
    tale.user_patches(PODS, "web-1", lambda pod: pod["metadata"]["ownerReferences"][0].update(uid="of-a-namesake"))
    assert_violated(check(tale.rests(ok=False).cleans().trial()), "has the pods web-0 and should have")


def test_a_name_that_nobody_ever_had_is_gone() -> None:
    tale = begun()
    tale.note(Expect(name="nobody", gone=True))
    assert_ok(check(tale.rests().cleans().trial()))


def test_what_was_deleted_is_gone() -> None:
    tale = begun()
    tale.user_creates("other")
    tale.serves("other")
    tale.user_deletes("other")
    assert_ok(check(tale.rests().cleans().trial()))


def test_what_holds_only_for_a_moment() -> None:
    tale = begun()
    tale.settles()
    tale.becomes("web-0", ready=False)
    tale.becomes("web-0", ready=True)
    tale.after(0.6).mark("quiet-end")
    assert_violated(check(tale.cleans().trial()), "in the quiet window pod web-0 is not ready")


def test_what_comes_true_later_than_the_bound() -> None:
    tale = begun()
    tale.user_edits(replicas=3)
    tale.settles(ok=False, patience=15.0)
    tale.serves()
    tale.after(0.6).mark("quiet-end")
    assert_violated(check(tale.cleans().trial()), "was right only 15.")


def test_a_table_on_the_way_that_never_held() -> None:
    tale = begun()
    tale.mark("phase", ok=False, detail="web-1 is missing")
    assert_violated(check(tale.rests().cleans().trial()), "on the way: web-1 is missing")


def test_how_long_it_took_is_counted_from_the_last_fault() -> None:
    tale = begun()
    tale.user_edits(replicas=3)
    tale.mark("story-end")
    tale.mark("faults-over")
    tale.after(2.0).serves()
    tale.mark("settled")
    tale.mark("quiet-begin")
    tale.after(0.6).mark("quiet-end")
    assert 2.0 <= check(tale.cleans().trial()).numbers["converged"] < 2.5


def test_a_trial_that_ended_early_shows_nothing() -> None:
    assert_unknown(check(begun().settles().trial()), "before its quiet window")


def test_a_story_that_expects_nothing_shows_nothing() -> None:
    tale = plain()
    tale.records = [each for each in tale.records if each.kind != "expect"]
    assert_unknown(check(tale.trial()), "expects nothing")
