"""Owner references judged: which owners are there, gone, waiting for their dependents, or unknowable.

`garbage.py` asks for one object at a time and acts on the answer. The rules are those of classifyReferences in
kube-controller-manager's garbage collector.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from twinloop.apiserver.storage import Record

if TYPE_CHECKING:
    from twinloop.apiserver.server import ApiServer

Object = dict[str, Any]

ORPHAN, FOREGROUND = "orphan", "foregroundDeletion"


@dataclass(slots=True)
class Verdict:
    """The uids that an object names as owners, by what is known of them."""

    solid: set[str] = field(default_factory=set)
    dangling: set[str] = field(default_factory=set)
    waiting: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)


class Owners:
    """Looks up owners where their references say that they are: kind, name, and the namespace of the dependent."""

    def __init__(self, server: ApiServer) -> None:
        self._server = server

    def judge(self, obj: Object) -> Verdict:
        """The owners of one object, sorted."""
        verdict = Verdict()
        for reference in obj["metadata"].get("ownerReferences") or []:
            self._sort(reference, obj["metadata"].get("namespace", ""), verdict)
        return verdict

    def _sort(self, reference: Object, namespace: str, verdict: Verdict) -> None:
        uid = reference["uid"]
        kind = self._server.registry.by_kind(reference["apiVersion"], reference["kind"])
        if kind is None or (kind.namespaced and not namespace):
            verdict.unknown.add(uid)
            return
        owner = self._server.storage.get(kind.storage, namespace if kind.namespaced else "", reference["name"])
        if owner is None or owner.uid != uid:
            verdict.dangling.add(uid)
        elif waits(owner):
            verdict.waiting.add(uid)
        else:
            verdict.solid.add(uid)


def waits(owner: Record) -> bool:
    """Whether an owner is being deleted in the foreground."""
    return owner.deleting and FOREGROUND in (owner.object()["metadata"].get("finalizers") or [])


def blocks(dependent: Object, uid: str) -> bool:
    """Whether a dependent keeps the owner of this uid from going."""
    references = dependent["metadata"].get("ownerReferences") or []
    return any(each["uid"] == uid and each.get("blockOwnerDeletion") for each in references)


def without_owners(obj: Object, uids: set[str]) -> Object:
    """The object without references to these owners."""
    metadata = obj["metadata"]
    metadata["ownerReferences"] = [each for each in metadata["ownerReferences"] if each["uid"] not in uids]
    if not metadata["ownerReferences"]:
        del metadata["ownerReferences"]
    return obj
