"""The scale subresource: how many replicas an object wants and has, as a Scale of autoscaling/v1.

`dispatch.py` finds the functions below among the effects of subresources. A kind's strategy says where its numbers are;
a changed Scale is written back into the object by an ordinary update, so that all checks apply. Who owns the replicas
is told both ways by `patches/scale_fields.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from twinloop.apiserver import body, codec, failures, handlers, media, render
from twinloop.apiserver.answer import Answer
from twinloop.apiserver.builtin import documents
from twinloop.apiserver.failures import Failure
from twinloop.apiserver.fielderrors import FieldError, invalid
from twinloop.apiserver.kinds import Kind
from twinloop.apiserver.options import WriteOptions, write_options
from twinloop.apiserver.patches import apply, managed_fields, scale_fields
from twinloop.apiserver.patches.typed import Typed
from twinloop.apiserver.request import Request
from twinloop.apiserver.strategy import ScalePaths, Strategy
from twinloop.apiserver.verbs import patch, update
from twinloop.apiserver.verbs.call import Call
from twinloop.apiserver.verbs.subresources import EFFECTS

Object = dict[str, Any]

_SHOWN = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


class _ScaleStrategy(Strategy):
    """A Scale as a body: it is merged and decoded like a built-in kind."""

    def merges_strategically(self) -> bool:
        """It does."""
        return True

    def typed(self) -> Typed:
        """The schema that Kubernetes publishes."""
        return documents.typed(SCALE.group, SCALE.kind)

    def decode(self, obj: Object) -> list[str]:
        """Refuse what does not fit a Go struct; raises 400."""
        for name, go_name in (("metadata", "ObjectMeta"), ("spec", "ScaleSpec")):
            if not isinstance(obj.setdefault(name, {}) or {}, dict):
                raise _misfit(obj[name], f"Scale.{name}", f"v1.{go_name}")
            obj[name] = obj[name] or {}
        replicas = obj["spec"].get("replicas") or 0
        if not isinstance(replicas, int) or isinstance(replicas, bool):
            raise _misfit(replicas, "ScaleSpec.spec.replicas", "int32")
        if not replicas:
            obj["spec"].pop("replicas", None)
        return []

    def validate(self, obj: Object) -> list[FieldError]:
        """No fewer than none."""
        replicas = _replicas(obj)
        return [invalid("spec.replicas", replicas, "must be greater than or equal to 0")] if replicas < 0 else []


def _misfit(value: Any, field: str, go_name: str) -> Failure:
    why = f"json: cannot unmarshal {codec.go_type(value)} into Go struct field {field} of type {go_name}"
    return failures.bad_request(f'Scale in version "v1" cannot be handled as a Scale: {why}')


SCALE = Kind("autoscaling", "v1", "Scale", "scales", _ScaleStrategy())


def scale_of(obj: Object, paths: ScalePaths) -> Object:
    """The Scale that shows an object."""
    status: Object = {"replicas": _at(obj, paths.status) or 0}
    selector = _selector(_at(obj, paths.selector) if paths.selector else None)
    if selector:
        status["selector"] = selector
    wanted = _at(obj, paths.replicas)
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {name: obj["metadata"][name] for name in _SHOWN if name in obj["metadata"]},
        "spec": {"replicas": wanted} if wanted else {},
        "status": status,
    }


def _at(obj: Object, path: tuple[str, ...]) -> Any:
    value: Any = obj
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _selector(value: Any) -> str:
    """A selector in text: custom resources have it so, workloads as a LabelSelector."""
    if isinstance(value, str):
        return value
    if not isinstance(value, Mapping):
        return ""
    terms = [f"{key}={each}" for key, each in sorted((value.get("matchLabels") or {}).items())]
    return ",".join([*terms, *map(_expression, value.get("matchExpressions") or [])])


def _expression(each: Mapping[str, Any]) -> str:
    key, values = each.get("key", ""), ",".join(sorted(each.get("values") or []))
    match each.get("operator"):
        case "In":
            return f"{key} in ({values})"
        case "NotIn":
            return f"{key} notin ({values})"
        case "Exists":
            return str(key)
    return f"!{key}"


def _paths(call: Call) -> ScalePaths:
    paths = call.kind.strategy.scale()
    if paths is None:
        raise call.not_found()
    return paths


def get(call: Call, request: Request) -> Answer:
    """GET .../scale."""
    form = media.negotiate(request)
    return render.value(scale_of(call.load(call.find()), _paths(call)), form)


def put(call: Call, request: Request) -> Answer:
    """PUT .../scale."""
    form = media.negotiate(request)
    handlers.use(call, request, write_options(request, "UpdateOptions"))
    sent = body.decode(_as_scale(call), request.body, media.body_type(request))
    update.check_name(call, sent)
    return _write(call, form, lambda shown: _tracked(call, sent, shown))


def change(call: Call, request: Request) -> Answer:
    """PATCH .../scale."""
    content_type = patch.patch_type(call.kind, request)
    form = media.negotiate(request)
    options = write_options(request, "PatchOptions", apply=content_type == patch.APPLY)
    handlers.use(call, request, options)
    if content_type == patch.APPLY:
        return _write(call, form, _applied(call, request, options))
    return _write(call, form, lambda shown: _tracked(call, _patched(call, content_type, request.body, shown), shown))


def _patched(call: Call, content_type: str, raw: bytes, shown: Object) -> Object:
    return patch.patched(_as_scale(call), content_type, raw, shown)


def _applied(call: Call, request: Request, options: WriteOptions) -> Callable[[Object], Object]:
    """What a server-side apply makes of a Scale."""
    applied = body.decode_applied(request.body).value
    by = apply.Applier(options.field_manager, SCALE.api_version, SCALE.kind, call.now, options.force, "scale")

    def merge(shown: Object) -> Object:
        scale = apply.apply(shown, applied, by, SCALE.strategy.typed())
        SCALE.strategy.decode(scale)
        return scale

    return merge


def _tracked(call: Call, scale: Object, shown: Object) -> Object:
    """The Scale that a client wants, with who owns its replicas then."""
    managed_fields.update(
        scale,
        shown,
        call.manager,
        api_version=SCALE.api_version,
        now=call.now,
        typed=SCALE.strategy.typed(),
        subresource="scale",
    )
    return scale


def _as_scale(call: Call) -> Call:
    return Call(
        call.host, SCALE, call.namespace, call.name, field_validation=call.field_validation, warnings=call.warnings
    )


def _write(call: Call, form: media.Form, wanted: Callable[[Object], Object]) -> Answer:
    """Store the replicas of the Scale that `wanted` makes of the present one."""
    paths = _paths(call)

    versions = _replica_paths(call)

    def next_state(old: Object | None) -> Object:
        if old is None:
            raise call.not_found()
        entries = old["metadata"].get("managedFields")
        scale = wanted(_with_owners(scale_of(old, paths), scale_fields.to_scale(entries, versions)))
        update.check_name(call, scale)
        if not call.kind.custom:  # a custom resource's own validation says it
            _check(scale)
        owners = scale_fields.to_object(
            entries, scale["metadata"].get("managedFields"), call.kind.api_version, versions
        )
        return _with_owners(_scaled(old, paths, scale), owners)

    written = update.write(call, next_state)
    return render.value(scale_of(call.load(written.record), paths), form)


def _check(scale: Object) -> None:
    errors = SCALE.strategy.validate(scale)
    if errors:
        raise failures.invalid(SCALE.group, SCALE.kind, scale["metadata"]["name"], errors)


def _scaled(old: Object, paths: ScalePaths, scale: Object) -> Object:
    """The object with the replicas of a Scale, held to the version that the Scale names."""
    obj: Object = codec.copy(old)
    _set(obj, paths.replicas, _replicas(scale))
    seen = scale["metadata"].get("resourceVersion")
    if seen:
        obj["metadata"]["resourceVersion"] = seen
    return obj


def _replicas(scale: Object) -> int:
    return int(scale["spec"].get("replicas") or 0)


def _set(obj: Object, path: tuple[str, ...], value: int) -> None:
    for key in path[:-1]:
        obj = obj.setdefault(key, {})
    obj[path[-1]] = value


def _with_owners(obj: Object, entries: list[Object]) -> Object:
    metadata = {name: value for name, value in obj["metadata"].items() if name != "managedFields"}
    return {**obj, "metadata": {**metadata, "managedFields": entries} if entries else metadata}


def _replica_paths(call: Call) -> scale_fields.Paths:
    """Where each served version of the kind has its replicas, as `scale_fields` wants to know it."""
    versions = [kind for kind in call.host.registry if kind.storage == call.kind.storage]
    scales = {kind.api_version: kind.strategy.scale() for kind in versions}
    return {version: paths.replicas if paths else None for version, paths in scales.items()}


def register() -> None:
    """Serve the scale subresource of all kinds that have one."""
    for method, effect in (("GET", get), ("PUT", put), ("PATCH", change)):
        EFFECTS["*", "*", "scale", method] = effect
