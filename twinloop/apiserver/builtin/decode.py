"""What Go's decoding does to the body of a request before anything else looks at it.

A `Strategy.decode` calls `decode_object`: the object is rewritten in place to what the API server would write back
(see `shapes.py`), unknown fields are returned for field validation to report, and a value of the wrong type is a 400
in Go's words. Defaults come next (`pod_defaults.py` and its neighbours).
"""

from __future__ import annotations

from typing import Any

from twinloop.apiserver.builtin import shapes
from twinloop.apiserver.builtin.readers import Trail
from twinloop.apiserver.builtin.scalars import Unreadable
from twinloop.apiserver.failures import bad_request

# API group -> the package that its Go types live in.
PACKAGES = {
    "": "core",
    "apps": "apps",
    "events.k8s.io": "events",
    "coordination.k8s.io": "coordination",
    "rbac.authorization.k8s.io": "rbac",
    "apiextensions.k8s.io": "apiextensions",
    "authorization.k8s.io": "authorization",
    "authentication.k8s.io": "authentication",
    "autoscaling": "autoscaling",
    "policy": "policy",
}


def decode_object(group: str, kind: str, obj: dict[str, Any]) -> list[str]:
    """Read an object of a built-in kind in place. Returns its unknown fields; raises `Failure` (400)."""
    try:
        result, problems = read(f"{PACKAGES[group]}.{kind}", obj)
    except Unreadable as error:
        raise bad_request(f'{kind} in version "v1" cannot be handled as a {kind}: {error}') from None
    metadata = obj.get("metadata") or {}
    obj.clear()
    obj.update(result)
    if metadata.get("managedFields") == []:
        result["metadata"][
            "managedFields"
        ] = []  # the one empty list that tells something: it ends the tracking of owners
    return problems


def read(go_type: str, value: Any) -> tuple[Any, list[str]]:
    """A value as Go reads it and writes it back, and its unknown fields. Raises `Unreadable`."""
    trail = Trail()
    reader = shapes.struct(go_type)
    try:
        return reader.read(value, trail), list(trail.problems)
    except Unreadable as error:
        if not error.final and isinstance(value, dict):
            reader.read(value, Trail(tolerant=True))  # a fault that is final is told before the first one
        raise
