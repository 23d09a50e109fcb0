"""ServiceAccount: every pod runs as one, and mounts its token unless it says no.

`controllers/serviceaccounts.py` makes the account `default` of each namespace; a pod that comes before it is let in,
where the real plugin waits a moment for the account.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from twinloop.apiserver import failures, metadata
from twinloop.apiserver.kinds import Kind

if TYPE_CHECKING:
    from twinloop.apiserver.server import ApiServer

Object = dict[str, Any]

PODS = ("", "pods")
SERVICE_ACCOUNTS = ("", "serviceaccounts")
DEFAULT = "default"
MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
_VOLUME_PREFIX = "kube-api-access-"
_TOKEN_SECONDS = 3607
# A static pod stands for one that a kubelet runs from a file.
_MIRROR = "kubernetes.io/config.mirror"


def assign(
    server: ApiServer,
    operation: str,
    kind: Kind,
    obj: Object | None,
    old: Object | None,
    namespace: str,
    subresource: str,
    dry_run: bool,
) -> None:
    """Fill in the service account and the volume with its token. Raises 403 for an account that is not there."""
    del old, dry_run
    if kind.storage != PODS or operation != "CREATE" or subresource or obj is None:
        return
    spec = obj["spec"]
    if _MIRROR in (obj["metadata"].get("annotations") or {}):
        return
    spec["serviceAccountName"] = spec.get("serviceAccountName") or DEFAULT
    spec["serviceAccount"] = spec["serviceAccountName"]
    account = _account(server, obj, namespace, spec["serviceAccountName"])
    if account.get("imagePullSecrets") and not spec.get("imagePullSecrets"):
        spec["imagePullSecrets"] = account["imagePullSecrets"]
    if _wants_token(spec, account):
        _mount_token(server, spec)


def _account(server: ApiServer, obj: Object, namespace: str, name: str) -> Object:
    record = server.storage.get(SERVICE_ACCOUNTS, namespace, name)
    if record is not None:
        return record.object()
    if name == DEFAULT and server.controllers.runs("serviceaccounts"):
        return {}
    meta = obj["metadata"]
    why = f'error looking up service account {namespace}/{name}: serviceaccount "{name}" not found'
    raise failures.forbidden("", "pods", meta.get("name") or meta.get("generateName") or "Unknown", why)


def _wants_token(spec: Object, account: Object) -> bool:
    for said in (spec, account):
        if said.get("automountServiceAccountToken") is not None:
            return bool(said["automountServiceAccountToken"])
    return True


def _mount_token(server: ApiServer, spec: Object) -> None:
    """Add the projected volume where no container has something else in its place."""
    volume = _token_volume(spec) or {"name": _volume_name(server), "projected": _projected()}
    mounted = False
    for container in _containers(spec):
        mounts = container.setdefault("volumeMounts", [])
        if all(each.get("mountPath") != MOUNT_PATH for each in mounts):
            mounts.append({"name": volume["name"], "readOnly": True, "mountPath": MOUNT_PATH})
            mounted = True
    volumes = spec.setdefault("volumes", [])
    if mounted and volume not in volumes:
        volumes.append(volume)
    if not volumes:
        del spec["volumes"]


def _containers(spec: Object) -> Iterable[Object]:
    yield from spec.get("initContainers") or ()
    yield from spec["containers"] or ()


def _token_volume(spec: Object) -> Object | None:
    found: Iterable[Object] = spec.get("volumes") or ()
    return next((each for each in found if each["name"].startswith(_VOLUME_PREFIX)), None)


def _volume_name(server: ApiServer) -> str:
    generated = {"generateName": _VOLUME_PREFIX}
    metadata.generate_name(generated, server.rng)
    return generated["name"]


def _projected() -> Object:
    namespace = {"apiVersion": "v1", "fieldPath": "metadata.namespace"}
    return {
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": _TOKEN_SECONDS, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": namespace}]}},
        ],
        "defaultMode": 420,
    }
