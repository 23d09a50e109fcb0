"""The example of docs/adding-a-variant.md is a variant, and the comparison finds in it what the page says.

Left out: how long it takes (it polls), and the stories that the page does not speak of.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from twinloop.harness.backends.embedded import EmbeddedBackend
from twinloop.harness.job import Job
from twinloop.harness.judge import judge_folder
from twinloop.harness.launch import SOURCES, WORDS
from twinloop.harness.proxy.host import ProxyHost
from twinloop.harness.scenario import Settings, choose
from twinloop.harness.smoke import smoke
from twinloop.harness.trial import run_trial
from twinloop.harness.variants import chosen
from twinloop.harness.verdict import Verdict

COMMAND = "{python} {sources}/docs/examples/polling_operator.py {kubeconfig} {namespace}"
PAGE = (SOURCES / "docs/adding-a-variant.md").read_text()

Run = Callable[[Job], Path]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    results = tmp_path_factory.mktemp("results")
    with EmbeddedBackend() as backend, ProxyHost() as proxies:
        yield lambda job: run_trial(job, backend, proxies, results)


def found(run: Run, story: str) -> list[str]:
    """The oracles that a story violates."""
    name, _, plan = story.partition(".")
    (scenario,) = choose([name])
    (polling,) = chosen([f"polling={COMMAND}"])
    folder = run(Job(scenario, polling, plan, scenario.plans[plan], settings=Settings(bound=6.0)))
    findings = [each for each in judge_folder(folder) if not scenario.deciding or each.oracle in scenario.deciding]
    return [each.oracle for each in findings if each.verdict is Verdict.VIOLATED]


def rows() -> list[tuple[str, str]]:
    """Story and oracle of the page's table."""
    return re.findall(r"^\| `([a-z.-]+)` \| (none|O\d+) \|", PAGE, re.MULTILINE)


def test_it_passes_the_smoke_check(run: Run) -> None:
    (polling,) = chosen([f"polling={COMMAND}"])
    assert smoke(run, polling) == "ok"


def test_the_page_has_the_table_that_the_next_test_reads() -> None:
    assert len(rows()) == 4


@pytest.mark.parametrize(("story", "oracle"), rows())
def test_the_comparison_finds_what_the_page_says(run: Run, story: str, oracle: str) -> None:
    assert found(run, story) == ([] if oracle == "none" else [oracle])


def test_it_is_as_short_as_the_page_says() -> None:
    text = (SOURCES / "docs/examples/polling_operator.py").read_text()
    assert sum(bool(line.strip()) for line in text.splitlines()) < 80


def test_the_page_names_every_word_that_is_filled_in() -> None:
    assert [word for word in WORDS if f"`{{{word}}}`" not in PAGE] == []
