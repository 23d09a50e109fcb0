"""One lane: the records of one trial, told line by line as they are written.

`run.py` makes a listener of it for the trial's recorder. It knows no more than the history does, and at every moment no less.
"""

from __future__ import annotations

from collections.abc import Callable

from twinloop.demo.headlines import headline
from twinloop.demo.titles import title
from twinloop.harness.history import Process, Record, Truth, User
from twinloop.kube import Object


class Lane:
    """Called with each record of a trial. `tell` gets a line; lines about a step count from when the user asked for it."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._objects: dict[tuple[str, str], Object] = {}
        self._since = 0.0

    def __call__(self, record: Record) -> None:
        """Tell what is worth a line."""
        if isinstance(record, User):
            self._since = record.asked
            self._tell("")
            self._tell(f"== {title(record)}")
        elif isinstance(record, Truth):
            self._see(record)
        elif isinstance(record, Process) and record.what in {"ready", "exited"} and not record.expected:
            self._tell(f"operator {record.what}")

    def _see(self, truth: Truth) -> None:
        place = (truth.resource, truth.object["metadata"]["name"])
        before = self._objects.pop(place, None)
        now = None if truth.type == "DELETED" else truth.object
        if now is not None:
            self._objects[place] = now
        # What a step brings about may be seen before the answer to it; then it is told under the step before.
        if line := headline(before, now):
            self._tell(f"{truth.t - self._since:6.2f} s  {line}")
