"""What a patch request's body must be, once it is parsed: operations, a document, or neither.

`verbs/patch.py` parses the JSON and hands the value over; `json_patch`, `merge_patch` and `strategic` take what comes
out. The words are those of Go's JSON decoder, which tells of the type that it was to fill; which type that is, and what
stands before, depends on whether field validation looks at the patch first (Warn and Strict do, Ignore does not).
"""

from __future__ import annotations

from typing import Any

from twinloop.apiserver import failures, fielderrors, gofmt
from twinloop.apiserver.failures import Failure

Object = dict[str, Any]

_VALIDATED = ("[]handlers.jsonPatchOp", "handlers.jsonPatchOp")
_ANY_OBJECT = "Go value of type map[string]interface {}"
_INVALID = "Invalid JSON Patch"
_OPERATION_FIELDS = frozenset({"op", "path", "from", "value"})
# What the decoder of an object with a kind makes of a list; the strange type is the one that it looks for first.
_NOT_AN_OBJECT = (
    "couldn't get version/kind; json parse error: json: cannot unmarshal array into Go value of type struct { "
    'APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
)


def operations(value: Any, *, ignoring: bool = False) -> list[Object]:
    """A JSON patch; `ignoring` is whether field validation is Ignore. Raises `Failure` (400). Null is an empty patch."""
    if value is None:
        return []
    listed, single = ("jsonpatch.Patch", "jsonpatch.Operation") if ignoring else _VALIDATED
    if not isinstance(value, list):
        raise _unexpected(value, f"Go value of type {listed}", ignoring=ignoring)
    for operation in value:
        if not isinstance(operation, dict | None):
            raise _unexpected(operation, f"Go value of type {single}", ignoring=ignoring)
        if not ignoring:
            _check_fields(operation or {})
    return [operation or {} for operation in value]


def unknown_fields(patch: list[Object]) -> list[str]:
    """What field validation finds in a JSON patch: fields that no operation has."""
    found = ((at, name) for at, operation in enumerate(patch) for name in operation if name not in _OPERATION_FIELDS)
    return [f'json patch unknown field "[{at}].{name}"' for at, name in found]


def merge(value: Any, *, ignoring: bool = False) -> Object:
    """A merge patch. Raises `Failure`: 400, or 422 for a list that nothing has looked at before."""
    if isinstance(value, dict):
        return value
    if value is None or (ignoring and not isinstance(value, list)):
        raise failures.bad_request(_INVALID)
    if ignoring:
        raise invalid_patch(gofmt.marshal(value), _NOT_AN_OBJECT)
    raise _unexpected(value, _ANY_OBJECT, ignoring=False)


def strategic(value: Any) -> Object:
    """A strategic merge patch. Raises `Failure` (400). Null is an empty patch."""
    if value is None or isinstance(value, dict):
        return value or {}
    raise _unexpected(value, _ANY_OBJECT, ignoring=True)


def malformed(content_type: str, why: str, *, ignoring: bool = False) -> Failure:
    """400: the body is no JSON; `why` is the decoder's word, such as unexpected end of JSON input."""
    if content_type == "application/merge-patch+json" and ignoring:
        return failures.bad_request(_INVALID)
    plain = ignoring or content_type == "application/strategic-merge-patch+json"
    return failures.bad_request(why if plain else f"error decoding patch: {why}")


def invalid_patch(shown: str, why: str) -> Failure:
    """422: the patch could be applied, but what came out is no object of the kind.

    `shown` is the patched object as JSON (`gofmt.marshal`), or a strategic patch as Go prints it (`gofmt.printed`).
    """
    return failures.invalid("", "", "", [fielderrors.invalid("patch", shown, why)])


def _check_fields(operation: Object) -> None:
    for name in ("op", "path", "from"):
        value = operation.get(name)
        if value is not None and not isinstance(value, str):
            raise _unexpected(value, f"Go struct field jsonPatchOp.{name} of type string", ignoring=False)


def _unexpected(value: Any, wanted: str, *, ignoring: bool) -> Failure:
    why = f"json: cannot unmarshal {_kind_of(value)} into {wanted}"
    return failures.bad_request(why if ignoring else f"error decoding patch: {why}")


def _kind_of(value: Any) -> str:
    """What Go's decoder calls a JSON value."""
    kinds = {bool: "bool", dict: "object", list: "array", str: "string"}
    return kinds.get(type(value), "number")
