"""The registry kept in step with the stored CustomResourceDefinitions, and what the API server does to them by itself.

What a definition defines is served from the commit on that stores it, so that `kubectl apply` of a definition and then
of an object never has to wait; a real server takes a moment. Conditions and accepted names follow in `run`, in two
writes as there. A deleted definition takes its objects with it: `run` deletes them, and lets the definition go when
the last one is gone.

The server tells `observe` every event and calls `run` with the controllers, also when all of those are switched off.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from twinloop.apiserver import codec
from twinloop.apiserver.clock import Clock
from twinloop.apiserver.history import Event
from twinloop.apiserver.kinds import Kind, Registry, version_priority
from twinloop.apiserver.schemas import acceptance
from twinloop.apiserver.schemas.custom import CustomStrategy
from twinloop.apiserver.schemas.definition import CLEANUP, GROUP, PLURAL, definition_kind
from twinloop.apiserver.schemas.schema import Schema
from twinloop.apiserver.storage import Storage

Object = dict[str, Any]
_RESOURCE = (GROUP, PLURAL)
_MANAGER = "kube-apiserver"  # whom managedFields name


class Internal(Protocol):
    """How writes are made: through the same verbs as a client's."""

    def update(self, kind: Kind, obj: Object, subresource: str = "", *, manager: str) -> Object:
        """Replace an object."""

    def delete(self, kind: Kind, namespace: str, name: str) -> None:
        """Delete an object."""


class Server(Protocol):
    """What is needed of the server."""

    @property
    def storage(self) -> Storage:
        """The objects."""

    @property
    def registry(self) -> Registry:
        """The kinds."""

    @property
    def clock(self) -> Clock:
        """The time."""

    @property
    def internal(self) -> Internal:
        """The way to write."""


class Definitions:
    """All CustomResourceDefinitions of a server; from the outside a controller like any other."""

    name = "customresourcedefinitions"

    def __init__(self, server: Server) -> None:
        self._server = server
        self._kind = definition_kind()
        self._kinds: dict[str, list[Kind]] = {}  # what is served, by the definition's name
        self._seen: dict[str, Object] = {}  # what that was made from, so that a new condition changes nothing
        self._changed: dict[str, None] = {}  # definitions that may need a write, in order
        self._terminating: dict[tuple[str, str], str] = {}  # resources whose definition is being deleted, and its name
        server.registry.add(self._kind)
        self.resync()

    def resync(self) -> None:
        """Look at everything again: the storage was filled without events, as by the restoring of a snapshot."""
        stored = {each["metadata"]["name"]: each for each in self._all()}
        for name in set(self._kinds) - set(stored):
            self._withdraw(name)
        for name, definition in stored.items():
            self._changed[name] = None
            self._serve(definition)

    def observe(self, event: Event) -> None:
        """Serve what was just defined, stop serving what is gone."""
        if event.resource == _RESOURCE:
            self._changed[event.record.name] = None
            if event.type == "DELETED":
                self._release(event.record.name)
            else:
                self._serve(event.record.object())
        elif event.type == "DELETED" and event.resource in self._terminating:
            self._changed[self._terminating[event.resource]] = None

    def due(self) -> float | None:
        """Now, if there is anything to write."""
        return self._server.clock.now() if self._changed else None

    def run(self, now: float) -> None:
        """Write what is due: names, conditions, deletions."""
        while self._changed:
            name = next(iter(self._changed))
            del self._changed[name]
            record = self._server.storage.get(_RESOURCE, "", name)
            if record is not None:
                self._settle(record.object(), now)

    # ------------------------------------------------------------------ what is served

    def _serve(self, definition: Object) -> None:
        name = definition["metadata"]["name"]
        verdict = self._judge(definition)
        if verdict.reason and not acceptance.is_true(definition, "Established"):
            self._withdraw(name)
            return
        terminating = bool(definition["metadata"].get("deletionTimestamp"))
        source = {"spec": definition["spec"], "names": verdict.names, "terminating": terminating}
        seen = self._seen.get(name)
        if seen == source:
            return
        if seen and {**seen, "terminating": terminating} != source:
            self._end_watches(name)  # a real server makes the resource anew, and who watches has to come again
        self._withdraw(name)
        self._seen[name] = source
        self._kinds[name] = list(kinds_of(definition, verdict.names))
        for kind in self._kinds[name]:
            self._server.registry.add(kind)
        self._reshape(definition)
        if terminating:
            self._terminating[definition["spec"]["group"], definition["spec"]["names"]["plural"]] = name

    def _reshape(self, definition: Object) -> None:
        """Stored objects look at once as the definition has them: defaults that came later, another stored version."""
        resource = (definition["spec"]["group"], definition["spec"]["names"]["plural"])
        kind = self._server.registry.stored(*resource)
        if kind is None:
            return
        strategy, api_version = kind.strategy, kind.api_version

        def shape(obj: Object) -> Mapping[str, str]:
            stored_as, obj["apiVersion"] = obj["apiVersion"], api_version
            strategy.from_storage(obj)
            if stored_as == api_version:  # what another version has stored gets this one's defaults when it is written
                strategy.default(obj)
            return strategy.selectable(obj)

        self._server.storage.reshape(resource, shape)

    def _withdraw(self, name: str) -> None:
        self._seen.pop(name, None)
        for kind in self._kinds.pop(name, ()):
            self._server.registry.remove(kind.group, kind.version, kind.plural)
            self._terminating.pop((kind.group, kind.plural), None)

    def _end_watches(self, name: str) -> None:
        for kind in self._kinds.get(name, ()):
            self._server.storage.end_watches(kind.storage)

    def _release(self, name: str) -> None:
        """A definition is gone, and who watches its objects with it: its names may be what another waits for."""
        self._end_watches(name)
        self._withdraw(name)
        for each in self._all():
            self._changed[each["metadata"]["name"]] = None
            self._serve(each)

    def _judge(self, definition: Object) -> acceptance.Verdict:
        own = definition["metadata"]["name"]
        others = (each for each in self._all() if each["metadata"]["name"] != own)
        return acceptance.judge(definition, acceptance.InUse.of(others, definition["spec"]["group"]))

    def _all(self) -> Iterator[Object]:
        return (record.object() for record in self._server.storage.list(_RESOURCE))

    # ------------------------------------------------------------------ what is written

    def _settle(self, definition: Object, now: float) -> None:
        if definition["metadata"].get("deletionTimestamp"):
            self._clean_up(definition, now)
            return
        before = codec.copy(definition["status"])
        acceptance.accept(definition, self._judge(definition), now)
        if definition["status"] != before:
            definition = self._write(definition)
        if acceptance.establish(definition, now):
            self._write(definition)

    def _clean_up(self, definition: Object, now: float) -> None:
        """Delete the objects of a definition that is being deleted, and let it go after the last."""
        finalizers = definition["metadata"].get("finalizers") or []
        if CLEANUP not in finalizers:
            return
        what = ("True", "InstanceDeletionInProgress", "CustomResource deletion is in progress")
        acceptance.set_condition(definition, "Terminating", *what, now)
        definition = self._write(definition)
        if not self._delete_objects(definition):
            return
        acceptance.set_condition(definition, "Terminating", "False", *_outcome(definition), now)
        definition["metadata"]["finalizers"] = [each for each in finalizers if each != CLEANUP]
        self._write(definition)

    def _delete_objects(self, definition: Object) -> bool:
        """Says whether none is left: finalizers of their own hold objects back."""
        resource = (definition["spec"]["group"], definition["spec"]["names"]["plural"])
        kind = self._server.registry.stored(*resource)
        for record in self._server.storage.list(resource):
            if kind and not record.deleting:
                self._server.internal.delete(kind, record.namespace, record.name)
        return not self._server.storage.list(resource)

    def _write(self, definition: Object) -> Object:
        return self._server.internal.update(self._kind, definition, "status", manager=_MANAGER)


def _outcome(definition: Object) -> tuple[str, str]:
    if acceptance.is_true(definition, "Established"):
        return "InstanceDeletionCompleted", "removed all instances"
    return "NeverEstablished", "resource was never established"


def kinds_of(definition: Object, names: Object) -> Iterator[Kind]:
    """The kinds that a definition serves, one for each served version, under the names that it has got."""
    versions = definition["spec"]["versions"]
    stored = next(each for each in versions if each["storage"])
    schema = Schema(stored["schema"]["openAPIV3Schema"]) if len(versions) > 1 else None
    for version in versions:
        if version["served"]:
            yield _kind(definition, names, version, None if version["storage"] else schema)


def _kind(definition: Object, names: Object, version: Object, stored: Schema | None) -> Kind:
    spec, terminating = definition["spec"], bool(definition["metadata"].get("deletionTimestamp"))
    subresources = version.get("subresources") or {}
    api_version = f"{spec['group']}/{version['name']}"
    return Kind(
        spec["group"],
        version["name"],
        names["kind"],
        names["plural"],
        CustomStrategy(names["kind"], api_version, version, stored=stored, terminating=terminating),
        namespaced=spec["scope"] == "Namespaced",
        singular=names.get("singular", ""),
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        subresources=tuple(each for each in ("status", "scale") if subresources.get(each) is not None),
        storage_version=version["storage"],
        since=int(definition["metadata"]["resourceVersion"]),
        deprecation=_deprecation(spec, names, version),
    )


def _deprecation(spec: Object, names: Object, version: Object) -> str:
    """What a client of an old version is told: the definition's own words, or which version to use in its place."""
    if not version.get("deprecated"):
        return ""
    if version.get("deprecationWarning"):
        return str(version["deprecationWarning"])
    own = version_priority(version["name"])
    served = (each["name"] for each in spec["versions"] if each["served"] and not each.get("deprecated"))
    newer = sorted((each for each in served if version_priority(each) < own), key=version_priority)
    better = f"; use {spec['group']}/{newer[0]} {names['kind']}" if newer else ""
    return f"{spec['group']}/{version['name']} {names['kind']} is deprecated{better}"
