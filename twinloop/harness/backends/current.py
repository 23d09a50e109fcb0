"""The cluster that the kubeconfig points to as a backend. It is somebody's: nothing is touched that was not made here.

Made here are the namespaces of the trials, and the definition of NginxPods if the cluster has none. The definition is
deleted only if it was, and only while nobody else has come to use it: its objects, everybody's, would go with it. While one
of our operators is deployed in the cluster, nothing begins: it would work on the trials' NginxPods too.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from typing import Final

from twinloop.errors import ConfigurationError, Forbidden, NotFound, TwinloopError
from twinloop.harness.backends.served import DEFINITION, DEFINITIONS, Served
from twinloop.kube import NGINXPODS, Configuration, Resource, load_configuration

log = logging.getLogger(__name__)

DEPLOYMENTS: Final = Resource("apps", "v1", "deployments", "Deployment")
# Where `make deploy` puts an operator, and the label that it has there.
OPERATORS: Final = "twinloop-system"
VARIANT_LABEL: Final = "twinloop.dev/variant"


class CurrentBackend(Served):
    """`context`: of the kubeconfig; the current one when empty. `load` reads the kubeconfig."""

    name = "current"
    # Nobody knows how long pods take there; a real kubelet is likely.
    pace = 10.0
    abilities = frozenset({"quota"})

    def __init__(self, context: str = "", load: Callable[..., Configuration] = load_configuration) -> None:
        super().__init__()
        self._context, self._load = context, load
        self._installed = False

    def _start(self) -> Configuration:
        return self._load(context=self._context or None)

    def _stop(self) -> None:
        """It is not ours to stop."""

    def _install(self) -> None:
        self._refuse_beside_an_operator()
        self._installed = self._create_definition()
        self._wait("NginxPods are not served", self._established)
        versions = self.client.get(DEFINITIONS, DEFINITION)["spec"]["versions"]
        if NGINXPODS.version not in {each["name"] for each in versions if each["served"]}:
            raise ConfigurationError(
                f"the cluster serves NginxPods, but not {NGINXPODS.version}", hint="Choose another cluster."
            )

    def _refuse_beside_an_operator(self) -> None:
        try:
            found = self.client.list_all(DEPLOYMENTS, OPERATORS, label_selector=VARIANT_LABEL)["items"]
        except Forbidden as error:
            raise ConfigurationError(
                f"cannot tell whether an operator is deployed: {error}", hint="A comparison needs to list deployments."
            ) from None
        if found:
            name = found[0]["metadata"]["name"]
            raise ConfigurationError(
                f"{name} is deployed and would work on the same NginxPods", hint="First: make undeploy."
            )

    # ------------------------------------------------------------------ going

    def _let_go(self) -> None:
        """Delete the namespaces that are left, then the definition; what fails is said and stops nothing."""
        if self._configuration is None:
            return
        for name in sorted(self._namespaces):
            with _said(f"namespace {name} could not be deleted"):
                self.delete_namespace(name, wait=self._installed)
        if self._installed:
            with _said(f"{DEFINITION} could not be deleted"):
                self._uninstall()

    def _uninstall(self) -> None:
        left = self._wait_for_ours()
        if left:
            log.warning("%s stays: somebody else has NginxPods by now, in %s", DEFINITION, ", ".join(left))
            return
        with contextlib.suppress(NotFound):
            self.client.delete(DEFINITIONS, DEFINITION)
        self._installed = False

    def _wait_for_ours(self) -> list[str]:
        """The namespaces that have NginxPods, once those of the trials have none."""

        def others() -> set[str]:
            items = self.client.list_all(NGINXPODS)["items"]
            return {item["metadata"]["namespace"] for item in items}

        self._wait("NginxPods of the trials are left", lambda: not others() & self._made_here)
        return sorted(others())


@contextlib.contextmanager
def _said(what: str) -> Iterator[None]:
    try:
        yield
    except TwinloopError as error:
        log.warning("%s: %s", what, error)
