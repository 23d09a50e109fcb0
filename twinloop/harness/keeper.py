"""Keeps one operator process up, as a kubelet keeps a container: start, wait until ready, see its end, start again.

`supervisor.py` has a keeper for each replica. A keeper is a thread that follows one process after another and records
what becomes of them; signals come from any thread. What is sent and what is recorded of it happen under one lock, so that
the history never shows an effect before its cause.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

from twinloop.errors import EXIT_CONFIGURATION
from twinloop.harness.crashloop import CrashLoop
from twinloop.harness.history import Process, Recorder
from twinloop.harness.launch import Launch

# Seconds between two looks at a process that is not ready yet, and for one answer.
PROBE_EVERY: Final = 0.02
PROBE_PATIENCE: Final = 1.0
# What a shell says of a command that is not there.
NO_PROGRAM: Final = 127
# Statuses that no restart will change: no such program, and a configuration that makes no sense.
HOPELESS: Final = (NO_PROGRAM, EXIT_CONFIGURATION)


class Groups(Protocol):
    """Who has to know of process groups: see `guard.Guard`."""

    def watch(self, group: int) -> None:
        """One has begun."""

    def forget(self, group: int) -> None:
        """One has ended."""


class Keeper:
    """One replica, from `start` until it is stopped for good. `launch` is asked at each start."""

    def __init__(
        self,
        replica: str,
        launch: Callable[[], Launch],
        log: Path,
        *,
        recorder: Recorder,
        guard: Groups,
        crash_loop: CrashLoop,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.replica, self.log = replica, log
        self.ready = False
        self.exits: list[int] = []
        self._launch, self._recorder, self._guard = launch, recorder, guard
        self._crash_loop, self._clock = crash_loop, clock
        self._changed = threading.Condition()
        self._process: subprocess.Popen[bytes] | None = None
        self._wanted, self._expected = True, False
        self._thread = threading.Thread(target=self._run, name=f"keeper-{replica}", daemon=True)

    # ------------------------------------------------------------------ for the supervisor

    def start(self) -> None:
        """Begin, once."""
        self._thread.start()

    @property
    def pid(self) -> int:
        """The running process, 0 in between two."""
        # Without the lock: the recorder's listeners may ask, and they run under the recorder's own.
        process = self._process
        return process.pid if process is not None else 0

    def wait_ready(self, within: float) -> bool:
        """Block until the process is ready; False when it was not in time, or says that it never will be."""
        with self._changed:
            self._changed.wait_for(lambda: self.ready or self._hopeless or not self._wanted, max(0.0, within))
            return self.ready

    @property
    def _hopeless(self) -> bool:
        return bool(self.exits) and self.exits[-1] in HOPELESS

    def wait_exit(self, after: int, within: float) -> bool:
        """Block until more than `after` exits were seen."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self.exits) > after, within)

    def send(self, number: signal.Signals, *, restart: bool = True) -> bool:
        """Send a signal; whether there was a process. `restart` False: it stays down when it ends."""
        with self._changed:
            self._wanted = self._wanted and restart
            self._changed.notify_all()
            process = self._process
            if process is None:
                return False
            self._expected = self._expected or number in {signal.SIGKILL, signal.SIGTERM, signal.SIGINT}
            # The signal first: a crash is meant to hit the operator before it does anything else.
            _deliver(process.pid, number)
            what = "killed" if number == signal.SIGKILL else "signalled"
            self._note(what, pid=process.pid, expected=True, detail=number.name)
            return True

    def stop(self, grace: float) -> bool:
        """SIGTERM, after `grace` seconds SIGKILL; whether it ended by itself, in time and with status 0."""
        before = len(self.exits)
        if not self.send(signal.SIGTERM, restart=False):
            self.join()
            return False
        in_time = self.wait_exit(before, grace)
        if not in_time:
            self.send(signal.SIGKILL, restart=False)
        self.join()
        return in_time and self.exits[-1] == 0

    def join(self) -> None:
        """Wait for the end of the last process; only after a signal without restart."""
        self._thread.join()

    # ------------------------------------------------------------------ the thread

    def _run(self) -> None:
        again = True
        while again:
            began = self._clock()
            self._live()
            again = self._backed_off(self._clock() - began)

    def _backed_off(self, ran: float) -> bool:
        """Wait as the back-off says; False when it is to stay down."""
        with self._changed:
            if self._wanted:
                delay = self._crash_loop.after(ran)
                self._note("restarting", delay=delay)
                self._changed.wait_for(lambda: not self._wanted, delay)
            return self._wanted

    def _live(self) -> None:
        """One process from its start to its end."""
        launch = self._launch()
        with self.log.open("ab") as log:
            process = self._started(launch, log.fileno())
        if process is None:
            return
        self._follow(process, launch.ready)
        # What it has started itself must not outlive it.
        _deliver(process.pid, signal.SIGKILL)
        self._guard.forget(process.pid)
        self._ended(process.returncode, process.pid)

    def _started(self, launch: Launch, log: int) -> subprocess.Popen[bytes] | None:
        with self._changed:
            try:
                # A group of its own: Ctrl-C is for the harness, and whatever the operator starts ends with it.
                process = subprocess.Popen(  # noqa: S603 - a person has asked for this command
                    launch.command,
                    env=launch.environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            except OSError as error:
                self.exits.append(NO_PROGRAM)
                self._note("exited", code=NO_PROGRAM, detail=str(error))
                self._changed.notify_all()
                return None
            self._guard.watch(process.pid)
            self._process, self._expected = process, False
            self._note("started", pid=process.pid)
            return process

    def _follow(self, process: subprocess.Popen[bytes], ready: str) -> None:
        """Until it has ended; on the way, see it become ready."""
        while process.poll() is None and not (not ready or answers(ready)):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(PROBE_EVERY)
        if process.poll() is None:
            with self._changed:
                self.ready = True
                self._note("ready", pid=process.pid)
                self._changed.notify_all()
        process.wait()

    def _ended(self, code: int, pid: int) -> None:
        with self._changed:
            self._process, self.ready = None, False
            self.exits.append(code)
            self._note("exited", pid=pid, code=code, expected=self._expected)
            self._changed.notify_all()

    def _note(
        self,
        what: str,
        *,
        pid: int = 0,
        code: int | None = None,
        delay: float = 0.0,
        expected: bool = False,
        detail: str = "",
    ) -> None:
        self._recorder.write(
            Process(replica=self.replica, what=what, pid=pid, code=code, delay=delay, expected=expected, detail=detail)
        )


def _deliver(pid: int, number: signal.Signals) -> None:
    """SIGTERM is for the process that was started, as a kubelet has it; what stops or kills is for its whole group."""
    with contextlib.suppress(ProcessLookupError):
        (os.kill if number in {signal.SIGTERM, signal.SIGINT} else os.killpg)(pid, number)


def answers(url: str) -> bool:
    """Whether a GET is answered with 200."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=PROBE_PATIENCE)
    try:
        connection.request("GET", parts.path)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):  # nobody listens yet, or not yet to this
        return False
    finally:
        connection.close()
