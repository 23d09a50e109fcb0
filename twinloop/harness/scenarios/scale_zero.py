"""Scaling to nothing and back."""

from twinloop.harness.props import CALM, at_rest
from twinloop.harness.scenario import Stage

DESCRIPTION = "A user scales a NginxPod with three pods to zero, waits, and scales it to two."
EXPECTATION = "Zero pods that are wanted and none left is Ready; then two new ones come."
DECIDING = CALM
WRITES = (3 + 2) + (3 + 2) + (2 + 2)


def story(stage: Stage) -> None:
    """Three, none, two."""
    at_rest(stage, "web", pods=3)
    stage.scale("web", 0)
    stage.expect("web", pods=0, reason="AllReady")
    stage.settle()
    stage.scale("web", 2)
    stage.expect("web", pods=2)
