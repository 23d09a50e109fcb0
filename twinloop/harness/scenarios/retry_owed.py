"""An operator owes a retry, and the note in which it says so to itself is refused."""

from twinloop.harness.faults import Act, Match, Rule
from twinloop.harness.props import CREATES, FAULT
from twinloop.harness.scenario import Stage

SET = "fault"
DESCRIPTION = "The first four creates of pods fail with 500, and the first four writes to the NginxPod with 409; then nothing more happens."
EXPECTATION = (
    "The retry is owed whatever became of the words about it: the pod comes within milliseconds, a second or two with a "
    "slow back-off, and needs no event that reminds the operator of it."
)
DECIDING = FAULT
# A retry that is forgotten comes with the next event, or with the periodic look at everything: not within this.
SETTINGS = {"bound": 4.0}
PLANS = {
    "": (
        Rule(
            id="create-500",
            match=CREATES,
            act=Act.ANSWER,
            how={"code": 500, "reason": "InternalError", "message": "etcdserver: leader changed"},
            times=4,
            since="story",
        ),
        Rule(
            id="write-409",
            match=Match(verb="write", resource="nginxpods"),
            act=Act.ANSWER,
            how={"code": 409, "reason": "Conflict", "message": "the object has been modified"},
            times=4,
            since="story",
        ),
    )
}


def story(stage: Stage) -> None:
    """Create one, and leave it alone."""
    stage.create("web", replicas=1)
    stage.expect("web", pods=1)
    # Long enough for all eight, short enough for what comes late to be late.
    stage.settle(stage.settings.bound / 4)
