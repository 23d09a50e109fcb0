"""A history as the oracles look at it: answers joined to writes, authors, and what could have been known.

Left out: what the oracles make of it.
"""

from __future__ import annotations

import pytest

from support.histories import EVENTS, LEASES, NGINXPODS, PODS, STEP, Tale, begun, plain_trial
from twinloop.harness.checkers.patience import LAG, SLOW
from twinloop.harness.checkers.trial_view import Trial
from twinloop.harness.checkers.writes import Write


def last(tale: Tale) -> tuple[Trial, Write]:
    trial = tale.trial()
    return trial, trial.writes[-1]


# ------------------------------------------------------------------ writes and their answers


def test_a_write_knows_what_came_of_it() -> None:
    tale = begun()
    pod = tale.makes("web", "web-2")
    _, write = last(tale)
    assert (write.uid, write.name, str(write.number)) == (
        pod["metadata"]["uid"],
        "web-2",
        pod["metadata"]["resourceVersion"],
    )
    assert (write.accepted, write.answered) == (True, True)


def test_a_create_without_an_answer_is_found_in_the_truth() -> None:
    tale = begun()
    pod = tale.makes("web", "web-2", answer={"code": 0, "committed": 201, "body": None})
    _, write = last(tale)
    assert (write.uid, write.accepted, write.answered) == (pod["metadata"]["uid"], True, False)
    assert str(write.number) == pod["metadata"]["resourceVersion"]


def test_a_delete_that_was_answered_with_a_status_is_found_too() -> None:
    tale = begun()
    uid = tale.get(PODS, "web-1")["metadata"]["uid"]
    tale.deletes("web-1", body={"kind": "Status", "status": "Success"})
    trial, write = last(tale)
    assert write.uid == uid
    assert "deletionTimestamp" in (trial.timeline.at(uid, write.number) or {"metadata": {}})["metadata"]


def test_a_status_without_an_answer_is_told_by_its_words() -> None:
    tale = begun()
    tale.says(replicas=9, answer={"code": 504, "committed": 200, "body": {"kind": "Status", "code": 504}})
    trial, write = last(tale)
    assert write.number in trial.author


def test_somebody_elses_pod_of_that_name_is_not_what_a_create_made() -> None:
    tale = begun()
    tale.stranger("web-2")
    tale.refused(tale.asks("create", PODS, body={"metadata": {"name": "web-2"}}), 500, committed=201)
    _, write = last(tale)
    assert write.number == 0


def test_what_was_refused_made_nothing() -> None:
    tale = begun()
    tale.refused(tale.asks("delete", PODS, "web-1"), 409)
    trial, write = last(tale)
    assert (write.accepted, write.number) == (False, 0)
    assert write.uid == tale.get(PODS, "web-1")["metadata"]["uid"]
    assert write not in trial.changes


def test_a_request_without_an_answer_came_to_nothing_yet() -> None:
    tale = begun()
    tale.asks("create", PODS, body={"metadata": {"name": "web-2"}})
    _, write = last(tale)
    assert not write.accepted
    assert not write.answered


@pytest.mark.parametrize(
    ("resource", "counts"),
    [(PODS, True), (NGINXPODS, True), ("configmaps", True), (EVENTS, False), ("events.events.k8s.io", False), (LEASES, False),
     ("selfsubjectaccessreviews.authorization.k8s.io", False)],
)  # fmt: skip
def test_what_counts_as_a_write(resource: str, counts: bool) -> None:
    tale = begun()
    tale.answers(tale.asks("create", resource, body={}), 201)
    assert last(tale)[1].counts is counts


def test_a_write_says_what_it_is() -> None:
    tale = begun()
    tale.says()
    assert str(last(tale)[1]) == "patch nginxpods/status web"


# ------------------------------------------------------------------ who wrote what


def test_a_version_has_one_author() -> None:
    tale = begun()
    write = tale.says(replicas=9)
    user = tale.user_patches(NGINXPODS, "web", lambda obj: obj["metadata"].update(labels={"a": "b"}))
    author = tale.trial().author
    assert author[int(user["metadata"]["resourceVersion"]) - 1].seq == write.seq
    assert int(user["metadata"]["resourceVersion"]) not in author


def test_a_write_that_changes_nothing_has_written_no_version() -> None:
    tale = begun()
    user = tale.user_patches(NGINXPODS, "web", lambda obj: obj["metadata"].update(labels={"a": "b"}))
    tale.says_again()
    trial, write = last(tale)
    assert trial.idle(write)
    assert int(user["metadata"]["resourceVersion"]) not in trial.author


def test_the_second_of_two_equal_writes_is_the_idle_one() -> None:
    tale = begun()
    tale.says(replicas=9)
    tale.says_again()
    trial = tale.trial()
    assert [trial.idle(write) for write in trial.writes[-2:]] == [False, True]


def test_a_user_who_changes_nothing_takes_no_version_from_the_operator() -> None:
    tale = begun()
    tale.says(replicas=9)
    tale.said("patch", NGINXPODS, "web")
    trial, write = last(tale)
    assert not trial.idle(write)


# ------------------------------------------------------------------ what could have been known


def test_a_moment_is_all_that_an_operator_may_lag() -> None:
    assert plain_trial().since(10.0, "a") == 10.0 - LAG


def test_time_spent_stopped_does_not_count() -> None:
    tale = Tale().up().after(10.0 - 3 * STEP)
    tale.process("signalled", detail="SIGSTOP")
    tale.after(30.0 - STEP).process("signalled", detail="SIGCONT")
    trial = tale.after(60.0).trial()
    stop, cont = (each.t for each in trial.processes[-2:])
    assert trial.since(cont + 0.25, "a") == pytest.approx(stop - (LAG - 0.25))
    assert trial.since(cont + LAG + 1, "a") == pytest.approx(cont + 1)
    assert trial.since(stop + 5, "a") == pytest.approx(stop - LAG)
    assert trial.since(cont + 0.25, "b") == pytest.approx(cont + 0.25 - LAG)


def test_time_spent_waiting_for_an_answer_does_not_count() -> None:
    tale = begun()
    request = tale.asks("list", PODS)
    answer = tale.after(8.0).answers(request)
    trial = tale.trial()
    assert trial.since(answer.t, "a") == pytest.approx(request.t - LAG)


def test_a_quick_answer_is_no_wait() -> None:
    tale = begun()
    request = tale.asks("list", PODS)
    answer = tale.after(SLOW - 2 * STEP).answers(request)
    assert tale.trial().since(answer.t, "a") == pytest.approx(answer.t - LAG)


def test_two_waits_in_a_row() -> None:
    tale = begun()
    first = tale.asks("get", NGINXPODS, "web")
    tale.after(4.0).answers(first)
    second = tale.asks("list", PODS)
    answer = tale.after(4.0).answers(second)
    assert tale.trial().since(answer.t, "a") == pytest.approx(
        first.t - LAG + (second.t - first.t - 4.0 - STEP), abs=0.02
    )


def test_the_window_ends_just_before_the_write() -> None:
    tale = begun()
    tale.makes("web", "web-2")
    trial, write = last(tale)
    low, high = trial.window(write)
    assert high == write.number - 1
    assert low <= high


def test_news_are_what_others_did() -> None:
    tale = begun()
    tale.becomes("web-0", ready=False)
    tale.hears(tale.listening[PODS], PODS, "web-0")
    heard = len(tale.records)
    tale.says(replicas=9)
    tale.hears(tale.listening[NGINXPODS], NGINXPODS, "web")
    assert tale.trial().news == {("a", "web"): [heard]}


def test_what_was_not_delivered_is_no_news() -> None:
    tale = begun()
    tale.becomes("web-0", ready=False)
    tale.hears(tale.listening[PODS], PODS, "web-0", delivered=False)
    assert tale.trial().news == {}


@pytest.mark.parametrize(
    ("done", "calm"),
    [
        (lambda tale: None, True),
        (lambda tale: tale.down().up(), True),
        (lambda tale: tale.fault("cut"), False),
        (lambda tale: tale.process("signalled", detail="SIGSTOP"), False),
        (lambda tale: tale.process("killed", expected=True, detail="SIGKILL"), False),
        (lambda tale: tale.process("exited", code=1), False),
    ],
)
def test_a_calm_day(done: object, calm: bool) -> None:
    tale = begun()
    done(tale)  # type: ignore[operator]
    assert tale.trial().calm is calm


def test_an_armed_rule_is_no_calm_day_even_before_it_fires() -> None:
    assert not begun(rules=[{"id": "r"}]).trial().calm


def test_bounds_come_from_the_first_line_and_else_from_the_defaults() -> None:
    trial = begun(settings={"bound": 150.0}).trial()
    assert (trial.bound("bound"), trial.bound("grace")) == (150.0, 10.0)
