"""A kwok cluster of its own as a backend: a real API server without Docker, its nodes and pods pretended.

What kwokctl starts are plain processes of this machine, so it is also the quickest way to a second opinion on the embedded
server. One cluster of our name at a time; it is deleted at the end.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from twinloop.harness.backends.backend import BackendError
from twinloop.harness.backends.served import Served
from twinloop.harness.backends.tools import Run, run
from twinloop.kube import Configuration, load_configuration

CLUSTER = "twinloop-compare"
# A pretend node takes 110 pods.
NODES = 5


class KwokBackend(Served):
    """`run` runs programs. The KWOK_* variables say where kwokctl finds its own."""

    name = "kwok"
    pace = 1.0
    abilities = frozenset({"quota"})

    def __init__(self, run: Run = run) -> None:
        super().__init__()
        self._run = run
        self._folder = Path()
        self._made = False

    def _start(self) -> Configuration:
        self._folder = Path(tempfile.mkdtemp(prefix="twinloop-kwok-"))
        if CLUSTER in self._kwokctl("get", "clusters").split():
            raise BackendError(
                f"there is a kwok cluster {CLUSTER} already",
                hint=f"Another comparison uses it, or it was killed: kwokctl --name {CLUSTER} delete cluster",
            )
        self._made = True
        # Without this its controllers make a few objects a second, and the operators would wait for them.
        self._kwokctl("create", "cluster", "--runtime", "binary", "--disable-qps-limits", "--wait", "60s",
                      "--kubeconfig", str(self._kubeconfig))  # fmt: skip
        self._kwokctl("scale", "node", "--replicas", str(NODES))
        return load_configuration(str(self._kubeconfig))

    def _stop(self) -> None:
        try:
            if self._made:
                self._kwokctl("delete", "cluster", "--kubeconfig", str(self._kubeconfig))
        finally:
            self._made = False
            if self._folder != Path():
                shutil.rmtree(self._folder, ignore_errors=True)

    def _kwokctl(self, *words: str) -> str:
        return self._run("kwokctl", "--name", CLUSTER, *words)

    @property
    def _kubeconfig(self) -> Path:
        return self._folder / "kubeconfig"
