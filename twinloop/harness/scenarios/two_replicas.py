"""Two operators at once, by mistake or because an election is no lock."""

from twinloop.harness.props import FAULT, at_rest, day
from twinloop.harness.scenario import Stage
from twinloop.kube import PODS

SET = "fault"
DESCRIPTION = (
    "A second process of the same operator runs beside the first, with nothing between them that would elect one."
)
EXPECTATION = (
    "They do not fight: names that follow from the object, uids and resource versions make the second writer lose "
    "harmlessly. It costs requests, and no pod too many."
)
DECIDING = FAULT


def story(stage: Stage) -> None:
    """An ordinary day under two, and a pod is deleted."""
    stage.start("b")
    at_rest(stage, "first", pods=3)
    day(stage)
    stage.delete("first-1", PODS, grace=1)
    stage.scale("web", 1)
    stage.expect("web", pods=1, image="nginxinc/nginx-unprivileged:mainline")
