"""What the judge makes of the oracles' words, of trials that were none, and of folders.

Left out: what the oracles say (checkers/).
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.histories import Tale, begun, plain
from twinloop.harness import judge as judging
from twinloop.harness.checkers import o12_same_as_others
from twinloop.harness.history import BrokenHistoryError, dump
from twinloop.harness.judge import judge, judge_folder, judge_group
from twinloop.harness.verdict import Finding, Verdict

SINGLE = ["O1", "O2", "O3", "O4", "O5", "O6", "O7", "O8", "O9", "O10", "O11", "O13", "O14", "O15"]


def unfired() -> Tale:
    tale = begun().rests().cleans()
    tale.records.pop()
    return tale.closes(unfired=["cut-3"])


def test_every_oracle_is_asked_in_order() -> None:
    assert [finding.oracle for finding in judge(plain().history())] == SINGLE


def test_a_good_trial_is_good_all_over() -> None:
    assert [each for each in judge(plain().history()) if each.verdict is not Verdict.OK] == []


def test_an_oracle_that_crashes_has_seen_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(trial: object) -> Finding:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(judging, "ORACLES", {"O1": crash})
    (finding,) = judge(plain().history())
    assert finding.verdict is Verdict.UNKNOWN
    assert finding.message == "the checker crashed: ZeroDivisionError: by nothing"


def test_a_rule_that_never_fired_lets_nothing_pass() -> None:
    findings = judge(unfired().history())
    assert {finding.verdict for finding in findings} == {Verdict.UNKNOWN}
    assert "never fired: cut-3" in findings[0].message


@pytest.mark.parametrize("outcome", ["interrupted", "unsupported", "failed"])
def test_a_trial_that_was_none_lets_nothing_pass(outcome: str) -> None:
    tale = begun().rests().cleans()
    tale.records.pop()
    findings = judge(tale.closes(outcome=outcome, why="so").history())
    assert {finding.verdict for finding in findings} == {Verdict.UNKNOWN}
    assert f"the trial is {outcome}: so" in findings[0].message


def test_a_history_that_breaks_off_lets_nothing_pass() -> None:
    assert {finding.verdict for finding in judge(begun().rests().history())} == {Verdict.UNKNOWN}


def test_a_violation_that_was_seen_stays_one() -> None:
    tale = begun()
    tale.process("exited", code=1)
    tale.up().rests().cleans()
    tale.records.pop()
    findings = {each.oracle: each for each in judge(tale.closes(outcome="interrupted").history())}
    assert findings["O13"].verdict is Verdict.VIOLATED


# ------------------------------------------------------------------ several trials


def test_one_trial_has_nothing_to_be_compared_with() -> None:
    assert judge_group([plain("one").trial()]) == {"one": []}


def test_the_others_are_held_against_the_base() -> None:
    found = judge_group([plain(variant).trial() for variant in ("one", "two", "three")])
    assert {variant: [each.oracle for each in findings] for variant, findings in found.items()} == {
        "one": [], "two": ["O12"], "three": ["O12"],
    }  # fmt: skip


def test_several_plans_and_blocks_are_held_against_each_other() -> None:
    trials = [plain("one", plan=plan).trial() for plan in ("", "cut")]
    found = {each.oracle: each.verdict for each in judge_group(trials)["one"]}
    assert found == {"O16": Verdict.OK, "O17": Verdict.OK}


def test_invalid_trials_are_left_out() -> None:
    found = judge_group([plain("some").trial(), plain("other").trial(), unfired().trial()])
    assert found["other"][0].verdict is Verdict.OK
    assert found["some"] == []


def test_nobody_to_judge() -> None:
    assert judge_group([]) == {}


def test_a_group_oracle_that_crashes_has_seen_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(trials: object) -> Finding:
        raise KeyError("x")

    monkeypatch.setattr(o12_same_as_others, "check_many", crash)
    (finding,) = judge_group([plain("one").trial(), plain("two").trial()])["two"]
    assert finding.verdict is Verdict.UNKNOWN


# ------------------------------------------------------------------ folders


def written(tale: Tale, folder: Path) -> Path:
    (folder / "history.jsonl").write_text("".join(dump(record) + "\n" for record in tale.records))
    return folder


def test_a_folder_is_judged_and_keeps_the_verdicts(tmp_path: Path) -> None:
    findings = judge_folder(written(plain(), tmp_path))
    kept = json.loads((tmp_path / "verdicts.json").read_text())
    assert [each["oracle"] for each in kept["findings"]] == [each.oracle for each in findings]
    assert (kept["verdict"], kept["invalid"], kept["variant"]) == ("ok", "", "some")


def test_judging_again_says_the_same(tmp_path: Path) -> None:
    first = judge_folder(written(plain(), tmp_path))
    assert judge_folder(tmp_path) == first


def test_a_folder_of_an_invalid_trial_says_so(tmp_path: Path) -> None:
    judge_folder(written(unfired(), tmp_path))
    kept = json.loads((tmp_path / "verdicts.json").read_text())
    assert (kept["verdict"], kept["invalid"]) == ("unknown", "never fired: cut-3")


def test_a_folder_without_a_history_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "history.jsonl").write_text("{}\n")
    with pytest.raises(BrokenHistoryError):
        judge_folder(tmp_path)
