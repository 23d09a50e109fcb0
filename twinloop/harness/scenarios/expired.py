"""410: the version that the operator knows is too old, in each form in which an API server says so."""

from twinloop.harness.faults import Act, Match, Rule
from twinloop.harness.props import AT_LATE, FAULT, at_late, day
from twinloop.harness.scenario import Stage

SET = "fault"
DESCRIPTION = (
    "A watch is told that its version has expired: by an ERROR event inside it, or by the status 410 when it is opened "
    "again; or a list is answered with 410, as it is when the token of its next page has expired."
)
EXPECTATION = "The operator lists what there is and watches on. It neither ends nor goes deaf."
DECIDING = FAULT


def _refused(verb: str, resource: str) -> Rule:
    how = {"code": 410, "reason": "Expired", "message": "too old resource version: 1 (2)"}
    match = Match(verb=verb, resource=resource)
    return Rule(id=f"{verb}-410", match=match, act=Act.ANSWER, how=how, after=AT_LATE)


PLANS = {
    "event-nginxpods": (at_late(Act.ERROR, code=410),),
    "event-pods": (at_late(Act.ERROR, "pods", code=410),),
    "watch-nginxpods": (at_late(Act.CUT, how="clean"), _refused("watch", "nginxpods")),
    "watch-pods": (at_late(Act.CUT, "pods", how="clean"), _refused("watch", "pods")),
    "list": (at_late(Act.ERROR, code=410), _refused("list", "nginxpods")),
}


def story(stage: Stage) -> None:
    """An ordinary day; the fault waits for `late`."""
    day(stage)
