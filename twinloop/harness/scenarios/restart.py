"""The operator is restarted, and nothing has changed."""

from twinloop.harness.props import CALM, at_rest
from twinloop.harness.scenario import Stage

DESCRIPTION = "Three NginxPods are as they should be; the operator is stopped and started again."
EXPECTATION = "It looks at everything and writes nothing: neither to its objects, nor an Event about what is old news."
DECIDING = CALM
# For a late-comer among the writes.
SETTINGS = {"window": 2.0}
WRITES = 3 * (2 + 2)


def story(stage: Stage) -> None:
    """Rest, restart, rest."""
    at_rest(stage, "one", "two", "three", pods=2)
    stage.stop()
    stage.start()
