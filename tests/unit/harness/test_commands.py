"""What a command ends with when there is no report. Left out: what it does when there is one (tests/harness)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from support.trials import Writing
from twinloop.errors import TwinloopError
from twinloop.harness import commands, session
from twinloop.harness.results import Report
from twinloop.harness.session import Asked
from twinloop.harness.verdict import Finding, Verdict


@pytest.fixture(autouse=True)
def own_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' own answer to SIGTERM stays."""
    monkeypatch.setattr("signal.signal", lambda *_: None)


def compare(tmp_path: Path, *words: str) -> Result:
    return CliRunner().invoke(commands.compare, ["--results", str(tmp_path), "--scenario", "create", *words])


@pytest.mark.parametrize("error", [KeyboardInterrupt(), TwinloopError("the server did not come up")])
def test_without_a_report_nothing_is_known_and_nothing_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def broken(*_: Any) -> Report:
        raise error

    monkeypatch.setattr(session, "compare", broken)
    ended = compare(tmp_path)
    assert ended.exit_code == 2
    assert len(ended.stderr.strip().splitlines()) == 1


def test_a_place_where_no_results_can_be_left_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = compare(tmp_path / "file" / "results")
    assert ended.exit_code == 2
    assert "no results can be left in" in ended.stderr


def test_a_plan_that_no_scenario_has_is_told(tmp_path: Path) -> None:
    ended = compare(tmp_path, "--plan", "nonsense")
    assert ended.exit_code == 2
    assert "has a plan 'nonsense'" in ended.stderr


def test_what_repeats_a_row_has_the_flags_that_decide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Asked] = []

    def kept(what: Asked, *_: Any) -> Report:
        asked.append(what)
        return Report({})

    monkeypatch.setattr(session, "compare", kept)
    compare(tmp_path)
    compare(tmp_path, "--backend", "kind", "--crash-loop-scale", "1")
    assert [each.flags for each in asked] == [[], ["--backend", "kind", "--crash-loop-scale", "1"]]


def test_the_load_is_a_share_of_all_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    class Backend:
        name = "embedded"

        def server_version(self) -> str:
            return "v1"

    monkeypatch.setattr("os.getloadavg", lambda: (3.0, 3.0, 3.0))
    monkeypatch.setattr("psutil.cpu_count", lambda: 4)
    wanted = commands._wanted(["kopf"], ["create"], [], 5, 1, 0.01, long=False)
    meta = session._meta(Asked(wanted, jobs=2), Backend(), datetime.now(UTC))  # type: ignore[arg-type]
    assert meta["load"] == 0.75
    assert meta["flags"] == "--runs 5 --jobs 2"
    json.dumps(meta)


@pytest.mark.parametrize("command", [commands.judge, commands.report])
def test_a_run_that_another_version_left_is_one_line(tmp_path: Path, command: Any) -> None:
    for name in ("plan.json", "meta.json", "report.json"):
        (tmp_path / name).write_text('{"variants": [{"nickname": "x"}]}')
    ended = CliRunner().invoke(command, [str(tmp_path)])
    assert ended.exit_code == 2
    assert len(ended.stderr.strip().splitlines()) == 1


def test_an_interruption_before_the_first_trial_leaves_no_empty_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any) -> Report:
        raise KeyboardInterrupt

    monkeypatch.setattr(session, "compare", interrupted)
    compare(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_of_a_single_trial_the_same_oracles_decide_as_in_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Writing(tmp_path / "history.jsonl", scenario="deleted").close()
    findings = [Finding("O1", Verdict.OK, "right"), Finding("O9", Verdict.VIOLATED, "too much")]
    monkeypatch.setattr("twinloop.harness.judge.judge_folder", lambda _: findings)
    ended = CliRunner().invoke(commands.judge, [str(tmp_path)])
    assert ended.exit_code == 0, "O9 does not decide in `deleted`"
    assert "does not decide here" in ended.output
