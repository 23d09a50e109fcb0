"""What the page gathers: cards, rows of the matrix, sums over scenarios, what a variant costs to own."""

from __future__ import annotations

from typing import Any

from support.sample_report import sample_report
from twinloop.harness.report import words
from twinloop.harness.report.cards import cards
from twinloop.harness.report.look import Looks
from twinloop.harness.report.matrix import rows, tally
from twinloop.harness.report.sections import Detail, Section, asked, ownership, shown_footprints
from twinloop.harness.results import Cell, Difference, Footprint, OracleResult, Report, ScenarioInfo, VariantInfo


def report(**given: Any) -> Report:
    variants = [VariantInfo("handwritten", "a"), VariantInfo("kopf", "b")]
    scenarios = [ScenarioInfo("create", "calm", "", ""), ScenarioInfo("gone", "fault", "", "")]
    return Report(**{"meta": {}, "variants": variants, "scenarios": scenarios, **given})


def difference(scenario: str = "create", **given: Any) -> Difference:
    return Difference(**{"scenario": scenario, "variant": "kopf", "aspect": "writes", "seen": "more writes", **given})


# --- cards ------------------------------------------------------------------------------------------------------------


def test_what_nobody_expected_comes_first() -> None:
    found = cards(
        [difference(gates=False), difference(known="k"), difference(known="g", gone=True), difference(aspect="O1")]
    )
    assert [each.outcome for each in found] == ["unexpected", "gone", "expected", "uncounted"]


def test_a_known_difference_in_many_scenarios_is_one_card() -> None:
    found = cards([difference(name, known="k", seen=f"seen in {name}") for name in ("create", "scale", "create")])
    assert len(found) == 1
    assert found[0].scenarios == ["create", "scale"]


def test_unexpected_ones_are_joined_only_when_the_same_was_seen() -> None:
    found = cards([difference(seen="a"), difference("scale", seen="a"), difference("scale", seen="b")])
    assert [len(each.differences) for each in found] == [2, 1]


def test_variants_have_cards_of_their_own() -> None:
    assert len(cards([difference(known="k"), difference(known="k", variant="kopf-level")])) == 2


def test_every_card_has_an_anchor_of_its_own() -> None:
    anchors = [each.anchor for each in cards(sample_report().differences)]
    assert len(set(anchors)) == len(anchors)


def test_an_aspect_in_words() -> None:
    assert words.aspect("O15") == "O15 not deaf afterwards"
    assert words.aspect("latency:ready") == "latency: ready"
    assert words.aspect("writes") == "writes"


# --- matrix -----------------------------------------------------------------------------------------------------------


def test_a_row_is_the_same_when_nothing_differs() -> None:
    cells = [Cell("create", "handwritten", "ok"), Cell("create", "kopf", "ok")]
    assert rows(report(cells=cells))[0].standing == "same"


def test_a_row_stands_as_its_worst_and_a_cell_has_all_outcomes() -> None:
    cells = [Cell("create", "handwritten", "unknown"), Cell("create", "kopf", "violated")]
    row = rows(report(cells=cells, differences=[difference(known="k"), difference(aspect="O1")]))[0]
    assert row.standing == "unexpected"
    assert row.boxes[1].outcomes == ("unexpected", "expected")


def test_a_cell_that_was_not_run_has_no_verdict() -> None:
    assert rows(report(cells=[Cell("create", "handwritten", "ok")]))[0].boxes[1].verdict == ""


def test_only_oracles_that_decide_are_named_in_a_cell() -> None:
    oracles = [
        OracleResult("O1", "violated", ""),
        OracleResult("O9", "violated", "", deciding=False),
        OracleResult("O2", "ok", ""),
    ]
    cells = [Cell("create", "handwritten", "violated", oracles)]
    assert rows(report(cells=cells))[0].boxes[0].oracles == ("O1",)


def test_a_cell_shows_time_and_writes() -> None:
    cells = [
        Cell("create", "handwritten", "ok", numbers={"converged": 0.31, "writes": 1}),
        Cell("create", "kopf", "violated", numbers={"converged": None, "writes": 5.5}),
    ]
    assert [box.details for box in rows(report(cells=cells))[0].boxes] == [
        ("310 ms", "1 write"),
        ("never", "5.5 writes"),
    ]


def test_an_unknown_cell_claims_no_time() -> None:
    cells = [Cell("create", "kopf", "unknown", numbers={"converged": None})]
    assert rows(report(cells=cells))[0].boxes[1].details == ()


def test_the_tally_counts_scenarios_the_worst_first() -> None:
    cells = [Cell(name, variant, "ok") for name in ("create", "gone") for variant in ("handwritten", "kopf")]
    assert tally(report(differences=[difference()], cells=cells)) == [("unexpected", 1), ("same", 1)]


def test_a_difference_without_a_scenario_leads_nowhere() -> None:
    assert cards([difference("", aspect="smoke")])[0].scenarios == []


# --- sections ---------------------------------------------------------------------------------------------------------


def section(given: Report) -> Section:
    return Section(given, rows(given)[0], Looks(["handwritten", "kopf"]), Detail())


def test_only_oracles_that_somebody_did_not_pass_are_listed() -> None:
    cells = [
        Cell("create", "handwritten", "ok", [OracleResult("O1", "ok", ""), OracleResult("O10", "ok", "")]),
        Cell("create", "kopf", "violated", [OracleResult("O1", "violated", ""), OracleResult("O10", "ok", "")]),
    ]
    part = section(report(cells=cells))
    assert [name for name, _ in part.oracles] == ["O1"]
    assert part.passed == [2, 1]


def test_oracles_are_in_the_order_of_their_numbers() -> None:
    cells = [Cell("create", "kopf", "violated", [OracleResult(name, "violated", "") for name in ("O10", "O2")])]
    assert [name for name, _ in section(report(cells=cells)).oracles] == ["O2", "O10"]


def test_requests_are_summed_over_scenarios_that_all_variants_ran() -> None:
    cells = [
        Cell("create", "handwritten", "ok", cost_by_verb={"create pods": 2}), Cell("create", "kopf", "ok", cost_by_verb={"create pods": 3}),
        Cell("gone", "kopf", "ok", cost_by_verb={"create pods": 100}),
    ]  # fmt: skip
    found = asked(report(cells=cells))
    assert found.scenarios == 1
    assert [bar.count for bar in found.lines[1].bars] == [2, 3]


def test_a_variant_that_failed_its_smoke_check_does_not_empty_the_sums() -> None:
    variants = [VariantInfo("handwritten", "a"), VariantInfo("kopf", "b", smoke="no pod came")]
    cells = [Cell("create", "handwritten", "ok", cost_by_verb={"create pods": 2})]
    assert asked(report(variants=variants, cells=cells)).scenarios == 1


def test_the_idle_footprint_stands_for_all() -> None:
    def prints(name: str, until: float) -> Footprint:
        return Footprint(name, "kopf", [[0, 0, 1e6, 1, 1], [until, 1, 1e6, 1, 1]])

    looks = Looks(["kopf"])
    assert (
        shown_footprints(report(footprints=[prints("burst", 90), prints("idle-minute", 60)]), looks, 9)[0]
        == "idle-minute"
    )
    assert shown_footprints(report(footprints=[prints("create", 3), prints("burst", 90)]), looks, 9)[0] == "burst"
    assert shown_footprints(report(), looks, 9) == ("", [])


def test_what_a_variant_costs_is_taken_apart() -> None:
    variants = [VariantInfo("a", "", cost={"lines": {"code": 5}}), VariantInfo("b", "", cost={"rbac_rules": 3})]
    assert ownership(report(variants=variants)) == [("lines, code", [5, None]), ("rbac rules", [None, 3])]
