"""`LocalServer` and the fixture `embedded_cluster`: a server that is there while a block lasts, as a process or a thread.

Covered: both kinds of it, how the process starts and ends, control methods, the thread's manual clock, the fixture in a
pytest run of its own.
Left out: the control commands one by one (test_control.py).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from twinloop.apiserver.http import hosts
from twinloop.apiserver.http.local import LocalServer, LocalServerError
from twinloop.apiserver.http.settings import Settings
from twinloop.errors import ConfigurationError

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
PODS = "/api/v1/namespaces/default/pods"


def ask(server: LocalServer, path: str, body: Any = None, token: str | None = None) -> Any:
    headers = {"Authorization": f"Bearer {token or server.token}", "Content-Type": "application/json"}
    raw = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(server.url + path, raw, headers), timeout=10) as answer:
        return json.loads(answer.read())


@pytest.fixture(scope="module")
def process() -> Iterator[LocalServer]:
    with LocalServer() as server:
        yield server


def test_a_process_answers_when_the_block_begins(process: LocalServer) -> None:
    assert ask(process, "/api/v1/namespaces/default")["metadata"]["name"] == "default"
    assert process.pid != os.getpid()


def test_its_kubeconfig_is_there_and_private(process: LocalServer) -> None:
    assert process.kubeconfig.stat().st_mode & 0o777 == 0o600


def test_another_token_is_refused(process: LocalServer) -> None:
    with pytest.raises(urllib.error.HTTPError, match="401"):
        ask(process, "/api", token="guess")


def test_it_can_be_told_to_forget_its_history(process: LocalServer) -> None:
    ask(process, CONFIGMAPS, {"metadata": {"name": "compacted"}})
    process.compact()
    with pytest.raises(urllib.error.HTTPError) as caught:
        ask(process, f"{CONFIGMAPS}?resourceVersion=1&resourceVersionMatch=Exact")
    with caught.value:
        assert caught.value.code == 410


def test_it_can_be_sent_back_in_time(process: LocalServer) -> None:
    number = process.snapshot()
    ask(process, CONFIGMAPS, {"metadata": {"name": "forgotten"}})
    process.restore(number)
    names = [each["metadata"]["name"] for each in ask(process, CONFIGMAPS)["items"]]
    assert "forgotten" not in names


def test_what_makes_no_sense_is_said_in_the_server_s_words(process: LocalServer) -> None:
    with pytest.raises(LocalServerError, match="this server runs on the machine's clock"):
        process.advance(1)


def test_its_inside_is_out_of_reach(process: LocalServer) -> None:
    with pytest.raises(LocalServerError, match="a process of its own"):
        _ = process.server


def test_the_block_s_end_is_the_process_s_end() -> None:
    with LocalServer() as server:
        found = psutil.Process(server.pid)
    assert not found.is_running()
    assert not server.kubeconfig.parent.exists()


def test_a_server_ends_with_whoever_started_it() -> None:
    code = (
        "import os, time; from twinloop.apiserver.http.local import LocalServer\n"
        "server = LocalServer().__enter__(); print(server.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL
    pid, deadline = int(done.stdout), time.monotonic() + 10
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "the server is still there"
        time.sleep(0.02)


def test_a_server_that_is_never_entered_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    server = LocalServer()
    assert (list(tmp_path.iterdir()), server.pid) == ([], 0)
    server.close()
    with server:
        assert [path / "kubeconfig" for path in tmp_path.glob("twinloop-*")] == [server.kubeconfig]
    assert not list(tmp_path.glob("twinloop-*"))


def test_a_server_that_does_not_start_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(LocalServerError, match="the API server did not start"), LocalServer():
        pass


# --- in this process --------------------------------------------------------------------------------------------------


@pytest.fixture
def thread() -> Iterator[LocalServer]:
    with LocalServer(in_process=True) as server:
        yield server


def test_a_thread_answers_too(thread: LocalServer) -> None:
    assert ask(thread, "/version")["minor"] == "34"
    assert thread.pid == os.getpid()


def test_time_stands_still_until_it_is_moved(thread: LocalServer) -> None:
    pod = {"metadata": {"name": "a"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    ask(thread, PODS, pod)
    thread.advance(0)  # the scheduler needs no time
    assert ask(thread, f"{PODS}/a")["status"]["phase"] == "Pending"
    thread.advance(60)
    assert ask(thread, f"{PODS}/a")["status"]["phase"] == "Running"


def test_a_function_can_be_run_between_two_requests(thread: LocalServer) -> None:
    assert thread.call(lambda server: server.storage.revision) == thread.server.storage.revision
    with pytest.raises(ZeroDivisionError):
        thread.call(lambda _: 1 // 0)


def test_settings_that_make_no_sense_end_the_start() -> None:
    with (
        pytest.raises(ConfigurationError, match="no such controller: lunch"),
        LocalServer(in_process=True, controllers=["lunch"]),
    ):
        pass


def test_the_kubelet_can_be_frozen_delayed_and_ordered_about(thread: LocalServer) -> None:
    thread.freeze_kubelet()
    assert thread.server.controllers.kubelet.frozen
    thread.freeze_kubelet(frozen=False)
    thread.delay_kubelet(start_after=9.0)
    assert thread.server.controllers.kubelet.delays.start_after == 9.0
    thread.order_pod("default", "a", ready="false")
    thread.limit_history(5)
    assert thread.server.storage.history.limit == 5


# --- settings ---------------------------------------------------------------------------------------------------------


def test_settings_survive_the_way_to_another_process() -> None:
    settings = Settings(port=1, controllers=("a", "b"), delays={"ready_after": 1.5}, seed=7)
    assert Settings.from_json(settings.to_json()) == settings
    assert Settings.from_json("{}") == Settings()


@pytest.mark.parametrize("text", ["", "[]", "{", '{"lunch": 1}', "null"])
def test_other_settings_are_one_clear_line(text: str) -> None:
    with pytest.raises(ConfigurationError, match="these settings make no sense"):
        Settings.from_json(text)


# --- the fixture ------------------------------------------------------------------------------------------------------

USERS_TEST = """
seen = []

def test_one(embedded_cluster):
    assert embedded_cluster.kubeconfig.exists() and embedded_cluster.token
    embedded_cluster.compact()
    seen.append(embedded_cluster.url)

def test_two(embedded_cluster):
    seen.append(embedded_cluster.url)
    assert (seen[0] == seen[1]) is SHARED
"""


@pytest.mark.parametrize("scope", ["", "session"])
def test_the_fixture_serves_somebody_else_s_tests(scope: str, tmp_path: Path) -> None:
    (tmp_path / "test_theirs.py").write_text(USERS_TEST.replace("SHARED", str(bool(scope))))
    (tmp_path / "pytest.ini").write_text(f"[pytest]\nembedded_cluster_scope = {scope}\n" if scope else "[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_the_plugin_costs_a_run_that_does_not_use_it_nothing() -> None:
    code = "import twinloop.apiserver.pytest_plugin, sys; sys.exit('aiohttp' in sys.modules or 'yaml' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_patience_is_that_of_a_busy_machine() -> None:
    assert hosts.PATIENCE >= 10
