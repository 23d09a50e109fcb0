"""The words between a reflector and its informer: deltas, tombstones, and what a queue of them promises.

The reflector (`reflector.py`) writes to a `Queue`, the informer (`informer.py`) pops from it. Two of them are here:
`delta_fifo.py`, the classic one with its deltas by key, and `the_real_fifo.py`, which client-go's informers use since
1.36. Counterpart of client-go's tools/cache/fifo.go and of the types at the top of delta_fifo.go.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from handwritten.store import KeyFunction, Object, ObjectKeyError, meta_namespace_key


class DeltaType(enum.Enum):
    """What a delta tells of: an event of the watch, or a comparison with a list or with the store."""

    ADDED = "Added"
    UPDATED = "Updated"
    DELETED = "Deleted"
    # The object was in a list: new, changed or the same, only the store can tell.
    REPLACED = "Replaced"
    # The periodic resync: nothing happened at all.
    SYNC = "Sync"
    # These three are not about one object; their payload is the class of the same name below.
    REPLACED_ALL = "ReplacedAll"
    SYNC_ALL = "SyncAll"
    BOOKMARK = "Bookmark"


@dataclass(frozen=True, slots=True)
class DeletedFinalStateUnknown:
    """A tombstone: the object is gone, but its deletion was missed.

    `obj` is the last state that was seen, which may be old; None when there is none.
    """

    key: str
    obj: Object | None


@dataclass(frozen=True, slots=True)
class ReplacedAll:
    """A whole list as one piece of news: exactly `objects` exist at `resource_version`."""

    resource_version: str
    objects: tuple[Object, ...]


@dataclass(frozen=True, slots=True)
class SyncAll:
    """The periodic resync of everything in the store."""


@dataclass(frozen=True, slots=True)
class Bookmark:
    """Nothing changed up to `resource_version`."""

    resource_version: str


Payload = Object | DeletedFinalStateUnknown | ReplacedAll | SyncAll | Bookmark


@dataclass(frozen=True, slots=True)
class Delta:
    """One change: `object` is the state after it, for DELETED the last one, else what its type says."""

    type: DeltaType
    object: Payload


# Deltas in their order, oldest first, never empty: those of one key (DeltaFIFO), or a batch (RealFIFO).
Deltas = list[Delta]

# Called with an object before it is queued; returns what to keep of it.
Transform = Callable[[Object], Object]
# Called with the deltas that were popped and whether they belong to the initial list.
PopProcess = Callable[[Deltas, bool], None]


class FIFOClosed(Exception):
    """`pop` found the queue closed and empty: the end of the work, not a failure (client-go: ErrFIFOClosed)."""


class ReflectorStore(Protocol):
    """What a reflector writes to: a queue, or a plain store in tests (client-go's ReflectorStore)."""

    def add(self, obj: Object) -> None:
        """Take in an object that a watch calls new."""
        ...

    def update(self, obj: Object) -> None:
        """Take in a changed object."""
        ...

    def delete(self, obj: Object) -> None:
        """Take in the last state of a deleted object."""
        ...

    def replace(self, objects: Iterable[Object], resource_version: str) -> None:
        """Take in a whole list: what is not in it does not exist."""
        ...

    def resync(self) -> None:
        """Hand out everything again that is already known."""
        ...


@runtime_checkable
class BookmarkStore(Protocol):
    """A reflector store that wants to hear of bookmarks (client-go's ReflectorBookmarkStore)."""

    def bookmark(self, resource_version: str) -> None:
        """Learn that everything up to this version has been told."""
        ...


@runtime_checkable
class TransformingStore(Protocol):
    """A reflector store that transforms what comes in, and says how (client-go's TransformingStore)."""

    @property
    def transform(self) -> Transform | None:
        """The function, None for none."""
        ...


class Queue(ReflectorStore, Protocol):
    """What an informer needs between its reflector and its store."""

    @property
    def atomic(self) -> bool:
        """Whether a list reaches the store in one piece, so that the store knows which version it is at."""
        ...

    def pop(self, process: PopProcess) -> Deltas:
        """Wait for work, hand it to `process`, return it. Raises FIFOClosed at the end."""
        ...

    def has_synced(self) -> bool:
        """Return whether the first list has been handed out."""
        ...

    def close(self) -> None:
        """Let no `pop` wait any longer."""
        ...


@runtime_checkable
class BatchQueue(Protocol):
    """A queue that can hand out changes of several objects at once (client-go's QueueWithBatch)."""

    def pop_batch(self, process_batch: PopProcess, process: PopProcess) -> Sequence[Delta]:
        """Like `Queue.pop`, but hand several deltas to `process_batch` where that changes nothing for anybody."""
        ...


def deletion_handling_key(obj: Object | DeletedFinalStateUnknown) -> str:
    """Return the key of an object or of a tombstone (DeletionHandlingMetaNamespaceKeyFunc)."""
    return obj.key if isinstance(obj, DeletedFinalStateUnknown) else meta_namespace_key(obj)


def payload_key(payload: Payload, key_function: KeyFunction) -> str:
    """Return the key of the object that a delta is about. Raises ObjectKeyError, also when it is about no single one."""
    if isinstance(payload, DeletedFinalStateUnknown):
        return payload.key
    if isinstance(payload, dict):
        return key_function(payload)
    raise ObjectKeyError(f"a delta about {type(payload).__name__} has no key", payload)


def as_tombstone(key: str, newest: Payload) -> DeletedFinalStateUnknown:
    """Return a tombstone with the newest state that is known, which may be a tombstone itself."""
    if isinstance(newest, DeletedFinalStateUnknown):
        return newest
    return DeletedFinalStateUnknown(key, newest if isinstance(newest, dict) else None)
