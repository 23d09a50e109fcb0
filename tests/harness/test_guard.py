"""What happens to operators when the harness is killed.

Left out: a machine that loses its power.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from support.processes import until
from twinloop.harness.guard import Guard, survivors

HARNESS = """
import subprocess, sys, time
from twinloop.harness.guard import shared
process = subprocess.Popen(["sh", "-c", "sleep 600 & echo $!; wait"], start_new_session=True, stdout=subprocess.PIPE)
shared().watch(process.pid)
print(process.pid, int(process.stdout.readline()), shared().process.pid, flush=True)
time.sleep(600)
"""


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen(["sleep", "600"], start_new_session=True)


@pytest.mark.parametrize(
    ("told", "left"),
    [([], set()), (["+1"], {1}), (["+1", "+2", "-1"], {2}), (["-7"], set()), (["+1", "-1", "+1"], {1})],
)
def test_what_was_begun_and_not_ended_is_left(told: list[str], left: set[int]) -> None:
    assert survivors(f"{line}\n" for line in told) == left


@pytest.mark.parametrize("whole_group", [False, True])
def test_a_killed_harness_leaves_no_operator_behind(whole_group: bool) -> None:
    harness = subprocess.Popen(
        [sys.executable, "-c", HARNESS],
        stdout=subprocess.PIPE,
        start_new_session=True,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert harness.stdout is not None
    operator, child, guard = map(int, harness.stdout.readline().split())
    assert not gone(operator)
    if whole_group:
        os.killpg(harness.pid, signal.SIGKILL)
    else:
        harness.kill()
    harness.communicate()
    until(lambda: gone(operator) and gone(child), "the operator, or its child, outlived the harness")
    until(lambda: gone(guard), "the guard outlived its work")


def test_what_has_ended_is_forgotten() -> None:
    guard, kept, forgotten = Guard(), sleeper(), sleeper()
    guard.watch(kept.pid)
    guard.watch(forgotten.pid)
    guard.forget(forgotten.pid)
    guard.close()
    assert kept.wait(5) == -signal.SIGKILL
    assert forgotten.poll() is None
    forgotten.kill()
    forgotten.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_guard_outlives_the_signals_that_end_a_harness(number: signal.Signals) -> None:
    guard, operator = Guard(), sleeper()
    guard.watch(operator.pid)
    # Its handlers are set once it runs.
    until(lambda: "S" in _ignored(guard.process.pid, number), "the guard did not begin")
    guard.process.send_signal(number)
    guard.close()
    assert operator.wait(5) == -signal.SIGKILL


def _ignored(pid: int, number: signal.Signals) -> str:
    status = Path(f"/proc/{pid}/status").read_text()
    mask = int(next(line for line in status.splitlines() if line.startswith("SigIgn")).split()[1], 16)
    return "S" if mask & (1 << (number - 1)) else ""


def test_a_guard_that_has_died_ends_no_trial() -> None:
    guard = Guard()
    guard.process.kill()
    guard.process.wait()
    guard.watch(1)
    guard.forget(1)
    guard.close()
