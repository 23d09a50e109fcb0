"""Runs the replicas of one variant for one trial: the levers that `stage.py` and the proxy pull.

Each replica is kept up by a `Keeper`; a `Sampler` looks at all of them while they run. Everything that happens to a process
is recorded. `close` leaves no process behind, and `guard.py` sees to it when the harness does not live to call it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from twinloop.errors import ConfigurationError
from twinloop.harness import guard as guards
from twinloop.harness import ports as all_ports
from twinloop.harness.crashloop import CrashLoop
from twinloop.harness.history import Recorder
from twinloop.harness.job import Variant
from twinloop.harness.keeper import Groups, Keeper
from twinloop.harness.launch import Launch, launch
from twinloop.harness.ports import Ports
from twinloop.harness.sampler import Sampler, Target
from twinloop.harness.scenario import Settings


class Supervisor:
    """The processes of one variant in one namespace, by replica ("a", "b"). Safe to use from any thread."""

    def __init__(
        self,
        variant: Variant,
        *,
        recorder: Recorder,
        folder: Path,
        namespace: str,
        kubeconfigs: Callable[[str], Path],
        settings: Settings,
        inherited: Mapping[str, str] = os.environ,
        ports: Ports | None = None,
        guard: Groups | None = None,
    ) -> None:
        self._variant, self._recorder, self._folder = variant, recorder, folder
        self._namespace, self._kubeconfigs, self._settings = namespace, kubeconfigs, settings
        self._inherited = inherited
        self._ports = ports or all_ports.shared()
        self._guard = guard or guards.shared()
        self._keepers: dict[str, Keeper] = {}
        self._launches: dict[str, Launch] = {}
        self._taken: list[int] = []
        self._sampler = Sampler(recorder, self.targets)

    # ------------------------------------------------------------------ levers

    def start(self, replica: str, *, wait: bool = True) -> bool:
        """Start a replica unless it is up already; with `wait`, whether it was ready within `settings.start` seconds."""
        keeper = self._keepers.get(replica)
        if keeper is None:
            keeper = self._keepers[replica] = self._keeper(replica)
            keeper.start()
            self._sampler.start()
        return keeper.wait_ready(self._settings.start) if wait else True

    def stop(self, replica: str) -> bool:
        """SIGTERM, and wait for the end; whether that came within `settings.grace` seconds, with status 0."""
        keeper = self._keepers.get(replica)
        if keeper is None:
            return True
        well = keeper.stop(self._settings.grace)
        # Not before: after an interruption `close` still has to find it.
        del self._keepers[replica]
        return well

    def kill(self, replica: str, *, restart: bool = True) -> None:
        """SIGKILL, and wait for the end; it is started again after its back-off, unless told otherwise."""
        keeper = self._keepers.get(replica)
        if keeper is None:
            return
        before = len(keeper.exits)
        sent = keeper.send(signal.SIGKILL, restart=restart)
        if sent:
            keeper.wait_exit(before, self._settings.grace)
        if not restart:
            keeper.join()
            self._keepers.pop(replica, None)

    def crash(self, replica: str) -> None:
        """SIGKILL at once, and no waiting; it is started again after its back-off."""
        if keeper := self._keepers.get(replica):
            keeper.send(signal.SIGKILL)

    def signal(self, replica: str, name: str) -> None:
        """Send a signal by name (SIGSTOP, SIGCONT, SIGTERM ...); who ends by it is started again."""
        try:
            number = signal.Signals[name.upper() if name.upper().startswith("SIG") else f"SIG{name.upper()}"]
        except KeyError:
            raise ConfigurationError(f"there is no signal {name}", hint="Write SIGTERM, SIGSTOP, SIGCONT.") from None
        if keeper := self._keepers.get(replica):
            keeper.send(number)

    def running(self, replica: str) -> bool:
        """Whether there is a process at this moment; not between a crash and the restart."""
        keeper = self._keepers.get(replica)
        return keeper is not None and keeper.pid != 0

    def ready(self, replica: str) -> bool:
        """Whether it is running and has said that it is ready."""
        keeper = self._keepers.get(replica)
        return keeper is not None and keeper.ready

    def close(self) -> None:
        """Kill whatever runs, and wait until it is gone."""
        for replica in list(self._keepers):
            self.kill(replica, restart=False)
        self._sampler.close()
        self._ports.give_back(*self._taken)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    # ------------------------------------------------------------------ what runs

    def targets(self) -> list[Target]:
        """What there is to sample."""
        found = ((replica, keeper.pid) for replica, keeper in list(self._keepers.items()))
        return [Target(replica, pid, self._launches[replica].metrics) for replica, pid in found if pid]

    def _keeper(self, replica: str) -> Keeper:
        # Once here, so that what goes wrong with it is told to whoever starts the operator and not to a thread.
        self._launch(replica)
        return Keeper(
            replica,
            lambda: self._launch(replica),
            self._folder / f"operator-{replica}.log",
            recorder=self._recorder,
            guard=self._guard,
            # Whoever starts an operator by hand starts a new container.
            crash_loop=CrashLoop(self._settings.crash_loop_scale),
        )

    def _launch(self, replica: str) -> Launch:
        """The same addresses at each start: a restarted operator is the same replica."""
        if replica not in self._launches:
            metrics_port, health_port = self._ports.take(), self._ports.take()
            self._taken += [metrics_port, health_port]
            self._launches[replica] = launch(
                self._variant,
                kubeconfig=self._kubeconfigs(replica),
                namespace=self._namespace,
                metrics_port=metrics_port,
                health_port=health_port,
                resync=self._settings.resync,
                inherited=self._inherited,
            )
        return self._launches[replica]
