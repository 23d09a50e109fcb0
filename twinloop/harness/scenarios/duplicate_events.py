"""Every event comes twice."""

from twinloop.harness.faults import Act, Match, Rule
from twinloop.harness.props import FAULT, day
from twinloop.harness.scenario import Stage

SET = "fault"
# Legal when a watch is opened again, not inside one; a good loop does not mind either way.
GRADE = "X"
DESCRIPTION = "Every line of the watches of one kind is sent twice."
EXPECTATION = "Nothing more is written than if each had come once."
DECIDING = (*FAULT, "O9")
# The day's: three pods made for web and one deleted, one made for late; the status five times and twice.
WRITES = (3 + 1 + 5) + (1 + 2)
PLANS = {
    resource: (Rule(id="repeat", match=Match(verb="watch", resource=resource, event="any"), act=Act.REPEAT, times=0),)
    for resource in ("nginxpods", "pods")
}


def story(stage: Stage) -> None:
    """An ordinary day."""
    day(stage)
