"""The sync function against a cluster in a dictionary: what it writes, reports, and asks of its loop.

Left out: which pods are chosen (test_plan.py), the words of the status (test_status.py), a real API server (tests/e2e).
"""

from __future__ import annotations

import copy

import pytest

from support.builders import NOW, changed, finished, foreign, nginxpod, pod, terminating, waiting
from support.fake_cluster import FakeCluster
from twinloop.errors import ApiError, Conflict, Forbidden, Invalid, TooManyRequests, Unavailable
from twinloop.memory import Memory
from twinloop.nginxpod import ANNOTATION_FAILURES, LABEL_NGINXPOD, Object, name_of
from twinloop.status import conditions_of
from twinloop.sync import DONE, Cluster, Outcome, retry_delay


def cluster(**spec: object) -> FakeCluster:
    return FakeCluster(nginxpod(**spec))  # type: ignore[arg-type]


def running(**spec: object) -> FakeCluster:
    """A cluster whose NginxPod has settled; what it took is forgotten."""
    made = cluster(**spec)
    made.settle()
    made.writes.clear()
    made.attempts.clear()
    made.events.clear()
    made.reads.clear()
    return made


def refusing(verb: str, error: ApiError, name: str = "") -> object:
    return lambda asked, of: error if asked == verb and name in (of, "") else None


def test_the_fake_is_a_cluster() -> None:
    shop: Cluster = cluster()
    assert shop is not None


# --- the ordinary life ------------------------------------------------------------------------------------------------


def test_a_new_nginxpod_gets_its_pods_and_a_status() -> None:  # R1, R10
    shop = cluster(replicas=2)
    assert shop.sync() == DONE
    assert shop.writes == [("create", "web-0"), ("create", "web-1"), ("status", "web")]
    status = shop.nginxpods["web"]["status"]
    assert (status["observedGeneration"], status["replicas"], status["readyReplicas"]) == (1, 2, 0)
    assert shop.ready()["reason"] == "Progressing"


def test_it_becomes_ready_and_then_nothing_is_written() -> None:  # R14
    shop = running()
    assert shop.ready()["status"] == "True"
    assert shop.sync() == DONE
    assert shop.writes == []
    assert shop.events == []


def test_another_process_that_takes_over_writes_nothing() -> None:  # R14, R15
    shop = running()
    restarted = FakeCluster(shop.nginxpods["web"])
    restarted.pods = shop.pods
    assert restarted.sync() == DONE
    assert restarted.writes == []
    assert restarted.events == []


def test_a_nginxpod_that_does_not_exist_is_no_failure() -> None:
    assert FakeCluster().sync() == DONE


def test_a_nginxpod_that_is_being_deleted_is_left_alone() -> None:  # R9
    shop = FakeCluster(terminating(nginxpod()))
    assert shop.sync() == DONE
    assert shop.attempts == []


def test_the_nginxpod_is_read_before_its_pods() -> None:  # R11
    shop = running()
    shop.sync()
    assert shop.reads == ["nginxpod cached", "pods"]


def test_a_rollout_never_has_two_pods_down_and_ends() -> None:  # R5
    shop = running(replicas=4)
    before = {name: pod["metadata"]["uid"] for name, pod in shop.pods.items()}
    shop.edit(image="nginx:2")
    shop.settle()
    order = [name for verb, name in shop.writes if verb == "delete"]
    assert order == ["web-3", "web-2", "web-1", "web-0"]
    assert all(pod["metadata"]["uid"] != before[name] for name, pod in shop.pods.items())


def test_each_accepted_write_is_an_event_and_so_is_becoming_ready() -> None:  # R15
    shop = cluster(replicas=1)
    shop.settle()
    shop.edit(replicas=0)
    shop.settle()
    assert [reason for _type, reason, _message in shop.events] == ["PodCreated", "Ready", "PodDeleted", "Ready"]
    assert shop.events[2] == ("Normal", "PodDeleted", "Deleted pod web-0: it is not wanted")


# --- names (R1, R4) ---------------------------------------------------------------------------------------------------


def test_a_pod_of_ours_that_lost_its_label_is_found_by_its_name_and_replaced() -> None:  # R1, R3
    shop = running(replicas=1)
    stray = shop.pods["web-0"]
    labels = {key: value for key, value in stray["metadata"]["labels"].items() if key != LABEL_NGINXPOD}
    shop.put(changed(stray, labels=labels))
    assert shop.sync() == DONE
    assert ("delete", "web-0") in shop.writes
    shop.settle()
    assert shop.ready()["status"] == "True"


def test_a_pod_that_exists_already_and_is_ours_is_no_error() -> None:  # R1
    shop = cluster(replicas=1)
    own = pod(shop.nginxpods["web"], 0)
    shop.put(own)
    shop.list_pods = lambda nginxpod, *, live: []  # type: ignore[method-assign]
    assert shop.sync() == DONE
    assert shop.pods["web-0"]["metadata"]["uid"] == own["metadata"]["uid"]
    assert shop.ready()["status"] == "True"


def test_a_foreign_pod_under_our_name_is_a_conflict_that_is_retried_and_heals() -> None:  # R4
    shop = cluster(replicas=2)
    shop.put(foreign("web-1"))
    outcome = shop.sync()
    assert "web-1" in outcome.failure
    assert shop.ready()["reason"] == "NameConflict"
    assert "Stalled" in conditions_of(shop.nginxpods["web"]["status"])
    assert ("delete", "web-1") not in shop.attempts
    assert shop.events[-1][:2] == ("Warning", "NameConflict")
    del shop.pods["web-1"]
    shop.settle()
    assert shop.ready()["status"] == "True"
    assert "Stalled" not in conditions_of(shop.nginxpods["web"]["status"])


def test_a_conflict_that_lasts_is_announced_once() -> None:  # R15
    shop = cluster(replicas=1)
    shop.put(foreign("web-0"))
    for _ in range(5):
        shop.sync()
    assert [reason for _type, reason, _message in shop.events] == ["NameConflict"]


def test_a_name_that_is_taken_and_free_again_in_turn_is_left_to_the_back_off() -> None:
    shop = cluster(replicas=1)

    def flicker(verb: str, name: str) -> ApiError | None:
        if verb == "create":
            shop.put(foreign(name))
        return None

    shop.refuse = flicker
    shop.get_pod = lambda namespace, name: shop.pods.pop(name) and None  # type: ignore[method-assign]
    assert "changing hands" in shop.sync().failure


# --- preconditions (R8, R11) ------------------------------------------------------------------------------------------


def test_a_pod_that_was_replaced_since_it_was_read_is_not_deleted() -> None:  # R8
    shop = running(replicas=1)
    shop.edit(replicas=0)
    other = changed(shop.pods["web-0"], uid="somebody-else", ownerReferences=[])
    listing = shop.list_pods
    stale = copy.deepcopy(shop.pods["web-0"])

    def behind(nginxpod: Object, *, live: bool) -> list[Object]:
        return listing(nginxpod, live=True) if live else [stale]

    shop.list_pods = behind  # type: ignore[method-assign]
    shop.put(other)
    assert shop.sync() == DONE
    assert shop.pods["web-0"]["metadata"]["uid"] == "somebody-else"
    assert shop.writes == [("status", "web")]


def test_a_status_computed_from_an_old_view_is_computed_again_from_a_live_one() -> None:  # R11
    shop = running(replicas=1)
    old = shop.get_nginxpod("shop", "web", live=False)
    shop.edit(replicas=2)
    fresh = shop.get_nginxpod

    def cached(namespace: str, name: str, *, live: bool) -> Object | None:
        return fresh(namespace, name, live=True) if live else old

    shop.get_nginxpod = cached  # type: ignore[method-assign]
    shop.pods["web-0"]["status"]["conditions"] = []
    shop.sync()
    assert shop.nginxpods["web"]["status"]["observedGeneration"] == 2
    assert "web-1" in shop.pods


def test_three_conflicts_in_a_row_are_a_failure() -> None:  # R11
    shop = cluster(replicas=0)
    shop.refuse = refusing("status", Conflict("modified", code=409))  # type: ignore[assignment]
    assert "3 attempts" in shop.sync().failure
    assert shop.attempts == [("status", "web")] * 3


def test_a_nginxpod_that_is_gone_is_forgotten() -> None:
    shop = cluster(replicas=1)
    shop.sync()
    shop.put(waiting(shop.pods["web-0"], "ErrImagePull"))
    shop.sync()
    assert shop.memory != Memory()
    del shop.nginxpods["web"]
    shop.sync()
    assert shop.memory == Memory()


def test_a_nginxpod_deleted_during_the_visit_is_no_failure() -> None:
    shop = cluster(replicas=0)
    shop.refuse = lambda verb, name: shop.nginxpods.pop(name) and None  # type: ignore[assignment,return-value]
    assert shop.sync() == DONE


# --- refusals (R12) ---------------------------------------------------------------------------------------------------


def test_after_a_refused_create_the_other_creates_wait_and_the_status_says_so() -> None:  # R12
    shop = cluster(replicas=3)
    shop.refuse = refusing("create", Forbidden("exceeded quota: pods", code=403), "web-1")  # type: ignore[assignment]
    outcome = shop.sync()
    assert outcome == Outcome("exceeded quota: pods")
    assert shop.attempts == [("create", "web-0"), ("create", "web-1"), ("status", "web")]
    assert shop.ready()["reason"] == "PodCreateFailed"
    assert shop.ready()["message"] == "exceeded quota: pods"
    assert shop.nginxpods["web"]["status"]["replicas"] == 1
    assert shop.events[-1] == ("Warning", "PodCreateFailed", "exceeded quota: pods")


def test_deletes_still_happen_when_creates_are_refused() -> None:  # R12
    shop = running(replicas=2)
    shop.put(changed(shop.pods["web-1"], name="web-9", uid="odd"))
    shop.pods.pop("web-0")
    shop.refuse = refusing("create", Forbidden("no", code=403))  # type: ignore[assignment]
    shop.sync()
    assert ("delete", "web-9") in shop.writes


def test_a_refused_delete_does_not_stop_the_other_deletes() -> None:  # R12
    shop = running(replicas=3)
    shop.edit(replicas=0)
    shop.refuse = refusing("delete", Forbidden("protected", code=403), "web-2")  # type: ignore[assignment]
    assert shop.sync().failure == "protected"
    assert [name for verb, name in shop.writes if verb == "delete"] == ["web-1", "web-0"]
    assert shop.ready()["reason"] == "PodDeleteFailed"


@pytest.mark.parametrize("error", [Unavailable("down", code=503), TooManyRequests("slow", code=429)])
def test_a_server_in_trouble_is_not_asked_for_the_next_delete(error: ApiError) -> None:  # R12
    shop = running(replicas=3)
    shop.edit(replicas=0)
    shop.refuse = refusing("delete", error)  # type: ignore[assignment]
    shop.sync()
    assert [verb for verb, _name in shop.attempts].count("delete") == 1


def test_a_refused_delete_is_not_repeated_because_a_name_was_taken() -> None:  # R12
    shop = running(replicas=2)
    shop.edit(replicas=1)
    del shop.pods["web-0"]
    shop.put(foreign("web-0"))
    shop.refuse = refusing("delete", Forbidden("protected", code=403))  # type: ignore[assignment]
    shop.sync()
    assert shop.attempts.count(("delete", "web-1")) == 1


def test_a_failed_pod_that_could_not_be_deleted_is_not_made_again() -> None:  # R6, R12
    shop = running(replicas=1)
    shop.put(finished(shop.pods["web-0"]))
    shop.refuse = refusing("delete", Forbidden("protected", code=403))  # type: ignore[assignment]
    shop.sync()
    assert ("create", "web-0") not in shop.attempts


def throttled(seconds: float) -> FakeCluster:
    """A cluster whose API server has asked for so many seconds of peace, and would be content now."""
    shop = cluster(replicas=1)
    shop.refuse = refusing("create", TooManyRequests("slow down", code=429, retry_after=seconds))  # type: ignore[assignment]
    shop.sync()
    shop.refuse = lambda verb, name: None
    shop.writes.clear()
    shop.attempts.clear()
    return shop


def test_the_servers_time_replaces_the_back_off() -> None:  # R12
    shop = cluster(replicas=1)
    shop.refuse = refusing("create", TooManyRequests("slow down", code=429, retry_after=7.0))  # type: ignore[assignment]
    assert shop.sync() == Outcome("slow down", again=7.0)


def test_before_the_servers_time_a_visit_writes_nothing_and_fails_as_the_last_one_did() -> None:  # R12
    shop = throttled(7.0)
    shop.pass_time(3)
    shop.reads.clear()
    assert shop.sync() == Outcome("slow down", again=4.0)
    assert (shop.reads, shop.writes, shop.attempts) == (["nginxpod cached"], [], [])


def test_a_read_that_was_refused_is_not_repeated_before_the_servers_time() -> None:  # R12
    shop, asked = running(), []

    def read(namespace: str, name: str, *, live: bool) -> Object | None:
        asked.append(name)
        raise TooManyRequests("slow down", code=429, retry_after=7.0)

    shop.get_nginxpod = read  # type: ignore[method-assign]
    assert [shop.sync(), shop.sync()] == [Outcome("slow down", again=7.0)] * 2
    assert asked == ["web"]


def test_a_nginxpod_that_was_made_anew_does_not_wait_for_what_was_said_of_the_last_one() -> None:  # R12
    shop = throttled(7.0)
    shop.nginxpods["web"] = nginxpod(uid="another", replicas=1)
    assert shop.sync() == DONE
    assert ("create", "web-0") in shop.writes


def test_a_nginxpod_that_is_gone_is_forgotten_although_it_was_to_wait() -> None:  # R12
    shop = throttled(7.0)
    del shop.nginxpods["web"]
    assert shop.sync() == DONE
    assert shop.memory == Memory()


def test_a_server_that_asks_for_a_day_is_asked_again_after_a_minute() -> None:  # R12
    shop = cluster(replicas=1)
    shop.refuse = refusing("create", TooManyRequests("go away", code=429, retry_after=86400.0))  # type: ignore[assignment]
    assert shop.sync() == Outcome("go away", again=60.0)


def test_at_the_servers_time_the_request_is_made_again() -> None:  # R12
    shop = throttled(7.0)
    shop.pass_time(7)
    assert shop.sync() == DONE
    assert shop.writes == [("create", "web-0"), ("status", "web")]


def test_one_nginxpod_that_waits_for_the_servers_time_does_not_stop_another() -> None:  # R12
    shop = throttled(7.0)
    shop.nginxpods["api"] = nginxpod(name="api", uid="another", replicas=1)
    assert shop.sync("api") == DONE
    assert ("create", "api-0") in shop.writes


@pytest.mark.parametrize("named", [0.0, None])
def test_a_server_that_names_no_time_leaves_the_back_off_on(named: float | None) -> None:  # R12
    shop = cluster(replicas=1)
    shop.refuse = refusing("create", TooManyRequests("slow down", code=429, retry_after=named))  # type: ignore[assignment]
    assert shop.sync() == Outcome("slow down")


def test_a_pod_that_was_gone_already_is_made_again_in_the_same_visit() -> None:  # R11: the view was too old
    shop = running(replicas=2)
    listing, stale = shop.list_pods, copy.deepcopy(list(shop.pods.values()))

    def behind(nginxpod: Object, *, live: bool) -> list[Object]:
        return listing(nginxpod, live=True) if live else stale

    shop.list_pods = behind  # type: ignore[method-assign]
    shop.edit(image="nginx:2")
    del shop.pods["web-1"]
    assert shop.sync() == DONE
    assert ("create", "web-1") in shop.writes


def test_two_creates_that_race_for_one_quota_are_planned_again() -> None:  # R11
    shop = cluster(replicas=1)
    answers: list[ApiError | None] = [Conflict("resourcequotas: modified", code=409)]
    shop.refuse = lambda verb, name: answers.pop() if verb == "create" and answers else None
    assert shop.sync() == DONE
    assert "web-0" in shop.pods
    assert shop.ready()["reason"] == "Progressing"


def test_a_terminating_namespace_is_neither_retried_nor_reported() -> None:  # R12
    shop = cluster(replicas=1)
    body = {"details": {"causes": [{"reason": "NamespaceTerminating", "field": "metadata.namespace"}]}}
    shop.refuse = refusing("create", Forbidden("being terminated", code=403, body=body))  # type: ignore[assignment]
    assert shop.sync() == DONE
    assert shop.writes == []
    assert shop.events == []


def test_a_read_that_fails_is_a_failure() -> None:
    shop = cluster()

    def down(nginxpod: Object, *, live: bool) -> list[Object]:
        raise Unavailable("connection refused")

    shop.list_pods = down  # type: ignore[method-assign]
    assert shop.sync() == Outcome("connection refused")


def test_the_back_off_is_5_ms_doubling_up_to_15_s() -> None:
    assert [retry_delay(n) for n in range(4)] == [0.005, 0.01, 0.02, 0.04]
    assert retry_delay(11) == 10.24
    assert retry_delay(12) == retry_delay(10_000) == 15.0


# --- invalid things (R13) ---------------------------------------------------------------------------------------------


def test_an_invalid_spec_is_reported_once_and_not_retried() -> None:  # R13
    shop = running(replicas=2)
    shop.edit(replicas="many")
    assert shop.sync() == DONE
    assert shop.sync() == DONE
    assert shop.writes == [("status", "web")]
    assert [reason for _type, reason, _message in shop.events] == ["InvalidSpec"]
    assert len(shop.pods) == 2


def test_a_status_refused_as_invalid_is_not_sent_again_before_the_nginxpod_changes() -> None:  # R13
    shop = cluster(replicas=0)
    shop.refuse = refusing("status", Invalid("status.replicas: invalid", code=422))  # type: ignore[assignment]
    assert shop.sync() == DONE
    assert shop.sync() == DONE
    assert shop.attempts == [("status", "web")]
    shop.edit(port=9090)
    shop.sync()
    assert shop.attempts == [("status", "web")] * 2


# --- failed pods (R6) -------------------------------------------------------------------------------------------------


def test_a_failed_pod_is_replaced_in_one_visit_and_its_successor_inherits_the_count() -> None:  # R6
    shop = running(replicas=1)
    for expected in ("1", "2"):
        shop.put(finished(shop.pods["web-0"], ended=(shop.time - NOW).total_seconds()))
        outcome = shop.sync()
        if outcome.again is not None and outcome.again > 1:
            shop.pass_time(outcome.again)
            shop.sync()
        assert shop.pods["web-0"]["metadata"]["annotations"][ANNOTATION_FAILURES] == expected
        assert shop.pods["web-0"]["status"]["phase"] == "Pending"


def test_a_refused_creation_does_not_lose_the_count() -> None:  # R6
    shop = running(replicas=1)
    shop.put(finished(pod(shop.nginxpods["web"], 0, failures=4), ended=-600))
    shop.refuse = refusing("create", Forbidden("quota", code=403))  # type: ignore[assignment]
    shop.sync()
    assert "web-0" not in shop.pods
    shop.refuse = lambda verb, name: None
    shop.sync()
    assert shop.pods["web-0"]["metadata"]["annotations"] == {ANNOTATION_FAILURES: "5"}


def test_a_new_template_does_not_inherit_the_count() -> None:  # R6
    shop = running(replicas=1)
    shop.put(finished(pod(shop.nginxpods["web"], 0, failures=4), ended=-600))
    shop.refuse = refusing("create", Forbidden("quota", code=403))  # type: ignore[assignment]
    shop.sync()
    shop.refuse = lambda verb, name: None
    shop.edit(image="nginx:2")
    shop.sync()
    assert "annotations" not in shop.pods["web-0"]["metadata"]


def test_a_failed_pod_that_must_wait_asks_for_the_visit_that_is_due() -> None:  # R6
    shop = running(replicas=1)
    shop.put(finished(pod(shop.nginxpods["web"], 0, failures=2), ended=0))
    assert shop.sync() == Outcome(again=20.0)


# --- a message alone (R11) --------------------------------------------------------------------------------------------


def test_a_message_alone_is_written_after_a_growing_patience() -> None:  # R11
    shop = cluster(replicas=1)
    shop.sync()
    shop.writes.clear()
    patience = []
    for reason in ("ErrImagePull", "ImagePullBackOff") * 3:
        shop.put(waiting(shop.pods["web-0"], reason))
        outcome = shop.sync()
        assert shop.writes == []
        assert outcome.again is not None
        patience.append(outcome.again)
        shop.pass_time(outcome.again)
        assert shop.sync() == DONE
        assert shop.writes == [("status", "web")]
        assert reason in shop.ready()["message"]
        shop.writes.clear()
    assert patience == [1, 2, 4, 8, 15, 15]


def test_a_message_that_changes_back_in_time_is_not_written() -> None:  # R11
    shop = cluster(replicas=1)
    shop.sync()
    shop.writes.clear()
    calm = shop.pods["web-0"]
    shop.put(waiting(calm, "ErrImagePull"))
    assert shop.sync().again == 1
    shop.put(calm)
    assert shop.sync() == DONE
    assert shop.writes == []


def test_a_message_that_was_right_in_between_waits_anew() -> None:  # R11
    shop = cluster(replicas=1)
    shop.sync()
    calm = shop.pods["web-0"]
    shop.put(waiting(calm, "ErrImagePull"))
    shop.sync()
    shop.put(calm)
    shop.sync()
    shop.pass_time(60)
    shop.writes.clear()
    shop.put(waiting(calm, "ErrImagePull"))
    assert shop.sync().again == 1
    assert shop.writes == []


def test_a_new_reason_is_written_at_once_with_its_message() -> None:  # R11
    shop = cluster(replicas=1)
    shop.sync()
    shop.refuse = refusing("create", Forbidden("quota", code=403))  # type: ignore[assignment]
    del shop.pods["web-0"]
    shop.sync()
    assert shop.ready()["message"] == "quota"


def test_a_failure_that_lasts_is_not_written_again() -> None:  # R14
    shop = cluster(replicas=1)
    shop.refuse = refusing("create", Forbidden("quota", code=403))  # type: ignore[assignment]
    for _ in range(4):
        assert shop.sync().failure == "quota"
    assert shop.writes == [("status", "web")]


# --- a reused name ----------------------------------------------------------------------------------------------------


def test_a_reused_name_waits_for_the_garbage_collector_without_a_conflict() -> None:  # R4
    shop = running(replicas=2)
    again = nginxpod(uid="second", replicas=2)
    again["metadata"]["creationTimestamp"] = "2026-01-01T12:00:00Z"
    shop.nginxpods["web"] = again
    outcome = shop.sync()
    assert outcome == Outcome(again=60.0)
    assert shop.ready()["reason"] == "Progressing"
    shop.pods.clear()
    shop.settle()
    assert shop.ready()["status"] == "True"
    assert {name_of(p) for p in shop.pods.values()} == {"web-0", "web-1"}


def test_a_talkative_refusal_is_cut_in_the_status() -> None:  # R10
    shop = cluster(replicas=1)
    shop.refuse = refusing("create", Forbidden("x" * 5000, code=403))  # type: ignore[assignment]
    shop.sync()
    assert len(shop.ready()["message"]) == 1024


# --- a cache that is behind -------------------------------------------------------------------------------------------


class LateCluster(FakeCluster):
    """Its cache still shows the NginxPods that it began with."""

    def get_nginxpod(self, namespace: str, name: str, *, live: bool) -> Object | None:
        now = super().get_nginxpod(namespace, name, live=live)
        return now if live else copy.deepcopy(self.cached.get(name))

    def __init__(self, *nginxpods: Object) -> None:
        super().__init__(*nginxpods)
        self.cached = copy.deepcopy(self.nginxpods)


def test_pods_of_a_nginxpod_that_the_server_no_longer_knows_are_made_once_at_most() -> None:
    """The watch of pods may be back before that of NginxPods: each collected pod would wake its dead owner."""
    shop = LateCluster(nginxpod(replicas=2))
    shop.nginxpods.clear()
    for _ in range(5):
        assert shop.sync() == DONE
        shop.pods.clear()  # as the garbage collector does
    assert shop.writes == [("create", "web-0"), ("create", "web-1")]


def test_a_cache_that_was_wrong_about_it_once_is_asked_again_when_the_server_knows_it() -> None:
    shop = LateCluster(nginxpod(replicas=1))
    kept = dict(shop.nginxpods)
    shop.nginxpods.clear()
    shop.sync()
    shop.nginxpods.update(kept)
    shop.sync()
    assert "nginxpod live" in shop.reads
    shop.cached = copy.deepcopy(shop.nginxpods)
    shop.reads.clear()
    shop.sync()
    assert shop.reads == ["nginxpod cached", "pods"]
