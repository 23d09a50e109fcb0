"""Keeps the documents and the code in step: statements, differences, names of files, classes and tests.

Left out: whether a test really checks the statement that it names. That is what reading is for.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from support.statements import IDENTIFIER, ROOT, statements

DOCS = ROOT / "docs"
TESTS = ROOT / "tests"
# How many statements each part of the contract has; client-go's number them, EV is ours.
PARTS = {
    "WQ": 15,
    "DQ": 9,
    "RL": 10,
    "DF": 11,
    "RF": 8,
    "PD": 4,
    "TS": 11,
    "RE": 21,
    "SI": 17,
    "CT": 8,
    "LE": 10,
    "EV": 5,
}


def rows(document: str) -> list[list[str]]:
    """The cells of the table rows of a document, without heads and rules."""
    lines = (DOCS / document).read_text().splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return [row for row in cells if not set("".join(row)) <= {"-"}]


def functions_below(folder: Path) -> dict[str, set[str]]:
    """Test functions by the name of their file."""
    found: dict[str, set[str]] = {}
    for path in folder.rglob("test_*.py"):
        names = re.findall(r"^\s*def (test_\w+)\(", path.read_text(), re.MULTILINE)
        found.setdefault(path.name, set()).update(names)
    return found


def differences() -> dict[str, list[str]]:
    return {row[0]: row for row in rows("differences.md") if row[0].startswith("D")}


def test_the_contract_has_every_statement_once_and_in_order() -> None:
    lines = re.findall(r"^- \*\*([A-Z]{2}-\d+)\*\*", (DOCS / "contract.md").read_text(), re.MULTILINE)
    assert lines == [f"{part}-{number}" for part, count in PARTS.items() for number in range(1, count + 1)]


def test_every_statement_that_a_test_names_is_in_the_contract() -> None:
    named = {
        identifier
        for path in TESTS.rglob("test_*.py")
        for call in re.findall(r"mark\.statement\(([^)]*)\)", path.read_text())
        for identifier in re.findall(r'"([^"]+)"', call)
        if IDENTIFIER.fullmatch(identifier)
    }
    assert named <= statements().keys()


def test_no_test_names_more_than_a_few_statements() -> None:
    for path in TESTS.rglob("test_*.py"):
        for call in re.findall(r"@pytest\.mark\.statement\(([^)]*)\)", path.read_text()):
            assert 1 <= len(call.split(",")) <= 3, f"{path.name}: {call}"


def test_contract_and_differences_point_at_each_other() -> None:
    marked = {name: re.findall(r"\[(D\d+)\]", text) for name, text in statements().items()}
    for difference, row in differences().items():
        named = IDENTIFIER.findall(row[1])
        assert set(named) <= statements().keys(), difference
        assert row[1] == "-" or named, difference
    for name, found in marked.items():
        for difference in found:
            assert name in IDENTIFIER.findall(differences()[difference][1]), f"{name} says {difference}"


def test_every_difference_has_a_test_that_exists() -> None:
    known = functions_below(TESTS / "unit")
    assert list(differences()) == [f"D{number}" for number in range(1, len(differences()) + 1)]
    for difference, row in differences().items():
        assert all(row), difference
        file, _, name = row[4].strip("`").partition("::")
        assert name in known[file], f"{difference}: there is no {row[4]}"


def test_every_acceptance_row_names_a_test_that_exists() -> None:
    known = functions_below(TESTS / "unit/handwritten")
    listed = [row for row in rows("acceptance.md") if row[0].startswith("Test")]
    assert len(listed) > 150
    for go, ours, _ in listed:
        file, _, name = ours.strip("`").partition("::")
        assert name in known.get(file, set()), f"{go}: there is no {ours}"


@pytest.mark.parametrize("row", [row for row in rows("mapping.md") if row[0].startswith("`")], ids=lambda row: row[0])
def test_the_mapping_names_what_is_there(row: list[str]) -> None:
    path, names = row[0].strip("`"), re.findall(r"`(\w+)`", row[1])
    body = ast.parse((ROOT / path).read_text()).body
    defined = {node.name for node in body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    assert names
    assert set(names) <= defined
    assert all(row)


def test_the_mapping_leaves_no_file_out() -> None:
    mapped = {row[0].strip("`") for row in rows("mapping.md")}
    ours = {f"handwritten/{path.name}" for path in (ROOT / "handwritten").glob("*.py")} - {"handwritten/__init__.py"}
    assert ours <= mapped
