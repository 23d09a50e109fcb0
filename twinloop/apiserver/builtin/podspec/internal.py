"""A PodSpec as Kubernetes' internal Go types hold it: the text that the message about a forbidden pod update compares.

`update.py` prints two specs and shows their difference. The internal types have no JSON names, so every field appears
under its Go name, in Go's order, with null or zero where nothing is set.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from twinloop.apiserver import gofmt
from twinloop.apiserver.builtin import documents

Object = dict[str, Any]

_ZEROS = {"string": "", "bool": False, "int32": 0, "int64": 0, "intstr.IntOrString": 0, "resource.Quantity": "0"}
_types = cache(documents.internal_types)


def printed(spec: Object) -> str:
    """The text of a spec, one space of indentation a level."""
    text = json.dumps(_struct("PodSpec", spec, spec), indent=1, ensure_ascii=False)
    return text.translate(gofmt.HTML)


def struct(name: str, value: Object) -> Object:
    """A part of a spec by the name of its internal type."""
    return _struct(name, value, {})


def _struct(name: str, value: Object, spec: Object) -> Object:
    result: Object = {}
    for go_name, go_type, json_name in _types()[name]:
        if not go_name:  # embedded: its fields stand among the others
            result.update(_struct(go_type.removeprefix("core."), value, spec))
            continue
        source = spec if json_name.startswith(".") else value
        result[go_name] = _value(go_type, source.get(json_name.lstrip(".")), spec)
    return result


def _value(go_type: str, value: Any, spec: Object) -> Any:
    if value is None:
        return _zero(go_type, spec)
    go_type = go_type.removeprefix("*")
    if go_type.startswith("[]"):
        return [_value(go_type[2:], each, spec) for each in value]
    if go_type.startswith("map["):
        return dict(sorted(value.items()))
    inner = go_type.removeprefix("core.")
    return _struct(inner, value, spec) if inner in _types() else value


def _zero(go_type: str, spec: Object) -> Any:
    if go_type in _ZEROS:
        return _ZEROS[go_type]
    inner = go_type.removeprefix("core.")
    return _struct(inner, {}, spec) if inner in _types() else None
