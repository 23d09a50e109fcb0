"""The article's example on a real cluster: its three transcripts and its resync, for both podwatches.

They run on this machine with the cluster's kubeconfig, outside the cluster; no operator is needed. Judged is each line
of stdout, and the number of updates against what a watch of the test's own saw. Leaves out klog's format, faults and
the end of the processes (tests/variants), retries and drops (tests/unit).
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from e2e.case import Case
from e2e.objects import stranger
from e2e.record import Unchecked, is_ready
from support.podwatch import PROGRAMS, Podwatch

RESULTS = Path(__file__).parents[2] / "results"
POD = "nginx-1"
RESYNC_SECONDS = 5
# A pod that was just made gets a late status update now and then; a transcript begins when none has come for so long.
QUIET_SECONDS = 3.0
# The pod's grace period is 1 s; the kubelet and the API server take a few more.
DELETE_SECONDS = 60.0


@pytest.fixture(params=PROGRAMS)
def program(request: pytest.FixtureRequest) -> str:
    """Each case runs once for each podwatch."""
    return str(request.param)


@pytest.fixture
def nginx(bare_case: Case) -> Case:
    """A case whose namespace has one pod at rest, as the article's has before its program starts."""
    bare_case.apply(stranger(POD))
    bare_case.until(f"{POD} to be ready", lambda: is_ready(bare_case.pods().get(POD, {"metadata": {}})))
    deadline = time.monotonic() + 10 * QUIET_SECONDS
    while changes(bare_case, time.monotonic() - QUIET_SECONDS):
        assert time.monotonic() < deadline, bare_case.describe()
        time.sleep(0.2)
    return bare_case


@pytest.fixture
def podwatch(request: pytest.FixtureRequest, nginx: Case, program: str) -> Iterator[Podwatch]:
    """The podwatch under test."""
    with watching(nginx, program, request.node.originalname) as running:
        yield running


@contextmanager
def watching(case: Case, program: str, test: str, *args: str) -> Iterator[Podwatch]:
    """A podwatch of the case's namespace; what it prints is kept in results/podwatch."""
    folder = RESULTS / "podwatch"
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{test.removeprefix('test_podwatch_')}-{program}"
    with Podwatch(program, case.cluster.kubeconfig, case.namespace, folder / f"{name}.stderr", *args) as running:
        try:
            yield running
        finally:
            (folder / f"{name}.stdout").write_text("".join(f"{line}\n" for line in running.lines))


def changes(case: Case, since: float = 0.0) -> list[str]:
    """The types of the pod's events since a moment of `time.monotonic`, from the test's own watch."""
    case.record().require_whole("pods", since, time.monotonic())
    return [entry.type for entry in case.record().of("pods") if entry.at > since and entry.object]


def started(case: Case) -> list[str]:
    return ["start controller", f"add pod:  {case.namespace}/{POD}", f"Sync/Add/Update for Pod {POD}"]


def updated(case: Case) -> list[str]:
    return [f"update pod:  {case.namespace}/{POD}", f"Sync/Add/Update for Pod {POD}"]


def test_podwatch_start_annotate_delete(nginx: Case, podwatch: Podwatch, program: str) -> None:
    """The article's transcripts: the pod is added; an annotation is one update; a deletion is several, then the end."""
    assert podwatch.count(3) == started(nginx)

    nginx.kubectl("annotate", "pod", POD, "by=hand")
    assert podwatch.count(5) == started(nginx) + updated(nginx)
    nginx.until("the annotation", lambda: "by" in nginx.pods()[POD]["metadata"].get("annotations", {}))

    before = time.monotonic()
    nginx.kubectl("delete", "pod", POD)
    update, sync = updated(nginx)
    delete = f"delete pod:  {nginx.namespace}/{POD}"
    gone = f"Pod {nginx.namespace}/{POD} does not exists anymore"
    lines = podwatch.until(lambda said: delete in said and said[-1] == gone, DELETE_SECONDS)[5:]
    nginx.until(f"{POD} to be gone", lambda: POD not in nginx.pods())

    told = [line for line in lines if line in {update, delete}]
    # Every event has its line, in order: what the watch told the program is what it told the test.
    assert told == [{"MODIFIED": update, "DELETED": delete}[type_] for type_ in changes(nginx, before)]
    assert told.count(update) >= 2, "several updates come before the delete"
    assert told[-1] == delete
    assert set(lines) == {update, sync, delete, gone}
    # A sync for each event on kopf; a key that is queued already is not queued again in the queue.
    syncs = lines.count(sync)
    assert syncs == told.count(update) if program == "kopf" else 1 <= syncs <= told.count(update)
    nginx.observe(f"{program}: updates before the delete", told.count(update))
    assert podwatch.stop() == 0
    assert "Traceback" not in podwatch.errors()


def test_podwatch_without_resync_is_silent_while_nothing_happens(nginx: Case, podwatch: Podwatch) -> None:
    """Without --resync, and on kopf always, no line comes while the pod is left alone."""
    podwatch.count(3)
    since = time.monotonic()
    podwatch.nothing_comes(2.5 * RESYNC_SECONDS)
    if changes(nginx, since):
        raise Unchecked("the pod changed meanwhile")
    assert podwatch.lines == started(nginx)


def test_podwatch_with_resync_shows_the_pod_as_updated_every_period(
    nginx: Case, request: pytest.FixtureRequest
) -> None:
    """--resync 5: an update and a sync every 5 s from the cache, while the API server has no news of the pod."""
    since = time.monotonic()
    with watching(nginx, "handwritten", request.node.name, "--resync", str(RESYNC_SECONDS)) as podwatch:
        lines = podwatch.count(3 + 2 * 3, patience=6.0 * RESYNC_SECONDS)
        times = [podwatch.times[3 + 2 * count] for count in range(3)]
    if changes(nginx, since):
        raise Unchecked("the pod changed meanwhile")
    assert lines == started(nginx) + updated(nginx) * 3
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert all(RESYNC_SECONDS - 1 < gap < RESYNC_SECONDS + 3 for gap in gaps), gaps
    nginx.observe("seconds between two resyncs", max(gaps), "s")
