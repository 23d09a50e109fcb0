"""DELETE: of one object or of a collection; at once, after a grace period, or when the finalizers are gone.

The steps are those of the generic registry's Delete and rest.BeforeDelete. What is only marked here is removed later
by an update that empties the finalizers (`update.py`), or by a second delete from the kubelet with no grace left.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from twinloop.apiserver import failures
from twinloop.apiserver.clock import timestamp
from twinloop.apiserver.history import Record
from twinloop.apiserver.metadata import FOREGROUND, ORPHAN
from twinloop.apiserver.options import DeleteOptions
from twinloop.apiserver.verbs.call import Call

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Deleted:
    """What a delete came to: the object's last or next state, and whether it is gone."""

    record: Record
    gone: bool


def delete(call: Call, options: DeleteOptions) -> Deleted:
    """Delete one object."""
    record = call.find()
    old = call.load(record)
    _check_preconditions(call, old["metadata"], options)
    obj = call.load(record)
    if call.kind.strategy.prepare_delete(obj, call.now):
        call.admit("mutating", "DELETE", None, old)
        call.admit("validating", "DELETE", None, old)
        return _marked(call, record, obj, old, gone=False)
    options = _not_negative(options)
    graceful = _begin_grace(call, obj, options)
    if graceful is None:
        return Deleted(record, gone=False)  # it is being deleted, and this request asks for nothing more
    call.admit("mutating", "DELETE", None, old)
    call.admit("validating", "DELETE", None, old)
    finalizers = _finalizers(call, obj["metadata"], options)
    _set_finalizers(obj["metadata"], finalizers)
    if finalizers and not graceful:
        _mark(obj["metadata"], call.now)
    if graceful or finalizers:
        return _marked(call, record, obj, old, gone=graceful and not finalizers and not _grace_of(obj))
    return _remove(call, record)


def status(call: Call, record: Record) -> Object:
    """What is answered for an object that is gone."""
    details = {"name": record.name, "group": call.kind.group, "kind": call.kind.plural, "uid": record.uid}
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {key: value for key, value in details.items() if value},
    }


def _marked(call: Call, record: Record, obj: Object, old: Object, *, gone: bool) -> Deleted:
    """Store the mark; with no grace left the object goes right after it, as two events."""
    if call.dry_run:
        return Deleted(call.record_of(obj, record.revision), gone)
    if obj != old:
        stored, fields = call.to_stored(obj)
        record = call.storage.update(call.resource, record, stored, fields)
    return _remove(call, record) if gone else Deleted(record, gone=False)


def _remove(call: Call, record: Record) -> Deleted:
    if call.dry_run:
        return Deleted(record, gone=True)
    return Deleted(call.storage.delete(call.resource, record), gone=True)


def _check_preconditions(call: Call, meta: Object, options: DeleteOptions) -> None:
    uid, version = meta.get("uid", ""), meta["resourceVersion"]
    if options.uid is not None and options.uid != uid:
        raise _conflict(
            call,
            f"the UID in the precondition ({options.uid}) does not match the UID in record ({uid}). "
            "The object might have been deleted and then recreated",
        )
    if options.version is not None and options.version != version:
        raise _conflict(
            call,
            f"the ResourceVersion in the precondition ({options.version}) does not match the ResourceVersion in record "
            f"({version}). The object might have been modified",
        )


def _conflict(call: Call, why: str) -> failures.Failure:
    """BeforeDelete names the kind where all others name the resource."""
    return failures.conflict(call.kind.group, call.kind.kind, call.name, why)


def _not_negative(options: DeleteOptions) -> DeleteOptions:
    """A negative grace period means one second."""
    return replace(options, grace=1) if options.grace is not None and options.grace < 0 else options


# ------------------------------------------------------------------ grace


def _begin_grace(call: Call, obj: Object, options: DeleteOptions) -> bool | None:
    """Set the deletion's time and grace period where the kind has one.

    True: the object is marked in `obj`. False: there is no grace to wait for. None: a deletion is under way and this one
    does not shorten it.
    """
    strategy, meta = call.kind.strategy, obj["metadata"]
    if not strategy.graceful:
        return False
    if meta.get("deletionTimestamp"):
        return _shorten(meta, options.grace, call.now)
    grace = strategy.grace_period(obj, options.grace)
    if grace is None:
        return False
    meta["deletionTimestamp"] = timestamp(call.now + grace)
    meta["deletionGracePeriodSeconds"] = grace
    _bump_generation(meta)
    return True


def _shorten(meta: Object, asked: int | None, now: float) -> bool | None:
    """A deletion under way can only become quicker."""
    present = meta.get("deletionGracePeriodSeconds")
    if not present:
        return False
    if asked is None or asked >= present:
        return None
    end = _seconds(meta["deletionTimestamp"]) - present + asked
    if end < now:
        end, asked = now, min(asked, 1)
    meta["deletionTimestamp"] = timestamp(end)
    meta["deletionGracePeriodSeconds"] = asked
    return True


def _mark(meta: Object, now: float) -> None:
    """Mark an object as being deleted without grace: what waits is its finalizers."""
    if not meta.get("deletionTimestamp"):
        _bump_generation(meta)
    if not meta.get("deletionTimestamp") or _seconds(meta["deletionTimestamp"]) > now:
        meta["deletionTimestamp"] = timestamp(now)
    meta["deletionGracePeriodSeconds"] = 0


def _bump_generation(meta: Object) -> None:
    if meta.get("generation"):
        meta["generation"] += 1


def _grace_of(obj: Object) -> int:
    return int(obj["metadata"].get("deletionGracePeriodSeconds") or 0)


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


# ------------------------------------------------------------------ finalizers of the garbage collector


def _finalizers(call: Call, meta: Object, options: DeleteOptions) -> list[str]:
    """The finalizers after this request: the garbage collector's are what its propagation policy says."""
    present: list[str] = list(meta.get("finalizers") or [])
    if not call.kind.strategy.collected:
        return present
    kept = [each for each in present if each not in {ORPHAN, FOREGROUND}]
    if _orphans(present, options):
        kept.append(ORPHAN)
    if _foreground(present, options):
        kept.append(FOREGROUND)
    return present if set(kept) == set(present) else kept


def _orphans(present: list[str], options: DeleteOptions) -> bool:
    if options.orphan is not None:
        return options.orphan
    if options.propagation is not None:
        return options.propagation == "Orphan"
    return next((each for each in present if each in {ORPHAN, FOREGROUND}), "") == ORPHAN


def _foreground(present: list[str], options: DeleteOptions) -> bool:
    if options.orphan is not None:
        return False
    if options.propagation is not None:
        return options.propagation == "Foreground"
    return next((each for each in present if each in {ORPHAN, FOREGROUND}), "") == FOREGROUND


def _set_finalizers(meta: Object, finalizers: list[str]) -> None:
    if finalizers:
        meta["finalizers"] = finalizers
    else:
        meta.pop("finalizers", None)
