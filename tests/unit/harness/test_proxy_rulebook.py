"""Which rules a request or a line meets: ordinals, several rules at once, what counts as fired.

Left out: what matches at all (test_faults.py), what the acts do (tests/harness/test_proxy_*.py).
"""

from __future__ import annotations

from typing import Any

import pytest

from twinloop.harness.faults import Act, BadRuleError, Match, Rule
from twinloop.harness.proxy.lines import LineInfo
from twinloop.harness.proxy.request_info import parse
from twinloop.harness.proxy.rulebook import Obeyed, RuleBook

PODS = "/api/v1/namespaces/ns/pods"
CREATE, LIST, WATCH = parse("POST", PODS), parse("GET", PODS), parse("GET", PODS + "?watch=1")
DISCOVERY = parse("GET", "/apis")


def rule(name: str, act: Act = Act.ABORT, **more: Any) -> Rule:
    """A rule for a create, or for what `match` says."""
    match = more.pop("match", Match(verb="create"))
    return Rule(id=name, match=match, act=act, how=more.pop("how", {}), **more)


def book(*rules: Rule) -> RuleBook:
    """A book with rules in it."""
    made = RuleBook()
    made.arm(*rules)
    return made


def ids(obeyed: Obeyed) -> tuple[list[str], str, list[str]]:
    """What is obeyed: on the way, decision, stream."""
    decision = obeyed.decision.rule.id if obeyed.decision else ""
    return [each.rule.id for each in obeyed.on_the_way], decision, [each.rule.id for each in obeyed.stream]


def test_a_rule_acts_on_its_ordinals() -> None:
    rules = book(rule("r", first=2, times=2))
    assert [bool(rules.request(CREATE, "a")) for _ in range(5)] == [False, True, True, False, False]


def test_a_rule_without_end_acts_until_it_is_disarmed() -> None:
    rules = book(rule("r", first=3, times=0))
    assert [bool(rules.request(CREATE, "a")) for _ in range(5)] == [False, False, True, True, True]
    assert rules.disarm("r") == ["r"]
    assert not rules.request(CREATE, "a")


def test_what_does_not_match_does_not_count() -> None:
    rules = book(rule("r", first=2))
    for info in (LIST, WATCH, DISCOVERY):
        assert not rules.request(info, "a")
    assert rules.all()[0].matched == 0


def test_discovery_is_hit_by_no_rule_not_even_by_one_for_everything() -> None:
    assert not book(rule("r", match=Match())).request(DISCOVERY, "a")


def test_the_story_begins_the_count_of_rules_that_wait_for_it() -> None:
    rules = book(rule("r", since="story"))
    assert not rules.request(CREATE, "a")
    rules.begin_story()
    assert rules.request(CREATE, "a")
    assert rules.all()[0].matched == 1


def test_a_rule_may_wait_for_another_to_have_fired() -> None:
    rules = book(rule("first", match=Match(verb="list")), rule("then", after="first"))
    assert not rules.request(CREATE, "a")
    assert rules.request(LIST, "a")
    assert ids(rules.request(CREATE, "a")) == ([], "then", [])
    assert rules.all()[1].matched == 1


def test_rules_on_the_way_are_all_obeyed_and_one_decides() -> None:
    rules = book(
        rule("slow", Act.DELAY, how={"seconds": 1}),
        rule("first"),
        rule("tell", Act.SIGNAL, how={"signal": "SIGTERM"}),
        rule("second"),
    )
    assert ids(rules.request(CREATE, "a")) == (["slow", "tell"], "first", [])


def test_a_rule_that_another_one_forestalls_has_counted_but_not_fired() -> None:
    rules = book(rule("first"), rule("second"))
    rules.request(CREATE, "a")
    assert [(each.matched, each.fired) for each in rules.all()] == [(1, 1), (1, 0)]
    assert rules.unfired() == ["second"]


def test_a_stream_that_never_begins_meets_no_fault() -> None:
    every = Match(verb="watch")
    rules = book(rule("cut", Act.CUT, match=every), rule("refuse", match=every))
    assert ids(rules.request(WATCH, "a")) == ([], "refuse", [])
    assert rules.unfired() == ["cut"]


def test_several_faults_may_hit_one_stream() -> None:
    every = Match(verb="watch")
    rules = book(rule("late", Act.HOLD, match=every, how={"seconds": 1}), rule("lossy", Act.DROP, match=every))
    assert ids(rules.request(WATCH, "a")) == ([], "", ["late", "lossy"])


def test_lines_count_apart_from_requests() -> None:
    rules = book(rule("r", Act.DROP, match=Match(resource="pods", event="ADDED"), first=2))
    assert rules.reads_lines
    assert not rules.request(WATCH, "a")
    line = LineInfo("ADDED", "ns", "a")
    assert [len(rules.line(WATCH, "a", line)) for _ in range(3)] == [0, 1, 0]
    assert not rules.reads_lines


def test_a_line_of_another_watch_type_or_name_is_not_meant() -> None:
    rules = book(rule("r", Act.DROP, match=Match(resource="pods", event="ADDED", name="web-.", replica="a")))
    other = parse("GET", "/api/v1/events?watch=1")
    assert not rules.line(other, "a", LineInfo("ADDED", name="web-0"))
    assert not rules.line(WATCH, "b", LineInfo("ADDED", name="web-0"))
    assert not rules.line(WATCH, "a", LineInfo("MODIFIED", name="web-0"))
    assert not rules.line(WATCH, "a", LineInfo("ADDED", name="web-10"))
    assert rules.line(WATCH, "a", LineInfo("ADDED", name="web-0"))


def test_one_rule_decides_about_a_line_and_holds_come_first() -> None:
    match = Match(resource="pods", event="any")
    rules = book(
        rule("drop", Act.DROP, match=match),
        rule("hold", Act.HOLD, match=match, how={"seconds": 1}),
        rule("cut", Act.CUT, match=match),
    )
    assert [each.rule.id for each in rules.line(WATCH, "a", LineInfo("ADDED"))] == ["hold", "drop"]
    assert rules.unfired() == ["cut"]


def test_without_rules_for_lines_none_need_be_read() -> None:
    assert not book(rule("r"), rule("s", Act.CUT, match=Match(verb="watch"))).reads_lines


def test_disarming_without_a_name_disarms_all_and_tells_which_were_at_work() -> None:
    rules = book(rule("a"), rule("b"), rule("c"))
    assert rules.disarm("b") == ["b"]
    assert rules.disarm() == ["a", "c"]
    assert rules.disarm() == []
    assert not rules.request(CREATE, "a")


def test_a_rule_that_was_disarmed_without_hitting_anything_is_still_told() -> None:
    rules = book(rule("r"))
    rules.disarm()
    assert rules.unfired() == ["r"]
    assert [each.rule.id for each in rules.all()] == ["r"]


@pytest.mark.parametrize(
    ("act", "how", "message"),
    [
        (Act.ANSWER, {}, "answer needs the parameter code"),
        (
            Act.ANSWER,
            {"code": 500, "after_commit": True},
            "answer has no parameter after_commit, it has code, committed",
        ),
        (Act.DELAY, {}, "delay needs the parameter seconds"),
        (Act.SIGNAL, {"name": "SIGTERM"}, "signal has no parameter name"),
        (Act.CRASH, {"when": "after"}, "when='after', it can be before, committed, answered"),
        (Act.ABORT, {"how": "soft"}, "how='soft', it can be clean, reset"),
        (Act.TOUCH, {"seconds": 1}, "touch has no parameter seconds, it has no parameters"),
    ],
)
def test_parameters_that_the_act_does_not_have_are_refused(act: Act, how: dict[str, Any], message: str) -> None:
    with pytest.raises(BadRuleError, match=message):
        book(rule("r", act, how=how))


def test_a_watch_cannot_be_truncated() -> None:
    with pytest.raises(BadRuleError, match="use cut with how='line'"):
        book(rule("r", Act.TRUNCATE, match=Match(verb="watch")))


def test_of_several_rules_all_are_armed_or_none() -> None:
    rules = book(rule("a"))
    with pytest.raises(BadRuleError, match="rule a: there was one of that name already"):
        rules.arm(rule("b"), rule("a"))
    assert [each.rule.id for each in rules.all()] == ["a"]


def test_a_name_that_was_never_armed_cannot_be_disarmed() -> None:
    with pytest.raises(BadRuleError, match="rule b was never armed"):
        book(rule("a")).disarm("b")
