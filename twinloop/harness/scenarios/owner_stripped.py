"""Drift: a pod loses its owner, and with it becomes somebody else's."""

from twinloop.harness.props import CALM, at_rest, reason_of
from twinloop.harness.scenario import Stage
from twinloop.kube import PODS

DESCRIPTION = "Somebody removes the owner reference of one of the two pods of a NginxPod, all labels stay; later the pod is deleted."
EXPECTATION = (
    "The pod is ours no more: it is neither adopted nor touched. Its name is missing, which the status says as "
    "NameConflict, until the pod goes; then a new one takes its place."
)
DECIDING = CALM
# The status: in conflict; then one pod, and the status twice.
WRITES = (2 + 2) + 1 + (1 + 2)


def story(stage: Stage) -> None:
    """Strip web-0, see the conflict, and end it."""
    if not at_rest(stage, "web", pods=2):
        return
    stage.patch(PODS, "web-0", {"metadata": {"ownerReferences": None}})
    stage.expect("web", pods=["web-1"], ready=False, reason="NameConflict")
    stage.wait(lambda view: reason_of(view.nginxpod("web")) == "NameConflict")
    stage.settle()
    stage.delete("web-0", PODS, grace=1)
    stage.expect("web", pods=2)
