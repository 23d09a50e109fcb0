"""Fixtures of the conformance tests: the embedded server's answers to all chosen cases, played once.

The cases run in parallel before the first of their tests, so that the tests themselves only look at the results.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from conformance.case import Case, load_all
from conformance.servers import embedded
from conformance.suite import play_all
from conformance.verdict import Known, load_known


@pytest.fixture(scope="session")
def known() -> list[Known]:
    """The list of known differences."""
    return load_known()


@pytest.fixture(scope="session")
def answers(request: pytest.FixtureRequest, known: list[Known]) -> Iterator[dict[str, Any]]:
    """The embedded server's normalised transcripts: of the cases selected for this run, and of those that `known` names."""
    selected = {_case_of(item) for item in request.session.items}
    cases = [case for case in load_all() if case.name in selected or any(entry.names(case.name) for entry in known)]
    with embedded() as server:
        yield play_all(server, cases)


def _case_of(item: pytest.Item) -> str:
    callspec = getattr(item, "callspec", None)
    case = callspec.params.get("case") if callspec else None
    return case.name if isinstance(case, Case) else ""
