"""One NginxPod's requests hang; the others must not wait for them."""

from twinloop.harness.faults import Act, Rule
from twinloop.harness.props import CREATES, FAULT, stands
from twinloop.harness.scenario import Stage

SET = "fault"
DESCRIPTION = "The first create of the story is answered after 1.5 s; meanwhile five other NginxPods are created."
EXPECTATION = "The others are ready long before it."
DECIDING = FAULT
OTHERS = 5
SECONDS = 1.5
PLANS = {"": (Rule(id="slow", match=CREATES, act=Act.DELAY, how={"seconds": SECONDS}, since="story"),)}


def story(stage: Stage) -> None:
    """The slow one, then the others."""
    stage.create("slow", replicas=1)
    stage.expect("slow", pods=1)
    stage.fired("slow")
    for index in range(OTHERS):
        stage.create(f"web-{index}", replicas=1)
        stage.expect(f"web-{index}", pods=1)
    stage.wait(lambda view: all(stands(f"web-{index}", 1)(view) for index in range(OTHERS)), SECONDS)
    stage.settle()
