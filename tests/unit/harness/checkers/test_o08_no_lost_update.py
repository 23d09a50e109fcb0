"""O8: what others have written, and who may change it.

Left out: creates and deletes, which replace nothing.
"""

from __future__ import annotations

from typing import Any

import pytest

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
from twinloop.harness.checkers.o08_no_lost_update import check

NOTE = {"example.com/note": "keep me"}
AUDITED = {"type": "Audited", "status": "True"}


def noted() -> Tale:
    """Somebody leaves a label, an annotation, a finalizer and a condition."""
    tale = begun()

    def change(obj: dict[str, Any]) -> None:
        obj["metadata"].update(labels=dict(NOTE), annotations=dict(NOTE), finalizers=["example.com/hold"])
        obj["status"]["conditions"].append(dict(AUDITED))

    tale.user_patches(NGINXPODS, "web", change)
    return tale


def end(tale: Tale) -> Any:
    return tale.rests().cleans().trial()


def test_nothing_of_others_was_there() -> None:
    assert_ok(check(plain_trial()))


def test_what_others_wrote_stays() -> None:
    tale = noted()
    conditions = [*tale.true_status()["conditions"], AUDITED]
    tale.says(conditions=conditions)
    assert_ok(check(end(tale)))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"metadata": {"labels": {"example.com/note": None}}}, "removed metadata.labels.example.com/note of web"),
        ({"metadata": {"annotations": None}}, "removed metadata.annotations.example.com/note of web"),
        ({"metadata": {"finalizers": []}}, "removed metadata.finalizers.example.com/hold of web"),
        ({"spec": {"replicas": 7}}, "overwrote with 7 spec.replicas of web"),
        ({"status": {"conditions": []}}, "removed status.conditions.Audited of web"),
    ],
)
def test_what_others_wrote_is_lost(changes: dict[str, Any], words: str) -> None:
    tale = noted()
    tale.patches(NGINXPODS, "web", changes)
    assert_violated(check(end(tale)), f"the operator {words}")


def test_its_own_part_of_the_status_is_its_own() -> None:
    tale = noted()
    tale.user_patches(NGINXPODS, "web", lambda obj: obj["status"].update(replicas=77))
    tale.says(conditions=[*tale.true_status()["conditions"], AUDITED])
    assert_ok(check(end(tale)))


def test_what_it_wrote_itself_it_may_take_back() -> None:
    tale = begun()
    tale.patches(NGINXPODS, "web", {"metadata": {"annotations": {"kopf.zalando.org/progress": "{}"}}})
    tale.patches(NGINXPODS, "web", {"metadata": {"annotations": {"kopf.zalando.org/progress": None}}})
    assert_ok(check(end(tale)))


def test_what_somebody_changed_after_it_is_somebody_elses() -> None:
    tale = begun()
    tale.patches(NGINXPODS, "web", {"metadata": {"labels": {"a": "1"}}})
    tale.user_patches(NGINXPODS, "web", lambda obj: obj["metadata"].update(labels={"a": "2"}))
    tale.patches(NGINXPODS, "web", {"metadata": {"labels": {"a": "1"}}})
    assert_violated(check(end(tale)), "overwrote with '1' metadata.labels.a of web")


def test_an_annotation_of_a_pod() -> None:
    tale = begun()
    tale.user_patches(PODS, "web-0", lambda pod: pod["metadata"].update(annotations=dict(NOTE)))
    tale.patches(PODS, "web-0", {"metadata": {"annotations": None}})
    assert_violated(check(end(tale)), "metadata.annotations.example.com/note of web-0")


def test_an_answer_that_was_lost_is_held_against_nobody() -> None:
    tale = noted()
    tale.patches(NGINXPODS, "web", {"spec": {"replicas": 7}}, body=None, code=0, committed=200)
    assert_ok(check(end(tale)))


@pytest.mark.parametrize(("version", "good"), [("105", True), ("", False)])
def test_a_whole_object_needs_its_version(version: str, good: bool) -> None:
    tale = begun()
    metadata = {"name": "web", **({"resourceVersion": version} if version else {})}
    tale.refused(tale.asks("update", NGINXPODS, "web", body={"metadata": metadata}), 409)
    finding = check(end(tale))
    assert_ok(finding) if good else assert_violated(finding, "without saying which version")


def test_a_trial_that_ended_early_shows_nothing() -> None:
    assert_unknown(check(begun().trial()), "before its quiet window")
