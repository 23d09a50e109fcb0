"""An image that nobody can pull, and its correction."""

from twinloop.harness.props import CALM, NO_SUCH_IMAGE, at_rest, image_of
from twinloop.harness.scenario import IMAGE, OTHER_IMAGE, Stage, View

DESCRIPTION = (
    "A user changes the image of a NginxPod with three pods to one that does not exist, and later to one that does."
)
EXPECTATION = (
    "The first pod that does not come up stops the roll-out: two pods go on serving. The correction replaces the pod that "
    "never came up first, and waits for nobody's readiness to do so."
)
# The kubelet says what is wrong with an image in turns, so that the least number of writes depends on its mood.
DECIDING = tuple(oracle for oracle in CALM if oracle not in {"O9", "O12"})


def story(stage: Stage) -> None:
    """Break one pod, then mend all of them."""
    at_rest(stage, "web", pods=3)

    def broken(view: View) -> bool:
        return sorted(image_of(pod) for pod in view.pods("web")) == sorted([NO_SUCH_IMAGE, IMAGE, IMAGE])

    stage.edit("web", image=NO_SUCH_IMAGE)
    stage.wait(broken)
    stage.edit("web", image=OTHER_IMAGE)
    stage.expect("web", pods=3, image=OTHER_IMAGE)
