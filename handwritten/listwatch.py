"""Where the reflector's knowledge comes from: list a kind once, then watch it.

`ListerWatcher` is the seam: `reflector.py` knows nothing else of an API server, and tests give it a
`FakeControllerSource`. `ListWatch` is the one over HTTP; in the cache half of this package nothing else
imports `twinloop.kube`. Counterpart of client-go's tools/cache/listwatch.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Protocol, Self

from handwritten.store import Object
from twinloop.errors import ApiError
from twinloop.kube import Client, Resource, WatchStream, decode_event, error_from_status

# The API server sends a bookmark about once a minute to a watcher that hears nothing else. Silence for half
# as long again means a connection that is open on our side only (a rebooted node, a NAT table that forgot it):
# TCP would not notice for hours, and client-go relies on HTTP/2 pings that Python's client does not have. A
# server without bookmarks costs one reopened watch every 90 s, from the same version, and no list.
IDLE_SECONDS = 90.0


class Watch(Protocol):
    """An open watch: iterate it for events `{"type": ..., "object": {...}}`, in the server's order.

    The iteration ends when the server ends the watch, or soon after `stop`. It raises CorruptAnswer for
    an event that makes no sense and Unavailable when the connection breaks.
    """

    def __iter__(self) -> Iterator[Object]:
        """Return the events as they come."""
        ...

    def stop(self) -> None:
        """End the watch, from any thread, also while another one iterates it."""
        ...

    def __enter__(self) -> Self:
        """Return the watch."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Call `stop`."""
        ...


class ListerWatcher(Protocol):
    """A source of one kind of objects. Both methods raise `ApiError`s.

    Resource versions are opaque strings. "" asks for the newest state (a read that etcd confirms), "0"
    for any state that the server has at hand, anything else for a state at least as new.
    """

    def list(self, *, resource_version: str, limit: int, continue_token: str) -> Object:
        """Return one page, `{"metadata": {"resourceVersion", "continue"?}, "items": [...]}`.

        `limit` 0 is no limit; `continue_token` is that of the page before, "" for the first.
        """
        ...

    def watch(self, *, resource_version: str, timeout_seconds: int, send_initial_events: bool = False) -> Watch:
        """Return a watch for what happens after `resource_version`, with bookmarks.

        The server ends it after `timeout_seconds`. With `send_initial_events` it begins with an ADDED event for each
        object of a state that is at least as new as `resource_version`, and a bookmark that says where those end.
        """
        ...


class ListWatch:
    """The objects of one resource, of one namespace or of all, from an API server."""

    def __init__(
        self,
        client: Client,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        """`namespace` None is all of them. After `idle_seconds` of silence a watch is taken for broken."""
        self._client = client
        self._resource = resource
        self._namespace = namespace
        self._label_selector = label_selector
        self._idle_seconds = idle_seconds

    def list(self, *, resource_version: str, limit: int, continue_token: str) -> Object:
        """See `ListerWatcher.list`."""
        page = self._client.list_page(
            self._resource,
            self._namespace,
            label_selector=self._label_selector,
            limit=limit,
            continue_token=continue_token,
            # In Python's client None leaves the parameter out, which is what "" means in client-go.
            resource_version=resource_version or None,
        )
        for item in page.get("items") or ():
            self._complete(item)
        return page

    def watch(self, *, resource_version: str, timeout_seconds: int, send_initial_events: bool = False) -> EventStream:
        """See `ListerWatcher.watch`."""
        return EventStream(
            self._client.watch(
                self._resource,
                self._namespace,
                resource_version=resource_version,
                timeout_seconds=timeout_seconds,
                label_selector=self._label_selector,
                allow_bookmarks=True,
                send_initial_events=send_initial_events,
                idle_timeout=self._idle_seconds,
            )
        )

    def _complete(self, item: object) -> None:
        """Give a listed object the kind that a watched one has: lists of built-in kinds leave it out."""
        if isinstance(item, dict):
            item.setdefault("apiVersion", self._resource.api_version)
            item.setdefault("kind", self._resource.kind)


class EventStream:
    """A `Watch` over the raw lines of a `WatchStream`."""

    def __init__(self, stream: WatchStream) -> None:
        """Take over `stream`: `stop` closes it."""
        self._stream = stream

    def __iter__(self) -> Iterator[Object]:
        """Yield decoded events; see `Watch`."""
        for line in self._stream:
            yield decode_event(line)

    def stop(self) -> None:
        """Close the connection."""
        self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()


def watch_error(event: Object) -> ApiError:
    """Return the error that an event of type ERROR carries: a Status object in an answer of 200."""
    return error_from_status(event["object"])
