"""Request bodies: from bytes to the object that a verb works on, or the 400 that says what is wrong with them.

`verbs/` get an object of the kind that the path names, with apiVersion and kind set, defaults filled in, and the
findings of field validation already turned into warnings or an error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import yaml

from twinloop.apiserver import codec, failures, media
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
    obj: Object = decoded.value
    _check_type(call, obj, body)
    return admit_fields(call, obj, decoded)


def admit_fields(call: Call, obj: Object, decoded: codec.Decoded | None = None, *, applied: bool = False) -> Object:
    """Run an object through the kind's decoding: unknown fields go out, are warned of or refused; defaults come in.

    `applied` is whether a server-side apply has made it, and not a decoder.
    """
    kind = call.kind
    call.floats = decoded is not None and decoded.floats
    problems = kind.strategy.decode_applied(obj) if applied else kind.strategy.decode(obj)
    if decoded is not None and decoded.duplicates:
        problems = [*decoded.duplicates, *problems]
        if not kind.custom:  # Go's decoder meets both as it goes; custom resources are pruned after decoding
            problems = decoded.in_order(problems)
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
    if decoded.value is None:  # Go decodes null into an object without any field
        decoded.value = {}
    if not isinstance(decoded.value, dict):
        what = codec.go_type(decoded.value)
        raise _unrecognized(
            kind, f"couldn't get version/kind; json parse error: json: cannot unmarshal {what} into {_TYPE_META}", body
        )
    for name in ("apiVersion", "kind"):
        if not isinstance(decoded.value.get(name), str | None):
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
        return codec.encode(codec.whole(yaml.safe_load(body)))
    except (yaml.YAMLError, TypeError, ValueError, RecursionError) as error:
        raise codec.Malformed(f"error converting YAML to JSON: yaml: {error}") from None


def _check_type(call: Call, obj: Object, body: bytes) -> None:
    """The body's own idea of what it is must be the path's; a built-in kind may leave it out."""
    kind = call.kind
    if kind.custom:
        _check_custom(kind, obj, body)
        return
    obj["apiVersion"], obj["kind"] = obj.get("apiVersion") or kind.api_version, obj.get("kind") or kind.kind
    why = mismatch(call, obj)
    if why:
        raise failures.bad_request(f"{_cannot_handle(kind, obj)}: {why}")


def _check_custom(kind: Kind, obj: Object, body: bytes) -> None:
    if not obj.get("kind"):
        raise _unrecognized(kind, f"Object 'Kind' is missing in '{body.decode(errors='replace')}'", body)
    found = obj.setdefault("apiVersion", "")
    if found != kind.api_version:
        raise failures.bad_request(
            f"the API version in the data ({found}) does not match the expected API version ({kind.api_version})"
        )


def mismatch(call: Call, obj: Object) -> str:
    """Why an object cannot be one of a built-in kind; empty when it can."""
    kind, api_version, name = call.kind, obj["apiVersion"], obj["kind"]
    if (api_version, name) == (kind.api_version, kind.kind):
        return ""
    other = call.host.registry.by_kind(api_version, name)
    # A List is registered in every scheme, and served nowhere.
    if (api_version, name) != ("v1", "List") and (other is None or other.custom):
        return f'no kind "{name}" is registered for version "{api_version}" in scheme "pkg/runtime/scheme.go:110"'
    if other is not None:
        try:  # it is read as what it says it is before anybody sees that it is not wanted
            other.strategy.decode(codec.copy(obj))
        except Failure as failure:
            return failure.message.partition(": ")[2]
    return (
        f"converting ({api_version.rpartition('/')[2]}.{name}) to ({kind.go_package}.{kind.kind}): unknown conversion"
    )


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
    """The DeleteOptions in a request's body. Raises 415, and 500 for what cannot be read."""
    media_type = media.body_type(request)
    try:
        raw = request.body if media_type == "application/json" else _yaml_to_json(request.body)
        value = codec.decode(raw).value
    except codec.Malformed as error:
        raise Failure(500, "", f"couldn't get version/kind; json parse error: {error}") from None
    if not isinstance(value, dict):
        why = f"json: cannot unmarshal {codec.go_type(value)} into {_TYPE_META}"
        raise Failure(500, "", f"couldn't get version/kind; json parse error: {why}")
    kind, version = value.get("kind") or "DeleteOptions", value.get("apiVersion") or "v1"
    if kind != "DeleteOptions":
        why = f'no kind "{kind}" is registered for version "{version}" in scheme "pkg/runtime/scheme.go:110"'
        raise Failure(500, "", why)
    _check_delete_options(value)
    return value


_DELETE_OPTIONS = {
    "gracePeriodSeconds": (int, "int64"),
    "orphanDependents": (bool, "bool"),
    "propagationPolicy": (str, "v1.DeletionPropagation"),
    "preconditions": (dict, "v1.Preconditions"),
    "dryRun": (list, "[]string"),
}


def _check_delete_options(value: Object) -> None:
    for name, (wanted, go_name) in _DELETE_OPTIONS.items():
        found = value.get(name)
        if found is not None and type(found) is not wanted:
            what = codec.go_type(found)
            why = f"json: cannot unmarshal {what} into Go struct field DeleteOptions.{name} of type {go_name}"
            raise Failure(500, "", why)


def decode_applied(raw: bytes) -> codec.Decoded:
    """The configuration of a server-side apply. Raises 400."""
    try:
        decoded = codec.decode(raw if raw.lstrip()[:1] == b"{" else _yaml_to_json(raw))
    except codec.Malformed as error:
        raise failures.bad_request(f"error decoding YAML: {error}") from None
    if not isinstance(decoded.value, dict):
        what = codec.go_type(decoded.value)
        why = f"json: cannot unmarshal {what} into Go value of type map[string]interface {{}}"
        raise failures.bad_request(f"error decoding YAML: error unmarshaling JSON: while decoding JSON: {why}")
    return decoded


def admit_patched(
    call: Call, obj: Any, problems: Sequence[str], shown: Callable[[], str], told: Callable[[str], str] = str
) -> Object:
    """`admit_fields` for what a patch made; its errors are 422 about the patch, and quote what `shown` gives.

    `told` is how this kind of patch words what the decoder says.
    """
    kind = call.kind
    if not isinstance(obj, dict):
        why = f"json: cannot unmarshal {codec.go_type(obj)} into {_TYPE_META}"
        raise bodies.invalid_patch(shown(), f"couldn't get version/kind; json parse error: {why}")
    obj.setdefault("apiVersion", kind.api_version)
    obj.setdefault("kind", kind.kind)
    if not kind.custom and (why := mismatch(call, obj)):
        raise bodies.invalid_patch(shown(), why)
    try:
        found = [*problems, *_unknown_fields(call, obj)]
    except Failure as failure:
        raise bodies.invalid_patch(shown(), told(failure.message.partition(": ")[2] or failure.message)) from None
    if found and call.field_validation == "Strict":
        raise bodies.invalid_patch(shown(), f"strict decoding error: {', '.join(found)}")
    if call.field_validation == "Warn":
        call.warnings += found
    kind.strategy.default(obj)
    return obj


def _unknown_fields(call: Call, obj: Object) -> list[str]:
    """What the decoder does not know; of a custom resource in a version that is not there, that is everything.

    A custom resource that has become one of another group or kind is not looked at: it will be refused anyway.
    """
    kind = call.kind
    if not kind.custom or (obj["apiVersion"], obj["kind"]) == (kind.api_version, kind.kind):
        return kind.strategy.decode(obj)
    group, _, version = obj["apiVersion"].rpartition("/")
    if (group, obj["kind"]) != (kind.group, kind.kind):
        return []
    other = call.host.registry.find(group, version, kind.plural)
    if other is not None:
        return other.strategy.decode(obj)
    return [f'unknown field "{name}"' for name in sorted(obj) if name not in {"apiVersion", "kind", "metadata"}]
