"""Drift: a pod ends for good."""

from twinloop.harness.props import CALM, at_rest, replaced, uid_of
from twinloop.harness.scenario import Stage
from twinloop.kube import PODS

DESCRIPTION = "One of the two pods of a NginxPod is evicted by its node: it stays there, in phase Failed."
EXPECTATION = (
    "The first failure is answered at once: the dead pod is deleted and made again; the status never counts it."
)
DECIDING = CALM
# One pod deleted and made again, and the status twice.
WRITES = (2 + 2) + (1 + 1 + 2)


def story(stage: Stage) -> None:
    """Say of web-1 what a kubelet says of a pod that it has evicted."""
    if not at_rest(stage, "web", pods=2):
        return
    old = uid_of(stage.get(PODS, "web-1"))
    evicted = {"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."}
    stage.patch(PODS, "web-1", {"status": evicted}, subresource="status")
    stage.wait(replaced("web", 2, "web-1", old))
