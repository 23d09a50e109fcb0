"""Pods that are not the NginxPod's: under a name that it needs, or with labels that look like its own.

Ownership is the controller owner reference's uid and nothing else (R3). Leaves out the garbage of an earlier
NginxPod of the same name (`test_lifecycle`).
"""

from __future__ import annotations

from e2e import judges
from e2e.case import RETRY_SECONDS, Case
from e2e.objects import nginxpod, our_labels, stranger
from e2e.record import Object, condition_of, is_ready


def _identity(pod: Object) -> tuple[str, Object, Object]:
    """What an operator could change about a pod: status is the kubelet's."""
    return pod["metadata"]["uid"], pod["metadata"].get("labels", {}), pod["spec"]


def test_foreign_pod_under_our_name_is_reported_and_left_alone(case: Case) -> None:
    """R4: NameConflict and Stalled, the stranger untouched, the other pods made; healed when the name is free."""
    case.apply(stranger("web-1"))
    case.until("the stranger to run", lambda: is_ready(case.pods().get("web-1", {"metadata": {}})))
    before = _identity(case.pod("web-1"))

    with case.timed("said so after"):
        case.apply(nginxpod("web", replicas=2))
        case.reason("web", "NameConflict", "web-1", timeout=RETRY_SECONDS)
    assert case.condition("web", "Stalled")["status"] == "True"
    assert case.condition("web", "Stalled")["reason"] == "NameConflict"
    case.until("web-0 to be ready all the same", lambda: is_ready(case.pods().get("web-0", {"metadata": {}})))
    case.until(
        "status to count our pod alone", lambda: case.seen("web")["status"].get("readyReplicas") == 1, RETRY_SECONDS
    )
    assert case.seen("web")["status"]["replicas"] == 1
    assert _identity(case.pod("web-1")) == before
    assert judges.event_count(case.record(), "NameConflict", "web") == 1

    with case.timed("healed after"):
        case.kubectl("delete", "pod", "web-1")
        found = case.settled("web", RETRY_SECONDS)
    assert not condition_of(found, "Stalled")
    assert [pod["metadata"]["uid"] for pod in case.owned("web")].count(before[0]) == 0


def test_foreign_pod_that_is_not_needed_is_no_conflict(case: Case) -> None:
    """R4: web-1 is nobody's business while the NginxPod wants one pod, a conflict when it wants two, and again none."""
    case.apply(stranger("web-1"), nginxpod("web", replicas=1))
    case.settled("web")
    case.kubectl("scale", "ngp/web", "--replicas=2")
    case.reason("web", "NameConflict", "web-1", timeout=RETRY_SECONDS)
    # The back-off is seconds long by now. Who changes the spec must not have to wait for it, nor be forgotten over it.
    case.nothing_happens(4)
    with case.timed("healed after"):
        case.kubectl("scale", "ngp/web", "--replicas=1")
        case.settled("web", RETRY_SECONDS)
    assert judges.deleted(case.record()) == []

    # A retry that was pending meanwhile must not count as one that still is.
    case.kubectl("scale", "ngp/web", "--replicas=2")
    case.reason("web", "NameConflict", "web-1", timeout=RETRY_SECONDS)
    case.kubectl("delete", "pod", "web-1")
    case.settled("web", RETRY_SECONDS)


def test_pod_with_our_labels_but_no_owner_is_left_alone(case: Case) -> None:
    """R3: labels are not ownership: such a pod is neither counted, nor adopted, nor deleted as surplus."""
    case.apply(stranger("web-7", our_labels("web")), stranger("other", our_labels("web")))
    case.apply(nginxpod("web", replicas=2))
    case.settled("web")
    before = {name: _identity(case.pod(name)) for name in ("web-7", "other")}

    case.kubectl("scale", "ngp/web", "--replicas=1")
    case.settled("web")
    case.nothing_happens(3)
    assert {name: _identity(case.pod(name)) for name in ("web-7", "other")} == before
    assert judges.deleted(case.record()) == ["web-1"]
    assert not case.pod("other")["metadata"].get("ownerReferences")
