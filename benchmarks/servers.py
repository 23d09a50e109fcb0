"""The two sides of the API server's benchmark: the embedded one, and a real kube-apiserver with its etcd from kwokctl.

Each is a fresh process without a single object. `apiserver.py` measures them in turns. Where kwokctl is missing, the real
side is "not measured".
"""

from __future__ import annotations

import contextlib
import shutil
import ssl
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import yaml

from benchmarks.kwok import CLUSTER, kwokctl
from benchmarks.wire import Address
from twinloop.apiserver.http.local import LocalServer

EMBEDDED, REAL = "embedded", "kube-apiserver and etcd"


@dataclass(frozen=True)
class Server:
    """A running server: `memory` is the resident size of its processes in bytes."""

    side: str
    address: Address
    started_in: float
    memory: Callable[[], int]


@contextlib.contextmanager
def embedded() -> Iterator[Server]:
    """The embedded server as a process of its own, its controllers off: the real side here has none either."""
    began = time.monotonic()
    with LocalServer(controllers=()) as server:
        took = time.monotonic() - began
        where = urlsplit(server.url)
        address = Address(str(where.hostname), int(where.port or 0), None, {"Authorization": f"Bearer {server.token}"})
        process = psutil.Process(server.pid)
        yield Server(EMBEDDED, address, took, lambda: process.memory_info().rss)


def has_real() -> bool:
    """Whether a real API server can be had here."""
    return shutil.which("kwokctl") is not None


@contextlib.contextmanager
def real() -> Iterator[Server]:
    """kube-apiserver and etcd, without scheduler and controllers."""
    with tempfile.TemporaryDirectory(prefix="twinloop-bench-") as folder:
        kubeconfig = Path(folder) / "kubeconfig"
        began = time.monotonic()
        try:
            kwokctl(
                "create",
                "cluster",
                "--runtime",
                "binary",
                "--disable-qps-limits",
                "--kubeconfig",
                str(kubeconfig),
                "--disable",
                "kube-scheduler",
                "--disable",
                "kube-controller-manager",
                "--disable",
                "kwok-controller",
                "--wait",
                "60s",
            )
            took = time.monotonic() - began
            processes = [each for each in psutil.process_iter() if _is_ours(each)]
            yield Server(REAL, _address(kubeconfig), took, lambda: sum(p.memory_info().rss for p in processes))
        finally:
            kwokctl("delete", "cluster", "--kubeconfig", str(kubeconfig))


def _is_ours(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        line = process.cmdline()
        return bool(line) and Path(line[0]).name in {"kube-apiserver", "etcd"} and any(CLUSTER in word for word in line)
    return False


def _address(kubeconfig: Path) -> Address:
    content = yaml.safe_load(kubeconfig.read_text())
    cluster, user = content["clusters"][0]["cluster"], content["users"][0]["user"]
    context = ssl.create_default_context(cafile=cluster["certificate-authority"])
    context.load_cert_chain(user["client-certificate"], user["client-key"])
    where = urlsplit(cluster["server"])
    return Address(str(where.hostname), int(where.port or 443), context)
