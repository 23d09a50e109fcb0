"""What a controller hears of its objects: the handler protocol, and the notifications that are buffered for it.

The informer (`informer.py`) makes a notification for each change of its cache, `processor.py` delivers it,
and the handler usually puts a key into a work queue (`workqueue.py`). Counterpart of ResourceEventHandler in
client-go's tools/cache/controller.go and of the notifications in shared_informer.go.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from handwritten.fifo import DeletedFinalStateUnknown
from handwritten.store import Object


class ResourceEventHandler(Protocol):
    """What wants to know of changes. The objects are the store's own: never change them.

    Calls come one after the other, for one object in the order in which things happened. A call that
    raises is logged and counted, and not repeated.
    """

    def on_add(self, obj: Object, is_in_initial_list: bool) -> None:
        """Hear of an object that the store did not have; the flag is True for those that were there at the start."""
        ...

    def on_update(self, old: Object, new: Object) -> None:
        """Hear of a change, or, with equal resource versions, of a resync.

        Compare the uids: one object deleted and another made under its name may come as one update.
        """
        ...

    def on_delete(self, obj: Object | DeletedFinalStateUnknown) -> None:
        """Hear of a deletion: the last state, or a tombstone when the deletion itself was missed."""
        ...


@dataclass(frozen=True)
class ResourceEventHandlerFuncs:
    """A handler made of functions; what is None is not told."""

    add: Callable[[Object, bool], None] | None = None
    update: Callable[[Object, Object], None] | None = None
    delete: Callable[[Object | DeletedFinalStateUnknown], None] | None = None

    def on_add(self, obj: Object, is_in_initial_list: bool) -> None:
        """See `ResourceEventHandler`."""
        if self.add is not None:
            self.add(obj, is_in_initial_list)

    def on_update(self, old: Object, new: Object) -> None:
        """See `ResourceEventHandler`."""
        if self.update is not None:
            self.update(old, new)

    def on_delete(self, obj: Object | DeletedFinalStateUnknown) -> None:
        """See `ResourceEventHandler`."""
        if self.delete is not None:
            self.delete(obj)


@dataclass(frozen=True)
class FilteringResourceEventHandler:
    """Passes on what concerns the objects that `accepts` lets through (FilteringResourceEventHandler).

    An update that takes an object across the filter is an addition or a deletion for the handler. A tombstone is judged
    by its last known object; without one it is passed on, since nobody can say that the handler never heard of it.
    """

    accepts: Callable[[Object], bool]
    handler: ResourceEventHandler

    def on_add(self, obj: Object, is_in_initial_list: bool) -> None:
        """See `ResourceEventHandler`."""
        if self.accepts(obj):
            self.handler.on_add(obj, is_in_initial_list)

    def on_update(self, old: Object, new: Object) -> None:
        """See `ResourceEventHandler`."""
        before, after = self.accepts(old), self.accepts(new)
        if before and after:
            self.handler.on_update(old, new)
        elif after:
            self.handler.on_add(new, is_in_initial_list=False)
        elif before:
            self.handler.on_delete(old)

    def on_delete(self, obj: Object | DeletedFinalStateUnknown) -> None:
        """See `ResourceEventHandler`."""
        last = obj.obj if isinstance(obj, DeletedFinalStateUnknown) else obj
        if last is None or self.accepts(last):
            self.handler.on_delete(obj)


@dataclass(frozen=True, slots=True)
class AddNotification:
    """An object is new in the store."""

    obj: Object
    is_in_initial_list: bool = False

    def tell(self, handler: ResourceEventHandler) -> None:
        """Call the handler."""
        handler.on_add(self.obj, self.is_in_initial_list)


@dataclass(frozen=True, slots=True)
class UpdateNotification:
    """An object in the store was replaced."""

    old: Object
    new: Object
    is_in_initial_list: bool = False

    def tell(self, handler: ResourceEventHandler) -> None:
        """Call the handler."""
        handler.on_update(self.old, self.new)


@dataclass(frozen=True, slots=True)
class DeleteNotification:
    """An object is gone from the store."""

    obj: Object | DeletedFinalStateUnknown
    is_in_initial_list: bool = False

    def tell(self, handler: ResourceEventHandler) -> None:
        """Call the handler."""
        handler.on_delete(self.obj)


Notification = AddNotification | UpdateNotification | DeleteNotification


class Registration(Protocol):
    """What `SharedInformer.add_event_handler` returns: the handler's own progress."""

    @property
    def failures(self) -> int:
        """How many of its calls raised."""
        ...

    def has_synced(self) -> bool:
        """Return whether the handler has returned from every call for the initial list."""
        ...
