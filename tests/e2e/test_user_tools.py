"""What people see and rely on: kubectl wait, get, describe.

Leaves out what the CRD does without an operator (`test_crd`).
"""

from __future__ import annotations

from e2e import judges
from e2e.case import Case
from e2e.objects import MAINLINE, STABLE, nginxpod

MAX_NAME = 57


def test_kubectl_wait_returns_when_it_is_true_and_not_before(case: Case) -> None:
    """R10, R11: right after a change kubectl wait must not believe the Ready of the generation before."""
    case.apply(nginxpod("web", replicas=1))
    case.kubectl("wait", "--for=condition=Ready", "ngp/web", "--timeout=45s")
    assert case.nginxpod("web")["status"]["readyReplicas"] == 1

    case.kubectl("scale", "ngp/web", "--replicas=3")
    case.kubectl("wait", "--for=condition=Ready", "ngp/web", "--timeout=45s")
    assert case.nginxpod("web")["status"]["readyReplicas"] == 3

    case.set_spec("web", image=MAINLINE)
    case.kubectl("wait", "--for=condition=Ready", "ngp/web", "--timeout=90s")
    images = {pod["spec"]["containers"][0]["image"] for pod in (case.pod(f"web-{i}") for i in range(3))}
    assert images == {MAINLINE}


def test_kubectl_get_shows_the_columns(case: Case) -> None:
    """Design of the resource: Desired, Ready, Status, Age; -o wide adds Reason and Image; the category works."""
    case.apply(nginxpod("web", replicas=2, image=STABLE))
    case.settled("web")
    head, row = case.kubectl("get", "ngp").splitlines()
    assert head.split() == ["NAME", "DESIRED", "READY", "STATUS", "AGE"]
    assert row.split()[:4] == ["web", "2", "2", "AllReady"]
    head, row = case.kubectl("get", "ngp", "-o", "wide").splitlines()
    assert head.split() == ["NAME", "DESIRED", "READY", "STATUS", "AGE", "REASON", "IMAGE"]
    assert row.split()[-1] == STABLE
    assert "web" in case.kubectl("get", "twinloop")


def test_kubectl_describe_shows_our_events(case: Case) -> None:
    """R15: PodCreated and Ready stand under Events of the NginxPod; PodDeleted follows a scale down."""
    case.apply(nginxpod("web", replicas=2))
    case.settled("web")
    case.kubectl("scale", "ngp/web", "--replicas=1")
    case.settled("web")
    case.until("the Event PodDeleted", lambda: judges.event_count(case.record(), "PodDeleted", "web"), timeout=10)
    text = case.kubectl("describe", "ngp", "web")
    events = text[text.index("Events:") :]
    for reason in ("PodCreated", "Ready", "PodDeleted", judges.EVENT_SOURCE):
        assert reason in events


def test_longest_name_works(case: Case) -> None:
    """A name of 57 characters, the longest that the CRD admits, still gives valid pod names and labels."""
    name = "n" * MAX_NAME
    case.apply(nginxpod(name, replicas=1))
    case.settled(name)
