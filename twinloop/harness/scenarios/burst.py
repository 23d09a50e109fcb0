"""Many NginxPods at once."""

from twinloop.harness.props import CALM, at_rest
from twinloop.harness.scenario import Stage

DESCRIPTION = "A user creates 30 NginxPods with two pods each as fast as the API server takes them."
EXPECTATION = "All 60 pods come, nobody waits for long behind the others, and no NginxPod costs more writes than alone."
DECIDING = CALM
SETTINGS = {"bound": 30.0}
NUMBER = 30
WRITES = NUMBER * (2 + 2)


def story(stage: Stage) -> None:
    """Create them all, then wait."""
    at_rest(stage, *(f"web-{index}" for index in range(NUMBER)), pods=2)
