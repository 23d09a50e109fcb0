"""Objects, known objects and listeners for the tests of everything between a reflector and a handler."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from handwritten.fifo import DeletedFinalStateUnknown
from handwritten.handlers import AddNotification, DeleteNotification, Notification, UpdateNotification
from handwritten.store import Indexer, Object


def pod(name: str, value: str = "", **metadata: Any) -> Object:
    return {"metadata": {"namespace": "default", "name": name, **metadata}, "value": value}


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for another thread, for 10 s at most."""
    pause = threading.Event()
    for _ in range(10_000):
        if condition():
            return
        pause.wait(0.001)
    raise AssertionError("it did not happen within 10 s")


def obj(name: str, value: int) -> Object:
    return {"metadata": {"name": name}, "value": value}


def tombstone(name: str, value: int | None) -> DeletedFinalStateUnknown:
    return DeletedFinalStateUnknown(name, None if value is None else obj(name, value))


class Known:
    """Known objects by name; a lookup of a name in `broken` fails."""

    def __init__(self, *objects: Object, broken: frozenset[str] = frozenset()) -> None:
        self._objects = {each["metadata"]["name"]: each for each in objects}
        self._broken = broken

    def list_keys(self) -> list[str]:
        return [*self._objects]

    def get_by_key(self, key: str) -> Object | None:
        if key in self._broken:
            raise RuntimeError("the lookup failed")
        return self._objects.get(key)


class Told:
    """A distributor that notes what it is told, with what the store says at that moment."""

    def __init__(self, indexer: Indexer) -> None:
        self.indexer = indexer
        self.words: list[str] = []
        self.stored: list[list[str]] = []
        self.syncs: list[bool] = []
        self.tombstones: list[str] = []

    def distribute(self, notification: Notification, *, is_sync: bool) -> None:
        self.words.append(word(notification))
        self.stored.append(sorted(self.indexer.list_keys()))
        self.syncs.append(is_sync)
        if isinstance(notification, DeleteNotification) and isinstance(notification.obj, DeletedFinalStateUnknown):
            self.tombstones.append(notification.obj.key)


def word(notification: Notification) -> str:
    if isinstance(notification, AddNotification):
        return f"{'*' if notification.is_in_initial_list else '+'}{named(notification.obj)}"
    if isinstance(notification, UpdateNotification):
        return f"~{named(notification.old)}>{named(notification.new)}"
    if isinstance(notification.obj, DeletedFinalStateUnknown):
        return f"-!{named(notification.obj.obj or {})}"
    return f"-{named(notification.obj)}"


def named(each: Object) -> str:
    return f"{each['metadata']['name']}{each['metadata']['resourceVersion']}"
