"""One request on its way through a verb: what it is about, in whose name, and what it may do.

`server.py` makes a `Call` of a request, `internal.py` makes one for a controller; the verbs take nothing else. It also
translates between the version of a kind that was asked for and the one that is stored.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from twinloop.apiserver import codec, failures, names
from twinloop.apiserver.clock import Clock
from twinloop.apiserver.failures import Failure
from twinloop.apiserver.history import Record, Resource
from twinloop.apiserver.kinds import Kind, Registry
from twinloop.apiserver.storage import Storage

Object = dict[str, Any]


Phase = Literal["mutating", "validating"]


class Admit(Protocol):
    """One rule that spans kinds."""

    def __call__(
        self,
        server: Any,
        operation: str,
        kind: Kind,
        obj: Object | None,
        old: Object | None,
        namespace: str,
        subresource: str,
        dry_run: bool,
    ) -> None:
        """Change `obj` in place, or raise a `Failure`."""


class Host(Protocol):
    """What verbs need of the server."""

    @property
    def storage(self) -> Storage:
        """Where the objects are."""

    @property
    def registry(self) -> Registry:
        """Which kinds there are."""

    @property
    def clock(self) -> Clock:
        """What time it is."""

    @property
    def rng(self) -> random.Random:
        """Where uids and generated names come from."""

    @property
    def admission(self) -> Mapping[Phase, Sequence[Admit]]:
        """The rules that span kinds."""


@dataclass(slots=True)
class Call:
    """A request for one kind. `manager` is whom managedFields name; `warnings` go to the client."""

    host: Host
    kind: Kind
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    manager: str = ""
    dry_run: bool = False
    field_validation: str = "Warn"
    warnings: list[str] = field(default_factory=list)
    user: str = ""
    floats: bool = False  # the body has numbers with a fraction or an exponent
    watch_path: bool = False  # the path begins with the deprecated /watch/

    @property
    def storage(self) -> Storage:
        """Where the objects are."""
        return self.host.storage

    @property
    def resource(self) -> Resource:
        """What the kind is stored under."""
        return self.kind.storage

    @property
    def now(self) -> float:
        """Seconds since 1970."""
        return self.host.clock.now()

    def find(self) -> Record:
        """The object that the path names; raises 404."""
        record = self.storage.get(self.resource, self.namespace, self.name)
        if record is None:
            raise self._no_name() or self.not_found()
        return record

    def load(self, record: Record) -> Object:
        """A stored object in the version that was asked for, the caller's own copy."""
        return load(self.kind, record)

    def record_of(self, obj: Object, revision: int = 0) -> Record:
        """A record of an object that is not stored: what a dry run, or an update that removed it, answers."""
        stored, fields = self.to_stored(obj)
        return self.storage.sketch(stored, fields, revision)

    def to_stored(self, obj: Object) -> tuple[Object, dict[str, str]]:
        """An object as it is stored, and its selectable fields."""
        kind = self.stored_kind
        if kind is not self.kind:
            obj = codec.copy(obj)
            self.kind.strategy.to_storage(obj)
        if self.floats:
            obj = codec.whole(obj)
        obj["apiVersion"], obj["kind"] = kind.api_version, kind.kind
        return obj, kind.strategy.selectable(obj)

    def admit(self, phase: Phase, operation: str, obj: Object | None, old: Object | None) -> None:
        """Ask the rules of one phase; `operation` is CREATE, UPDATE or DELETE."""
        for rule in self.host.admission[phase]:
            rule(self.host, operation, self.kind, obj, old, self.namespace, self.subresource, self.dry_run)

    @property
    def stored_kind(self) -> Kind:
        """The kind in its stored version."""
        if self.kind.storage_version:
            return self.kind
        return self.host.registry.stored(*self.kind.storage) or self.kind

    # ------------------------------------------------------------------ failures about this call's object

    def _no_name(self) -> Failure | None:
        """400: what the path gives as a name could be none."""
        problems = names.any_segment(self.name)
        if not problems:
            return None
        return failures.bad_request(f'Name parameter invalid: "{self.name}": {"; ".join(problems)}')

    def not_found(self) -> Failure:
        """404: the object is not there."""
        return failures.not_found(self.kind.group, self.kind.plural, self.name)

    def conflict(self, why: str = failures.MODIFIED) -> Failure:
        """409: the object is not what the client thinks."""
        return failures.conflict(self.kind.group, self.kind.plural, self.name, why)


def load(kind: Kind, record: Record) -> Object:
    """A stored object in a version of its kind."""
    obj = record.object()
    if not _is_served_as_stored(kind, record):
        kind.strategy.from_storage(obj)
        if kind.storage_version:
            kind.strategy.default(obj)
        obj["apiVersion"], obj["kind"] = kind.api_version, kind.kind
    return obj


def served(kind: Kind, record: Record) -> bytes:
    """A stored object's JSON in a version of its kind."""
    if _is_served_as_stored(kind, record):
        return record.raw
    return codec.encode(load(kind, record))


def _is_served_as_stored(kind: Kind, record: Record) -> bool:
    """Not in another version, nor when the schema has changed since, which may have brought new defaults."""
    return kind.storage_version and not 0 < record.revision < kind.since
