"""What the status says, and what it may not say: rules R10, R11, R13 and the status half of R4.

Left out: when a status is written (test_sync.py).
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from support.builders import (
    NOW,
    at,
    changed,
    condition,
    finished,
    foreign,
    nginxpod,
    pod,
    terminating,
    waiting,
)
from twinloop.nginxpod import Object
from twinloop.status import (
    MAX_MESSAGE,
    Difference,
    Refusals,
    conditions_of,
    difference,
    judge,
    message_of,
    reason_of,
)

NONE = Refusals()


def said(web: Object, *pods: Object, refusals: Refusals = NONE) -> tuple[str, str]:
    status = judge(web, pods, refusals, NOW)
    return reason_of(status), message_of(status)


def judged(web: Object, *pods: Object) -> Object:
    return {**web, "status": judge(web, pods, NONE, NOW)}


def test_all_wanted_pods_current_and_ready_is_ready() -> None:  # R10
    web = nginxpod(generation=7)
    status = judge(web, [pod(web, ordinal) for ordinal in range(3)], NONE, NOW)
    assert status == {
        "observedGeneration": 7,
        "replicas": 3,
        "readyReplicas": 3,
        "selector": "twinloop.dev/nginxpod=web",
        "conditions": [
            {
                "type": "Ready",
                "status": "True",
                "observedGeneration": 7,
                "lastTransitionTime": at(0),
                "reason": "AllReady",
                "message": "All 3 pods are ready",
            }
        ],
    }


def test_no_pods_wanted_and_none_left_is_ready() -> None:  # R10
    assert said(nginxpod(replicas=0)) == ("AllReady", "No pods are wanted and none are left")


def test_no_pods_wanted_but_one_left_is_progressing() -> None:  # R10
    web = nginxpod(replicas=0)
    reason, message = said(web, terminating(pod(web, 4), since=-5))
    assert reason == "Progressing"
    assert message == f"Pod web-4 is not wanted and terminating since {at(-5)}"


def test_replicas_count_pods_that_are_neither_terminating_nor_finished() -> None:  # R10
    web = nginxpod(replicas=4)
    pods = [pod(web, 0), pod(web, 1, ready=False), terminating(pod(web, 2)), finished(pod(web, 3)), foreign("web-9")]
    status = judge(web, pods, NONE, NOW)
    assert (status["replicas"], status["readyReplicas"]) == (2, 1)


def test_a_terminating_pod_that_is_still_ready_is_not_counted_as_ready() -> None:  # R10
    web = nginxpod(replicas=1)
    assert judge(web, [terminating(pod(web, 0))], NONE, NOW)["readyReplicas"] == 0


@pytest.mark.parametrize("ready", [True, False])
def test_an_outdated_pod_keeps_the_nginxpod_from_being_ready(ready: bool) -> None:  # R10
    web = nginxpod(replicas=1, image="nginx:2")
    assert said(web, pod(web, 0, image="nginx:1", ready=ready))[0] == "Progressing"


def test_the_message_names_the_first_pod_that_is_not_ready() -> None:  # R10
    web = nginxpod()
    assert said(web, pod(web, 0), pod(web, 1, ready=False))[1] == "Pod web-1 is not ready"
    assert said(web, pod(web, 0), pod(web, 2))[1] == "Pod web-1 does not exist yet"


@pytest.mark.parametrize(
    "reason", ["ImagePullBackOff", "ErrImagePull", "CrashLoopBackOff", "CreateContainerConfigError"]
)
def test_the_message_tells_why_a_container_waits(reason: str) -> None:  # R10
    web = nginxpod(replicas=1)
    assert said(web, waiting(pod(web, 0), reason))[1] == f"Pod web-0 is not ready: {reason}"


def test_an_ordinary_start_does_not_change_the_message() -> None:  # R11: each change would cost a write
    web = nginxpod(replicas=1)
    bare = {**pod(web, 0), "status": {"phase": "Pending"}}
    stages = [bare, waiting(pod(web, 0), "ContainerCreating"), pod(web, 0, ready=False)]
    assert {said(web, stage)[1] for stage in stages} == {"Pod web-0 is not ready"}


def test_the_message_tells_that_a_pod_cannot_be_scheduled() -> None:  # R10
    web = nginxpod(replicas=1)
    status = {"phase": "Pending", "conditions": [condition("PodScheduled", False, reason="Unschedulable")]}
    assert said(web, {**pod(web, 0), "status": status})[1] == "Pod web-0 is not ready: Unschedulable"


def test_the_message_tells_when_a_failed_pod_is_made_again() -> None:  # R6, R10
    web = nginxpod(replicas=1)
    message = said(web, finished(pod(web, 0, failures=2), ended=-5))[1]
    assert message == f"Pod web-0 has failed: Failed; it is made again at {at(15)}"


def test_a_foreign_pod_under_our_name_is_a_conflict_and_stalls() -> None:  # R4
    web = nginxpod()
    status = judge(web, [pod(web, 0), foreign("web-1"), pod(web, 2)], NONE, NOW)
    assert reason_of(status) == "NameConflict"
    assert "web-1" in message_of(status)
    assert conditions_of(status)["Stalled"]["status"] == "True"
    assert conditions_of(status)["Ready"]["status"] == "False"


def test_a_foreign_pod_that_leaves_is_progress_for_60_seconds_and_then_a_conflict() -> None:  # R4
    web = nginxpod(replicas=1)
    holder = terminating(foreign("web-0"), since=0)
    early = judge(web, [holder], NONE, NOW + timedelta(seconds=59))
    late = judge(web, [holder], NONE, NOW + timedelta(seconds=60))
    assert (reason_of(early), "Stalled" in conditions_of(early)) == ("Progressing", False)
    assert (reason_of(late), "Stalled" in conditions_of(late)) == ("NameConflict", True)


def test_the_stall_ends_with_its_cause() -> None:  # R4
    web = nginxpod(replicas=1)
    stalled = judged(web, foreign("web-0"))
    assert "Stalled" not in conditions_of(judge(stalled, [pod(web, 0)], NONE, NOW))


def test_an_invalid_spec_stalls_and_still_counts_pods() -> None:  # R13
    good = nginxpod()
    bad = nginxpod(replicas="many", generation=2)
    status = judge(bad, [pod(good, 0), pod(good, 1)], NONE, NOW)
    assert reason_of(status) == "InvalidSpec"
    assert message_of(status) == 'spec.replicas must be an integer from 0 to 100, not "many"'
    assert conditions_of(status)["Stalled"]["reason"] == "InvalidSpec"
    assert (status["replicas"], status["observedGeneration"]) == (2, 2)


def test_reasons_come_in_their_order() -> None:  # R10
    web = nginxpod(replicas=2)
    both = Refusals(create="quota", delete="forbidden")
    assert said(nginxpod(port=0), foreign("web-0"), refusals=both)[0] == "InvalidSpec"
    assert said(web, foreign("web-0"), refusals=both)[0] == "NameConflict"
    assert said(web, refusals=both) == ("PodCreateFailed", "quota")
    assert said(web, refusals=Refusals(delete="forbidden")) == ("PodDeleteFailed", "forbidden")
    assert said(web)[0] == "Progressing"


def test_a_refusal_is_reported_even_when_all_wanted_pods_are_ready() -> None:  # R12
    web = nginxpod(replicas=1)
    assert said(web, pod(web, 0), refusals=Refusals(delete="no"))[0] == "PodDeleteFailed"


def test_a_long_message_is_cut() -> None:  # R10
    status = judge(nginxpod(), [], Refusals(create="x" * 5000), NOW)
    assert len(message_of(status)) == MAX_MESSAGE


def test_the_transition_time_moves_only_with_the_status() -> None:  # R11
    web = nginxpod(replicas=1)
    first = judged(web, waiting(pod(web, 0), "ImagePullBackOff"))
    later = NOW + timedelta(seconds=90)
    other_reason = judge(first, [foreign("web-0")], NONE, later)
    ready = judge(first, [pod(web, 0)], NONE, later)
    assert conditions_of(other_reason)["Ready"]["lastTransitionTime"] == at(0)
    assert conditions_of(other_reason)["Stalled"]["lastTransitionTime"] == at(90)
    assert conditions_of(ready)["Ready"]["lastTransitionTime"] == at(90)


def test_conditions_of_other_types_are_kept_in_their_place() -> None:  # R11
    web = nginxpod(replicas=0)
    theirs = {"type": "Backup", "status": "True", "reason": "Done", "message": "", "lastTransitionTime": at(-9)}
    web["status"] = {"observedGeneration": 1, "conditions": [theirs]}
    assert next(iter(conditions_of(judge(web, [], NONE, NOW)).values())) == theirs


def test_an_unchanged_world_is_no_difference() -> None:  # R14
    web = judged(nginxpod(replicas=1), pod(nginxpod(replicas=1), 0))
    again = judge(web, [pod(web, 0)], NONE, NOW + timedelta(days=1))
    assert difference(web["status"], again) is Difference.NOTHING


def test_fields_that_somebody_else_keeps_in_the_status_are_no_difference() -> None:  # R14
    web = judged(nginxpod(replicas=0))
    web["status"]["theirs"] = 1
    assert difference(web["status"], judge(web, [], NONE, NOW)) is Difference.NOTHING


def test_a_changed_message_under_the_same_reason_is_words_and_anything_else_facts() -> None:  # R11
    web = nginxpod(replicas=1)
    pulling, backing_off = waiting(pod(web, 0), "ErrImagePull"), waiting(pod(web, 0), "ImagePullBackOff")
    first = judge(web, [pulling], NONE, NOW)
    seen = {**web, "status": first}
    assert difference(first, judge(seen, [backing_off], NONE, NOW)) is Difference.WORDS
    assert difference(first, judge(seen, [pod(web, 0)], NONE, NOW)) is Difference.FACTS
    assert difference(first, judge(changed(seen, generation=2), [pulling], NONE, NOW)) is Difference.FACTS
    assert difference(None, first) is Difference.FACTS


def test_a_condition_of_an_older_generation_is_facts() -> None:  # kubectl wait looks at it
    web = nginxpod(replicas=0)
    status = judge(web, [], NONE, NOW)
    older = {**status, "conditions": [{**status["conditions"][0], "observedGeneration": 0}]}
    assert difference(older, status) is Difference.FACTS
