"""The way of a watch event from the socket to a handler, in microseconds: handwritten, the official client, kopf.

A canned server (`canned.py`, its own process) lists nothing and then sends N pods of 3.7 KB as fast as they are read. Each
consumer (`consumers.py`, its own process) has one handler that counts, and reports the time between its first and its
last event. `machinery.py` calls `micros_an_event` for the sides in turns.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

PATIENCE = 300.0


def micros_an_event(consumer: str, pods: int) -> float:
    """One run of one consumer."""
    server = subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", "benchmarks.canned", str(pods)], stdout=subprocess.PIPE, text=True
    )
    try:
        port = int((server.stdout or sys.stdin).readline())
        with tempfile.TemporaryDirectory(prefix="twinloop-bench-") as folder:
            told = _consume(consumer, pods, _kubeconfig(Path(folder), port))
    finally:
        server.kill()
        server.wait()
    return float(told["seconds"]) / (pods - 1) * 1e6


def _consume(consumer: str, pods: int, kubeconfig: Path) -> dict[str, float]:
    environ = {**os.environ, "KUBECONFIG": str(kubeconfig), "BENCH_EVENTS": str(pods)}
    if consumer == "kopf":
        command = [sys.executable, "-m", "kopf", "run", "--standalone", "-A", "-q", "-m", "benchmarks.kopf_consumer"]
    else:
        command = [sys.executable, "-m", "benchmarks.consumers", consumer]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=PATIENCE, check=False)  # noqa: S603
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        raise RuntimeError(f"{consumer} told nothing: {done.stderr[-2000:]}")
    told: dict[str, float] = json.loads(lines[-1])
    return told


def _kubeconfig(folder: Path, port: int) -> Path:
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "bench",
        "contexts": [{"name": "bench", "context": {"cluster": "bench", "user": "bench"}}],
        "clusters": [{"name": "bench", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "bench", "user": {"token": "bench"}}],
    }
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(content))
    return path
