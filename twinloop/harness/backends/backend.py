"""What a trial may ask of an API server that it runs against.

`choose.py` makes one by name, `trial.py` uses it through this protocol alone: a namespace for each trial, and what the
server can be told to do. An ability that a backend lacks makes a scenario `unsupported` there, never passed.
"""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from twinloop.errors import TwinloopError
from twinloop.kube import Configuration


class BackendError(TwinloopError):
    """A backend did not come up, or did not do what it was asked for."""

    hint = "`twinloop doctor` says what this machine lacks."


class UnsupportedError(BackendError):
    """This backend cannot do that."""

    hint = "Run it with --backend embedded."


class Backend(Protocol):
    """An API server that is up between `open` and `close`.

    `pace`: how much longer pods take than on the embedded one. `abilities`: "compact" (it forgets its history when told to),
    "orders" (its pods do as they are told), "quota" (it enforces ResourceQuotas).
    """

    name: str
    pace: float
    abilities: frozenset[str]

    @property
    def configuration(self) -> Configuration:
        """How to reach it as an administrator."""

    def open(self) -> None:
        """Come up, with NginxPods served. Raises BackendError or ConfigurationError."""

    def close(self) -> None:
        """Delete what was made, and nothing else."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    def server_version(self) -> str:
        """As it says itself: `v1.34.4`."""

    def make_namespace(self, name: str) -> None:
        """Make a namespace that takes pods when this returns."""

    def delete_namespace(self, name: str, *, wait: bool = False) -> None:
        """Delete a namespace that `make_namespace` made; `wait` until it is gone."""

    def compact(self) -> None:
        """Forget the history: watches of older versions get 410."""

    def order_pod(self, namespace: str, name: str, **said: str) -> None:
        """Tell a pod what to do: see docs/apiserver.md."""
