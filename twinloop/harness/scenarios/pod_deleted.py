"""Drift: somebody deletes a pod."""

from twinloop.harness.props import CALM, SAMPLING, at_rest, replaced, rounds, uid_of
from twinloop.harness.scenario import Stage
from twinloop.kube import PODS

DESCRIPTION = "Somebody deletes one of the two pods of a NginxPod by hand, again and again."
EXPECTATION = "As soon as the name is free another pod takes it, and the other one is left alone."
DECIDING = CALM
LATENCY = True
SETTINGS = SAMPLING
# Each time: one pod, and the status twice: one is missing, all are back.
WRITES = (2 + 2) + 6 * (1 + 2)


def story(stage: Stage) -> None:
    """Delete web-1 six times."""
    at_rest(stage, "web", pods=2)
    for _, warm_up in rounds(stage):
        old = uid_of(stage.get(PODS, "web-1"))
        with stage.measure("pod deleted", warm_up=warm_up) as sample:
            # A real nginx takes its time to end; how long is not what this is about.
            stage.delete("web-1", PODS, grace=1)
            sample.until(replaced("web", 2, "web-1", old))
