"""SIGTERM and SIGINT as an event, for every program of this package.

client-go's users know it as sample-controller's pkg/signals. Whatever waits in a process waits for this event among other
things; what follows from it is the caller's business.
"""

from __future__ import annotations

import os
import signal
import threading
from typing import Final

SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


def setup_signal_handler() -> threading.Event:
    """Return an event that the first of `SIGNALS` sets, by way of a pipe and a thread; call it in the main thread.

    A handler runs in the main thread between two of its instructions. Setting the event there could wait for a lock
    that the interrupted instruction holds: for ever, if the main thread was just entering its own wait for the event.
    """
    stop = threading.Event()
    reader, writer = os.pipe()

    def forward() -> None:
        os.read(reader, 1)
        stop.set()

    threading.Thread(target=forward, name="signals", daemon=True).start()
    for number in SIGNALS:
        signal.signal(number, lambda *_: os.write(writer, b"s"))
    return stop
