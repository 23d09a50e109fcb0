"""The operator is killed while it reads: in a list, or between a list and its watch."""

from twinloop.harness.faults import Act, Match, Rule
from twinloop.harness.props import AT_LATE, FAULT, at_late, day
from twinloop.harness.scenario import Stage

SET = "fault"
DESCRIPTION = (
    "The operator is killed when the first list of a kind is on its way to it, when it asks for the first watch, and when "
    "it lists again after its watch has expired."
)
EXPECTATION = "The next one begins anew, and does not die of the same thing: there is no loop of crashes."
DECIDING = FAULT


def _crash(verb: str, resource: str, *, after: str = "") -> Rule:
    how = {"when": "committed" if verb == "list" else "before"}
    return Rule(id="crash", match=Match(verb=verb, resource=resource), act=Act.CRASH, how=how, after=after)


PLANS = {
    "list-nginxpods": (_crash("list", "nginxpods"),),
    "list-pods": (_crash("list", "pods"),),
    "watch-nginxpods": (_crash("watch", "nginxpods"),),
    "watch-pods": (_crash("watch", "pods"),),
    "list-again": (at_late(Act.ERROR, code=410), _crash("list", "nginxpods", after=AT_LATE)),
}


def story(stage: Stage) -> None:
    """An ordinary day, after a bad start."""
    day(stage)
