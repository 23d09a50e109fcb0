"""What every namespace is born with: the service account `default` and the ConfigMap `kube-root-ca.crt`.

Two controllers of kube-controller-manager in one, for they do the same: what is missing from a namespace is made, what
was changed is put back. `admission/serviceaccounts.py` gives the account to pods.
"""

from __future__ import annotations

from twinloop.apiserver.controllers.controller import CONFIG_MAPS, NAMESPACES, SERVICE_ACCOUNTS, Controller, Object
from twinloop.apiserver.failures import Failure
from twinloop.apiserver.storage import Event

ACCOUNT, ROOT_CA = "default", "kube-root-ca.crt"
_DESCRIPTION = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the "
    "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes "
    "clusters."
)
# The server listens on loopback without TLS: there is no certificate that anyone could check.
_CERTIFICATE = "# This cluster has no certificate authority.\n"


class ServiceAccounts(Controller[str]):
    """Keeps both in every namespace that is not going; a key is a namespace's name."""

    name = "serviceaccounts"

    def observe(self, event: Event) -> None:
        """Note new namespaces, and namespaces that lost or changed what belongs to them."""
        record = event.record
        if event.resource == NAMESPACES and event.type == "ADDED":
            self._see_to(record.name)
        elif (event.resource == SERVICE_ACCOUNTS and record.name == ACCOUNT and event.type == "DELETED") or (
            event.resource == CONFIG_MAPS and record.name == ROOT_CA and event.type != "ADDED"
        ):
            self._see_to(record.namespace)

    def _see_to(self, namespace: str) -> None:
        self.agenda.add(namespace, self.server.clock.now())

    def visit(self, key: str, now: float) -> None:
        """Complete one namespace."""
        del now
        namespace = self.record(NAMESPACES, "", key)
        if namespace is None or namespace.deleting:
            return
        if self.record(SERVICE_ACCOUNTS, key, ACCOUNT) is None:
            self.create(SERVICE_ACCOUNTS, {"metadata": {"name": ACCOUNT, "namespace": key}})
        self._publish_root_ca(key)

    def _publish_root_ca(self, namespace: str) -> None:
        found = self.read(CONFIG_MAPS, namespace, ROOT_CA)
        wanted = _root_ca(namespace)
        if found is None:
            self.create(CONFIG_MAPS, wanted)
        elif found.get("data") != wanted["data"]:
            found["data"] = wanted["data"]
            self._put_back(found)

    def _put_back(self, config_map: Object) -> None:
        """Undo a change; a ConfigMap that was made immutable with another content can only stay."""
        try:
            self.update(CONFIG_MAPS, config_map)
        except Failure as failure:
            if failure.code != 422:
                raise


def _root_ca(namespace: str) -> Object:
    return {
        "metadata": {
            "name": ROOT_CA,
            "namespace": namespace,
            "annotations": {"kubernetes.io/description": _DESCRIPTION},
        },
        "data": {"ca.crt": _CERTIFICATE},
    }
