"""A minute in which nobody does anything."""

from twinloop.harness.props import CALM, at_rest
from twinloop.harness.scenario import Stage

DESCRIPTION = "Five NginxPods with two pods each are as they should be, for a minute."
EXPECTATION = "Nothing is written. What is read, and what CPU and memory it takes to do nothing, is in the report."
DECIDING = CALM
# The window in which nobody may write is the minute.
SETTINGS = {"window": 60.0}
TOGETHER = True
WRITES = 5 * (2 + 2)


def story(stage: Stage) -> None:
    """Create five, and leave them alone."""
    at_rest(stage, *(f"web-{index}" for index in range(5)), pods=2)
