"""Kubernetes Events, the ones that `kubectl describe` shows, written beside the work and never in its way.

The sync function says what happened through `EventRecorder.event`; a thread of its own has `event_correlator.py` make few
out of many and writes what is left with the client. The contract is that of client-go's tools/record: recording neither
blocks nor fails, and an Event that cannot be written is lost.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Protocol

from twinloop.errors import AlreadyExists, ApiError, Forbidden, NotFound, TooManyRequests, Unavailable
from twinloop.kube.event_correlator import Correlated, EventCorrelator, shorten
from twinloop.kube.metrics import EVENTS_DROPPED
from twinloop.kube.resources import EVENTS, Object, Resource

log = logging.getLogger(__name__)

# client-go's broadcaster queues 1000 too (record.maxQueuedEvents).
CAPACITY = 1000

# A name is at most 253 characters; the dot and the hexadecimal time take 17.
MAX_NAME = 253 - 17

# Seconds before the second, third and fourth try. client-go tries for two minutes; an Event that is later than the
# back-off of what it reports is of little use.
BACK_OFF = (0.5, 1.0, 2.0)

# What a server may ask a waiting Event to wait at most: the others queue behind it.
MAX_RETRY_AFTER = 10.0


class EventSink(Protocol):
    """What the recorder needs of a client."""

    def create(self, resource: Resource, body: Object, namespace: str | None = None) -> Object:
        """Create the object; an ApiError when it was not."""

    def merge_patch(self, resource: Resource, name: str, patch: Object, namespace: str | None = None) -> Object:
        """Patch the object; an ApiError when it was not, NotFound when there is none."""


def _wait(stop: threading.Event, seconds: float) -> bool:
    return stop.wait(seconds)


class EventRecorder:
    """Records Events about objects; see the module. Close it to have the last ones written."""

    def __init__(
        self,
        sink: EventSink,
        *,
        component: str = "nginxpod-controller",
        instance: str | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[threading.Event, float], bool] = _wait,
        timer: Callable[[], float] = time.monotonic,
        capacity: int = CAPACITY,
    ) -> None:
        """`instance` is the host name by default, which is the pod's; `sleep` returns True as soon as it is stopped."""
        self._sink = sink
        self._component = component
        self._instance = instance or socket.gethostname()
        self._now = now
        self._sleep = sleep
        self._capacity = capacity
        self._correlator = EventCorrelator(timer=timer)  # used by the writer thread only
        self._last_stamp = 0
        # Guards the queue, the stamp and the two flags; held for moments only, never during a request.
        self._changed = threading.Condition()
        self._queue: deque[Object] = deque()
        self._closing = False
        self._overflowing = False
        self._stop = threading.Event()  # ends the waits between tries once the time for closing is over
        self._reported: set[tuple[type[Exception], int]] = set()  # used by the writer thread only
        self._thread = threading.Thread(target=self._write_all, name="event-recorder", daemon=True)
        self._thread.start()

    def event(self, involved: Object, type_: str, reason: str, message: str) -> None:
        """Queue one Event about `involved`, `type_` being Normal or Warning; returns at once and never raises."""
        try:
            with self._changed:
                if self._closing:
                    EVENTS_DROPPED.labels("closed").inc()
                elif len(self._queue) >= self._capacity:
                    self._overflow()
                else:
                    self._queue.append(self._body(involved, type_, reason, message))
                    self._changed.notify()
        except Exception:  # an object of the wrong shape must not cost the sync that reports about it
            log.exception("an Event could not be recorded: %s", reason)

    def close(self, timeout: float) -> None:
        """Take no more Events, and wait up to `timeout` seconds for the queued ones to be written."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(timeout)
        self._stop.set()
        with self._changed:
            left = len(self._queue)
            self._queue.clear()
        if left:
            EVENTS_DROPPED.labels("closed").inc(left)
            log.warning("%d Events were not written before the end", left)

    def _overflow(self) -> None:
        EVENTS_DROPPED.labels("queue_full").inc()
        if not self._overflowing:  # one line for each time that it fills, not one for each Event
            log.warning("the queue of Events is full (%d), dropping new ones", self._capacity)
        self._overflowing = True

    def _body(self, involved: Object, type_: str, reason: str, message: str) -> Object:
        """A core/v1 Event with the fields that client-go's recorder fills in."""
        metadata: Mapping[str, str] = involved["metadata"]
        now = self._now()
        # Unique within the process even for two Events of one microsecond: the name is made of it.
        self._last_stamp = stamp = max(self._last_stamp + 1, int(now.timestamp() * 1_000_000) * 1000)
        time_text = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        namespace = metadata.get("namespace", "")
        reference = {
            "apiVersion": involved.get("apiVersion"),
            "kind": involved.get("kind"),
            "namespace": namespace,
            "name": metadata["name"],
            "uid": metadata.get("uid"),
            "resourceVersion": metadata.get("resourceVersion"),
        }
        return {
            "apiVersion": EVENTS.api_version,
            "kind": EVENTS.kind,
            "metadata": {
                "name": f"{metadata['name'][:MAX_NAME].rstrip('-.')}.{stamp:x}",
                # Events about cluster-scoped objects live in default, as client-go has it.
                "namespace": namespace or "default",
            },
            "involvedObject": {key: value for key, value in reference.items() if value},
            "type": type_,
            "reason": reason,
            "message": shorten(message),
            "source": {"component": self._component},
            "reportingComponent": self._component,
            "reportingInstance": self._instance,
            "firstTimestamp": time_text,
            "lastTimestamp": time_text,
            "count": 1,
        }

    def _write_all(self) -> None:
        while (event := self._next()) is not None:
            try:
                correlated = self._correlator.correlate(event)
                if correlated is None:
                    EVENTS_DROPPED.labels("rate_limited").inc()
                else:
                    self._write(correlated)
            except Exception:  # the thread outlives a defect: later Events are still wanted
                log.exception("an Event could not be written")

    def _next(self) -> Object | None:
        """The oldest queued Event, waited for; None when the recorder is closed and everything is written."""
        with self._changed:
            while not self._queue and not self._closing:
                self._changed.wait()
            self._overflowing = self._overflowing and len(self._queue) >= self._capacity
            return self._queue.popleft() if self._queue else None

    def _write(self, correlated: Correlated) -> None:
        for pause in (*BACK_OFF, None):
            try:
                self._send(correlated)
            except AlreadyExists:
                pass  # a try before this one was done although its answer got lost
            except (Unavailable, TooManyRequests) as error:
                if pause is not None and not self._sleep(self._stop, _pause(error, pause)):
                    continue
                self._give_up("unavailable", error)
                return
            except ApiError as error:
                if not _namespace_gone(error):
                    self._give_up("refused", error)
                return
            self._reported.clear()
            return

    def _send(self, correlated: Correlated) -> None:
        event = correlated.event
        name, namespace = event["metadata"]["name"], event["metadata"]["namespace"]
        if correlated.patch is not None:
            try:
                self._sink.merge_patch(EVENTS, name, correlated.patch, namespace)
            except NotFound:
                pass  # it has expired, or was never written: begin anew, with the count so far
            else:
                return
        self._sink.create(EVENTS, event, namespace)

    def _give_up(self, cause: str, error: ApiError) -> None:
        EVENTS_DROPPED.labels(cause).inc()
        # A right that is missing would otherwise fill the log with one line an Event; told again after a success.
        if (key := (type(error), error.code)) not in self._reported:
            self._reported.add(key)
            log.warning("an Event was not written: %s", error)


def _pause(error: ApiError, pause: float) -> float:
    return pause if error.retry_after is None else min(error.retry_after, MAX_RETRY_AFTER)


def _namespace_gone(error: ApiError) -> bool:
    """Whether the Event's namespace is being or has been deleted: nobody will look there any more."""
    return isinstance(error, NotFound) or (isinstance(error, Forbidden) and error.namespace_terminating)
