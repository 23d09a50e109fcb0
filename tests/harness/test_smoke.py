"""The smoke check with real processes: our three variants pass, and what does not work is told why.

Left out: each single thing that may fail (tests/unit/harness/test_smoke.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from twinloop.harness.backends.embedded import EmbeddedBackend
from twinloop.harness.history import History, LogAlarm, Process
from twinloop.harness.job import Job
from twinloop.harness.proxy.host import ProxyHost
from twinloop.harness.scenario import Settings
from twinloop.harness.smoke import smoke
from twinloop.harness.trial import run_trial
from twinloop.harness.variants import chosen, ours

QUICK = Settings(bound=1.0, start=5.0, canary=1.0)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Job], Path]]:
    results = tmp_path_factory.mktemp("results")
    with EmbeddedBackend() as backend, ProxyHost() as proxies:
        yield lambda job: run_trial(job, backend, proxies, results)


@pytest.mark.parametrize("name", list(ours()))
def test_ours_do_the_simplest_thing(run: Callable[[Job], Path], name: str) -> None:
    folders: list[Path] = []

    def kept(job: Job) -> Path:
        folders.append(run(job))
        return folders[-1]

    (variant,) = chosen([name])
    assert smoke(kept, variant) == "ok"
    history = History.read(folders[0] / "history.jsonl")
    assert history.of(LogAlarm) == []
    processes = history.of(Process)
    assert [each.what for each in processes] == ["started", "ready", "signalled", "exited"]
    assert (processes[-1].code, processes[-1].expected) == (0, True)


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("sleep 600", "a NginxPod with one replica was not Ready within 1 s"),
        (
            "sh -c 'echo it has no flag {health_port} >/dev/null; echo no such flag; exit 2'",
            "it was not ready within 5 s: it exited with status 2, saying: no such flag",
        ),
    ],
)
def test_what_does_not_work_is_told_why(run: Callable[[Job], Path], command: str, why: str) -> None:
    (variant,) = chosen([f"broken={command}"])
    assert smoke(run, variant, QUICK) == why
