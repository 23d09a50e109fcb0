"""One object that cannot be helped, among many."""

from twinloop.harness.props import CALM, stranger
from twinloop.harness.scenario import Stage
from twinloop.kube import PODS

DESCRIPTION = (
    "The name of the only pod of NginxPod bad is a stranger's, so that every visit fails; 15 others are created too."
)
EXPECTATION = "The others are served as if it did not exist, and it is tried again less and less often."
DECIDING = (*CALM, "O7")
GOOD = 15
WRITES = 1 + GOOD * (1 + 2)


def story(stage: Stage) -> None:
    """The bad one first, then the good ones."""
    stage.make(PODS, stranger("bad-0"))
    stage.create("bad", replicas=1)
    stage.expect("bad", pods=[], ready=False, reason="NameConflict")
    for index in range(GOOD):
        stage.create(f"good-{index}", replicas=1)
        stage.expect(f"good-{index}", pods=1)
