"""From a request and the resource that it names to a verb and its answer.

`server.py` has found the `Target`; here the method picks the verb, the options are read and checked in the order in which
apiserver's handlers do it (the form of the answer, the body's type, the options, the body), and the verb's result is
rendered.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twinloop.apiserver import body, failures, media, render
from twinloop.apiserver.answer import Answer, WatchAnswer
from twinloop.apiserver.failures import Failure
from twinloop.apiserver.options import (
    DeleteOptions,
    ListOptions,
    delete_options,
    flag,
    list_options,
    manager_of,
    write_options,
)
from twinloop.apiserver.request import Request, Target
from twinloop.apiserver.verbs import collection, create, delete, patch, read, subresources, update, watch
from twinloop.apiserver.verbs.call import Call, Host

Object = dict[str, Any]
Verb = Callable[[Call, Request], Answer | WatchAnswer]


def dispatch(host: Host, request: Request, target: Target) -> Answer | WatchAnswer:
    """Run the verb that a request means."""
    call = Call(
        host, target.kind, target.namespace, target.name, target.subresource, user=request.user, watch_path=target.watch
    )
    verb = _verb(request, target)
    try:
        answer = verb(call, request)
    except Failure as failure:
        answer = render.failed(failure, media.of_failure(request))
    answer.warnings += dict.fromkeys(call.warnings)
    return answer


def _verb(request: Request, target: Target) -> Verb:
    """The verb of a method on this path; raises 405."""
    if target.subresource:
        found = subresources.verb(target, request.method)
    elif target.watch or (not target.name and request.method == "GET"):
        found = ("list", _list) if request.method == "GET" else None
    elif target.name:
        found = _ON_OBJECTS.get(request.method)
    elif target.kind.namespaced and not target.namespace:
        found = None
    else:
        found = _ON_COLLECTIONS.get(request.method)
    if found is None or found[0] not in target.kind.verbs:
        raise failures.method_not_allowed()
    return found[1]


def _list(call: Call, request: Request) -> Answer | WatchAnswer:
    options = list_options(request, forced=call.watch_path)
    form = media.negotiate(request, watch=options.watch)
    if options.watch:
        return _watch(call, options, form)
    return render.many(call.kind, read.list_page(call, options), form, call.now)


def _watch(call: Call, options: ListOptions, form: media.Form) -> WatchAnswer:
    if "watch" not in call.kind.verbs:
        raise failures.method_not_allowed()
    return WatchAnswer(watch.open_watch(call, options, render.in_watch(call.kind, form, call.now)))


def _get(call: Call, request: Request) -> Answer:
    form = media.negotiate(request)
    record = read.get(call, request.first("resourceVersion"))
    return render.one(call.kind, record, form, call.now)


def _create(call: Call, request: Request) -> Answer:
    form, media_type = media.negotiate(request), media.body_type(request)
    body.check_size(request.body)
    _read_write_options(call, request, "CreateOptions")
    obj = body.decode(call, request.body, media_type)
    record = create.store(call, obj)
    return render.one(call.kind, record, form, call.now, call.kind.strategy.create_status)


def _update(call: Call, request: Request) -> Answer:
    form = media.negotiate(request)
    body.check_size(request.body)
    _read_write_options(call, request, "UpdateOptions")
    obj = body.decode(call, request.body, media.body_type(request))
    check_name(call, obj)
    written = update.put(call, obj)
    return render.one(call.kind, written.record, form, call.now, 201 if written.created else 200)


def _patch(call: Call, request: Request) -> Answer:
    content_type = patch.patch_type(call.kind, request)
    form = media.negotiate(request)
    body.check_size(request.body)
    options = write_options(request, "PatchOptions", apply=content_type == patch.APPLY)
    _use(call, request, options)
    written = patch.patch(call, content_type, request.body, options)
    return render.one(call.kind, written.record, form, call.now, 201 if written.created else 200)


def _delete(call: Call, request: Request) -> Answer:
    form = media.negotiate(request)
    options = _delete_options(call, request)
    deleted = delete.delete(call, options)
    code = 202 if not deleted.gone and options.orphan is False else 200
    if deleted.gone and not call.kind.strategy.returns_deleted:
        return render.value(delete.status(call, deleted.record), form, code)
    return render.one(call.kind, deleted.record, form, call.now, code)


def _delete_collection(call: Call, request: Request) -> Answer:
    form = media.negotiate(request)
    listed = list_options(request)
    options = _delete_options(call, request)
    return render.many(call.kind, collection.delete_all(call, listed, options), form, call.now)


def _delete_options(call: Call, request: Request) -> DeleteOptions:
    body.check_size(request.body)
    found = body.decode_delete_options(request) if request.body else None
    options = delete_options(request, found)
    call.dry_run = bool(options.dry_run)
    return options


def _read_write_options(call: Call, request: Request, kind: str) -> None:
    _use(call, request, write_options(request, kind))


def _use(call: Call, request: Request, options: Any) -> None:
    call.dry_run, call.field_validation = options.dry_run, options.field_validation
    call.manager = manager_of(options, request.user_agent)


def check_name(call: Call, obj: Object) -> None:
    """The object of a PUT must be the one that the path names. Raises 400."""
    meta = obj.get("metadata") or {}
    namespace, name = meta.get("namespace") or "", meta.get("name") or ""
    if call.kind.namespaced and namespace and namespace != call.namespace:
        why = "the namespace of the provided object does not match the namespace sent on the request"
        raise failures.bad_request(why)
    if not name:
        why = f"the name of the object ({call.name} based on URL) was undeterminable: name must be provided"
        raise failures.bad_request(why)
    if name != call.name:
        raise failures.bad_request(
            f"the name of the object ({name}) does not match the name on the URL ({call.name})"
        )


_ON_OBJECTS: dict[str, tuple[str, Verb]] = {
    "GET": ("get", _get),
    "PUT": ("update", _update),
    "PATCH": ("patch", _patch),
    "DELETE": ("delete", _delete),
}
_ON_COLLECTIONS: dict[str, tuple[str, Verb]] = {
    "POST": ("create", _create),
    "DELETE": ("deletecollection", _delete_collection),
}
ON_STATUS: dict[str, tuple[str, Verb]] = {method: verb for method, verb in _ON_OBJECTS.items() if method != "DELETE"}
