"""The project's own API server as a backend: up in half a second, on any machine, with pods that do as they are told.

A process of its own, so that its CPU is not ours and it survives a busy harness. Pods take hundredths of a second here: a
trial waits for operators and not for a pretend kubelet.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from twinloop.apiserver.http.local import LocalServer
from twinloop.harness.backends.backend import BackendError
from twinloop.harness.backends.served import Served
from twinloop.kube import Configuration, load_configuration

# Seconds; long enough for each state to be seen by a watch of its own.
DELAYS: Final = {"start_after": 0.03, "ready_after": 0.03, "stop_after": 0.03}


class EmbeddedBackend(Served):
    """`log`: where the server's standard error goes, by default to ours."""

    name = "embedded"
    pace = 1.0
    abilities = frozenset({"compact", "orders", "quota"})

    def __init__(self, log: Path | None = None) -> None:
        super().__init__()
        self._log = log
        self._running: LocalServer | None = None

    @property
    def server(self) -> LocalServer:
        """The server's own levers."""
        if self._running is None:
            raise BackendError(f"backend {self.name} is not open", hint="Call open() first.")
        return self._running

    def _start(self) -> Configuration:
        self._running = LocalServer(delays=DELAYS, log=self._log)
        self._running.__enter__()
        return plain(load_configuration(str(self._running.kubeconfig)), self._running.url)

    def _stop(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            running.close()

    def compact(self) -> None:
        """Forget the history: watches of older versions get 410."""
        self.server.compact()

    def order_pod(self, namespace: str, name: str, **said: str) -> None:
        """Tell a pod what to do."""
        self.server.order_pod(namespace, name, **said)


def plain(configuration: Configuration, url: str) -> Configuration:
    """The same server without TLS: everything is on loopback, and encryption would only be measured along."""
    # A proxy of the environment is not for loopback.
    configuration.rest.proxy = None
    return replace(configuration, server=url)
