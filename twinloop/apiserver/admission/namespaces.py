"""NamespaceLifecycle: nothing is created in a namespace that is not there, or that is going.

The first rule that `verbs/` ask. Deletion of what is in a namespace is always allowed: `controllers/namespaces.py`
lives by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twinloop.apiserver import failures
from twinloop.apiserver.failures import Failure
from twinloop.apiserver.kinds import Kind

if TYPE_CHECKING:
    from twinloop.apiserver.server import ApiServer

Object = dict[str, Any]

NAMESPACES = ("", "namespaces")
IMMORTAL = frozenset({"default", "kube-public", "kube-system"})


def lifecycle(
    server: ApiServer,
    operation: str,
    kind: Kind,
    obj: Object | None,
    old: Object | None,
    namespace: str,
    subresource: str,
    dry_run: bool,
) -> None:
    """404 for a namespace that is missing, 403 for one that is terminating or may not be deleted."""
    del subresource, dry_run
    if kind.storage == NAMESPACES:
        if operation == "DELETE" and old is not None:
            _check_mortal(old["metadata"]["name"])
    elif kind.namespaced and operation != "DELETE":
        _check_usable(server, operation, kind, obj, namespace)


def _check_mortal(name: str) -> None:
    if name in IMMORTAL:
        raise failures.forbidden("", "namespaces", name, "this namespace may not be deleted")


def _check_usable(server: ApiServer, operation: str, kind: Kind, obj: Object | None, namespace: str) -> None:
    found = server.storage.get(NAMESPACES, "", namespace)
    if found is None:
        raise failures.not_found("", "namespaces", namespace)
    if operation == "CREATE" and found.deleting:
        raise _terminating(kind, obj or {}, namespace)


def _terminating(kind: Kind, obj: Object, namespace: str) -> Failure:
    meta = obj.get("metadata") or {}
    cause = {
        "reason": "NamespaceTerminating",
        "message": f"namespace {namespace} is being terminated",
        "field": "metadata.namespace",
    }
    why = f"unable to create new content in namespace {namespace} because it is being terminated"
    name = meta.get("name") or meta.get("generateName") or "Unknown"
    return failures.forbidden(kind.group, kind.plural, name, why, [cause])
