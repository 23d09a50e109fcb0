"""What a signal does to a comparison, without one. Left out: what becomes of trials and processes (tests/harness)."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator

import pytest

from twinloop.harness.interruption import PATIENCE, SIGNALS, ended_by_the_first_signal, undisturbed


@pytest.fixture
def handlers(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[int, Callable[[int, None], None]]]:
    """What is installed for which signal, and never is for real."""
    kept: dict[int, Callable[[int, None], None]] = {}
    monkeypatch.setattr("signal.signal", kept.__setitem__)
    monkeypatch.setattr("signal.getsignal", lambda _: signal.default_int_handler)
    with ended_by_the_first_signal():
        yield kept


def test_the_first_signal_ends_and_those_that_follow_disturb_nobody(
    handlers: dict[int, Callable[[int, None], None]], capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(KeyboardInterrupt):
        handlers[signal.SIGTERM](signal.SIGTERM, None)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
        handlers[number](number, None)
    assert capfd.readouterr().err.count("Stopping") == 1


def test_an_ending_that_hangs_can_be_ended(
    handlers: dict[int, Callable[[int, None], None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            handlers[signal.SIGINT](signal.SIGINT, None)
        now[0] += PATIENCE - 1
        handlers[signal.SIGINT](signal.SIGINT, None)
        now[0] += 1


def test_whoever_was_started_deaf_to_ctrl_c_stays_so(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[int] = []
    monkeypatch.setattr("signal.signal", lambda number, _: kept.append(number))
    monkeypatch.setattr(
        "signal.getsignal", lambda number: signal.SIG_IGN if number == signal.SIGINT else signal.SIG_DFL
    )
    with ended_by_the_first_signal():
        pass
    assert kept == [signal.SIGTERM]


def test_at_the_end_nothing_is_heard_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: dict[int, object] = {}
    monkeypatch.setattr("signal.signal", kept.__setitem__)
    monkeypatch.setattr("signal.getsignal", lambda _: signal.default_int_handler)
    with pytest.raises(SystemExit) as ended, ended_by_the_first_signal():
        kept[signal.SIGINT](signal.SIGINT, None)  # type: ignore[operator]
    assert ended.value.code == 2
    assert kept == dict.fromkeys(SIGNALS, signal.SIG_IGN)


def test_a_report_under_way_is_not_disturbed_and_afterwards_signals_are_heard_again() -> None:
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with undisturbed():
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
