"""410 again and again."""

from twinloop.harness.faults import Act, Match, Rule
from twinloop.harness.props import FAULT, at_late, at_rest
from twinloop.harness.scenario import Stage

SET = "fault"
LONG = True
DESCRIPTION = "For 30 s every watch of NginxPods that is opened is told at once that its version has expired."
EXPECTATION = (
    "The operator lists again with growing patience, at most about once a second, and is well when it is over."
)
DECIDING = FAULT
SECONDS = 30.0
# 30 s is the longest back-off of client-go's reflector, up to twice that with its jitter; it may run when the bad time is over.
SETTINGS = {"bound": 75.0, "canary": 75.0}


def story(stage: Stage) -> None:
    """One NginxPod at rest, one that comes in the bad time."""
    at_rest(stage, "web", pods=1)
    always = Rule(
        id="always", match=Match(verb="watch", resource="nginxpods"), act=Act.ERROR, how={"code": 410}, times=0
    )
    stage.arm(at_late(Act.CUT, how="clean"), always)
    stage.create("late", replicas=1)
    stage.expect("late", pods=1)
    stage.fired("always")
    stage.pause(SECONDS)
    stage.disarm()
    stage.settle()
