"""The two servers of a comparison: a real one behind a kubeconfig, and the embedded one in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from conformance.suite import install_fixtures
from conformance.wire import Server
from twinloop.apiserver.http.local import LocalServer
from twinloop.kube.config import load_configuration


def real(kubeconfig: str | None = None, context: str | None = None) -> Server:
    """The API server that a kubeconfig names. Raises ConfigurationError."""
    return Server("real", load_configuration(kubeconfig, context))


@contextmanager
def embedded() -> Iterator[Server]:
    """A fresh embedded server, gone at the end."""
    with LocalServer() as local:
        server = Server("embedded", load_configuration(str(local.kubeconfig)))
        # The real server knows nothing from before its watch cache began; here that moment has to be made.
        install_fixtures(server)
        local.compact()
        yield server
