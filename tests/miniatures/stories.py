"""Stories that only miniatures need: what they show, no story of the comparison tells."""

from __future__ import annotations

from twinloop.harness.props import CALM, at_rest
from twinloop.harness.scenario import Scenario, Stage
from twinloop.kube import NGINXPODS, PODS


def _held(stage: Stage) -> None:
    """Delete a NginxPod that somebody else holds by a finalizer, and its pod; let go of it after a while."""
    at_rest(stage, "web", pods=1)
    stage.patch(NGINXPODS, "web", {"metadata": {"finalizers": ["example.com/held"]}})
    stage.delete("web")
    # Longer than a moment: what was read before the deletion excuses nobody after it.
    stage.pause(1.5)
    stage.delete("web-0", PODS, grace=1)
    stage.wait(lambda view: view.pod("web-0") is None)
    stage.pause(0.5)
    stage.patch(NGINXPODS, "web", {"metadata": {"finalizers": None}})
    stage.expect_gone("web")
    stage.settle()


HELD = Scenario(
    name="held",
    description="A NginxPod is deleted that a finalizer of somebody else holds, and its pod is deleted by hand.",
    expectation="Nothing is made for an object that is going.",
    story=_held,
    deciding=tuple(oracle for oracle in CALM if oracle not in {"O9", "O12"}),
)
