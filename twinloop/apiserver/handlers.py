"""What each verb does with a request: read its options and body, run the verb, render the result.

`dispatch.py` has picked the verb. Checks come in the order in which apiserver's handlers make them: the form of the
answer, the type and size of the body, the options, the body; so that a request with two faults is told the same one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twinloop.apiserver import body, failures, media, render
from twinloop.apiserver.answer import Answer, WatchAnswer
from twinloop.apiserver.options import (
    DeleteOptions,
    ListOptions,
    WriteOptions,
    delete_options,
    list_options,
    manager_of,
    write_options,
)
from twinloop.apiserver.request import Request
from twinloop.apiserver.verbs import collection, create, delete, patch, read, update, watch
from twinloop.apiserver.verbs.call import Call

Object = dict[str, Any]
Handler = Callable[[Call, Request], Answer | WatchAnswer]


def get(call: Call, request: Request) -> Answer:
    """GET of one object."""
    form = media.negotiate(request, custom=call.kind.custom)
    record = read.get(call, request.first("resourceVersion"))
    media.check_single(call.kind, form)
    return render.one(call.kind, record, form, call.now)


def list_or_watch(call: Call, request: Request) -> Answer | WatchAnswer:
    """GET of a collection."""
    options = list_options(request, forced=call.watch_path)
    form = media.negotiate(request, watch=options.watch, listing=True, custom=call.kind.custom)
    if options.watch:
        return _watch(call, options, form)
    page = read.list_page(call, options)
    media.check_list(call.kind, form)
    media.check_included(form)
    return render.many(call.kind, page, form, call.now)


def _watch(call: Call, options: ListOptions, form: media.Form) -> WatchAnswer:
    if "watch" not in call.kind.verbs:
        raise failures.method_not_allowed()
    return WatchAnswer(watch.open_watch(call, options, render.in_watch(call.kind, form, call.now)))


def post(call: Call, request: Request) -> Answer:
    """POST to a collection."""
    form, media_type = media.negotiate(request, custom=call.kind.custom), media.body_type(request)
    use(call, request, write_options(request, "CreateOptions"))
    obj = body.decode(call, request.body, media_type)
    if not call.kind.strategy.stored:
        return render.value(create.answered(call, obj), form, 201)
    record = create.store(call, obj)
    return render.one(call.kind, record, form, call.now, call.kind.strategy.create_status)


def put(call: Call, request: Request) -> Answer:
    """PUT of one object, or of its status."""
    form = media.negotiate(request, custom=call.kind.custom)
    use(call, request, write_options(request, "UpdateOptions"))
    obj = body.decode(call, request.body, media.body_type(request))
    return _answer_written(call, update.put(call, obj), form)


def change(call: Call, request: Request) -> Answer:
    """PATCH of one object, or of its status."""
    content_type = patch.patch_type(call.kind, request)
    form = media.negotiate(request, custom=call.kind.custom)
    options = write_options(request, "PatchOptions", apply=content_type == patch.APPLY)
    use(call, request, options)
    return _answer_written(call, patch.patch(call, content_type, request.body, options), form)


def _answer_written(call: Call, written: update.Written, form: media.Form) -> Answer:
    return render.one(call.kind, written.record, form, call.now, 201 if written.created else 200)


def remove(call: Call, request: Request) -> Answer:
    """DELETE of one object."""
    form = media.negotiate(request, custom=call.kind.custom)
    options = _delete_options(call, request)
    deleted = delete.delete(call, options)
    code = 202 if not deleted.gone and options.orphan is False else 200
    if deleted.gone and not call.kind.strategy.returns_deleted:
        return render.value(delete.status(call, deleted.record), form, code)
    return render.one(call.kind, deleted.record, form, call.now, code)


def remove_all(call: Call, request: Request) -> Answer:
    """DELETE of a collection."""
    form = media.negotiate(request, listing=True, custom=call.kind.custom)
    listed = list_options(request)
    options = _delete_options(call, request)
    return render.many(call.kind, collection.delete_all(call, listed, options), form, call.now)


def _delete_options(call: Call, request: Request) -> DeleteOptions:
    options = delete_options(request, body.decode_delete_options(request) if request.body else None)
    call.dry_run = bool(options.dry_run)
    return options


def use(call: Call, request: Request, options: WriteOptions) -> None:
    """Take over what the options of a write say about the whole request."""
    call.dry_run, call.field_validation = options.dry_run, options.field_validation
    call.manager = manager_of(options, request.user_agent)
