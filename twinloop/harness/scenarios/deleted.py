"""NginxPods are deleted, in each way that a user has."""

from twinloop.harness.props import CALM, at_rest
from twinloop.harness.scenario import Stage

DESCRIPTION = (
    "A user deletes one NginxPod as usual, one in the foreground, which stays until its pods are gone, and one that has "
    "only just been created."
)
EXPECTATION = (
    "Everything goes, at the hands of the garbage collector. The operator writes nothing about an object that is being "
    "deleted, and no finalizer of its own keeps one."
)
# How far the one that has just been created gets is a race, and so is the number of writes.
DECIDING = tuple(oracle for oracle in CALM if oracle not in {"O9", "O12"})


def story(stage: Stage) -> None:
    """Three NginxPods come and go."""
    at_rest(stage, "usual", "foreground", pods=2)
    stage.delete("usual")
    stage.expect_gone("usual")
    stage.delete("foreground", policy="Foreground")
    stage.expect_gone("foreground")
    stage.create("brief", replicas=2)
    stage.delete("brief")
    stage.expect_gone("brief")
