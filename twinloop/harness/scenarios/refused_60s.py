"""Nothing can be read for a minute, for lack of a right or of an API server that works."""

from twinloop.harness.faults import Act, Match, Rule
from twinloop.harness.props import AT_LATE, FAULT, at_late, at_rest
from twinloop.harness.scenario import Stage

SET = "fault"
GRADE = "E"
LONG = True
DESCRIPTION = "For a minute every list of NginxPods is answered with 403, or every watch with 503."
EXPECTATION = "The operator outlives it, asks less and less often, and heals without a restart."
DECIDING = FAULT
SECONDS = 60.0
# 30 s is the longest back-off of client-go's reflector, and up to twice that with its jitter.
SETTINGS = {"bound": 75.0, "canary": 75.0}


def _refuse(verb: str, code: int, reason: str) -> Rule:
    how = {"code": code, "reason": reason, "message": reason}
    match = Match(verb=verb, resource="nginxpods")
    return Rule(id="refuse", match=match, act=Act.ANSWER, how=how, times=0, after=AT_LATE)


PLANS = {
    "list-403": (at_late(Act.ERROR, code=410), _refuse("list", 403, "Forbidden")),
    "watch-503": (at_late(Act.CUT, how="clean"), _refuse("watch", 503, "ServiceUnavailable")),
}


def story(stage: Stage) -> None:
    """One NginxPod at rest, one that comes in the bad time."""
    at_rest(stage, "web", pods=1)
    stage.create("late", replicas=1)
    stage.expect("late", pods=1)
    stage.fired("refuse")
    stage.pause(SECONDS)
    stage.disarm()
    stage.settle()
