"""The process stands still in the middle of a write, and the world goes on."""

from twinloop.harness.faults import Act, Match, Rule
from twinloop.harness.props import CREATES, FAULT, STATUS
from twinloop.harness.scenario import OTHER_IMAGE, Stage

SET = "fault"
DESCRIPTION = (
    "SIGSTOP at the moment of the first create, or of the first status, of a NginxPod with three pods; it is changed to "
    "one pod of another image; a second later SIGCONT."
)
EXPECTATION = "What was decided before the pause is not carried through against what is true after it."
DECIDING = FAULT
SECONDS = 1.0


def _stop(match: Match) -> Rule:
    return Rule(id="stop", match=match, act=Act.SIGNAL, how={"signal": "SIGSTOP"}, since="story")


PLANS = {"create": (_stop(CREATES),), "status": (_stop(STATUS),)}


def story(stage: Stage) -> None:
    """Create, freeze, change, thaw."""
    stage.create("web", replicas=3)
    stage.fired("stop")
    stage.edit("web", replicas=1, image=OTHER_IMAGE)
    stage.expect("web", pods=1, image=OTHER_IMAGE)
    stage.pause(SECONDS)
    stage.signal("SIGCONT")
    stage.settle()
