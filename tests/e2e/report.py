"""Gathers what pytest reports about the end-to-end cases and writes the side-by-side table.

The same content goes to the terminal, to results/e2e.md and to results/e2e.json (JUnit is pytest's own --junitxml).
`findings` holds the data and compares it. A case counts as a pass only when its test ran to its end; what was
skipped, not reached, or could not be judged is "unknown".
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pytest

from e2e.audit import Request, counts
from e2e.findings import EXPECTED, FAIL, PASS, UNKNOWN, Observation, Outcome, Row, Table, differences, write_differences
from e2e.record import Unchecked

NOT_KNOWN = "n/a"


class Report:
    """One run's table, filled from pytest's hooks."""

    def __init__(self, variants: list[str]) -> None:
        self.table = Table(variants)
        # Where the run took place, in words: versions and machine.
        self.place = ""

    @property
    def is_empty(self) -> bool:
        """Whether no case has been met."""
        return not self.table.rows

    def outcome(self, item: pytest.Item, variant: str) -> Outcome:
        """The outcome that belongs to a test item."""
        doc = (getattr(getattr(item, "function", None), "__doc__", "") or "").strip()
        return self.table.outcome(_case_name(item, variant), " ".join(doc.split()), variant)

    def add_phase(
        self, item: pytest.Item, variant: str, call: pytest.CallInfo[None], result: pytest.TestReport
    ) -> None:
        """Take in how the setup, call or teardown of an item ended."""
        outcome = self.outcome(item, variant)
        if result.when == "call":
            outcome.seconds = result.duration
            outcome.result, outcome.detail = _judge(call, result)
        elif result.skipped:
            outcome.result, outcome.detail = UNKNOWN, "skipped"
        elif result.failed:
            # Before the call nothing was checked; after it, what was checked left something behind that it should not.
            outcome.result = UNKNOWN if result.when == "setup" else FAIL
            outcome.detail = f"{result.when} failed: {_first_line(call)}"

    def add_findings(
        self,
        item: pytest.Item,
        variant: str,
        observations: list[Observation],
        requests: Iterable[Request] | None,
    ) -> None:
        """Take in what a case noted and what the audit log counted."""
        outcome = self.outcome(item, variant)
        outcome.observations = observations
        if requests is not None:
            requests = list(requests)
            outcome.requests = counts(requests)
            outcome.writes = counts(request for request in requests if request.is_write)

    def write(self, folder: Path) -> str:
        """Write results/e2e.md and results/e2e.json; gives the text for the terminal."""
        folder.mkdir(parents=True, exist_ok=True)
        sentences = differences(self.table)
        (folder / "e2e.md").write_text(_markdown(self.table, sentences, self.place))
        rows = [asdict(row) for row in self.table.rows.values()]
        content = {
            "place": self.place,
            "variants": self.table.variants,
            "cases": rows,
            "differences": [*sentences, *write_differences(self.table)],
        }
        (folder / "e2e.json").write_text(json.dumps(content, indent=1) + "\n")
        return "\n".join([self.place, "", _terminal(self.table, sentences)]).strip()


def _case_name(item: pytest.Item, variant: str) -> str:
    """The test's name as words, without the variant; other parameters stay."""
    callspec = getattr(item, "callspec", None)
    ids = [part for part in (callspec.id if callspec else "").split("-") if part and part != variant]
    name = getattr(item, "originalname", item.name).removeprefix("test_").replace("_", " ")
    return f"{name} ({'-'.join(ids)})" if ids else name


def _judge(call: pytest.CallInfo[None], result: pytest.TestReport) -> tuple[str, str]:
    if result.passed:
        return PASS, ""
    if hasattr(result, "wasxfail"):
        return EXPECTED, result.wasxfail.removeprefix("reason: ")
    if result.skipped:
        return UNKNOWN, "skipped"
    if call.excinfo is None:
        return FAIL, "it passes, though it is marked as impossible for this framework"
    return (UNKNOWN if call.excinfo.errisinstance(Unchecked) else FAIL), _first_line(call)


def _first_line(call: pytest.CallInfo[None]) -> str:
    text = str(call.excinfo.value) if call.excinfo else ""
    return (text.strip().splitlines() or [""])[0][:200]


# --- the two forms of the table ---------------------------------------------------------------------------------------


def _cells(outcome: Outcome) -> list[str]:
    writes = NOT_KNOWN if outcome.write_count is None else str(outcome.write_count)
    return [outcome.result, f"{outcome.seconds:.1f}", writes]


def _lines(table: Table) -> list[list[str]]:
    """Case, then result, seconds and writes of each variant."""
    return [
        [row.name, *[cell for variant in table.variants for cell in _cells(row.outcomes[variant])]]
        for row in table.compared()
    ]


def _verdicts(table: Table) -> str:
    parts = []
    for variant in table.variants:
        results = [row.outcomes[variant].result for row in table.compared()]
        tally = [f"{results.count(result)} {result}" for result in (PASS, EXPECTED, FAIL, UNKNOWN) if result in results]
        parts.append(f"{variant}: {', '.join(tally) or 'no case'}")
    return "; ".join(parts)


def _terminal(table: Table, sentences: list[str]) -> str:
    heads = ["case", *[head for variant in table.variants for head in (variant, "s", "writes")]]
    lines = [heads, *_lines(table)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    text = ["  ".join(_aligned(line, widths)).rstrip() for line in lines]
    if table.alone():
        text += ["", "without an operator"]
        text += [f"{row.name}: {row.outcomes[''].result} ({row.outcomes[''].seconds:.1f} s)" for row in table.alone()]
    text += ["", *_said_about_differences(table, sentences), "", *_observations(table), "", _verdicts(table)]
    return "\n".join(text)


def _aligned(line: list[str], widths: list[int]) -> list[str]:
    """Text to the left, numbers (each variant's second and third cell) to the right."""
    return [
        cell.rjust(width) if column and (column - 1) % 3 else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(line, widths, strict=True))
    ]


def _said_about_differences(table: Table, sentences: list[str]) -> list[str]:
    if not sentences:
        unknown = [
            outcome for row in table.compared() for outcome in row.outcomes.values() if outcome.result == UNKNOWN
        ]
        but = f", but {len(unknown)} outcomes are unknown" if unknown else ""
        return [f"No difference between the two was found{but}."]
    return [
        "Where the two differ (case by case, also in writes: results/e2e.md):",
        "",
        *[f"- {sentence}" for sentence in sentences],
    ]


def _observations(table: Table) -> list[str]:
    lines = [
        f"- {row.name}: {name}: " + ", ".join(f"{variant} {value}" for variant, value in values.items())
        for row in table.compared()
        for name, values in _observed(row).items()
    ]
    return ["Noted:", "", *lines] if lines else []


def _observed(row: Row) -> dict[str, dict[str, Observation]]:
    """Name -> variant -> what was observed."""
    found: dict[str, dict[str, Observation]] = {}
    for variant, outcome in row.outcomes.items():
        for observation in outcome.observations:
            found.setdefault(observation.name, {})[variant] = observation
    return found


def _markdown(table: Table, sentences: list[str], place: str) -> str:
    heads = ["case", *[head for variant in table.variants for head in (variant, "seconds", "writes")]]
    rule = ["---", *["---", "---:", "---:"] * len(table.variants)]
    text = ["# End to end: the two operators side by side", "", f"{_now()}. {place}", "", f"{_verdicts(table)}.", ""]
    text += [*_said_about_differences(table, sentences), ""]
    text += [_md(heads), _md(rule), *[_md(line) for line in _lines(table)], ""]
    text += ["Writes: what the operator sent about the case's namespace, from the API server's audit log.", ""]
    if table.alone():
        text += ["## Without an operator", ""]
        text += [f"- {row.name}: {row.outcomes[''].result}" for row in table.alone()] + [""]
    if writes := write_differences(table):
        text += ["## Writes, case by case", "", *[f"- {sentence}" for sentence in writes], ""]
    text += [*_observations(table), "", "## Cases", ""]
    for row in table.rows.values():
        text += _case_section(row)
    return "\n".join(text) + "\n"


def _case_section(row: Row) -> list[str]:
    text = [f"### {row.name}", "", row.expectation or "No expectation was written down.", ""]
    for variant, outcome in row.outcomes.items():
        sent = ", ".join(f"{kind} {count}" for kind, count in (outcome.requests or {}).items())
        detail = f" ({outcome.detail})" if outcome.detail else ""
        asked = NOT_KNOWN if outcome.requests is None else sent or "none"
        text.append(
            f"- {variant or 'no operator'}: {outcome.result}{detail}" + (f"; requests: {asked}" if variant else "")
        )
    return [*text, ""]


def _md(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
