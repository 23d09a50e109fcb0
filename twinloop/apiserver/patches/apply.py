"""Server-side apply: what a client wants an object to say, merged into what it says, with an owner for each field.

`verbs/patch.py` calls `apply` for application/apply-patch+yaml, whether or not the object exists; the result still has
to be defaulted, checked and stored like any update, and gets back its old times in `managed_fields.keep_times` when it
came to nothing. The steps are those of structured-merge-diff's Updater.Apply and apimachinery's managedfields: merge,
take out what this applier no longer applies, see whose fields that touches, and refuse or take them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from twinloop.apiserver import failures, gofmt
from twinloop.apiserver.clock import timestamp
from twinloop.apiserver.failures import Failure
from twinloop.apiserver.patches import conformity, fieldset, managed_fields, managers, merging, removing
from twinloop.apiserver.patches.compare import compare, field_set, same
from twinloop.apiserver.patches.conflicts import Conflicts
from twinloop.apiserver.patches.fieldset import EMPTY, Fields
from twinloop.apiserver.patches.managers import Manager, Managers, Owned
from twinloop.apiserver.patches.reshaping import reshaped
from twinloop.apiserver.patches.typed import DEDUCED, Typed

Object = dict[str, Any]

# The annotation by which kubectl's client-side apply remembers what it applied.
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_KUBECTL = "kubectl"
# Bytes that all annotations of an object may have together.
_MOST_ANNOTATIONS = 256 * 1024
# Owner of what an object had when nobody kept books on it.
_BEFORE = "before-first-apply"


@dataclass(frozen=True, slots=True)
class Applier:
    """Who applies, in which version's terms and through which subresource; `now` in seconds.

    `reset` is what a write through this subresource cannot set, as in `managed_fields.update`.
    """

    manager: str
    api_version: str
    kind: str
    now: float
    force: bool = False
    subresource: str = ""
    reset: Fields | None = None

    @property
    def identity(self) -> Manager:
        """Whose entry it is."""
        return managers.applier(self.manager, self.subresource)

    @property
    def cannot_set(self) -> Fields:
        """`reset`, or what is usual."""
        return managed_fields.reset_fields(self.subresource) if self.reset is None else self.reset


def apply(live: Object | None, applied: Object, by: Applier, typed: Typed | None = None) -> Object:
    """The object as it is after `applied`, with its managedFields; neither argument is changed.

    `live` is None where there is no object yet. Raises `Failure`: 400 for a configuration of another version or with
    managedFields, 409 for conflicts without `force`, 500 (as kube-apiserver does) for one that does not fit the schema.
    """
    view = typed or DEDUCED
    _check(applied, by)
    present: Object = live or {"apiVersion": by.api_version, "kind": by.kind, "metadata": {}}
    conformity.check(applied, view, f"failed to create typed patch object ({_told(applied, by)})")
    conformity.check(present, view, f"failed to create typed live object ({_told(present, by)})", duplicates=True)
    before = reshaped(managers.read(present["metadata"].get("managedFields")), view) or _unkept(live, view, by)
    attempt = _Attempt(managed_fields.bare(present), applied, before, by, view)
    try:
        result = attempt.run(force=by.force)
    except Conflicts as conflicts:
        result = _kubectl_again(attempt, conflicts)
    _renew_last_applied(result, applied, by)
    return result


def _check(applied: Object, by: Applier) -> None:
    if (applied.get("apiVersion"), applied.get("kind")) != (by.api_version, by.kind):
        raise failures.bad_request(
            f"invalid object type: {_gvk(_text(applied.get('apiVersion')), _text(applied.get('kind')))}"
        )
    if _metadata(applied).get("managedFields") is not None:
        raise failures.bad_request("metadata.managedFields must be nil")


def _text(value: Any) -> str:
    """What Go's unstructured objects take for a string field: anything else is an empty one."""
    return value if isinstance(value, str) else ""


def _metadata(obj: Object) -> Object:
    found = obj.get("metadata")
    return found if isinstance(found, dict) else {}


def _told(obj: Object, by: Applier) -> str:
    """An object as error messages call it."""
    metadata = _metadata(obj)
    return f"{metadata.get('namespace') or ''}/{metadata.get('name') or ''}; {_gvk(by.api_version, by.kind)}"


def _gvk(api_version: str, kind: str) -> str:
    """A schema.GroupVersionKind as Go prints it: the core group is the empty one."""
    return f"{api_version if '/' in api_version else f'/{api_version}'}, Kind={kind}"


def _unkept(live: Object | None, typed: Typed, by: Applier) -> Managers:
    """Books for an object that has none: all that is there belongs to whoever came before."""
    if live is None:
        return {}
    empty = {**typed.zero, "apiVersion": by.api_version, "kind": by.kind}
    comparison = managed_fields.without(compare(empty, managed_fields.bare(live), typed), by.cannot_set)
    before = managers.updater(_BEFORE, by.api_version, by.subresource)
    return managed_fields.credited({}, before, comparison.changed, by.now)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One apply, which may be tried again with force."""

    live: Object
    applied: Object
    before: Managers
    by: Applier
    typed: Typed

    def run(self, *, force: bool) -> Object:
        """The new object with its managedFields. Raises `Conflicts`."""
        fields = fieldset.recursive_difference(field_set(self.applied, self.typed), self.by.cannot_set)
        last = self.before[self.by.identity].fields if self.by.identity in self.before else EMPTY
        claimed = {**self.before, self.by.identity: Owned(fields, self.by.api_version)}
        merged = merging.merge(self.live, self.applied, self.typed)
        wanted = pruned(merged, last, claimed, self.typed)
        after = self._settled(wanted, claimed, force=force)
        return self._entered(wanted, after)

    def _settled(self, wanted: Object, claimed: Managers, *, force: bool) -> Managers:
        """The table after the applier's changes took fields from others, if they may."""
        comparison = managed_fields.without(compare(self.live, wanted, self.typed), self.by.cannot_set)
        others = {manager: owned for manager, owned in claimed.items() if manager != self.by.identity}
        touched = {each: fieldset.intersection(owned.fields, comparison.changed) for each, owned in others.items()}
        conflicts = Conflicts(touched)
        if conflicts.touched and not force:
            raise conflicts
        left = managed_fields.taken(others, comparison.changed, comparison.removed)
        mine = fieldset.difference(claimed[self.by.identity].fields, managed_fields.STRIPPED)
        return {**left, self.by.identity: replace(claimed[self.by.identity], fields=mine)} if mine else left

    def _entered(self, wanted: Object, after: Managers) -> Object:
        """The object with the table; the applier's time moves only when the object does."""
        changed, mine = not same(wanted, self.live), self.by.identity
        if mine in after:
            old = self.before.get(mine)
            time = timestamp(self.by.now) if changed else old.time if old else None
            after = {**after, mine: replace(after[mine], time=time)}
        result = _without_nulls(wanted) if self.typed.native else dict(wanted)
        result["metadata"] = _without_nulls(wanted.get("metadata") or {})
        managers.put(result["metadata"], after)
        return result


def pruned(merged: Object, last: Fields, claimed: Managers, typed: Typed) -> Object:
    """The merged object without what the applier applied `last` time and nobody claims now."""
    if not last:
        return merged
    named = removing.with_named(field_set(merged, typed), typed)
    was = removing.with_named(last, typed)
    left = removing.remove(merged, was, typed)
    owned = _all_owned(claimed)
    gone = fieldset.difference(named, fieldset.union(_named_set(left, typed), removing.with_named(owned, typed)))
    left = removing.remove(merged, gone, typed)
    dangling = fieldset.intersection(fieldset.difference(named, _named_set(left, typed)), was)
    return removing.remove(merged, dangling, typed)


def _without_nulls(value: Any) -> Any:
    """What a Go struct makes of null: nothing. A custom resource keeps it, and its schema may refuse it."""
    if isinstance(value, dict):
        return {name: _without_nulls(each) for name, each in value.items() if each is not None}
    return [_without_nulls(each) for each in value] if isinstance(value, list) else value


def _named_set(obj: Object, typed: Typed) -> Fields:
    return removing.with_named(field_set(obj, typed), typed)


def _all_owned(claimed: Managers) -> Fields:
    found: Fields = EMPTY
    for owned in claimed.values():
        found = fieldset.union(found, owned.fields)
    return found


# ------------------------------------------------------------------ coming from kubectl's client-side apply


def _kubectl_again(attempt: _Attempt, conflicts: Conflicts) -> Object:
    """Conflicts with what kubectl applied from the client's side before are no conflicts for kubectl."""
    if attempt.by.manager != _KUBECTL:
        raise conflicts.failure()
    remaining = conflicts.without(_last_applied_set(attempt.live, attempt.typed, attempt.by.api_version))
    if remaining.touched:
        raise remaining.failure()
    return attempt.run(force=True)


def _last_applied_set(live: Object, typed: Typed, api_version: str) -> Fields:
    """The fields that client-side apply set and that still are as it set them."""
    text = (live["metadata"].get("annotations") or {}).get(LAST_APPLIED)
    try:
        last = json.loads(text) if text else None
        if not isinstance(last, dict) or last.get("apiVersion") != api_version:
            return EMPTY
        conformity.check(last, typed, "")
    except (ValueError, Failure):
        return EMPTY
    comparison = compare(last, live, typed)
    kept = fieldset.difference(field_set(last, typed), comparison.changed)
    return fieldset.difference(kept, comparison.removed)


def _renew_last_applied(result: Object, applied: Object, by: Applier) -> None:
    """Keep the annotation of an object that kubectl once applied from the client's side up to date."""
    annotations = result["metadata"].get("annotations") or {}
    if by.manager != _KUBECTL or not annotations.get(LAST_APPLIED):
        return
    renewed = {**annotations, LAST_APPLIED: f"{gofmt.marshal(_without_annotation(applied))}\n"}
    if sum(len(f"{name}{value}".encode()) for name, value in renewed.items()) > _MOST_ANNOTATIONS:
        del renewed[LAST_APPLIED]
    result["metadata"]["annotations"] = renewed


def _without_annotation(applied: Object) -> Object:
    metadata = dict(applied["metadata"])
    if metadata.get("annotations"):
        metadata["annotations"] = {
            name: value for name, value in metadata["annotations"].items() if name != LAST_APPLIED
        }
    return {**applied, "metadata": metadata}
