"""The queue of a miniature: names and the time at which each is due, never one name in two hands.

`base.py` adds to it from its watches and takes from it in its workers.
"""

from __future__ import annotations

import threading
import time


class Keys:
    """For any number of threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._due: dict[str, float] = {}
        self._held: set[str] = set()
        self._closed = False

    def add(self, name: str, after: float = 0.0) -> None:
        """Make a name due after so many seconds, or earlier if it is due earlier already."""
        with self._changed:
            due = time.monotonic() + after
            self._due[name] = min(due, self._due.get(name, due))
            self._changed.notify_all()

    def take(self) -> str | None:
        """Wait for the next name that is due and that nobody holds; None when there will be none."""
        with self._changed:
            while not self._closed:
                free = {name: due for name, due in self._due.items() if name not in self._held}
                first = min(free, key=free.__getitem__, default=None)
                left = None if first is None else free[first] - time.monotonic()
                if first is not None and left is not None and left <= 0:
                    del self._due[first]
                    self._held.add(first)
                    return first
                self._changed.wait(left)
            return None

    def done(self, name: str) -> None:
        """Give a name back."""
        with self._changed:
            self._held.discard(name)
            self._changed.notify_all()

    def close(self) -> None:
        """Hand out no more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
