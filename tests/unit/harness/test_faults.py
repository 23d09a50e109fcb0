"""Rules: what they match, when they act, what contradicts itself, and that a plan survives its JSON.

Left out: carrying them out (test_proxy_*).
"""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.harness.faults import ON_EVENTS, Act, Armed, BadRuleError, Match, Rule


def asked(**given: Any) -> dict[str, Any]:
    request: dict[str, Any] = {
        "verb": "get",
        "resource": "pods",
        "subresource": "",
        "name": "web-0",
        "replica": "a",
        "query": {},
    }
    return {**request, **given}


def test_an_empty_match_matches_any_request() -> None:
    assert Match().request(**asked())


@pytest.mark.parametrize("verb", ["create", "update", "patch", "delete", "deletecollection"])
def test_write_stands_for_all_that_changes_something(verb: str) -> None:
    assert Match(verb="write").request(**asked(verb=verb))


@pytest.mark.parametrize("verb", ["get", "list", "watch"])
def test_write_does_not_stand_for_reading(verb: str) -> None:
    assert not Match(verb="write").request(**asked(verb=verb))


@pytest.mark.parametrize(
    ("match", "request_", "matches"),
    [
        (Match(resource="nginxpods"), {"resource": "nginxpods.twinloop.dev"}, True),
        (Match(resource="pods"), {"resource": "nginxpods.twinloop.dev"}, False),
        (Match(subresource="status"), {"subresource": "status"}, True),
        (Match(subresource="status"), {}, False),
        (Match(subresource="-"), {"subresource": "status"}, False),
        (Match(subresource="-"), {}, True),
        (Match(), {"subresource": "status"}, True),
        (Match(name="web-.*"), {}, True),
        (Match(name="web"), {}, False),
        (Match(replica="b"), {}, False),
        (Match(query="continue"), {"query": {"continue": "x"}}, True),
        (Match(query="continue"), {}, False),
        (Match(verb="list"), {}, False),
    ],
)
def test_each_part_narrows(match: Match, request_: dict[str, Any], *, matches: bool) -> None:
    assert match.request(**asked(**request_)) is matches


def test_the_name_of_a_rule_for_lines_is_the_objects_and_not_the_requests() -> None:
    match = Match(verb="watch", event="ADDED", name="web-1")
    assert match.request(**asked(verb="watch", name=""))
    assert match.line(event="ADDED", name="web-1")
    assert not match.line(event="ADDED", name="web-2")
    assert not match.line(event="DELETED", name="web-1")


def test_any_line_is_every_line_but_a_bookmark() -> None:
    match = Match(event="any")
    assert match.line(event="MODIFIED", name="x")
    assert not match.line(event="BOOKMARK", name="x")


def rule(**given: Any) -> Rule:
    return Rule(**{"id": "r", "match": Match(), "act": Act.ANSWER, **given})


@pytest.mark.parametrize(
    ("first", "times", "acts"),
    [(1, 1, [1]), (3, 1, [3]), (2, 2, [2, 3]), (1, 0, [1, 2, 3, 4, 5]), (4, 0, [4, 5])],
)
def test_a_rule_acts_on_its_ordinals(first: int, times: int, acts: list[int]) -> None:
    armed = Armed(rule(first=first, times=times))
    assert [number for number in range(1, 6) if armed.count()] == acts
    assert armed.matched == 5
    assert armed.fired == len(acts)


def test_a_rule_is_spent_after_its_last_time_and_never_without_one() -> None:
    once, always = Armed(rule()), Armed(rule(times=0))
    assert [once.spent, always.spent] == [False, False]
    once.count()
    always.count()
    assert [once.spent, always.spent] == [True, False]


@pytest.mark.parametrize(
    "given",
    [
        {"match": Match(event="ADDED"), "act": Act.ANSWER},
        {"match": Match(verb="list"), "act": Act.CUT},
        {"first": 0},
        {"times": -1},
        {"since": "later"},
    ],
)
def test_a_rule_that_contradicts_itself_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(BadRuleError, match="rule r"):
        rule(**given)


@pytest.mark.parametrize("act", sorted(ON_EVENTS))
def test_acts_on_lines_may_also_hit_a_whole_watch(act: Act) -> None:
    assert rule(match=Match(verb="watch"), act=act).act is act
    assert rule(match=Match(event="any"), act=act).act is act


words = st.text("abc-.*", max_size=5)


@given(
    st.builds(
        Rule,
        id=words,
        match=st.builds(Match, verb=st.sampled_from(["", "list", "write"]), resource=words, name=words),
        act=st.sampled_from(sorted(set(Act) - ON_EVENTS)),
        how=st.dictionaries(words, st.integers() | words | st.booleans()),
        first=st.integers(1, 9),
        times=st.integers(0, 9),
        since=st.sampled_from(["start", "story"]),
    )
)
def test_a_plan_survives_its_json(rule: Rule) -> None:
    assert Rule.from_json(json.loads(json.dumps(rule.to_json()))) == rule
