"""The server's memory during a soak, and the rule by which it has stopped growing or has not.

Memory grows by design until the server's history is full, that is for the first 12,000 events; by then the writers have
used all their names as well. From there on nothing is kept that does not push something else out. So the median of the
last tenth of a run is held against the median of the tenth that begins with the full history: medians, because a look
may fall into the middle of a list or of a garbage collection. `test_memory.py` shows that a leak is noticed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median

from twinloop.apiserver.storage import HISTORY

# Seconds between two looks.
LOOK = 1.0


@dataclass
class Memory:
    """Resident megabytes, look by look, and how many looks there were before the history was full."""

    samples: list[float] = field(default_factory=list)
    full: int = 0

    def look(self, megabytes: float, events: int) -> None:
        """Note one look, and how many events there had been."""
        self.samples.append(megabytes)
        if not self.full and events >= HISTORY:
            self.full = len(self.samples)

    def growth(self) -> float:
        """Megabytes from the full history to the end."""
        tenth = max(1, len(self.samples) // 10)
        return median(self.samples[-tenth:]) - median(self.samples[self.full : self.full + tenth])

    def series(self, seconds: int) -> str:
        """Every so many seconds one, and the last."""
        step = max(1, int(seconds / LOOK))
        return " ".join(f"{each:.0f}" for each in [*self.samples[::step], self.samples[-1]])
