"""Which generation of client-go's pipeline an informer is built from.

`CLASSIC` is the one that articles, books and most running controllers know, `CURRENT` what client-go's informers do
today. Either works behind the same informer (`informer.py`); what differs for a handler or for the API server is listed,
with a test each, in docs/differences.md. client-go: newQueueFIFO in tools/cache/controller.go and its feature gates.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from handwritten.clock import Clock
from handwritten.delta_fifo import DeltaFIFO
from handwritten.fifo import Queue, Transform
from handwritten.store import KnownObjects
from handwritten.the_real_fifo import RealFIFO

# Makes the queue of an informer from its store, its transform and its clock.
NewQueue = Callable[[KnownObjects, Transform | None, Clock], Queue]


@dataclass(frozen=True)
class Pipeline:
    """How changes get from the API server into the store.

    `new_queue` makes what lies between reflector and store. `watch_list` has the reflector ask for its first state as
    the beginning of the watch instead of as a list.
    """

    new_queue: NewQueue
    watch_list: bool = False


def new_delta_fifo(known_objects: KnownObjects, transform: Transform | None, clock: Clock) -> Queue:
    """Make a DeltaFIFO, as informers had it up to client-go 1.32."""
    return DeltaFIFO(known_objects=known_objects, transform=transform, clock=clock)


def new_real_fifo(known_objects: KnownObjects, transform: Transform | None, clock: Clock) -> Queue:
    """Make a RealFIFO as client-go 1.36 does with its feature gates at their defaults."""
    del known_objects  # what has to be deleted is found when a list is processed
    return RealFIFO(transform=transform, clock=clock, emit_bookmarks=True, unlock_while_processing=True)


CLASSIC = Pipeline(new_delta_fifo)
CURRENT = Pipeline(new_real_fifo, watch_list=True)
