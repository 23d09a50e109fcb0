"""O4: whose pod it is, by uid and by nothing else.

Left out: deleting by labels (test_o11_safe_destruction.py).
"""

from __future__ import annotations

from support.histories import NGINXPODS, PODS, assert_ok, assert_unknown, assert_violated, begun, plain_trial, pod_for
from twinloop.harness.checkers.o04_ownership import check


def test_all_pods_have_the_right_owner() -> None:
    assert_ok(check(plain_trial()))


def test_a_pod_that_is_made_without_an_owner() -> None:
    tale = begun()
    tale.makes("web", "web-2", metadata={"ownerReferences": None})
    assert_violated(check(tale.rests().cleans().trial()), "create pods web-2: the pod has no controller")


def test_a_pod_that_is_made_for_somebody_elses_kind() -> None:
    tale = begun()
    tale.makes(
        "web",
        "web-2",
        metadata={"ownerReferences": [{"kind": "ReplicaSet", "name": "web", "uid": "x", "controller": True}]},
    )
    assert_violated(check(tale.rests().cleans().trial()), "its controller is ReplicaSet web")


def test_a_pod_that_is_made_for_an_invented_uid() -> None:
    tale = begun()
    owner = {
        "apiVersion": "twinloop.dev/v1alpha1",
        "kind": "NginxPod",
        "name": "web",
        "uid": "nobody",
        "controller": True,
    }
    tale.makes("web", "web-2", metadata={"ownerReferences": [owner]})
    assert_violated(check(tale.rests().cleans().trial()), "no NginxPod ever had the uid nobody")


def test_a_pod_that_is_made_for_an_owner_long_gone() -> None:
    tale = begun()
    body = pod_for(tale.get(NGINXPODS, "web"), "web-0")
    tale.user_deletes()
    tale.after(2.0)
    tale.makes("web", "web-0", body=body)
    assert_violated(check(tale.rests().cleans().trial()), "its owner web had been gone for longer than 1 s")


def test_an_owner_that_went_a_moment_ago_excuses() -> None:
    tale = begun()
    body = pod_for(tale.get(NGINXPODS, "web"), "web-0")
    tale.user_deletes()
    tale.makes("web", "web-0", body=body)
    tale.remove(PODS, "web-0")
    assert_ok(check(tale.rests().cleans().trial()))


def test_a_stranger_is_deleted() -> None:
    tale = begun()
    tale.stranger("web-2", labels={"twinloop.dev/nginxpod": "web"})
    request = tale.deletes("web-2")
    assert_violated(check(tale.rests().cleans().trial()), "delete pods web-2: the pod is somebody else's", request.seq)


def test_a_stranger_is_changed() -> None:
    tale = begun()
    pod = tale.stranger("web-2")
    request = tale.asks("patch", PODS, "web-2", body={"metadata": {"labels": {"mine": "now"}}})
    tale.put(PODS, "web-2", lambda each: each["metadata"].update(labels={"mine": "now"}))
    tale.answers(request, body=pod)
    assert_violated(check(tale.rests().cleans().trial()), "patch pods web-2: the pod is somebody else's")


def test_a_stranger_that_refused_to_go_is_a_stranger_untouched() -> None:
    tale = begun()
    pod = tale.stranger("web-2")
    request = tale.asks("delete", PODS, "web-2", body={"preconditions": {"uid": pod["metadata"]["uid"]}})
    tale.refused(request, 403)
    assert_ok(check(tale.rests().cleans().trial()))


def test_the_garbage_of_a_namesake_is_not_ours() -> None:
    tale = begun()
    tale.remove(NGINXPODS, "web")
    tale.after(3.0)
    tale.user_creates("web", replicas=2)
    tale.deletes("web-1")
    assert_violated(check(tale.rests().cleans().trial()), "its owner web had been gone")


def test_an_answer_that_was_lost_changes_nothing_about_the_deed() -> None:
    tale = begun()
    tale.stranger("web-2")
    tale.deletes("web-2", code=0, committed=200, body=None)
    assert_violated(check(tale.rests().cleans().trial()), "somebody else's")


def test_a_trial_that_ended_early_shows_nothing() -> None:
    assert_unknown(check(begun().trial()), "before its quiet window")
