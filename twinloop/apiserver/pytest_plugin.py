"""The pytest fixture `embedded_cluster`: an API server for the tests of anybody's operator.

pytest finds it by itself wherever twinloop is installed with its extra `apiserver`:

    def test_my_operator(embedded_cluster):
        api = kubernetes.config.new_client_from_config(str(embedded_cluster.kubeconfig))
        ...
        embedded_cluster.compact()          # what the operator's watch does then is the test

The value is a `LocalServer`: kubeconfig, url, token, and what makes the server misbehave. Every test has a server of its
own; `embedded_cluster_scope = session` (or module, class) in pytest's configuration shares one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from twinloop.apiserver.http.local import LocalServer


def pytest_addoption(parser: pytest.Parser) -> None:
    """The one setting."""
    parser.addini("embedded_cluster_scope", "How long an embedded API server lives: function (default) to session.")


def _scope(fixture_name: str, config: pytest.Config) -> Any:  # noqa: ARG001 - pytest's signature
    return config.getini("embedded_cluster_scope") or "function"


@pytest.fixture(scope=_scope)
def embedded_cluster() -> Iterator[LocalServer]:
    """A running embedded API server in a process of its own."""
    # Imported late: pytest loads this module in every run.
    from twinloop.apiserver.http.local import LocalServer  # noqa: PLC0415

    with LocalServer() as server:
        yield server
