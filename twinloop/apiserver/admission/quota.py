"""ResourceQuota: an object is refused when a quota of its namespace would be exceeded, and counted when it is not.

The last rule before an object is stored. It raises status.used of every quota that the object counts for, as
kube-apiserver does, so that a burst of creates meets true numbers; `controllers/quota.py` lowers them again when
objects go, and corrects what was counted and then not stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from twinloop.apiserver import failures
from twinloop.apiserver.admission.usage import (
    MUST_BE_SAID,
    PODS,
    Amounts,
    add,
    countable,
    in_scope,
    usage,
)
from twinloop.apiserver.builtin.quantities import amount
from twinloop.apiserver.failures import Failure
from twinloop.apiserver.kinds import Kind
from twinloop.apiserver.storage import Resource

if TYPE_CHECKING:
    from twinloop.apiserver.server import ApiServer

Object = dict[str, Any]

QUOTAS = ("", "resourcequotas")


def enforce(
    server: ApiServer,
    operation: str,
    kind: Kind,
    obj: Object | None,
    old: Object | None,
    namespace: str,
    subresource: str,
    dry_run: bool,
) -> None:
    """Check a new object against every quota of its namespace, then count it in them. Raises 403."""
    del old
    if operation != "CREATE" or subresource or obj is None or not kind.namespaced:
        return
    quotas = [record.object() for record in server.storage.list(QUOTAS, namespace)]
    concerned = [each for each in quotas if _concerns(each, kind.storage, obj)]
    if not concerned:
        return
    wanted = usage(kind.storage, obj)
    try:
        charged = [_charge(each, kind.storage, obj, wanted) for each in concerned]
    except _Refused as refused:
        raise _forbidden(kind, obj, str(refused)) from None
    if not dry_run:
        for quota in charged:
            _store(server, quota)


class _Refused(Exception):
    """A quota says no; the message is what the client reads."""


def _forbidden(kind: Kind, obj: Object, why: str) -> Failure:
    meta = obj["metadata"]
    name = meta.get("name") or meta.get("generateName") or "Unknown"
    return failures.forbidden(kind.group, kind.plural, name, why)


def _concerns(quota: Object, resource: Resource, obj: Object) -> bool:
    """Only what the quota controller has taken notice of counts: status.hard."""
    hard = (quota.get("status") or {}).get("hard") or quota["spec"].get("hard") or {}
    return any(countable(resource, name) for name in hard) and in_scope(quota, resource, obj)


def _charge(quota: Object, resource: Resource, obj: Object, wanted: Amounts) -> Object:
    """The quota with the object counted in."""
    name, status = quota["metadata"]["name"], quota.get("status") or {}
    hard = status.get("hard") or quota["spec"]["hard"]
    if resource == PODS:
        _check_said(name, obj, hard)
    requested = {each: value for each, value in wanted.items() if each in hard}
    used = status.get("used") or {}
    if unknown := sorted(each for each in requested if each not in used):
        raise _Refused(f"status unknown for quota: {name}, resources: {','.join(unknown)}")
    after = add(used, requested)
    over = sorted(each for each in requested if amount(after[each]) > amount(hard[each]))
    if over:
        amounts = f"requested: {_shown(requested, over)}, used: {_shown(used, over)}, limited: {_shown(hard, over)}"
        raise _Refused(f"exceeded quota: {name}, {amounts}")
    quota["status"] = {**status, "used": after}
    return quota


def _check_said(name: str, pod: Object, hard: Iterable[str]) -> None:
    """Where cpu or memory is limited, each container must say what it needs, or nothing could be counted."""
    spec = pod["spec"]
    containers = [*spec["containers"], *(spec.get("initContainers") or ())]
    silent = {
        each: sorted(container["name"] for container in containers if not _says(container, each))
        for each in sorted(MUST_BE_SAID & set(hard))
    }
    missing = [f"{each} for: {','.join(names)}" for each, names in silent.items() if names]
    if missing:
        raise _Refused(f"failed quota: {name}: must specify {'; '.join(missing)}")


def _says(container: Object, name: str) -> bool:
    field, _, resource = name.rpartition(".")
    return resource in ((container.get("resources") or {}).get(field or "requests") or {})


def _shown(amounts: Mapping[str, str], names: Iterable[str]) -> str:
    return ",".join(f"{name}={amounts[name]}" for name in names)


def _store(server: ApiServer, quota: Object) -> None:
    kind = server.registry.stored(*QUOTAS)
    if kind is not None:
        server.internal.update(kind, quota, "status", manager="kube-apiserver")
