"""Scaling up and down, as kubectl scale does it."""

from twinloop.harness.props import CALM, SAMPLING, at_rest, rounds, stands
from twinloop.harness.scenario import Stage

DESCRIPTION = "A user scales a NginxPod from one pod to three and back, through the subresource scale, again and again."
EXPECTATION = "Pods are added and taken away from the end: web-0 is never touched, and the status follows."
DECIDING = CALM
LATENCY = True
SETTINGS = SAMPLING
# The first pod and its status; then each way two pods and the status twice.
WRITES = (1 + 2) + 6 * 2 * (2 + 2)


def story(stage: Stage) -> None:
    """Up and down, six times."""
    at_rest(stage, "web", pods=1)
    for _, warm_up in rounds(stage):
        with stage.measure("scale up", warm_up=warm_up) as sample:
            stage.scale("web", 3)
            sample.until(stands("web", 3))
        stage.expect("web", pods=3)
        stage.settle(stage.settings.bound / 5)
        with stage.measure("scale down", warm_up=warm_up) as sample:
            stage.scale("web", 1)
            sample.until(stands("web", 1))
        stage.expect("web", pods=1)
