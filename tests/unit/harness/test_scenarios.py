"""Every scenario is well formed, and makes sense to an operator without faults in a cluster without time.

Left out: what real operators do about them (tests/harness/test_scenarios_run), and the stage itself (test_stage).
"""

from __future__ import annotations

import inspect
import re
import sys
from dataclasses import fields, replace

import pytest

from support.fake_stage import FakeStage
from twinloop.harness.faults import ON_EVENTS, Act
from twinloop.harness.scenario import Scenario, Settings, all_scenarios

SCENARIOS = all_scenarios()
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
PLANS = [(scenario, plan) for scenario in SCENARIOS for plan in scenario.plans]
FAULTS = [scenario for scenario in SCENARIOS if scenario.set == "fault"]
LEVERS = {"away", "arm", "stop", "kill", "signal", "compact"}

# What issue and documentation promise; a scenario that goes missing is not to go unnoticed.
CALM = {
    "aba", "burst", "create", "deleted", "held", "idle-minute", "image-change", "name-conflict", "operator-stopped", "owner-stripped",
    "pod-deleted", "pod-failed", "pod-relabelled", "poisoned", "quota", "restart", "scale", "scale-zero", "spec-flapping",
}  # fmt: skip
FAULT = {
    "answer-lost", "away-5s", "away-90s", "conflict", "corrupt-line", "crash-every-write", "crash-reading", "delayed-watch",
    "duplicate-events", "expired", "expired-always", "expired-unseen", "forbidden", "frozen-30s", "half-open", "missed-event", "retry-owed", "server-error",
    "sigterm", "stale-list", "throttled", "two-replicas", "watch-cut", "watch-cut-often",
}  # fmt: skip


def by_name(scenario: Scenario) -> str:
    return scenario.name


def by_plan(value: object) -> str:
    return value.name if isinstance(value, Scenario) else str(value)


def played(scenario: Scenario, plan: str | None = None, *, operator: bool = True) -> FakeStage:
    """The stage after the story."""
    first = next(iter(scenario.plans)) if plan is None else plan
    settings = replace(Settings(), **scenario.settings)
    stage = FakeStage(scenario.plans[first], settings=settings, operator=operator)
    if scenario.starts:
        stage.start()
    stage.traffic.story = True
    scenario.story(stage)
    # As the frame does.
    stage.settle()
    return stage


# ---------------------------------------------------------------------------------------------- well formed


def test_the_sets_are_complete() -> None:
    assert {each.name for each in SCENARIOS if each.set == "calm"} >= CALM
    assert {each.name for each in FAULTS} >= FAULT


@pytest.mark.parametrize("scenario", SCENARIOS, ids=by_name)
def test_its_words_are_whole_sentences(scenario: Scenario) -> None:
    for text in (scenario.description, scenario.expectation):
        assert re.fullmatch(r"[A-Z1-9].*[.]", text), text
        assert "  " not in text
        assert len(text) < 400


@pytest.mark.parametrize("scenario", SCENARIOS, ids=by_name)
def test_its_fields_say_something_known(scenario: Scenario) -> None:
    assert scenario.set in {"calm", "fault"}
    assert scenario.grade in {"L", "E", "X"}
    assert set(scenario.settings) <= {each.name for each in fields(Settings)}
    assert scenario.needs <= {"compact", "orders", "quota"}
    assert scenario.deciding
    assert len(set(scenario.deciding)) == len(scenario.deciding)
    assert set(scenario.deciding) <= {f"O{number}" for number in range(1, 18)}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=by_name)
def test_who_counts_writes_says_what_the_least_is(scenario: Scenario) -> None:
    assert ("O9" in scenario.deciding) <= (scenario.writes is not None)


@pytest.mark.parametrize(("scenario", "plan"), PLANS, ids=by_plan)
def test_its_plans_can_be_folders_and_their_rules_told_apart(scenario: Scenario, plan: str) -> None:
    assert re.fullmatch(r"[a-z0-9-]*", plan)
    rules = scenario.plans[plan]
    assert len({rule.id for rule in rules}) == len(rules)


def test_no_story_knows_a_variant() -> None:
    for scenario in SCENARIOS:
        source = inspect.getsource(sys.modules[scenario.story.__module__])
        assert not re.search(r"kopf|handwritten", source, re.IGNORECASE), scenario.name


@pytest.mark.parametrize("scenario", SCENARIOS, ids=by_name)
def test_calm_is_calm_and_a_fault_is_one(scenario: Scenario) -> None:
    rules = [rule for plan in scenario.plans.values() for rule in plan]
    if scenario.set == "calm":
        assert not rules
        assert scenario.grade == "L"
    elif not scenario.every_write and scenario.name != "two-replicas":
        levers = {what for what, _ in played(scenario).plot}
        assert rules or levers & LEVERS


@pytest.mark.parametrize("scenario", SCENARIOS, ids=by_name)
def test_only_what_is_declared_long_takes_long(scenario: Scenario) -> None:
    paused = sum(played(scenario).seen("pause"))
    if not scenario.long:
        assert paused <= 5
        assert scenario.settings.get("bound", 0) <= 30
    else:
        assert paused >= 30 or scenario.settings["bound"] >= 70


# ---------------------------------------------------------------------------------------------- the story


@pytest.mark.parametrize(("scenario", "plan"), PLANS, ids=by_plan)
def test_a_good_operator_fulfils_every_table_that_it_is_shown(scenario: Scenario, plan: str) -> None:
    stage = played(scenario, plan)
    assert stage.table
    assert all(stage.seen("settle"))
    assert stage.seen("settle")
    assert stage.mismatch() == ""


@pytest.mark.parametrize(("scenario", "plan"), PLANS, ids=by_plan)
def test_no_operator_at_all_fulfils_none(scenario: Scenario, plan: str) -> None:
    if scenario.name == "deleted":
        pytest.skip("what is deleted goes without an operator too; its table is about what must not come in between")
    assert played(scenario, plan, operator=False).mismatch()


@pytest.mark.parametrize(("scenario", "plan"), PLANS, ids=by_plan)
def test_every_rule_meets_what_any_operator_does(scenario: Scenario, plan: str) -> None:
    stage = played(scenario, plan)
    never = [armed.rule.id for armed in stage.traffic.armed if not armed.fired]
    assert not never


@pytest.mark.parametrize(("scenario", "plan"), PLANS, ids=by_plan)
def test_in_the_end_the_operator_can_work(scenario: Scenario, plan: str) -> None:
    stage = played(scenario, plan)
    assert "a" in stage.running
    assert stage.reachable
    assert not stage.frozen


@pytest.mark.parametrize("scenario", SCENARIOS, ids=by_name)
def test_a_story_is_told_the_same_way_twice(scenario: Scenario) -> None:
    assert played(scenario).plot == played(scenario).plot


# ---------------------------------------------------------------------------------------------- latencies


LATENCIES = [scenario for scenario in SCENARIOS if scenario.latency]


def test_few_take_samples() -> None:
    assert {each.name for each in LATENCIES} == {"create", "image-change", "pod-deleted", "scale"}


@pytest.mark.parametrize("scenario", LATENCIES, ids=by_name)
def test_each_measure_has_one_warm_up_and_then_its_samples(scenario: Scenario) -> None:
    samples = played(scenario).seen("sample")
    for measure in {name for name, _, _ in samples}:
        warm = [warm_up for name, warm_up, _ in samples if name == measure]
        assert warm == [True] + [False] * scenario.samples
    assert all(reached for _, _, reached in samples)


@pytest.mark.parametrize("scenario", LATENCIES, ids=by_name)
def test_no_sample_is_over_before_anybody_has_worked(scenario: Scenario) -> None:
    samples = played(scenario, operator=False).seen("sample")
    assert not any(reached for _, _, reached in samples)


def test_others_take_none() -> None:
    assert not any(played(each).seen("sample") for each in SCENARIOS if not each.latency)


# ---------------------------------------------------------------------------------------------- faults


def test_rules_that_never_end_are_in_stories_that_end_them() -> None:
    for scenario in FAULTS:
        stage = played(scenario)
        endless = [rule for rules in stage.seen("arm") for rule in rules if not rule.times]
        assert not endless or stage.seen("disarm"), scenario.name


def test_who_asks_for_compaction_or_a_quota_needs_it() -> None:
    for scenario in SCENARIOS:
        stage = played(scenario)
        assert bool(stage.seen("compact")) == ("compact" in scenario.needs), scenario.name
        assert ("quota" in scenario.needs) == (scenario.name == "quota")


def test_what_an_api_server_may_not_do_is_graded_so() -> None:
    outside = {Act.DROP, Act.CORRUPT, Act.REPEAT, Act.STALE}
    for scenario in FAULTS:
        acts = {rule.act for plan in scenario.plans.values() for rule in plan}
        acts |= {rule.act for rules in played(scenario).seen("arm") for rule in rules}
        assert bool(acts & outside) == (scenario.grade == "X"), scenario.name


def test_between_them_they_use_every_act_but_those_named_here() -> None:
    used = {rule.act for each in FAULTS for plan in each.plans.values() for rule in plan}
    used |= {rule.act for each in FAULTS for rules in played(each).seen("arm") for rule in rules}
    # A request that hangs for ever takes a client's own time-out, which no two clients share.
    assert set(Act) - used == {Act.HANG}
    assert used >= ON_EVENTS
