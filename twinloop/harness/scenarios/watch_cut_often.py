"""Every watch ends as soon as it is opened."""

from twinloop.harness.faults import Act, Match, Rule
from twinloop.harness.props import FAULT, at_late, at_rest
from twinloop.harness.scenario import Stage

SET = "fault"
DESCRIPTION = (
    "For a second and a half, something on the way ends every watch of NginxPods at once, cleanly and without a word."
)
EXPECTATION = "The operator leaves some time between two attempts, and is well when it is over."
DECIDING = FAULT
SECONDS = 1.5


def story(stage: Stage) -> None:
    """One NginxPod at rest, one that comes in the bad time."""
    at_rest(stage, "web", pods=1)
    # Armed here and not by a plan: the operator is to see `web` before.
    every = Rule(
        id="every-watch", match=Match(verb="watch", resource="nginxpods"), act=Act.CUT, how={"how": "clean"}, times=0
    )
    stage.arm(at_late(Act.CUT, how="clean"), every)
    stage.create("late", replicas=1)
    stage.expect("late", pods=1)
    stage.fired("every-watch")
    # How often it asks is what this is about, and that needs time in which it may ask.
    stage.pause(SECONDS)
    stage.disarm()
    stage.settle()
