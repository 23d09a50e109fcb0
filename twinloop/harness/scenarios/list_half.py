"""A list that ends in the middle."""

from twinloop.harness.faults import Act, Match, Rule
from twinloop.harness.props import AT_LATE, FAULT, at_late, day
from twinloop.harness.scenario import Stage

SET = "fault"
DESCRIPTION = "Half of the answer to a list of NginxPods comes, then the connection ends."
EXPECTATION = "Half a list is no list: it is asked for again, and nothing is concluded from what is missing."
DECIDING = FAULT
PLANS = {
    "": (
        at_late(Act.ERROR, code=410),
        Rule(id="halve", match=Match(verb="list", resource="nginxpods"), act=Act.TRUNCATE, after=AT_LATE),
    )
}


def story(stage: Stage) -> None:
    """An ordinary day; the fault waits for `late`."""
    day(stage)
