"""O14: what keeps a deleted NginxPod, and who serves one that is going.

Left out: its pods (test_o02_no_orphan.py).
"""

from __future__ import annotations

from typing import Any

from support.histories import NGINXPODS, Tale, assert_ok, assert_unknown, assert_violated, begun, plain_trial
from twinloop.harness.checkers.o14_deletion import check

HOLD = "example.com/hold"


def leaving(tale: Tale) -> None:
    """The user deletes web, and something keeps it."""
    tale.user_patches(NGINXPODS, "web", lambda obj: obj["metadata"].update(deletionTimestamp="T"))


def held(tale: Tale) -> Any:
    """The clean-up, in vain."""
    tale.rests().mark("cleanup-begin")
    leaving(tale)
    tale.after(15.0).mark("cleanup-end", ok=False)
    return tale.closes().trial()


def finalized(tale: Tale, finalizers: list[str]) -> None:
    """The operator changes the finalizers."""
    tale.patches(NGINXPODS, "web", {"metadata": {"finalizers": finalizers}})


def test_everything_goes() -> None:
    finding = check(plain_trial())
    assert_ok(finding)
    assert finding.numbers == {"deleted": 1, "finalizers": 0}


def test_it_stays_for_no_reason() -> None:
    assert_violated(check(held(begun())), "web was deleted and is still there")


def test_the_operators_finalizer_holds_it() -> None:
    tale = begun()
    finalized(tale, ["kopf.zalando.org/KopfFinalizerMarker"])
    assert_violated(check(held(tale)), "held by the operator's finalizer kopf.zalando.org/KopfFinalizerMarker")


def test_somebody_elses_finalizer_holds_it() -> None:
    tale = begun()
    tale.user_patches(NGINXPODS, "web", lambda obj: obj["metadata"].update(finalizers=[HOLD]))
    assert_ok(check(held(tale)))


def test_a_finalizer_that_was_taken_away_in_time_is_counted() -> None:
    tale = begun()
    finalized(tale, [HOLD])
    finalized(tale, [])
    finding = check(tale.rests().cleans().trial())
    assert_ok(finding)
    assert finding.numbers["finalizers"] == 1


def test_a_pod_for_a_nginxpod_on_its_way_out() -> None:
    tale = begun()
    leaving(tale)
    tale.after(2.0).deletes("web-1")
    tale.makes("web", "web-1")
    assert_violated(check(tale.rests().cleans().trial()), "create pods web-1: its NginxPod had been on its way out")


def test_who_did_not_know_yet_is_excused() -> None:
    tale = begun()
    leaving(tale)
    tale.makes("web", "web-2")
    assert_ok(check(tale.rests().cleans().trial()))


def test_a_trial_that_ended_early_shows_nothing() -> None:
    assert_unknown(check(begun().rests().trial()), "before everything was deleted")


def test_without_a_deletion_nothing_was_seen() -> None:
    tale = Tale().begins().rests()
    assert_unknown(check(tale.cleans().trial()), "nothing was deleted")
