"""The harness is lied to: every miniature with a bug is found out by the oracle that is there for it, the right one by none.

Left out: our own variants (test_trial.py, `make compare`). Whether an oracle is right in small is in its unit tests.
"""

from __future__ import annotations

import re

import pytest
from miniatures.registry import BUGS, RIGHT

from support.kill_matrix import ALL_ORACLES, NEVER_ALONE, Matrix
from twinloop.harness.launch import SOURCES

# All trials are run for the first test; a slow machine takes its time.
pytestmark = pytest.mark.timeout(900)

STORIES = sorted({shown for bug in BUGS.values() for shown in (bug.shown, bug.also) if shown})


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Matrix:
    return Matrix(tmp_path_factory.mktemp("matrix"))


def test_there_are_bugs_enough() -> None:
    assert len(BUGS) >= 20


@pytest.mark.parametrize("bug", BUGS)
def test_a_bug_is_seen_by_the_oracle_that_is_there_for_it(matrix: Matrix, bug: str) -> None:
    assert not matrix.invalid(bug, BUGS[bug].shown)
    assert BUGS[bug].caught in matrix.kills[bug]


@pytest.mark.parametrize("story", STORIES)
def test_the_right_operator_raises_no_alarm(matrix: Matrix, story: str) -> None:
    assert not matrix.invalid(RIGHT, story)
    assert [f"{each.oracle}: {each.message}" for each in matrix.wrong(RIGHT, story)] == []


def test_every_oracle_is_there_for_some_bug() -> None:
    assert {bug.caught for bug in BUGS.values()} == set(ALL_ORACLES)


def test_an_oracle_that_sees_nothing_alone_has_a_reason_to_be_there(matrix: Matrix) -> None:
    # Others may see a bug too by chance, when the wrong operator is slow as well; never alone is what needs the reason.
    assert set(ALL_ORACLES) - matrix.alone >= set(NEVER_ALONE)
    assert len(set(ALL_ORACLES) - matrix.alone) <= len(NEVER_ALONE) + 1


def test_the_page_shows_every_bug_and_who_has_to_see_it() -> None:
    page = (SOURCES / "docs/kill-matrix.md").read_text()
    header = next(line for line in page.splitlines() if line.startswith("| bug |")).split("|")
    for name, bug in BUGS.items():
        (row,) = re.findall(rf"^\| {name} \|.*$", page, re.MULTILINE)
        assert row.split("|")[header.index(f" {bug.caught} ")].strip() == "X", name


def test_a_bug_says_in_a_sentence_what_is_wrong() -> None:
    assert [name for name, bug in BUGS.items() if not (bug.__doc__ or "").strip().endswith(".")] == []
