"""The embedded server gives the answers that the real one gave: the whole set, against `golden/`.

Covered: every case, what is known to differ, and that nothing stays on that list which no longer differs.

Left out: whether the golden answers are still what a real server says. `make conformance` plays both side by side.
"""

from __future__ import annotations

from typing import Any

import pytest

from conformance import golden
from conformance.case import Case, load_all
from conformance.suite import NotPlayed
from conformance.verdict import Known, judge, outlived

# The first test waits for the fixture, which plays all cases.
pytestmark = pytest.mark.timeout(600)

CASES = load_all()


@pytest.fixture(scope="module")
def real() -> dict[str, Any]:
    return golden.read()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_answers_as_the_real_server(
    case: Case, answers: dict[str, Any], real: dict[str, Any], known: list[Known]
) -> None:
    transcript = answers[case.name]
    assert not isinstance(transcript, NotPlayed), f"{case.name} could not be played: {transcript}"
    assert case.name in real, f"no golden answer: make conformance GOLDEN=1 ONLY={case.name}"
    found = judge(case, real[case.name], transcript, known)
    assert not found.unexpected, "\n" + "\n".join(map(str, found.unexpected[:10]))


def test_every_known_difference_is_still_one(answers: dict[str, Any], real: dict[str, Any], known: list[Known]) -> None:
    named = [case for case in CASES if any(entry.names(case.name) for entry in known)]
    judgements = [judge(case, real[case.name], answers[case.name], known) for case in named]
    assert [entry.title for entry in outlived(known, judgements)] == []


def test_golden_answers_are_those_of_the_cases(real: dict[str, Any]) -> None:
    assert list(real) == sorted({case.name for case in CASES}, key=list(real).index)
