"""GET with watch=true: the changes of a collection as they happen, after its present state or from a version on.

`open_watch` decides where a watch starts, a `Watch` is the stream that `http/` reads: it notes matching events as the
storage commits them and encodes them when it is read. A watch is ended when its time is over, when the storage goes
back to a snapshot, and when its reader is too far behind; a version that is forgotten ends it with an ERROR event.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from twinloop.apiserver import codec, failures
from twinloop.apiserver.failures import Failure
from twinloop.apiserver.history import Event, Record
from twinloop.apiserver.options import ListOptions
from twinloop.apiserver.storage import Storage
from twinloop.apiserver.verbs.call import Call
from twinloop.apiserver.verbs.read import parse_version
from twinloop.apiserver.verbs.selection import Selection, select

# (type, the record to show, the revision to show it with)
Item = tuple[str, Record]
Object = dict[str, Any]


class Encode(Protocol):
    """How things stand in an event, in the form that the client accepts."""

    def __call__(self, record: Record) -> bytes:
        """An object."""

    def bookmark(self, metadata: Object) -> bytes:
        """The object that there is none of, with metadata that says how far the watch has come."""


# Events that may wait for a reader. The real server allows a few hundred more than it can send in 50 ms and then ends
# the watch; here a reader shares its processor with the server and gets more patience.
BACKLOG = 16_384
BACKLOG_BYTES = 64 << 20  # objects that nobody reads must not fill the memory either
# Bytes given out at a time, so that a long replay neither fills the memory nor holds up other clients.
CHUNK = 1 << 18
BOOKMARK_EVERY = 60.0
BOOKMARK_BEFORE_END = 2.0
# kube-apiserver's --min-request-timeout: a watch without timeoutSeconds lasts between once and twice as long.
LONGEST = 1800.0

_INITIAL_EVENTS_END = {"k8s.io/initial-events-end": "true"}


class Watch:
    """One open watch; see `answer.Stream`."""

    def __init__(self, call: Call, selection: Selection, encode: Encode, *, bookmarks: bool, timeout: float) -> None:
        self.on_ready: Callable[[], None] | None = None
        self._call, self._selection, self._encode = call, selection, encode
        self._first: Iterator[bytes] = iter(())  # lines that come before all events: the present state, or a replay
        self._events: deque[Item] = deque()
        self._waiting = 0  # bytes of these
        self._after = 0  # events up to this revision are not shown
        self._closed = False
        self._drained = False
        self._bookmarks = bookmarks
        self._end = call.now + timeout
        self._next_bookmark = self._bookmark_time()

    # ------------------------------------------------------------------ how it begins

    def begin(self, lines: Iterable[bytes], after: int) -> None:
        """Show these lines first, then events after a revision."""
        self._first, self._after = iter(lines), after
        self._call.storage.watches.setdefault(self._call.resource, {})[self] = None

    def fail(self, failure: Failure) -> None:
        """Show one ERROR event and end."""
        self._first = iter([_line("ERROR", codec.encode(failure.status))])
        self._closed = True

    # ------------------------------------------------------------------ what the edge uses

    def read(self) -> bytes:
        """Complete lines that are ready now, about `CHUNK` bytes at most; empty when there are none."""
        lines, size = [], 0
        for line in self._ready():
            lines.append(line)
            size += len(line)
            if size >= CHUNK:
                break
        else:
            self._drained = True
            self._check_end()
        return b"".join(lines)

    @property
    def ended(self) -> bool:
        """Whether all has been said."""
        self._check_end()
        return self._closed and self._drained and not self._events

    @property
    def deadline(self) -> float | None:
        """When the next bookmark is due, or the end."""
        if self._closed:
            return None
        return min(self._end, self._next_bookmark) if self._bookmarks else self._end

    def close(self) -> None:
        """Show no more events; what was noted can still be read."""
        if not self._closed:
            self._closed = True
            self._call.storage.watches.get(self._call.resource, {}).pop(self, None)
            self._wake()

    # ------------------------------------------------------------------ what the storage tells

    def notice(self, event: Event) -> None:
        """Note a committed event, as seen through the selection."""
        item = self._item(event)
        if item is None:
            return
        self._events.append(item)
        self._waiting += len(item[1].raw)
        self._drained = False
        if len(self._events) > BACKLOG or self._waiting > BACKLOG_BYTES:
            self.close()
        elif len(self._events) == 1:
            self._wake()

    def _wake(self) -> None:
        if self.on_ready is not None:
            self.on_ready()

    def _item(self, event: Event) -> Item | None:
        return through(self._selection, event) if event.revision > self._after else None

    # ------------------------------------------------------------------ lines

    def _ready(self) -> Iterator[bytes]:
        for line in self._first:  # noqa: UP028 - `yield from` would close it with this generator, after one chunk
            yield line
        events, encode = self._events, self._encode
        while events:
            kind, record = events.popleft()
            self._waiting -= len(record.raw)
            yield _line(kind, encode(record))
        if self._bookmarks and not self._closed and self._call.now >= self._next_bookmark:
            yield from self._bookmark()

    def _bookmark(self) -> Iterator[bytes]:
        now = self._call.now
        self._next_bookmark = self._bookmark_time()
        if now >= self._next_bookmark:  # the one before the end was the last
            self._next_bookmark = float("inf")
        if self._call.storage.revision >= self._after:
            yield _bookmark(self._encode, self._call.storage.revision)

    def _bookmark_time(self) -> float:
        now, last = self._call.now, self._end - BOOKMARK_BEFORE_END
        return min(now + BOOKMARK_EVERY, last) if last > now else float("inf")

    def _check_end(self) -> None:
        if not self._closed and self._call.now >= self._end:
            self.close()


def through(selection: Selection, event: Event) -> Item | None:
    """An event as a selection shows it: objects that move in are ADDED, those that move out are DELETED."""
    is_in = event.type != "DELETED" and selection.matches(event.record)
    was_in = event.previous is not None and selection.matches(event.previous)
    if is_in:
        return ("MODIFIED" if was_in else "ADDED"), event.record
    if not was_in or event.previous is None:
        return None
    return "DELETED", event.record if event.type == "DELETED" else _as_of(event.previous, event.revision)


def _as_of(record: Record, revision: int) -> Record:
    """A previous state that carries the revision of the event which ended it."""
    return Storage.sketch(record.object(), record.fields, revision)


def _bookmark(encode: Encode, revision: int, annotations: dict[str, str] | None = None) -> bytes:
    """A BOOKMARK line: nothing happened up to this revision that was not shown."""
    metadata: Object = {"resourceVersion": str(revision)}
    if annotations:
        metadata["annotations"] = annotations
    return _line("BOOKMARK", encode.bookmark(metadata))


def _line(kind: str, body: bytes) -> bytes:
    return b'{"type":"%b","object":%b}\n' % (kind.encode(), body)


# ---------------------------------------------------------------------------------------------- opening


def open_watch(call: Call, options: ListOptions, encode: Encode) -> Watch:
    """A watch as the options ask for it. Raises for what cannot be parsed; all later trouble is an ERROR event."""
    selection = select(call.kind, call.namespace, call.name, options)
    version = parse_version(options.version, bare=True)
    timeout = float(options.timeout or LONGEST * (1 + call.host.rng.random()))
    watch = Watch(call, selection, encode, bookmarks=options.bookmarks, timeout=timeout)
    if timeout < 0:
        watch.fail(Failure(500, "InternalError", "context deadline exceeded"))
        return watch
    try:
        _begin(call, watch, options, selection, encode, version)
    except Failure as failure:
        watch.fail(failure)
    return watch


def _begin(call: Call, watch: Watch, options: ListOptions, selection: Selection, encode: Encode, version: int) -> None:
    storage = call.storage
    legacy = options.initial_events is None and version == 0
    if options.initial_events or legacy:
        if version > storage.revision:
            raise failures.too_large_version(version, storage.revision)
        watch.begin(_present(call, options, selection, encode), storage.revision)
    elif version == 0:
        watch.begin((), storage.revision)
    else:
        events = storage.events_since(call.resource, version)
        watch.begin(_replay(events, selection, encode), max(version, storage.revision))


def _present(call: Call, options: ListOptions, selection: Selection, encode: Encode) -> Iterator[bytes]:
    """The present state as ADDED events, and a bookmark that says they are over."""
    revision = call.storage.revision
    records = call.storage.list(call.resource, call.namespace)

    def lines() -> Iterator[bytes]:
        for record in records:
            if selection.matches(record):
                yield _line("ADDED", encode(record))
        if options.bookmarks:
            yield _bookmark(encode, revision, _INITIAL_EVENTS_END)

    return lines()


def _replay(events: Iterable[Event], selection: Selection, encode: Encode) -> Iterator[bytes]:
    for event in events:
        item = through(selection, event)
        if item is not None:
            yield _line(item[0], encode(item[1]))
