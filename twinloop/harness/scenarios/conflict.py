"""409: somebody else has written first."""

from twinloop.harness.faults import Act, Match, Rule
from twinloop.harness.props import FAULT, STATUS, day
from twinloop.harness.scenario import Stage

SET = "fault"
DESCRIPTION = (
    "Three times, a moment before the operator writes a status, somebody else changes the object; or the first six writes "
    "of any kind to NginxPods are answered with 409."
)
EXPECTATION = (
    "The operator reads again, plans again and writes what is true now. The other's change stays; nothing is given up, "
    "and no write that it owed is forgotten."
)
DECIDING = FAULT
_CONFLICT = {
    "code": 409,
    "reason": "Conflict",
    "message": "the object has been modified; please apply your changes to the latest version and try again",
}
PLANS = {
    "touched": (Rule(id="touch", match=STATUS, act=Act.TOUCH, times=3, since="story"),),
    "answered": (
        Rule(
            id="write-409",
            match=Match(verb="write", resource="nginxpods"),
            act=Act.ANSWER,
            how=_CONFLICT,
            times=6,
            since="story",
        ),
    ),
}


def story(stage: Stage) -> None:
    """An ordinary day."""
    day(stage)
