"""Fixtures of the process tests: an API server, the variant's name, and a way to start it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.embedded_api import EmbeddedApi
from support.processes import Operator

Start = Callable[..., Operator]


@pytest.fixture
def api() -> Iterator[EmbeddedApi]:
    """An embedded API server with NginxPods and a quick kubelet."""
    server = EmbeddedApi()
    yield server
    server.close()


@pytest.fixture(params=["handwritten", "kopf", "kopf-level"])
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
