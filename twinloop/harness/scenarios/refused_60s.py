"""Something is refused for a minute, for lack of a right or of an API server that works."""

from twinloop.harness.faults import Act, Match, Rule
from twinloop.harness.props import AT_LATE, CREATES, FAULT, at_late, at_rest
from twinloop.harness.scenario import Stage

SET = "fault"
GRADE = "E"
LONG = True
DESCRIPTION = "For a minute every list of NginxPods is answered with 403, or every watch of them with 503, or every create of a pod with 500."
EXPECTATION = "The operator outlives it, asks less and less often, and heals without a restart."
DECIDING = FAULT
SECONDS = 60.0
# 30 s is the longest back-off of client-go's reflector, and up to twice that with its jitter.
SETTINGS = {"bound": 75.0, "canary": 75.0}


def _answer(code: int, reason: str) -> dict[str, object]:
    return {"code": code, "reason": reason, "message": reason}


def _refuse(verb: str, code: int, reason: str) -> Rule:
    match = Match(verb=verb, resource="nginxpods")
    return Rule(id="refuse", match=match, act=Act.ANSWER, how=_answer(code, reason), times=0, after=AT_LATE)


PLANS = {
    "list-403": (at_late(Act.ERROR, code=410), _refuse("list", 403, "Forbidden")),
    "watch-503": (at_late(Act.CUT, how="clean"), _refuse("watch", 503, "ServiceUnavailable")),
    # All but the first, which is of the NginxPod at rest.
    "create-500": (
        Rule(
            id="refuse",
            match=CREATES,
            act=Act.ANSWER,
            how=_answer(500, "InternalError"),
            first=2,
            times=0,
            since="story",
        ),
    ),
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
