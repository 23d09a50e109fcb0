"""A NginxPod is created: the simplest thing that an operator does, and how long it takes."""

from twinloop.harness.props import CALM, SAMPLING, rounds, stands
from twinloop.harness.scenario import Stage

DESCRIPTION = "A user creates NginxPods with three pods each, one after the other, each when the operator is at rest."
EXPECTATION = "Every one of them gets its three pods and says Ready, with no write more than it takes."
DECIDING = CALM
LATENCY = True
SETTINGS = SAMPLING
# Of each: three pods, and the status twice: under way, ready.
WRITES = 6 * (3 + 2)


def story(stage: Stage) -> None:
    """Create and wait, six times."""
    for index, warm_up in rounds(stage):
        name = f"web-{index}"
        with stage.measure("create", warm_up=warm_up) as sample:
            stage.create(name, replicas=3)
            sample.until(stands(name, 3))
        stage.expect(name, pods=3)
