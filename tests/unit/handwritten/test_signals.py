"""Signals as an event. Left out: the lock that a handler must not take; no test can hit that moment on purpose."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from handwritten.signals import SIGNALS, setup_signal_handler


@pytest.fixture(autouse=True)
def handlers_come_back() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_sets_the_event(number: signal.Signals) -> None:
    stop = setup_signal_handler()
    assert not stop.is_set()
    os.kill(os.getpid(), number)
    assert stop.wait(5)


def test_a_second_signal_does_no_harm() -> None:
    stop = setup_signal_handler()
    for _ in range(2):
        os.kill(os.getpid(), signal.SIGTERM)
    assert stop.wait(5)
