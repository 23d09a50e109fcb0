"""Twenty runs of each variant in which nothing goes wrong, and not one oracle that decides says otherwise.

Left out: stories in which a variant is known to differ (known_differences.toml), and all faults.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from twinloop.harness.backends.embedded import EmbeddedBackend
from twinloop.harness.history import History
from twinloop.harness.job import Job, Variant
from twinloop.harness.judge import judge, not_a_test
from twinloop.harness.proxy.host import ProxyHost
from twinloop.harness.scenario import Scenario, choose
from twinloop.harness.trial import run_trial
from twinloop.harness.variants import ours
from twinloop.harness.verdict import Verdict

# A minute and a half of trials for each variant.
pytestmark = pytest.mark.timeout(600)

CALM = ("scale-zero", "there-and-back", "aba", "deleted", "restart")
ROUNDS = 4
AT_ONCE = 2


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[EmbeddedBackend, ProxyHost]]:
    with EmbeddedBackend() as backend, ProxyHost() as proxies:
        yield backend, proxies


def alarms(history: History, scenario: Scenario) -> list[str]:
    """What the deciding oracles have against a trial, or why it was none."""
    why = not_a_test(history)
    bad = [each for each in judge(history) if each.verdict is not Verdict.OK and each.oracle in scenario.deciding]
    return [why] * bool(why) + [f"{scenario.name}: {each.oracle} {each.verdict}: {each.message}" for each in bad]


@pytest.mark.parametrize("variant", ours().values(), ids=lambda variant: variant.name)
def test_twenty_calm_runs_give_no_alarm(
    servers: tuple[EmbeddedBackend, ProxyHost], variant: Variant, tmp_path: Path
) -> None:
    def run(job: Job) -> list[str]:
        folder = run_trial(job, *servers, tmp_path)
        return alarms(History.read(folder / "history.jsonl"), job.scenario)

    jobs = [Job(scenario, variant, block=block) for block in range(ROUNDS) for scenario in choose(CALM)]
    assert len(jobs) == 20
    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert [alarm for found in pool.map(run, jobs) for alarm in found] == []
