"""5xx: the API server, or something before it, fails and has done nothing."""

from typing import Any

from twinloop.harness.faults import Act, Match, Rule
from twinloop.harness.props import AT_LATE, CREATES, DELETES, FAULT, STATUS, at_late, day
from twinloop.harness.scenario import Stage

SET = "fault"
DESCRIPTION = (
    "A list, a watch, or two writes in a row fail before the API server has heard of them: with 500 and a Status, with 503 and a page for a "
    "person, with 502 and nothing, or the connection breaks."
)
EXPECTATION = "Each is tried again with back-off until it works; an answer that is no JSON is no reason to die."
DECIDING = FAULT
_PAGE = "<html><body><h1>503 Service Unavailable</h1></body></html>"
_INTERNAL = {"code": 500, "reason": "InternalError", "message": "etcdserver: leader changed"}


def _fail(match: Match, **how: Any) -> Rule:
    return Rule(id="fail", match=match, act=Act.ANSWER if how else Act.ABORT, how=how, times=2, since="story")


def _fail_reading(verb: str, **how: Any) -> Rule:
    # Once: the usual back-off after it is a second or so, after two of them three.
    match = Match(verb=verb, resource="nginxpods")
    return Rule(id="fail", match=match, act=Act.ANSWER if how else Act.ABORT, how=how, after=AT_LATE)


PLANS = {
    "create-500": (_fail(CREATES, **_INTERNAL),),
    "create-503-page": (_fail(CREATES, code=503, raw=_PAGE),),
    "create-502-empty": (_fail(CREATES, code=502, raw=""),),
    "create-broken": (_fail(CREATES),),
    "delete-500": (_fail(DELETES, **_INTERNAL),),
    "status-500": (_fail(STATUS, **_INTERNAL),),
    "status-503-page": (_fail(STATUS, code=503, raw=_PAGE),),
    "list-500": (at_late(Act.ERROR, code=410), _fail_reading("list", **_INTERNAL)),
    "list-503-page": (at_late(Act.ERROR, code=410), _fail_reading("list", code=503, raw=_PAGE)),
    "watch-500": (at_late(Act.CUT, how="clean"), _fail_reading("watch", **_INTERNAL)),
    "watch-broken": (at_late(Act.CUT, how="reset"), _fail_reading("watch")),
    "event-500": (at_late(Act.ERROR, code=500),),
}


def story(stage: Stage) -> None:
    """An ordinary day."""
    day(stage)
