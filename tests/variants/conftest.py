"""Fixtures of the process tests: a stub API server, the variant's name, and a way to start it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.processes import Operator
from support.stub_api import StubApi

Start = Callable[..., Operator]


@pytest.fixture
def api() -> Iterator[StubApi]:
    """A stub API server on loopback."""
    server = StubApi()
    yield server
    server.close()


@pytest.fixture(params=["handwritten", "kopf"])
def variant(request: pytest.FixtureRequest) -> str:
    """Each test runs once for each operator."""
    return str(request.param)


@pytest.fixture
def start(variant: str, tmp_path: Path) -> Iterator[Start]:
    """Starts the variant under test; whatever still runs at the end is killed."""
    made: list[Operator] = []

    def make(kubeconfig: Path, environ: dict[str, str] | None = None, metrics: int = 0) -> Operator:
        made.append(Operator(variant, kubeconfig, tmp_path / f"log-{len(made)}", environ or {}, metrics))
        return made[-1]

    yield make
    for operator in made:
        operator.process.kill()
        operator.process.wait()
