"""A client without HTTP: the writes of `twinloop.kube.Client` on two `FakeControllerSource`s, whose watches see them.

It answers like an API server as far as the operators look: uids, versions, preconditions, graceful deletion. What it
lacks: a schema, selectors other than by label, and everything but NginxPods and pods.
"""

from __future__ import annotations

import copy
import itertools
from typing import Any

from handwritten.fake_controller_source import FakeControllerSource
from support.builders import at, changed
from twinloop.errors import AlreadyExists, ApiError, Conflict, NotFound
from twinloop.kube import NGINXPODS, PODS, Object, Resource
from twinloop.nginxpod import is_finished, name_of


class FakeClient:
    """`requests` lists (verb, resource, name), reads included; `refuse` maps (verb, name) to an error."""

    def __init__(self) -> None:
        self.nginxpods = FakeControllerSource()
        self.pods = FakeControllerSource()
        self.requests: list[tuple[str, str, str]] = []
        self.refuse: dict[tuple[str, str], ApiError] = {}
        self._uids = itertools.count()

    def source(self, resource: Resource) -> FakeControllerSource:
        return {NGINXPODS: self.nginxpods, PODS: self.pods}[resource]

    def items(self, resource: Resource) -> dict[str, Object]:
        listed = self.source(resource).list(resource_version="", limit=0, continue_token="")["items"]
        return {name_of(item): item for item in listed}

    def get(self, resource: Resource, name: str, namespace: str | None = None) -> Object:
        self._note("get", resource, name)
        return self._found(resource, name)

    def list_all(self, resource: Resource, namespace: str | None = None, **selectors: Any) -> Object:
        self._note("list", resource, "")
        key, _, value = selectors.get("label_selector", "").partition("=")
        items = [i for i in self.items(resource).values() if (i["metadata"].get("labels") or {}).get(key) == value]
        return {"items": items}

    def create(self, resource: Resource, body: Object, namespace: str | None = None) -> Object:
        name = name_of(body)
        self._note("create", resource, name)
        if name in self.items(resource):
            raise AlreadyExists(f'{resource.plural} "{name}" already exists', code=409)
        self.source(resource).add(changed(body, uid=f"made-{next(self._uids)}", creationTimestamp=at(0)))
        return self._found(resource, name)

    def merge_patch(
        self, resource: Resource, name: str, patch: Object, namespace: str | None = None, *, subresource: str = ""
    ) -> Object:
        self._note(f"patch {subresource}".strip(), resource, name)
        live = self._found(resource, name)
        version = patch.get("metadata", {}).get("resourceVersion")
        if version not in (None, live["metadata"]["resourceVersion"]):
            raise Conflict("modified", code=409)
        merged = merge(live, patch)
        part = {"status": merged.get("status")} if subresource == "status" else {**merged, "status": live.get("status")}
        self.source(resource).modify({**live, **part})
        return self._found(resource, name)

    def delete(
        self, resource: Resource, name: str, namespace: str | None = None, *, uid: str | None = None, **_: Any
    ) -> Object:
        self._note("delete", resource, name)
        live = self._found(resource, name)
        if uid is not None and uid != live["metadata"]["uid"]:
            raise Conflict("uid", code=409)
        if is_finished(live):
            self.source(resource).delete(live)
            return live
        self.source(resource).modify(changed(live, deletionTimestamp=at(30), deletionGracePeriodSeconds=30))
        return self._found(resource, name)

    def _found(self, resource: Resource, name: str) -> Object:
        item = self.items(resource).get(name)
        if item is None:
            raise NotFound(f'{resource.plural} "{name}" not found', code=404)
        return item

    def _note(self, verb: str, resource: Resource, name: str) -> None:
        self.requests.append((verb, resource.plural, name))
        error = self.refuse.get((verb, name))
        if error is not None:
            raise error


def merge(target: Any, patch: Any) -> Any:
    """A JSON merge patch, RFC 7386."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


class SilentRecorder:
    """Keeps the reasons of events."""

    def __init__(self) -> None:
        self.reasons: list[str] = []

    def event(self, involved: Object, type_: str, reason: str, message: str) -> None:
        self.reasons.append(reason)
