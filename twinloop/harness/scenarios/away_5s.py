"""The API server is restarted."""

from twinloop.harness.props import FAULT, at_rest, changes_unseen
from twinloop.harness.scenario import Stage

SET = "fault"
DESCRIPTION = "The API server is out of the operator's reach for 5 s, while others go on changing things."
EXPECTATION = "The operator waits, with growing patience, and catches up by itself when the API server is back."
DECIDING = FAULT
SECONDS = 5.0


def story(stage: Stage) -> None:
    """Cut, change, wait, connect."""
    at_rest(stage, "web", pods=2)
    at_rest(stage, "old", pods=1)
    stage.away()
    changes_unseen(stage)
    stage.pause(SECONDS)
    stage.back()
