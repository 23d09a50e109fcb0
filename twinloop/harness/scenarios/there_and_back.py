"""A change that is taken back leaves nothing behind."""

from twinloop.harness.props import CALM, at_rest
from twinloop.harness.scenario import IMAGE, OTHER_IMAGE, PORT, Stage

DESCRIPTION = "A user changes image, port and replicas of a NginxPod, waits, and changes all of it back."
EXPECTATION = "In the end it looks like a NginxPod that was never changed, whatever way it took."
DECIDING = (*CALM, "O16")
OTHER_PORT = 8081
# There: one pod more and two replaced; back: one less and two replaced; the status three times each way.
WRITES = (2 + 2) + 2 * (1 + 2 * 2 + 3)


def story(stage: Stage) -> None:
    """A, B, A."""
    at_rest(stage, "web", pods=2)
    stage.edit("web", replicas=3, image=OTHER_IMAGE, port=OTHER_PORT)
    stage.expect("web", pods=3, image=OTHER_IMAGE, port=OTHER_PORT)
    stage.settle()
    stage.edit("web", replicas=2, image=IMAGE, port=PORT)
    stage.expect("web", pods=2)
