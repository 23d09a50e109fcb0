"""The operator is away while things change."""

from twinloop.harness.props import CALM, at_rest
from twinloop.harness.scenario import OTHER_IMAGE, Stage
from twinloop.kube import PODS

DESCRIPTION = (
    "The operator is stopped. Meanwhile one NginxPod is changed, one is deleted, one is deleted and made anew, one is "
    "created, and a pod is deleted. Then the operator starts again."
)
EXPECTATION = (
    "It needs no event to know what to do: it compares what is with what should be. Nothing is adopted or left."
)
DECIDING = CALM
# Before: three NginxPods of two pods. After: `changed` has three pods made and one deleted, the others one made each.
WRITES = 3 * (2 + 2) + (3 + 1 + 2) + (1 + 2) + (1 + 2)


def story(stage: Stage) -> None:
    """Everything that can change, while nobody looks."""
    at_rest(stage, "changed", "deleted", "anew", pods=2)
    stage.stop()
    stage.edit("changed", replicas=3, image=OTHER_IMAGE)
    stage.expect("changed", pods=3, image=OTHER_IMAGE)
    stage.delete("changed-0", PODS, grace=1)
    stage.delete("deleted")
    stage.expect_gone("deleted")
    stage.delete("anew")
    stage.create("anew", replicas=1)
    stage.expect("anew", pods=1)
    stage.create("created", replicas=1)
    stage.expect("created", pods=1)
    # Some of it is the garbage collector's, and done by the time that the operator comes back.
    stage.wait(lambda view: view.pod("deleted-0") is None and view.pod("changed-0") is None)
    stage.start()
