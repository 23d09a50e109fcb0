"""Drift: a pod loses the label that finds it."""

from twinloop.harness.props import CALM, at_rest, replaced, uid_of
from twinloop.harness.scenario import Stage
from twinloop.kube import PODS

DESCRIPTION = "Somebody gives one of the two pods of a NginxPod the label of another NginxPod, which does not exist."
EXPECTATION = (
    "The pod is still ours by its owner, and it is no longer what we made: it is replaced. An operator that finds its "
    "pods by their label alone no longer sees this one."
)
DECIDING = CALM
WRITES = (2 + 2) + (1 + 1 + 2)


def story(stage: Stage) -> None:
    """Change web-0's label."""
    if not at_rest(stage, "web", pods=2):
        return
    old = uid_of(stage.get(PODS, "web-0"))
    stage.patch(PODS, "web-0", {"metadata": {"labels": {"twinloop.dev/nginxpod": "other"}}})
    stage.wait(replaced("web", 2, "web-0", old))
