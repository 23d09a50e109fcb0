"""`twinloop apiserver` as a process: what it prints, how it ends, what it says about a person's mistakes.

Left out: LocalServer (test_local.py); the other commands.
"""

from __future__ import annotations

import base64
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import yaml
from click.testing import CliRunner

from twinloop import cli
from twinloop.apiserver.http import process as server_process

TWINLOOP = [sys.executable, "-m", "twinloop.cli"]


@contextmanager
def started(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command running, and the line that it printed."""
    command = [*TWINLOOP, "apiserver", *arguments]
    environ = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ) as process:
        assert process.stdout
        try:
            yield process, process.stdout.readline()
        finally:
            process.kill()


def get(kubeconfig: Path, path: str) -> bytes:
    config = yaml.safe_load(kubeconfig.read_text())
    cluster = config["clusters"][0]["cluster"]
    trusted = ssl.create_default_context(cadata=_decoded(cluster["certificate-authority-data"]))
    headers = {"Authorization": f"Bearer {config['users'][0]['user']['token']}"}
    request = urllib.request.Request(cluster["server"] + path, headers=headers)
    with urllib.request.urlopen(request, context=trusted, timeout=10) as answer:
        return bytes(answer.read())


def _decoded(text: str) -> str:
    return base64.b64decode(text).decode()


def test_it_says_in_one_line_how_to_use_it_and_it_can_be_used(tmp_path: Path) -> None:
    path = tmp_path / "config"
    with started("--kubeconfig-out", str(path)) as (process, line):
        assert re.fullmatch(
            rf"API server at https://127\.0\.0\.1:\d+; use it with: export KUBECONFIG={re.escape(str(path))}\n", line
        )
        assert get(path, "/healthz") == b"ok"
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert process.stdout
        assert process.stdout.read() == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_and_its_own_kubeconfig_goes(number: signal.Signals) -> None:
    with started() as (process, line):
        path = Path(line.strip().rpartition("=")[2])
        assert path.exists()
        process.send_signal(number)
        assert process.wait(10) == 0
        assert not path.parent.exists()


def test_an_open_watch_does_not_keep_it(tmp_path: Path) -> None:
    path = tmp_path / "config"
    with started("--kubeconfig-out", str(path)) as (process, _):
        config = yaml.safe_load(path.read_text())
        url = config["clusters"][0]["cluster"]["server"].replace("https", "http")
        headers = {"Authorization": f"Bearer {config['users'][0]['user']['token']}"}
        request = urllib.request.Request(f"{url}/api/v1/namespaces?watch=1", headers=headers)
        with urllib.request.urlopen(request, timeout=10) as watch:
            assert b"ADDED" in watch.readline()
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            watch.read()
        assert process.wait(10) == 0
        assert time.monotonic() - began < 2


def test_a_busy_port_is_one_clear_line_and_exit_2() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = subprocess.run([*TWINLOOP, "apiserver", f"--port={port}"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: port {port} is in use. Choose another --port, or 0 for any free one.\n"


def test_an_unknown_controller_is_one_clear_line_and_exit_2() -> None:
    command = [*TWINLOOP, "apiserver", "--controllers=kubelet,lunch"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert done.stderr.startswith("error: no such controller: lunch. There are serviceaccounts")


def test_a_kubeconfig_that_cannot_be_written_is_one_clear_line_and_exit_2(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    command = [*TWINLOOP, "apiserver", "--kubeconfig-out", str(tmp_path / "file" / "config")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert done.stderr.startswith("error: cannot write ")


def test_flags_reach_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(server_process, "serve", lambda settings, _: seen.append(settings))
    flags = ["--port=1", "--controllers=kubelet,quota", "--ready-after=2", "--stop-after=0", "--history=5", "--seed=9"]
    assert CliRunner().invoke(cli.main, ["apiserver", *flags]).exit_code == 0
    settings = seen[0]
    assert (settings.port, settings.controllers, settings.history, settings.seed) == (1, ("kubelet", "quota"), 5, 9)
    assert settings.delays == {"ready_after": 2.0, "stop_after": 0.0}


@pytest.mark.parametrize(("text", "names"), [("all", None), ("none", ()), ("", ()), ("a, b", ("a", "b"))])
def test_controllers_by_name(text: str, names: tuple[str, ...] | None) -> None:
    assert cli._names(text) == names


def test_help_fits_a_terminal_and_names_the_command() -> None:
    text = CliRunner().invoke(cli.main, ["--help"]).output
    assert "apiserver" in text
    assert max(map(len, text.splitlines())) <= 120


def test_python_m_takes_settings_as_json_and_refuses_others() -> None:
    command = [sys.executable, "-m", "twinloop.apiserver", '{"lunch": 1}']
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)


def test_it_answers_within_a_second_and_takes_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "config"
    began = time.monotonic()
    with started("--kubeconfig-out", str(path)) as (process, _):
        get(path, "/api")
        # A second on an idle machine; the tests may share this one with others.
        assert time.monotonic() - began < 5
        assert psutil.Process(process.pid).memory_info().rss < 60 * 1024 * 1024
