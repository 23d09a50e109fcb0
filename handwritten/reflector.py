"""The producer: reflects what the API server has of one kind into a store, for as long as it runs.

    list (pages) -> store.replace -> watch -> store.add / update / delete -> watch again, or list again

With `watch_list` the list is the beginning of a watch (`watch_list.py`); what an event does is in `watch_handler.py`.
It writes to a queue (`fifo.py`), whose consumer is the informer (`informer.py`), and asks a
`ListerWatcher` (`listwatch.py`) for everything. Counterpart of client-go's tools/cache/reflector.go.

All of its state is one resource version, `last_sync_resource_version`: everything up to it is in the
store. What happens next is decided by what that version is still worth:

| what went wrong                                    | the version is | then                                  |
|----------------------------------------------------|----------------|---------------------------------------|
| the server ended the watch, or the connection broke| good           | watch on, at once                     |
| watch: no answer at all, 429 (also inside it)      | good           | back off, watch on                    |
| watch: bytes that make no sense                    | good           | back off, watch on; list if it repeats|
| watch: ended within a second without any event     | doubtful       | back off, list                        |
| watch: InternalError inside it, while that is new  | good           | watch on, at once (if configured)     |
| watch: 410, 401, 403, 404, 5xx and the rest        | doubtful       | back off, list                        |
| list: 410, or the version is too large             | useless        | list the newest state, at once        |
| list: anything else                                | as good as ever| back off, list                        |
| watch list: 410, or the version is too large       | useless        | watch list for the newest, at once    |
| watch list: no answer, 429, ended too early        | good           | back off, watch list again            |
| watch list: anything else, or too early again      | good           | list, at once                         |

Nothing ends the loop but stop: an operator whose rights are missing today may have them tomorrow.
"""

from __future__ import annotations

import logging
import math
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from handwritten.backoff import BackoffManager
from handwritten.clock import Clock
from handwritten.fifo import ReflectorStore, TransformingStore
from handwritten.inflight import InFlight, Stopped
from handwritten.listwatch import ListerWatcher, Watch
from handwritten.pager import PAGE_SIZE, Listing, list_pages
from handwritten.retry_with_deadline import RetryWithDeadline
from handwritten.store import Object
from handwritten.watch_handler import WatchHandler
from handwritten.watch_list import InitialEventsEndTicker, TemporaryStore
from twinloop.errors import ApiError, CorruptAnswer, Gone, TooManyRequests, TwinloopError, Unavailable

logger = logging.getLogger("handwritten.reflector")

# A watch lives between this and twice this, at random, so that the watches of many clients, all opened when the
# server came up, do not end together for ever after. Shorter ones would only be load.
MIN_WATCH_SECONDS = 300.0

# A watch that ends sooner, without an event, has been refused by something on the way rather than served.
SHORT_WATCH_SECONDS = 1.0

# So long without an InternalError, and the next one is a new one.
INTERNAL_ERROR_RESET_SECONDS = 60.0


class VeryShortWatch(TwinloopError):
    """A watch ended at once without an event; opening the next one straight away would be a busy loop."""

    hint = "A proxy or load balancer may be closing idle connections."


class _WatchAgain(Exception):
    """Back off because of `error`, then go on with the watch: our version is as good as before."""

    def __init__(self, error: ApiError) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass
class _Open:
    """A watch that is being read."""

    watch: Watch
    stream: Iterator[Object]
    handler: WatchHandler
    at: float


class Reflector:
    """Lists and watches one kind, forever, and writes it into a store.

    `run` is for one thread; the properties may be read from any.
    """

    def __init__(
        self,
        lister_watcher: ListerWatcher,
        store: ReflectorStore,
        *,
        clock: Clock,
        rng: random.Random,
        name: str = "reflector",
        resync_period: float = 0.0,
        should_resync: Callable[[], bool] = lambda: True,
        expected_kind: str = "",
        page_size: int = 0,
        min_watch_seconds: float = MIN_WATCH_SECONDS,
        backoff: BackoffManager | None = None,
        error_handler: Callable[[Exception], None] = lambda _: None,
        watch_list: bool = False,
        max_internal_error_retry_seconds: float = 0.0,
    ) -> None:
        """Prepare; nothing is requested before `run`.

        - `resync_period` (seconds, 0 for never): how often to call `store.resync`, if `should_resync` agrees.
        - `expected_kind`: watch events of another kind are skipped; "" takes all.
        - `page_size`: 0 lets the reflector choose, else every list asks for pages of that size.
        - `min_watch_seconds`: watches last one to two times this; less than five minutes is ignored.
        - `error_handler` is told of every failure, on the reflector's thread: it must not block.
        - `watch_list`: ask for the first state as the beginning of the watch; where that fails, by a list.
        - `max_internal_error_retry_seconds`: for how long an InternalError inside watches is answered by the next watch
          at once; 0, client-go's default, lists at the first one.
        """
        self._lister_watcher = lister_watcher
        self._store = store
        self._clock = clock
        self._rng = rng
        self._name = name
        self._resync_period = resync_period
        self._should_resync = should_resync
        self._expected_kind = expected_kind
        self._page_size = page_size
        self._min_watch_seconds = max(min_watch_seconds, MIN_WATCH_SECONDS)
        # One for lists and watches: they talk to one server, and a watch that fails after a list that failed is
        # no news.
        self._backoff = backoff or BackoffManager(clock=clock, rng=rng)
        self._error_handler = error_handler
        self._use_watch_list = watch_list
        self._internal_errors = RetryWithDeadline(
            max_retry_seconds=max_internal_error_retry_seconds,
            min_reset_seconds=INTERNAL_ERROR_RESET_SECONDS,
            is_retryable=is_internal_error,
            clock=clock,
        )
        self._in_flight = InFlight(name)
        self._resync_error: Exception | None = None
        # Written by the thread in `run` alone; a str and references, so readers need no lock.
        self._version = ""
        self._version_unavailable = False
        # Whether the server makes pages of a list at version "0". It does when it has no watch cache.
        self._paginated = False
        # The version from which a watch brought nonsense, to notice when it does so again.
        self._corrupt_at: str | None = None
        self._last_error: Exception | None = None

    @property
    def last_sync_resource_version(self) -> str:
        """The version that the store is at: opaque, "" before the first list."""
        return self._version

    @property
    def is_last_sync_resource_version_unavailable(self) -> bool:
        """Whether the server has refused the version as too old or too new, and no list has succeeded since."""
        return self._version_unavailable

    @property
    def last_error(self) -> Exception | None:
        """What went wrong last; None while lists and watches are answered."""
        return self._last_error

    def run(self, stop: threading.Event) -> None:
        """List and watch until `stop` is set; then return, soon, whatever is in flight.

        Two threads live as long: this one, and one beside it for resyncs and for noticing the stop.
        """
        beside = threading.Thread(target=self._beside, args=(stop,), name=f"{self._name}-resync", daemon=True)
        beside.start()
        while not stop.is_set():
            try:
                self._list_and_watch(stop)
            except Stopped:
                break
            # Everything: a bug in a store or a lister-watcher must not end the one thread that keeps the cache fresh.
            except Exception as error:  # noqa: BLE001
                self._back_off(stop, error)
        beside.join()

    def _list_and_watch(self, stop: threading.Event) -> None:
        """Get the present state once, then watch for as long as that works. Ends by raising, or when `stop` is set."""
        self._resync_error = None
        watch = self._watch_list(stop) if self._use_watch_list else None
        if watch is None:
            self._list()
        while not stop.is_set():
            try:
                self._watch(watch)
            except _WatchAgain as again:
                self._back_off(stop, again.error)
            except ApiError as error:
                self._internal_errors.after(error)
                if not (is_internal_error(error) and self._internal_errors.should_retry()):
                    raise
                logger.info("Internal error inside the watch, watching on", extra=self._extra(error))
            watch = None

    # ------------------------------------------------------------------------------------------------ list

    def _list(self) -> None:
        """Replace what the store has by a list that is at least as new."""
        asked = self._relist_version()
        limit = self._list_limit(asked)
        try:
            listing = self._pages(asked, limit)
        except ApiError as error:
            if not _means_unavailable_version(error):
                raise
            # The version is lost, and waiting does not bring it back: ask for the newest state at once.
            logger.info("Resource version unavailable, listing anew", extra=self._extra(error))
            self._version_unavailable = True
            listing = self._pages(self._relist_version(), limit)
        if asked == "0" and listing.paginated:
            self._paginated = True
        self._replace(listing.items, listing.resource_version)
        logger.debug("Listed", extra=self._extra() | {"objects": len(listing.items)})

    def _replace(self, objects: list[Object], version: str) -> None:
        self._store.replace(objects, version)
        # Only now: a version that is not in the store must not become the start of a watch.
        self._version = version
        self._version_unavailable = False
        self._corrupt_at = None
        self._last_error = None

    def _relist_version(self) -> str:
        """Return the version to list at (client-go: relistResourceVersion).

        Not older than what the store has, so that a server which lags behind cannot take us back in time;
        "0" for the first list, which any server answers from memory; "" when our version is no longer known.
        """
        if self._version_unavailable:
            return ""
        return self._version or "0"

    def _list_limit(self, asked: str) -> int:
        """Return the page size for a list at version `asked`.

        A list at a version is answered from the server's watch cache only when it has no limit. Where
        there is no cache (the first list came in pages), pages spare etcd.
        """
        if self._page_size:
            return self._page_size
        return PAGE_SIZE if self._paginated or asked in {"", "0"} else 0

    def _pages(self, version: str, limit: int) -> Listing:
        def fetch(version: str, limit: int, token: str) -> Object:
            return self._in_flight.request(
                lambda: self._lister_watcher.list(resource_version=version, limit=limit, continue_token=token)
            )

        return list_pages(fetch, resource_version=version, limit=limit)

    # ------------------------------------------------------------------------------------------- watch list

    def _watch_list(self, stop: threading.Event) -> _Open | None:
        """Replace what the store has by the initial events of a watch; return that watch, None when it takes a list."""
        early = 0
        while not stop.is_set():
            try:
                watch = self._initial_events()
            except _WatchAgain as again:
                self._back_off(stop, again.error)
            except TwinloopError as error:
                if isinstance(error, ApiError) and _means_unavailable_version(error) and not self._version_unavailable:
                    self._version_unavailable = True
                    continue
                # Invalid is how a server without the feature answers, and needs no more than this line.
                logger.info("Watch list failed, listing instead", extra=self._extra(error))
                return None
            else:
                if watch is not None:
                    return watch
                early += 1
                if early > 1:
                    # client-go would go on asking; a server that does not know the option never sends the bookmark.
                    logger.info("Watch list ended early again, listing instead", extra=self._extra())
                    return None
                self._back_off(stop, Unavailable("the watch list ended before its initial events did"))
        raise Stopped

    def _initial_events(self) -> _Open | None:
        """Collect the initial events of one watch and hand them to the store; None when it ended before they did."""
        asked = "" if self._version_unavailable else self._version
        watch = self._open_watch(asked, send_initial_events=True)
        self._in_flight.hold(watch)
        transform = self._store.transform if isinstance(self._store, TransformingStore) else None
        collected = TemporaryStore(transform)
        handler = WatchHandler(collected, name=self._name, expected_kind=self._expected_kind)
        reading = self._begin(watch, handler)
        try:
            with InitialEventsEndTicker(self._name, clock=self._clock) as ticker:
                complete = self._consume(reading, ticker)
            if complete:
                self._replace(collected.list(), handler.initial_events_end)
        except BaseException:
            self._in_flight.cut()
            raise
        if not complete:
            self._in_flight.cut()
            self._check_length(reading)
            return None
        reading.handler = self._handler(in_order=True)
        # What came before the bookmark was a list; a short watch is one that has nothing after it.
        reading.handler.events = handler.events
        return reading

    # ----------------------------------------------------------------------------------------------- watch

    def _watch(self, reading: _Open | None) -> None:
        """Watch from our version, or on with `reading`, until the watch ends; the next one can then be opened at once."""
        try:
            if reading is None:
                watch = self._open_watch(self._version)
                with self._in_flight.watching(watch):
                    reading = self._begin(watch, self._handler())
                    self._consume(reading)
            else:
                with self._in_flight.held():
                    self._consume(reading)
        except CorruptAnswer as error:
            # The line may have been an event, and nothing of it is in the store: from our version the server will
            # send it again. If that brings the same nonsense, perhaps a list can be read.
            if self._corrupt_at == self._version:
                raise
            self._corrupt_at = self._version
            raise _WatchAgain(error) from error
        if self._resync_error is not None:
            raise self._resync_error
        self._check_length(reading)
        logger.debug("Watch ended", extra=self._extra() | {"events": reading.handler.events})

    def _begin(self, watch: Watch, handler: WatchHandler) -> _Open:
        opened = self._clock.now()
        return _Open(watch, iter(watch), handler, opened)

    def _handler(self, *, in_order: bool | None = None) -> WatchHandler:
        """Return a handler that writes to our store and moves our version, for a watch that starts from there."""
        if in_order is None:
            in_order = self._version not in {"", "0"}
        return WatchHandler(
            self._store, name=self._name, expected_kind=self._expected_kind, in_order=in_order, moved=self._move
        )

    def _move(self, version: str) -> None:
        self._version = version

    def _open_watch(self, version: str, *, send_initial_events: bool = False) -> Watch:
        seconds = int(self._min_watch_seconds * (1.0 + self._rng.random()))
        try:
            watch = self._in_flight.request(
                lambda: self._lister_watcher.watch(
                    resource_version=version, timeout_seconds=seconds, send_initial_events=send_initial_events
                ),
                discard=lambda late: late.stop(),
            )
        except CorruptAnswer:
            raise
        except (TooManyRequests, Unavailable) as error:
            # No answer at all (code 0) says nothing about our version, and a list is the last thing that an
            # overloaded server needs. client-go counts only "connection refused" as no answer; a server that is
            # going away shows as resets and time-outs as well. A 5xx is an answer and leads to a list, as there.
            if error.code and not isinstance(error, TooManyRequests):
                raise
            raise _WatchAgain(error) from error
        self._last_error = None
        return watch

    def _consume(self, reading: _Open, ticker: InitialEventsEndTicker | None = None) -> bool:
        """Handle events until the watch ends; with a `ticker` until the initial ones do, and say whether they did."""
        if self._resync_error is not None:  # it came before there was a watch that it could have ended
            return False
        while True:
            try:
                event = next(reading.stream, None)
            except CorruptAnswer:
                raise
            except Unavailable as error:
                # A broken connection, or one that was silent too long: the end of the watch, as in client-go.
                logger.info("Watch broke off", extra=self._extra(error))
                return False
            if event is None:
                return False
            try:
                reading.handler.handle(event)
            except TooManyRequests as error:
                raise _WatchAgain(error) from error
            if ticker is not None:
                ticker.event()
                if reading.handler.initial_events_end:
                    return True

    def _check_length(self, reading: _Open) -> None:
        if not reading.handler.events and self._clock.now() - reading.at < SHORT_WATCH_SECONDS:
            raise VeryShortWatch(f"the watch ended within {SHORT_WATCH_SECONDS:g} s without an event")

    # ---------------------------------------------------------------------------------- beside the two

    def _beside(self, stop: threading.Event) -> None:
        """Resync now and then, and end what is in flight as soon as `stop` is set."""
        period = self._resync_period if self._resync_period > 0 else math.inf
        while not self._clock.sleep(stop, period):
            try:
                if self._should_resync():
                    self._store.resync()
            except Exception as error:
                # The store is in doubt: end the watch, which leads to a list. The next resync comes all the same.
                logger.exception("Resync failed", extra=self._extra())
                self._resync_error = error
                self._in_flight.cut()
        self._in_flight.stop()

    def _back_off(self, stop: threading.Event, error: Exception) -> None:
        """Report `error`, then wait for as long as the back-off or the server says, whichever is longer."""
        if stop.is_set():  # what breaks while everything is being closed is no news
            return
        delay = max(self._backoff.step(), getattr(error, "retry_after", None) or 0.0)
        self._last_error = error
        extra = self._extra(error) | {"retry_in": round(delay, 3)}
        if isinstance(error, Gone):
            logger.info("Watch expired, listing anew", extra=extra)
        elif isinstance(error, TwinloopError):
            logger.warning("List or watch failed", extra=extra)
        else:
            logger.error("List or watch failed unexpectedly", extra=extra, exc_info=error)
        try:
            self._error_handler(error)
        except Exception:
            logger.exception("The error handler failed", extra=self._extra())
        self._clock.sleep(stop, delay)

    def _extra(self, error: Exception | None = None) -> dict[str, object]:
        """Return the fields that every log line of this reflector carries."""
        extra: dict[str, object] = {"reflector": self._name, "resource_version": self._version}
        if error is not None:
            extra |= {"error": str(error), "error_type": type(error).__name__, "hint": getattr(error, "hint", "")}
        return extra


def is_internal_error(error: Exception) -> bool:
    """Return whether the server says that something broke inside it (apierrors.IsInternalError)."""
    return isinstance(error, ApiError) and error.reason == "InternalError"


def _means_unavailable_version(error: ApiError) -> bool:
    """Return whether the server no longer has, or does not have yet, the version that it was asked for."""
    return isinstance(error, Gone) or is_too_large_resource_version(error)


def is_too_large_resource_version(error: ApiError) -> bool:
    """Return whether the server says that it has not reached the asked version yet.

    That happens after a restore of etcd, or with an API server that lags behind another one. Known by its
    cause since Kubernetes 1.19, by a cause's message in 1.17 and 1.18, by the message before.
    Source: isTooLargeResourceVersionError.
    """
    if any(cause.get("reason") == "ResourceVersionTooLarge" for cause in error.causes):
        return True
    texts = [cause.get("message") for cause in error.causes] + [error.body.get("message"), str(error)]
    return error.reason == "Timeout" and any("Too large resource version" in str(text) for text in texts)
