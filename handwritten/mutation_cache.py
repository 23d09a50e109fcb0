"""Reading one's own writes: a thin layer over a cache that remembers what the API server answered.

Between a write and the watch event that shows it, a cache is older than its owner. Deciding on that view costs a
request that is bound to be refused at best (a pod created twice, a status under an old resource version), and at
worst a second pod taken down. So each answer to a write is kept here, and whoever reads gets the newer of the two.
The layer empties itself: an entry goes when the cache has caught up, and at the latest after `ttl`.

client-go: tools/cache/mutation_cache.go, which compares resource versions as numbers too. Different here: entries are
found by group (the NginxPod they belong to), and deletions are remembered as well as additions. handwritten/nginxpod.py
feeds it with answers and with the informers' events.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from handwritten.clock import Clock
from handwritten.store import meta_namespace_key

Object = dict[str, Any]

# Long enough for a watch that has to be opened again, short enough that an object which came and went unseen in a gap
# between two watches does not haunt anybody for long. A watch that is silent for longer leaves the cache behind: then
# the server refuses what is decided on it, and the sync function reads live.
DEFAULT_TTL: Final = 30.0
# Uids of objects known to be gone. An answer may arrive after the event that says "deleted": by then its object must
# not be put back. The race is one of milliseconds, so a few thousand uids are plenty.
MAX_GONE: Final = 4096


@dataclass(frozen=True)
class _Entry:
    obj: Object
    expires: float


class MutationCache:
    """The answers to our own writes, by group and key.

    One lock, taken for a few dictionary operations by workers and by the informer's delivery thread.
    """

    def __init__(self, group: Callable[[Object], str], *, clock: Clock, ttl: float = DEFAULT_TTL) -> None:
        """`group` says where an object will be looked for; it must not change over the object's life."""
        self._group = group
        self._clock = clock
        self._ttl = ttl
        self._lock = threading.Lock()
        self._entries: dict[str, dict[str, _Entry]] = {}
        self._gone: OrderedDict[str, None] = OrderedDict()

    def written(self, obj: Object) -> None:
        """Remember the answer to a create or patch, or to a delete that left the object terminating."""
        with self._lock:
            if _uid(obj) in self._gone:
                return
            entry = _Entry(obj, self._clock.now() + self._ttl)
            self._entries.setdefault(self._group(obj), {})[meta_namespace_key(obj)] = entry

    def removed(self, obj: Object) -> None:
        """Remember that an object no longer exists: by our own delete, or because an event says so."""
        with self._lock:
            self._gone[_uid(obj)] = None
            while len(self._gone) > MAX_GONE:
                self._gone.popitem(last=False)
            self._drop(obj, lambda entry: _uid(entry.obj) == _uid(obj))

    def seen(self, obj: Object) -> None:
        """An event has brought this version: an entry that is no newer has served its purpose."""
        with self._lock:
            self._drop(obj, lambda entry: not _newer(entry.obj, obj))

    def overlay(self, group: str, cached: Iterable[Object]) -> list[Object]:
        """What the cache says about a group, corrected by our own later writes."""
        with self._lock:
            entries = self._live(group)
            objects = {meta_namespace_key(obj): obj for obj in cached if _uid(obj) not in self._gone}
            for key, entry in list(entries.items()):
                if _uid(entry.obj) in self._gone:
                    del entries[key]
                elif key not in objects or _newer(entry.obj, objects[key]):
                    objects[key] = entry.obj
                else:
                    # The event came before the answer, so nobody dropped the entry then.
                    del entries[key]
            return list(objects.values())

    def is_ours(self, obj: Object) -> bool:
        """Whether this very version of the object is the answer to our own write."""
        with self._lock:
            entry = self._entries.get(self._group(obj), {}).get(meta_namespace_key(obj))
            return entry is not None and _version(entry.obj) == _version(obj) and _uid(entry.obj) == _uid(obj)

    def unconfirmed(self, group: str) -> float | None:
        """Seconds until the last entry of a group expires; None when every write of it has been seen.

        Whoever decided on entries comes back after that time: if no event ever confirms them, the cache was right.
        """
        with self._lock:
            expiries = [entry.expires for entry in self._live(group).values()]
            return max(expiries) - self._clock.now() if expiries else None

    def _live(self, group: str) -> dict[str, _Entry]:
        now = self._clock.now()
        entries = self._entries.get(group, {})
        for key in [key for key, entry in entries.items() if entry.expires <= now]:
            del entries[key]
        if not entries:
            self._entries.pop(group, None)
        return entries

    def _drop(self, obj: Object, served: Callable[[_Entry], bool]) -> None:
        group, key = self._group(obj), meta_namespace_key(obj)
        entries = self._entries.get(group, {})
        if key in entries and served(entries[key]):
            del entries[key]
        if not entries:
            self._entries.pop(group, None)


def _uid(obj: Object) -> str:
    return str(obj["metadata"].get("uid", ""))


def _version(obj: Object) -> str:
    return str(obj["metadata"].get("resourceVersion", ""))


def _newer(ours: Object, theirs: Object) -> bool:
    """Whether `ours` is a later version. Versions that are no numbers cannot be ordered: then the cache is right."""
    mine, other = _version(ours), _version(theirs)
    return mine.isdecimal() and other.isdecimal() and int(mine) > int(other)
