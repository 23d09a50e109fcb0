"""A NginxPod's ordinary life: made, scaled, deleted, made again under its old name.

Leaves out changes of the template (`test_rollout`) and everything that goes wrong.
"""

from __future__ import annotations

import time

from e2e import judges
from e2e.case import Case
from e2e.objects import STABLE, nginxpod
from e2e.record import Object, is_terminating


def _assert_made_by_the_rules(nginxpod_: Object, pod: Object) -> None:
    """R2: labels, one controller owner, and a container that the restricted standard admits."""
    name, uid = nginxpod_["metadata"]["name"], nginxpod_["metadata"]["uid"]
    labels = pod["metadata"]["labels"]
    assert labels["app.kubernetes.io/name"] == "nginx"
    assert labels["app.kubernetes.io/instance"] == name
    assert labels["app.kubernetes.io/managed-by"] == "twinloop"
    assert labels["twinloop.dev/nginxpod"] == name
    assert labels["twinloop.dev/template"]
    (owner,) = pod["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["uid"]) == ("NginxPod", name, uid)
    assert owner["controller"] is True
    assert owner["blockOwnerDeletion"] is True
    _assert_container(nginxpod_, pod["spec"])


def _assert_container(nginxpod_: Object, spec: Object) -> None:
    (container,) = spec["containers"]
    assert container["name"] == "nginx"
    assert container["image"] == nginxpod_["spec"]["image"]
    assert [port["containerPort"] for port in container["ports"]] == [nginxpod_["spec"]["port"]]
    assert container["readinessProbe"]
    assert container["imagePullPolicy"] == "IfNotPresent"
    assert spec["restartPolicy"] == "Always"
    assert spec["automountServiceAccountToken"] is False


def test_created_nginxpod_becomes_ready_and_serves_http(case: Case) -> None:
    """R1, R2, R10, R15: two pods by the rules, Ready=True, nginx answers in each, one Event for each write."""
    with case.timed("Ready after"):
        case.apply(nginxpod("web", replicas=2, image=STABLE))
        found = case.settled("web")
    for name in ("web-0", "web-1"):
        _assert_made_by_the_rules(found, case.pod(name))
        page = case.page(name)
        assert (page.status, "nginx" in page.server.lower() + page.body.lower()) == (200, True)
    assert found["status"]["selector"] == "twinloop.dev/nginxpod=web"
    case.until("the Event Ready", lambda: judges.event_count(case.record(), "Ready", "web"))
    assert judges.event_count(case.record(), "PodCreated", "web") == 2
    assert judges.created(case.record()) == ["web-0", "web-1"]
    assert judges.deleted(case.record()) == []


def test_kubectl_scale_up_down_to_zero_and_back(case: Case) -> None:
    """R1, R7, R10: each scale ends Ready; kept pods are not touched; the highest ordinals go first, all in one pass."""
    case.apply(nginxpod("web", replicas=1))
    case.settled("web")
    first = case.uids()

    case.kubectl("scale", "ngp/web", "--replicas=4")
    with case.timed("scaled up after"):
        case.settled("web")
    assert case.uids()["web-0"] == first["web-0"]

    before = time.monotonic()
    case.kubectl("scale", "ngp/web", "--replicas=2")
    case.settled("web")
    assert judges.deleted(case.record(), since=before) == ["web-3", "web-2"]

    case.kubectl("scale", "ngp/web", "--replicas=0")
    case.settled("web")
    case.until("all pods to be gone", lambda: not case.pods())

    case.kubectl("scale", "ngp/web", "--replicas=2")
    case.settled("web")
    assert len(judges.uids(case.record(), "web-0")) == 2
    assert judges.created(case.record()) == ["web-0", "web-1", "web-2", "web-3", "web-0", "web-1"]


def test_deleted_nginxpod_takes_its_pods_along(case: Case) -> None:
    """R9: no finalizer holds it; the garbage collector removes the pods and the operator writes nothing more."""
    case.apply(nginxpod("web", replicas=2))
    found = case.settled("web")
    assert not found["metadata"].get("finalizers")
    # What the operator does about the last change of the pods' status is still a matter of the life before.
    case.nothing_happens(2)
    mark = case.audit_log.mark()
    with case.timed("pods gone after"):
        case.kubectl("delete", "ngp/web", "--timeout=20s")
        case.until("its pods to be gone", lambda: not case.pods())
    case.nothing_happens(3)
    assert not case.pods()
    case.expect_no_writes(mark)


def test_nginxpod_deleted_in_foreground_is_not_worked_on(case: Case) -> None:
    """R9: while a foreground deletion waits for the pods, the operator neither makes them again nor says a word."""
    case.apply(nginxpod("web", replicas=2))
    case.settled("web")
    # The Event that says Ready is sent beside the status and may come after it.
    case.nothing_happens(2)
    mark = case.audit_log.mark()
    case.kubectl("delete", "ngp/web", "--cascade=foreground", "--timeout=40s")
    case.until("its pods to be gone", lambda: not case.pods())
    case.nothing_happens(3)
    assert not case.pods()
    case.expect_no_writes(mark)


def test_name_can_be_used_again_at_once(case: Case) -> None:
    """R3, R4: a NginxPod made again while the garbage of the first is still there waits for it, and calls it no conflict."""
    case.apply(nginxpod("web", replicas=2))
    first = case.settled("web")
    old = case.uids()

    before = time.monotonic()
    case.kubectl("delete", "ngp/web", "--cascade=background", "--wait=true")
    with case.timed("Ready again after"):
        case.apply(nginxpod("web", replicas=2))
        second = case.settled("web", timeout=75)

    assert second["metadata"]["uid"] != first["metadata"]["uid"]
    assert not set(old.values()) & set(case.uids().values())
    seen = judges.reasons(case.record(), "web", since=before)
    assert "NameConflict" not in {reason for _, reason in seen}
    assert judges.reasons(case.record(), "web", "Stalled", since=before) == [("", "")]
    assert not any(is_terminating(pod) for pod in case.owned("web"))
