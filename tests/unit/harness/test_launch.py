"""From a variant to the command and environment that it becomes.

Left out: starting it (tests/harness/test_supervisor.py).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from twinloop.harness.job import Variant
from twinloop.harness.launch import SOURCES, Launch, launch, unknown_words


def launched(command: str, inherited: dict[str, str] | None = None, **variant: Any) -> Launch:
    return launch(
        Variant(name="mine", command=command, **variant),
        kubeconfig=Path("/tmp/a folder/kubeconfig"),
        namespace="shop",
        metrics_port=11111,
        health_port=22222,
        resync=600.0,
        inherited=inherited or {},
    )


def test_every_word_is_filled_in() -> None:
    found = launched("{python} x {kubeconfig} {namespace} {metrics_port} {health_port} {resync} {sources}/y")
    assert found.command == [
        sys.executable, "x", "/tmp/a folder/kubeconfig", "shop", "11111", "22222", "600", f"{SOURCES}/y",
    ]  # fmt: skip


def test_a_path_with_blanks_stays_one_word() -> None:
    assert launched("mine --kubeconfig={kubeconfig}").command == ["mine", "--kubeconfig=/tmp/a folder/kubeconfig"]


def test_quotes_are_a_shells() -> None:
    assert launched("sh -c 'echo {namespace}; exec x'").command == ["sh", "-c", "echo shop; exec x"]


def test_other_braces_are_left_alone() -> None:
    assert launched("""mine --set '{"a": {namespace}}' ${HOME} {}""").command[2:] == ['{"a": shop}', "${HOME}", "{}"]


@pytest.mark.parametrize(
    ("text", "words"), [("{port} {namespace}", ["port"]), ("{}", []), ('{"a": 1}', []), ("${HOME}", [])]
)
def test_words_that_nobody_fills_in(text: str, words: list[str]) -> None:
    assert unknown_words(text) == words


def test_the_environment_may_hold_the_same_words() -> None:
    found = launched("mine", environment={"ADDRESS": "127.0.0.1:{metrics_port}"})
    assert found.environment["ADDRESS"] == "127.0.0.1:11111"


def test_the_kubeconfig_is_told_by_the_environment_too() -> None:
    assert launched("mine", {"KUBECONFIG": "/a/file/for/production"}).environment["KUBECONFIG"] == (
        "/tmp/a folder/kubeconfig"
    )


@pytest.mark.parametrize(
    "name",
    ["KUBERNETES_SERVICE_HOST", "KUBECTL_COMMAND", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "TWINLOOP_WORKERS"],
)
def test_what_would_lead_it_elsewhere_is_hidden(name: str) -> None:
    found = launched("mine", {name: "x", "PATH": "/bin"})
    assert name not in found.environment
    assert found.environment["PATH"] == "/bin"


def test_an_operator_that_knows_its_health_port_is_asked_there() -> None:
    assert launched("mine --health {health_port}").ready == "http://127.0.0.1:22222/readyz"
    assert launched("mine", environment={"PORT": "{health_port}"}).ready == "http://127.0.0.1:22222/readyz"


def test_an_operator_that_was_told_no_port_is_asked_nothing() -> None:
    found = launched("mine {namespace}")
    assert (found.ready, found.metrics) == ("", "")


def test_a_variant_may_say_where_it_is_ready() -> None:
    found = launched("mine {metrics_port}", ready="http://127.0.0.1:{metrics_port}/ready")
    assert found.ready == "http://127.0.0.1:11111/ready"
    assert found.metrics == "http://127.0.0.1:11111/metrics"
