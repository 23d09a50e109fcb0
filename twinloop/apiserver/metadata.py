"""ObjectMeta: what the server fills in, what it checks, and what an update may not change.

`verbs/create.py` and `verbs/update.py` call this for objects of every kind, before and after the kind's own strategy.
The rules and their wording are those of apiserver's registry/rest and apimachinery's api/validation.
"""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterable
from typing import Any, Protocol

from twinloop.apiserver import failures, names
from twinloop.apiserver.clock import timestamp
from twinloop.apiserver.fielderrors import FieldError, forbidden, invalid, required
from twinloop.apiserver.names import dns_1035_label, dns_label, dns_subdomain

__all__ = ["dns_1035_label", "dns_label", "dns_subdomain"]

Object = dict[str, Any]


class NameCheck(Protocol):
    """`Strategy.validate_name`."""

    def __call__(self, name: str, *, prefix: bool) -> list[str]: ...


ORPHAN, FOREGROUND = "orphan", "foregroundDeletion"

# No vowels and no digit that looks like a letter, so that no word can come out (apimachinery's util/rand).
_SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_SUFFIX_LENGTH = 5
_LONGEST_GENERATED = 63
_ANNOTATIONS_LIMIT = 256 * 1024
_SYSTEM_FIELDS = ("creationTimestamp", "uid", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink")
_IMMUTABLE = ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds")
_EMPTY_IS_ABSENT = ("labels", "annotations", "finalizers", "ownerReferences", "managedFields")


# ------------------------------------------------------------------ what the server fills in


def wipe_system_fields(metadata: Object) -> None:
    """Take out of a new object what only the server may set."""
    for name in _SYSTEM_FIELDS:
        metadata.pop(name, None)


def fill_system_fields(metadata: Object, now: float, rng: random.Random) -> None:
    """Give a new object its birth time and its uid."""
    metadata["creationTimestamp"] = timestamp(now)
    metadata["uid"] = str(uuid.UUID(int=rng.getrandbits(128), version=4))


def generate_name(metadata: Object, rng: random.Random) -> None:
    """Make a name of generateName where there is none."""
    prefix = metadata.get("generateName", "")
    if prefix and not metadata.get("name"):
        suffix = "".join(rng.choices(_SUFFIX_LETTERS, k=_SUFFIX_LENGTH))
        metadata["name"] = prefix[: _LONGEST_GENERATED - _SUFFIX_LENGTH] + suffix


def drop_empty(metadata: Object) -> None:
    """Leave out what a Go struct leaves out when it is empty."""
    for name in _EMPTY_IS_ABSENT:
        if name in metadata and not metadata[name]:
            del metadata[name]
    for name in ("generateName", "namespace", "selfLink", "resourceVersion", "uid"):
        if metadata.get(name) in {"", None}:
            metadata.pop(name, None)


def match_namespace(metadata: Object, namespace: str) -> None:
    """Put the request's namespace into the object; raises 400 when the object names another."""
    found = metadata.get("namespace") or ""
    if found and namespace and found != namespace:
        raise failures.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    if namespace:
        metadata["namespace"] = namespace
    else:
        metadata.pop("namespace", None)


def carry_generation(metadata: Object, old: Object) -> None:
    """No client sets the generation; the kind's strategy raises it."""
    if "generation" in old:
        metadata["generation"] = old["generation"]
    else:
        metadata.pop("generation", None)


def any_name(name: str, *, prefix: bool) -> list[str]:
    """A check that any name passes which can stand in a URL."""
    return names.any_segment(name, prefix=prefix)


def keep_immutable(metadata: Object, old: Object) -> None:
    """Carry over what an update cannot set: identity, birth and deletion."""
    if not metadata.get("uid"):
        metadata["uid"] = old.get("uid", "")
    metadata.pop("selfLink", None)
    for name in ("creationTimestamp", "deletionTimestamp"):
        if old.get(name):
            metadata[name] = old[name]
    if old.get("deletionGracePeriodSeconds") is not None and metadata.get("deletionGracePeriodSeconds") is None:
        metadata["deletionGracePeriodSeconds"] = old["deletionGracePeriodSeconds"]


def dedup_owner_references(metadata: Object) -> list[str]:
    """Drop owner references that stand there twice; returns the warning about them, if any."""
    references = metadata.get("ownerReferences") or []
    kept: list[Any] = []
    for reference in references:
        if reference not in kept:
            kept.append(reference)
    if len(kept) == len(references):
        return []
    again = list(references)
    for reference in kept:
        again.remove(reference)
    metadata["ownerReferences"] = kept
    uids = ", ".join(str(each.get("uid", "")) for each in again)
    return [_DUPLICATE_OWNERS.format(uids)]


_DUPLICATE_OWNERS = (
    ".metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may "
    "reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: {}"
)


# ------------------------------------------------------------------ what it checks


def validate(metadata: Object, *, namespaced: bool, check: NameCheck, core: bool = True) -> list[FieldError]:
    """What is wrong with an object's metadata by itself; `check` is the kind's rule about names.

    `core`: finalizers without a slash must be Kubernetes' own, as the built-in kinds ask.
    """
    return [
        *_name_errors(metadata, check),
        *_namespace_errors(metadata.get("namespace") or "", namespaced=namespaced),
        *_label_errors(metadata.get("labels") or {}),
        *_annotation_errors(metadata.get("annotations") or {}),
        *_owner_errors(metadata.get("ownerReferences") or []),
        *_finalizer_errors(metadata.get("finalizers") or []),
        *(_core_finalizer_errors(metadata.get("finalizers") or []) if core else ()),
        *_managed_fields_errors(metadata.get("managedFields") or []),
    ]


def validate_update(metadata: Object, old: Object) -> list[FieldError]:
    """What a change of metadata may not do."""
    found: list[FieldError] = []
    if old.get("deletionTimestamp"):
        found += _no_new_finalizers(metadata.get("finalizers") or [], old.get("finalizers") or [])
    for name in _IMMUTABLE:
        if metadata.get(name) != old.get(name):
            found.append(invalid(f"metadata.{name}", _go_value(name, metadata.get(name)), "field is immutable"))
    found += _label_errors(metadata.get("labels") or {})
    found += _annotation_errors(metadata.get("annotations") or {})
    found += _owner_errors(metadata.get("ownerReferences") or [])
    return found


def _go_value(name: str, value: Any) -> Any:
    """An absent string is the empty one in Go."""
    return "" if value is None and name in {"name", "namespace", "uid"} else value


def _name_errors(metadata: Object, check: NameCheck) -> Iterable[FieldError]:
    name, prefix = metadata.get("name") or "", metadata.get("generateName") or ""
    if prefix:
        for message in check(prefix, prefix=True):
            yield invalid("metadata.generateName", prefix, message)
    if not name:
        yield required("metadata.name", "name or generateName is required")
        return
    for message in check(name, prefix=False) or names.any_segment(name):
        yield invalid("metadata.name", name, message)


def _namespace_errors(namespace: str, *, namespaced: bool) -> Iterable[FieldError]:
    if namespaced and not namespace:
        yield required("metadata.namespace")
    elif namespaced:
        for message in names.dns_label(namespace):
            yield invalid("metadata.namespace", namespace, message)
    elif namespace:
        yield forbidden("metadata.namespace", "not allowed on this type")


def _label_errors(labels: dict[str, str], path: str = "metadata.labels") -> Iterable[FieldError]:
    for key, value in labels.items():
        for message in names.qualified_name(key):
            yield invalid(path, key, message)
        for message in names.label_value(value):
            yield invalid(path, value, message)


def _annotation_errors(annotations: dict[str, str], path: str = "metadata.annotations") -> Iterable[FieldError]:
    for key in annotations:
        for message in names.qualified_name(key.lower()):
            yield invalid(path, key, message)
    size = sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items())
    if size > _ANNOTATIONS_LIMIT:
        yield FieldError("FieldValueTooLong", path, f"Too long: may not be more than {_ANNOTATIONS_LIMIT} bytes")


def _owner_errors(references: list[Object], path: str = "metadata.ownerReferences") -> Iterable[FieldError]:
    controllers = []
    for reference in references:
        yield from _one_owner_errors(reference, path)
        if reference.get("controller") is True:
            controllers.append(f"{reference.get('kind', '')}/{reference.get('name', '')}")
    for other in controllers[1:]:
        detail = (
            "Only one reference can have Controller set to true. "
            f'Found "true" in references for {controllers[0]} and {other}'
        )
        shown = json.dumps([_as_struct(each) for each in references], separators=(",", ":"))
        yield FieldError("FieldValueInvalid", path, f"Invalid value: {shown}: {detail}")


def _as_struct(reference: Object) -> Object:
    """An owner reference with its fields in the order of Go's struct, as messages show it."""
    order = ("apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion")
    return {name: reference[name] for name in order if name in reference}


def _one_owner_errors(reference: Object, path: str) -> Iterable[FieldError]:
    api_version, kind = reference.get("apiVersion") or "", reference.get("kind") or ""
    if not api_version.rpartition("/")[2]:
        yield invalid(f"{path}.apiVersion", api_version, "version must not be empty")
    for name in ("kind", "name", "uid"):
        if not reference.get(name):
            yield invalid(f"{path}.{name}", "", "must not be empty")
    if (api_version, kind) == ("v1", "Event"):
        yield invalid(path, reference, "/v1, Kind=Event is disallowed from being an owner")


def _finalizer_errors(finalizers: list[str], path: str = "metadata.finalizers") -> Iterable[FieldError]:
    for finalizer in finalizers:
        for message in names.qualified_name(finalizer):
            yield invalid(path, finalizer, message)
    if ORPHAN in finalizers and FOREGROUND in finalizers:
        yield invalid(path, finalizers, f"finalizer {ORPHAN} and {FOREGROUND} cannot be both set")


def _core_finalizer_errors(finalizers: list[str], path: str = "metadata.finalizers") -> Iterable[FieldError]:
    for index, finalizer in enumerate(finalizers):
        if "/" not in finalizer and finalizer not in {ORPHAN, FOREGROUND, "kubernetes"}:
            detail = "name is neither a standard finalizer name nor is it fully qualified"
            yield invalid(f"{path}[{index}]", finalizer, detail)


def _managed_fields_errors(entries: list[Object], path: str = "metadata.managedFields") -> Iterable[FieldError]:
    for index, entry in enumerate(entries):
        if entry.get("operation") not in {"Apply", "Update"}:
            yield invalid(f"{path}[{index}].operation", entry.get("operation", ""), "must be `Apply` or `Update`")
        if entry.get("fieldsType") not in {None, "", "FieldsV1"}:
            yield invalid(f"{path}[{index}].fieldsType", entry["fieldsType"], "must be `FieldsV1`")


def _no_new_finalizers(finalizers: list[str], old: list[str]) -> Iterable[FieldError]:
    extra = sorted(set(finalizers) - set(old))
    if extra:
        listed = ", ".join(json.dumps(each) for each in extra)
        yield forbidden(
            "metadata.finalizers",
            f"no new finalizers can be added if the object is being deleted, found new finalizers []string{{{listed}}}",
        )
