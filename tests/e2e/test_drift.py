"""Somebody, or something, changes pods behind the operator's back.

Deleted, failed, relabelled, given another image. Leaves out pods that are not the NginxPod's (`test_conflict`) and
what happens while no operator runs (`test_absence`).
"""

from __future__ import annotations

import time

import pytest

from e2e import judges
from e2e.case import RETRY_SECONDS, Case
from e2e.objects import MAINLINE, STABLE, nginxpod
from e2e.record import Object

FAILURES = "twinloop.dev/failures"
# R6: the second failure in a row is answered after 10 s. The kubelet's times are whole seconds, so one is given away.
SECOND_FAILURE_SECONDS = 10.0


def _replaced(case: Case, pod: str, old_uid: str) -> bool:
    """Whether the name is held by another pod than before."""
    found = case.pods().get(pod)
    return found is not None and found["metadata"]["uid"] != old_uid


def test_pod_deleted_by_hand_comes_back(case: Case) -> None:
    """R1: the name is filled again as soon as it is free; the other pod is left alone."""
    case.apply(nginxpod("web", replicas=2))
    case.settled("web")
    old = case.uids()

    with case.timed("healed after"):
        case.kubectl("delete", "pod", "web-0")
        case.until("another web-0", lambda: _replaced(case, "web-0", old["web-0"]))
        case.settled("web")
    assert case.uids()["web-1"] == old["web-1"]
    assert len(judges.uids(case.record(), "web-0")) == 2


def _fail(case: Case, pod: str) -> None:
    """Let the kubelet kill a pod for real, and wait until it has."""
    case.patch("pod", pod, {"spec": {"activeDeadlineSeconds": 1}})


def _phase(pod: Object | None) -> str:
    return str(((pod or {}).get("status") or {}).get("phase", ""))


def _seen_failed(case: Case, pod: str, uid: str) -> float | None:
    """When the record first shows this pod as Failed."""
    for entry in case.record().of("pods"):
        if entry.object and entry.object["metadata"]["uid"] == uid and _phase(entry.object) == "Failed":
            return entry.at
    return None


def _made_at(case: Case, uid: str) -> float:
    """When the record first shows the pod with this uid."""
    pods = [entry for entry in case.record().of("pods") if entry.object]
    return next(entry.at for entry in pods if entry.object["metadata"]["uid"] == uid)


def test_failed_pod_is_made_again_first_at_once_then_with_a_delay(case: Case) -> None:
    """R6: a pod in phase Failed is replaced at once; when its successor fails too, 10 s later; the count is inherited."""
    case.apply(nginxpod("web", replicas=2))
    case.settled("web")
    first, neighbour = case.uids()["web-0"], case.uids()["web-1"]

    _fail(case, "web-0")
    failed_at = case.until("web-0 to fail", lambda: _seen_failed(case, "web-0", first))
    case.until("another web-0", lambda: _replaced(case, "web-0", first), RETRY_SECONDS)
    case.settled("web")
    second = case.uids()["web-0"]
    case.observe("first failure: made again after", _made_at(case, second) - failed_at, "s")
    assert case.pod("web-0")["metadata"]["annotations"][FAILURES] == "1"

    _fail(case, "web-0")
    failed_at = case.until("web-0 to fail again", lambda: _seen_failed(case, "web-0", second))
    case.reason("web", "Progressing", "web-0")
    case.until("a third web-0", lambda: _replaced(case, "web-0", second), RETRY_SECONDS)
    case.settled("web")
    waited = _made_at(case, case.uids()["web-0"]) - failed_at
    case.observe("second failure: made again after", waited, "s")
    assert waited > SECOND_FAILURE_SECONDS - 2
    assert case.pod("web-0")["metadata"]["annotations"][FAILURES] == "2"
    assert case.uids()["web-1"] == neighbour


@pytest.mark.parametrize(
    "label",
    ["app.kubernetes.io/name", "twinloop.dev/nginxpod", "twinloop.dev/template"],
    ids=["name", "nginxpod", "template"],
)
def test_relabelled_pod_is_replaced(case: Case, label: str) -> None:
    """R2, R3: a pod of ours whose label is changed stays ours by its owner and is outdated, so it is replaced."""
    case.apply(nginxpod("web", replicas=2))
    case.settled("web")
    old = case.uids()

    before = time.monotonic()
    with case.timed("healed after"):
        case.kubectl("label", "pod", "web-0", f"{label}=changed", "--overwrite")
        case.until("another web-0", lambda: _replaced(case, "web-0", old["web-0"]), RETRY_SECONDS)
        case.settled("web")
    assert judges.deleted(case.record(), since=before) == ["web-0"]
    assert case.uids()["web-1"] == old["web-1"]
    assert case.pod("web-0")["metadata"]["labels"][label] != "changed"


def test_pod_whose_image_was_changed_is_replaced(case: Case) -> None:
    """R3: the live container's image counts and not the template label, which still is right."""
    case.apply(nginxpod("web", replicas=2, image=STABLE))
    case.settled("web")
    old = case.uids()

    before = time.monotonic()
    with case.timed("healed after"):
        case.patch("pod", "web-1", {"spec": {"containers": [{"name": "nginx", "image": MAINLINE}]}})
        case.until("another web-1", lambda: _replaced(case, "web-1", old["web-1"]), RETRY_SECONDS)
        case.settled("web")
    assert case.pod("web-1")["spec"]["containers"][0]["image"] == STABLE
    assert judges.deleted(case.record(), since=before) == ["web-1"]
    assert case.uids()["web-0"] == old["web-0"]
