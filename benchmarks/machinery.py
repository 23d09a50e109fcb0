"""`python -m benchmarks.machinery`: the handwritten queue, cache and event path, each beside a peer in the same run.

- queue: add, get and done of a key with client-go's metrics, beside put and get of the standard library's queue.Queue,
  which neither merges keys nor counts anything;
- delays: add_after while 100,000 keys wait, beside a bare heapq push, and beside itself with 1,000 keys waiting;
- cache: 10,000 pods in an Indexer beside the same dicts in a plain dict, and a list by an index;
- events: see `events.py`.
"""

from __future__ import annotations

import heapq
import json
import queue
import subprocess
import sys
import time
from pathlib import Path

import click
from prometheus_client import CollectorRegistry

from benchmarks import events
from benchmarks.figures import Figure, as_json, table
from handwritten.clock import RealClock
from handwritten.delaying import DelayingQueue
from handwritten.metrics import PrometheusMetricsProvider
from handwritten.workqueue import WorkQueue

OURS, PEER = "handwritten", "peer"
RESULTS = Path("results") / "bench-machinery.json"
COUNT = 100_000


def queue_triple(figure: Figure) -> None:
    """Microseconds for one key through the queue, 100 keys at a time."""
    ours: WorkQueue[str] = WorkQueue(
        name="bench", clock=RealClock(), metrics=PrometheusMetricsProvider(CollectorRegistry())
    )
    keys = [f"default/pod-{number}" for number in range(100)]
    began = time.perf_counter()
    for _ in range(COUNT // 100):
        for key in keys:
            ours.add(key)
        for _ in keys:
            key, _ = ours.get()  # type: ignore[assignment]  # never None while there are keys
            ours.done(key)
    figure.add(OURS, (time.perf_counter() - began) / COUNT * 1e6)
    plain: queue.Queue[str] = queue.Queue()
    began = time.perf_counter()
    for _ in range(COUNT // 100):
        for key in keys:
            plain.put(key)
        for _ in keys:
            plain.get()
            plain.task_done()
    figure.add(PEER, (time.perf_counter() - began) / COUNT * 1e6)


def add_after(figure: Figure, waiting: int) -> None:
    """Microseconds for one add_after while `waiting` keys wait."""
    ours: DelayingQueue[str] = DelayingQueue(name="bench", clock=RealClock())
    try:
        for number in range(waiting):
            ours.add_after(f"waiting-{number}", 3600 + number % 977)
        keys = [f"new-{number}" for number in range(10_000)]
        began = time.perf_counter()
        for place, key in enumerate(keys):
            ours.add_after(key, 3600 + place % 991)
        figure.add(OURS, (time.perf_counter() - began) / len(keys) * 1e6)
    finally:
        ours.shut_down()
    heap = [(3600.0 + number % 977, f"waiting-{number}") for number in range(waiting)]
    heapq.heapify(heap)
    began = time.perf_counter()
    for place, key in enumerate(keys):
        heapq.heappush(heap, (3600.0 + place % 991, key))
    figure.add(PEER, (time.perf_counter() - began) / len(keys) * 1e6)


def cache(figures: dict[str, Figure]) -> None:
    """Memory and index reads of 10,000 pods, each side in a process of its own."""
    for side in (OURS, PEER):
        command = [sys.executable, "-m", "benchmarks.cache", "indexer" if side == OURS else "dict"]
        told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)  # noqa: S603
        figures["memory"].add(side, told["megabytes"])
        if "micros_by_index" in told:
            figures["index"].add(side, told["micros_by_index"])


def figures() -> dict[str, Figure]:
    """What is measured, with the guides that the project set itself."""
    return {
        "triple": Figure("queue: add, get, done (peer: queue.Queue)", "us", guide="<= 10"),
        "few": Figure("add_after, 1,000 waiting (peer: heapq)", "us", guide=""),
        "many": Figure("add_after, 100,000 waiting (peer: heapq)", "us", guide="< 20"),
        "memory": Figure("10,000 pods (peer: a dict of the same dicts)", "MB", guide="ratio <= 1.2"),
        "index": Figure("3 pods by owner among 10,000", "us", guide="O(result)"),
        "official": Figure("watch event (peer: official SharedInformer)", "us", guide="ratio <= 0.25"),
        "kopf": Figure("watch event (peer: kopf)", "us", guide="ratio < 1"),
    }


@click.command()
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True)
@click.option("--pods", type=click.IntRange(2), default=5000, show_default=True, help="Watch events of the event path.")
def main(rounds: int, pods: int) -> None:
    """Measure the handwritten machinery beside its peers."""
    taken = figures()
    for number in range(rounds):
        click.echo(f"round {number + 1} of {rounds}", err=True)
        queue_triple(taken["triple"])
        add_after(taken["few"], 1000)
        add_after(taken["many"], 100_000)
        cache(taken)
        for peer in ("official", "kopf"):
            taken[peer].add(OURS, events.micros_an_event("handwritten", pods))
            taken[peer].add(PEER, events.micros_an_event(peer, pods))
    click.echo("\n".join(table(list(taken.values()), [OURS, PEER])))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(as_json(list(taken.values())), indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
