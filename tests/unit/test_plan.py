"""The plan, rule by rule: each test names the rule of the design that it checks.

Left out: what the server refuses and what is said about it (test_sync.py, test_status.py), and sequences of plans
(test_plan_model.py).
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from support.builders import NOW, at, changed, finished, foreign, names, nginxpod, pod, terminating, waiting
from twinloop.nginxpod import ANNOTATION_FAILURES, LABEL_NGINXPOD, LABEL_TEMPLATE, Object, is_current, parse_spec
from twinloop.plan import Plan, plan

IDLE = Plan()


def pods_of(web: Object, count: int = 3, **kwargs: object) -> list[Object]:
    return [pod(web, ordinal, **kwargs) for ordinal in range(count)]  # type: ignore[arg-type]


# --- R1, R2 -----------------------------------------------------------------------------------------------------------


def test_missing_pods_are_created_with_ordinals_from_zero() -> None:  # R1
    decided = plan(nginxpod(), [], NOW)
    assert names(decided.creations) == ["web-0", "web-1", "web-2"]
    assert decided.deletions == ()


def test_only_the_missing_ordinal_is_created() -> None:  # R1
    web = nginxpod()
    assert names(plan(web, [pod(web, 0), pod(web, 2)], NOW).creations) == ["web-1"]


def test_a_created_pod_carries_what_rule_2_asks() -> None:  # R2
    web = nginxpod(image="nginx:2", port=8081, replicas=1)
    (made,) = plan(web, [], NOW).creations
    assert made["metadata"]["labels"] == {
        "app.kubernetes.io/name": "nginx",
        "app.kubernetes.io/instance": "web",
        "app.kubernetes.io/managed-by": "twinloop",
        LABEL_NGINXPOD: "web",
        LABEL_TEMPLATE: parse_spec(web).template,
    }
    (owner,) = made["metadata"]["ownerReferences"]
    assert owner["uid"] == "uid-web"
    assert owner["controller"] is True
    assert owner["blockOwnerDeletion"] is True
    (container,) = made["spec"]["containers"]
    assert container["image"] == "nginx:2"
    assert container["ports"][0]["containerPort"] == 8081
    assert container["readinessProbe"]["tcpSocket"]["port"] == 8081
    assert container["imagePullPolicy"] == "IfNotPresent"
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert made["spec"]["restartPolicy"] == "Always"
    assert made["spec"]["automountServiceAccountToken"] is False


def test_a_created_pod_is_current_by_its_own_rule() -> None:  # R2, R3
    web = nginxpod()
    assert all(is_current(web, parse_spec(web), made) for made in plan(web, [], NOW).creations)


def test_the_template_hash_depends_on_image_and_port_alone() -> None:  # R2
    assert parse_spec(nginxpod(replicas=1)).template == parse_spec(nginxpod("other", replicas=9)).template
    assert parse_spec(nginxpod(image="a")).template != parse_spec(nginxpod(image="b")).template
    assert parse_spec(nginxpod(port=1)).template != parse_spec(nginxpod(port=2)).template


# --- R3 ---------------------------------------------------------------------------------------------------------------


def test_a_converged_state_plans_nothing() -> None:  # R14
    web = nginxpod()
    assert plan(web, pods_of(web), NOW) == IDLE


def test_labels_alone_are_not_ownership() -> None:  # R3
    web = nginxpod(replicas=0)
    orphan = changed(pod(web, 0), ownerReferences=[])
    assert plan(web, [orphan], NOW) == IDLE


def test_an_owner_that_is_not_the_controller_does_not_count() -> None:  # R3
    web = nginxpod(replicas=0)
    owners = [{**pod(web, 0)["metadata"]["ownerReferences"][0], "controller": False}]
    assert plan(web, [changed(pod(web, 0), ownerReferences=owners)], NOW) == IDLE


@pytest.mark.parametrize("key", [LABEL_NGINXPOD, LABEL_TEMPLATE, "app.kubernetes.io/instance"])
def test_a_relabelled_pod_of_ours_is_outdated(key: str) -> None:  # R3
    web = nginxpod(replicas=1)
    labels = pod(web, 0)["metadata"]["labels"] | {key: "other"}
    assert names(plan(web, [changed(pod(web, 0), labels=labels)], NOW).deletions) == ["web-0"]


def test_a_live_pod_with_a_patched_image_is_outdated_although_its_labels_are_right() -> None:  # R3
    web = nginxpod(replicas=1)
    patched = pod(web, 0)
    patched["spec"]["containers"][0]["image"] = "nginx:patched"
    assert names(plan(web, [patched], NOW).deletions) == ["web-0"]


def test_additional_labels_and_annotations_are_no_difference() -> None:  # R3
    web = nginxpod(replicas=1)
    labels = pod(web, 0)["metadata"]["labels"] | {"team": "a"}
    assert plan(web, [changed(pod(web, 0), labels=labels, annotations={"note": "x"})], NOW) == IDLE


# --- R4 ---------------------------------------------------------------------------------------------------------------


def test_a_foreign_pod_under_our_name_is_left_alone_and_the_others_are_made() -> None:  # R4
    decided = plan(nginxpod(), [foreign("web-1")], NOW)
    assert names(decided.creations) == ["web-0", "web-2"]
    assert decided.deletions == ()
    assert decided.again is None


def test_a_foreign_pod_that_terminates_is_waited_for_up_to_60_seconds() -> None:  # R4
    web = nginxpod(replicas=1)
    assert plan(web, [terminating(foreign("web-0"), since=-20)], NOW).again == 40
    assert plan(web, [terminating(foreign("web-0"), since=-61)], NOW).again is None


def test_a_pod_left_behind_by_an_earlier_nginxpod_of_our_name_is_waited_for_since_our_creation() -> None:  # R4
    web = changed(nginxpod(replicas=1), creationTimestamp=at(-10))
    garbage = pod(nginxpod(uid="earlier"), 0)
    decided = plan(web, [garbage], NOW)
    assert decided.again == 50
    assert not decided.deletions
    assert not decided.creations


def test_a_pod_of_another_kind_of_owner_with_our_name_is_not_left_behind() -> None:  # R4
    web = changed(nginxpod(replicas=1), creationTimestamp=at(-10))
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "rs", "controller": True}
    assert plan(web, [changed(pod(web, 0), ownerReferences=[owner])], NOW).again is None


def test_a_foreign_pod_that_holds_a_name_does_not_block_a_rollout() -> None:  # R4, R5
    web = nginxpod(image="nginx:2")
    old = [pod(web, 0, image="nginx:1"), foreign("web-1"), pod(web, 2, image="nginx:1")]
    assert names(plan(web, old, NOW).deletions) == ["web-2"]


# --- R5 ---------------------------------------------------------------------------------------------------------------


def test_outdated_pods_go_one_at_a_time_highest_ordinal_first() -> None:  # R5
    web = nginxpod(image="nginx:2")
    assert names(plan(web, pods_of(web, image="nginx:1"), NOW).deletions) == ["web-2"]


def test_the_next_outdated_pod_waits_while_one_terminates() -> None:  # R5
    web = nginxpod(image="nginx:2")
    old = pods_of(web, image="nginx:1")
    assert plan(web, [*old[:2], terminating(old[2])], NOW).deletions == ()


def test_the_next_outdated_pod_waits_until_the_successor_exists() -> None:  # R5
    web = nginxpod(image="nginx:2")
    decided = plan(web, pods_of(web, 2, image="nginx:1"), NOW)
    assert names(decided.creations) == ["web-2"]
    assert decided.deletions == ()


def test_the_next_outdated_pod_waits_until_the_successor_is_ready() -> None:  # R5
    web = nginxpod(image="nginx:2")
    old = pods_of(web, 2, image="nginx:1")
    assert plan(web, [*old, pod(web, 2, ready=False)], NOW) == IDLE
    assert names(plan(web, [*old, pod(web, 2)], NOW).deletions) == ["web-1"]


def test_an_outdated_pod_that_is_not_ready_goes_first_and_waits_for_nobody() -> None:  # R5
    web = nginxpod(image="nginx:3")
    broken = waiting(pod(web, 0, image="nginx:2"), "ImagePullBackOff")
    pods = [broken, pod(web, 1, ready=False), pod(web, 2, image="nginx:1")]
    assert names(plan(web, pods, NOW).deletions) == ["web-0"]


def test_a_bad_image_takes_one_pod_and_no_more() -> None:  # R5
    web = nginxpod(image="nginx:bad")
    stuck = waiting(pod(web, 2), "ImagePullBackOff")
    assert plan(web, [*pods_of(web, 2, image="nginx:1"), stuck], NOW) == IDLE


def test_two_outdated_pods_that_are_not_ready_still_go_one_at_a_time() -> None:  # R5
    web = nginxpod(image="nginx:2", replicas=2)
    old = pods_of(web, 2, image="nginx:1", ready=False)
    assert names(plan(web, old, NOW).deletions) == ["web-1"]
    assert plan(web, [old[0], terminating(old[1])], NOW).deletions == ()


def test_a_finished_pod_that_waits_for_its_turn_holds_up_pods_that_are_ready_only() -> None:  # R5, R6
    web = nginxpod(image="nginx:2", replicas=3)
    resting = finished(pod(web, 0, failures=3))
    ready, broken = pod(web, 1, image="nginx:1"), pod(web, 2, image="nginx:1", ready=False)
    assert names(plan(web, [resting, ready, broken], NOW).deletions) == ["web-2"]
    assert plan(web, [resting, ready, pod(web, 2)], NOW).deletions == ()


def test_no_outdated_pod_goes_in_the_round_that_replaces_a_finished_one() -> None:  # R5
    web = nginxpod(image="nginx:2", replicas=2)
    decided = plan(web, [finished(pod(web, 0)), pod(web, 1, image="nginx:1", ready=False)], NOW)
    assert names(decided.deletions) == ["web-0"]


def test_a_pod_that_a_webhook_changed_on_its_way_in_is_not_replaced_in_a_hot_loop() -> None:  # R5
    web = nginxpod(replicas=1)
    mirrored = changed(pod(web, 0, ready=False), creationTimestamp=at(-3))
    mirrored["spec"]["containers"][0]["image"] = "mirror.example/nginx:1"
    assert plan(web, [mirrored], NOW) == Plan(again=7.0)
    assert names(plan(web, [mirrored], NOW + timedelta(seconds=7)).deletions) == ["web-0"]


def test_a_pod_of_an_older_template_is_replaced_however_young_it_is() -> None:  # R5
    web = nginxpod(replicas=1, image="nginx:2")
    young = changed(pod(web, 0, image="nginx:1"), creationTimestamp=at(-1))
    assert names(plan(web, [young], NOW).deletions) == ["web-0"]


# --- R6 ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
def test_a_finished_pod_is_deleted_and_made_again_at_once_the_first_time(phase: str) -> None:  # R6
    web = nginxpod()
    decided = plan(web, [pod(web, 0), finished(pod(web, 1), phase=phase), pod(web, 2)], NOW)
    assert names(decided.deletions) == ["web-1"]
    assert names(decided.creations) == ["web-1"]
    assert decided.creations[0]["metadata"]["annotations"] == {ANNOTATION_FAILURES: "1"}


@pytest.mark.parametrize(
    ("failures", "delay"), [(1, 10), (2, 20), (3, 40), (4, 80), (5, 160), (6, 300), (7, 300), (999999, 300)]
)
def test_later_failures_wait_twice_as_long_each_time_up_to_five_minutes(failures: int, delay: int) -> None:  # R6
    web = nginxpod(replicas=1)
    failed = finished(pod(web, 0, failures=failures), ended=0)
    assert plan(web, [failed], NOW) == Plan(again=delay)
    late = plan(web, [failed], NOW + timedelta(seconds=delay))
    assert names(late.deletions) == ["web-0"]
    assert late.creations[0]["metadata"]["annotations"] == {ANNOTATION_FAILURES: str(failures + 1)}


def test_ten_ready_minutes_wipe_the_slate() -> None:  # R6
    web = nginxpod(replicas=1)
    decided = plan(web, [finished(pod(web, 0, failures=5), ran=601)], NOW)
    assert decided.creations[0]["metadata"]["annotations"] == {ANNOTATION_FAILURES: "1"}


def test_ten_minutes_of_running_without_being_ready_do_not() -> None:  # R6
    web = nginxpod(replicas=1)
    assert plan(web, [finished(pod(web, 0, failures=5), ran=601, ready=False)], NOW).deletions == ()


def test_a_finished_pod_of_an_older_template_is_replaced_at_once_and_counts_anew() -> None:  # R6
    web = nginxpod(image="nginx:2", replicas=1)
    decided = plan(web, [finished(pod(web, 0, image="nginx:1", failures=6))], NOW)
    assert names(decided.deletions) == ["web-0"]
    assert "annotations" not in decided.creations[0]["metadata"]


def test_a_kubelet_whose_clock_is_ahead_does_not_lengthen_the_wait() -> None:  # R6
    web = nginxpod(replicas=1)
    assert plan(web, [finished(pod(web, 0, failures=1), ended=3600)], NOW).again == 10


def test_a_mangled_failure_count_counts_as_none() -> None:  # R6
    web = nginxpod(replicas=1)
    odd = changed(finished(pod(web, 0)), annotations={ANNOTATION_FAILURES: "-3 or so"})
    assert names(plan(web, [odd], NOW).deletions) == ["web-0"]


def test_a_finished_pod_without_any_times_is_replaced() -> None:  # R6
    web = nginxpod(replicas=1)
    bare = {**pod(web, 0), "status": {"phase": "Failed"}}
    assert names(plan(web, [bare], NOW).deletions) == ["web-0"]


def test_a_terminating_pod_is_waited_for() -> None:  # R6
    web = nginxpod(replicas=1)
    assert plan(web, [terminating(pod(web, 0))], NOW) == IDLE
    assert plan(web, [terminating(finished(pod(web, 0)))], NOW) == IDLE


# --- R7 ---------------------------------------------------------------------------------------------------------------


def test_scaling_down_deletes_all_surplus_at_once_highest_ordinals_first() -> None:  # R7
    web = nginxpod(replicas=1)
    twelve = [pod(web, ordinal) for ordinal in range(12)]
    assert names(plan(web, twelve, NOW).deletions) == [f"web-{ordinal}" for ordinal in range(11, 0, -1)]


def test_scaling_to_zero_deletes_everything() -> None:  # R7
    web = nginxpod(replicas=0)
    assert names(plan(web, pods_of(web), NOW).deletions) == ["web-2", "web-1", "web-0"]


@pytest.mark.parametrize("name", ["web-01", "web-x", "web", "web-1-0", "other-0"])
def test_a_pod_of_ours_under_any_other_name_is_surplus(name: str) -> None:  # R7
    web = nginxpod(replicas=1)
    odd = changed(pod(web, 1), name=name)
    assert names(plan(web, [pod(web, 0), odd], NOW).deletions) == [name]


def test_surplus_that_terminates_is_not_deleted_twice() -> None:  # R7
    web = nginxpod(replicas=0)
    assert plan(web, [terminating(pod(web, 0))], NOW) == IDLE


def test_surplus_goes_before_the_rollout_and_beside_it() -> None:  # R5, R7
    web = nginxpod(image="nginx:2", replicas=2)
    assert names(plan(web, pods_of(web, 3, image="nginx:1"), NOW).deletions) == ["web-2", "web-1"]


# --- R9, R13 ----------------------------------------------------------------------------------------------------------


def test_a_nginxpod_that_is_being_deleted_is_left_alone() -> None:  # R9
    assert plan(terminating(nginxpod()), [], NOW) == IDLE


@pytest.mark.parametrize(
    "spec",
    [
        {"replicas": -1},
        {"replicas": 101},
        {"replicas": "3"},
        {"replicas": True},
        {"replicas": 1.5},
        {"image": ""},
        {"image": "x" * 513},
        {"image": None},
        {"port": 0},
        {"port": 65536},
    ],
)
def test_an_invalid_spec_touches_no_pod(spec: Object) -> None:  # R13
    good = nginxpod()
    assert plan(nginxpod(**spec), pods_of(good), NOW) == IDLE


def test_a_spec_with_nothing_in_it_has_the_defaults() -> None:
    bare = {**nginxpod(), "spec": {}}
    (made,) = plan(bare, [], NOW).creations
    assert made["spec"]["containers"][0]["image"] == "nginxinc/nginx-unprivileged:stable"
    assert made["spec"]["containers"][0]["ports"][0]["containerPort"] == 8080
