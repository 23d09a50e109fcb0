"""The body of a POST to a subresource: decoded as the subresource's kind, and about the pod that the path names.

`binding.py` and `eviction.py` begin here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from twinloop.apiserver import body, codec, failures, media
from twinloop.apiserver.kinds import Kind
from twinloop.apiserver.options import write_options
from twinloop.apiserver.request import Request
from twinloop.apiserver.verbs.call import Call

Object = dict[str, Any]


def read_body(call: Call, request: Request, kind: Kind, *, names_pod: bool = False) -> Object:
    """The object in the body; whether this is a dry run is noted in the call.

    `names_pod`: the path does not say which pod is meant, so the object does.

    Raises 400 for another pod's object, and what admission has to say: a terminating namespace refuses these, too.
    """
    media_type = media.body_type(request)
    body.check_size(request.body)
    options = write_options(request, "CreateOptions")
    call.dry_run = options.dry_run
    reader = replace(call, kind=kind, field_validation=options.field_validation)
    found = body.decode(reader, request.body, media_type)
    if not isinstance(found.setdefault("metadata", {}), dict):
        raise failures.bad_request(
            f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: json: cannot unmarshal '
            f"{codec.go_type(found['metadata'])} into Go struct field {kind.kind}.metadata of type v1.ObjectMeta"
        )
    call.admit("mutating", "CREATE", found, None)
    if names_pod:
        call.name = found["metadata"].get("name") or ""
        if not call.name:
            raise failures.bad_request("Name parameter required.")
    if (found["metadata"].get("name") or "") != call.name:
        raise failures.bad_request(f"name in URL does not match name in {kind.kind} object")
    return found
