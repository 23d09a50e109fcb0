"""Request bodies: from bytes to the object that a verb works on, or the 400 that says what is wrong with them.

`verbs/` get an object of the kind that the path names, with apiVersion and kind set, defaults filled in, and the
findings of field validation already turned into warnings or an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from twinloop.apiserver import codec, failures
from twinloop.apiserver.failures import Failure
from twinloop.apiserver.kinds import Kind
from twinloop.apiserver.patches import bodies
from twinloop.apiserver.request import Request
from twinloop.apiserver.verbs.call import Call

Object = dict[str, Any]

LIMIT = 3 * 1024 * 1024  # kube-apiserver's limit for a request's body

_SUMMARY = 30  # bytes of an unreadable body that the message shows


def check_size(raw: bytes) -> None:
    """Raises 413 for a body over the limit."""
    if len(raw) > LIMIT:
        raise failures.body_too_large(LIMIT)


def decode(call: Call, body: bytes, media_type: str) -> Object:
    """The object in a body."""
    decoded = _parse(call.kind, body, media_type)
    obj = decoded.value
    _check_type(call.kind, obj)
    return admit_fields(call, obj, decoded.duplicates)


def admit_fields(call: Call, obj: Object, duplicates: Sequence[str] = ()) -> Object:
    """Run an object through the kind's decoding: unknown fields go out, are warned of or refused; defaults come in."""
    kind = call.kind
    problems = [*duplicates, *kind.strategy.decode(obj)]
    if problems and call.field_validation == "Strict":
        raise failures.bad_request(f"{_cannot_handle(kind, obj)}: strict decoding error: {', '.join(problems)}")
    if call.field_validation == "Warn":
        call.warnings += problems
    kind.strategy.default(obj)
    return obj


def _parse(kind: Kind, body: bytes, media_type: str) -> codec.Decoded:
    try:
        decoded = codec.decode(body if media_type == "application/json" else _yaml_to_json(body))
    except codec.Malformed as error:
        raise _unrecognized(kind, f"couldn't get version/kind; json parse error: {error}", body) from None
    if decoded.value is None:
        decoded.value = {}
    if not isinstance(decoded.value, dict):
        what = codec.go_type(decoded.value)
        raise _unrecognized(
            kind, f"couldn't get version/kind; json parse error: json: cannot unmarshal {what} into {_TYPE_META}", body
        )
    for name in ("apiVersion", "kind"):
        if not isinstance(decoded.value.get(name, ""), str):
            what = codec.go_type(decoded.value[name])
            why = f"json: cannot unmarshal {what} into Go struct field .{name} of type string"
            raise _unrecognized(kind, f"couldn't get version/kind; json parse error: {why}", body)
    return decoded


_TYPE_META = (
    'Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; '
    'Kind string "json:\\"kind,omitempty\\"" }'
)


def _yaml_to_json(body: bytes) -> bytes:
    try:
        return codec.encode(yaml.safe_load(body))
    except (yaml.YAMLError, TypeError, ValueError, RecursionError) as error:
        raise codec.Malformed(f"error converting YAML to JSON: yaml: {error}") from None


def _check_type(kind: Kind, obj: Object) -> None:
    """The body's own idea of what it is must be the path's; what it leaves out is filled in."""
    api_version, name = obj.get("apiVersion") or kind.api_version, obj.get("kind") or kind.kind
    obj["apiVersion"], obj["kind"] = api_version, name
    if (api_version, name) == (kind.api_version, kind.kind):
        return
    why = f'no kind "{name}" is registered for version "{api_version}" in scheme "pkg/runtime/scheme.go:110"'
    raise failures.bad_request(f"{_cannot_handle(kind, obj)}: {why}")


def _cannot_handle(kind: Kind, obj: Object) -> str:
    version = obj["apiVersion"].rpartition("/")[2]
    return f'{obj["kind"]} in version "{version}" cannot be handled as a {kind.kind}'


def _unrecognized(kind: Kind, why: str, body: bytes) -> Failure:
    return failures.bad_request(
        f"the object provided is unrecognized (must be of type {kind.kind}): {why} ({summary(body)})"
    )


def summary(body: bytes) -> str:
    """The beginning of a body: as text when it looks like JSON, else in hexadecimal."""
    if not body:
        return "<empty>"
    start = body[:_SUMMARY]
    shown = start.decode(errors="replace") if body[:1] == b"{" else start.hex()
    return f"{shown} ..." if len(body) > _SUMMARY else shown


def decode_delete_options(request: Request) -> Object:
    """The DeleteOptions in a request's body. Raises 400."""
    kind = "DeleteOptions"
    try:
        value = codec.decode(request.body).value
    except codec.Malformed as error:
        raise failures.bad_request(f"couldn't get version/kind; json parse error: {error}") from None
    if not isinstance(value, dict):
        raise failures.bad_request(f"json: cannot unmarshal {codec.go_type(value)} into Go value of type v1.{kind}")
    return value


def decode_applied(call: Call, raw: bytes) -> tuple[Object, list[str]]:
    """The configuration of a server-side apply, and the fields that stand twice in it. Raises 400."""
    try:
        decoded = codec.decode(raw if raw.lstrip()[:1] == b"{" else _yaml_to_json(raw))
    except codec.Malformed as error:
        raise failures.bad_request(f"error decoding YAML: {error}") from None
    if not isinstance(decoded.value, dict):
        what = codec.go_type(decoded.value)
        why = f"json: cannot unmarshal {what} into Go value of type map[string]interface {{}}"
        raise failures.bad_request(f"error decoding YAML: error unmarshaling JSON: while decoding JSON: {why}")
    return decoded.value, decoded.duplicates


def admit_patched(call: Call, obj: Any, problems: Sequence[str], *, shown: Any) -> Object:
    """`admit_fields` for what a patch made; its errors are 422 about the patch, of which `shown` is quoted."""
    kind = call.kind
    if not isinstance(obj, dict):
        what = codec.go_type(obj)
        raise bodies.invalid_patch(shown, f"couldn't get version/kind; json parse error: json: cannot unmarshal {what} into {_TYPE_META}")
    obj.setdefault("apiVersion", kind.api_version)
    obj.setdefault("kind", kind.kind)
    try:
        found = [*problems, *kind.strategy.decode(obj)]
    except Failure as failure:
        raise bodies.invalid_patch(shown, failure.message.partition(": ")[2] or failure.message) from None
    if found and call.field_validation == "Strict":
        raise bodies.invalid_patch(shown, f"strict decoding error: {', '.join(found)}")
    if call.field_validation == "Warn":
        call.warnings += found
    kind.strategy.default(obj)
    return obj
