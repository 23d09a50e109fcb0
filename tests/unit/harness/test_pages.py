"""The report as terminal text, Markdown, JUnit and files; and the progress of a run.

The same made-up report for all: an unexpected difference, an expected one, one that is gone, something unknown. Left out: the
HTML page, and whether what they say is right (test_compare.py).
"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from support.trials import Clock, FakeRun, Told, findings_of, scenario, variant
from twinloop.harness.assemble import assemble
from twinloop.harness.compare import Comparison
from twinloop.harness.folder import keep, name_latest
from twinloop.harness.frame import Frame
from twinloop.harness.known import Known, KnownDifferences
from twinloop.harness.order import Wanted, jobs
from twinloop.harness.outcome import Outcome
from twinloop.harness.progress import Bar, Estimate, in_words
from twinloop.harness.report.junit import junit
from twinloop.harness.report.markdown import markdown
from twinloop.harness.report.plain import interval, number, seconds, shortened
from twinloop.harness.report.terminal import show
from twinloop.harness.results import Report, VariantInfo

SCENARIOS = [
    scenario("same"), scenario("expected"), scenario("surprise"), scenario("unsure"), scenario("cannot"),
    scenario("timed", latency=True),
]  # fmt: skip
TOLD = {
    ("kopf", "expected"): Told(violated=("O2",)),
    ("kopf", "surprise"): Told(violated=("O1",)),
    ("kopf", "unsure"): Told(outcome="failed", why="a | b <script>\nc"),
    ("kopf", "cannot"): Told(outcome="unsupported", why="lacks quota"),
    ("handwritten", "cannot"): Told(outcome="unsupported", why="lacks quota"),
    ("kopf", "timed"): Told(latency=lambda job, index: 0.25),
}
KNOWN = [
    Known("seen", "expected", "kopf", "O2", "violated", "It is so.", "docs/x.md", {"kopf": "k.py"}),
    Known("over", "same", "kopf", "O3", "violated", "It was so.", "docs/y.md", {"kopf": "k.py"}),
]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    results = tmp_path_factory.mktemp("results")
    variants = [variant("handwritten"), variant("kopf")]
    trials = Comparison(FakeRun(results, TOLD), findings_of, results).go(Wanted(variants, SCENARIOS, seed=7))
    infos = [VariantInfo(each.name, each.command) for each in variants]
    frame = Frame(infos, SCENARIOS, KnownDifferences(KNOWN), seed=7, expected=trials.expected)
    return assemble(frame, trials.outcomes, {"backend": "embedded", "seed": 7, "flags": ""})


def printed(report: Report, width: int = 200) -> str:
    stream = io.StringIO()
    show(report, Console(file=stream, width=width), folder="results/now")
    return stream.getvalue()


# --- terminal --------------------------------------------------------------------------------------------------------------


def test_the_terminal_shows_a_surprise_with_its_evidence_and_command(report: Report) -> None:
    text = printed(report)
    assert "UNEXPECTED kopf in surprise, O1: O1 went wrong" in text
    assert "see   trials/surprise/kopf.0/history.jsonl lines 3, 4" in text
    assert "again twinloop compare --scenario surprise --variant kopf --seed 7" in text
    assert "NO LONGER TRUE (over) kopf in same, O3" in text


def test_the_matrix_has_a_row_for_each_scenario_and_a_word(report: Report) -> None:
    rows = {line.split()[0]: line for line in printed(report).splitlines() if line.split()}
    assert "violated O2" in rows["expected"]
    assert rows["expected"].rstrip().endswith("expected  seen")
    assert "unknown" in rows["unsure"]
    assert "unsupported" in rows["cannot"]
    assert "kopf slower, 2.50 [2.50, 2.50]" in rows["timed"]


def test_the_answer_stands_last(report: Report) -> None:
    lines = printed(report).splitlines()
    assert lines[-1] == "report  results/now/report.html"
    assert lines[-2] == "6 scenarios · 0 same · 1 unsupported · 1 expected · 1 unknown · 3 unexpected   exit 1"


def test_without_a_terminal_there_is_no_escape_sequence(report: Report) -> None:
    assert "\x1b" not in printed(report, width=80)


# --- Markdown --------------------------------------------------------------------------------------------------------------


def test_markdown_begins_with_the_sentence(report: Report) -> None:
    assert markdown(report).splitlines()[2] == f"**{report.sentence}** (exit 1)"


def test_markdown_tables_cannot_be_broken_by_what_a_server_said(report: Report) -> None:
    (row,) = [line for line in markdown(report).splitlines() if line.startswith("| unsure")]
    assert "a \\| b &lt;script> c" in row
    assert row.replace("\\|", "").count("|") == 5


def test_markdown_gives_reason_and_links_of_what_was_expected(report: Report) -> None:
    assert "  Why: It is so. [docs](docs/x.md) · [kopf](k.py)" in markdown(report)


def test_markdown_has_the_noise_beside_the_ratios(report: Report) -> None:
    rows = [line for line in markdown(report).splitlines() if line.startswith("| timed")]
    assert any("kopf / handwritten | 2.50 [2.50, 2.50] | 0.9091 to 1.1 | kopf slower" in row for row in rows)
    assert any("handwritten again / handwritten | 1.00 [1.00, 1.00]" in row for row in rows)


# --- JUnit -----------------------------------------------------------------------------------------------------------------


def suites(report: Report) -> dict[str, ET.Element]:
    return {each.get("name", ""): each for each in ET.fromstring(junit(report))}


def test_junit_counts_what_it_holds(report: Report) -> None:
    suite = suites(report)["kopf"]
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "6", "failures": "3", "errors": "1", "skipped": "1",
    }  # fmt: skip


def test_junit_lets_the_expected_pass_with_a_word(report: Report) -> None:
    case = next(each for each in suites(report)["kopf"] if each.get("name") == "expected")
    assert case.find("failure") is None
    assert "expected (seen)" in (case.findtext("system-out") or "")


def test_junit_survives_characters_that_xml_cannot_hold(report: Report) -> None:
    report.differences[0].seen += "\x00\x1b[31m"
    try:
        assert suites(report)["kopf"] is not None
    finally:
        report.differences[0].seen = report.differences[0].seen.removesuffix("\x00\x1b[31m")


def test_a_broken_smoke_check_is_a_case_of_its_own() -> None:
    infos = [VariantInfo("mine", "x", smoke="it never said ready")]
    made = assemble(Frame(infos, [scenario("create")]), [], {})
    (case, _) = suites(made)["mine"]
    assert case.get("name") == "smoke"
    assert case.find("failure") is not None


# --- files -----------------------------------------------------------------------------------------------------------------


def test_everything_is_kept(report: Report, tmp_path: Path) -> None:
    made = keep(report, tmp_path / "now", {"report.md": markdown, "junit.xml": junit})
    assert [each.name for each in made] == ["report.md", "junit.xml"]
    assert Report.read(tmp_path / "now" / "report.json") == report
    assert json.loads((tmp_path / "now" / "meta.json").read_text())["exit_code"] == 1
    rows = list(csv.DictReader((tmp_path / "now" / "samples.csv").read_text().splitlines()))
    assert len(rows) == 3 * 4 * 6
    assert {row["warm_up"] for row in rows} == {"0", "1"}


def test_latest_moves_on_and_a_real_folder_of_that_name_stays(report: Report, tmp_path: Path) -> None:
    keep(report, tmp_path / "one", {})
    name_latest(tmp_path / "one")
    keep(report, tmp_path / "two", {})
    name_latest(tmp_path / "two")
    assert (tmp_path / "latest").resolve().name == "two"
    (tmp_path / "latest").unlink()
    (tmp_path / "latest").mkdir()
    keep(report, tmp_path / "three", {})
    name_latest(tmp_path / "three")
    assert not (tmp_path / "latest").is_symlink()


def test_a_page_that_cannot_be_made_costs_no_other(report: Report, tmp_path: Path) -> None:
    def broken(_: Report) -> str:
        raise ValueError("oops")

    made = keep(report, tmp_path / "now", {"report.html": broken, "report.md": markdown})
    assert [each.name for each in made] == ["report.md"]
    assert (tmp_path / "now" / "report.json").exists()


# --- numbers ---------------------------------------------------------------------------------------------------------------


def test_numbers_are_short_and_never_is_a_word() -> None:
    assert (seconds(0.1204), seconds(2.5), seconds(None)) == ("120 ms", "2.50 s", "never")
    assert (number(3.0), number(None), number(1234567)) == ("3", "", "1,234,567")
    assert interval(None, 1.5, None) == "∞ [1.50, ∞]"


def test_what_somebody_else_said_is_one_line_of_bounded_length() -> None:
    assert shortened("a\n b", 5) == "a b"
    assert shortened("word " * 40, 12) == "word word w…"
    assert len(shortened("x" * 99, 20)) == 20


# --- progress --------------------------------------------------------------------------------------------------------------


def test_the_time_left_is_reckoned_from_what_each_scenario_took() -> None:
    estimate = Estimate()
    for name in ("long", "long", "short", "new"):
        estimate.more(name)
    assert estimate.seconds_left() is None
    estimate.done("long", 9.0)
    estimate.done("short", 1.0)
    assert estimate.seconds_left() == 9.0 + 5.0


@pytest.mark.parametrize(
    ("left", "words"),
    [(None, ""), (0, ""), (0.2, "about 1 s left"), (59, "about 59 s left"), (170, "about 3 min left")],
)
def test_the_time_left_in_words(left: float | None, words: str) -> None:
    assert in_words(left) == words


def test_without_a_terminal_each_trial_is_a_line() -> None:
    stream, clock = io.StringIO(), Clock()
    todo = jobs(Wanted([variant("kopf")], [scenario("create"), scenario("gone", plans={"event": ()})]))
    with Bar(Console(file=stream, width=60), clock) as bar:
        bar.more(todo)
        for job in todo:
            bar.started(job)
            clock.now += 3
            bar.finished(job, Outcome(job.folder, job.scenario.name, "kopf", state="unknown", why="[bold] went wrong"))
    assert stream.getvalue().splitlines() == [
        "1/2  create kopf  unknown: [bold] went wrong  about 3 s left",
        "2/2  gone.event kopf  unknown: [bold] went wrong",
    ]
