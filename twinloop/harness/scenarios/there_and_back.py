"""A change that is taken back leaves nothing behind."""

from twinloop.harness.props import CALM, at_rest
from twinloop.harness.scenario import IMAGE, OTHER_IMAGE, Stage

DESCRIPTION = "A user changes image and replicas of a NginxPod, waits, and changes all of it back."
EXPECTATION = "In the end it looks like a NginxPod that was never changed, whatever way it took."
DECIDING = (*CALM, "O16")
# There: one pod more and two replaced; back: one less and two replaced; the status three times each way.
WRITES = (2 + 2) + 2 * (1 + 2 * 2 + 3)


def story(stage: Stage) -> None:
    """A, B, A."""
    at_rest(stage, "web", pods=2)
    stage.edit("web", replicas=3, image=OTHER_IMAGE)
    # No other port: in these images nobody listens there, and a kubelet that probes never finds such a pod ready.
    stage.expect("web", pods=3, image=OTHER_IMAGE)
    stage.settle()
    stage.edit("web", replicas=2, image=IMAGE)
    stage.expect("web", pods=2)
