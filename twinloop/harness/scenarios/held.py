"""A NginxPod is deleted, and somebody else's finalizer holds it for a while."""

from twinloop.harness.props import CALM, at_rest
from twinloop.harness.scenario import Stage
from twinloop.kube import NGINXPODS, PODS

DESCRIPTION = (
    "Somebody puts a finalizer of its own on a NginxPod, and a user deletes the NginxPod, which is held by it. Meanwhile "
    "one of its two pods is deleted by hand. Then the finalizer is taken off."
)
EXPECTATION = (
    "While it is held the NginxPod is left alone: the missing pod is not made again, the other one is not touched, and no "
    "status is written. Once let go, everything goes, at the hands of the garbage collector."
)
DECIDING = CALM
# Two pods and the status twice; nothing more for what is going.
WRITES = 2 + 2


def story(stage: Stage) -> None:
    """Hold, delete, take a pod away, let go."""
    if not at_rest(stage, "web", pods=2):
        return
    stage.patch(NGINXPODS, "web", {"metadata": {"finalizers": ["example.com/held"]}})
    stage.delete("web")
    stage.expect_gone("web")
    # Longer than a moment: what was read before the deletion excuses nobody after it.
    stage.pause(1.5)
    stage.delete("web-0", PODS, grace=1)
    stage.wait(lambda view: view.pod("web-0") is None)
    # That nothing is made can only be seen by looking for a while.
    stage.pause(1.0)
    stage.patch(NGINXPODS, "web", {"metadata": {"finalizers": None}})
    stage.settle()
