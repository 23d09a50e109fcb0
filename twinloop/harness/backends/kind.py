"""A kind cluster of its own as a backend: a real API server, a real kubelet, nginx that answers. Needs Docker.

A cluster that exists under our name is used and stays; one that was made here is deleted at the end. KIND and KIND_IMAGE
choose the program and the node image, as everywhere in this project. ~/.kube/config is never written.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from twinloop.harness.backends.served import Served
from twinloop.harness.backends.tools import Run, run
from twinloop.kube import Configuration, load_configuration

CLUSTER = "twinloop-compare"


class KindBackend(Served):
    """`run` runs programs, `environ` is where KIND and KIND_IMAGE are looked up."""

    name = "kind"
    # A pod takes a second or two to start and as long to stop, where it is hundredths on the embedded server.
    pace = 10.0
    abilities = frozenset({"quota"})

    def __init__(self, run: Run = run, environ: Mapping[str, str] = os.environ) -> None:
        super().__init__()
        self._run = run
        self._kind = environ.get("KIND") or "kind"
        self._image = environ.get("KIND_IMAGE") or ""
        self._folder = Path()
        self._made = False

    def _start(self) -> Configuration:
        self._folder = Path(tempfile.mkdtemp(prefix="twinloop-kind-"))
        named = ["--name", CLUSTER, "--kubeconfig", str(self._kubeconfig)]
        if CLUSTER in self._run(self._kind, "get", "clusters").split():
            self._run(self._kind, "export", "kubeconfig", *named)
        else:
            # Before it is true: half a cluster has to be deleted too.
            self._made = True
            image = ["--image", self._image] if self._image else []
            self._run(self._kind, "create", "cluster", *named, *image, "--wait", "180s")
        return load_configuration(str(self._kubeconfig))

    def _stop(self) -> None:
        try:
            if self._made:
                self._run(self._kind, "delete", "cluster", "--name", CLUSTER, "--kubeconfig", str(self._kubeconfig))
        finally:
            self._made = False
            if self._folder != Path():
                shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _kubeconfig(self) -> Path:
        return self._folder / "kubeconfig"
