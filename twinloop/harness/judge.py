"""Asks every oracle about a history, and keeps what they say: the last step of a trial, repeatable at any time.

    history.jsonl -> History -> Trial -> each of checkers/o*.py -> findings -> verdicts.json

An oracle that crashes has seen nothing: unknown, never a pass. Nor has anything passed in a trial that tested nothing (a rule
that never fired) or that ended early; a violation that was seen stays one. `judge_group` asks the oracles that compare several
trials of one scenario. `outcome.py` takes over.
"""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from twinloop.harness.checkers import (
    o01_converges,
    o02_no_orphan,
    o03_no_duplicate,
    o04_ownership,
    o05_observed_generation,
    o06_quiescence,
    o07_bounded_retry,
    o08_no_lost_update,
    o09_write_bound,
    o10_status_truth,
    o11_safe_destruction,
    o12_same_as_others,
    o13_process_health,
    o14_deletion,
    o15_not_deaf,
    o16_path_independence,
    o17_one_end,
)
from twinloop.harness.checkers.findings import unknown
from twinloop.harness.checkers.trial_view import Trial
from twinloop.harness.history import History
from twinloop.harness.verdict import Finding, Verdict, worst

log = logging.getLogger(__name__)

VERDICTS = "verdicts.json"

Checker = Callable[[Trial], Finding]

# In the order of their numbers; O12, O16 and O17 look at several trials.
ORACLES: Mapping[str, Checker] = {
    module.ORACLE: module.check
    for module in (
        o01_converges, o02_no_orphan, o03_no_duplicate, o04_ownership, o05_observed_generation, o06_quiescence,
        o07_bounded_retry, o08_no_lost_update, o09_write_bound, o10_status_truth, o11_safe_destruction,
        o13_process_health, o14_deletion, o15_not_deaf,
    )
}  # fmt: skip


def judge(history: History) -> list[Finding]:
    """Every oracle's finding about one trial."""
    why = not_a_test(history)
    trial = Trial(history)
    return [_doubted(_asked(oracle, check, trial), why) for oracle, check in ORACLES.items()]


def not_a_test(history: History) -> str:
    """Why nothing in a trial may count as passed; "" when it was a whole and valid trial."""
    end = history.end
    if end is None:
        return "the history breaks off"
    if end.outcome != "complete":
        return f"the trial is {end.outcome}{': ' * bool(end.why)}{end.why}"
    return f"never fired: {', '.join(end.unfired)}" if end.unfired else ""


def _asked(oracle: str, check: Checker, trial: Trial) -> Finding:
    try:
        return check(trial)
    except Exception as error:
        log.debug("oracle %s crashed", oracle, exc_info=True)
        return unknown(oracle, f"the checker crashed: {type(error).__name__}: {error}")


def _doubted(finding: Finding, why: str) -> Finding:
    """What passed in a trial that was none has not been seen."""
    if not why or finding.verdict is not Verdict.OK:
        return finding
    return replace(finding, verdict=Verdict.UNKNOWN, message=f"{why} (otherwise: {finding.message})")


# ------------------------------------------------------------------ several trials


def judge_group(trials: Sequence[Trial]) -> dict[str, list[Finding]]:
    """The findings that need several trials of one scenario, by variant; the first trial is the base variant's.

    Only questions that there is something to ask about: O12 of every other variant, O16 where a spec can have come twice
    (unless nothing was at rest twice), O17 where there are several plans.
    """
    by_variant: dict[str, list[Trial]] = defaultdict(list)
    for trial in trials:
        by_variant[trial.begin.variant].append(trial)
    base = next(iter(by_variant.values()), [])
    return {
        variant: _of_variant(own, base if own is not base else [])
        for variant, own in by_variant.items()
    }  # fmt: skip


def _of_variant(own: Sequence[Trial], base: Sequence[Trial]) -> list[Finding]:
    findings = [_many("O12", o12_same_as_others.check_many, [*base, *own])] if base else []
    path = _many("O16", o16_path_independence.check_many, own)
    findings += [path] if path.verdict is not Verdict.UNKNOWN else []
    if len({trial.begin.plan for trial in own}) > 1:
        findings.append(_many("O17", o17_one_end.check_many, own))
    return findings


def _many(oracle: str, check: Callable[[Sequence[Trial]], Finding], trials: Sequence[Trial]) -> Finding:
    valid = [trial for trial in trials if not not_a_test(trial.history)]
    try:
        return check(valid) if valid else unknown(oracle, "no trial can be compared")
    except Exception as error:
        log.debug("oracle %s crashed", oracle, exc_info=True)
        return unknown(oracle, f"the checker crashed: {type(error).__name__}: {error}")


# ------------------------------------------------------------------ folders


def judge_folder(folder: Path) -> list[Finding]:
    """Judge the history in a trial's folder and write verdicts.json beside it. Raises BrokenHistoryError."""
    history = History.read(folder / "history.jsonl")
    findings = judge(history)
    (folder / VERDICTS).write_text(json.dumps(_as_json(history, findings), indent=1) + "\n")
    return findings


def _as_json(history: History, findings: Iterable[Finding]) -> dict[str, Any]:
    found = list(findings)
    return {
        "scenario": history.begin.scenario,
        "plan": history.begin.plan,
        "variant": history.begin.variant,
        "verdict": str(worst(each.verdict for each in found)),
        "invalid": not_a_test(history),
        "findings": [asdict(each) for each in found],
    }
