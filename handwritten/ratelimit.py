"""How long a key has to wait: rate limiters, and the queue that asks one.

client-go: util/workqueue/default_rate_limiters.go and rate_limiting_queue.go. After a failed sync a
worker (controller.py) calls `add_rate_limited`, after a good one `forget`; in between `done`, always.
The queue asks its limiter for the delay and leaves the waiting to delaying.py.

All delays are in seconds. All limiters are thread-safe: each has a lock around its own numbers and calls
nothing but the clock while it holds it. That lock is never taken together with the queue's.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Hashable
from typing import Generic, Protocol, TypeVar

from handwritten.clock import Clock, RealClock
from handwritten.delaying import DelayingQueue
from handwritten.metrics import MetricsProvider
from handwritten.workqueue import Queue, T

T_contra = TypeVar("T_contra", bound=Hashable, contravariant=True)


class RateLimiter(Protocol[T_contra]):
    """client-go's TypedRateLimiter."""

    def when(self, item: T_contra) -> float:
        """Count a failure of `item` and return how many seconds it has to wait; inf means for ever."""
        ...

    def forget(self, item: T_contra) -> None:
        """Stop tracking `item`, because it succeeded or is given up."""
        ...

    def num_requeues(self, item: T_contra) -> int:
        """Return how many failures of `item` are on record."""
        ...


class _Failures(Generic[T]):
    """The failures of each item since it was last forgotten; whoever is never forgotten stays."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures: dict[T, int] = {}

    def forget(self, item: T) -> None:
        """See `RateLimiter`."""
        with self._lock:
            self._failures.pop(item, None)

    def num_requeues(self, item: T) -> int:
        """See `RateLimiter`."""
        with self._lock:
            return self._failures.get(item, 0)

    def _count(self, item: T) -> int:
        """Count one more failure and return how many there were before."""
        with self._lock:
            before = self._failures.get(item, 0)
            self._failures[item] = before + 1
            return before


class ItemExponentialFailureRateLimiter(_Failures[T]):
    """Each item waits `base_delay * 2^n` seconds after n earlier failures, at most `max_delay`."""

    def __init__(self, base_delay: float, max_delay: float) -> None:
        """Begin with no failures on record."""
        super().__init__()
        self.base_delay = base_delay
        self.max_delay = max_delay

    def when(self, item: T) -> float:
        """See `RateLimiter`."""
        try:
            return min(math.ldexp(self.base_delay, self._count(item)), self.max_delay)
        except OverflowError:  # the 1030th failure or so: beyond what a float holds, let alone max_delay
            return self.max_delay


class ItemFastSlowRateLimiter(_Failures[T]):
    """The first `max_fast_attempts` failures of an item cost `fast_delay` seconds, later ones `slow_delay`."""

    def __init__(self, fast_delay: float, slow_delay: float, max_fast_attempts: int) -> None:
        """Begin with no failures on record."""
        super().__init__()
        self.fast_delay = fast_delay
        self.slow_delay = slow_delay
        self.max_fast_attempts = max_fast_attempts

    def when(self, item: T) -> float:
        """See `RateLimiter`."""
        return self.fast_delay if self._count(item) < self.max_fast_attempts else self.slow_delay


class BucketRateLimiter:
    """A token bucket over all items together: `rate` calls a second, `burst` of them at once.

    As golang.org/x/time/rate's `Reserve().Delay()`: a call always takes its token, from the future if
    need be, and waits until that token is due. It is never given back.
    """

    def __init__(self, rate: float, burst: int, *, clock: Clock | None = None) -> None:
        """Begin with a full bucket. ValueError unless `rate` and `burst` are positive."""
        if not (rate > 0 and burst > 0):
            raise ValueError(f"a bucket needs a positive rate and burst, not {rate} and {burst}")
        self._rate = rate
        self._burst = burst
        self._clock: Clock = clock or RealClock()
        self._lock = threading.Lock()
        self._tokens = float(burst)  # below zero: so many calls are waiting for theirs
        self._filled_at = self._clock.now()

    def when(self, item: Hashable) -> float:  # noqa: ARG002  (the bucket does not care whose failure it is)
        """See `RateLimiter`."""
        with self._lock:
            now = self._clock.now()
            self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._rate) - 1
            self._filled_at = now
            return max(0.0, -self._tokens / self._rate)

    def forget(self, item: Hashable) -> None:
        """Do nothing: a spent token says nothing about `item`."""

    def num_requeues(self, item: Hashable) -> int:  # noqa: ARG002  (as in `when`)
        """Return 0: no item is tracked."""
        return 0


class MaxOfRateLimiter(Generic[T]):
    """The longest delay that any of several limiters asks for."""

    def __init__(self, *limiters: RateLimiter[T]) -> None:
        """Combine `limiters`. ValueError if there are none."""
        if not limiters:
            raise ValueError("MaxOfRateLimiter needs at least one limiter")
        self._limiters = limiters

    def when(self, item: T) -> float:
        """See `RateLimiter`. Every limiter is asked, so a bucket's token is spent even if another wins."""
        return max([limiter.when(item) for limiter in self._limiters])

    def forget(self, item: T) -> None:
        """See `RateLimiter`."""
        for limiter in self._limiters:
            limiter.forget(item)

    def num_requeues(self, item: T) -> int:
        """See `RateLimiter`; the highest count."""
        return max(limiter.num_requeues(item) for limiter in self._limiters)


class WithMaxWaitRateLimiter(Generic[T]):
    """What another limiter asks for, but at most `max_delay` seconds."""

    def __init__(self, limiter: RateLimiter[T], max_delay: float) -> None:
        """Cap `limiter`."""
        self._limiter = limiter
        self._max_delay = max_delay

    def when(self, item: T) -> float:
        """See `RateLimiter`."""
        return min(self._limiter.when(item), self._max_delay)

    def forget(self, item: T) -> None:
        """See `RateLimiter`."""
        self._limiter.forget(item)

    def num_requeues(self, item: T) -> int:
        """See `RateLimiter`."""
        return self._limiter.num_requeues(item)


def default_controller_rate_limiter(*, clock: Clock | None = None) -> RateLimiter[Hashable]:
    """Return client-go's DefaultTypedControllerRateLimiter.

    5 ms doubling to 1000 s for each item, and for all items together 10 a second after a burst of 100: the
    item part slows a key that keeps failing, the bucket a controller whose every key fails.
    """
    return MaxOfRateLimiter(ItemExponentialFailureRateLimiter(0.005, 1000.0), BucketRateLimiter(10.0, 100, clock=clock))


def default_item_based_rate_limiter() -> RateLimiter[Hashable]:
    """Return client-go's DefaultTypedItemBasedRateLimiter: 1 ms doubling to 1000 s for each item."""
    return ItemExponentialFailureRateLimiter(0.001, 1000.0)


class RateLimitingQueue(DelayingQueue[T]):
    """A delaying queue that knows how long a failed item should wait."""

    def __init__(
        self,
        *,
        rate_limiter: RateLimiter[T] | None = None,
        name: str = "",
        clock: Clock | None = None,
        metrics: MetricsProvider | None = None,
        queue: Queue[T] | None = None,
    ) -> None:
        """Make an open queue, see DelayingQueue; the default is `default_controller_rate_limiter`."""
        super().__init__(name=name, clock=clock, metrics=metrics, queue=queue)
        self._rate_limiter = default_controller_rate_limiter(clock=clock) if rate_limiter is None else rate_limiter

    def add_rate_limited(self, item: T) -> None:
        """Add `item` when the limiter says so; the limiter is asked even if the queue is shut down."""
        self.add_after(item, self._rate_limiter.when(item))

    def forget(self, item: T) -> None:
        """Clear the record of failures of `item`. No more than that: whoever holds it still owes `done`."""
        self._rate_limiter.forget(item)

    def num_requeues(self, item: T) -> int:
        """Return how many failures of `item` the limiter has on record."""
        return self._rate_limiter.num_requeues(item)
