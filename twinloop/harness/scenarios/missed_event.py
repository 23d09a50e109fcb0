"""One event never comes, and the watch goes on as if nothing were."""

from twinloop.harness.faults import Act, Match, Rule
from twinloop.harness.props import FAULT, day
from twinloop.harness.scenario import Stage

SET = "fault"
# An API server that loses an event breaks its promise, though etcd and the watch cache have done it.
GRADE = "X"
DESCRIPTION = (
    "One event is swallowed: that a NginxPod was created, that a pod is gone, or all that was to say that a pod is ready. "
    "The operators look at everything every 2 s here instead of every 10 minutes."
)
EXPECTATION = (
    "The periodic look at everything finds what was missed, if it is a look at the API server and not at a cache."
)
DECIDING = FAULT
SETTINGS = {"resync": 2.0, "bound": 6.0}


def _drop(resource: str, event: str, name: str, times: int = 1) -> Rule:
    match = Match(verb="watch", resource=resource, event=event, name=name)
    return Rule(id="drop", match=match, act=Act.DROP, times=times)


PLANS = {
    "nginxpod-created": (_drop("nginxpods", "ADDED", "late"),),
    "pod-gone": (_drop("pods", "DELETED", "web-0"),),
    "pod-ready": (_drop("pods", "MODIFIED", "late-0", times=0),),
}


def story(stage: Stage) -> None:
    """An ordinary day."""
    day(stage)
