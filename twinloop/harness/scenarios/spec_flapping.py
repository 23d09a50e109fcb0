"""The spec changes faster than any loop can follow."""

from twinloop.harness.props import CALM, at_rest
from twinloop.harness.scenario import IMAGE, OTHER_IMAGE, Stage

DESCRIPTION = "A user, or a script gone wild, changes replicas and image of a NginxPod 40 times as fast as it can."
EXPECTATION = (
    "What was passed by need never have existed; the last word counts, and is reached as if it were the only one."
)
# How many writes it takes depends on which of the changes is seen at all: no bound could be called the least.
DECIDING = tuple(oracle for oracle in CALM if oracle != "O9")
EDITS = 40


def story(stage: Stage) -> None:
    """Roll dice, then say what is really wanted."""
    at_rest(stage, "web", pods=2)
    for _ in range(EDITS):
        stage.edit("web", replicas=stage.rng.randint(0, 4), image=stage.rng.choice([IMAGE, OTHER_IMAGE]))
    stage.edit("web", replicas=3, image=OTHER_IMAGE)
    stage.expect("web", pods=3, image=OTHER_IMAGE)
