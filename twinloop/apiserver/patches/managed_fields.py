"""Who owns what after a write that is no apply: `update` brings `metadata.managedFields` up to date.

Every create, update and patch comes here with the object as it will be, after defaulting and before admission and the
kind's own preparation, as kube-apiserver does: what those add belongs to nobody. A write takes what it changed or added
for its manager and takes it from all others; what it removed is nobody's. A write that changes nothing leaves all entries
and their times alone. Server-side apply keeps its own books in `apply.py`; `verbs/` store the result.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from twinloop.apiserver.clock import timestamp
from twinloop.apiserver.patches import elements, fieldset, managers
from twinloop.apiserver.patches.compare import Comparison, compare, same
from twinloop.apiserver.patches.fieldset import EMPTY, Fields
from twinloop.apiserver.patches.managers import Manager, Managers, Owned
from twinloop.apiserver.patches.reshaping import reshaped
from twinloop.apiserver.patches.typed import DEDUCED, Typed

Object = dict[str, Any]

# What the server fills in belongs to nobody.
_SYSTEM = ("name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation", "managedFields")
STRIPPED: Fields = fieldset.of(
    ("f:apiVersion",),
    ("f:kind",),
    ("f:metadata",),
    *(("f:metadata", f"f:{name}") for name in (*_SYSTEM, "resourceVersion")),
)
# What a write through the main resource, or through status, cannot set: it is put back later, so nobody owns it.
_RESET: dict[str, Fields] = {"": fieldset.of(("f:status",)), "status": fieldset.of(("f:spec",))}


def update(
    obj: Object,
    old: Object | None,
    manager: str,
    *,
    api_version: str,
    now: float,
    typed: Typed | None = None,
    subresource: str = "",
    reset: Fields | None = None,
) -> None:
    """Set `obj`'s managedFields after a write by `manager`; `old` is the stored object, None on creation.

    `now` is in seconds. `reset` is the set of fields that this write cannot set, by default status, or spec when the write
    is one of status. managedFields that stand in `obj` are the client's own: they count as a starting point, [{}] ends
    all tracking (as does an empty list, except for custom resources, whose decoder drops it), and those of a
    subresource's body count for nothing.
    """
    view = typed or DEDUCED
    metadata = obj["metadata"] = dict(obj["metadata"])  # a patched object may share it with the stored one
    fresh = metadata.pop("managedFields", None)
    entries = _starting_point(old, fresh if fresh or view.native else None, subresource)
    if old is not None and not entries:
        return
    try:
        comparison = compare(bare(old) if old is not None else _zero(view, obj), obj, view)
    except elements.NoElement:
        return  # kube-apiserver then stores the object without managedFields, too
    comparison = without(comparison, reset_fields(subresource) if reset is None else reset)
    if comparison.same:
        if entries:
            metadata["managedFields"] = entries
        return
    actor = managers.updater(manager, api_version, subresource)
    left = taken(reshaped(managers.read(entries), view), comparison.changed, comparison.removed)
    managers.put(metadata, managers.capped(credited(left, actor, comparison.changed, now)))


def keep_times(obj: Object, old: Object) -> None:
    """Give entries their old times back when nothing but times differs, so that a write of nothing stays one.

    Called on the object as it would be stored: only then is it seen what defaulting and preparation have undone.
    """
    new, was = obj["metadata"].get("managedFields"), old["metadata"].get("managedFields")
    if not new or not was or len(new) != len(was) or new == was:
        return
    if same(_timeless(new), _timeless(was)) and same(bare(obj), bare(old)):
        obj["metadata"]["managedFields"] = was


def reset_fields(subresource: str) -> Fields:
    """What a write cannot set, of a kind that has a status subresource and no rules of its own."""
    return _RESET.get(subresource, EMPTY)


def credited(before: Managers, actor: Manager, fields: Fields, now: float) -> Managers:
    """The table after `actor` took some more fields; the same when there are none."""
    gained = fieldset.difference(fields, STRIPPED)
    if not gained:
        return before
    previous = before.get(actor)
    owned = fieldset.tidy(fieldset.union(previous.fields, gained)) if previous else gained
    return {**before, actor: Owned(owned, actor.api_version, timestamp(now))}


def without(comparison: Comparison, reset: Fields) -> Comparison:
    """A comparison that does not look at some fields, nor at what is below them."""
    if not reset:
        return comparison
    return Comparison(
        *(fieldset.recursive_difference(each, reset) for each in (comparison.removed, comparison.changed))
    )


def taken(before: Managers, changed: Fields, removed: Fields) -> Managers:
    """The table after fields were given to somebody else, and others removed; who owns nothing more is gone."""
    found = {}
    for manager, owned in before.items():
        kept = fieldset.difference(owned.fields, fieldset.intersection(owned.fields, changed))
        kept = fieldset.difference(kept, removed)
        if kept:
            found[manager] = replace(owned, fields=kept)
    return found


def bare(obj: Object) -> Object:
    """An object without managedFields, which are no fields that anybody manages."""
    metadata = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    return {**obj, "metadata": metadata}


def _starting_point(old: Object | None, fresh: Any, subresource: str) -> list[Any]:
    """The entries before this write: the client's own in the server's own form, or else the stored ones."""
    stored: list[Any] = (old["metadata"].get("managedFields") or []) if old is not None else []
    if subresource or fresh is None or fresh == stored:
        return stored
    return [] if fresh in ([], [{}]) else _checked(fresh) or stored


def _checked(entries: Any) -> list[Any]:
    try:
        return managers.written(managers.read(entries, tidy=fieldset.tidy))
    except (ValueError, AttributeError):
        return []


def _zero(typed: Typed, obj: Object) -> Object:
    """What a new object is compared with: an empty one of its kind, in which a time that is null is null already."""
    given = {name: value for name, value in obj.items() if name in {"apiVersion", "kind"} or value is None}
    return {**typed.zero, **given} if typed.native else {name: obj.get(name) for name in ("apiVersion", "kind")}


def _timeless(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in entry.items() if key != "time"} for entry in entries]
