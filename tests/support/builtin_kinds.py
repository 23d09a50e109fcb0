"""Built-in kinds as a request meets them, without a server: decode, default, prepare, validate.

For the unit tests of `twinloop/apiserver/builtin`; metadata is checked elsewhere and left alone here.
"""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

from twinloop.apiserver import builtin
from twinloop.apiserver.kinds import Kind, Registry

Object = dict[str, Any]

NOW = 1_700_000_000.0  # 2023-11-14T22:13:20Z


@cache
def registry() -> Registry:
    """All built-in kinds."""
    found = Registry()
    builtin.register(found)
    return found


def kind_of(name: str, group: str = "") -> Kind:
    """A kind by name and group."""
    return next(each for each in registry() if (each.kind, each.group) == (name, group))


def decoded(kind: Kind, body: Object) -> tuple[Object, list[str]]:
    """A body as decoding and defaulting leave it, and its unknown fields."""
    obj = copy.deepcopy(body)
    problems = kind.strategy.decode(obj)
    kind.strategy.default(obj)
    return obj, problems


def created(kind: Kind, body: Object) -> Object:
    """A body as it would be stored."""
    obj, _ = decoded(kind, body)
    kind.strategy.prepare_create(obj, NOW)
    return obj


def create_errors(kind: Kind, body: Object) -> list[str]:
    """What is wrong with a body, as "path: message"."""
    return [str(each) for each in kind.strategy.validate(created(kind, body))]


def updated(kind: Kind, old: Object, body: Object, subresource: str = "") -> Object:
    """A body as it would replace an object."""
    obj, _ = decoded(kind, body)
    kind.strategy.prepare_update(obj, old, subresource)
    return obj


def update_errors(kind: Kind, old: Object, body: Object, subresource: str = "") -> list[str]:
    """What is wrong with replacing an object, as "path: message"."""
    obj = updated(kind, old, body, subresource)
    return [str(each) for each in kind.strategy.validate_update(obj, old, subresource)]


def pod(spec: Object | None = None, *, called: str = "web", **container: Any) -> Object:
    """A Pod with one container."""
    first = {"name": "app", "image": "nginx", **container}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": called},
        "spec": {"containers": [first], **(spec or {})},
    }


def listed(kind: Kind, obj: Object, now: float = NOW) -> dict[str, Any]:
    """An object's row in a Table: column name -> cell."""
    cells = kind.strategy.cells(obj, now)
    return {column.name: cell for column, cell in zip(kind.strategy.columns, cells, strict=True)}
