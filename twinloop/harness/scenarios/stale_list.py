"""After a restart the first lists are old: they come from an API server that lags behind."""

from twinloop.harness.faults import Act, Match, Rule
from twinloop.harness.props import FAULT, at_rest
from twinloop.harness.scenario import OTHER_IMAGE, Stage
from twinloop.kube import NGINXPODS, PODS

SET = "fault"
# A list without a resourceVersion must be fresh, one with resourceVersion=0 need not: the rule does not ask which.
GRADE = "X"
DESCRIPTION = (
    "A NginxPod is scaled down and another one deleted; then the operator is restarted, and its first lists show both as "
    "they were before."
)
EXPECTATION = (
    "What is about to be done on the word of an old list is checked by the uid and by the API server itself: nothing is "
    "made or deleted wrongly, and the watch that follows brings the operator up to date."
)
DECIDING = FAULT


def _stale(resource: str) -> Rule:
    # Twice: an operator may list once to see whether it can, and once to know.
    return Rule(id=f"stale-{resource}", match=Match(verb="list", resource=resource), act=Act.STALE, times=2)


def story(stage: Stage) -> None:
    """Remember, change, restart on old lists."""
    at_rest(stage, "web", pods=3)
    at_rest(stage, "old", pods=1)
    stage.remember(NGINXPODS)
    stage.remember(PODS)
    stage.edit("web", replicas=1, image=OTHER_IMAGE)
    stage.expect("web", pods=1, image=OTHER_IMAGE)
    stage.delete("old")
    stage.expect_gone("old")
    stage.settle()
    stage.stop()
    stage.arm(_stale("nginxpods"), _stale("pods"))
    stage.start()
    stage.fired("stale-nginxpods")
    stage.settle()
