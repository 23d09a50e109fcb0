"""The score of the contract: what counts as checked, when a run was a run of the whole suite, and what fails it.

Left out: the documents themselves (tests/unit/handwritten/test_contract.py).
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from support import statements
from support.statements import Score, marked_files

ALL = {"WQ-1": "a", "WQ-2": "b", "WQ-3": "c"}


@pytest.fixture(autouse=True)
def contract(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three statements, one of them excused."""
    monkeypatch.setattr(statements, "statements", lambda: ALL)
    monkeypatch.setattr(statements, "differences", lambda: {"WQ-3"})


def item(path: Path, *names: str) -> Any:
    markers = [SimpleNamespace(args=names)]
    return SimpleNamespace(path=path, iter_markers=lambda _: iter(markers))


def session(*paths: Path, arguments: tuple[str, ...] = ("tests",), **stopped: bool) -> Any:
    option = SimpleNamespace(collectonly=False)
    flags = {"shouldstop": False, "shouldfail": False, **stopped}
    config = SimpleNamespace(args=arguments, option=option)
    return SimpleNamespace(items=[item(path) for path in paths], config=config, exitstatus=0, **flags)


def run(score: Score, test: Any, when: str = "call", *, passed: bool = True, **extra: object) -> None:
    """Let pytest report one phase of a test."""
    hook = score.pytest_runtest_makereport(test, SimpleNamespace(when=when))  # type: ignore[arg-type]
    next(hook)
    with pytest.raises(StopIteration):
        hook.send(SimpleNamespace(passed=passed, **extra))  # type: ignore[arg-type]


def finish(score: Score, found: Any, exitstatus: int = 0) -> list[str]:
    score.pytest_collection_finish(found)
    score.pytest_sessionfinish(found, exitstatus)
    return score.missing


@pytest.mark.parametrize(
    ("when", "passed", "extra", "counts"),
    [
        ("call", True, {}, True),
        ("call", False, {}, False),
        ("setup", True, {}, False),
        ("call", True, {"wasxfail": "known"}, False),
    ],
)
def test_only_a_test_that_ran_and_passed_counts(
    when: str, passed: bool, extra: dict[str, object], counts: bool
) -> None:
    score = Score()
    run(score, item(Path("test_x.py"), "WQ-1"), when, passed=passed, **extra)
    assert score.checked == ({"WQ-1"} if counts else set())


def test_a_statement_without_a_test_fails_a_run_of_everything() -> None:
    score, found = Score(), session(*marked_files())
    run(score, item(Path("test_x.py"), "WQ-1"))
    assert finish(score, found) == ["WQ-2"]
    assert found.exitstatus == pytest.ExitCode.TESTS_FAILED


def test_with_every_statement_checked_or_excused_it_passes() -> None:
    score, found = Score(), session(*marked_files())
    run(score, item(Path("test_x.py"), "WQ-1", "WQ-2"))
    assert finish(score, found) == []
    assert found.exitstatus == 0


@pytest.mark.parametrize(
    "found",
    [
        session(Path("test_one.py")),
        session(*marked_files(), arguments=("tests/unit/test_x.py::test_y",)),
        session(*marked_files(), shouldfail=True),
        session(*marked_files(), shouldstop=True),
    ],
    ids=["a part", "one test", "stopped at the first failure", "interrupted"],
)
def test_a_run_of_a_part_only_counts(found: Any) -> None:
    assert finish(Score(), found) == []
    assert found.exitstatus == 0


def test_tests_that_were_deselected_make_it_a_part_but_the_end_to_end_suite_does_not() -> None:
    score = Score()
    score.pytest_deselected([item(Path("tests/e2e/test_scale.py"))])
    assert not score.selected_only
    score.pytest_deselected([item(Path("tests/unit/test_x.py"))])
    assert score.selected_only


def test_a_failure_of_another_kind_keeps_its_exit_status() -> None:
    found = session(*marked_files())
    found.exitstatus = 2
    assert finish(Score(), found, 2) == ["WQ-1", "WQ-2"]
    assert found.exitstatus == 2


def test_the_score_is_said_with_what_is_missing() -> None:
    score, lines = Score(), list[str]()
    terminal: Any = SimpleNamespace(write_line=lambda line, **_: lines.append(line))
    score.pytest_terminal_summary(terminal)
    assert lines == []
    run(score, item(Path("test_x.py"), "WQ-1", "XX-9"))
    score.missing = ["WQ-2"]
    score.pytest_terminal_summary(terminal)
    assert lines == [
        "contract: 1 of 3 statements checked by a test that passed",
        "contract: WQ-2 was not checked: b",
    ]
