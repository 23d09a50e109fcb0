"""A trial's history cut into the steps of its story: how long each took, and how often the operator wrote in it.

Pure. `run.py` reads the history of each lane when the story is over, `screen.py` makes the table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from twinloop.demo.titles import title
from twinloop.harness.checkers.trial_view import Trial
from twinloop.harness.history import History, Truth, User


@dataclass(frozen=True)
class Step:
    """`seconds`: from the user's request to the last change that a watch saw; `writes`: the operator's, without Events."""

    title: str
    seconds: float
    writes: int


def steps(history: History) -> Iterator[Step]:
    """The steps of a story that was told to its end, each up to the next operation of the user."""
    trial, end = Trial(history), history.mark("story-end")
    users = [each for each in history.between("story-begin", "story-end") if isinstance(each, User)]
    ends = [each.asked for each in users] + [end.t if end else history.records[-1].t]
    for user, (begin, end_of_step) in zip(users, pairwise(ends), strict=True):
        changes = [each.t for each in history.of(Truth) if begin <= each.t < end_of_step]
        writes = [each for each in trial.writes if begin <= each.request.t < end_of_step and each.counts]
        yield Step(title(user), max(changes, default=begin) - begin, len(writes))
