"""The first state of a kind as the beginning of its watch (WatchList, `sendInitialEvents`).

A list makes the API server hold the whole answer in memory, for each client that asks. A watch that begins with what
exists costs it an event at a time, and goes on as the watch that would have been opened anyway. The reflector
(`reflector.py`) collects those first events in a `TemporaryStore` until a bookmark says that they are complete, and
only then replaces what its store has: half a state never reaches the cache. client-go: watchList in reflector.go.
"""

from __future__ import annotations

import logging
import threading
from types import TracebackType
from typing import Final, Self

from handwritten.clock import Clock
from handwritten.fifo import Transform
from handwritten.store import Indexer, Object

logger = logging.getLogger("handwritten.reflector")

# client-go's: a server that sends nothing for so long before its first bookmark is worth a line in the log.
WARNING_SECONDS: Final = 10.0


class TemporaryStore:
    """What the initial events say so far, one object a key.

    With the transform of the store that it is for, so that fields which nobody wants do not pile up even here. The
    other store applies it once more, which is why a transform has to be idempotent.
    """

    def __init__(self, transform: Transform | None) -> None:
        """Begin empty."""
        self._objects = Indexer()
        self._transform = transform

    def add(self, obj: Object) -> None:
        """Take in an object."""
        self._objects.add(self._transform(obj) if self._transform is not None else obj)

    update = add

    def delete(self, obj: Object) -> None:
        """Drop an object that was deleted before the initial events were complete."""
        self._objects.delete(obj)

    def list(self) -> list[Object]:
        """Return what there is."""
        return self._objects.list()


class InitialEventsEndTicker:
    """Warns, while its block runs, when nothing has come from the server for a while.

    client-go's initialEventsEndBookmarkTicker. It only tells: giving up is the watch's idle time-out's.
    """

    def __init__(self, name: str, *, clock: Clock, interval: float = WARNING_SECONDS) -> None:
        """`name` is the reflector's; `interval` in seconds."""
        self._name = name
        self._clock = clock
        self._interval = interval
        # Guards the two below; notified at the end.
        self._changed = threading.Condition(threading.Lock())
        self._last_event = clock.now()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name=f"{name}-initial-events", daemon=True)

    def event(self) -> None:
        """Note that an event has come."""
        with self._changed:
            self._last_event = self._clock.now()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        with self._changed:
            look_at = self._clock.now() + self._interval
            while not self._ended:
                if self._clock.wait_until(self._changed, look_at):
                    continue
                silent = self._clock.now() - self._last_event
                look_at = self._clock.now() + self._interval
                if silent >= self._interval:
                    logger.warning(
                        "Waiting for the end of the initial events, none came for a while",
                        extra={"reflector": self._name, "seconds": round(silent, 3)},
                    )
