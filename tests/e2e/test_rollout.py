"""Changes of the template: image and port, good ones and bad ones.

"One at a time" and "never two down" are judged from the pods' watch over the whole change. Leaves out templates
changed behind the operator's back on a live pod (`test_drift`).
"""

from __future__ import annotations

import time

from e2e import judges
from e2e.case import RETRY_SECONDS, Case
from e2e.objects import DEAF_PORT, MAINLINE, NO_SUCH_IMAGE, PORT, STABLE, nginxpod

THREE = ["web-0", "web-1", "web-2"]
# Three pods one after the other, each with its time to stop and to get ready.
ROLLOUT_SECONDS = 90.0


def test_image_change_replaces_pods_one_at_a_time(case: Case) -> None:
    """R5: highest ordinal first, never two pods down; new uids, the new image, and the page that it serves."""
    case.apply(nginxpod("web", replicas=3, image=STABLE))
    case.settled("web")
    old_uids, old_page = case.uids(), case.page("web-0")

    before = time.monotonic()
    with case.timed("replaced after"):
        case.set_spec("web", image=MAINLINE)
        case.settled("web", ROLLOUT_SECONDS)

    assert not set(old_uids.values()) & set(case.uids().values())
    for name in THREE:
        assert case.pod(name)["spec"]["containers"][0]["image"] == MAINLINE
        page = case.page(name)
        assert page.status == 200
        assert page != old_page, "nginx still serves the old image's page"
    assert judges.deleted(case.record(), since=before) == ["web-2", "web-1", "web-0"]
    assert judges.created(case.record(), since=before) == ["web-2", "web-1", "web-0"]
    worst = judges.most_down(case.record(), THREE, since=before)
    assert worst.count == 1, worst


def test_image_changed_back_halfway_leaves_untouched_pods_alone(case: Case) -> None:
    """R3, R5: a pod is judged by what it is, so pods that were not replaced yet are current again after a change back."""
    case.apply(nginxpod("web", replicas=3, image=STABLE))
    case.settled("web")
    old = case.uids()

    before = time.monotonic()
    case.set_spec("web", image=MAINLINE)
    case.until("the first pod to be taken", lambda: judges.deleted(case.record(), since=before))
    case.set_spec("web", image=STABLE)
    case.settled("web", ROLLOUT_SECONDS)

    assert case.uids()["web-0"] == old["web-0"]
    assert judges.most_down(case.record(), THREE, since=before).count == 1
    assert {case.pod(name)["spec"]["containers"][0]["image"] for name in THREE} == {STABLE}


def test_port_that_nobody_listens_on_stops_at_one_pod_and_heals(case: Case) -> None:
    """R5, R10: one pod is lost to the bad port and the status says which; correcting it touches that one alone."""
    case.apply(nginxpod("web", replicas=3))
    case.settled("web")
    old = case.uids()

    before = time.monotonic()
    with case.timed("said so after"):
        case.set_spec("web", port=DEAF_PORT)
        case.reason("web", "Progressing", "web-2", timeout=RETRY_SECONDS)
    # web-2 is away, then back and running, and goes on not being ready: nothing more may be taken.
    case.until("web-2 to run on the bad port", lambda: _runs(case, "web-2", old["web-2"]))
    case.until("readyReplicas to say 2", lambda: case.seen("web")["status"]["readyReplicas"] == 2, RETRY_SECONDS)
    case.nothing_happens(6)
    assert judges.deleted(case.record(), since=before) == ["web-2"]
    case.reason("web", "Progressing", "web-2")

    with case.timed("healed after"):
        case.set_spec("web", port=PORT)
        case.settled("web", RETRY_SECONDS)
    assert judges.most_down(case.record(), THREE, since=before).count == 1
    assert judges.deleted(case.record(), since=before) == ["web-2", "web-2"]
    assert {name: case.uids()[name] for name in ("web-0", "web-1")} == {name: old[name] for name in ("web-0", "web-1")}


def _runs(case: Case, name: str, not_uid: str) -> bool:
    pod = case.pods().get(name)
    return bool(pod and pod["metadata"]["uid"] != not_uid and pod["status"].get("phase") == "Running")


def test_image_that_cannot_be_pulled_stops_at_one_pod_and_heals(case: Case) -> None:
    """R5, R10: the status names the pod and ImagePullBackOff; the others serve on; a good image heals it at once."""
    case.apply(nginxpod("web", replicas=2))
    case.settled("web")
    old = case.uids()

    before = time.monotonic()
    with case.timed("said so after"):
        case.set_spec("web", image=NO_SUCH_IMAGE)
        case.reason("web", "Progressing", "web-1", "ImagePullBackOff", timeout=RETRY_SECONDS)
    assert case.page("web-0").status == 200
    assert judges.most_taken(case.record(), ["web-0", "web-1"], since=before).count == 1

    with case.timed("healed after"):
        case.set_spec("web", image=STABLE)
        case.settled("web", RETRY_SECONDS)
    assert judges.deleted(case.record(), since=before) == ["web-1", "web-1"]
    assert case.uids()["web-0"] == old["web-0"]
    assert judges.most_down(case.record(), ["web-0", "web-1"], since=before).count == 1
