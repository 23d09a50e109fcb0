"""A history cut into steps: how long each took, and how often the operator wrote in it.

Left out: a real history (tests/demo).
"""

from __future__ import annotations

import pytest

from support.histories import PODS, Tale
from twinloop.demo.steps import steps
from twinloop.harness.history import Request


def told() -> Tale:
    """Somebody makes a NginxPod, the operator serves it, and a second later somebody deletes a pod."""
    tale = Tale().up().begins()
    tale.user_creates("web", replicas=1)
    tale.serves("web")
    tale.tells("web")
    tale.after(1).said("delete", PODS, "web-0")
    tale.mark("story-end")
    return tale


def test_each_step_has_the_operations_words() -> None:
    assert [step.title for step in steps(told().history())] == ["create NginxPod web", "delete pod web-0"]


def test_a_step_lasts_to_the_last_change_and_not_to_the_next_step() -> None:
    first, second = steps(told().history())
    assert 0 < first.seconds < 1
    assert second.seconds == pytest.approx(0, abs=0.1)


def test_a_step_counts_the_writes_up_to_the_next_one_and_no_events() -> None:
    history = told().history()
    first, second = steps(history)
    statuses = [each for each in history.of(Request) if each.subresource == "status"]
    assert first.writes == 1 + len(statuses)
    assert second.writes == 0


def test_what_happens_after_the_story_is_no_part_of_its_last_step() -> None:
    tale = told()
    tale.after(3).leaves("web-0")
    assert list(steps(tale.history())) == list(steps(told().history()))


def test_a_story_that_was_cut_off_has_the_steps_that_were_begun() -> None:
    tale = Tale().up().begins()
    tale.user_creates("web", replicas=1)
    assert len(list(steps(tale.history()))) == 1
