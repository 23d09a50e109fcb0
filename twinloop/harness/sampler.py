"""What operators use of the machine, ten times a second: CPU, memory, threads, file descriptors, and reconciles so far.

`supervisor.py` starts a `Sampler` with the first process. A replica is measured as its whole process tree, for a wrapper
script is none of its virtues. What cannot be read, because a process has just ended or the system does not tell, is left
out or 0, never guessed.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Final
from urllib.parse import urlsplit

import psutil

from twinloop.harness.history import Recorder, Sample

EVERY: Final = 0.1
# Every so many looks: children are found by reading all processes of the machine, proportional memory by a walk through all
# mappings, and a scrape is work for the operator. A sample in between has neither of the latter two.
SELDOM: Final = 5
RECONCILES: Final = "controller_runtime_reconcile_total"

_LINE = re.compile(rf"^{RECONCILES}(?:\{{[^}}]*\}})?\s+(\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Target:
    """A process to look at; `metrics` is the URL of its metrics, "" if it serves none."""

    replica: str
    pid: int
    metrics: str = ""


class Sampler:
    """A thread from `start` to `close` that records a Sample of every target, every `EVERY` seconds."""

    def __init__(
        self,
        recorder: Recorder,
        targets: Callable[[], Iterable[Target]],
        measure: Callable[[Target, bool], Sample | None] | None = None,
    ) -> None:
        self._recorder, self._targets = recorder, targets
        self._measure = measure or Meter().sample
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, unless begun."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        turn = 0
        while not self._stopped.wait(EVERY):
            self.look(seldom=turn % SELDOM == 0)
            turn += 1

    def look(self, *, seldom: bool) -> None:
        """One sample of each target."""
        for target in self._targets():
            sample = self._measure(target, seldom)
            if sample is not None:
                self._recorder.write(sample)


class Meter:
    """Reads process trees through psutil."""

    def __init__(self, scrape: Callable[[str], str] | None = None) -> None:
        self._scrape = scrape or fetch
        self._trees: dict[int, list[psutil.Process]] = {}
        # CPU by process, children that have ended included, so that the sum never falls.
        self._cpu: dict[int, dict[int, float]] = {}

    def sample(self, target: Target, seldom: bool) -> Sample | None:
        """What the tree of a target uses; None when it is gone."""
        if seldom or target.pid not in self._trees:
            self._trees[target.pid] = _tree(target.pid)
        tree, cpu = self._trees[target.pid], self._cpu.setdefault(target.pid, {})
        totals = _Totals()
        for process in tree:
            totals.add(process, cpu)
        if not totals.seen:
            return None
        return Sample(
            replica=target.replica,
            pid=target.pid,
            cpu=round(sum(cpu.values()), 3),
            rss=totals.rss,
            pss=sum(map(_pss, tree)) if seldom else 0,
            threads=totals.threads,
            fds=totals.fds,
            reconciles=reconciles(self._scrape(target.metrics)) if seldom and target.metrics else None,
        )


@dataclass
class _Totals:
    rss: int = 0
    threads: int = 0
    fds: int = 0
    seen: int = 0

    def add(self, process: psutil.Process, cpu: dict[int, float]) -> None:
        try:
            with process.oneshot():
                if process.status() == psutil.STATUS_ZOMBIE:
                    return
                times = process.cpu_times()
                cpu[process.pid] = float(times.user + times.system)
                self.rss += process.memory_info().rss
                self.threads += process.num_threads()
                self.fds += process.num_fds()
                self.seen += 1
        except psutil.Error:  # ended in between
            return


def _tree(pid: int) -> list[psutil.Process]:
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.Error:
        return []


def _pss(process: psutil.Process) -> int:
    """Memory in which shared pages count in parts, 0 where the system does not tell."""
    try:
        return int(getattr(process.memory_full_info(), "pss", 0))
    except psutil.Error:
        return 0


def reconciles(page: str) -> float | None:
    """All reconciles so far, whatever came of them, by a page of metrics; None when it does not say."""
    found = _LINE.findall(page)
    return sum(map(float, found)) if found else None


def fetch(url: str) -> str:
    """A page of metrics, "" when there is none."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=0.5)
    try:
        connection.request("GET", parts.path)
        answer = connection.getresponse()
        return answer.read().decode(errors="replace") if answer.status == 200 else ""
    except (OSError, HTTPException):
        return ""
    finally:
        connection.close()
