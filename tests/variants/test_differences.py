"""Where the loops differ by nature, each difference shown on all: the README's table rests on these.

`kopf-level` differs from `handwritten` in the watch alone, so it sides with `kopf` where the watch is what matters.

A difference that stops being one fails here, and then the table is wrong. Left out: what they cost (make e2e).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from support.embedded_api import EmbeddedApi, becomes, web
from support.processes import Operator, until
from twinloop.kube import NGINXPODS, PODS

Start = Callable[..., Operator]


def make_ready(api: EmbeddedApi) -> None:
    api.add(web(replicas=1))
    becomes(api, "AllReady")
    until(lambda: "Ready" in api.events, "no event")


def comes_true(true: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not true():
        time.sleep(0.02)
    return true()


def test_a_status_that_somebody_else_edits(api: EmbeddedApi, start: Start, variant: str, tmp_path: Path) -> None:
    """kopf leaves the status out of what it compares: an edit of it is no change to its handlers."""
    start(api.kubeconfig(tmp_path / "kubeconfig"))
    make_ready(api)
    # kopf notes what it handled; its own last write must not be taken for the next event.
    until(lambda: variant != "kopf" or api.web()["metadata"].get("annotations"), "no annotation")
    api.edit(NGINXPODS, "web", {"status": {"readyReplicas": 77}}, subresource="status")
    repaired = comes_true(lambda: api.web()["status"]["readyReplicas"] == 1, 2.0)
    assert repaired == (variant != "kopf")
    api.edit(PODS, "web-0", {"metadata": {"annotations": {"any": "event"}}})
    assert comes_true(lambda: api.web()["status"]["readyReplicas"] == 1, 10.0)


def test_what_is_written_on_a_nginxpod_besides_its_status(
    api: EmbeddedApi, start: Start, variant: str, tmp_path: Path
) -> None:
    """kopf keeps what it handled in an annotation: one more write for each change of a spec."""
    start(api.kubeconfig(tmp_path / "kubeconfig"))
    make_ready(api)
    line = "PATCH /apis/twinloop.dev/v1alpha1/namespaces/default/nginxpods/web"
    wanted = 1 if variant == "kopf" else 0
    assert comes_true(lambda: api.lines.count(line) == wanted, 5.0)
    annotations = api.web()["metadata"].get("annotations") or {}
    assert list(annotations) == ["kopf.zalando.org/last-handled-configuration"] * wanted


def test_a_list_that_answers_410(api: EmbeddedApi, start: Start, variant: str, tmp_path: Path) -> None:
    """kopf takes a 410 that comes as an HTTP status for fatal and leaves the rest to whoever starts it again."""
    api.fail["GET /api/v1/pods"] = 410
    operator = start(api.kubeconfig(tmp_path / "kubeconfig"))
    if variant != "handwritten":
        assert operator.process.wait(20) == 1
        return
    until(lambda: api.lines.count("GET /api/v1/pods") >= 3, "no retries")
    assert operator.process.poll() is None
    del api.fail["GET /api/v1/pods"]
    until(lambda: operator.ready() == 200, "never ready")


def test_pods_deleted_while_the_watch_was_broken(api: EmbeddedApi, start: Start, variant: str, tmp_path: Path) -> None:
    """A new list says which pods are gone only to someone who knows which there were; kopf keeps no such record.

    Whether `kopf-level` happens to list for itself just then, because kopf has only now listed for the first time, is
    chance: the next test is about what is none.
    """
    start(api.kubeconfig(tmp_path / "kubeconfig"))
    make_ready(api)
    api.lose(PODS, "web-0")
    # Three more requests: the watch that is answered with 410, the list, and the watch from there.
    before = api.lines.count("GET /api/v1/pods")
    until(lambda: api.lines.count("GET /api/v1/pods") >= before + 3, "no new list")
    healed = comes_true(lambda: "web-0" in api.items(PODS), 2.0)
    assert variant == "kopf-level" or healed == (variant == "handwritten")


def test_a_pod_deleted_unseen_beside_another(api: EmbeddedApi, start: Start, variant: str, tmp_path: Path) -> None:
    """The other pod is listed again: a reminder of their NginxPod to kopf, and to `kopf-level` the sign to list for itself."""
    start(api.kubeconfig(tmp_path / "kubeconfig"))
    api.add(web(replicas=2))
    becomes(api, "AllReady")
    until(lambda: "Ready" in api.events, "no event")
    api.lose(PODS, "web-0")
    before = api.lines.count("GET /api/v1/pods")
    until(lambda: api.lines.count("GET /api/v1/pods") >= before + 3, "no new list")
    assert comes_true(lambda: "web-0" in api.items(PODS), 10.0)


def test_a_resync_finds_what_was_missed(api: EmbeddedApi, start: Start, tmp_path: Path) -> None:
    """The remedy for the last one, in both; for kopf it is the operator's own."""
    start(api.kubeconfig(tmp_path / "kubeconfig"), {"TWINLOOP_RESYNC": "1"})
    make_ready(api)
    api.lose(PODS, "web-0")
    assert comes_true(lambda: "web-0" in api.items(PODS), 10.0)
