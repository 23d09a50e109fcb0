"""401: a good token is refused for a moment."""

from twinloop.harness.faults import Act, Match, Rule
from twinloop.harness.props import AT_LATE, CREATES, FAULT, at_late, day
from twinloop.harness.scenario import Stage

SET = "fault"
GRADE = "E"
DESCRIPTION = "A create, a list or a watch is answered with 401 once, as by an API server that has only just started."
EXPECTATION = "The operator reads its credentials again and goes on, also when they are the same as before."
DECIDING = FAULT


def _refuse(match: Match, after: str = "") -> Rule:
    how = {"code": 401, "reason": "Unauthorized", "message": "Unauthorized"}
    return Rule(id="refuse", match=match, act=Act.ANSWER, how=how, since="story", after=after)


PLANS = {
    "create": (_refuse(CREATES),),
    "list": (at_late(Act.ERROR, code=410), _refuse(Match(verb="list", resource="nginxpods"), AT_LATE)),
    "watch": (at_late(Act.CUT, how="clean"), _refuse(Match(verb="watch", resource="nginxpods"), AT_LATE)),
}


def story(stage: Stage) -> None:
    """An ordinary day."""
    day(stage)
