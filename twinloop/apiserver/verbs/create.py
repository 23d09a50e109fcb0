"""POST: a new object, from what the client sent to what is stored.

The server hands over a decoded object; `store` runs the steps of apiserver's create handler and rest.BeforeCreate.
Server-side apply and PUT on kinds that allow it come here too, through `update.py`.
"""

from __future__ import annotations

from typing import Any

from twinloop.apiserver import failures, metadata
from twinloop.apiserver.failures import Failure
from twinloop.apiserver.fielderrors import invalid
from twinloop.apiserver.history import Record
from twinloop.apiserver.patches import managed_fields
from twinloop.apiserver.verbs.call import Call

Object = dict[str, Any]

_NAME_ATTEMPTS = 8  # how often apiserver tries another generated name


def store(call: Call, obj: Object) -> Record:
    """Create an object; it is changed in place. Raises the failure that the client shall see."""
    meta = obj.setdefault("metadata", {})
    metadata.wipe_system_fields(meta)
    metadata.match_namespace(meta, call.namespace if call.kind.namespaced else "")
    call.warnings += metadata.dedup_owner_references(meta)
    track(call, obj, None)
    call.admit("mutating", "CREATE", obj, None)
    return insert(call, obj)


def answered(call: Call, obj: Object) -> Object:
    """A question with its answer, such as a SelfSubjectAccessReview: checked as any new object and not stored."""
    obj.setdefault("metadata", {})
    track(call, obj, None)
    strategy = call.kind.strategy
    errors = strategy.validate(obj)
    if errors:
        raise failures.invalid(call.kind.group, "", "", errors)
    strategy.prepare_create(obj, call.now)
    return obj


def insert(call: Call, obj: Object) -> Record:
    """The part that follows mutating admission: fill in, check, store."""
    meta = obj["metadata"]
    metadata.fill_system_fields(meta, call.now, call.host.rng)
    _generate_name(call, meta)
    prepare(call, obj)
    call.admit("validating", "CREATE", obj, None)
    call.name = meta["name"]
    if meta.get("resourceVersion"):
        raise Failure(500, "", "resourceVersion should not be set on objects to be created")
    return _commit(call, obj)


def prepare(call: Call, obj: Object) -> None:
    """What rest.BeforeCreate does: reset, validate, warn."""
    strategy = call.kind.strategy
    strategy.prepare_create(obj, call.now)
    meta = obj["metadata"]
    metadata.drop_empty(meta)
    if call.kind.custom:
        check_type(call, obj)
    core = strategy.bare_finalizers_are_standard
    errors = strategy.validate(obj)
    if not (errors and strategy.metadata_is_checked_last):
        check = strategy.validate_name
        errors = [*metadata.validate(meta, namespaced=call.kind.namespaced, check=check, core=core), *errors]
    if errors:
        raise failures.invalid(call.kind.storage[0], call.kind.kind, meta.get("name", ""), errors)
    call.warnings += strategy.warnings(obj, None)


def check_type(call: Call, obj: Object) -> None:
    """A custom resource's kind and version are checked as late as its schema. Raises 422."""
    kind, found = call.kind, []
    if obj["kind"] != kind.kind:
        found.append(invalid("kind", obj["kind"], f"must be {kind.kind}"))
    if obj["apiVersion"] != kind.api_version:
        found.append(invalid("apiVersion", obj["apiVersion"], f"must be {kind.api_version}"))
    if found:
        group = obj["apiVersion"].rpartition("/")[0]
        raise failures.invalid(group, obj["kind"], obj["metadata"].get("name", ""), found)


def track(call: Call, obj: Object, old: Object | None) -> None:
    """Note in managedFields who changed what."""
    managed_fields.update(
        obj,
        old,
        call.manager,
        subresource=call.subresource,
        api_version=call.kind.api_version,
        now=call.now,
        typed=call.kind.strategy.typed(),
        reset=call.kind.strategy.reset_fields(call.subresource),
    )


def _generate_name(call: Call, meta: Object) -> None:
    if meta.get("name") or not meta.get("generateName"):
        return
    for _ in range(_NAME_ATTEMPTS):
        meta.pop("name", None)
        metadata.generate_name(meta, call.host.rng)
        if call.storage.get(call.resource, meta.get("namespace", ""), meta["name"]) is None:
            return


def _commit(call: Call, obj: Object) -> Record:
    meta = obj["metadata"]
    present = call.storage.get(call.resource, meta.get("namespace", ""), meta["name"])
    if present is not None:
        refuse = failures.being_deleted if present.deleting else failures.already_exists
        raise refuse(call.kind.group, call.kind.plural, meta["name"])
    if call.dry_run:
        return call.record_of(obj)
    stored, fields = call.to_stored(obj)
    return call.storage.create(call.resource, stored, fields)
