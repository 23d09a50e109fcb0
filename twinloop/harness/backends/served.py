"""What all backends have in common once their API server answers: the resource, namespaces, the version.

`embedded.py`, `kind.py`, `kwok.py` and `current.py` build upon `Served` and add how the server comes up and goes down.
Whatever was made here is known here, so that only this is deleted.
"""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property
from types import TracebackType
from typing import Any, Final, Self

import yaml

from twinloop import __version__
from twinloop.errors import AlreadyExists, ConfigurationError, NotFound
from twinloop.harness.backends.backend import BackendError, UnsupportedError
from twinloop.harness.launch import SOURCES
from twinloop.kube import NAMESPACES, Client, Configuration, Object, Resource
from twinloop.kube.transport import Transport

DEFINITIONS: Final = Resource(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced=False
)
SERVICE_ACCOUNTS: Final = Resource("", "v1", "serviceaccounts", "ServiceAccount")
DEFINITION: Final = "nginxpods.twinloop.dev"
USER_AGENT: Final = f"twinloop-compare/{__version__}"
# By this label a person finds what a run that was killed has left behind.
LABELS: Final = {"app.kubernetes.io/created-by": "twinloop-compare"}

# Seconds for what a server does by itself: serve a new resource, fill or empty a namespace.
PATIENCE = 120.0
# Between two looks; the first few come quickly, for the embedded server is done at once.
SHORTEST, LONGEST = 0.005, 0.5


class Served(ABC):
    """A backend whose server is started by `_start`, which tells how to reach it, and stopped by `_stop`."""

    name: str
    pace: float = 1.0
    abilities: frozenset[str] = frozenset()

    def __init__(
        self, *, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self._configuration: Configuration | None = None
        # Namespaces that are there, and all that ever were: the latter may still be going.
        self._namespaces: set[str] = set()
        self._made_here: set[str] = set()

    @abstractmethod
    def _start(self) -> Configuration:
        """Bring the server up."""

    @abstractmethod
    def _stop(self) -> None:
        """Take down what `_start` has brought up, as far as it came."""

    # ------------------------------------------------------------------ up and down

    def open(self) -> None:
        """Bring the server up and have it serve NginxPods. What came up is taken down again when that fails."""
        try:
            self._configuration = self._start()
            self._install()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Take everything down."""
        try:
            self._let_go()
        finally:
            self._stop()
            self._configuration = None
            # What comes up next is another server, and nothing is left of what was made in this one.
            self.__dict__.pop("client", None)
            self._namespaces.clear()
            self._made_here.clear()

    def _let_go(self) -> None:  # noqa: B027 - most have nothing to do here
        """Before the server stops. A server of our own takes all that is in it along."""

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    # ------------------------------------------------------------------ what it is

    @property
    def configuration(self) -> Configuration:
        """How to reach it as an administrator."""
        if self._configuration is None:
            raise BackendError(f"backend {self.name} is not open", hint="Call open() first.")
        return self._configuration

    @cached_property
    def client(self) -> Client:
        """For our own requests."""
        return Client(self.configuration, user_agent=USER_AGENT, pool_size=4)

    def server_version(self) -> str:
        """As it says itself."""
        transport = Transport(self.configuration, user_agent=USER_AGENT, pool_size=1, connect_timeout=5.0)
        try:
            answer: dict[str, Any] = json.loads(transport.send("GET", "/version", read_timeout=10.0).data)
        finally:
            transport.close()
        return str(answer["gitVersion"])

    # ------------------------------------------------------------------ the resource

    def _install(self) -> None:
        """Have NginxPods served. Whether they were not before."""
        self._create_definition()
        self._wait("NginxPods are not served", self._established)

    def _create_definition(self) -> bool:
        """Whether it was not there before."""
        try:
            self.client.create(DEFINITIONS, definition())
        except AlreadyExists:
            return False
        return True

    def _established(self) -> bool:
        found = self.client.get(DEFINITIONS, DEFINITION)
        # A new definition's conditions are null at first, a Go server's empty list.
        conditions = found.get("status", {}).get("conditions") or []
        return any((each["type"], each["status"]) == ("Established", "True") for each in conditions)

    # ------------------------------------------------------------------ namespaces

    def make_namespace(self, name: str) -> None:
        """Make a namespace that takes pods when this returns."""
        try:
            self.client.create(NAMESPACES, {"metadata": {"name": name, "labels": LABELS}})
        except AlreadyExists:
            raise BackendError(
                f"there is a namespace {name} already", hint="It is not ours; delete it yourself."
            ) from None
        self._namespaces.add(name)
        self._made_here.add(name)
        # Without it a real server refuses every pod.
        self._wait(f"namespace {name} got no ServiceAccount", lambda: self._exists(SERVICE_ACCOUNTS, "default", name))

    def delete_namespace(self, name: str, *, wait: bool = False) -> None:
        """Delete a namespace that `make_namespace` made; `wait` until it is gone."""
        if name not in self._namespaces:
            raise BackendError(f"namespace {name} is not ours", hint="Only what was made here is deleted.")
        try:
            self.client.delete(NAMESPACES, name)
        except NotFound:
            self._namespaces.discard(name)
            return
        if wait:
            self._wait(f"namespace {name} is still there", lambda: not self._exists(NAMESPACES, name, None))
        self._namespaces.discard(name)

    def _exists(self, resource: Resource, name: str, namespace: str | None) -> bool:
        try:
            self.client.get(resource, name, namespace)
        except NotFound:
            return False
        return True

    def _wait(self, otherwise: str, done: Callable[[], bool]) -> None:
        """Until `done()`. Raises BackendError that says `otherwise`."""
        deadline, pause = self._clock() + PATIENCE, SHORTEST
        while not done():
            if self._clock() >= deadline:
                raise BackendError(f"{otherwise} after {PATIENCE:g} s")
            self._sleep(pause)
            pause = min(pause * 2, LONGEST)

    # ------------------------------------------------------------------ what only some can do

    def compact(self) -> None:
        """Forget the history."""
        raise UnsupportedError(f"backend {self.name} does not forget its history when told to")

    def order_pod(self, namespace: str, name: str, **said: str) -> None:
        """Tell a pod what to do."""
        raise UnsupportedError(f"backend {self.name} takes no orders for pod {namespace}/{name}: {', '.join(said)}")


def definition() -> Object:
    """The CustomResourceDefinition of NginxPods. Raises ConfigurationError."""
    path = SOURCES / "crds" / "nginxpods.yaml"
    if not path.is_file():
        raise ConfigurationError(f"{path} is not there", hint="Run it from a clone of the project.")
    found: Object = yaml.safe_load(path.read_text())
    return found
