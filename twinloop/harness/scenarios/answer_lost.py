"""The API server has done it, and the operator is told that it failed, or nothing at all."""

from typing import Any

from twinloop.harness.faults import Act, Match, Rule
from twinloop.harness.props import CREATES, DELETES, FAULT, STATUS, day
from twinloop.harness.scenario import Stage

SET = "fault"
DESCRIPTION = (
    "The first create, delete or status write of the story is carried out; its answer is replaced with 500 or 504, cut in "
    "half, or never sent."
)
EXPECTATION = "Who cannot know must look: nothing is done twice, no pod is made too many, nothing is given up."
DECIDING = (*FAULT, "O12")


def _lose(match: Match, **how: Any) -> Rule:
    return Rule(
        id="lose", match=match, act=Act.ANSWER if how else Act.ABORT, how={**how, "committed": True}, since="story"
    )


def _halve(match: Match) -> Rule:
    return Rule(id="halve", match=match, act=Act.TRUNCATE, since="story")


_TIMEOUT = {"code": 504, "reason": "Timeout", "message": "request did not complete within the allotted timeout"}
PLANS = {
    "create-500": (_lose(CREATES, code=500, reason="InternalError", message="internal error"),),
    "create-broken": (_lose(CREATES),),
    "create-half": (_halve(CREATES),),
    "delete-504": (_lose(DELETES, **_TIMEOUT),),
    "delete-broken": (_lose(DELETES),),
    "status-504": (_lose(STATUS, **_TIMEOUT),),
    "status-broken": (_lose(STATUS),),
    "status-half": (_halve(STATUS),),
}


def story(stage: Stage) -> None:
    """An ordinary day."""
    day(stage)
