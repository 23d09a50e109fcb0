"""/api and /apis: which groups, versions and resources are served, in the plain form and in the aggregated one.

`paths.py` calls `Discovery.answer`. The aggregated form (apidiscovery.k8s.io/v2) is what kubectl asks for by its Accept
header: all groups in two requests. Both are made of the registry and kept until that changes.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

from twinloop.apiserver import codec, failures
from twinloop.apiserver.answer import Answer
from twinloop.apiserver.builtin.served import Subresource, subresource
from twinloop.apiserver.kinds import Kind, version_priority
from twinloop.apiserver.publish.formats import accepted, cached, digest, document, only_get, page_not_found
from twinloop.apiserver.publish.host import Host
from twinloop.apiserver.request import Request

Object = dict[str, Any]

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
# Groups come in kube-apiserver's order of priority; those of custom resources follow by name.
_ORDER = (
    "", "apps", "events.k8s.io", "authentication.k8s.io", "authorization.k8s.io", "rbac.authorization.k8s.io",
    "apiextensions.k8s.io", "coordination.k8s.io",
)  # fmt: skip
# Definitions are served as v1 and stored as what they were before.
_STORED_OLD = {"apiextensions.k8s.io": "v1beta1"}
# apiextensions lists the verbs of custom resources in this order.
_CUSTOM_VERBS = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")
_SCALE = Subresource(("get", "patch", "update"), "Scale", "autoscaling", "v1")


class Discovery:
    """The documents below /api and /apis."""

    def __init__(self, host: Host) -> None:
        self._registry = host.registry
        self._made_of = -1
        self._groups: dict[str, dict[str, list[Kind]]] = {}
        self._aggregated: dict[str, tuple[bytes, str]] = {}

    def answer(self, request: Request, path: str, rest: Sequence[str]) -> Answer:
        """The document of a path that starts with /api or /apis. Raises 404, 405 and 406."""
        self._refresh()
        core = path.startswith("/api/") or path == "/api"
        if not any(rest):
            return self._root(request, path, core=core) if len(rest) < 2 else page_not_found()
        parts = "/".join(rest).rstrip("/").split("/")
        if not core and "" in parts:
            return page_not_found()
        return self._core(request, parts) if core else self._named(request, parts)

    def paths(self) -> list[str]:
        """All of them."""
        self._refresh()
        groups = [name for name in self._groups if name]
        versions = [f"/apis/{name}/{version}" for name in groups for version in self._groups[name]]
        return ["/api", "/api/v1", "/apis", "/apis/", *(f"/apis/{name}" for name in groups), *versions]

    # ------------------------------------------------------------------ by path

    def _root(self, request: Request, path: str, *, core: bool) -> Answer:
        if core or path == "/apis":
            wanted = self._aggregated_answer(request, core=core)
            if wanted is not None:
                return wanted
        if core or path == "/apis/":
            only_get(request)
        return (
            document(request, _api_versions(request)) if core else document(request, self._group_list(), routed=False)
        )

    def _core(self, request: Request, parts: Sequence[str]) -> Answer:
        if list(parts) != ["v1"]:
            raise failures.no_such_path()
        only_get(request)
        return document(request, self._resources("", "v1"))

    def _named(self, request: Request, parts: Sequence[str]) -> Answer:
        group, *rest = parts
        versions = self._groups.get(group)
        if versions is not None and not rest:
            return document(request, {"kind": "APIGroup", "apiVersion": "v1", **self._group(group)}, routed=False)
        if versions is not None and len(rest) == 1 and rest[0] in versions:
            only_get(request)
            return document(request, self._resources(group, rest[0]))
        if versions is None or self._registry.custom_group(group):
            return page_not_found()
        raise failures.no_such_path()

    # ------------------------------------------------------------------ plain

    def _group_list(self) -> Object:
        groups = [self._group(name) for name in self._groups if name]
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}

    def _group(self, name: str) -> Object:
        versions = [{"groupVersion": f"{name}/{version}", "version": version} for version in self._groups[name]]
        return {"name": name, "versions": versions, "preferredVersion": versions[0]}

    def _resources(self, group: str, version: str) -> Object:
        head: Object = {"kind": "APIResourceList"}
        if group:  # the core group's list has never had one
            head["apiVersion"] = "v1"
        listed = [entry for kind in self._groups[group][version] for entry in self._entries(kind)]
        return {**head, "groupVersion": f"{group}/{version}" if group else version, "resources": listed}

    def _entries(self, kind: Kind) -> Iterator[Object]:
        entry: Object = {
            "name": kind.plural,
            "singularName": kind.singular,
            "namespaced": kind.namespaced,
            "kind": kind.kind,
            "verbs": _verbs(kind),
        }
        if kind.short_names:
            entry["shortNames"] = list(kind.short_names)
        if kind.categories:
            entry["categories"] = list(kind.categories)
        if "get" in kind.verbs:
            entry["storageVersionHash"] = self._storage_version_hash(kind)
        yield entry
        for name, found in _subresources(kind):
            foreign = {"group": found.group, "version": found.version} if found.group else {}
            yield {
                "name": f"{kind.plural}/{name}",
                "singularName": "",
                "namespaced": kind.namespaced,
                **foreign,
                "kind": found.kind or kind.kind,
                "verbs": list(found.verbs),
            }

    def _storage_version_hash(self, kind: Kind) -> str:
        """What apiserver's discovery.StorageVersionHash makes of the stored version."""
        stored = self._registry.stored(*kind.storage) or kind
        version = _STORED_OLD.get(stored.group, stored.version)
        name = f"{stored.group}/{version}/{stored.kind}"
        return base64.b64encode(hashlib.sha256(name.encode()).digest()[:8]).decode()

    # ------------------------------------------------------------------ aggregated

    def _aggregated_answer(self, request: Request, *, core: bool) -> Answer | None:
        """The aggregated form when the client prefers it; None when it asks for the plain one."""
        for media_type, parameters in accepted(request):
            if parameters == {"g": "apidiscovery.k8s.io", "v": "v2", "as": "APIGroupDiscoveryList"}:
                break
            if "as" not in parameters and media_type:
                return None
        else:
            return None
        only_get(request)
        body, tag = self._aggregate("/api" if core else "/apis")
        headers = {"Cache-Control": "public", "Vary": "Accept"}
        return cached(request, Answer(200, body, AGGREGATED, headers), tag)

    def _aggregate(self, path: str) -> tuple[bytes, str]:
        if path not in self._aggregated:
            items = [self._discovered(name) for name in self._groups if (not name) == (path == "/api")]
            head = {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}}
            body = codec.encode({**head, "items": items})
            self._aggregated[path] = body, digest(body)
        return self._aggregated[path]

    def _discovered(self, group: str) -> Object:
        versions = [
            {"version": version, "resources": [_discovered_resource(kind) for kind in kinds], "freshness": "Current"}
            for version, kinds in self._groups[group].items()
        ]
        return {"metadata": {"name": group} if group else {}, "versions": versions}

    # ------------------------------------------------------------------ what is served

    def _refresh(self) -> None:
        if self._made_of == self._registry.generation:
            return
        self._made_of, self._aggregated = self._registry.generation, {}
        found: dict[str, dict[str, list[Kind]]] = {}
        for kind in sorted(self._registry, key=lambda each: each.plural):
            found.setdefault(kind.group, {}).setdefault(kind.version, []).append(kind)
        self._groups = {
            group: {version: found[group][version] for version in sorted(found[group], key=version_priority)}
            for group in sorted(found, key=_group_order)
        }


def _group_order(group: str) -> tuple[int, str]:
    return (_ORDER.index(group) if group in _ORDER else len(_ORDER)), group


def _api_versions(request: Request) -> Object:
    address = {"clientCIDR": "0.0.0.0/0", "serverAddress": request.headers.get("host", "")}
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [address]}


def _verbs(kind: Kind) -> list[str]:
    return [verb for verb in _CUSTOM_VERBS if verb in kind.verbs] if kind.custom else list(kind.verbs)


def _subresources(kind: Kind) -> Iterator[tuple[str, Subresource]]:
    for name in kind.subresources:
        yield name, _SCALE if name == "scale" else subresource(kind.plural, name)


def _discovered_resource(kind: Kind) -> Object:
    # The built-in groups leave this empty and mean their own; so does the real server.
    own = {"group": kind.group, "version": kind.version} if kind.custom else {"group": "", "version": ""}
    entry: Object = {
        "resource": kind.plural,
        "responseKind": {**own, "kind": kind.kind},
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": kind.singular,
        "verbs": _verbs(kind),
    }
    if kind.short_names:
        entry["shortNames"] = list(kind.short_names)
    if kind.categories:
        entry["categories"] = list(kind.categories)
    below = [_discovered_subresource(kind, name, found, own) for name, found in _subresources(kind)]
    return {**entry, "subresources": below} if below else entry


def _discovered_subresource(kind: Kind, name: str, found: Subresource, own: Object) -> Object:
    group_version = {"group": found.group, "version": found.version} if found.group else own
    return {
        "subresource": name,
        "responseKind": {**group_version, "kind": found.kind or kind.kind},
        "verbs": list(found.verbs),
    }
