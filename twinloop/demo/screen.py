"""Two columns of lines as they happen, and the table at the end. Text only: it reads the same in a log.

`run.py` says when a step begins; lanes tell lines from their own threads, so printing has a lock.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence

WIDTH = 46


class Screen:
    """Prints through `write`, one whole line a call; times count from the step's beginning."""

    def __init__(
        self, lanes: Sequence[str], write: Callable[[str], None], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._lanes, self._write, self._now = list(lanes), write, now
        self._lock = threading.Lock()
        self._since = now()

    def head(self) -> None:
        """The names of the lanes above their columns."""
        self._write(_columns(self._lanes))
        self._write(_columns(["-" * len(lane) for lane in self._lanes]))

    def step(self, title: str) -> None:
        """A step begins: a line across all lanes, and the clock starts anew."""
        with self._lock:
            self._since = self._now()
            self._write("")
            self._write(f"== {title}")

    def tell(self, lane: str, line: str) -> None:
        """A line in one lane."""
        with self._lock:
            text = f"{self._now() - self._since:6.2f} s  {line}"
            self._write(_columns([text if each == lane else "" for each in self._lanes]))


def _columns(texts: Sequence[str]) -> str:
    return "".join(text.ljust(WIDTH) for text in texts).rstrip()


def table(
    lanes: Sequence[str], seconds: Mapping[str, Mapping[str, float]], writes: Mapping[str, Mapping[str, int]]
) -> list[str]:
    """The lines of the table: `seconds` and `writes` by step title and lane."""
    width = max(len(title) for title in [*seconds, "together"]) + 2
    lines = ["".join(["step".ljust(width), *(f"{lane:>13}  writes" for lane in lanes)])]
    for title, times in seconds.items():
        cells = [f"{times[lane]:>11.2f} s  {writes[title][lane]:>6}" for lane in lanes]
        lines.append("".join([title.ljust(width), *cells]))
    totals = [
        f"{sum(t[lane] for t in seconds.values()):>11.2f} s  {sum(w[lane] for w in writes.values()):>6}"
        for lane in lanes
    ]
    return [*lines, "".join(["together".ljust(width), *totals])]
