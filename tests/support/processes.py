"""Starts any of the operators as what it is to everybody else: a process with flags, probes, logs and an exit code."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# A process on a loaded machine imports for a second or two.
PATIENCE = 20.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Operator:
    """One operator process."""

    def __init__(
        self, variant: str, kubeconfig: Path, log: Path, environ: dict[str, str], metrics: int, *flags: str
    ) -> None:
        self.health, self.metrics = free_port(), metrics or free_port()
        self.log = log
        self.variant = variant
        kopf = [
            *(sys.executable, "-m", "kopf", "run", "--standalone", "-A", "--log-format=json"),
            f"--liveness=http://127.0.0.1:{self.health}/healthz",
        ]
        commands = {
            "handwritten": [
                *(sys.executable, "-m", "handwritten"),
                f"--health-probe-bind-address=127.0.0.1:{self.health}",
                f"--metrics-bind-address=127.0.0.1:{self.metrics}",
            ],
            "kopf": [*kopf, "operator/nginxpod.py"],
            "kopf-level": [*kopf, "operator/nginxpod_level.py"],
        }
        base = {k: v for k, v in os.environ.items() if not k.startswith("KUBE")}
        own = {"KUBECONFIG": str(kubeconfig), "TWINLOOP_METRICS_ADDRESS": f"127.0.0.1:{self.metrics}"}
        with log.open("wb") as stream:
            self.process = subprocess.Popen(
                [*commands[variant], *flags], cwd=ROOT, env={**base, **own, **environ}, stdout=stream, stderr=stream
            )

    def ready(self) -> int:
        """The status of the variant's readiness probe; 0 while nobody listens."""
        return status(self.health if self.variant == "handwritten" else self.metrics, "/readyz")

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def output(self) -> str:
        return self.log.read_text()


def status(port: int, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return 0


def page(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
        return str(answer.read().decode())


def until(true: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    deadline = time.monotonic() + patience
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)
