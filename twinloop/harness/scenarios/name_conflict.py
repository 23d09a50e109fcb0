"""Somebody else's pod has the name."""

from twinloop.harness.props import CALM, stranger
from twinloop.harness.scenario import Stage
from twinloop.kube import PODS

DESCRIPTION = (
    "A pod called web-0 belongs to nobody; a user creates NginxPod web with two pods; later the pod is deleted."
)
EXPECTATION = "The stranger is never touched. web-1 comes, the status says NameConflict, and is healed as soon as the name is free."
DECIDING = CALM
# web-1 and the conflict; then web-0 and the status twice.
WRITES = (1 + 1) + (1 + 2)


def story(stage: Stage) -> None:
    """A stranger, a NginxPod, and the stranger goes."""
    stage.make(PODS, stranger("web-0"))
    stage.create("web", replicas=2)
    stage.expect("web", pods=["web-1"], ready=False, reason="NameConflict")
    stage.settle()
    stage.delete("web-0", PODS, grace=1)
    stage.expect("web", pods=2)
