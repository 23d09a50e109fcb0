"""The process stands still for half a minute: a laptop's lid, a node that swaps, a debugger."""

from twinloop.harness.props import FAULT, at_rest, changes_unseen
from twinloop.harness.scenario import Stage

SET = "fault"
LONG = True
DESCRIPTION = "The operator is stopped with SIGSTOP for 30 s, while others change things; then it goes on."
EXPECTATION = "It notices what it missed, from its watches or by listing, and acts on nothing that is out of date."
DECIDING = FAULT
SECONDS = 30.0
SETTINGS = {"bound": 75.0}


def story(stage: Stage) -> None:
    """Stop, change, wait, go on."""
    at_rest(stage, "web", pods=2)
    at_rest(stage, "old", pods=1)
    stage.signal("SIGSTOP")
    changes_unseen(stage)
    stage.pause(SECONDS)
    stage.signal("SIGCONT")
