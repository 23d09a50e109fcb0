"""How the server's own controllers read and write: through the verbs, without HTTP and without copies of the rules.

`controllers/` call this from `ApiServer.tick`. Every write is validated, versioned, tracked in managedFields and seen by
watches like a client's; what is refused raises the `Failure` that a client would get.
"""

from __future__ import annotations

from typing import Any

from twinloop.apiserver.kinds import Kind
from twinloop.apiserver.options import DeleteOptions
from twinloop.apiserver.selectors import LabelSelector
from twinloop.apiserver.storage import Records
from twinloop.apiserver.verbs import create, delete, update
from twinloop.apiserver.verbs.call import Call, Host, load

Object = dict[str, Any]


class Internal:
    """The API as a controller uses it. `manager` is whom managedFields name, such as kubelet."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def get(self, kind: Kind, namespace: str, name: str) -> Object | None:
        """A copy of one object; None when there is none."""
        record = self._host.storage.get(kind.storage, namespace, name)
        return load(kind, record) if record else None

    def list(self, kind: Kind, namespace: str = "", labels: LabelSelector | None = None) -> list[Object]:
        """Copies of the objects of one namespace, or of all."""
        return [load(kind, each) for each in self.records(kind, namespace, labels)]

    def records(self, kind: Kind, namespace: str = "", labels: LabelSelector | None = None) -> Records:
        """The same without copying."""
        found = self._host.storage.list(kind.storage, namespace)
        return [each for each in found if labels.matches(each.labels)] if labels else found

    def create(self, kind: Kind, obj: Object, *, manager: str) -> Object:
        """Create an object, which is changed in place; returns it as stored."""
        call = self._call(kind, obj, manager)
        self._admit_fields(call, obj)
        return load(kind, create.store(call, obj))

    def update(self, kind: Kind, obj: Object, subresource: str = "", *, manager: str) -> Object:
        """Replace an object, or its part that a subresource stands for; returns it as stored."""
        call = self._call(kind, obj, manager)
        call.subresource = subresource
        self._admit_fields(call, obj)
        return load(kind, update.put(call, obj).record)

    def delete(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        *,
        uid: str | None = None,
        grace: int | None = None,
        propagation: str | None = None,
    ) -> None:
        """Delete an object; `uid` makes it conflict with another one of the same name."""
        call = Call(self._host, kind, namespace, name)
        delete.delete(call, DeleteOptions(grace=grace, uid=uid, propagation=propagation))

    def _call(self, kind: Kind, obj: Object, manager: str) -> Call:
        meta = obj.setdefault("metadata", {})
        obj.setdefault("kind", kind.kind)
        obj.setdefault("apiVersion", kind.api_version)
        return Call(self._host, kind, meta.get("namespace", ""), meta.get("name", ""), manager=manager)

    @staticmethod
    def _admit_fields(call: Call, obj: Object) -> None:
        call.kind.strategy.decode(obj)
        call.kind.strategy.default(obj)
