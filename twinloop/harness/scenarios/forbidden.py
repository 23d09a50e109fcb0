"""403: a right is missing for a time."""

from twinloop.harness.faults import Act, Match, Rule
from twinloop.harness.props import AT_LATE, CREATES, DELETES, FAULT, STATUS, at_late, day
from twinloop.harness.scenario import Stage

SET = "fault"
GRADE = "E"
DESCRIPTION = "The first four creates, deletes or status writes are forbidden, or a list or a watch."
EXPECTATION = "It is said in the status where that is possible, tried again with back-off, and heals without a restart."
DECIDING = FAULT


def _forbid(match: Match, times: int, after: str = "") -> Rule:
    how = {
        "code": 403,
        "reason": "Forbidden",
        "message": f'User "operator" cannot {match.verb} resource "{match.resource}"',
    }
    return Rule(id="forbid", match=match, act=Act.ANSWER, how=how, times=times, since="story", after=after)


PLANS = {
    "create": (_forbid(CREATES, 4),),
    "delete": (_forbid(DELETES, 4),),
    "status": (_forbid(STATUS, 4),),
    "list": (at_late(Act.ERROR, code=410), _forbid(Match(verb="list", resource="nginxpods"), 1, AT_LATE)),
    "watch": (at_late(Act.CUT, how="clean"), _forbid(Match(verb="watch", resource="nginxpods"), 1, AT_LATE)),
}


def story(stage: Stage) -> None:
    """An ordinary day."""
    day(stage)
