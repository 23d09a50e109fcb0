"""Where a `LocalServer` runs: in a process of its own, or in a thread of this one.

`local.py` picks one of the two, starts and stops it; both run what `process.py` runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

from twinloop.apiserver.http.process import Running, running
from twinloop.apiserver.http.settings import Settings
from twinloop.apiserver.server import ApiServer
from twinloop.errors import TwinloopError

T = TypeVar("T")

# A machine that is busy with something else; on an idle one it takes half a second.
PATIENCE = 30.0


class LocalServerError(TwinloopError):
    """The server did not start."""

    hint = "What it said is on standard error."


class ProcessHost:
    """The server as a process of its own."""

    def __init__(self, settings: Settings, log: Path | None) -> None:
        self._command = [sys.executable, "-m", "twinloop.apiserver", settings.to_json()]
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process, 0 when it does not run."""
        return self._process.pid if self._process else 0

    def start(self, kubeconfig: Path) -> None:
        """Start it and wait until its kubeconfig is there. Raises LocalServerError."""
        # It ends when its standard input does, so that it never outlives this process.
        with contextlib.ExitStack() as stack:
            log = stack.enter_context(self._log.open("wb")) if self._log else None
            self._process = subprocess.Popen(  # noqa: S603
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=log,
                # Ctrl-C on a terminal is told to all of its processes; whoever started the server may still need it then.
                start_new_session=True,
            )
        deadline = time.monotonic() + PATIENCE
        while not kubeconfig.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise LocalServerError("the API server did not start")
            time.sleep(0.005)

    def stop(self) -> None:
        """End it, by force if it does not end by itself."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


class ThreadHost:
    """The server in a thread of this process."""

    pid = property(lambda _: os.getpid())

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._started: Future[Running] = Future()
        self._thread = threading.Thread(target=self._run, name="apiserver", daemon=True)

    @property
    def running(self) -> Running:
        """What runs there."""
        return self._started.result()

    def start(self, kubeconfig: Path) -> None:  # noqa: ARG002 - the other one looks for it
        """Start it and wait until it answers; raises what its start raised."""
        self._thread.start()
        self._started.result(PATIENCE)

    def stop(self) -> None:
        """End it and the thread."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(PATIENCE)
        self._loop.close()

    def call(self, function: Callable[[ApiServer], T]) -> T:
        """Run a function in the thread, between two requests."""
        done: Future[T] = Future()

        def run() -> None:
            try:
                done.set_result(function(self.running.server))
            except Exception as error:  # noqa: BLE001 - it is raised again in the caller's thread
                done.set_exception(error)

        self._loop.call_soon_threadsafe(run)
        return done.result(PATIENCE)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        try:
            async with running(self._settings) as found:
                self._started.set_result(found)
                await self._stop.wait()
        except Exception as error:  # noqa: BLE001 - whoever starts the thread gets it
            if not self._started.done():
                self._started.set_exception(error)
