"""Where the CPU time of the handwritten operator goes, by what it is spent on: `python -m benchmarks.operators --profile`.

The operator runs twice: as it always does, and with `profiling/sitecustomize.py` loaded before it, which makes it about
twice as slow. What is too much in all, beside the first run, is the profiler's, and is taken off every function in
proportion to how often it was called or called others.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click

HOOK = Path(__file__).parent / "profiling"
SOURCES = Path(__file__).resolve().parents[1]

# Parts of "FILE function", our own files relative to the project. The first group that fits counts.
GROUPS = {
    "start: imports, command line, settings": "<frozen importlib <string> click/ enum.py re/ sre_ dataclasses.py typing.py "
    "ast.py inspect.py",
    "sockets and TLS": "_ssl._SSL _socket.socket /ssl.py /socket.py select.poll /selectors.py",
    "JSON, both ways": "/json/",
    "watch: lines from chunks, decoded events": "kube/watch.py handwritten/listwatch.py handwritten/reflector.py "
    "handwritten/watch_handler.py handwritten/inflight.py",
    "deltas, cache and indexes": "handwritten/fifo.py handwritten/delta_fifo.py handwritten/process_deltas.py "
    "handwritten/store.py handwritten/informer.py handwritten/handlers.py",
    "handlers and the wiring": "handwritten/processor.py handwritten/nginxpod.py handwritten/mutation_cache.py",
    "queue and workers": "handwritten/workqueue.py handwritten/delaying.py handwritten/ratelimit.py "
    "handwritten/controller.py handwritten/clock.py handwritten/metrics.py",
    "locks and threads": "/threading.py /queue.py /concurrent/",
    "sync: plan, status, memory": "twinloop/sync.py twinloop/plan.py twinloop/status.py twinloop/memory.py "
    "twinloop/nginxpod.py twinloop/cluster.py /_strptime.py",
    "Events: correlator and recorder": "twinloop/kube/events.py twinloop/kube/event_correlator.py",
    "HTTP: our client": "twinloop/kube/",
    "HTTP: urllib3": "/urllib3/",
    "HTTP: the standard library's, headers included": "/http/ /email/ /urllib/",
    "logging": "/logging/ twinloop/logs.py /traceback.py",
    "metrics": "prometheus_client twinloop/metrics.py",
}
REST = "everything else"
# Functions that are told of by name.
SHOWN = 12


def check() -> None:
    """Raises ClickException where there is no such profiler."""
    if sys.version_info >= (3, 12):
        raise click.ClickException("from Python 3.12 on cProfile cannot tell threads apart; take 3.11 for --profile")


@contextlib.contextmanager
def into(path: Path) -> Iterator[None]:
    """Every Python program that is started in this block is profiled; the last one's profile is in the file."""
    before = dict(os.environ)
    os.environ.update(PYTHONPATH=str(HOOK), BENCH_PROFILE=str(path))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def group(file: str, function: str) -> str:
    """What a function is for."""
    text = f"{file.removeprefix(str(SOURCES) + '/')} {function}"
    return next((name for name, parts in GROUPS.items() if any(part in text for part in parts.split())), REST)


def shown(path: Path, cpu: float) -> list[str]:
    """The profile as lines of text; `cpu` is how many seconds the operator takes when nobody looks."""
    rows = json.loads(path.read_text())
    a_look = (sum(row[2] for row in rows) - cpu) / sum(row[3] for row in rows)
    groups: Counter[str] = Counter()
    functions: Counter[str] = Counter()
    for file, function, seconds, looks in rows:
        groups[group(file, function)] += seconds - looks * a_look
        functions[f"{_short(file)} {function}"] += seconds - looks * a_look
    lines = [f"{cpu:.2f} s of CPU time; the profiler's own {a_look * 1e6:.2f} us a call are taken off", ""]
    lines += [f"{seconds / cpu:6.1%}  {seconds:6.2f} s  {name}" for name, seconds in groups.most_common()]
    lines += ["", "The functions that take most by themselves:", ""]
    return lines + [f"{each / cpu:6.1%}  {each:6.2f} s  {name}" for name, each in functions.most_common(SHOWN)]


def _short(file: str) -> str:
    """The last two parts of a path."""
    return "/".join(Path(file).parts[-2:])
