"""A watch ends, in each way that it can."""

from twinloop.harness.faults import Act
from twinloop.harness.props import FAULT, at_late, day
from twinloop.harness.scenario import Stage

SET = "fault"
DESCRIPTION = "A watch ends at the very line that tells of something new: at its end, in its middle, or by a reset."
EXPECTATION = "The operator watches on from the last version that it knows, and the line comes again."
DECIDING = FAULT
PLANS = {
    f"{how}-{resource}": (at_late(Act.CUT, resource, how=how),)
    for how in ("clean", "reset", "line")
    for resource in ("nginxpods", "pods")
}


def story(stage: Stage) -> None:
    """An ordinary day; the fault waits for `late`."""
    day(stage)
