"""`python -m benchmarks.operators`: both operators serve N NginxPods on a real API server with fake nodes (kwok).

Three phases: N NginxPods of one pod are created until all are Ready; each is edited to two pods until all are Ready
again; all are deleted until no pod is left. Measured a phase: wall time, the operator's CPU, and the time from an
accepted write to the status that answers it; in all: peak memory, requests by verb from the audit log, and writes while
nothing is asked for. The variants take turns on fresh namespaces of one cluster, one of them running at a time.

The scheduler, the kubelet's stand-in, the garbage collector, this program and the operator share the machine: wall time
says what the whole takes, CPU says what the operator takes.
"""

from __future__ import annotations

import contextlib
import json
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import psutil
import yaml

from benchmarks.figures import Figure, as_json, table
from benchmarks.kwok import CLUSTER, kwokctl
from twinloop.demo.operators import SOURCES, VARIANTS, Operator
from twinloop.kube import NAMESPACES, NGINXPODS, PODS, Client, Resource, WatchStream, decode_event, load_configuration

DEFINITIONS = Resource(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced=False
)
RESULTS = Path("results") / "bench-operators.json"
PODS_PER_NODE = 100  # a fake node takes 110
PATIENCE = 300.0
IDLE = 20.0
# Metadata is enough to count; watches would only be seen when they end.
POLICY = """
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
  - level: Metadata
"""


@contextlib.contextmanager
def cluster(pods: int) -> Iterator[tuple[Path, Path]]:
    """A kwok cluster with room for so many pods; its kubeconfig and its audit log."""
    with tempfile.TemporaryDirectory(prefix="twinloop-bench-") as name:
        folder = Path(name)
        policy, kubeconfig = folder / "policy.yaml", folder / "kubeconfig"
        policy.write_text(POLICY)
        try:
            kwokctl("create", "cluster", "--runtime", "binary", "--disable-qps-limits", "--wait", "60s",
                     "--kubeconfig", str(kubeconfig), "--kube-audit-policy", str(policy))  # fmt: skip
            kwokctl("scale", "node", "--replicas", str(pods // PODS_PER_NODE + 1))
            yield kubeconfig, Path.home() / ".kwok" / "clusters" / CLUSTER / "logs" / "audit.log"
        finally:
            kwokctl("delete", "cluster", "--kubeconfig", str(kubeconfig))


@dataclass
class Truth:
    """What a watch of the NginxPods says: when each was last seen as asked for, and how many there are."""

    client: Client
    namespace: str
    ready_at: dict[str, float] = field(default_factory=dict)
    alive: set[str] = field(default_factory=set)
    wanted: int = 1
    changed: threading.Condition = field(default_factory=threading.Condition)

    def follow(self) -> None:
        """Watch until the process ends."""
        start = self.client.list_page(NGINXPODS, self.namespace)["metadata"]["resourceVersion"]
        stream = self.client.watch(
            NGINXPODS, self.namespace, resource_version=start, timeout_seconds=3600, idle_timeout=3600
        )
        threading.Thread(target=self._follow, args=(stream,), daemon=True).start()

    def _follow(self, stream: WatchStream) -> None:
        for line in stream:
            self._take(decode_event(line))

    def _take(self, event: dict[str, Any]) -> None:
        obj, now = event["object"], time.monotonic()
        name = obj["metadata"].get("name")
        if event["type"] == "BOOKMARK":
            return
        with self.changed:
            (self.alive.discard if event["type"] == "DELETED" else self.alive.add)(name)
            if is_ready(obj, self.wanted):
                self.ready_at.setdefault(name, now)
            self.changed.notify_all()

    def wait(self, done: Callable[[], bool], operator: Operator) -> None:
        """Until `done`."""
        with self.changed:
            deadline = time.monotonic() + PATIENCE
            while not done():
                if operator.died() or time.monotonic() > deadline:
                    raise RuntimeError(f"{operator.variant} did not finish: {operator.log.read_text()[-2000:]}")
                self.changed.wait(0.5)


def is_ready(nginxpod: dict[str, Any], replicas: int) -> bool:
    """Ready by its own account, about its newest generation, with so many pods."""
    status = nginxpod.get("status") or {}
    conditions = {each["type"]: each["status"] for each in status.get("conditions", [])}
    current = status.get("observedGeneration") == nginxpod["metadata"]["generation"]
    return current and conditions.get("Ready") == "True" and status.get("readyReplicas") == replicas


def everywhere(act: Callable[[str], Any], names: list[str]) -> dict[str, float]:
    """Do it for every name from 16 threads; when each was answered."""
    answered: dict[str, float] = {}

    def one(name: str) -> None:
        act(name)
        answered[name] = time.monotonic()

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(one, names))
    return answered


@dataclass
class Run:
    """One variant, from its start to its end."""

    variant: str
    kubeconfig: Path
    audit: Path
    count: int
    figures: dict[str, Figure]
    client: Client
    namespace: str

    def measure(self, folder: Path) -> None:
        """All phases."""
        self.client.create(NAMESPACES, {"metadata": {"name": self.namespace}})
        truth = Truth(self.client, self.namespace)
        truth.follow()
        seen = len(self.audit.read_bytes())
        with Operator(self.variant, self.namespace, self.kubeconfig, folder / f"{self.namespace}.log") as operator:
            process = psutil.Process(operator.pid)
            while not operator.ready():
                time.sleep(0.1)
            with peak(process) as memory:
                self._phases(truth, operator, process)
            self._add("peak memory [MB]", memory[0])
        requests = count_requests(self.audit.read_bytes()[seen:], self.variant)
        for verb, number in sorted(requests.items()):
            self._add(f"requests: {verb}", number)

    def _phases(self, truth: Truth, operator: Operator, process: psutil.Process) -> None:
        names = [f"n{number}" for number in range(self.count)]
        body = {"apiVersion": NGINXPODS.api_version, "kind": "NginxPod", "spec": {"replicas": 1}}
        self._phase("create", truth, operator, process, lambda: everywhere(
            lambda name: self.client.create(NGINXPODS, {**body, "metadata": {"name": name}}, self.namespace), names
        ))  # fmt: skip
        self._idle(process)
        truth.wanted = 2
        self._phase("edit", truth, operator, process, lambda: everywhere(
            lambda name: self.client.merge_patch(NGINXPODS, name, {"spec": {"replicas": 2}}, self.namespace), names
        ))  # fmt: skip
        began, cpu = time.monotonic(), used(process)
        everywhere(lambda name: self.client.delete(NGINXPODS, name, self.namespace), names)
        truth.wait(lambda: not truth.alive, operator)
        while self.client.list_page(PODS, self.namespace, limit=1)["items"]:
            time.sleep(0.1)
        self._add("delete, wall [s]", time.monotonic() - began)
        self._add("delete, CPU [s]", used(process) - cpu)

    def _phase(
        self, phase: str, truth: Truth, operator: Operator, process: psutil.Process, act: Callable[[], dict[str, float]]
    ) -> None:
        truth.ready_at.clear()
        began, cpu = time.monotonic(), used(process)
        answered = act()
        truth.wait(lambda: len(truth.ready_at) == self.count, operator)
        self._add(f"{phase}, wall [s]", time.monotonic() - began)
        self._add(f"{phase}, CPU [s]", used(process) - cpu)
        times = sorted(max(0.0, truth.ready_at[name] - answered[name]) for name in answered)
        self._add(f"{phase} to Ready, p50 [s]", statistics.median(times))
        self._add(f"{phase} to Ready, p99 [s]", times[int(len(times) * 0.99)])

    def _idle(self, process: psutil.Process) -> None:
        # The last status is written, yet an operator may still be busy with the echo of it.
        time.sleep(3)
        before, cpu = len(self.audit.read_bytes()), used(process)
        time.sleep(IDLE)
        requests = count_requests(self.audit.read_bytes()[before:], self.variant)
        self._add("idle, requests", sum(requests.values()))
        self._add("idle, CPU [% of a core]", (used(process) - cpu) / IDLE * 100)

    def _add(self, name: str, value: float) -> None:
        self.figures.setdefault(name, Figure(name, "")).add(self.variant, value)


@contextlib.contextmanager
def peak(process: psutil.Process) -> Iterator[list[float]]:
    """The largest resident size in MB, looked at five times a second."""
    most, stop = [0.0], threading.Event()

    def look() -> None:
        while not stop.wait(0.2):
            most[0] = max(most[0], process.memory_info().rss / 1e6)

    thread = threading.Thread(target=look)
    thread.start()
    yield most
    stop.set()
    thread.join()


def used(process: psutil.Process) -> float:
    """CPU seconds so far, the system's included."""
    times = process.cpu_times()
    return float(times.user + times.system)


def count_requests(log: bytes, variant: str) -> Counter[str]:
    """The variant's requests by verb and resource; kopf sends under two names."""
    agents = {"handwritten": ("twinloop-handwritten",), "kopf": ("twinloop-kopf", "kopf")}[variant]
    found: Counter[str] = Counter()
    for line in log.splitlines():
        with contextlib.suppress(json.JSONDecodeError):
            entry = json.loads(line)
            if str(entry.get("userAgent", "")).startswith(agents):
                ref = entry.get("objectRef", {})
                found[
                    "/".join(filter(None, (f"{entry['verb']} {ref.get('resource', '')}", ref.get("subresource"))))
                ] += 1
    return found


@click.command()
@click.option("--count", type=click.IntRange(1), default=1000, show_default=True, help="NginxPods.")
@click.option("--rounds", type=click.IntRange(1), default=1, show_default=True)
@click.option("--only", type=click.Choice(VARIANTS), help="One variant alone.")
def main(count: int, rounds: int, only: str | None) -> None:
    """Measure the operators beside each other on a kwok cluster."""
    figures: dict[str, Figure] = {}
    variants = [only] if only else list(VARIANTS)
    with cluster(2 * count + 10) as (kubeconfig, audit), tempfile.TemporaryDirectory() as folder:
        client = Client(load_configuration(str(kubeconfig)), user_agent="twinloop-bench", pool_size=20)
        client.create(DEFINITIONS, yaml.safe_load((SOURCES / "crds" / "nginxpods.yaml").read_text()))
        time.sleep(2)
        for number in range(rounds):
            for variant in variants if number % 2 == 0 else reversed(variants):
                click.echo(f"round {number + 1} of {rounds}: {variant}, {count} NginxPods", err=True)
                namespace = f"bench-{number}-{variant}"
                Run(variant, kubeconfig, audit, count, figures, client, namespace).measure(Path(folder))
    click.echo("\n".join(table(list(figures.values()), variants)))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(as_json(list(figures.values())), indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
