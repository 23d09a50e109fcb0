"""When what is due: the one piece of bookkeeping that all controllers share.

A controller's `observe` puts keys in, its `run` takes out those that are due and its `due` says when the next one is.
A key stands in an agenda once, at the earliest time that was asked for, so that a burst of events about one object is
one visit, as in a workqueue. Keys that are due at the same time come out in the order in which they went in.
"""

from __future__ import annotations

from collections.abc import Hashable
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


# Outdated entries that are not worth tidying up.
_OUTDATED = 64


class Agenda(Generic[K]):
    """Keys with the clock time (seconds) at which each is due."""

    def __init__(self) -> None:
        self._when: dict[K, float] = {}
        self._heap: list[tuple[float, int, K]] = []  # holds outdated entries too; _when decides
        self._order = count()

    def __len__(self) -> int:
        return len(self._when)

    def __contains__(self, key: K) -> bool:
        return key in self._when

    def add(self, key: K, when: float) -> None:
        """See to the key at this time, or earlier if that was asked for before."""
        known = self._when.get(key)
        if known is None or when < known:
            self._when[key] = when
            heappush(self._heap, (when, next(self._order), key))
            if len(self._heap) > 2 * len(self._when) + _OUTDATED:
                self._tidy()

    def _tidy(self) -> None:
        """Throw outdated entries away: behind one that is due first they would gather for ever."""
        self._heap = [(when, next(self._order), key) for key, when in self._when.items()]
        heapify(self._heap)

    def drop(self, key: K) -> None:
        """Do not see to the key."""
        self._when.pop(key, None)

    def take(self, now: float, most: int) -> list[K]:
        """The keys that are due, in order, at most so many; they are no longer in the agenda."""
        found: list[K] = []
        while len(found) < most and (first := self.next()) is not None and first <= now:
            key = heappop(self._heap)[2]
            del self._when[key]
            found.append(key)
        return found

    def next(self) -> float | None:
        """When the first key is due; None when there is none."""
        while self._heap and self._when.get(self._heap[0][2]) != self._heap[0][0]:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def clear(self) -> None:
        """Forget everything."""
        self._when.clear()
        self._heap.clear()
