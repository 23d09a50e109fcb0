"""POST .../serviceaccounts/<name>/token: a token for a service account, shaped like a real one and good for nothing.

`dispatch.py` finds `serve` among the effects of subresources. The token carries the claims that a program may look at;
no key signs it, and this server lets nobody in by it, as it knows one user only.
"""

from __future__ import annotations

import base64
from typing import Any

from twinloop.apiserver import body, codec, failures, handlers, media, render
from twinloop.apiserver.answer import Answer
from twinloop.apiserver.builtin.base import BuiltinStrategy
from twinloop.apiserver.clock import timestamp
from twinloop.apiserver.fielderrors import invalid
from twinloop.apiserver.kinds import Kind
from twinloop.apiserver.options import write_options
from twinloop.apiserver.request import Request
from twinloop.apiserver.verbs import read
from twinloop.apiserver.verbs.call import Call
from twinloop.apiserver.verbs.subresources import EFFECTS

Object = dict[str, Any]

GROUP = "authentication.k8s.io"
REQUESTS = Kind(GROUP, "v1", "TokenRequest", "tokenrequests", BuiltinStrategy(GROUP, "TokenRequest"))
ISSUER = "https://kubernetes.default.svc.cluster.local"
_HOUR, _SHORTEST = 3600, 600  # seconds


def serve(call: Call, request: Request) -> Answer:
    """Answer a TokenRequest."""
    form, media_type = media.negotiate(request), media.body_type(request)
    handlers.use(call, request, write_options(request, "CreateOptions"))
    asked = body.decode(Call(call.host, REQUESTS, call.namespace, call.name), request.body, media_type)
    account = read.get(call, "").object()
    return render.value(issued(asked, account, call.now), form, 201)


def issued(asked: Object, account: Object, now: float) -> Object:
    """The request with its token. Raises 422."""
    spec = dict(asked.get("spec") or {})
    spec["audiences"] = spec.get("audiences") or [ISSUER]
    spec["expirationSeconds"] = _HOUR if spec.get("expirationSeconds") is None else spec["expirationSeconds"]
    if spec["expirationSeconds"] < _SHORTEST:
        why = "may not specify a duration less than 10 minutes"
        error = invalid("spec.expirationSeconds", spec["expirationSeconds"], why)
        raise failures.invalid(GROUP, "TokenRequest", "", [error])
    meta = {key: account["metadata"][key] for key in ("name", "namespace", "uid")}
    expires = now + spec["expirationSeconds"]
    return {
        "kind": "TokenRequest",
        "apiVersion": f"{GROUP}/v1",
        "metadata": {**meta, "creationTimestamp": timestamp(now)},
        "spec": {**spec, "boundObjectRef": spec.get("boundObjectRef")},
        "status": {"token": _token(meta, spec["audiences"], now, expires), "expirationTimestamp": timestamp(expires)},
    }


def _token(meta: Object, audiences: list[str], now: float, expires: float) -> str:
    """Three parts like any JWT: header, claims, and for a signature a word that says what it is worth."""
    claims = {
        "aud": audiences,
        "exp": int(expires),
        "iat": int(now),
        "iss": ISSUER,
        "kubernetes.io": {
            "namespace": meta["namespace"],
            "serviceaccount": {"name": meta["name"], "uid": meta["uid"]},
        },
        "nbf": int(now),
        "sub": f"system:serviceaccount:{meta['namespace']}:{meta['name']}",
    }
    return ".".join(_part(each) for each in (codec.encode({"alg": "none"}), codec.encode(claims), b"pretence"))


def _part(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def register() -> None:
    """Serve it."""
    EFFECTS["", "serviceaccounts", "token", "POST"] = serve
