"""Printer columns and subresources of a CustomResourceDefinition, as `definition_checks.py` finds them.

Their paths are looked at only as closely as a real API server does, which is hardly at all: a path that leads nowhere
gives empty cells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from twinloop.apiserver.fielderrors import FieldError, invalid, required

_TYPES = ("boolean", "date", "integer", "number", "string")
_FORMATS = ("byte", "date", "date-time", "double", "float", "int32", "int64", "password")


def column(given: Mapping[str, Any], path: str) -> Iterator[FieldError]:
    """What is wrong with an additional printer column."""
    kind, json_path = given.get("type") or "", given.get("jsonPath") or ""
    if not given.get("name"):
        yield required(f"{path}.name")
    what = f"must be one of {','.join(_TYPES)}"
    if not kind:
        yield required(f"{path}.type", what)
    elif kind not in _TYPES:
        yield invalid(f"{path}.type", kind, what)
    if given.get("format") and given["format"] not in _FORMATS:
        yield invalid(f"{path}.format", given["format"], f"must be one of {','.join(_FORMATS)}")
    if not json_path:
        yield required(f"{path}.JSONPath")
    elif not json_path.startswith("."):
        yield _no_path(f"{path}.JSONPath", json_path)


def _no_path(path: str, given: str) -> FieldError:
    return invalid(path, given, "must be a simple json path starting with .")


def subresources(given: Mapping[str, Any], path: str) -> Iterator[FieldError]:
    """What is wrong with the paths of the scale subresource."""
    scale = given.get("scale")
    if not scale:
        return
    yield from _replicas(scale.get("specReplicasPath") or "", f"{path}.scale.specReplicasPath", ".spec")
    yield from _replicas(scale.get("statusReplicasPath") or "", f"{path}.scale.statusReplicasPath", ".status")
    selector, where = scale.get("labelSelectorPath") or "", f"{path}.scale.labelSelectorPath"
    if selector and not selector.startswith("."):
        yield _no_path(where, selector)
    elif selector and not selector.startswith((".spec.", ".status.")):
        yield invalid(where, selector, "should be a json path under either .spec or .status")


def _replicas(given: str, path: str, below: str) -> Iterator[FieldError]:
    if not given:
        yield required(path)
    elif not given.startswith("."):
        yield _no_path(path, given)
    elif not given.startswith(f"{below}."):
        yield invalid(path, given, f"should be a json path under {below}")
