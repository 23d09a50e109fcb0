"""What happened while the watch was down has been forgotten by the API server: nobody will ever tell of it."""

from twinloop.harness.props import FAULT, at_rest
from twinloop.harness.scenario import OTHER_IMAGE, Stage
from twinloop.kube import PODS

SET = "fault"
DESCRIPTION = (
    "While the operator has no connection, the only pod of one NginxPod is deleted, another NginxPod is deleted, a third one "
    "deleted and made anew under its name, a fourth changed. Then the API server forgets its history."
)
EXPECTATION = (
    "The list that follows is compared with what was known: what is not in it is gone, and what has another uid is another "
    "object. A loop that only looks at what is in the list misses the pod."
)
NEEDS = frozenset({"compact"})
DECIDING = FAULT


def story(stage: Stage) -> None:
    """Cut, change, forget, connect."""
    at_rest(stage, "bereft", "deleted", "anew", "changed", pods=1)
    stage.away()
    stage.delete("bereft-0", PODS, grace=1)
    stage.delete("deleted")
    stage.expect_gone("deleted")
    stage.delete("anew")
    stage.create("anew", replicas=2)
    stage.expect("anew", pods=2)
    stage.edit("changed", replicas=2, image=OTHER_IMAGE)
    stage.expect("changed", pods=2, image=OTHER_IMAGE)
    stage.wait(lambda view: not any(view.pod(name) for name in ("bereft-0", "deleted-0", "anew-0")))
    stage.compact()
    stage.back()
