"""Where the CPU time of the handwritten operator goes, by what it is spent on: `python -m benchmarks.operators --profile`.

The operator runs as it always does, with `profiling/sitecustomize.py` loaded before it. Being measured makes it about
twice as slow; what the profiler itself costs for each call is measured too and taken off. Shares are to be
trusted to a few per cent, milliseconds less.
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

# The first that fits counts: a part of "FILE function", with / for our own files relative to the project.
GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("start: imports, command line, settings", ("<frozen", "importlib", "<string>", "click/", "enum.py", "re/", "sre_",
                                                "dataclasses.py", "ast.py", "inspect.py", "typing.py")),  # fmt: skip
    ("sockets and TLS", ("_ssl._SSL", "_socket.socket", "/ssl.py", "/socket.py", "select.poll", "/selectors.py")),
    ("JSON, both ways", ("/json/",)),
    ("watch: lines from chunks, decoded events", ("twinloop/kube/watch.py", "handwritten/listwatch.py",
                                                  "handwritten/reflector.py", "handwritten/watch_handler.py",
                                                  "handwritten/inflight.py")),  # fmt: skip
    ("deltas, cache and indexes", ("handwritten/fifo.py", "handwritten/delta_fifo.py", "handwritten/process_deltas.py",
                                   "handwritten/store.py", "handwritten/informer.py", "handwritten/handlers.py")),  # fmt: skip
    ("handlers and the wiring", ("handwritten/processor.py", "handwritten/nginxpod.py",
                                 "handwritten/mutation_cache.py")),  # fmt: skip
    ("queue and workers", ("handwritten/workqueue.py", "handwritten/delaying.py", "handwritten/ratelimit.py",
                           "handwritten/controller.py", "handwritten/clock.py", "handwritten/metrics.py")),  # fmt: skip
    ("locks and threads", ("/threading.py", "/queue.py", "/concurrent/")),
    ("sync: plan, status, memory", ("twinloop/sync.py", "twinloop/plan.py", "twinloop/status.py", "twinloop/memory.py",
                                    "twinloop/nginxpod.py", "twinloop/cluster.py", "/_strptime.py")),  # fmt: skip
    ("Events: correlator and recorder", ("twinloop/kube/events.py", "twinloop/kube/event_correlator.py")),
    ("HTTP: our client", ("twinloop/kube/",)),
    ("HTTP: urllib3", ("/urllib3/",)),
    ("HTTP: the standard library's, headers included", ("/http/", "/email/", "/urllib/")),
    ("logging", ("/logging/", "twinloop/logs.py", "/traceback.py")),
    ("metrics", ("prometheus_client", "twinloop/metrics.py")),
)  # fmt: skip
REST = "everything else"
# Functions that are told of by name.
SHOWN = 12


@contextlib.contextmanager
def into(path: Path) -> Iterator[None]:
    """Every Python program that is started in this block is profiled; the last one's profile is in the file."""
    if sys.version_info >= (3, 12):
        raise click.ClickException("from Python 3.12 on cProfile cannot tell threads apart; take 3.11 for --profile")
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
    return next((name for name, parts in GROUPS if any(part in text for part in parts)), REST)


def shown(path: Path) -> list[str]:
    """The profile as lines of text."""
    groups: Counter[str] = Counter()
    functions: Counter[str] = Counter()
    for file, function, seconds in json.loads(path.read_text()):
        groups[group(file, function)] += seconds
        functions[f"{_short(file)} {function}"] += seconds
    total = sum(groups.values())
    lines = [f"{total:.2f} s of CPU time", ""]
    lines += [f"{seconds / total:6.1%}  {seconds:6.2f} s  {name}" for name, seconds in groups.most_common()]
    lines += ["", "The functions that take most by themselves:", ""]
    return lines + [f"{each / total:6.1%}  {each:6.2f} s  {name}" for name, each in functions.most_common(SHOWN)]


def _short(file: str) -> str:
    """The last two parts of a path."""
    return "/".join(Path(file).parts[-2:])
