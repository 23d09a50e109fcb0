"""What a reflector is waiting for on the network, and how a stop cuts it short.

A thread that waits for a socket looks at no event. So whoever stops the reflector (`reflector.py`) comes
here: the open watch is closed under the reading thread, and a request that has no answer yet is left
behind. client-go does the same with a goroutine per list and a context; Python needs the two by hand.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, InvalidStateError
from contextlib import contextmanager
from typing import Any, TypeVar

from handwritten.listwatch import Watch

T = TypeVar("T")


class Stopped(Exception):
    """The reflector is to end; not an error."""


class InFlight:
    """The one request or watch that is open at a time. `stop` and `cut` may come from any thread."""

    def __init__(self, name: str) -> None:
        """`name` begins the names of the request threads."""
        self._name = name
        self._lock = threading.Lock()
        self._stopped = False
        self._answer: Future[Any] | None = None
        self._watch: Watch | None = None

    def request(self, call: Callable[[], T], discard: Callable[[T], None] = lambda _: None) -> T:
        """Return what `call` returns or raise what it raises; raise Stopped at once when `stop` is called.

        `call` runs on a thread of its own, because nothing can interrupt a connection that is being made
        or a server that accepts a request and keeps silent. After a stop that thread is left behind: it
        ends with the client's time-out at the latest, is a daemon, and its late result goes to `discard`.
        """
        answer: Future[T] = Future()
        with self._lock:
            if self._stopped:
                raise Stopped
            self._answer = answer
        thread = threading.Thread(target=_run, args=(call, answer, discard), name=f"{self._name}-request", daemon=True)
        thread.start()
        try:
            result = answer.result()
        except CancelledError:
            raise Stopped from None
        finally:
            if not answer.cancelled():
                thread.join()
        return result

    def hold(self, watch: Watch) -> None:
        """Have `watch` stopped by `cut` or by `stop`, whichever comes first; raise Stopped if that was before."""
        with self._lock:
            stopped = self._stopped
            self._watch = None if stopped else watch
        if stopped:
            watch.stop()
            raise Stopped

    @contextmanager
    def held(self) -> Iterator[None]:
        """Stop the watch that is held at the end of the block, unless that has been done."""
        try:
            yield
        finally:
            self.cut()

    @contextmanager
    def watching(self, watch: Watch) -> Iterator[None]:
        """Have `watch` stopped exactly once: at the end of the block, by `cut` or by `stop`."""
        self.hold(watch)
        with self.held():
            yield

    def cut(self) -> None:
        """End the open watch, if there is one."""
        with self._lock:
            watch, self._watch = self._watch, None
        if watch is not None:
            watch.stop()

    def stop(self) -> None:
        """End what is open now, for good: everything later raises Stopped."""
        with self._lock:
            self._stopped = True
            answer = self._answer
        if answer is not None:
            answer.cancel()
        self.cut()


def _run(call: Callable[[], T], answer: Future[T], discard: Callable[[T], None]) -> None:
    """Settle `answer`, unless somebody has cancelled it: it stays pending while `call` runs, for that purpose."""
    try:
        result = call()
    except BaseException as error:  # noqa: BLE001 - raised again by the thread that asked
        _settle(answer.set_exception, error)
        return
    if not _settle(answer.set_result, result):
        discard(result)


def _settle(setter: Callable[[T], None], value: T) -> bool:
    """Return False when nobody waits any more."""
    try:
        setter(value)
    except InvalidStateError:
        return False
    return True
