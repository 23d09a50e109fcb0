"""What Ctrl-C and SIGTERM do to a comparison: the first ends the trials under way, and nothing may end the ending.

`commands.py` and the demo run a comparison inside it; `compare.py` makes a partial report of the KeyboardInterrupt.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
# Longer than the ending of trials takes: operators have 10 s, several after one another, and then there are the judges.
PATIENCE: Final = 60.0


@contextmanager
def ended_by_the_first_signal() -> Iterator[None]:
    """Inside, the first signal raises KeyboardInterrupt and says so; another one within `PATIENCE` seconds is not heard.

    After that one is heard again, should the ending hang. A process that was started deaf to a signal stays so. Whoever lets
    the KeyboardInterrupt pass has no report: nothing is known, so the process ends with 2 and not with click's 1.
    """
    heard: list[float] = []

    def stop(number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if heard and now - heard[-1] < PATIENCE:
            return
        heard.append(now)
        # Not by `echo`: the signal may have come in the middle of a line to the same stream.
        os.write(2, b"Stopping.\n")
        signal.default_int_handler(number, frame)

    # SIGTERM like Ctrl-C: the operators are processes of their own and would outlive it.
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, stop)
    try:
        yield
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted: there is no report.\n")
        sys.exit(2)
    finally:
        if heard:
            # To the very end, where Python takes its own handlers away and the exit status would be the signal's.
            for number in SIGNALS:
                signal.signal(number, signal.SIG_IGN)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Inside, no signal is heard: all trials are over, and seconds before its report a run of an hour is not given up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)
