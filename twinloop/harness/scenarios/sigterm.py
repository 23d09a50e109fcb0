"""SIGTERM in the middle of a reconcile."""

from twinloop.harness.faults import Act, Match, Rule
from twinloop.harness.props import CREATES, DELETES, FAULT, STATUS, day
from twinloop.harness.scenario import Stage

SET = "fault"
DESCRIPTION = (
    "The operator gets SIGTERM at the moment of its second create, first delete or second status; then it is restarted."
)
EXPECTATION = "It finishes what is in flight, says nothing untrue on its way out, and exits with 0 within 10 s."
DECIDING = FAULT


def _end(match: Match, first: int) -> Rule:
    return Rule(id="end", match=match, act=Act.SIGNAL, how={"signal": "SIGTERM"}, first=first, since="story")


PLANS = {"create": (_end(CREATES, 2),), "delete": (_end(DELETES, 1),), "status": (_end(STATUS, 2),)}


def story(stage: Stage) -> None:
    """An ordinary day."""
    day(stage)
