"""A comparison from the jobs to the report, with made-up trials: what runs, what survives, and what it all amounts to.

Nothing here starts a process. Left out: the arithmetic (test_stats.py), the pages (test_pages.py), a real trial.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from support.trials import FakeRun, Told, findings_of, rules, scenario, variant
from twinloop.harness.assemble import assemble
from twinloop.harness.compare import Comparison, across, gathered, without
from twinloop.harness.frame import Frame
from twinloop.harness.job import Job
from twinloop.harness.known import Known, KnownDifferences
from twinloop.harness.order import AGAIN, Wanted
from twinloop.harness.outcome import Outcome
from twinloop.harness.results import Report, VariantInfo
from twinloop.harness.scenario import Scenario
from twinloop.harness.verdict import Finding, Verdict

H, K = variant("handwritten"), variant("kopf")


def entry(**more: Any) -> Known:
    said = {
        "id": "one", "scenario": "*", "variant": "kopf", "aspect": "O1", "expected": "violated", "reason": "Because.",
        "docs": "docs/x.md", "code": {"kopf": "k.py"},
    }  # fmt: skip
    return Known(**{**said, **more})


class Run:
    """One comparison; `told` by variant and scenario."""

    def __init__(
        self, tmp_path: Path, scenarios: list[Scenario], told: dict[tuple[str, str], Told] | None = None
    ) -> None:
        self.fake = FakeRun(tmp_path, told or {})
        self.scenarios, self.results = scenarios, tmp_path
        self.comparison = Comparison(self.fake, findings_of, tmp_path)

    def report(self, *known: Known, variants: Any = (H, K), smoke: dict[str, str] | None = None, **more: Any) -> Report:
        infos = [VariantInfo(each.name, each.command, smoke=(smoke or {}).get(each.name, "ok")) for each in variants]
        wanted = without(Wanted(variants, self.scenarios, seed=7, **more), list(smoke or {}))
        trials = self.comparison.go(wanted)
        frame = Frame(
            infos, self.scenarios, KnownDifferences(list(known)), seed=7, plans=more.get("plans", ()),
            expected=trials.expected,
        )  # fmt: skip
        return assemble(frame, trials.outcomes, {"interrupted": trials.interrupted})


def test_equal_variants_are_the_same(tmp_path: Path) -> None:
    report = Run(tmp_path, [scenario("create"), scenario("gone")]).report()
    assert report.differences == []
    assert report.exit_code == 0
    assert [each.verdict for each in report.cells] == ["ok"] * 4
    assert report.sentence == "2 scenarios under handwritten and kopf: 2 the same, 0 different as expected."


def test_a_violation_that_nobody_expected_is_exit_1_with_its_evidence(tmp_path: Path) -> None:
    run = Run(tmp_path, [scenario("gone", plans={"event": rules("r")})], {("kopf", "gone"): Told(violated=("O2",))})
    report = run.report()
    (found,) = report.differences
    assert (found.scenario, found.variant, found.aspect, found.known) == ("gone", "kopf", "O2", "")
    assert found.trial == "trials/gone.event/kopf.0"
    assert found.evidence == [3, 4]
    assert found.repeat == "twinloop compare --scenario gone --variant kopf --seed 7 --plan event"
    assert report.exit_code == 1
    assert "Not expected: kopf in gone (O2)." in report.sentence


def test_the_base_variant_is_judged_like_any_other(tmp_path: Path) -> None:
    report = Run(tmp_path, [scenario("gone")], {("handwritten", "gone"): Told(violated=("O2",))}).report()
    assert [(each.variant, each.aspect) for each in report.differences] == [("handwritten", "O2")]
    assert report.exit_code == 1


def test_an_expected_violation_is_exit_0_with_its_reason(tmp_path: Path) -> None:
    report = Run(tmp_path, [scenario("gone")], {("kopf", "gone"): Told(violated=("O1",))}).report(entry())
    (found,) = report.differences
    assert (found.known, found.reason, found.links) == ("one", "Because.", {"docs": "docs/x.md", "kopf": "k.py"})
    assert report.exit_code == 0
    cell = report.cell("gone", "kopf")
    assert cell is not None
    assert (cell.verdict, cell.known) == ("violated", ["one"])


def test_an_expected_violation_that_is_not_there_is_exit_1(tmp_path: Path) -> None:
    report = Run(tmp_path, [scenario("gone")]).report(entry())
    (found,) = report.differences
    assert found.gone
    assert "stopped being true" in found.seen
    assert report.exit_code == 1


def test_what_is_known_of_one_plan_does_not_cover_another(tmp_path: Path) -> None:
    story = scenario("gone", plans={"a": (), "b": (), "c": ()})
    run = Run(tmp_path, [story], {("kopf", "gone"): Told(violated=("O1",))})
    report = run.report(entry(plan="a"))
    assert [(each.known, each.seen) for each in report.differences] == [
        ("", "O1 went wrong (plan b; also in c)"),
        ("one", "O1 went wrong"),
    ]
    assert report.differences[0].repeat.endswith("--plan b")
    assert report.exit_code == 1


def test_an_entry_of_a_plan_is_refuted_by_that_plan_alone(tmp_path: Path) -> None:
    story = scenario("gone", plans={"a": (), "b": ()})
    guilty = {("kopf", "gone"): Told(violated=("O1",), guilty=lambda job: job.plan == "b")}
    report = Run(tmp_path, [story], guilty).report(entry(plan="a"), entry(id="two", plan="b"))
    assert [(each.known, each.gone) for each in report.differences] == [("one", True), ("two", False)]


def test_one_thing_in_many_plans_is_one_difference(tmp_path: Path) -> None:
    story = scenario("gone", plans={f"p{number}": () for number in range(9)})
    report = Run(tmp_path, [story], {("kopf", "gone"): Told(violated=("O1",))}).report(entry())
    assert [each.seen for each in report.differences] == [
        "O1 went wrong (plan p0; also in p1, p2, p3, p4, p5, p6 and 2 more)"
    ]


def test_an_entry_holds_when_it_is_seen_in_one_of_its_places(tmp_path: Path) -> None:
    run = Run(tmp_path, [scenario("gone"), scenario("create")], {("kopf", "gone"): Told(violated=("O1",))})
    assert run.report(entry()).exit_code == 0


@pytest.mark.parametrize(
    "known",
    [entry(scenario="other"), entry(variant="mine"), entry(aspect="O9"), entry(sometimes=True)],
    ids=["scenario not run", "variant not run", "oracle silent", "only sometimes"],
)
def test_an_entry_that_was_not_put_to_the_test_is_not_gone(tmp_path: Path, known: Known) -> None:
    assert Run(tmp_path, [scenario("create")]).report(known).exit_code == 0


def test_one_plan_alone_refutes_no_entry(tmp_path: Path) -> None:
    run = Run(tmp_path, [scenario("gone", plans={"a": (), "b": ()})])
    assert run.report(entry(), plans=["a"]).exit_code == 0


def test_what_was_not_checked_is_exit_2(tmp_path: Path) -> None:
    report = Run(tmp_path, [scenario("gone")], {("kopf", "gone"): Told(unknown=("O3",))}).report()
    cell = report.cell("gone", "kopf")
    assert cell is not None
    assert (cell.verdict, cell.why) == ("unknown", "O3: O3 was looked at")
    assert report.exit_code == 2


def test_unexpected_comes_before_unknown(tmp_path: Path) -> None:
    told = {("kopf", "gone"): Told(unknown=("O3",)), ("kopf", "create"): Told(violated=("O1",))}
    assert Run(tmp_path, [scenario("gone"), scenario("create")], told).report().exit_code == 1


def test_unknown_is_no_refutation_of_an_entry(tmp_path: Path) -> None:
    told = {("kopf", "gone"): Told(unknown=("O1",))}
    assert Run(tmp_path, [scenario("gone")], told).report(entry()).exit_code == 2


def test_a_fault_that_never_hit_makes_the_cell_invalid(tmp_path: Path) -> None:
    run = Run(tmp_path, [scenario("gone", plans={"p": rules("r1")})], {("kopf", "gone"): Told(fires=lambda _: False)})
    report = run.report()
    cell = report.cell("gone", "kopf")
    assert cell is not None
    assert (cell.verdict, cell.why) == ("invalid", "never hit anything: r1")
    assert report.exit_code == 2


def test_an_expected_violation_does_not_cover_what_was_not_checked_beside_it(tmp_path: Path) -> None:
    story = scenario("gone", plans={"a": rules("r1"), "b": rules("r2")})
    told = {("kopf", "gone"): Told(violated=("O1",), fires=lambda job: job.plan == "a")}
    report = Run(tmp_path, [story], told).report(entry(), entry(id="two", aspect="O2"))
    cell = report.cell("gone", "kopf")
    assert cell is not None
    assert (cell.verdict, cell.why) == ("violated", "never hit anything: r2 (1 of 2 trials)")
    assert [(each.known, each.gone) for each in report.differences] == [("one", False)], "half a look refutes nothing"
    assert report.exit_code == 2
    assert "1 unknown" in report.sentence


def test_an_expected_violation_does_not_cover_an_oracle_that_could_not_tell(tmp_path: Path) -> None:
    told = {("kopf", "gone"): Told(violated=("O1",), unknown=("O3",))}
    report = Run(tmp_path, [scenario("gone")], told).report(entry())
    assert report.exit_code == 2


def test_a_violation_in_one_plan_does_not_cover_what_could_not_be_told_in_another(tmp_path: Path) -> None:
    story = scenario("gone", plans={"a": (), "b": ()})
    told = Told(violated=("O1",), unknown=("O1", "O6"), guilty=lambda job: job.plan == "a")
    report = Run(tmp_path, [story], {("kopf", "gone"): told}).report(entry(plan="a"))
    cell = report.cell("gone", "kopf")
    assert cell is not None
    assert (cell.verdict, cell.why) == ("violated", "O1: O1 was looked at")
    assert report.exit_code == 2


def test_an_arrival_in_one_plan_has_to_be_seen_at_rest_there(tmp_path: Path) -> None:
    story = scenario("gone", plans={"a": (), "b": ()})
    told = Told(violated=("O1",), unknown=("O6",), guilty=lambda job: job.plan == "a")
    assert Run(tmp_path, [story], {("kopf", "gone"): told}).report(entry(plan="a")).exit_code == 2


def test_a_second_base_trial_that_broke_down_is_a_gap(tmp_path: Path) -> None:
    class Broken(FakeRun):
        def __call__(self, job: Job) -> Path:
            if job.name.endswith(AGAIN):
                self.told = {("handwritten", TIMED.name): Told(outcome="failed", why="no namespace")}
            folder = super().__call__(job)
            self.told = {}
            return folder

    run = Run(tmp_path, [TIMED])
    run.comparison = Comparison(Broken(tmp_path), findings_of, tmp_path)
    report = run.report()
    cell = report.cell(TIMED.name, "handwritten")
    assert cell is not None
    assert cell.why == "the trial was failed: no namespace (4 of 4 trials)"
    assert report.exit_code == 2


def test_who_never_arrived_need_not_have_been_seen_at_rest(tmp_path: Path) -> None:
    told = {("kopf", "gone"): Told(violated=("O1",), unknown=("O6",))}
    assert Run(tmp_path, [scenario("gone")], told).report(entry()).exit_code == 0


@pytest.mark.parametrize("outcome", ["failed", "interrupted", None])
def test_a_trial_that_broke_down_is_unknown_whatever_its_judges_say(tmp_path: Path, outcome: str | None) -> None:
    told = {("kopf", "gone"): Told(outcome=outcome, why="no namespace", violated=("O1",))}
    report = Run(tmp_path, [scenario("gone")], told).report()
    cell = report.cell("gone", "kopf")
    assert cell is not None
    assert cell.verdict == "unknown"
    assert report.differences == []
    assert report.exit_code == 2


def test_what_the_backend_cannot_do_is_said_and_has_no_consequence(tmp_path: Path) -> None:
    told = {
        (each, "quota"): Told(outcome="unsupported", why="backend kwok lacks quota") for each in ("handwritten", "kopf")
    }
    report = Run(tmp_path, [scenario("quota")], told).report()
    assert [(each.verdict, each.why) for each in report.cells] == [("unsupported", "backend kwok lacks quota")] * 2
    assert report.exit_code == 0


def test_an_oracle_that_does_not_decide_is_shown_and_does_not_count(tmp_path: Path) -> None:
    told = {("kopf", "gone"): Told(violated=("O2",), unknown=("O3",))}
    report = Run(tmp_path, [scenario("gone", deciding=("O1",))], told).report()
    assert report.exit_code == 0
    cell = report.cell("gone", "kopf")
    assert cell is not None
    assert cell.verdict == "ok"
    assert [(each.oracle, each.verdict, each.deciding) for each in cell.oracles] == [
        ("O1", "ok", True), ("O2", "violated", False), ("O3", "unknown", False),
    ]  # fmt: skip


def test_an_oracle_that_was_to_decide_and_said_nothing_is_unknown(tmp_path: Path) -> None:
    report = Run(tmp_path, [scenario("gone", deciding=("O1", "O99"))]).report()
    assert report.exit_code == 2


def test_an_oracle_that_compares_trials_may_have_nothing_to_compare(tmp_path: Path) -> None:
    assert Run(tmp_path, [scenario("gone", deciding=("O1", "O12", "O16", "O17"))]).report().exit_code == 0


def test_what_breaks_the_api_contract_is_shown_without_consequence(tmp_path: Path) -> None:
    report = Run(tmp_path, [scenario("lost", grade="X")], {("kopf", "lost"): Told(violated=("O1",))}).report()
    (found,) = report.differences
    assert not found.gates
    assert report.exit_code == 0


# --- counts --------------------------------------------------------------------------------------------------------------


def test_a_count_beyond_its_tolerance_is_a_difference(tmp_path: Path) -> None:
    report = Run(tmp_path, [scenario("create")], {("kopf", "create"): Told(writes=9)}).report()
    (found,) = report.differences
    assert (found.aspect, found.seen) == ("writes", "more: 9 writes, where handwritten has 5")
    assert found.repeat == "twinloop compare --scenario create --variant handwritten --variant kopf --seed 7"
    assert report.exit_code == 1


@pytest.mark.parametrize("writes", [3, 4, 6, 7])
def test_a_count_within_its_tolerance_is_none(tmp_path: Path, writes: int) -> None:
    assert Run(tmp_path, [scenario("create")], {("kopf", "create"): Told(writes=writes)}).report().exit_code == 0


def test_a_count_in_one_plan_does_not_cover_another(tmp_path: Path) -> None:
    story = scenario("create", plans={"far": (), "near": ()})

    class ByPlan(FakeRun):
        def __call__(self, job: Job) -> Path:
            writes = {
                ("kopf", "far"): 80,
                ("handwritten", "far"): 40,
                ("kopf", "near"): 10,
                ("handwritten", "near"): 30,
            }
            self.told = {(job.variant.name, "create"): Told(writes=writes[job.variant.name, job.plan])}
            return super().__call__(job)

    run = Run(tmp_path, [story])
    run.comparison = Comparison(ByPlan(tmp_path), findings_of, tmp_path)
    report = run.report(entry(scenario="create", aspect="writes", expected="more", plan="far"))
    assert [(each.known, each.seen) for each in report.differences] == [
        ("", "fewer: 10 writes, where handwritten has 30"),
        ("one", "more: 80 writes, where handwritten has 40"),
    ]
    assert report.exit_code == 1


def test_fewer_is_a_difference_too_and_can_be_expected(tmp_path: Path) -> None:
    told = {("handwritten", "create"): Told(writes=40), ("kopf", "create"): Told(writes=20)}
    expected = entry(aspect="writes", expected="fewer")
    assert Run(tmp_path / "1", [scenario("create")], told).report(expected).exit_code == 0
    wrong = entry(aspect="writes", expected="more")
    assert Run(tmp_path / "2", [scenario("create")], told).report(wrong).exit_code == 1


def test_an_exit_that_nobody_asked_for_is_a_difference(tmp_path: Path) -> None:
    report = Run(tmp_path, [scenario("create")], {("kopf", "create"): Told(exits=1)}).report()
    assert [each.aspect for each in report.differences] == ["restarts"]


def test_an_operator_that_never_got_there_is_not_praised_for_writing_little(tmp_path: Path) -> None:
    told = {
        ("handwritten", "create"): Told(writes=50),
        ("kopf", "create"): Told(writes=0, settles=False, violated=("O1",)),
    }
    report = Run(tmp_path, [scenario("create")], told).report()
    assert [each.aspect for each in report.differences] == ["O1"]


def test_a_count_that_was_not_measured_refutes_nothing(tmp_path: Path) -> None:
    told = {("kopf", "create"): Told(settles=False)}
    assert Run(tmp_path, [scenario("create")], told).report(entry(aspect="writes", expected="more")).exit_code == 0


# --- latencies -----------------------------------------------------------------------------------------------------------

TIMED = scenario("timed", latency=True)


def shaky(times: float) -> Told:
    return Told(latency=lambda job, index: times * (0.1 + 0.002 * ((job.block * 7 + index * 3 + len(job.name)) % 5)))


def test_twice_as_long_is_called_slower_with_the_noise_beside_it(tmp_path: Path) -> None:
    told = {("handwritten", "timed"): shaky(1), ("kopf", "timed"): shaky(2)}
    report = Run(tmp_path, [TIMED], told).report()
    (ratio,) = report.ratios
    assert (ratio.call, ratio.pairs) == ("slower", 20)
    assert ratio.ratio == pytest.approx(2, rel=0.1)
    (noise,) = report.noise
    assert (noise.variant, noise.base, noise.pairs) == ("handwritten" + AGAIN, "handwritten", 20)
    assert [each.aspect for each in report.differences] == ["latency:time"]
    assert report.exit_code == 1


def test_slower_can_be_expected(tmp_path: Path) -> None:
    told = {("handwritten", "timed"): shaky(1), ("kopf", "timed"): shaky(2)}
    assert Run(tmp_path, [TIMED], told).report(entry(aspect="latency:*", expected="slower")).exit_code == 0


def test_an_expected_latency_is_gone_only_when_the_interval_rules_it_out(tmp_path: Path) -> None:
    expected = entry(aspect="latency:time", expected="slower")
    equal = {("handwritten", "timed"): shaky(1), ("kopf", "timed"): shaky(1)}
    assert Run(tmp_path / "1", [TIMED], equal).report(expected).exit_code == 1
    noisy = Told(latency=lambda job, index: 0.1 * (1 + (job.block * 5 + index) % 4))
    unsure = {("handwritten", "timed"): shaky(1), ("kopf", "timed"): noisy}
    report = Run(tmp_path / "2", [TIMED], unsure).report(expected)
    assert not any(each.gone for each in report.differences)


def test_too_few_blocks_call_nothing_and_say_so(tmp_path: Path) -> None:
    told = {("handwritten", "timed"): shaky(1), ("kopf", "timed"): shaky(9)}
    report = Run(tmp_path, [TIMED], told).report(runs=2)
    assert [each.call for each in report.ratios] == ["unknown"]
    assert report.exit_code == 0
    assert any("Too few samples" in each for each in report.threats)


def test_samples_that_never_ended_are_the_longest_and_are_counted(tmp_path: Path) -> None:
    told = {("kopf", "timed"): Told(latency=lambda _, index: None if index > 1 else 0.1)}
    report = Run(tmp_path, [TIMED], told).report()
    kopf = next(each for each in report.latencies if each.variant == "kopf")
    assert (kopf.median, kopf.p95, kopf.censored) == (None, None, 16)
    assert [each.call for each in report.ratios] == ["slower"]
    assert any("16 latency samples never ended" in each for each in report.threats)


def test_the_warm_up_is_shown_and_not_counted(tmp_path: Path) -> None:
    report = Run(tmp_path, [TIMED]).report()
    first = report.latencies[0]
    assert len(first.samples) == 24
    assert sum(each["warm_up"] for each in first.samples) == 4
    assert first.median == 0.1


def test_what_only_the_second_base_variant_violates_is_the_bases_violation(tmp_path: Path) -> None:
    told = {("handwritten", TIMED.name): Told(violated=("O2",), guilty=lambda job: job.name.endswith(AGAIN))}
    report = Run(tmp_path, [TIMED], told).report()
    cell = report.cell(TIMED.name, "handwritten")
    assert cell is not None
    assert (cell.verdict, cell.numbers["trials"]) == ("violated", 4)
    (found,) = report.differences
    assert found.trial.endswith("handwritten again.0")
    assert report.exit_code == 1


def test_the_second_base_variant_has_no_cell(tmp_path: Path) -> None:
    report = Run(tmp_path, [TIMED]).report()
    assert {each.variant for each in report.cells} == {"handwritten", "kopf"}
    assert {each.variant for each in report.latencies} == {"handwritten", "kopf", "handwritten" + AGAIN}


# --- smoke ---------------------------------------------------------------------------------------------------------------


def test_of_a_variant_that_cannot_do_the_simplest_thing_nothing_is_run(tmp_path: Path) -> None:
    run = Run(tmp_path, [scenario("create")])
    report = run.report(smoke={"kopf": "it never said ready"})
    assert run.fake.ran == ["trials/create/handwritten.0"]
    assert [(each.aspect, each.scenario) for each in report.differences] == [("smoke", "")]
    cell = report.cell("create", "kopf")
    assert cell is not None
    assert "it never said ready" in cell.why
    assert report.exit_code == 1


def test_when_no_variant_can_do_it_there_is_still_a_report(tmp_path: Path) -> None:
    run = Run(tmp_path, [TIMED, CRASH])
    report = run.report(smoke={"handwritten": "dead", "kopf": "dead"})
    assert run.fake.ran == []
    assert [each.aspect for each in report.differences] == ["smoke", "smoke"]
    assert report.exit_code == 1


# --- crashes at every write ----------------------------------------------------------------------------------------------

CRASH = scenario("crash", every_write=True)


def test_a_reference_trial_counts_the_writes_of_each_variant_and_3_plans_follow_each(tmp_path: Path) -> None:
    told = {("handwritten", "crash"): Told(writes=2), ("kopf", "crash"): Told(writes=3)}
    run = Run(tmp_path, [CRASH], told)
    report = run.report()
    assert run.fake.ran[:2] == ["trials/crash/handwritten.0", "trials/crash/kopf.0"]
    assert len(run.fake.ran) == 2 + 3 * 2 + 3 * 3
    points = [(each.variant, each.k, each.when, each.what, each.verdict) for each in report.crash_points]
    assert len(points) == 15
    assert ("kopf", 3, "answered", "create pods web-2", "ok") in points
    assert report.exit_code == 0


def test_a_crash_point_is_as_good_as_the_oracles_that_decide(tmp_path: Path) -> None:
    told = {("kopf", "crash"): Told(writes=1, violated=("O2",), unknown=("O3",))}
    story = scenario("crash", every_write=True, deciding=("O1",))
    report = Run(tmp_path, [story], told).report(variants=(K,))
    assert [each.verdict for each in report.crash_points] == ["ok"] * 3


def test_a_crash_that_hit_nothing_is_tried_again_and_then_invalid(tmp_path: Path) -> None:
    told = {("kopf", "crash"): Told(writes=1, fires=lambda job: not job.plan)}
    run = Run(tmp_path, [CRASH], told)
    report = run.report(variants=(K,))
    assert "trials/crash.write-01-before/kopf.100" in run.fake.ran
    bad = [each for each in report.crash_points if each.variant == "kopf"]
    assert [each.verdict for each in bad] == ["invalid"] * 3
    assert report.exit_code == 2


def test_the_second_try_stands_for_the_first(tmp_path: Path) -> None:
    told = {("kopf", "crash"): Told(writes=1, fires=lambda job: not job.plan or job.block >= 100)}
    report = Run(tmp_path, [CRASH], told).report(variants=(K,))
    assert report.exit_code == 0
    cell = report.cell("crash", "kopf")
    assert cell is not None
    assert "trials/crash.write-01-before/kopf.0" not in cell.trials


def test_one_crash_can_be_repeated_without_its_reference(tmp_path: Path) -> None:
    run = Run(tmp_path, [CRASH])
    run.report(plans=["write-02-committed"], variants=(K,))
    assert run.fake.ran == ["trials/crash.write-02-committed/kopf.0"]


# --- interruptions, failures, threads --------------------------------------------------------------------------------------


def test_ctrl_c_leaves_a_report_of_what_was_finished(tmp_path: Path) -> None:
    run = Run(tmp_path, [scenario("create"), scenario("gone")])
    run.fake.stop_after = 3
    report = run.report(entry(scenario="gone"))
    assert report.meta["interrupted"]
    assert report.cell("create", "kopf").verdict == "ok"  # type: ignore[union-attr]
    missing = report.cell("gone", "kopf")
    assert missing is not None
    assert (missing.verdict, missing.why) == ("unknown", "0 of 1 trials were run")
    assert report.exit_code == 2
    assert report.sentence.startswith("Interrupted: ")


def test_half_of_the_plans_is_not_ok(tmp_path: Path) -> None:
    run = Run(tmp_path, [scenario("gone", plans={"a": (), "b": ()})])
    run.fake.stop_after = 2
    report = run.report(entry())
    cell = report.cell("gone", "kopf")
    assert cell is not None
    assert (cell.verdict, cell.why) == ("unknown", "1 of 2 trials were run")
    assert not report.differences


def test_a_trial_that_cannot_be_run_costs_no_other(tmp_path: Path) -> None:
    told = {("kopf", "create"): Told(raises=RuntimeError("no port"))}
    report = Run(tmp_path, [scenario("create"), scenario("gone")], told).report()
    cell = report.cell("create", "kopf")
    assert cell is not None
    assert (cell.verdict, cell.why) == ("unknown", "the trial could not be run: RuntimeError: no port")
    assert report.cell("gone", "kopf").verdict == "ok"  # type: ignore[union-attr]


def test_a_judge_that_fails_is_unknown(tmp_path: Path) -> None:
    def judge(_: Path) -> list[Finding]:
        raise ValueError("oops")

    run = Run(tmp_path, [scenario("create")])
    run.comparison.judge = judge
    report = run.report()
    assert report.cells[0].verdict == "unknown"
    assert report.exit_code == 2


def test_what_may_run_together_does_and_what_is_timed_does_not(tmp_path: Path) -> None:
    meeting = threading.Barrier(2, timeout=10)
    run = Run(tmp_path, [scenario("plain", together=True), scenario("alone")])
    threads: dict[str, str] = {}

    def run_one(job: Job) -> Path:
        threads[job.folder] = threading.current_thread().name
        if job.scenario.together:
            meeting.wait()
        return run.fake(job)

    run.comparison.run, run.comparison.jobs = run_one, 2
    assert run.report().exit_code == 0
    assert threads["trials/alone/kopf.0"] == threading.current_thread().name
    assert threads["trials/plain/kopf.0"].startswith("trial")


def test_ctrl_c_ends_those_in_other_threads(tmp_path: Path) -> None:
    run = Run(tmp_path, [scenario("one", together=True), scenario("two", together=True)])
    told = threading.Event()
    run.fake.stop_after = 1
    run.comparison.jobs, run.comparison.interrupt = 2, told.set
    report = run.report()
    assert told.is_set()
    assert report.meta["interrupted"]
    assert len(run.comparison.trials.outcomes) == 1


# --- oracles over several trials, old runs ---------------------------------------------------------------------------------


def test_oracles_that_compare_trials_get_them_a_scenario_at_a_time_the_base_first(tmp_path: Path) -> None:
    run = Run(tmp_path, [scenario("create"), TIMED])
    outcomes = run.comparison.go(Wanted([K, H], run.scenarios)).outcomes
    asked: list[list[str]] = []

    def judge_group(folders: Any) -> dict[str, list[Finding]]:
        asked.append([each.name for each in folders])
        return {"kopf": [Finding("O12", Verdict.VIOLATED, "another end")]}

    found = across(tmp_path, outcomes, "handwritten", judge_group)
    assert asked[0] == ["handwritten.0", "kopf.0"]
    assert not any(AGAIN in each for each in asked[1])
    frame = Frame([VariantInfo("handwritten", ""), VariantInfo("kopf", "")], run.scenarios)
    report = assemble(frame, outcomes, {}, found)
    assert {(each.scenario, each.aspect) for each in report.differences} == {("create", "O12"), ("timed", "O12")}


def test_an_old_run_is_reported_from_its_folders(tmp_path: Path) -> None:
    run = Run(tmp_path, [scenario("create"), CRASH, TIMED], {("kopf", "create"): Told(violated=("O1",))})
    first = run.report()
    frame = Frame(first.variants, run.scenarios, seed=7)
    second = assemble(frame, gathered(tmp_path, findings_of), {"interrupted": False})
    assert second.exit_code == first.exit_code
    assert {(each.scenario, each.variant): each.verdict for each in second.cells} == {
        (each.scenario, each.variant): each.verdict for each in first.cells
    }
    assert second.ratios == first.ratios


def test_a_history_that_cannot_be_read_is_unknown_and_named(tmp_path: Path) -> None:
    folder = tmp_path / "trials" / "gone.event" / "kopf.0"
    folder.mkdir(parents=True)
    (folder / "history.jsonl").write_text("nonsense\n")
    (outcome,) = gathered(tmp_path, findings_of)
    assert isinstance(outcome, Outcome)
    assert (outcome.scenario, outcome.plan, outcome.variant, outcome.state) == ("gone", "event", "kopf", "unknown")


def test_nothing_run_is_nothing_known(tmp_path: Path) -> None:
    report = assemble(Frame([VariantInfo("handwritten", "")], []), [], {})
    assert report.exit_code == 2
    assert report.sentence == "Nothing was run, so nothing is known."


def test_a_variant_of_ones_own_is_spelled_out_in_what_repeats_it() -> None:
    frame = Frame([], [], seed=3, spelled={"mine": "mine=./op {kubeconfig}"}, flags=["--backend", "kind"])
    assert frame.repeat("create", ["mine"], "p") == (
        "twinloop compare --backend kind --scenario create --variant 'mine=./op {kubeconfig}' --seed 3 --plan p"
    )
