"""The demo as a user runs it: to its end, and interrupted in the middle; nothing stays behind.

Left out: what it says of single events and how it looks (tests/unit/demo).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from support.processes import until
from twinloop.demo.run import VARIANTS

COMMAND = [sys.executable, "-m", "twinloop.cli", "demo"]


def heed_interrupts() -> None:
    """A shell starts what runs in its background with SIGINT ignored, and every child of that inherits it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def demo(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """The demo as a process; its output is in the file. It runs in a foreign folder, and temporary files go there too."""
    output = folder / "output"
    # And behind a proxy that nobody must ask: all of the demo is on loopback.
    proxies = {"HTTP_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    environ = {**os.environ, **proxies, "TMPDIR": str(folder)}
    with output.open("wb") as stream:
        process = subprocess.Popen(
            COMMAND,
            cwd=folder,
            env=environ,
            stdout=stream,
            stderr=subprocess.STDOUT,
            preexec_fn=heed_interrupts,  # noqa: PLW1509 - this process has one thread
        )
    try:
        yield process, output
    finally:
        process.kill()
        process.wait()


def test_both_operators_come_to_the_end_of_the_story(tmp_path: Path) -> None:
    with demo(tmp_path) as (process, output):
        assert process.wait(50) == 0, output.read_text()
    text = output.read_text()
    assert text.count("== create NginxPod web") == text.count("== delete NginxPod web") == len(VARIANTS)
    (together,) = [line.split() for line in text.splitlines() if line.startswith("together")]
    assert int(together[3]) >= 20, "handwritten wrote too little to have done it"
    assert int(together[6]) >= 20, "kopf wrote too little to have done it"
    assert "1 scenario under handwritten and kopf" in text, "the comparison has not said how they stand"
    assert (tmp_path / "results" / "latest" / "report.html").is_file()
    assert set(tmp_path.iterdir()) == {output, tmp_path / "results"}


def test_a_signal_before_the_story_ends_with_what_unknown_ends_with(tmp_path: Path) -> None:
    with demo(tmp_path) as (process, output):
        until(lambda: "smoke check" in output.read_text(), "it did not start")
        process.send_signal(signal.SIGINT)
        assert process.wait(40) == 2
    assert "there is no report" in output.read_text()
    assert "Traceback" not in output.read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_in_the_middle_leaves_nothing_behind(tmp_path: Path, number: signal.Signals) -> None:
    with demo(tmp_path) as (process, output):
        until(lambda: "== scale" in output.read_text(), "the story did not begin")
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) >= 3
        process.send_signal(number)
        assert process.wait(40) != 0
        _, alive = psutil.wait_procs(children, timeout=15)
    assert alive == []
    assert "Traceback" not in output.read_text()
    assert set(tmp_path.iterdir()) == {output, tmp_path / "results"}
