"""`python -m benchmarks.operators`: both operators serve N NginxPods on a real API server with fake nodes (kwok).

Three phases: N NginxPods of one pod are created until all are Ready; each is edited to two pods until all are Ready
again; all are deleted until no pod is left. Measured a phase: wall time, the operator's CPU, its largest memory, and the
time from an accepted write to the status that answers it; in all: requests by verb from the audit log, and what it does
while nothing is asked for. The variants take turns on fresh namespaces of one cluster, one of them running at a time.
`--profile` says where the operator's time goes instead: see `profiled.py`.

The scheduler, the kubelet's stand-in, the garbage collector, this program and the operator share the machine: wall time
says what the whole takes, CPU says what the operator takes.
"""

from __future__ import annotations

import contextlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import psutil
import yaml

from benchmarks import profiled
from benchmarks.audit import POLICY, Audit
from benchmarks.figures import Figure, as_json, table
from benchmarks.kwok import CLUSTER, kwokctl
from benchmarks.processes import SOURCES, VARIANTS, Operator
from benchmarks.truth import Truth
from benchmarks.usage import Usage
from twinloop.errors import ApiError
from twinloop.kube import NAMESPACES, NGINXPODS, PODS, Client, Resource, load_configuration

DEFINITIONS = Resource(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced=False
)
RESULTS = Path("results") / "bench-operators.json"
PODS_PER_NODE = 100  # a fake node takes 110
# An operator is quiet when it has asked for nothing in so many seconds; how long it then is watched being idle.
QUIET, IDLE = 5.0, 20.0
# Clients that change NginxPods. More only make the API server's queue longer.
CLIENTS = 16
# Seconds until the server must serve a kind that has just been defined.
PATIENCE = 30.0
GUIDES = {
    "create, wall [s]": "<= 17 for 1,000",
    "create, CPU [s]": "<= 4 for 1,000",
    "create, peak memory [MB]": "<= 90 for 1,000",
    "CPU a NginxPod, all phases [ms]": "flat",
    "idle, writes [1]": "0",
}


@contextlib.contextmanager
def cluster(pods: int) -> Iterator[tuple[Path, Audit]]:
    """A kwok cluster with room for so many pods; its kubeconfig and its audit log."""
    with tempfile.TemporaryDirectory(prefix="twinloop-bench-") as name:
        folder = Path(name)
        policy, kubeconfig = folder / "policy.yaml", folder / "kubeconfig"
        policy.write_text(POLICY)
        try:
            kwokctl("create", "cluster", "--runtime", "binary", "--disable-qps-limits", "--wait", "60s",
                     "--kubeconfig", str(kubeconfig), "--kube-audit-policy", str(policy))  # fmt: skip
            kwokctl("scale", "node", "--replicas", str(pods // PODS_PER_NODE + 1))
            yield kubeconfig, Audit(Path.home() / ".kwok" / "clusters" / CLUSTER / "logs" / "audit.log")
        finally:
            kwokctl("delete", "cluster", "--kubeconfig", str(kubeconfig))


def serve_nginxpods(client: Client) -> None:
    """Install the definition, and wait until the server has made up its storage: until then it answers 404, then 429."""
    client.create(DEFINITIONS, yaml.safe_load((SOURCES / "crds" / "nginxpods.yaml").read_text()))
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            client.list_page(NGINXPODS)
        except ApiError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return


def everywhere(act: Callable[[str], Any], names: list[str]) -> dict[str, float]:
    """Do it for every name, several at a time; when each was answered."""
    answered: dict[str, float] = {}

    def one(name: str) -> None:
        act(name)
        answered[name] = time.monotonic()

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(one, names))
    return answered


@dataclass(frozen=True)
class Bench:
    """What all runs share."""

    kubeconfig: Path
    audit: Audit
    count: int
    client: Client
    folder: Path
    figures: dict[str, Figure] = field(default_factory=dict)


class Run:
    """One variant, from its start to its end."""

    def __init__(self, variant: str, bench: Bench, namespace: str) -> None:
        self.variant, self.namespace = variant, namespace
        self.count, self.client, self.audit = bench.count, bench.client, bench.audit
        self._bench = bench

    def measure(self) -> float:
        """All phases; returns the seconds of CPU that the operator has taken since its start."""
        self.client.create(NAMESPACES, {"metadata": {"name": self.namespace}})
        truth = Truth(self.client, self.namespace)
        began, log = self.audit.here(), self._bench.folder / f"{self.namespace}.log"
        with (
            truth.followed(),
            Operator(self.variant, self.namespace, self._bench.kubeconfig, log) as operator,
            Usage(psutil.Process(operator.pid)) as usage,
        ):
            while not operator.ready():
                time.sleep(0.1)
            self._phases(truth, operator, usage)
            cpu = usage.cpu()
        for asked, number in sorted(self.audit.requests(self.variant, began).items()):
            if number >= self.count:  # the others are how it starts, and cost the same for any number
                self._add(f"{asked} a NginxPod", "1", number / self.count)
        return cpu

    def _phases(self, truth: Truth, operator: Operator, usage: Usage) -> None:
        names, cpu = [f"n{number}" for number in range(self.count)], usage.cpu()
        self._add("started, memory", "MB", usage.peak())
        truth.expect(1)
        self._asked("create", truth, operator, usage, lambda: everywhere(self._create, names))
        self._idle(usage)
        truth.expect(2)
        self._asked("edit", truth, operator, usage, lambda: everywhere(self._edit, names))
        with self._phase("delete", usage):
            everywhere(lambda name: self.client.delete(NGINXPODS, name, self.namespace), names)
            self._wait(truth, operator, lambda: not truth.alive)
            while self.client.list_page(PODS, self.namespace, limit=1)["items"]:
                time.sleep(0.1)
        self._add("CPU a NginxPod, all phases", "ms", (usage.cpu() - cpu) / self.count * 1000)

    def _create(self, name: str) -> None:
        body = {"apiVersion": NGINXPODS.api_version, "kind": "NginxPod", "spec": {"replicas": 1}}
        self.client.create(NGINXPODS, {**body, "metadata": {"name": name}}, self.namespace)

    def _edit(self, name: str) -> None:
        self.client.merge_patch(NGINXPODS, name, {"spec": {"replicas": 2}}, self.namespace)

    def _asked(
        self, phase: str, truth: Truth, operator: Operator, usage: Usage, act: Callable[[], dict[str, float]]
    ) -> None:
        with self._phase(phase, usage):
            answered = act()
            self._wait(truth, operator, lambda: len(truth.ready_at) == self.count)
        times = sorted(max(0.0, truth.ready_at[name] - answered[name]) for name in answered)
        self._add(f"{phase} to Ready, p50", "s", statistics.median(times))
        self._add(f"{phase} to Ready, p99", "s", times[int(len(times) * 0.99)])

    @contextlib.contextmanager
    def _phase(self, phase: str, usage: Usage) -> Iterator[None]:
        began, cpu = time.monotonic(), usage.cpu()
        usage.peak()
        yield
        self._add(f"{phase}, wall", "s", time.monotonic() - began)
        self._add(f"{phase}, CPU", "s", usage.cpu() - cpu)
        self._add(f"{phase}, peak memory", "MB", usage.peak())

    def _wait(self, truth: Truth, operator: Operator, done: Callable[[], bool]) -> None:
        truth.wait(done, operator.died, lambda: f"{self.variant} did not finish: {operator.log.read_text()[-2000:]}")

    def _idle(self, usage: Usage) -> None:
        """The last status is written, yet an operator may still be busy with the echo of it: first until it is quiet."""
        began = last = time.monotonic()
        place = self.audit.here()
        while time.monotonic() - last < QUIET:
            time.sleep(0.5)
            if self.audit.requests(self.variant, place):
                last, place = time.monotonic(), self.audit.here()
        self._add("quiet after", "s", last - began)
        place, cpu = self.audit.here(), usage.cpu()
        time.sleep(IDLE)
        self._add("idle, writes", "1", self.audit.writes(self.variant, place))
        self._add("idle, requests", "1", sum(self.audit.requests(self.variant, place).values()))
        self._add("idle, CPU of a core", "%", (usage.cpu() - cpu) / IDLE * 100)

    def _add(self, name: str, unit: str, value: float) -> None:
        guide = GUIDES.get(f"{name} [{unit}]", "")
        self._bench.figures.setdefault(name, Figure(name, unit, guide=guide)).add(self.variant, value)


def beside_each_other(bench: Bench, variants: Sequence[str], rounds: int) -> None:
    """The variants in turns, as a table."""
    for number in range(rounds):
        for variant in variants if number % 2 == 0 else reversed(variants):
            click.echo(f"round {number + 1} of {rounds}: {variant}, {bench.count} NginxPods", err=True)
            Run(variant, bench, f"bench-{number}-{variant}").measure()
    figures = list(bench.figures.values())
    click.echo("\n".join(table(figures, variants)))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(as_json(figures), indent=1) + "\n")


def where_the_time_goes(bench: Bench) -> None:
    """The handwritten operator without the profiler, then with it."""
    profile = bench.folder / "profile"
    cpu = Run("handwritten", bench, "bench-plain").measure()
    with profiled.into(profile):
        Run("handwritten", bench, "bench-profiled").measure()
    click.echo("\n".join(profiled.shown(profile, cpu)))


@click.command()
@click.option("--count", type=click.IntRange(1), default=1000, show_default=True, help="NginxPods.")
@click.option("--rounds", type=click.IntRange(1), default=1, show_default=True)
@click.option("--only", type=click.Choice(VARIANTS), help="One variant alone.")
@click.option("--profile", is_flag=True, help="Where the handwritten operator's CPU time goes, instead of the table.")
def main(count: int, rounds: int, only: str | None, profile: bool) -> None:
    """Measure the operators beside each other on a kwok cluster."""
    if profile:
        profiled.check()
    with cluster(2 * count + 10) as (kubeconfig, audit), tempfile.TemporaryDirectory() as folder:
        client = Client(load_configuration(str(kubeconfig)), user_agent="twinloop-bench", pool_size=CLIENTS + 4)
        serve_nginxpods(client)
        bench = Bench(kubeconfig, audit, count, client, Path(folder))
        if profile:
            where_the_time_goes(bench)
        else:
            beside_each_other(bench, [only] if only else list(VARIANTS), rounds)


if __name__ == "__main__":
    sys.exit(main())
