"""Ends the operators when the harness itself is killed: a small process that outlives it by a moment.

`keeper.py` tells the guard the process group of every operator that it starts and that has ended. The guard's standard
input ends with this process, however that comes about; then it kills the groups that are left. It is a process because
nothing inside a killed one can do that, and not the kernel's parent-death signal, which goes out when the thread ends that
started an operator and asks for a hook between fork and exec, unsafe beside other threads.

The lower half is what runs in the guard, by path and with the standard library only, so that it starts in a moment.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable
from functools import cache


class Guard:
    """The guard's process. What it is told never raises: a guard that has died must not end a trial."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # A session of its own: Ctrl-C goes to the whole terminal, and the guard has to see the end of the rest.
        self.process = subprocess.Popen(  # noqa: S603 - this very file
            [sys.executable, "-I", "-S", __file__], stdin=subprocess.PIPE, bufsize=0, start_new_session=True
        )

    def watch(self, group: int) -> None:
        """A process group to kill when this process is gone."""
        self._tell(f"+{group}\n")

    def forget(self, group: int) -> None:
        """That group has ended; its number may soon belong to somebody else."""
        self._tell(f"-{group}\n")

    def close(self) -> None:
        """Let the guard end; it kills what it still watches."""
        self.process.communicate()

    def _tell(self, line: str) -> None:
        stream = self.process.stdin
        with self._lock, contextlib.suppress(OSError, ValueError):
            if stream is not None:
                stream.write(line.encode())


@cache
def shared() -> Guard:
    """The one guard of this process, started with the first operator."""
    guard = Guard()
    atexit.register(guard.close)
    return guard


# ------------------------------------------------------------------ inside the guard


def survivors(lines: Iterable[str]) -> set[int]:
    """The groups that were begun and not ended, by what the guard was told."""
    groups: set[int] = set()
    for line in lines:
        (groups.add if line.startswith("+") else groups.discard)(int(line[1:]))
    return groups


def main() -> None:
    """Read to the end, kill what is left."""
    # Whoever ends the harness by a signal to all its processes must not end the guard before it has done its work.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    for group in survivors(sys.stdin):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
