"""From a request and the resource that it names to the handler of its verb.

`server.py` has found the `Target`. Built-in kinds and custom resources differ in how they say no: the former are routed
by path and method like any web server's pages, the latter by the request's verb, as in kube-apiserver.
"""

from __future__ import annotations

from twinloop.apiserver import body, failures, handlers, media, render
from twinloop.apiserver.answer import Answer, WatchAnswer, text_answer
from twinloop.apiserver.failures import Failure
from twinloop.apiserver.handlers import Handler
from twinloop.apiserver.kinds import Kind
from twinloop.apiserver.request import Request, Target
from twinloop.apiserver.verbs import patch, subresources
from twinloop.apiserver.verbs.call import Call, Host

# By method: the verb as discovery lists it, and what it does.
_OBJECT: dict[str, tuple[str, Handler]] = {
    "GET": ("get", handlers.get),
    "PUT": ("update", handlers.put),
    "PATCH": ("patch", handlers.change),
    "DELETE": ("delete", handlers.remove),
}
_COLLECTION: dict[str, tuple[str, Handler]] = {
    "GET": ("list", handlers.list_or_watch),
    "POST": ("create", handlers.post),
    "DELETE": ("deletecollection", handlers.remove_all),
}
_STATUS = {method: _OBJECT[method] for method in ("GET", "PUT", "PATCH")}
_FINALIZE = {"PUT": _OBJECT["PUT"]}  # a namespace, for the sake of its spec.finalizers
_ONLY_CREATE = ("create",)  # such a kind may have an effect in place of being stored: a Binding binds a pod
_LIST_ONLY = {"GET": _COLLECTION["GET"]}
# What a method means to who routes by verb; DELETE of a collection is found in `_COLLECTION` before.
_VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


def not_found_page() -> Answer:
    """What is no path of the API at all."""
    return text_answer(404, "404 page not found\n")


def dispatch(host: Host, request: Request, target: Target) -> Answer | WatchAnswer:
    """Run the verb that a request means."""
    call = Call(
        host, target.kind, target.namespace, target.name, target.subresource, user=request.user, watch_path=target.watch
    )
    if target.kind.deprecation:
        call.warnings.append(target.kind.deprecation)
    try:
        handler = _custom(request, target) if target.kind.custom else _builtin(request, target)
        if handler is None:
            return not_found_page()
        body.check_size(request.body)
        answer = handler(call, request)
    except Failure as failure:
        answer = render.failed(failure, media.of_failure(request))
    answer.warnings += dict.fromkeys(call.warnings)
    return answer


def _builtin(request: Request, target: Target) -> Handler:
    """The handler of a built-in kind; raises 405."""
    found = _routes(target).get(request.method)
    if found is None or (found[0] not in target.kind.verbs and not target.subresource):
        raise failures.method_not_allowed()
    return found[1]


def _routes(target: Target) -> dict[str, tuple[str, Handler]]:
    if target.subresource == "status":
        return _STATUS
    if target.subresource == "finalize":
        return _FINALIZE
    if target.subresource:
        return subresources.routes(target)
    if target.watch or (not target.name and target.kind.namespaced and not target.namespace):
        return _LIST_ONLY
    if not target.name and target.kind.verbs == _ONLY_CREATE:
        return {
            method: ("create", effect) for method, (_, effect) in subresources.routes(target).items()
        } or _COLLECTION
    return _OBJECT if target.name else _COLLECTION


def _custom(request: Request, target: Target) -> Handler | None:
    """The handler of a custom resource; None where it is left to who serves unknown paths. Raises 400, 404, 405."""
    everywhere = target.kind.namespaced and not target.namespace
    if everywhere and request.method != "GET":
        return None
    if target.subresource and target.subresource not in target.kind.subresources:
        raise failures.not_found(target.kind.group, target.kind.plural, target.name)
    routes = {**_COLLECTION, **_OBJECT} if target.name else _COLLECTION
    if target.subresource or target.watch:
        routes = _routes(target)
    found = routes.get(request.method)
    if found is not None:
        return found[1]
    if request.method == "PATCH":
        patch.patch_type(target.kind, request)
    if not target.name and request.method in {"PUT", "PATCH"}:
        raise failures.bad_request("name must be provided")
    raise _not_supported(target.kind, _VERBS.get(request.method, ""))


def _not_supported(kind: Kind, verb: str) -> Failure:
    message = f'{verb} is not supported on resources of kind "{failures.qualified(kind.group, kind.plural)}"'
    return Failure(405, "MethodNotAllowed", message, details={"group": kind.group, "kind": kind.plural})
