"""Many Events made few: repeated ones counted, similar ones combined, a flood cut off.

The recorder (`events.py`) shows each Event here before it writes it, and gets back what to write: the Event itself, a patch
of one that was written before, or nothing. Three steps, as in client-go's tools/record/events_cache.go:

    aggregate   ten different messages of one sort about one object -> "(combined from similar events): ..."
    count       the same Event again -> a patch of count, lastTimestamp and message
    filter      more than 25 about one object, and one more every five minutes -> dropped

Times are monotonic seconds. Nothing here knows HTTP, and nothing is locked: it belongs to the recorder's thread.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Generic, TypeVar

from twinloop.kube.resources import Object

# All client-go's defaults. With them an object costs the API server at most 25 writes at once, whatever goes wrong.
MAX_SIMILAR: Final = 10
SIMILAR_SECONDS: Final = 600.0
SPAM_BURST: Final = 25
SPAM_REFILL_SECONDS: Final = 300.0
# How many different Events, sorts of Events and objects are remembered; the least recently used are forgotten.
CACHE_SIZE: Final = 4096

# The API server refuses longer messages (core validation, NoteLengthLimit), and counts bytes.
MAX_MESSAGE: Final = 1024

COMBINED: Final = "(combined from similar events): "

V = TypeVar("V")


def shorten(message: str) -> str:
    """Return as much of `message` as the API server takes."""
    return message.encode("utf-8", errors="replace")[:MAX_MESSAGE].decode("utf-8", errors="ignore")


class _Cache(Generic[V]):
    """A dictionary that forgets what was not used for longest."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[str, V] = OrderedDict()

    def get(self, key: str) -> V | None:
        """Return the value, which thereby counts as used."""
        if key in self._values:
            self._values.move_to_end(key)
        return self._values.get(key)

    def put(self, key: str, value: V) -> None:
        """Remember a value."""
        self._values[key] = value
        self._values.move_to_end(key)
        while len(self._values) > self._size:
            self._values.popitem(last=False)


@dataclass(frozen=True)
class _Similar:
    """Different messages of one sort, and when the last came."""

    messages: frozenset[str]
    last: float


@dataclass(frozen=True)
class _Counted:
    """An Event that was written: its name, its first time, how often it happened."""

    name: str
    first_timestamp: str
    count: int


@dataclass(frozen=True)
class _Bucket:
    """Tokens that an object has left, and when that was."""

    tokens: float
    at: float


@dataclass(frozen=True)
class Correlated:
    """What to write: `patch` for the Event that exists under the name of `event`, or `event` itself when it is None."""

    event: Object
    patch: Object | None = None


class EventCorrelator:
    """client-go's EventCorrelator with its default options."""

    def __init__(self, *, timer: Callable[[], float], cache_size: int = CACHE_SIZE) -> None:
        """`timer` gives monotonic seconds."""
        self._timer = timer
        self._similar: _Cache[_Similar] = _Cache(cache_size)
        self._counted: _Cache[_Counted] = _Cache(cache_size)
        self._buckets: _Cache[_Bucket] = _Cache(cache_size)

    def correlate(self, event: Object) -> Correlated | None:
        """Return what to write for `event`, which is not changed; None when its object has had too many."""
        combined, key = self._aggregate(event)
        found = self._count(combined, key)
        # Last, as in client-go: an Event that is dropped is counted, and shows in the count of the next that is not.
        return found if self._has_token(event) else None

    def _aggregate(self, event: Object) -> tuple[Object, str]:
        """Return the Event, combined when there were many of its sort, and the key under which it is counted."""
        sort, now, message = _sort_of(event), self._timer(), str(event["message"])
        known = self._similar.get(sort)
        if known is None or now - known.last > SIMILAR_SECONDS:
            known = _Similar(frozenset(), now)
        messages = known.messages | {message}
        if len(messages) < MAX_SIMILAR:
            self._similar.put(sort, _Similar(messages, now))
            return event, json.dumps([sort, message])
        # The set stays one short of the limit, so it cannot grow, and the next different message is one too many again.
        self._similar.put(sort, _Similar(known.messages, now))
        return {**event, "message": shorten(f"{COMBINED}{message}")}, sort

    def _count(self, event: Object, key: str) -> Correlated:
        before = self._counted.get(key)
        if before is None:
            self._counted.put(key, _Counted(event["metadata"]["name"], event["firstTimestamp"], 1))
            return Correlated(event)
        now = replace(before, count=before.count + 1)
        self._counted.put(key, now)
        patch = {"count": now.count, "lastTimestamp": event["lastTimestamp"], "message": event["message"]}
        metadata = {**event["metadata"], "name": now.name}
        return Correlated({**event, **patch, "metadata": metadata, "firstTimestamp": now.first_timestamp}, patch)

    def _has_token(self, event: Object) -> bool:
        key, now = _object_of(event), self._timer()
        bucket = self._buckets.get(key) or _Bucket(SPAM_BURST, now)
        tokens = min(SPAM_BURST, bucket.tokens + (now - bucket.at) / SPAM_REFILL_SECONDS)
        self._buckets.put(key, _Bucket(tokens - 1 if tokens >= 1 else tokens, now))
        return tokens >= 1


def _object_of(event: Object) -> str:
    """Who says something about whom (getSpamKey). Not with which resourceVersion: it is the same object."""
    involved = {key: value for key, value in event["involvedObject"].items() if key != "resourceVersion"}
    return json.dumps([event["source"], involved], sort_keys=True)


def _sort_of(event: Object) -> str:
    """What makes two Events similar: all but the message (EventAggregatorByReasonFunc)."""
    parts = [_object_of(event), event["type"], event["reason"], event["reportingComponent"], event["reportingInstance"]]
    return json.dumps(parts)
