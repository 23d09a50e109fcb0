"""Others write to our objects too."""

from twinloop.harness.props import CALM, at_rest
from twinloop.harness.scenario import OTHER_IMAGE, Stage
from twinloop.kube import NGINXPODS, PODS

DESCRIPTION = (
    "Somebody else puts a label, an annotation and a condition of its own on a NginxPod, and an annotation on its pod; "
    "then a user scales it up, and changes its image."
)
EXPECTATION = "What others have written is still there in the end; the pod's annotation goes with the pod."
DECIDING = CALM
NOTE = {"example.com/note": "keep-me"}
CONDITION = {
    "type": "Audited",
    "status": "True",
    "reason": "Seen",
    "message": "by somebody else",
    "lastTransitionTime": "2026-01-01T00:00:00Z",
}
# One pod more and the status twice; two pods replaced and the status three times.
WRITES = (1 + 2) + (1 + 2) + (2 * 2 + 3)


def story(stage: Stage) -> None:
    """Leave marks, then change things around them."""
    if not at_rest(stage, "web", pods=1):
        return
    stage.patch(NGINXPODS, "web", {"metadata": {"labels": NOTE, "annotations": NOTE}})
    conditions = ((stage.get(NGINXPODS, "web") or {}).get("status") or {}).get("conditions") or []
    stage.patch(NGINXPODS, "web", {"status": {"conditions": [*conditions, CONDITION]}}, subresource="status")
    stage.patch(PODS, "web-0", {"metadata": {"annotations": NOTE}})
    stage.scale("web", 2)
    stage.expect("web", pods=2)
    stage.settle()
    stage.edit("web", image=OTHER_IMAGE)
    stage.expect("web", pods=2, image=OTHER_IMAGE)
