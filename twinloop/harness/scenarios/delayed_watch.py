"""The events of one kind come late, those of the other in time."""

from twinloop.harness.faults import Act, Match, Rule
from twinloop.harness.props import FAULT, day
from twinloop.harness.scenario import Stage

SET = "fault"
DESCRIPTION = (
    "From the beginning on, all that a watch of one kind says comes half a second late; the other kind's is in time."
)
EXPECTATION = (
    "The operator does not make a pod a second time because it has not yet seen the first, deletes none on the strength "
    "of an old view, and ends where it would have ended."
)
DECIDING = (*FAULT, "O12")
DELAY = 0.5
PLANS = {
    resource: (
        Rule(
            id="hold",
            match=Match(verb="watch", resource=resource, event="any"),
            act=Act.HOLD,
            how={"seconds": DELAY},
            times=0,
        ),
    )
    for resource in ("nginxpods", "pods")
}


def story(stage: Stage) -> None:
    """An ordinary day, and then down again."""
    day(stage)
    stage.scale("web", 4)
    stage.scale("web", 1)
    stage.expect("web", pods=1, image="nginxinc/nginx-unprivileged:mainline")
    stage.settle()
