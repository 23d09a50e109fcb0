"""A connection that is only open on our side."""

from twinloop.harness.faults import Act
from twinloop.harness.props import FAULT, at_late, day
from twinloop.harness.scenario import Stage

SET = "fault"
LONG = True
DESCRIPTION = (
    "A watch falls silent at the line that tells of something new, and stays open: no event, no end, no bookmark."
)
EXPECTATION = (
    "The operator finds out by itself that nobody speaks any more, within two minutes, and opens another watch."
)
DECIDING = FAULT
# Bookmarks come about once a minute: nobody can know sooner, and nobody should need twice as long.
SETTINGS = {"bound": 130.0}
PLANS = {resource: (at_late(Act.SILENCE, resource),) for resource in ("nginxpods", "pods")}


def story(stage: Stage) -> None:
    """An ordinary day that gets long."""
    day(stage)
