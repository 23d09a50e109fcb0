"""Which kinds the operators talk about, and where the API server keeps them.

Every request starts here: the caller names a `Resource`, `client.py` asks it for the path. Nothing is
discovered at run time; an operator knows its kinds, and discovery would be requests that the comparison
of two loops has no use for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

# An API object as the JSON module gives it. Never a model class: parsing into one costs ten times as much.
Object = dict[str, Any]


@dataclass(frozen=True)
class Resource:
    """One kind of object: `group` is empty for the core group, `plural` is the word in the URL."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """`group/version`, or the version alone in the core group, as objects carry it."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str | None = None, name: str | None = None, subresource: str = "") -> str:
        """The path of one object, or of a collection when `name` is None.

        A namespaced kind without a namespace is the collection of all namespaces. Raises ValueError for
        what must never reach the server: an empty name (a DELETE would then empty the whole collection),
        a name that walks up the path, an object of a namespaced kind without its namespace.
        """
        root = f"/apis/{self.group}" if self.group else "/api"
        parts = [root, self.version]
        if namespace is not None and self.namespaced:
            parts += ["namespaces", _segment(namespace)]
        elif name is not None and self.namespaced:
            raise ValueError(f"{self.kind} {name} needs a namespace")
        parts.append(self.plural)
        if name is not None:
            parts.append(_segment(name))
        if subresource:
            parts.append(_segment(subresource))
        return "/".join(parts)

    def __str__(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural


def _segment(text: str) -> str:
    if text in {"", ".", ".."}:
        raise ValueError(f"{text!r} is no name of an object or a namespace")
    return quote(text, safe="")


NGINXPODS = Resource("twinloop.dev", "v1alpha1", "nginxpods", "NginxPod")
PODS = Resource("", "v1", "pods", "Pod")
EVENTS = Resource("", "v1", "events", "Event")
LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease")
NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
