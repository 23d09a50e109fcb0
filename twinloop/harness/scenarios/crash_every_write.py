"""The operator is killed at every write of a story, one plan each."""

from twinloop.harness.props import FAULT, stands
from twinloop.harness.scenario import OTHER_IMAGE, Stage

SET = "fault"
DESCRIPTION = (
    "A user creates a NginxPod, then changes its image and scales it up. The operator is killed with SIGKILL at its k-th "
    "write, for every k: before the API server hears of it, after it has done it, and after the operator was told."
)
EXPECTATION = (
    "Whatever the operator knew is lost, and nothing comes of it: the next one finds in the objects themselves how far "
    "the last one came. Every crash leads to the same end, without a pod too many on the way."
)
EVERY_WRITE = True
DECIDING = (*FAULT, "O12", "O17")
# Three pods made, one deleted; the status under way, ready, begun again, half done, done.
WRITES = 3 + 1 + 5


def story(stage: Stage) -> None:
    """Short, for it is told three times as often as it has writes."""
    stage.create("web", replicas=1)
    stage.expect("web", pods=1)
    stage.wait(stands("web", 1))
    stage.edit("web", replicas=2, image=OTHER_IMAGE)
    stage.expect("web", pods=2, image=OTHER_IMAGE)
    stage.settle()
