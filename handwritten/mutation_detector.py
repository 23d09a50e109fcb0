"""Who has changed a cached object? A check for tests and for the suspicious, off by default because it copies.

What the informer's cache (`store.py`) gives out is shared by everybody; changing it corrupts the view of all. With the
detector, the informer hands every object it stores to `add_object`, which keeps a copy beside it, and a thread compares
the two now and then. client-go: tools/cache/mutation_detector.go, with the same environment variable.

Different here: client-go panics, which ends the process. This one raises in its own thread, which makes pytest fail
the test, and leaves the process of an operator alone but for a traceback.
"""

from __future__ import annotations

import copy
import json
import os
import threading
from collections.abc import Callable, Mapping
from typing import Final, NoReturn

from handwritten.clock import Clock
from handwritten.store import Object
from twinloop.errors import TwinloopError

# client-go's: how often to compare, and how long an object is watched over. Forever would keep every version alive.
PERIOD_SECONDS: Final = 1.0
RETAIN_SECONDS: Final = 120.0
VARIABLE: Final = "KUBE_CACHE_MUTATION_DETECTOR"


class CacheMutated(TwinloopError):
    """Somebody changed an object that the cache shares."""

    hint = "Copy an object from the cache (copy.deepcopy) before changing it."


def _raise(error: CacheMutated) -> NoReturn:
    raise error


class MutationDetector:
    """Copies of what the cache handed out, compared with the originals. Thread-safe."""

    def __init__(self, name: str, *, clock: Clock, on_mutation: Callable[[CacheMutated], None] = _raise) -> None:
        """`name` is in the message; `on_mutation` is called in the comparing thread, which ends when it raises."""
        self._name = name
        self._clock = clock
        self._on_mutation = on_mutation
        self._lock = threading.Lock()
        # (added at, the shared object, our copy), oldest first.
        self._objects: list[tuple[float, Object, Object]] = []

    def add_object(self, obj: Object) -> None:
        """Watch over `obj` from now on."""
        entry = (self._clock.now(), obj, copy.deepcopy(obj))
        with self._lock:
            self._objects.append(entry)

    def run(self, stop: threading.Event) -> None:
        """Compare every second until `stop` is set, and once more at the end."""
        while not self._clock.sleep(stop, PERIOD_SECONDS):
            self.compare()
        self.compare()

    def compare(self) -> None:
        """Report every object that is not what it was, once, and forget those that are old."""
        forget = self._clock.now() - RETAIN_SECONDS
        with self._lock:
            changed = [entry for entry in self._objects if entry[1] != entry[2]]
            reported = {id(entry) for entry in changed}
            self._objects = [each for each in self._objects if id(each) not in reported and each[0] >= forget]
        for _, obj, original in changed:
            self._on_mutation(CacheMutated(f"cache {self._name}: an object was changed: {_difference(original, obj)}"))


def new_cache_mutation_detector(
    name: str, *, clock: Clock, environ: Mapping[str, str] = os.environ
) -> MutationDetector | None:
    """Return a detector if the environment asks for one with a value that Go's ParseBool takes for true, else None."""
    return (
        MutationDetector(name, clock=clock)
        if environ.get(VARIABLE) in {"1", "t", "T", "true", "TRUE", "True"}
        else None
    )


def _difference(before: Object, after: Object) -> str:
    """Name the object and the fields at its top that differ; values may be long, or secret."""
    keys = sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
    metadata = before.get("metadata") or {}
    return json.dumps({"name": metadata.get("name"), "namespace": metadata.get("namespace"), "fields": keys})
