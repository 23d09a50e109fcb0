"""How long a process that ended has to wait before it is started again: the kubelet's crash-loop back-off.

The kubelet starts a container that ended for the first time at once, the second time 10 s after its end, then 20 s and
so on up to 5 min, and begins anew after one that ran for 10 min; it does not ask how a container ended. `keeper.py` asks
here after each end. All times are multiplied by one factor, so that a trial takes seconds; the report states it.
"""

from __future__ import annotations

from dataclasses import dataclass

# client-go's flowcontrol.Backoff as the kubelet sets it up.
INITIAL = 10.0
LONGEST = 300.0
FORGIVEN_AFTER = 600.0


@dataclass
class CrashLoop:
    """The back-off of one container; `scale` multiplies all of its times."""

    scale: float = 1.0
    _next: float = 0.0

    def after(self, ran: float) -> float:
        """Seconds to wait after a process that ran for `ran` seconds."""
        if ran > FORGIVEN_AFTER * self.scale:
            self._next = 0.0
        delay = self._next
        self._next = min(delay * 2, LONGEST) if delay else INITIAL
        return delay * self.scale
