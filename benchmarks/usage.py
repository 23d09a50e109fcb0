"""What a process takes: its CPU time, and the largest memory that it had in a stretch of time."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

import psutil

# Seconds between two looks at the memory.
EVERY = 0.2


class Usage:
    """Looks at a process while the block lasts."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self._most = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def cpu(self) -> float:
        """CPU seconds so far, the system's on its behalf included."""
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def peak(self) -> float:
        """The largest resident size in MB since this was asked last."""
        most, self._most = max(self._most, self._memory()), 0.0
        return most

    def _memory(self) -> float:
        return float(self._process.memory_info().rss / 1e6)

    def _look(self) -> None:
        while not self._stop.wait(EVERY):
            self._most = max(self._most, self._memory())

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
