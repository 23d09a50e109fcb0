"""A line of a watch that is no JSON."""

from twinloop.harness.faults import Act
from twinloop.harness.props import FAULT, at_late, day
from twinloop.harness.scenario import Stage

SET = "fault"
# No API server sends such a line; proxies and broken memory have.
GRADE = "X"
DESCRIPTION = "In place of the line that tells of something new comes one that makes no sense; the watch goes on."
EXPECTATION = "The operator neither dies nor skips it: what the line said is learned by another watch, or by a list."
DECIDING = FAULT
PLANS = {resource: (at_late(Act.CORRUPT, resource),) for resource in ("nginxpods", "pods")}


def story(stage: Stage) -> None:
    """An ordinary day; the fault waits for `late`."""
    day(stage)
