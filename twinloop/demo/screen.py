"""Two columns of lines as they happen, and the table at the end. Text only: it reads the same in a log.

Lanes tell lines from the threads of their trials, so printing has a lock.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import zip_longest

from twinloop.demo.steps import Step

WIDTH = 46


class Screen:
    """Prints through `write`, one whole line a call."""

    def __init__(self, lanes: Sequence[str], write: Callable[[str], None]) -> None:
        self._lanes, self._write = list(lanes), write
        self._lock = threading.Lock()

    def head(self) -> None:
        """The names of the lanes above their columns."""
        self._write(_columns(self._lanes))
        self._write(_columns(["-" * len(lane) for lane in self._lanes]))

    def tell(self, lane: str, line: str) -> None:
        """A line in one lane. Nobody who reads, and the trial that tells it goes on all the same."""
        with self._lock, suppress(OSError):
            self._write(_columns([line if each == lane else "" for each in self._lanes]))


def _columns(texts: Sequence[str]) -> str:
    return "".join(text.ljust(WIDTH) for text in texts).rstrip()


def table(lanes: Mapping[str, Sequence[Step]]) -> list[str]:
    """The lines of the table; a lane that did not come to the end has fewer steps than another."""
    rows = list(zip_longest(*lanes.values()))
    titles = [next(step.title for step in row if step) for row in rows]
    width = max(map(len, [*titles, "together"])) + 2
    lines = ["".join(["step".ljust(width), *(f"{lane:>13}  writes" for lane in lanes)])]
    for title, row in zip(titles, rows, strict=True):
        lines.append("".join([title.ljust(width), *map(_cell, row)]))
    sums = [Step("", sum(each.seconds for each in of), sum(each.writes for each in of)) for of in lanes.values()]
    return [*lines, "".join(["together".ljust(width), *map(_cell, sums)])]


def _cell(step: Step | None) -> str:
    return f"{step.seconds:>11.2f} s  {step.writes:>6}" if step else f"{'-':>13}  {'-':>6}"
