"""The rate limiters and the queue that asks one: client-go's tests by name, then its statements.

client-go: default_rate_limiters_test.go and rate_limiting_queue_test.go. All times are fake.

Left out: how a worker uses the queue (the controller's tests).
"""

from __future__ import annotations

import math
import threading
from collections.abc import Hashable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handwritten.ratelimit import (
    BucketRateLimiter,
    ItemExponentialFailureRateLimiter,
    ItemFastSlowRateLimiter,
    MaxOfRateLimiter,
    RateLimiter,
    RateLimitingQueue,
    WithMaxWaitRateLimiter,
    default_controller_rate_limiter,
    default_item_based_rate_limiter,
)
from handwritten.testing import FakeClock

pytestmark = pytest.mark.timeout(30)

MS = 0.001


def delays(limiter: RateLimiter[str], item: str, calls: int) -> list[float]:
    return [limiter.when(item) for _ in range(calls)]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def queue(clock: FakeClock) -> Iterator[RateLimitingQueue[str]]:
    limiter: RateLimiter[str] = ItemExponentialFailureRateLimiter(1.0, 1000.0)
    queue = RateLimitingQueue(rate_limiter=limiter, clock=clock)
    yield queue
    queue.shut_down()


@pytest.mark.statement("RL-1")
def test_item_exponential_failure_rate_limiter() -> None:
    limiter: ItemExponentialFailureRateLimiter[str] = ItemExponentialFailureRateLimiter(1 * MS, 1.0)
    assert delays(limiter, "one", 5) == pytest.approx([1 * MS, 2 * MS, 4 * MS, 8 * MS, 16 * MS])
    assert limiter.num_requeues("one") == 5
    assert delays(limiter, "two", 2) == pytest.approx([1 * MS, 2 * MS])
    assert limiter.num_requeues("two") == 2
    limiter.forget("one")
    assert limiter.num_requeues("one") == 0
    assert limiter.when("one") == pytest.approx(1 * MS)
    assert limiter.num_requeues("two") == 2


@pytest.mark.statement("RL-1")
@pytest.mark.parametrize(("base", "maximum"), [(1 * MS, 1000.0), (60.0, 3600.0), (0.0, 1.0), (5.0, 2.0)])
def test_item_exponential_failure_rate_limiter_over_flow(base: float, maximum: float) -> None:
    limiter: ItemExponentialFailureRateLimiter[str] = ItemExponentialFailureRateLimiter(base, maximum)
    last = delays(limiter, "overflow", 3000)[-1]
    assert last == (maximum if base else 0.0)
    assert limiter.num_requeues("overflow") == 3000


@pytest.mark.statement("RL-5")
def test_item_fast_slow_rate_limiter() -> None:
    limiter: ItemFastSlowRateLimiter[str] = ItemFastSlowRateLimiter(5 * MS, 10.0, 3)
    assert delays(limiter, "one", 5) == [5 * MS, 5 * MS, 5 * MS, 10.0, 10.0]
    assert limiter.num_requeues("one") == 5
    assert delays(limiter, "two", 2) == [5 * MS, 5 * MS]
    limiter.forget("one")
    assert limiter.num_requeues("one") == 0
    assert limiter.when("one") == 5 * MS


@pytest.mark.statement("RL-6")
def test_max_of_rate_limiter() -> None:
    limiter: MaxOfRateLimiter[str] = MaxOfRateLimiter(
        ItemFastSlowRateLimiter(5 * MS, 3.0, 3), ItemExponentialFailureRateLimiter(1 * MS, 1.0)
    )
    assert delays(limiter, "one", 5) == pytest.approx([5 * MS, 5 * MS, 5 * MS, 3.0, 3.0])
    assert limiter.num_requeues("one") == 5
    assert limiter.when("two") == 5 * MS
    limiter.forget("one")
    assert limiter.num_requeues("one") == 0
    assert limiter.when("one") == 5 * MS


@pytest.mark.statement("RL-7")
def test_with_max_wait_rate_limiter() -> None:
    inner: RateLimiter[str] = ItemFastSlowRateLimiter(5 * MS, 1000.0, 100)
    limiter: WithMaxWaitRateLimiter[str] = WithMaxWaitRateLimiter(inner, 500.0)
    assert delays(limiter, "one", 102) == [5 * MS] * 100 + [500.0, 500.0]
    assert limiter.num_requeues("one") == 102
    limiter.forget("one")
    assert limiter.num_requeues("one") == 0


@pytest.mark.statement("RL-8")
def test_rate_limiting_queue(clock: FakeClock, queue: RateLimitingQueue[str]) -> None:
    queue.add_rate_limited("one")
    clock.wait_for_deadline(1.0)
    queue.add_rate_limited("one")  # 2 s, but the 1 s that the item waits for already ends first
    assert queue.num_requeues("one") == 2
    clock.step(1.0)
    assert queue.get() == ("one", False)
    queue.done("one")
    queue.add_rate_limited("two")
    clock.wait_for_deadline(2.0)
    clock.step(1.0)
    assert queue.get() == ("two", False)
    queue.done("two")
    queue.add_rate_limited("two")
    clock.wait_for_deadline(4.0)
    queue.forget("one")
    assert queue.num_requeues("one") == 0
    assert queue.num_requeues("two") == 2
    queue.add_rate_limited("one")
    clock.wait_for_deadline(3.0)


# Statements that client-go does not test by name.


@pytest.mark.statement("RL-2")
def test_the_default_controller_limiter_starts_at_five_milliseconds_and_ends_at_1000_seconds() -> None:
    clock = FakeClock()
    limiter = default_controller_rate_limiter(clock=clock)
    found = []
    for _ in range(20):
        found.append(limiter.when("item"))
        clock.step(1.0)  # refills the bucket, so that the item's own back-off shows
    assert found == pytest.approx([0.005 * 2**n for n in range(18)] + [1000.0, 1000.0])
    assert sum(found[:5]) == pytest.approx(0.155)


@pytest.mark.statement("RL-2", "RL-3")
def test_the_default_controller_limiter_slows_all_items_together_after_a_hundred() -> None:
    limiter = default_controller_rate_limiter(clock=FakeClock())
    found = [limiter.when(f"item-{number}") for number in range(103)]
    assert found == pytest.approx([0.005] * 100 + [0.1, 0.2, 0.3])


@pytest.mark.statement("RL-4")
def test_the_default_item_based_limiter_starts_at_one_millisecond() -> None:
    assert delays(default_item_based_rate_limiter(), "item", 21)[::5] == pytest.approx(
        [0.001, 0.032, 1.024, 32.768, 1000]
    )


@pytest.mark.statement("RL-10")
def test_sample_controllers_limiter_is_a_matter_of_arguments() -> None:
    clock = FakeClock()
    limiter = MaxOfRateLimiter[str](
        ItemExponentialFailureRateLimiter(0.005, 1000.0), BucketRateLimiter(50.0, 300, clock=clock)
    )
    assert [limiter.when(f"item-{number}") for number in range(300)] == [0.005] * 300
    assert limiter.when("one more") == pytest.approx(0.02)


@pytest.mark.statement("RL-3")
def test_the_bucket_hands_out_its_burst_and_then_one_token_at_a_time() -> None:
    clock = FakeClock(5000.0)
    bucket = BucketRateLimiter(10.0, 3, clock=clock)
    assert delays(bucket, "any", 5) == pytest.approx([0.0, 0.0, 0.0, 0.1, 0.2])
    clock.step(0.2)  # both reservations are due, and no token is left over
    assert bucket.when("any") == pytest.approx(0.1)
    clock.step(3600.0)  # fills it, but never above the burst
    assert delays(bucket, "any", 4) == pytest.approx([0.0, 0.0, 0.0, 0.1])


@pytest.mark.statement("RL-3")
def test_the_bucket_tracks_no_item_and_gives_no_token_back() -> None:
    bucket = BucketRateLimiter(1.0, 1, clock=FakeClock())
    bucket.when("item")
    bucket.forget("item")
    assert bucket.num_requeues("item") == 0
    assert bucket.when("item") == 1.0


@pytest.mark.parametrize(("rate", "burst"), [(0.0, 1), (-1.0, 1), (math.nan, 1), (1.0, 0)])
def test_a_bucket_that_would_never_give_a_token_is_refused(rate: float, burst: int) -> None:
    with pytest.raises(ValueError, match="positive rate and burst"):
        BucketRateLimiter(rate, burst)


@settings(deadline=None)
@given(st.lists(st.floats(0, 3), max_size=60), st.floats(0.1, 50), st.integers(1, 10))
def test_the_bucket_never_lets_more_pass_than_its_rate_allows(steps: list[float], rate: float, burst: int) -> None:
    clock = FakeClock()
    bucket = BucketRateLimiter(rate, burst, clock=clock)
    passed: list[float] = []
    for step in steps:
        clock.step(step)
        passed.append(clock.now() + bucket.when("any"))
    assert passed == sorted(passed)
    for first in range(len(passed)):
        for last in range(first, len(passed)):
            assert last - first + 1 <= burst + rate * (passed[last] - passed[first]) + 1e-6


@pytest.mark.statement("RL-6")
def test_max_of_asks_every_limiter_even_when_another_wins() -> None:
    bucket = BucketRateLimiter(1.0, 2, clock=FakeClock())
    slow: RateLimiter[Hashable] = ItemFastSlowRateLimiter(60.0, 60.0, 0)
    limiter = MaxOfRateLimiter(slow, bucket)
    assert delays(limiter, "item", 2) == [60.0, 60.0]
    assert bucket.when("item") == 1.0


def test_max_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^MaxOfRateLimiter needs at least one limiter$"):
        MaxOfRateLimiter()


@pytest.mark.statement("RL-8")
def test_the_queue_asks_its_limiter_even_when_it_is_shut_down(queue: RateLimitingQueue[str]) -> None:
    queue.shut_down()
    queue.add_rate_limited("one")
    assert queue.num_requeues("one") == 1
    assert queue.get() == (None, True)


@pytest.mark.statement("RL-9")
def test_forget_is_not_done(clock: FakeClock, queue: RateLimitingQueue[str]) -> None:
    queue.add("one")
    assert queue.get() == ("one", False)
    queue.forget("one")
    queue.add("one")
    assert len(queue) == 0, "still in a worker's hands"
    queue.done("one")
    assert len(queue) == 1


def test_the_queue_has_client_go_s_default_limiter_on_its_own_clock(clock: FakeClock) -> None:
    queue: RateLimitingQueue[str] = RateLimitingQueue(clock=clock)
    queue.add_rate_limited("one")
    clock.wait_for_deadline(0.005)
    for number in range(199):
        queue.add_rate_limited(f"item-{number}")
    clock.step(1000.0)  # fills the bucket, which 200 calls had emptied, in no real time
    clock.wait_for_deadline(math.inf)
    queue.add_rate_limited("two")
    clock.wait_for_deadline(1000.005)
    queue.shut_down()


def test_no_failure_of_many_threads_goes_uncounted() -> None:
    limiter: ItemExponentialFailureRateLimiter[str] = ItemExponentialFailureRateLimiter(0.0, 1.0)
    threads = [threading.Thread(target=delays, args=(limiter, "item", 500), daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5.0)
    assert limiter.num_requeues("item") == 4000
