"""What a request asks for, read from its method and its address, as the API server itself reads it.

The first thing that happens to a request in the proxy: `exchange.py` parses it, `rulebook.py` compares it with the rules,
`journal.py` writes it down. Pure; the rules are those of Kubernetes' RequestInfo.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

from twinloop.harness.faults import WRITES
from twinloop.kube import Resource

# Of a namespace; anything else after a namespace's name is a resource in it.
_NAMESPACE_SUBRESOURCES = frozenset({"status", "finalize"})

_VERBS = {"GET": "get", "HEAD": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}

# A review asks a question by a POST and stores nothing.
_REVIEWS = (".authorization.k8s.io", ".authentication.k8s.io")


@dataclass(frozen=True, kw_only=True)
class RequestInfo:
    """`resource` is the plural with ".group" unless core, "" for an address that names none (/version, /apis)."""

    verb: str
    path: str
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    group: str = ""
    version: str = ""
    query: Mapping[str, str] = field(default_factory=dict)

    @property
    def writes(self) -> bool:
        """Whether it changes something, which the API's verbs tell but for reviews."""
        return self.verb in WRITES and not self.resource.endswith(_REVIEWS)

    @property
    def streams(self) -> bool:
        """Whether the answer has no end of its own."""
        return self.verb == "watch" or _true(self.query.get("follow"))

    @property
    def kind_of_object(self) -> Resource:
        """The resource as a client names it; the kind is not in the address."""
        plural = self.resource.partition(".")[0]
        return Resource(self.group, self.version, plural, plural, namespaced=bool(self.namespace))


def parse(method: str, target: str) -> RequestInfo:
    """The meaning of a request line's method and target."""
    path, _, text = target.partition("?")
    query = dict(reversed(parse_qsl(text, keep_blank_values=True)))  # of two values the server takes the first
    group, version, parts = _root([unquote(part) for part in path.split("/") if part])
    if not parts:
        return RequestInfo(verb=method.lower(), path=path, query=query)
    # An old spelling: /api/v1/watch/...
    old_watch = parts[0] == "watch" and len(parts) > 1
    namespace, parts = _namespace(parts[1:] if old_watch else parts)
    name = parts[1] if len(parts) > 1 else ""
    verb = "watch" if old_watch else _verb(method, name, query)
    return RequestInfo(
        verb=verb,
        path=path,
        resource=f"{parts[0]}.{group}" if group else parts[0],
        subresource=parts[2] if len(parts) > 2 else "",
        namespace=namespace,
        # A list or watch of one object by its name is about that object.
        name=name or _selected_name(query) if verb in {"list", "watch"} else name,
        group=group,
        version=version,
        query=query,
    )


def _root(parts: list[str]) -> tuple[str, str, list[str]]:
    """Group, version and what follows; nothing follows in discovery and in addresses outside of the API."""
    if parts[:1] == ["api"] and len(parts) > 2:
        return "", parts[1], parts[2:]
    if parts[:1] == ["apis"] and len(parts) > 3:
        return parts[1], parts[2], parts[3:]
    return "", "", []


def _namespace(parts: list[str]) -> tuple[str, list[str]]:
    """The namespace and the address within it; a namespace itself is an object and its own namespace."""
    if parts[0] != "namespaces" or len(parts) == 1:
        return "", parts
    inside = len(parts) > 2 and parts[2] not in _NAMESPACE_SUBRESOURCES
    return parts[1], parts[2:] if inside else parts


def _verb(method: str, name: str, query: Mapping[str, str]) -> str:
    verb = _VERBS.get(method, method.lower())
    if name:
        return verb
    if verb == "get":
        return "watch" if _true(query.get("watch")) else "list"
    return "deletecollection" if verb == "delete" else verb


def _true(value: str | None) -> bool:
    """Whether a parameter is set: the server takes anything but "0" and "false" for yes, even nothing at all."""
    return value is not None and value.lower() not in {"0", "false"}


def _selected_name(query: Mapping[str, str]) -> str:
    found = re.search(r"(?:^|,)metadata\.name==?([^,]+)", query.get("fieldSelector", ""))
    return found[1] if found else ""
