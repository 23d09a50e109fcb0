"""Starts either operator as what it is to everybody else, a process, and stops it again.

`operators.py` runs its stories before one. The commands are those of `make run`, with probes on a free port of loopback.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from twinloop.errors import ConfigurationError
from twinloop.harness.ports import shared

VARIANTS = ("handwritten", "kopf")

# operator/ is a folder of scripts beside the package and never part of it.
SOURCES = Path(__file__).resolve().parents[1]

# Both promise to be gone within 10 s of SIGTERM.
GRACE = 12.0


def command(variant: str, namespace: str, probes: str) -> list[str]:
    """The command line that runs a variant for one namespace; `probes` is the address of its /readyz."""
    if variant == "handwritten":
        ports = ["--metrics-bind-address=0", f"--health-probe-bind-address={probes}"]
        return [sys.executable, "-m", "handwritten", f"--namespace={namespace}", *ports]
    script = SOURCES / "operator" / "nginxpod.py"
    if not script.is_file():
        raise ConfigurationError(f"{script} is not there", hint="run it from a clone of the project: make bench")
    return [sys.executable, "-m", "kopf", "run", "--standalone", f"--namespace={namespace}", str(script)]


class Operator:
    """One operator process; leaving the context stops it. Its log goes to `log`."""

    def __init__(self, variant: str, namespace: str, kubeconfig: Path, log: Path) -> None:
        self.variant, self.log = variant, log
        self._probes = f"127.0.0.1:{shared().take()}"
        # kopf serves /readyz beside its metrics and takes its settings from the environment.
        kopf = {"TWINLOOP_NAMESPACE": namespace, "TWINLOOP_METRICS_ADDRESS": self._probes}
        own = {"KUBECONFIG": str(kubeconfig), **(kopf if variant == "kopf" else {})}
        with log.open("wb") as stream:
            self._process = subprocess.Popen(  # noqa: S603 - our own command line
                command(variant, namespace, self._probes),
                cwd=SOURCES,
                env=_environment(own),
                stdout=stream,
                stderr=stream,
            )

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def ready(self) -> bool:
        """Whether its caches are synced."""
        try:
            with urllib.request.urlopen(f"http://{self._probes}/readyz", timeout=2):
                return True
        except OSError:  # nobody listens yet, or (HTTPError) the answer is not yet
            return False

    def died(self) -> bool:
        """Whether it ended although nobody asked it to."""
        return self._process.poll() is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _environment(own: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without what would point a client at another cluster."""
    return {key: value for key, value in os.environ.items() if not key.startswith("KUBE")} | dict(own)
