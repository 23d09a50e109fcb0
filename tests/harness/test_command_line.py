"""`twinloop compare` and its sisters as a person runs them: what is printed, what is left, and the exit status.

One small comparison of one variant serves most tests. Left out: what the pages look like (tests/unit/harness/report).
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from support.processes import ROOT
from twinloop.harness.results import Report

PATIENCE = 120


def twinloop(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "twinloop.cli", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False)


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    results = tmp_path_factory.mktemp("results")
    words = ["--scenario", "deleted", "--variant", "handwritten", "--seed", "5", "--results", str(results)]
    return twinloop("compare", *words), results / "latest"


def test_a_comparison_without_a_surprise_exits_0(compared: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    ended, _ = compared
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "smoke check of handwritten: ok" in ended.stderr
    assert "deleted" in ended.stdout


def test_it_leaves_the_report_in_every_form(compared: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    _, run = compared
    names = {path.name for path in run.iterdir()}
    assert names >= {"report.json", "report.html", "report.md", "junit.xml", "meta.json", "plan.json", "samples.csv"}
    report = Report.read(run / "report.json")
    assert [(cell.scenario, cell.variant, cell.verdict) for cell in report.cells] == [("deleted", "handwritten", "ok")]
    assert (report.meta["seed"], report.meta["backend"]) == (5, "embedded")
    trial = run / report.cells[0].trials[0]
    assert {path.name for path in trial.iterdir()} >= {"history.jsonl", "verdicts.json", "operator-a.log"}


def test_an_old_run_is_judged_and_reported_again(compared: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    ended, run = compared
    before = Report.read(run / "report.json")
    for command in ("judge", "report"):
        again = twinloop(command, str(run))
        assert again.returncode == 0, again.stderr
        assert again.stdout == ended.stdout.replace(str(run.parent / "latest"), str(run)) or "deleted" in again.stdout
    after = Report.read(run / "report.json")
    assert after.cells == before.cells


def test_a_scenario_that_this_version_does_not_have_is_named_and_not_passed(
    compared: tuple[subprocess.CompletedProcess[str], Path], tmp_path: Path
) -> None:
    run = shutil.copytree(compared[1].resolve(), tmp_path / "run")
    plan = json.loads((run / "plan.json").read_text())
    (run / "plan.json").write_text(json.dumps({**plan, "scenarios": [*plan["scenarios"], "of-old"]}))
    ended = twinloop("judge", str(run))
    assert ended.returncode == 2
    assert "no scenario of-old" in ended.stdout


def test_one_trial_is_judged_oracle_by_oracle(compared: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    _, run = compared
    trial = next((run / "trials").glob("deleted*/*"))
    ended = twinloop("judge", str(trial))
    assert ended.returncode == 0, ended.stdout
    assert ended.stdout.splitlines()[0].startswith("O1 ")


def test_a_judge_of_another_mind_is_believed(
    compared: tuple[subprocess.CompletedProcess[str], Path], tmp_path: Path
) -> None:
    """The verdict comes from the history: one that breaks off is unknown, whatever was said when it was whole."""
    _, run = compared
    trial = next((run / "trials").glob("deleted*/*"))
    lines = (trial / "history.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "history.jsonl").write_text("".join(lines[: len(lines) // 2]))
    assert twinloop("judge", str(tmp_path)).returncode == 2


def test_scenarios_are_listed_and_explained() -> None:
    listed = twinloop("list")
    assert listed.returncode == 0
    names = [line.split()[0] for line in listed.stdout.splitlines()]
    assert {"create", "idle-minute", "crash-every-write"} <= set(names)
    explained = twinloop("explain", "create")
    assert explained.returncode == 0
    assert "What is expected:" in explained.stdout
    assert "twinloop compare --scenario create" in explained.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["compare", "--scenario", "nonsense"], "no scenario matches 'nonsense'"),
        (["compare", "--variant", "nobody"], "there is no variant 'nobody'"),
        (["compare", "--variant", "mine=/no/such/program"], "is no program here"),
        (["compare", "--context", "x"], "takes no context"),
        (["explain", "nonsense"], "no scenario matches"),
        (["judge", "/nonexistent"], "is no run of"),
        (["report", "/nonexistent"], "has no report.json"),
    ],
)
def test_what_a_person_got_wrong_is_one_line_and_status_2(words: list[str], said: str, tmp_path: Path) -> None:
    results = ["--results", str(tmp_path)] if words[0] == "compare" else []
    ended = twinloop(*words, *results)
    assert ended.returncode == 2
    assert said in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1
    assert "Traceback" not in ended.stderr


def test_a_variant_that_cannot_do_the_simplest_thing_is_reported_and_not_timed(tmp_path: Path) -> None:
    words = ["--scenario", "deleted", "--variant", f"dead={sys.executable} -c raise(SystemExit(3))"]
    ended = twinloop("compare", *words, "--results", str(tmp_path))
    assert ended.returncode != 0
    assert "smoke check of dead: " in ended.stderr
    assert "smoke check of dead: ok" not in ended.stderr
    report = Report.read(tmp_path / "latest" / "report.json")
    assert report.variants[0].smoke != "ok"
    assert not report.latencies


@pytest.mark.parametrize("more", [[], [signal.SIGINT, signal.SIGTERM, signal.SIGINT]], ids=["once", "impatiently"])
def test_an_interruption_leaves_a_report_that_says_so_and_no_process(
    tmp_path: Path, more: list[signal.Signals]
) -> None:
    command = [
        sys.executable, "-m", "twinloop.cli", "compare", "--scenario", "calm", "--variant", "handwritten",
        "--results", str(tmp_path),
    ]  # fmt: skip
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        # A shell starts what runs in its background deaf to SIGINT, and so would this be.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509 - no threads yet
        start_new_session=True,
    )
    deadline = time.monotonic() + PATIENCE
    while not list(tmp_path.glob("*/trials/[!s]*/*/verdicts.json")) and time.monotonic() < deadline:
        time.sleep(0.05)
    below = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    for each in more:
        time.sleep(0.1)
        process.send_signal(each)
    out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2, out.decode()
    assert b"Traceback" not in out
    assert out.count(b"Stopping") == 1
    _, alive = psutil.wait_procs(below, 10)
    assert not alive
    meta = json.loads((tmp_path / "latest" / "meta.json").read_text())
    assert meta["interrupted"]
    assert (tmp_path / "latest").is_symlink()


def test_a_backend_that_does_not_come_up_is_not_checked_and_leaves_no_folder(tmp_path: Path) -> None:
    """2 and not 1: it shows no difference, it shows nothing."""
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(
        "clusters: [{name: c, cluster: {server: 'http://127.0.0.1:9'}}]\nusers: [{name: u, user: {}}]\n"
        "contexts: [{name: x, context: {cluster: c, user: u}}]\ncurrent-context: x\n"
    )
    results = tmp_path / "results"
    words = ["compare", "--backend", "current", "--scenario", "deleted", "--results", str(results)]
    ended = subprocess.run(
        [sys.executable, "-m", "twinloop.cli", *words],
        cwd=ROOT, env={**os.environ, "KUBECONFIG": str(kubeconfig)}, capture_output=True, text=True,
        timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert ended.returncode == 2
    assert len(ended.stderr.strip().splitlines()) == 1
    assert not list(results.iterdir())
