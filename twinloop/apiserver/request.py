"""What a request asks for: the kind, namespace, name and subresource that its path names, and its verb.

`http/` fills in a `Request`, `server.py` calls `locate` and goes on with the `Target`. Paths that name no resource are
left to `publish/`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

from twinloop.apiserver import failures
from twinloop.apiserver.kinds import Kind, Registry

NAMESPACE_SUBRESOURCES = ("status", "finalize")


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request. `path` as it was sent, `headers` with keys in lower case."""

    method: str
    path: str
    query: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    user: str = "kubernetes-admin"

    def first(self, name: str) -> str:
        """The first value of a query parameter, empty when there is none."""
        return next((value for key, value in self.query if key == name), "")

    @property
    def user_agent(self) -> str:
        """Who says it asks."""
        return self.headers.get("user-agent", "")


@dataclass(frozen=True, slots=True)
class Target:
    """What a resource's path names. Without a name it is the collection."""

    kind: Kind
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    watch: bool = False  # the deprecated /watch/ prefix


@dataclass(frozen=True, slots=True)
class _Path:
    group: str
    version: str
    rest: tuple[str, ...]
    watch: bool


def locate(path: str, registry: Registry) -> Target | None:
    """The resource that a path names.

    None: the path is not one of a served group, so that the server's own 404 answers. Raises the 404 Status when the
    group is served and the path names nothing in it.
    """
    found = _split(path, registry)
    if found is None:
        return None
    target = _target(found, registry)
    if target is None or "" in (found.rest[:1] + found.rest[2:]):
        if registry.custom_group(found.group):
            return None  # what custom resources do not serve falls through to the plain text 404
        raise failures.no_such_path()
    return target


def _split(path: str, registry: Registry) -> _Path | None:
    parts = unquote(path).rstrip("/").split("/")[1:]
    match parts:
        case ["api", version, *rest] if rest:
            group = ""
        case ["apis", group, version, *rest] if group and rest and registry.has_group(group):
            pass
        case _:
            return None
    watch = rest[0] == "watch"
    return _Path(group, version, tuple(rest[1:] if watch else rest), watch)


def _target(path: _Path, registry: Registry) -> Target | None:
    match path.rest:
        case ["namespaces", namespace, plural, *more] if not _about_namespace(plural, more):
            return _namespaced(path, registry, namespace, plural, more)
        case [plural, *more]:
            return _plain(path, registry, plural, more)
    return None


def _about_namespace(plural: str, more: Sequence[str]) -> bool:
    """Whether .../namespaces/<name>/<this> is a subresource of the namespace itself."""
    return plural in NAMESPACE_SUBRESOURCES and not more


def _namespaced(path: _Path, registry: Registry, namespace: str, plural: str, more: Sequence[str]) -> Target | None:
    kind = registry.find(path.group, path.version, plural)
    if kind is None or not kind.namespaced or (not namespace and (kind.custom or more)):
        return None  # an empty namespace is none at all: the router of built-in kinds lets it pass
    return _with_name(kind, namespace, more, path.watch)


def _plain(path: _Path, registry: Registry, plural: str, more: Sequence[str]) -> Target | None:
    kind = registry.find(path.group, path.version, plural)
    if kind is None or (kind.namespaced and more):
        return None
    return _with_name(kind, "", more, path.watch)


def _with_name(kind: Kind, namespace: str, more: Sequence[str], watch: bool) -> Target | None:
    match more:
        case []:
            return Target(kind, namespace, watch=watch)
        case [name]:
            return Target(kind, namespace, name, watch=watch)
        case [name, subresource, *deeper] if not watch and (
            kind.custom or (subresource in kind.subresources and not deeper)
        ):
            return Target(kind, namespace, name, subresource)
    return None
