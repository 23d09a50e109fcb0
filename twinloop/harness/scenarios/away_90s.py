"""The API server is away for longer than a framework may be ready to wait."""

from twinloop.harness.props import FAULT, at_rest, changes_unseen
from twinloop.harness.scenario import Stage

SET = "fault"
LONG = True
DESCRIPTION = "The API server is out of the operator's reach for 90 s, while others go on changing things."
EXPECTATION = (
    "The operator is still there, still trying, not too often, and catches up within the longest usual back-off."
)
DECIDING = FAULT
SECONDS = 90.0
# 30 s is the longest back-off of client-go's reflector, and up to twice that with its jitter.
SETTINGS = {"bound": 75.0, "canary": 75.0}


def story(stage: Stage) -> None:
    """Cut, change, wait, connect."""
    at_rest(stage, "web", pods=2)
    at_rest(stage, "old", pods=1)
    stage.away()
    changes_unseen(stage)
    stage.pause(SECONDS)
    stage.back()
