"""Judging: what is known passes, what is not fails, what is gone must leave the list; and the list as it is.

Covered: patterns of known.yaml, the count line, and that docs/conformance.md lists the very same differences.

Left out: whether the known differences are there (test_embedded.py) and whether their reasons are good ones.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from conformance.case import Case, Step, load_all
from conformance.verdict import AT_MOST, Judgement, Known, count_line, judge, load_known, outlived

DOCS = Path(__file__).parents[2] / "docs" / "conformance.md"


def case(name: str = "g/one", *, watch: bool = False) -> Case:
    return Case(name, "g", (Step(do="GET /x", watch="w" if watch else ""),))


def known(where: str, cases: str = "g/*") -> Known:
    return Known(f"{cases} {where}", (cases,), (where,), "because")


def test_equal_answers_agree() -> None:
    assert judge(case(), [{"a": 1}], [{"a": 1}], []).verdict == "agree"


def test_a_difference_fails() -> None:
    found = judge(case(), [{"a": 1}], [{"a": 2}], [])
    assert (found.verdict, [each.where for each in found.unexpected]) == ("differ", ["0.a"])


def test_a_known_difference_passes_and_says_so() -> None:
    assert judge(case(), [{"a": 1}], [{"a": 2}], [known("0.a")]).verdict == "known"
    assert judge(case(), [{"a": {"b": 1}}], [{"a": {"b": 2}}], [known("*.b")]).verdict == "known"


def test_a_known_difference_hides_no_other() -> None:
    found = judge(case(), [{"a": 1, "b": 1}], [{"a": 2, "b": 2}], [known("0.a")])
    assert (found.verdict, [each.where for each in found.unexpected]) == ("differ", ["0.b"])


def test_a_known_difference_of_another_case_does_not_count() -> None:
    assert judge(case(), [{"a": 1}], [{"a": 2}], [known("0.a", cases="other/*")]).verdict == "differ"


def test_a_case_that_could_not_be_played_differs() -> None:
    assert Judgement(case(), error="refused").verdict == "differ"


def test_what_no_longer_differs_must_leave_the_list() -> None:
    entries = [known("0.a"), known("0.b")]
    judgement = judge(case(), [{"a": 1, "b": 1}], [{"a": 2, "b": 1}], entries)
    assert [each.where for each in outlived(entries, [judgement])] == [("0.b",)]


def test_the_last_line_counts() -> None:
    judgements = [
        judge(case("g/1"), 1, 1, []),
        judge(case("g/2", watch=True), {"a": 1}, {"a": 2}, [known("a")]),
        judge(case("g/3", watch=True), 1, 2, []),
    ]
    assert count_line(judgements) == "conformance: 3 cases, 2 on watch: 1 agree, 1 with known differences, 1 differ"


# --- the list ---------------------------------------------------------------------------------------------------------


def test_the_list_is_short_and_each_entry_has_its_reason() -> None:
    entries = load_known()
    assert len(entries) <= AT_MOST
    assert len({entry.title for entry in entries}) == len(entries)
    assert all(len(entry.why) > 20 for entry in entries)


def test_no_known_difference_is_on_what_an_operator_sends() -> None:
    entries = load_known()
    touched = [case.name for case in load_all() if case.operator and any(entry.names(case.name) for entry in entries)]
    assert not touched


def test_every_entry_names_a_case() -> None:
    cases = load_all()
    assert [entry.title for entry in load_known() if not any(entry.names(case.name) for case in cases)] == []


def test_the_documentation_lists_the_same_differences() -> None:
    """A row a difference: its title and its reason, in the order of known.yaml."""
    assert documented(DOCS.read_text()) == [(entry.title, one_line(entry.why)) for entry in load_known()]


def documented(text: str) -> list[tuple[str, str]]:
    section = text.partition("## Known differences")[2].partition("\n## ")[0]
    rows: Any = re.findall(r"^\| (?!---|What)([^|]+) \| ([^|]+) \|$", section, re.MULTILINE)
    return [(title.strip(), why.strip()) for title, why in rows]


def one_line(text: str) -> str:
    return " ".join(text.split())
