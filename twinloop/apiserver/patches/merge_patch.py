"""JSON merge patch (RFC 7386): a document that looks like the object, with null where something is to go.

`verbs/patch.py` calls `apply` for application/merge-patch+json, with what `bodies.merge` let through. It differs from the RFC where kube-apiserver's library
does: a null inside what is added is dropped, one inside an added list is kept.
"""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]


def apply(doc: Object, patch: Object) -> Object:
    """The object after the patch; neither argument is changed, and the result shares what did not change with them."""
    found = dict(doc)
    for name, value in patch.items():
        if value is None:
            found.pop(name, None)
        else:
            found[name] = _merged(found.get(name), value)
    return found


def _merged(current: Any, value: Any) -> Any:
    if isinstance(current, dict) and isinstance(value, dict):
        return apply(current, value)
    return _without_nulls(value)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(each) for name, each in value.items() if each is not None}
    return [_without_nulls(each) for each in value] if isinstance(value, list) else value
