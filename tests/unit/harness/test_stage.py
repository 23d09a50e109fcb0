"""The stage's latency samples on a truth that moves by hand. Left out: a real trial (tests/harness/test_trial.py)."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

from twinloop.harness.scenario import View
from twinloop.harness.stage import OpenSample, TrialStage


class Moving:
    """A truth whose next change comes at once after the one that was waited for."""

    def __init__(self, answered: float, seen: float, after: float) -> None:
        self.truth, self.hands = SimpleNamespace(at=seen), SimpleNamespace(answered=answered)
        self._after = after

    def wait(self, true: Callable[[View], bool], within: float | None = None) -> bool:
        reached = true(cast("Any", self.truth))
        self.truth.at = self._after
        return reached


def sample(stage: Moving) -> OpenSample:
    return OpenSample(cast("TrialStage", stage))


def test_what_changes_a_moment_later_is_no_part_of_a_sample() -> None:
    taken = sample(Moving(answered=1.0, seen=1.5, after=9.0))
    assert taken.until(lambda _: True)
    assert taken.seconds == 0.5


def test_an_echo_that_came_before_its_answer_takes_no_time() -> None:
    taken = sample(Moving(answered=1.0, seen=0.9, after=0.9))
    assert taken.until(lambda _: True)
    assert taken.seconds == 0.0


def test_what_never_came_true_has_no_length() -> None:
    taken = sample(Moving(answered=1.0, seen=1.5, after=1.5))
    assert not taken.until(lambda _: False)
    assert taken.seconds is None
