"""Both podwatches as processes against the embedded API server: the article's transcripts, klog's lines, start and end.

Each difference between the two is shown on both. Left out: a real cluster (tests/e2e), retries and drops of the
handwritten one (tests/unit/handwritten/test_podwatch.py; a sync that only prints does not fail by itself).
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.embedded_api import EmbeddedApi, web_pod
from support.podwatch import PROGRAMS, Podwatch
from support.processes import ROOT, until
from twinloop.kube import NAMESPACES, PODS, Object

STARTED = ["start controller", "add pod:  nginx/nginx-1", "Sync/Add/Update for Pod nginx-1"]
UPDATED = ["update pod:  nginx/nginx-1", "Sync/Add/Update for Pod nginx-1"]
DELETED = ["delete pod:  nginx/nginx-1", "Pod nginx/nginx-1 does not exists anymore"]
# Long enough to see that nothing comes where the other program says something within milliseconds.
MOMENT = 1.0

Watch = Callable[..., Podwatch]


@pytest.fixture
def api() -> Iterator[EmbeddedApi]:
    """With the article's namespace, and without a kubelet: every change is the test's own."""
    server = EmbeddedApi(kubelet=False)
    server.client.create(NAMESPACES, {"metadata": {"name": "nginx"}})
    yield server
    server.close()


def create(api: EmbeddedApi, name: str = "nginx-1") -> Object:
    return api.add(web_pod(name, namespace="nginx"))


def annotate(api: EmbeddedApi, **annotations: str) -> None:
    api.edit(PODS, "nginx-1", {"metadata": {"annotations": annotations}}, "nginx")


@pytest.fixture(params=PROGRAMS)
def program(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def watch(api: EmbeddedApi, program: str, tmp_path: Path) -> Iterator[Watch]:
    """Starts the podwatch under test, by default in a namespace with one pod."""
    made: list[Podwatch] = []

    def start(*args: str) -> Podwatch:
        create(api)
        kubeconfig = api.kubeconfig(tmp_path / "kubeconfig")
        made.append(Podwatch(program, kubeconfig, "nginx", tmp_path / "stderr", *args))
        return made[-1]

    yield start
    for podwatch in made:
        podwatch.__exit__(None, None, None)


def expect(podwatch: Podwatch, lines: list[str]) -> None:
    assert podwatch.count(len(lines)) == lines


def watching(api: EmbeddedApi) -> None:
    """Until its watch is open: what happens before may be listed instead of told."""
    until(lambda: api.lines.count("GET /api/v1/namespaces/nginx/pods") == 2, "no watch")


def test_the_articles_three_transcripts(api: EmbeddedApi, watch: Watch) -> None:
    podwatch = watch()
    expect(podwatch, STARTED)
    watching(api)
    annotate(api, by="hand")
    expect(podwatch, STARTED + UPDATED)
    # The finalizer holds the pod while it is terminating, as a kubelet does that stops its containers.
    api.edit(PODS, "nginx-1", {"metadata": {"finalizers": ["example.com/stopping"]}}, "nginx")
    expect(podwatch, STARTED + UPDATED * 2)
    api.remove(PODS, "nginx-1", "nginx")
    expect(podwatch, STARTED + UPDATED * 3)
    for count in range(4, 6):
        annotate(api, step=str(count))
        expect(podwatch, STARTED + UPDATED * count)
    api.edit(PODS, "nginx-1", {"metadata": {"finalizers": None}}, "nginx")
    expect(podwatch, STARTED + UPDATED * 5 + DELETED)
    assert podwatch.stop() == 0
    assert podwatch.lines == STARTED + UPDATED * 5 + DELETED


def test_it_asks_for_the_pods_of_its_namespace_and_changes_nothing(api: EmbeddedApi, watch: Watch) -> None:
    podwatch = watch()
    expect(podwatch, STARTED)
    watching(api)
    assert podwatch.stop() == 0
    assert [line for line in api.lines if "pods" in line] == ["GET /api/v1/namespaces/nginx/pods"] * 2
    assert {line.split()[0] for line in api.lines} == {"GET"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_exit_code_0(watch: Watch, program: str, number: signal.Signals) -> None:
    podwatch = watch()
    expect(podwatch, STARTED)
    assert podwatch.stop(number) == 0
    assert "Traceback" not in podwatch.errors()
    lines = podwatch.errors().splitlines()
    assert any(line.endswith("] Starting Pod controller") for line in lines)
    assert any(line.endswith("] Stopping Pod controller") for line in lines)
    if program == "handwritten":
        klog = r"I\d{4} \d\d:\d\d:\d\d\.\d{6} [ \d]{7} podwatch\.py:\d+\] (Starting|Stopping) Pod controller"
        assert [bool(re.fullmatch(klog, line)) for line in lines] == [True, True]


@pytest.mark.parametrize("content", [None, "{not yaml", "{}"])
def test_an_unusable_kubeconfig_is_one_line_and_exit_code_2(tmp_path: Path, program: str, content: str | None) -> None:
    path = tmp_path / "kubeconfig"
    if content is not None:
        path.write_text(content)
    with Podwatch(program, path, "nginx", tmp_path / "stderr") as podwatch:
        assert podwatch.process.wait(20) == 2
    assert podwatch.lines == []
    (line,) = podwatch.errors().splitlines()
    assert line.startswith("error: ")
    assert str(path) in line


# --- what only one of them does ---------------------------------------------------------------------------------------


def test_a_pod_deleted_while_the_watch_was_broken(api: EmbeddedApi, watch: Watch, program: str) -> None:
    """A new list says which pods are gone only to someone who knows which there were."""
    podwatch = watch()
    expect(podwatch, STARTED)
    watching(api)
    api.lose(PODS, "nginx-1", "nginx")
    # Behind the first list and watch: the new list and a watch, or a watch that is answered with 410 and the new list.
    until(lambda: api.lines.count("GET /api/v1/namespaces/nginx/pods") >= 4, "no new list")
    if program == "handwritten":
        expect(podwatch, STARTED + DELETED)
    create(api, "nginx-2")
    second = ["add pod:  nginx/nginx-2", "Sync/Add/Update for Pod nginx-2"]
    expect(podwatch, [*STARTED, *(DELETED if program == "handwritten" else []), *second])


def test_a_pod_that_is_listed_again(api: EmbeddedApi, watch: Watch, program: str) -> None:
    """An unchanged pod is no news to someone who has it; kopf tells of every listed one."""
    podwatch = watch()
    expect(podwatch, STARTED)
    watching(api)
    # A newer version of it, or the old one would do to go on watching.
    api.annotate_unseen(PODS, "nginx-1", "nginx")
    expect(podwatch, [*STARTED, *(UPDATED if program == "handwritten" else STARTED[1:])])


def test_resync_tells_of_every_pod_again(api: EmbeddedApi, watch: Watch, program: str) -> None:
    """kopf has no resync and no flag for one."""
    if program == "kopf":
        podwatch = watch()
        expect(podwatch, STARTED)
        podwatch.nothing_comes(MOMENT)
        return
    podwatch = watch("--resync", "1")
    expect(podwatch, STARTED + UPDATED * 2)
    first, second = (podwatch.times[len(STARTED) + 2 * count] for count in range(2))
    assert 0.5 < second - first < 5
    assert api.lines.count("GET /api/v1/namespaces/nginx/pods") == 2, "a resync is no list"


def test_a_list_that_answers_410(api: EmbeddedApi, watch: Watch, program: str) -> None:
    """kopf takes a 410 that comes as an HTTP status for fatal."""
    line = "GET /api/v1/namespaces/nginx/pods"
    api.fail[line] = 410
    podwatch = watch()
    if program == "kopf":
        assert podwatch.process.wait(20) == 1
        return
    until(lambda: api.lines.count(line) >= 2, "no retry")
    del api.fail[line]
    expect(podwatch, STARTED)


def test_the_handwritten_one_says_in_klogs_format_that_the_api_server_fails(api: EmbeddedApi, tmp_path: Path) -> None:
    api.fail["GET /api/v1/namespaces/nginx/pods"] = 500
    with Podwatch("handwritten", api.kubeconfig(tmp_path / "kubeconfig"), "nginx", tmp_path / "stderr") as podwatch:
        until(lambda: "reflector.py" in podwatch.errors(), "nothing said")
        assert podwatch.stop() == 0
    assert podwatch.lines == ["start controller"]
    assert re.search(
        r"^W\d{4} .* reflector\.py:\d+\] List or watch failed .*told to fail", podwatch.errors(), re.MULTILINE
    )


def test_a_reader_that_goes_away_ends_the_handwritten_one(api: EmbeddedApi, tmp_path: Path) -> None:
    """`podwatch | head -1`: no traceback; in Go it is the signal SIGPIPE that does this."""
    create(api)
    command = [
        sys.executable,
        "-m",
        "handwritten.podwatch",
        "--kubeconfig",
        str(api.kubeconfig(tmp_path / "kubeconfig")),
    ]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "start controller\n"
        process.stdout.close()
        try:
            assert process.wait(20) == 0
        finally:
            process.kill()
        errors = process.stderr.read()
    assert [line.partition("] ")[2] for line in errors.splitlines()] == [
        "Starting Pod controller",
        "Stopping Pod controller",
    ]
