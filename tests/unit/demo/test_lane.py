"""A lane tells what the records of a trial say, under the step that was asked for last.

Left out: the wording of lines (test_headlines.py) and of steps (test_titles.py), and a real trial (tests/demo).
"""

from __future__ import annotations

from support.builders import nginxpod, pod
from support.histories import Tale
from twinloop.demo.lane import Lane
from twinloop.harness.history import Truth
from twinloop.kube import PODS

POD = pod(nginxpod(), 0) | {"kind": "Pod"}


def truth(type_: str, t: float = 0.0) -> Truth:
    return Truth(type=type_, resource=str(PODS), object=POD, t=t)


def test_each_step_begins_with_what_the_user_does_and_its_clock_starts_anew() -> None:
    lines: list[str] = []
    lane, tale = Lane(lines.append), Tale().after(5)
    lane(tale.said("delete", str(PODS), "web-1"))
    lane(truth("ADDED", t=tale.records[-1].asked + 0.25))  # type: ignore[attr-defined]
    assert lines == ["", "== delete pod web-1", "  0.25 s  pod web-0 created, 1"]


def test_what_is_no_news_is_not_told() -> None:
    lines: list[str] = []
    lane = Lane(lines.append)
    lane(truth("ADDED"))
    lane(truth("MODIFIED"))
    lane(truth("DELETED"))
    assert lines == ["  0.00 s  pod web-0 created, 1", "  0.00 s  pod web-0 gone"]


def test_an_operator_that_ends_by_itself_is_told_and_one_that_was_asked_to_is_not() -> None:
    lines: list[str] = []
    lane, tale = Lane(lines.append), Tale()
    lane(tale.process("ready"))
    lane(tale.process("exited", code=1))
    lane(tale.process("exited", code=0, expected=True))
    assert lines == ["operator ready", "operator exited"]


def test_requests_and_marks_are_not_told() -> None:
    lines: list[str] = []
    lane, tale = Lane(lines.append), Tale()
    lane(tale.asks("create", str(PODS), "web-0"))
    lane(tale.mark("settled"))
    assert lines == []
