"""429: the API server asks for patience, and says how much."""

from twinloop.harness.faults import Act, Match, Rule
from twinloop.harness.props import AT_LATE, CREATES, DELETES, FAULT, STATUS, at_late, day
from twinloop.harness.scenario import Stage

SET = "fault"
DESCRIPTION = "One request is answered with 429 and Retry-After: 1: a create, a delete, a status, a list or a watch."
EXPECTATION = "That request is not sent again within a second, and is sent again after it."
DECIDING = FAULT


def _throttle(match: Match, after: str = "") -> Rule:
    how = {"code": 429, "reason": "TooManyRequests", "message": "too many requests", "retry_after": 1}
    return Rule(id="throttle", match=match, act=Act.ANSWER, how=how, since="story", after=after)


PLANS = {
    "create": (_throttle(CREATES),),
    "delete": (_throttle(DELETES),),
    "status": (_throttle(STATUS),),
    "list": (at_late(Act.ERROR, code=410), _throttle(Match(verb="list", resource="nginxpods"), AT_LATE)),
    "watch": (at_late(Act.CUT, how="clean"), _throttle(Match(verb="watch", resource="nginxpods"), AT_LATE)),
}


def story(stage: Stage) -> None:
    """An ordinary day."""
    day(stage)
