"""What every test run has: the marker that ties a test to the contract, and the score at its end."""

from __future__ import annotations

import pytest

from support.statements import MARKER, Score


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker and the score."""
    config.addinivalue_line("markers", f"{MARKER}(*ids): the statements of docs/contract.md that this test checks.")
    config.pluginmanager.register(Score(), "statement-score")
