"""O2: pods that are left behind, and pods that are nobody's fault.

Left out: the garbage collector itself, which is the API server's.
"""

from __future__ import annotations

from support.histories import NGINXPODS, PODS, Tale, assert_ok, assert_unknown, assert_violated, begun, plain_trial
from twinloop.harness.checkers.o02_no_orphan import COLLECTION, check


def test_nothing_is_left_behind() -> None:
    assert_ok(check(plain_trial()))


def test_a_pod_without_an_owner() -> None:
    tale = begun()
    tale.makes("web", "web-5", metadata={"ownerReferences": None})
    assert_violated(check(tale.rests().cleans().trial()), "pod web-5 has no living owner")


def uncollected(after: float) -> Tale:
    tale = begun()
    tale.remove(NGINXPODS, "web")
    tale.after(after)
    return tale.rests().cleans()


def test_pods_of_an_owner_that_is_long_gone() -> None:
    assert_violated(check(uncollected(COLLECTION).trial()), "pod web-1 has no living owner")


def test_the_garbage_collector_gets_a_moment() -> None:
    tale = begun()
    tale.settles().after(0.6)
    tale.remove(NGINXPODS, "web")
    tale.mark("quiet-end")
    for name in ("web-0", "web-1"):
        tale.remove(PODS, name)
    assert_ok(check(tale.cleans().trial()))


def test_a_pod_on_its_way_out_is_not_left() -> None:
    tale = begun()
    for name in ("web-0", "web-1"):
        tale.leaves(name)
    tale.remove(NGINXPODS, "web")
    assert_ok(check(tale.after(10.0).rests().cleans().trial()))


def test_a_stranger_with_our_labels_is_not_ours() -> None:
    tale = begun()
    tale.stranger("stray", labels={"app.kubernetes.io/managed-by": "twinloop", "twinloop.dev/nginxpod": "web"})
    assert_ok(check(tale.rests().cleans().trial()))


def test_who_strips_the_owner_makes_a_stranger() -> None:
    tale = begun()
    tale.user_patches(PODS, "web-0", lambda pod: pod["metadata"].pop("ownerReferences"))
    assert_ok(check(tale.rests().cleans().trial()))


def test_what_is_left_after_everything_was_deleted() -> None:
    tale = begun().rests()
    tale.mark("cleanup-begin")
    tale.remove(NGINXPODS, "web")
    tale.after(15.0).mark("cleanup-end", ok=False)
    assert_violated(check(tale.closes().trial()), "still there after all NginxPods were deleted (and 1 more)")


def test_a_trial_that_ended_early_shows_nothing() -> None:
    assert_unknown(check(begun().trial()), "before its quiet window")


def test_a_trial_without_its_end_shows_half() -> None:
    assert_unknown(check(begun().rests().trial()), "before everything was deleted")
