"""Deleted and created again under the same name."""

from twinloop.harness.props import CALM, at_rest
from twinloop.harness.scenario import OTHER_IMAGE, Stage

DESCRIPTION = "A user deletes a NginxPod with two pods and at once creates another one of the same name, with three."
EXPECTATION = (
    "The old pods belong to an object that is gone: they are not adopted, and not deleted by the operator either. "
    "The new pods come when the garbage collector has made room for them."
)
DECIDING = CALM
WRITES = (2 + 2) + (3 + 2)


def story(stage: Stage) -> None:
    """Delete and create in one breath."""
    at_rest(stage, "web", pods=2)
    stage.delete("web")
    stage.create("web", replicas=3, image=OTHER_IMAGE)
    stage.expect("web", pods=3, image=OTHER_IMAGE)
