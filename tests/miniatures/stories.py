"""Stories that only miniatures need: each shows one bug alone, which no story of the comparison does."""

from __future__ import annotations

from twinloop.harness.faults import Act, Match, Rule
from twinloop.harness.props import CALM, FAULT, at_rest
from twinloop.harness.scenario import Scenario, Stage
from twinloop.kube import NGINXPODS


def _shrunk(stage: Stage) -> None:
    """Three pods, then one, for good: the names of the other two are never needed again."""
    at_rest(stage, "web", pods=3)
    stage.scale("web", 1)
    stage.expect("web", pods=1)
    stage.settle()


def _deafened(stage: Stage) -> None:
    """Expire the watch when nothing is left to do: only what comes afterwards shows who has not opened it again."""
    at_rest(stage, "web", pods=1)
    match = Match(verb="watch", resource="nginxpods", event="MODIFIED", name="web")
    stage.arm(Rule(id="expire", match=match, act=Act.ERROR, how={"code": 410}))
    stage.patch(NGINXPODS, "web", {"metadata": {"annotations": {"example.com/note": "nothing to do"}}})
    stage.fired("expire")
    stage.settle()


STORIES = {
    each.name: each
    for each in (
        Scenario(
            name="shrunk",
            description="A NginxPod is scaled from three pods to one.",
            expectation="The other two are deleted.",
            story=_shrunk,
            deciding=CALM,
        ),
        Scenario(
            name="deafened",
            set="fault",
            description="The watch expires while everything is as it should be.",
            expectation="It is opened again.",
            story=_deafened,
            deciding=FAULT,
        ),
    )
}
