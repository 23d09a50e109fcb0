"""The verbs of the Kubernetes API on raw dicts.

A caller names a `Resource` and gets dicts back or one of the errors of `twinloop.errors`; `transport.py` does the
exchange, `watch.py` takes over an open watch. Both variants use this client, so that what they send differs only
where their loops differ.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from twinloop.errors import CorruptAnswer, Gone
from twinloop.kube.answers import decode_object
from twinloop.kube.config import Configuration
from twinloop.kube.resources import Object, Resource
from twinloop.kube.transport import Transport
from twinloop.kube.watch import WatchStream

log = logging.getLogger(__name__)

MERGE_PATCH = "application/merge-patch+json"

# client-go's pager.defaultPageSize.
PAGE_SIZE = 500


class Client:
    """Requests to one API server; safe to use from any number of threads.

    `connect_timeout` and `read_timeout` are seconds; the latter is the longest silence within an answer. `pool_size`
    is how many idle connections are kept and should not be below the number of workers. Every method raises an
    ApiError; a body that is not what was asked for is a CorruptAnswer.
    """

    def __init__(
        self,
        configuration: Configuration,
        *,
        user_agent: str,
        pool_size: int = 16,
        connect_timeout: float = 5.0,
        read_timeout: float = 30.0,
    ) -> None:
        self._transport = Transport(
            configuration, user_agent=user_agent, pool_size=pool_size, connect_timeout=connect_timeout
        )
        self._read_timeout = read_timeout

    def get(self, resource: Resource, name: str, namespace: str | None = None) -> Object:
        """One object, read from the quorum."""
        return _checked(self._send("GET", resource.path(namespace, name)), resource)

    def list_page(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
        limit: int = 0,
        continue_token: str = "",
        resource_version: str | None = None,
        resource_version_match: str | None = None,
    ) -> Object:
        """One answer to a list: `{"metadata": {"resourceVersion", "continue"?}, "items": [...]}`.

        `limit` 0 means all. `resource_version` None is a quorum read, "0" any version that the server has at hand. With
        `continue_token` both version arguments stay home, as in client-go's pager: the token carries the version,
        and the server refuses to be told twice.
        """
        query = _selectors(label_selector, field_selector)
        if limit:
            query["limit"] = str(limit)
        if continue_token:
            query["continue"] = continue_token
        elif resource_version is not None:
            query["resourceVersion"] = resource_version
            if resource_version_match is not None:
                query["resourceVersionMatch"] = resource_version_match
        return _checked_list(self._send("GET", resource.path(namespace), query=query), resource)

    def list_all(
        self, resource: Resource, namespace: str | None = None, *, label_selector: str = "", limit: int = PAGE_SIZE
    ) -> Object:
        """All pages of a quorum read as one list of the first page's resource version.

        When the token of a later page has expired (a compaction passed it), the whole list is read once more
        without pages, as client-go's pager does: pages of two versions must never be put together.
        """
        answer = self.list_page(resource, namespace, label_selector=label_selector, limit=limit)
        token = answer["metadata"].get("continue", "")
        while token:
            try:
                page = self.list_page(
                    resource, namespace, label_selector=label_selector, limit=limit, continue_token=token
                )
            except Gone:
                log.info("the list of %s grew too old between two pages, reading it in one", resource)
                return self.list_page(resource, namespace, label_selector=label_selector)
            if page["metadata"].get("continue") == token:
                raise CorruptAnswer(f"the list of {resource} gives the same page again and again")
            answer["items"].extend(page["items"])
            token = page["metadata"].get("continue", "")
        answer["metadata"].pop("continue", None)
        answer["metadata"].pop("remainingItemCount", None)
        return answer

    def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        resource_version: str,
        timeout_seconds: int,
        label_selector: str = "",
        allow_bookmarks: bool = True,
        send_initial_events: bool = False,
        idle_timeout: float,
    ) -> WatchStream:
        """Open a watch from `resource_version` on; the server ends it after `timeout_seconds`.

        `idle_timeout`, the longest silence in seconds, guards against a peer that is gone without a word; it
        also bounds the wait for the headers. Raises like any request: a version that is too old is Gone here, or an
        ERROR event in the stream, whichever the server prefers.
        """
        query = {"watch": "true", "timeoutSeconds": str(timeout_seconds), **_selectors(label_selector, "")}
        if resource_version:
            query["resourceVersion"] = resource_version
        if allow_bookmarks:
            query["allowWatchBookmarks"] = "true"
        if send_initial_events:
            query |= {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
        path = resource.path(namespace)
        response = self._transport.send("GET", path, query=query, read_timeout=idle_timeout, stream=True)
        return WatchStream(response, where=f"WATCH {path}", idle_timeout=idle_timeout)

    def create(self, resource: Resource, body: Object, namespace: str | None = None) -> Object:
        """The new object as the server keeps it. AlreadyExists when the name is taken."""
        return _checked(self._send("POST", resource.path(namespace), body=body), resource)

    def merge_patch(
        self, resource: Resource, name: str, patch: Object, namespace: str | None = None, *, subresource: str = ""
    ) -> Object:
        """The object after an RFC 7386 merge patch; Conflict when the patch carries an outdated resourceVersion."""
        path = resource.path(namespace, name, subresource)
        return _checked(self._send("PATCH", path, body=patch, content_type=MERGE_PATCH), resource)

    def update(
        self, resource: Resource, name: str, body: Object, namespace: str | None = None, *, subresource: str = ""
    ) -> Object:
        """The object after being replaced; Conflict when `body` carries an outdated resourceVersion."""
        return _checked(self._send("PUT", resource.path(namespace, name, subresource), body=body), resource)

    def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str | None = None,
        *,
        uid: str | None = None,
        grace_period_seconds: int | None = None,
        propagation_policy: str | None = None,
    ) -> Object:
        """Ask for the deletion; the answer is a Status, or the object that is terminating now.

        With `uid`, Conflict when the name is held by another object by now. NotFound when it is gone already.
        """
        options: Object = {"apiVersion": "v1", "kind": "DeleteOptions"}
        if uid is not None:
            options["preconditions"] = {"uid": uid}
        if grace_period_seconds is not None:
            options["gracePeriodSeconds"] = grace_period_seconds
        if propagation_policy is not None:
            options["propagationPolicy"] = propagation_policy
        return self._send("DELETE", resource.path(namespace, name), body=options)

    def close(self) -> None:
        """Close idle connections; open watches are closed by whoever holds them."""
        self._transport.close()

    def _send(self, method: str, path: str, **parts: Any) -> Object:
        response = self._transport.send(method, path, read_timeout=self._read_timeout, **parts)
        return decode_object(response.data, f"{method} {path}")


def _selectors(label_selector: str, field_selector: str) -> dict[str, str]:
    chosen = {"labelSelector": label_selector, "fieldSelector": field_selector}
    return {key: value for key, value in chosen.items() if value}


def _checked(answer: Object, resource: Resource) -> Object:
    """The object, if it is one: callers read metadata without looking, so that is checked at the door."""
    if not isinstance(answer.get("metadata"), Mapping):
        raise CorruptAnswer(f"the answer about {resource} is no object with metadata")
    return answer


def _checked_list(answer: Object, resource: Resource) -> Object:
    # A Go server writes an empty list as null at times. Only that: whoever takes an answer without items for an empty
    # list believes that every object is gone.
    if "items" in answer and answer["items"] is None:
        answer["items"] = []
    items = answer.get("items")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise CorruptAnswer(f"the list of {resource} has no list of objects in it")
    for item in items:
        _checked(item, resource)
        # Items of a built-in kind come without these two. Filled in, they read the same from a list, a watch and a GET.
        item.setdefault("apiVersion", resource.api_version)
        item.setdefault("kind", resource.kind)
    return _checked(answer, resource)
