"""The report on a terminal: what differed, then the matrix, then the sentence, so that the answer stands last.

rich decides about colour and width; without a terminal the same text comes plain. `words.py` has the words, `standing.py`
the judgement.
"""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from twinloop.harness.report.plain import number, ratio_in_words, shortened, title
from twinloop.harness.results import Cell, Difference, Report
from twinloop.harness.standing import EXPECTED, STANDINGS, UNEXPECTED, counts, standing, stories, unexpected

_STYLE = {
    "ok": "green", "violated": "red", "unknown": "yellow", "invalid": "yellow", "unsupported": "dim",
    "unexpected": "bold red", "expected": "cyan", "same": "green",
}  # fmt: skip


def show(report: Report, console: Console, *, folder: str = "") -> None:
    """Print everything that a person wants to know at once."""
    for difference in report.differences:
        _difference(difference, console)
    console.print(matrix(report))
    for threat in report.threats:
        console.print(f"[yellow]Note:[/] {escape(threat)}")
    console.print(escape(report.sentence), style="bold", soft_wrap=True)
    number_of = counts(report)
    said = " · ".join(f"{number_of[word]} {word}" for word in reversed(STANDINGS))
    console.print(f"{stories(len(report.scenarios))} · {said}   exit {report.exit_code}", soft_wrap=True)
    if folder:
        console.print(f"report  {folder}/report.html", style="dim", soft_wrap=True, markup=False)


def _difference(difference: Difference, console: Console) -> None:
    """A difference that nobody expected in full, an expected one in a line."""
    word = UNEXPECTED if unexpected(difference) else EXPECTED
    head = f"[{_STYLE[word]}]{title(difference)}[/] {escape(shortened(difference.seen, 240))}"
    console.print(head, soft_wrap=True, highlight=False)
    if unexpected(difference):
        if difference.trial:
            lines = f" lines {', '.join(map(str, difference.evidence))}" if difference.evidence else ""
            console.print(f"    see   {escape(difference.trial)}/history.jsonl{lines}", soft_wrap=True, highlight=False)
        console.print(f"    again {escape(difference.repeat)}", soft_wrap=True, highlight=False)


def matrix(report: Report) -> Table:
    """Scenario by variant, with the word for the row."""
    table = Table(box=None, pad_edge=False)
    table.add_column("scenario", no_wrap=True)
    for variant in report.variants:
        table.add_column(escape(variant.name), no_wrap=True)
    table.add_column("difference")
    for scenario in report.scenarios:
        cells = [_cell(report.cell(scenario.name, variant.name)) for variant in report.variants]
        word = standing(report, scenario.name)
        table.add_row(scenario.name, *cells, f"[{_STYLE[word]}]{word}[/]{escape(_why(report, scenario.name))}")
    return table


def _cell(cell: Cell | None) -> str:
    if cell is None:
        return "not run"
    bad = " ".join(each.oracle for each in cell.oracles if each.deciding and each.verdict == "violated")
    text = f"{cell.verdict} {bad}".strip()
    writes = number(cell.numbers.get("writes"))
    return f"[{_STYLE.get(cell.verdict, '')}]{text}[/]" + (f" [dim]{writes} w[/]" if writes and not bad else "")


def _why(report: Report, scenario: str) -> str:
    """The entries that explain it, the ratios that are called, or why nothing is known."""
    known = dict.fromkeys(each.known for each in report.differences if each.scenario == scenario and each.known)
    ratios = [ratio_in_words(each) for each in report.ratios if each.scenario == scenario and each.call in _CALLED]
    unknown = [
        f"{each.variant}: {shortened(each.why, 80)}" for each in report.cells if each.scenario == scenario and each.why
    ]
    said = [*ratios, *known, *unknown[:1]]
    return f"  {'; '.join(said)}" if said else ""


_CALLED = {"slower", "faster"}
