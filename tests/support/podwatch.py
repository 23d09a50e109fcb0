"""Starts either podwatch as a process and keeps what it prints, each line with the moment at which it came."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from support.processes import PATIENCE, ROOT

PROGRAMS = ["handwritten", "kopf"]


class Podwatch:
    """One podwatch of a namespace, from `with` to its end; `lines` is its stdout so far, stderr goes to a file."""

    def __init__(self, program: str, kubeconfig: Path | str, namespace: str, stderr: Path, *args: str) -> None:
        self.lines: list[str] = []
        self.times: list[float] = []
        # Guards both lists; notified when they grow.
        self._came = threading.Condition()
        self._stderr = stderr
        commands = {
            "handwritten": ["-m", "handwritten.podwatch", "--kubeconfig", str(kubeconfig), "--namespace", namespace],
            "kopf": ["-m", "kopf", "run", "--standalone", "-n", namespace, "operator/podwatch.py"],
        }
        # What the buffering of a pipe would hide is part of the test, so nothing here turns it off.
        base = {k: v for k, v in os.environ.items() if not k.startswith("KUBE") and k != "PYTHONUNBUFFERED"}
        with stderr.open("wb") as stream:
            self.process = subprocess.Popen(
                [sys.executable, *commands[program], *args],
                cwd=ROOT,
                env={**base, "KUBECONFIG": str(kubeconfig)},
                stdout=subprocess.PIPE,
                stderr=stream,
                text=True,
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join(PATIENCE)
        if self.process.stdout is not None:
            self.process.stdout.close()

    def until(self, true: Callable[[list[str]], bool], patience: float = PATIENCE) -> list[str]:
        """The lines as soon as they fit; fails with those that came instead."""
        with self._came:
            fits = self._came.wait_for(lambda: true(self.lines), patience)
            assert fits, f"after {patience:.0f} s:\n{self.lines}\n{self.errors()}"
            return list(self.lines)

    def count(self, count: int, patience: float = PATIENCE) -> list[str]:
        """The lines as soon as there are so many."""
        return self.until(lambda lines: len(lines) >= count, patience)

    def nothing_comes(self, seconds: float) -> None:
        """Let time pass; fails if a line comes. For statements about what does *not* happen, and only those."""
        with self._came:
            before = len(self.lines)
            assert not self._came.wait_for(lambda: len(self.lines) > before, seconds), self.lines[before:]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask the process to end; its exit code. All that it printed has been read then."""
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code

    def errors(self) -> str:
        """What it wrote to stderr."""
        return self._stderr.read_text()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._came:
                self.lines.append(line.removesuffix("\n"))
                self.times.append(time.monotonic())
                self._came.notify_all()
