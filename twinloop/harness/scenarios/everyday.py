"""A NginxPod from its creation to its end: the story of the demo."""

from twinloop.harness.props import CALM, stands
from twinloop.harness.scenario import OTHER_IMAGE, Stage
from twinloop.kube import PODS

DESCRIPTION = (
    "A user makes a NginxPod with two pods, scales it to three, deletes a pod by hand, changes the image and deletes the NginxPod. "
    "`twinloop demo` shows this as it happens."
)
EXPECTATION = "Each time what the user wants is there before the next step, with no more writes than it takes."
DECIDING = CALM
TOGETHER = True
# Two pods and their status; a third pod, a successor, and each time the status twice; then pod by pod to the other image, and
# the status at the beginning, after each of the first two and at the end.
WRITES = (2 + 2) + (1 + 2) + (1 + 2) + (3 * 2 + 4)


def story(stage: Stage) -> None:
    """One step after the other, each from rest."""
    stage.create("web", replicas=2)
    stage.expect("web", pods=2)
    if not stage.settle():
        return
    stage.scale("web", 3)
    stage.expect("web", pods=3)
    stage.settle()
    stage.delete("web-1", PODS, grace=1)
    # The table holds as long as nobody has noticed.
    stage.wait(lambda view: not stands("web", 3)(view))
    stage.settle()
    stage.edit("web", image=OTHER_IMAGE)
    stage.expect("web", pods=3, image=OTHER_IMAGE)
    stage.settle()
    stage.delete("web")
    stage.expect_gone("web")
    stage.settle()
