"""The order of trials: who comes when, in how many blocks, with which seed. Left out: running them (test_compare.py)."""

from __future__ import annotations

from collections import Counter

import pytest

from support.trials import rules, scenario, variant
from twinloop.errors import ConfigurationError
from twinloop.harness.order import AGAIN, RETRY, Wanted, again, blocks, jobs, seed_of, there_and_back, with_plans

A, B, C = variant("a"), variant("b"), variant("c")


def test_two_variants_come_in_abba_order() -> None:
    assert [there_and_back("AB", block) for block in range(4)] == [list("AB"), list("BA"), list("BA"), list("AB")]


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_everyone_has_every_place_equally_often(number: int) -> None:
    items = list(range(number))
    places = Counter(
        (item, place) for block in range(2 * number) for place, item in enumerate(there_and_back(items, block))
    )
    assert set(places.values()) == {2}


def test_a_pair_of_blocks_gives_everyone_the_same_mean_place() -> None:
    for first in (0, 2, 4):
        there, back = there_and_back("ABCD", first), there_and_back("ABCD", first + 1)
        assert {there.index(each) + back.index(each) for each in "ABCD"} == {3}


def test_a_latency_scenario_has_a_second_base_variant_in_every_block() -> None:
    made = jobs(Wanted([A, B], [scenario("timed", latency=True)]))
    assert len(made) == 4 * 3
    assert [each.name for each in made[:3]] == ["a", "b", "a" + AGAIN]
    assert {each.variant.name for each in made if each.label} == {"a"}


def test_what_is_not_timed_runs_once_and_beside_nobody_twice() -> None:
    made = jobs(Wanted([A, B], [scenario("plain")]))
    assert [(each.name, each.block) for each in made] == [("a", 0), ("b", 0)]


def test_there_are_at_least_20_samples_in_at_least_4_blocks() -> None:
    for samples in (1, 3, 5, 30):
        each = scenario("timed", latency=True, samples=samples)
        number = blocks(each, Wanted([A], [each]))
        assert number >= 4
        assert number * samples >= 20


def test_runs_says_how_often() -> None:
    wanted = Wanted([A], [scenario("timed", latency=True), scenario("plain")], runs=2)
    assert Counter(each.scenario.name for each in jobs(wanted)) == {"timed": 4, "plain": 2}


def test_the_blocks_of_a_scenario_lie_apart() -> None:
    made = jobs(Wanted([A], [scenario("one", latency=True), scenario("two", latency=True)]))
    assert [(each.scenario.name, each.block) for each in made if not each.label][:4] == [
        ("one", 0), ("two", 0), ("one", 1), ("two", 1),
    ]  # fmt: skip


def test_each_plan_is_a_trial_with_its_rules() -> None:
    wanted = Wanted([A, B], [scenario("gone", plans={"status": rules("r1"), "event": rules("r2")})])
    assert [(each.plan, each.name, each.rules[0].id) for each in jobs(wanted)] == [
        ("status", "a", "r1"), ("status", "b", "r1"), ("event", "a", "r2"), ("event", "b", "r2"),
    ]  # fmt: skip
    only = Wanted(wanted.variants, wanted.scenarios, plans=["event"])
    assert {each.plan for each in jobs(only)} == {"event"}


def test_all_variants_are_told_the_same_story() -> None:
    made = jobs(Wanted([A, B, C], [scenario("timed", latency=True)], seed=5))
    assert len({(each.block, each.seed) for each in made}) == 4


def test_another_seed_place_or_block_is_another_story() -> None:
    seeds = [
        seed_of(1, "s", "", 0),
        seed_of(2, "s", "", 0),
        seed_of(1, "t", "", 0),
        seed_of(1, "s", "p", 0),
        seed_of(1, "s", "", 1),
    ]
    assert len(set(seeds)) == 5
    assert seed_of(1, "s", "", 0) == seeds[0]


def test_no_two_trials_share_a_folder() -> None:
    each = scenario("timed", latency=True, plans={"": (), "p": rules("r")})
    folders = [job.folder for job in jobs(Wanted([A, B], [each]))]
    assert len(folders) == len(set(folders))


def test_a_trial_that_is_repeated_has_a_folder_of_its_own() -> None:
    job = jobs(Wanted([A], [scenario("plain")]))[0]
    assert again(job).folder.endswith(f"a.{RETRY}")
    assert again(job).seed == job.seed


def test_nothing_wanted_is_nothing_to_do() -> None:
    assert jobs(Wanted([A], [])) == []


def test_only_the_scenarios_that_have_a_plan_are_run_for_it() -> None:
    cut, crash = scenario("cut", plans={"line": (), "clean": ()}), scenario("crash", every_write=True)
    every = [scenario("plain"), cut, crash]
    assert with_plans(every, []) == every
    assert with_plans(every, ["line"]) == [cut]
    assert with_plans(every, ["write-03-committed", "clean"]) == [cut, crash]


def test_a_plan_that_nobody_has_is_told_and_not_skipped() -> None:
    with pytest.raises(ConfigurationError, match="no scenario here has a plan 'lime'"):
        with_plans([scenario("cut", plans={"line": ()})], ["line", "lime"])
