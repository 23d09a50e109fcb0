"""An event of a type that is not invented yet."""

from twinloop.harness.faults import Act, Match, Rule
from twinloop.harness.props import FAULT, day
from twinloop.harness.scenario import Stage

SET = "fault"
DESCRIPTION = (
    "The first change of NginxPod late comes under an event type that does not exist; the next ones come as usual."
)
EXPECTATION = "The operator says so in its log at most, and goes on."
DECIDING = FAULT
PLANS = {
    "": (
        Rule(
            id="unknown",
            match=Match(verb="watch", resource="nginxpods", event="MODIFIED", name="late"),
            act=Act.UNKNOWN,
        ),
    )
}


def story(stage: Stage) -> None:
    """An ordinary day; every operator that writes a status gets such a line."""
    day(stage)
