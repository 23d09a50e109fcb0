"""PATCH: JSON patch, merge patch, strategic merge patch and server-side apply.

`patches/` compute the next state from the present one; this module reads the body, holds the result to the kind's
schema, and lets `update.py` store it. Between reading and writing nothing can come in, so that a patch conflicts only
when it names a resourceVersion itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from twinloop.apiserver import body, codec, failures, gofmt
from twinloop.apiserver.kinds import Kind
from twinloop.apiserver.options import WriteOptions
from twinloop.apiserver.patches import apply, bodies, json_patch, merge_patch, strategic
from twinloop.apiserver.patches.typed import DEDUCED
from twinloop.apiserver.request import Request
from twinloop.apiserver.verbs import create, update
from twinloop.apiserver.verbs.call import Call

Object = dict[str, Any]

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"


def patch_type(kind: Kind, request: Request) -> str:
    """The kind of patch; raises 415 for one that the kind does not take."""
    accepted = (JSON_PATCH, MERGE_PATCH, STRATEGIC, APPLY) if kind.strategy.merges_strategically() else _CUSTOM
    found = request.headers.get("content-type", "").split(";")[0]
    if found not in accepted:
        raise failures.unsupported_media_type(accepted) if kind.custom else failures.unsupported_patch_type()
    return found


_CUSTOM = (JSON_PATCH, MERGE_PATCH, APPLY)


def patch(call: Call, content_type: str, raw: bytes, options: WriteOptions) -> update.Written:
    """Patch an object; an apply creates it where it is not there."""
    if content_type == APPLY:
        return _apply(call, raw, options)
    return update.write(call, _change(call, content_type, raw))


def _change(call: Call, content_type: str, raw: bytes) -> update.Change:
    def change(old: Object | None) -> Object:
        if old is None:
            raise call.not_found()
        obj = patched(call, content_type, raw, old)
        update.check_name(call, obj)
        create.track(call, obj, old)
        return obj

    return change


def patched(call: Call, content_type: str, raw: bytes, old: Object) -> Object:
    """The patched object after the kind's decoding, which fails as 422 where a plain body would be a 400."""
    ignoring = call.field_validation == "Ignore"
    try:
        decoded = codec.decode(raw)
    except codec.Malformed as error:
        raise bodies.malformed(content_type, str(error), ignoring=ignoring) from None
    call.floats = decoded.floats
    make = _PATCHERS[content_type]
    made = make(call, decoded.value, codec.copy(old))

    def shown() -> str:  # decoding has changed the object by the time it is found wrong, so it is made again
        return make(call, decoded.value, codec.copy(old)).shown(call.kind)

    told = _converted if content_type == STRATEGIC else str
    return body.admit_patched(call, made.obj, [*_found(decoded, made), *made.problems], shown, told)


def _converted(why: str) -> str:
    """A decoder's finding in the words of the converter that strategic merges go through in its place."""
    found = re.search(r"cannot unmarshal (\w+) into .* of type (\S+)$", why)
    if found is None:
        return why
    value, wanted = found[1], found[2]
    value = {"object": "map", "array": "slice", "number": "int64"}.get(value, value)
    if wanted.startswith("[]"):
        return f"cannot restore slice from {value}"
    if wanted.startswith("map["):
        return f"cannot restore map from {value}"
    return f"cannot restore struct from: {value}" if "." in wanted else f"unrecognized type: {wanted}"


@dataclass(frozen=True, slots=True)
class _Made:
    """What a patch came to: the object, and what field validation found in the patch itself.

    `document` is what an error shows in place of the object, the patch of a strategic merge.
    """

    obj: Any
    problems: list[str] = field(default_factory=list)
    operations: bool = False
    document: Object | None = None

    def shown(self, kind: Kind) -> str:
        """The object as the real server quotes it: typed ones in the order of their Go fields, others sorted."""
        if self.document is not None:
            return gofmt.printed(self.document)
        if kind.custom or not isinstance(self.obj, dict):
            return gofmt.marshal(self.obj)
        return ",".join(
            f"{gofmt.marshal(name)}:{codec.encode(self.obj[name]).decode()}" for name in sorted(self.obj)
        ).join("{}")


def _found(decoded: codec.Decoded, made: _Made) -> list[str]:
    return [f"json patch {each}" for each in decoded.duplicates] if made.operations else decoded.duplicates


def _json(call: Call, value: Any, old: Object) -> _Made:
    operations = bodies.operations(value, ignoring=call.field_validation == "Ignore")
    return _Made(json_patch.apply(old, [*operations]), bodies.unknown_fields(operations), operations=True)


def _merge(call: Call, value: Any, old: Object) -> _Made:
    return _Made(merge_patch.apply(old, bodies.merge(value, ignoring=call.field_validation == "Ignore")))


def _strategic(call: Call, value: Any, old: Object) -> _Made:
    document = bodies.strategic(value)
    typed = call.kind.strategy.typed() or DEDUCED
    return _Made(strategic.apply(old, document, typed), document=document)


_PATCHERS: dict[str, Callable[[Call, Any, Object], _Made]] = {
    JSON_PATCH: _json,
    MERGE_PATCH: _merge,
    STRATEGIC: _strategic,
}


def _apply(call: Call, raw: bytes, options: WriteOptions) -> update.Written:
    decoded = body.decode_applied(raw)

    def change(old: Object | None) -> Object:
        update.check_name(call, decoded.value)
        obj = apply.apply(old, decoded.value, _applier(call, options), call.kind.strategy.typed())
        return body.admit_fields(call, obj, decoded, applied=True)

    return update.write(call, change, may_create=not call.subresource)


def _applier(call: Call, options: WriteOptions) -> apply.Applier:
    return apply.Applier(
        manager=options.field_manager,
        api_version=call.kind.api_version,
        kind=call.kind.kind,
        now=call.now,
        force=options.force,
        subresource=call.subresource,
        reset=call.kind.strategy.reset_fields(call.subresource),
    )
