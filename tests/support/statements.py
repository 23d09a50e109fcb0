"""The contract's score: which statements of docs/contract.md were checked by a test that ran and passed.

A test says what it checks with `@pytest.mark.statement("WQ-3")`. After a run of the whole suite every statement of the
contract must have been checked, or stand in docs/differences.md; a run of a part only shows its count.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MARKER = "statement"
IDENTIFIER = re.compile(r"\b[A-Z]{2}-\d+\b")
_LINE = re.compile(r"^- \*\*([A-Z]{2}-\d+)\*\* (\S.*)$", re.MULTILINE)


def statements() -> dict[str, str]:
    """The contract: text by identifier, in the order of docs/contract.md."""
    return dict(_LINE.findall((ROOT / "docs/contract.md").read_text()))


def differences() -> set[str]:
    """The statements that docs/differences.md names in the second column of a table."""
    rows = (
        line.split("|") for line in (ROOT / "docs/differences.md").read_text().splitlines() if line.startswith("| D")
    )
    return {found for row in rows for found in IDENTIFIER.findall(row[2])}


def marked_files() -> set[Path]:
    """The test files that carry the marker: a run that leaves one of them out was not a run of the whole suite."""
    files = (path for folder in ("unit", "variants") for path in (ROOT / "tests" / folder).rglob("test_*.py"))
    return {path for path in files if f"mark.{MARKER}(" in path.read_text()}


def named_by(item: pytest.Item) -> set[str]:
    """The statements that a test says it checks."""
    return {str(name) for marker in item.iter_markers(MARKER) for name in marker.args}


class Score:
    """The plugin; `tests/conftest.py` registers it."""

    def __init__(self) -> None:
        self.checked: set[str] = set()
        self.collected: set[Path] = set()
        self.selected_only = False
        self.missing: list[str] = []

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Notice -k, -m and the like; the end-to-end suite takes itself out and does not count."""
        self.selected_only = self.selected_only or any("e2e" not in item.path.parts for item in items)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note what will run."""
        self.collected = {item.path for item in session.items}
        self.selected_only = self.selected_only or any("::" in str(argument) for argument in session.config.args)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Count a test that ran to its end and passed."""
        report = yield
        if call.when == "call" and report.passed and not hasattr(report, "wasxfail"):
            self.checked |= named_by(item)
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Fail a complete and otherwise good run in which a statement was not checked."""
        cut_short = session.config.option.collectonly or session.shouldstop or session.shouldfail
        if cut_short or self.selected_only or not marked_files() <= self.collected:
            return
        excused = differences()
        self.missing = [name for name in statements() if name not in self.checked | excused]
        if self.missing and exitstatus == 0:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say the score."""
        if not self.checked:
            return
        known = statements()
        terminalreporter.write_line(
            f"contract: {len(self.checked & known.keys())} of {len(known)} statements checked by a test that passed"
        )
        for line in _missing_lines(self.missing, known):
            terminalreporter.write_line(line, red=True)


def _missing_lines(missing: Iterable[str], known: dict[str, str]) -> list[str]:
    return [f"contract: {name} was not checked: {known[name]}" for name in missing]
