"""The two clocks: that RealClock keeps the contract of Clock, and that FakeClock is fit to judge others by.

Left out: how exactly the operating system keeps time, and suspend. The only real waiting is a few
milliseconds in the tests of RealClock, which is what they are about.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

from handwritten.clock import Clock, RealClock
from handwritten.testing import FakeClock

pytestmark = pytest.mark.timeout(30)

REAL_TIMEOUT = 5.0


def background(function: Callable[..., Any], *args: Any) -> Future[Any]:
    """Run `function` in a thread of its own; its answer is the future's."""
    future: Future[Any] = Future()

    def body() -> None:
        try:
            future.set_result(function(*args))
        except BaseException as error:  # noqa: BLE001  (handed to the test)
            future.set_exception(error)

    threading.Thread(target=body, daemon=True).start()
    return future


def wait_on(clock: Clock, condition: threading.Condition, timeout: float | None) -> bool:
    with condition:
        return clock.wait(condition, timeout)


def wait_until_on(clock: Clock, condition: threading.Condition, deadline: float | None) -> bool:
    with condition:
        return clock.wait_until(condition, deadline)


# RealClock


def test_the_real_clock_never_goes_backwards() -> None:
    clock = RealClock()
    readings = [clock.now() for _ in range(100)]
    assert readings == sorted(readings)


@pytest.mark.parametrize("timeout", [0.001, 0.0, -1.0])
def test_a_real_wait_returns_false_when_the_time_is_over(timeout: float) -> None:
    clock, condition = RealClock(), threading.Condition()
    assert wait_on(clock, condition, timeout) is False
    assert wait_until_on(clock, condition, clock.now() + timeout) is False


@pytest.mark.parametrize("timeout", [None, math.inf, 1e300])
@pytest.mark.parametrize("wait", [wait_on, wait_until_on])
def test_a_real_wait_without_end_takes_any_time_and_ends_when_notified(
    wait: Callable[..., bool], timeout: float | None
) -> None:
    condition = threading.Condition()
    entered = threading.Event()

    class Spy(RealClock):
        def wait(self, condition: threading.Condition, timeout: float | None) -> bool:
            entered.set()
            return super().wait(condition, timeout)

    waiting = background(wait, Spy(), condition, timeout)
    assert entered.wait(REAL_TIMEOUT)
    with condition:  # free only once the thread is inside Condition.wait
        condition.notify()
    assert waiting.result(REAL_TIMEOUT) is True


def test_a_real_sleep_ends_at_stop_or_when_the_time_is_over() -> None:
    stop = threading.Event()
    assert RealClock().sleep(stop, 0.001) is False
    assert RealClock().sleep(stop, -1.0) is False
    sleeping = background(RealClock().sleep, stop, math.inf)
    stop.set()
    assert sleeping.result(REAL_TIMEOUT) is True
    assert RealClock().sleep(stop, 1000.0) is True


# FakeClock


def test_fake_time_moves_by_steps_only() -> None:
    clock = FakeClock(100.0)
    assert clock.now() == 100.0
    clock.step(2.5)
    clock.step(0.0)
    assert clock.now() == 102.5


def test_fake_time_refuses_to_go_backwards() -> None:
    with pytest.raises(ValueError, match="never goes backwards"):
        FakeClock().step(-1.0)


def test_a_fake_wait_ends_with_the_step_that_reaches_its_deadline() -> None:
    clock, condition = FakeClock(10.0), threading.Condition()
    waiting = background(wait_on, clock, condition, 5.0)
    clock.wait_for_deadline(15.0)
    clock.step(4.9)
    assert clock.waiters() == 1
    clock.step(0.2)
    assert waiting.result(REAL_TIMEOUT) is False
    clock.wait_for_no_waiters()


def test_a_fake_wait_ends_when_notified() -> None:
    clock, condition = FakeClock(), threading.Condition()
    waiting = background(wait_on, clock, condition, None)
    clock.wait_for_waiters(1)
    with condition:
        condition.notify()
    assert waiting.result(REAL_TIMEOUT) is True
    assert clock.waiters() == 0


def test_a_fake_deadline_that_was_stepped_over_does_not_wait_at_all() -> None:
    clock = FakeClock()
    clock.step(7.0)
    assert wait_until_on(clock, threading.Condition(), 6.0) is False
    assert wait_until_on(clock, threading.Condition(), 7.0) is False
    assert wait_on(clock, threading.Condition(), 0.0) is False


def test_a_step_leaves_those_alone_that_wait_for_later() -> None:
    clock = FakeClock()
    early = background(wait_on, clock, threading.Condition(), 1.0)
    late = background(wait_on, clock, threading.Condition(), 10.0)
    clock.wait_for_waiters(2)
    assert clock.timeouts() == [1.0, 10.0]
    clock.step(1.0)
    assert early.result(REAL_TIMEOUT) is False
    assert clock.timeouts() == [9.0]
    assert not late.done()
    clock.step(9.0)
    assert late.result(REAL_TIMEOUT) is False


def test_a_step_wakes_a_sleeper() -> None:
    clock = FakeClock()
    sleeping = background(clock.sleep, threading.Event(), 3.0)
    clock.wait_for_waiters(1)
    assert clock.timeouts() == [3.0]
    clock.step(2.0)
    assert not sleeping.done()
    clock.step(1.0)
    assert sleeping.result(REAL_TIMEOUT) is False


def test_stop_wakes_a_fake_sleeper_without_any_step() -> None:
    clock, stop = FakeClock(), threading.Event()
    sleeping = background(clock.sleep, stop, math.inf)
    clock.wait_for_waiters(1)
    stop.set()
    assert sleeping.result(REAL_TIMEOUT) is True
    assert clock.waiters() == 0


@pytest.mark.parametrize("stopped", [False, True])
def test_a_fake_sleep_of_no_length_returns_at_once(stopped: bool) -> None:
    stop = threading.Event()
    if stopped:
        stop.set()
    assert FakeClock().sleep(stop, 0.0) is stopped
    assert FakeClock().sleep(stop, -1.0) is stopped


def test_no_step_is_lost_however_it_meets_the_wait() -> None:
    """A thread that reads the clock and waits for a deadline always sees a step that comes between."""
    clock, condition = FakeClock(), threading.Condition()
    for _ in range(200):
        waiting = background(wait_until_on, clock, condition, clock.now() + 1.0)
        clock.step(1.0)
        assert waiting.result(REAL_TIMEOUT) is False


def test_a_test_that_waits_in_vain_for_waiters_says_so() -> None:
    clock = FakeClock()
    with pytest.raises(AssertionError, match="0 threads wait on the clock"):
        clock.wait_for_waiters(1, real_timeout=0.01)
    with pytest.raises(AssertionError, match="no thread waits for 3"):
        clock.wait_for_deadline(3.0, real_timeout=0.01)
    stop = threading.Event()
    sleeping = background(clock.sleep, stop, 1.0)
    clock.wait_for_waiters(1)
    with pytest.raises(AssertionError, match="1 threads still wait"):
        clock.wait_for_no_waiters(real_timeout=0.01)
    stop.set()
    assert sleeping.result(REAL_TIMEOUT) is True
