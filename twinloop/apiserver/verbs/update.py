"""PUT and what PATCH comes down to: the next state of an object, checked against the present one.

`put` takes the client's object, `patch.py` computes one; both end in `write`, which runs the steps of the generic
registry's Update and rest.BeforeUpdate. An update that takes the last finalizer from an object that is being deleted
removes it; one that changes nothing writes nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from twinloop.apiserver import failures, metadata
from twinloop.apiserver.failures import Failure
from twinloop.apiserver.fielderrors import invalid
from twinloop.apiserver.history import Record
from twinloop.apiserver.patches import managed_fields
from twinloop.apiserver.verbs import create
from twinloop.apiserver.verbs.call import Call

Object = dict[str, Any]
# From the present state, None where there is none, to the wanted one. It may not change what it is given.
Change = Callable[[Object | None], Object]


@dataclass(frozen=True, slots=True)
class Written:
    """What a write came to; `created` tells 201 from 200."""

    record: Record
    created: bool = False


def put(call: Call, obj: Object) -> Written:
    """Replace an object by another."""
    meta = obj.setdefault("metadata", {})
    check_name(call, obj)
    call.warnings += metadata.dedup_owner_references(meta)
    uid = meta.get("uid") or ""

    def change(old: Object | None) -> Object:
        if uid and old is not None and uid != old["metadata"].get("uid"):
            raise call.conflict(_uid_mismatch(call, uid, old["metadata"].get("uid", "")))
        create.track(call, obj, old)
        return obj

    return write(call, change)


def _uid_mismatch(call: Call, wanted: str, found: str) -> str:
    """The storage's words, key in etcd included."""
    group = call.kind.group if call.kind.custom or call.kind.group == "apiextensions.k8s.io" else ""
    key = "/".join(filter(None, ("/registry", group, call.kind.plural, call.namespace, call.name)))
    return (
        f"StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: "
        f"Precondition failed: UID in precondition: {wanted}, UID in object meta: {found}"
    )


def check_name(call: Call, obj: Object) -> None:
    """The object must be the one that the path names. Raises 400."""
    meta = obj.get("metadata") or {}
    namespace, name = meta.get("namespace") or "", meta.get("name") or ""
    if call.kind.namespaced and namespace and namespace != call.namespace:
        why = "the namespace of the provided object does not match the namespace sent on the request"
        raise failures.bad_request(why)
    if not name:
        why = f"the name of the object ({call.name} based on URL) was undeterminable: name must be provided"
        raise failures.bad_request(why)
    if name != call.name:
        raise failures.bad_request(f"the name of the object ({name}) does not match the name on the URL ({call.name})")


def write(call: Call, change: Change, *, may_create: bool = False) -> Written:
    """Store what `change` makes of the present state; `may_create` is for server-side apply."""
    record = call.storage.get(call.resource, call.namespace, call.name)
    if record is None:
        return _create(call, change, allowed=may_create or call.kind.strategy.allow_create_on_update)
    old = call.load(record)
    obj = change(old)
    call.admit("mutating", "UPDATE", obj, old)
    call.warnings += metadata.dedup_owner_references(obj["metadata"])
    _check_version(call, obj, old)
    prepare(call, obj, old)
    managed_fields.keep_times(obj, old)
    call.admit("validating", "UPDATE", obj, old)
    return Written(_commit(call, record, obj, old))


def _create(call: Call, change: Change, *, allowed: bool) -> Written:
    if not allowed:
        raise call.not_found()
    obj = change(None)
    meta = obj["metadata"]
    if meta.get("uid"):
        why = f"uid mismatch: the provided object specified uid {meta['uid']}, and no existing object was found"
        raise call.conflict(why)
    meta.pop("resourceVersion", None)
    metadata.match_namespace(obj["metadata"], call.namespace if call.kind.namespaced else "")
    call.admit("mutating", "CREATE", obj, None)
    return Written(create.insert(call, obj), created=True)


def _check_version(call: Call, obj: Object, old: Object) -> None:
    """Optimistic locking: the version that the client has seen must be the present one."""
    meta = obj["metadata"]
    seen, present = meta.get("resourceVersion") or "", old["metadata"]["resourceVersion"]
    if not re.fullmatch("[0-9]*", seen):
        raise Failure(500, "", f"strconv.ParseUint: parsing {json.dumps(seen)}: invalid syntax")
    if seen in {"", "0"}:
        if not call.kind.strategy.allow_unconditional_update:
            error = invalid("metadata.resourceVersion", 0, "must be specified for an update")
            raise failures.invalid(call.kind.group, call.kind.plural, call.name, [error])
        meta["resourceVersion"] = present
    elif seen != present:
        raise call.conflict()


def prepare(call: Call, obj: Object, old: Object) -> None:
    """What rest.BeforeUpdate does: put back what may not change, validate, warn."""
    strategy, meta, before = call.kind.strategy, obj["metadata"], old["metadata"]
    metadata.match_namespace(meta, call.namespace if call.kind.namespaced else "")
    metadata.carry_generation(meta, before)
    strategy.prepare_update(obj, old, call.subresource)
    metadata.keep_immutable(meta, before)
    meta.pop("selfLink", None)
    metadata.drop_empty(meta)
    if call.kind.custom:
        create.check_type(call, obj)
    core = strategy.bare_finalizers_are_standard
    errors = metadata.validate(meta, namespaced=call.kind.namespaced, check=metadata.any_name, core=core)
    # The real server checks an update's metadata twice, and its list of causes says all of it twice.
    for _ in range(2):
        errors += metadata.validate_update(meta, before)
    if strategy.checks_metadata_again and not call.subresource:
        check = strategy.validate_name
        errors += metadata.validate(meta, namespaced=call.kind.namespaced, check=check, core=core)
    errors += strategy.validate_update(obj, old, call.subresource)
    if errors:
        raise failures.invalid(call.kind.storage[0], call.kind.kind, meta.get("name", ""), errors)
    call.warnings += strategy.warnings(obj, old)


def _commit(call: Call, record: Record, obj: Object, old: Object) -> Record:
    if _is_released(call, obj, old):
        if not call.dry_run:
            call.storage.delete(call.resource, record)
        return call.record_of(obj, record.revision)
    if call.dry_run:
        return call.record_of(obj, record.revision)
    if obj == old:
        return record
    stored, fields = call.to_stored(obj)
    return call.storage.update(call.resource, record, stored, fields)


def _is_released(call: Call, obj: Object, old: Object) -> bool:
    """Whether this write took the last finalizer from an object whose deletion waited for nothing else."""
    before = old["metadata"]
    if obj["metadata"].get("finalizers") or not before.get("deletionTimestamp") or call.kind.strategy.is_held(obj):
        return False
    return not before.get("deletionGracePeriodSeconds")
