"""Operators as processes: started, seen to be ready, crashed, restarted, stopped, and never left behind.

The processes are toys, so that a test takes tenths of a second. Left out: our operators (test_smoke.py), the numbers of the
back-off (tests/unit/harness/test_crashloop.py), what happens when the harness itself is killed (test_guard.py).
"""

from __future__ import annotations

import io
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import psutil
import pytest

from support.processes import until
from twinloop.errors import ConfigurationError
from twinloop.harness.history import Process, Record, Recorder, Sample
from twinloop.harness.job import Variant
from twinloop.harness.keeper import answers
from twinloop.harness.scenario import Settings
from twinloop.harness.supervisor import Supervisor

TOY = Path(__file__).resolve().parents[1] / "support" / "toy_operator.py"


class Seen:
    """The records so far."""

    def __init__(self, stream: IO[str]) -> None:
        self.records: list[Record] = []
        self.recorder = Recorder(stream)
        self.recorder.listeners.append(self.records.append)

    def processes(self, replica: str = "a") -> list[Process]:
        return [each for each in list(self.records) if isinstance(each, Process) and each.replica == replica]

    def words(self, replica: str = "a") -> list[str]:
        return [each.what for each in self.processes(replica)]

    def count(self, what: str, replica: str = "a") -> int:
        return self.words(replica).count(what)

    def last(self, what: str, replica: str = "a") -> Process:
        return [each for each in self.processes(replica) if each.what == what][-1]


Make = Callable[..., Supervisor]


@pytest.fixture
def seen() -> Seen:
    return Seen(io.StringIO())


@pytest.fixture
def make(tmp_path: Path, seen: Seen) -> Iterator[Make]:
    """Makes supervisors of toys with the given manners, and closes them."""
    made: list[Supervisor] = []

    def supervisor(*manners: str, command: str = "", **settings: float) -> Supervisor:
        words = command or f"{{python}} -S {TOY} {{health_port}} {' '.join(manners)}"
        found = Supervisor(
            Variant(name="toy", command=words),
            recorder=seen.recorder,
            folder=tmp_path,
            namespace="shop",
            kubeconfigs=lambda replica: tmp_path / f"kubeconfig-{replica}",
            settings=Settings(**{"start": 10.0, **settings}),
        )
        made.append(found)
        return found

    yield supervisor
    for each in made:
        each.close()


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_start_waits_until_the_operator_says_that_it_is_ready(make: Make, seen: Seen) -> None:
    operator = make()
    assert operator.start("a")
    assert seen.words() == ["started", "ready"]
    assert (operator.running("a"), operator.ready("a")) == (True, True)


def test_a_second_start_changes_nothing(make: Make, seen: Seen) -> None:
    operator = make()
    assert operator.start("a")
    assert operator.start("a")
    assert seen.count("started") == 1


def test_a_start_that_does_not_wait_returns_before_it_is_ready(make: Make, seen: Seen) -> None:
    operator = make("slow")
    assert operator.start("a", wait=False)
    until(lambda: operator.running("a"), "never started")
    assert not operator.ready("a")


def test_an_operator_that_is_never_ready_is_not_waited_for_any_longer_than_said(make: Make, seen: Seen) -> None:
    operator = make("slow", start=0.3)
    began = time.monotonic()
    assert not operator.start("a")
    assert 0.3 <= time.monotonic() - began < 5
    assert operator.running("a")
    assert "ready" not in seen.words()


def test_an_operator_that_was_told_no_port_is_ready_once_it_runs(make: Make, seen: Seen) -> None:
    assert make(command="sleep 600").start("a")
    assert seen.words() == ["started", "ready"]


@pytest.mark.parametrize(("manner", "code"), [("confused", 2), ("", 127)])
def test_what_no_restart_can_change_ends_the_wait_at_once(make: Make, seen: Seen, manner: str, code: int) -> None:
    operator = make(manner, start=60) if manner else make(command="/no/such/program", start=60)
    began = time.monotonic()
    assert not operator.start("a")
    assert time.monotonic() - began < 20
    exits = [each for each in seen.processes() if each.what == "exited"]
    assert (exits[0].code, exits[0].expected) == (code, False)


def test_stop_is_sigterm_and_a_clean_exit(make: Make, seen: Seen) -> None:
    operator = make()
    operator.start("a")
    pid = seen.last("started").pid
    assert operator.stop("a")
    assert seen.words() == ["started", "ready", "signalled", "exited"]
    assert (seen.last("exited").code, seen.last("exited").expected) == (0, True)
    assert not operator.running("a")
    assert not alive(pid)


def test_an_operator_that_ignores_sigterm_is_killed_after_its_grace(make: Make, seen: Seen) -> None:
    operator = make("deaf", grace=0.2)
    operator.start("a")
    assert not operator.stop("a")
    assert seen.words()[2:] == ["signalled", "killed", "exited"]
    assert seen.last("exited").code == -signal.SIGKILL


def test_an_operator_that_ends_with_another_status_did_not_end_well(make: Make, seen: Seen) -> None:
    operator = make("sour")
    operator.start("a")
    assert not operator.stop("a")
    assert (seen.words()[2:], seen.last("exited").code) == (["signalled", "exited"], 1)


def test_a_stopped_operator_stays_down_and_can_be_started_again(make: Make, seen: Seen) -> None:
    operator = make()
    operator.start("a")
    operator.stop("a")
    assert operator.start("a")
    assert seen.words() == ["started", "ready", "signalled", "exited", "started", "ready"]


def test_stopping_what_was_never_started_is_fine(make: Make) -> None:
    assert make().stop("a")


def test_a_crash_returns_at_once_and_is_followed_by_a_restart(make: Make, seen: Seen) -> None:
    operator = make()
    operator.start("a")
    operator.crash("a")
    until(lambda: seen.count("ready") == 2, "it was not started again")
    assert seen.words() == ["started", "ready", "killed", "exited", "restarting", "started", "ready"]
    assert (seen.last("exited").code, seen.last("exited").expected) == (-9, True)
    assert seen.last("restarting").delay == 0


def test_restarts_back_off(make: Make, seen: Seen) -> None:
    make("fails", crash_loop_scale=0.005).start("a", wait=False)
    until(lambda: seen.count("restarting") >= 4, "it was not started again")
    delays = [each.delay for each in seen.processes() if each.what == "restarting"]
    assert delays[:4] == pytest.approx([0, 0.05, 0.1, 0.2])
    events = [each for each in seen.processes() if each.what in {"restarting", "started"}]
    for before, after in zip(events[1::2], events[2::2], strict=False):
        assert after.t - before.t >= before.delay


def test_a_crash_by_itself_is_not_expected(make: Make, seen: Seen) -> None:
    make("fails").start("a", wait=False)
    until(lambda: seen.count("exited") >= 1, "it did not fail")
    first = next(each for each in seen.processes() if each.what == "exited")
    assert (first.code, first.expected) == (3, False)


def test_a_kill_without_restart_is_over_when_it_returns(make: Make, seen: Seen) -> None:
    operator = make()
    operator.start("a")
    operator.kill("a", restart=False)
    assert seen.words() == ["started", "ready", "killed", "exited"]
    assert not operator.running("a")


def test_a_kill_with_restart_returns_when_the_old_process_is_gone(make: Make, seen: Seen) -> None:
    operator = make()
    operator.start("a")
    pid = seen.last("started").pid
    operator.kill("a")
    assert not alive(pid)
    until(lambda: seen.count("ready") == 2, "it was not started again")


def test_between_two_lives_it_is_neither_running_nor_ready(make: Make, seen: Seen) -> None:
    operator = make(crash_loop_scale=10.0)
    operator.start("a")
    operator.kill("a")
    until(lambda: seen.count("ready") == 2, "it was not started again")
    operator.kill("a")
    assert (operator.running("a"), operator.ready("a")) == (False, False)


def test_the_guard_knows_what_runs(seen: Seen, tmp_path: Path) -> None:
    groups: list[str] = []

    class Told:
        def watch(self, group: int) -> None:
            groups.append(f"+{group}")

        def forget(self, group: int) -> None:
            groups.append(f"-{group}")

    operator = Supervisor(
        Variant(name="toy", command="sleep 600"),
        recorder=seen.recorder,
        folder=tmp_path,
        namespace="shop",
        kubeconfigs=lambda _: tmp_path,
        settings=Settings(),
        guard=Told(),
    )
    with operator:
        operator.start("a")
        pid = seen.last("started").pid
        assert groups == [f"+{pid}"]
    assert groups == [f"+{pid}", f"-{pid}"]


def test_sigterm_by_a_story_is_followed_by_a_restart(make: Make, seen: Seen) -> None:
    operator = make()
    operator.start("a")
    operator.signal("a", "SIGTERM")
    until(lambda: seen.count("ready") == 2, "it was not started again")
    assert (seen.last("signalled").detail, seen.last("exited").code) == ("SIGTERM", 0)


def test_a_frozen_operator_goes_on_when_told(make: Make, seen: Seen) -> None:
    operator = make()
    operator.start("a")
    process = psutil.Process(seen.last("started").pid)
    operator.signal("a", "stop")
    until(lambda: process.status() == psutil.STATUS_STOPPED, "it was not frozen")
    operator.signal("a", "SIGCONT")
    until(lambda: process.status() != psutil.STATUS_STOPPED, "it stays frozen")
    assert operator.stop("a")


def test_a_frozen_operator_is_put_away_all_the_same(make: Make, seen: Seen) -> None:
    operator = make()
    operator.start("a")
    pid = seen.last("started").pid
    operator.signal("a", "SIGSTOP")
    operator.close()
    assert not alive(pid)


def test_a_signal_that_does_not_exist_is_a_clear_error(make: Make) -> None:
    with pytest.raises(ConfigurationError, match="no signal SIGNONE"):
        make().signal("a", "SIGNONE")


def test_replicas_are_processes_of_their_own(make: Make, seen: Seen) -> None:
    operator = make()
    assert operator.start("a")
    assert operator.start("b")
    assert seen.last("started", "a").pid != seen.last("started", "b").pid
    operator.kill("a", restart=False)
    assert (operator.running("a"), operator.running("b")) == (False, True)


def test_a_restarted_operator_keeps_its_ports(make: Make, seen: Seen) -> None:
    operator = make()
    operator.start("a")
    first = psutil.Process(seen.last("started").pid).cmdline()
    operator.kill("a")
    until(lambda: seen.count("ready") == 2, "it was not started again")
    assert psutil.Process(seen.last("started").pid).cmdline() == first


def test_the_log_is_kept_over_restarts(make: Make, tmp_path: Path) -> None:
    operator = make()
    for _ in range(2):
        operator.start("a")
        operator.stop("a")
    assert (tmp_path / "operator-a.log").read_text() == "leaving\nleaving\n"


def test_what_an_operator_has_started_itself_ends_with_it(make: Make, tmp_path: Path) -> None:
    operator = make("child")
    operator.start("a")
    child = int((tmp_path / "operator-a.log").read_text().split()[1])
    assert alive(child)
    operator.stop("a")
    until(lambda: not alive(child), "its child is still there")


def test_close_ends_a_wait_for_the_next_restart(make: Make, seen: Seen) -> None:
    operator = make("fails", crash_loop_scale=10.0)
    operator.start("a", wait=False)
    until(lambda: seen.count("restarting") == 2, "it was not to be started again")
    assert not operator.running("a")
    began = time.monotonic()
    operator.close()
    assert time.monotonic() - began < 5


def test_who_is_stopped_between_two_restarts_did_not_end_well(make: Make, seen: Seen) -> None:
    operator = make("fails", crash_loop_scale=10.0)
    operator.start("a", wait=False)
    until(lambda: seen.count("restarting") == 2, "it was not to be started again")
    assert not operator.stop("a")
    assert seen.count("started") == 2


def test_an_operator_without_a_kubeconfig_is_not_started(seen: Seen, tmp_path: Path) -> None:
    def kubeconfig(replica: str) -> Path:
        raise ConfigurationError("the proxy is closed")

    operator = Supervisor(
        Variant(name="toy", command="sleep 600"),
        recorder=seen.recorder,
        folder=tmp_path,
        namespace="shop",
        kubeconfigs=kubeconfig,
        settings=Settings(),
    )
    with operator, pytest.raises(ConfigurationError, match="the proxy is closed"):
        operator.start("a")
    assert seen.records == []


def test_close_leaves_nothing_behind(make: Make, seen: Seen) -> None:
    operator = make()
    operator.start("a")
    operator.start("b")
    pids = [each.pid for replica in "ab" for each in seen.processes(replica) if each.what == "started"]
    operator.close()
    assert not [pid for pid in pids if alive(pid)]
    assert not [each.name for each in threading.enumerate() if each.name.startswith(("keeper", "sampler"))]


def test_crashes_from_many_threads_end_in_a_restart(make: Make, seen: Seen) -> None:
    operator = make()
    operator.start("a")
    threads = [threading.Thread(target=operator.crash, args=("a",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(lambda: seen.count("exited") and operator.ready("a"), "it was not started again")
    assert 1 <= seen.count("exited") <= seen.count("killed") <= 8


def test_what_runs_is_sampled(make: Make, seen: Seen) -> None:
    operator = make()
    operator.start("a")
    until(lambda: sum(isinstance(each, Sample) for each in list(seen.records)) >= 3, "no samples came")
    sample = next(each for each in seen.records if isinstance(each, Sample))
    assert (sample.replica, sample.pid) == ("a", seen.last("started").pid)
    assert sample.rss > 1_000_000
    assert sample.threads >= 1


def test_the_operator_gets_its_kubeconfig_and_nobody_elses(make: Make, tmp_path: Path) -> None:
    command = f"{sys.executable} -S -c 'import os; print(os.environ[\"KUBECONFIG\"])'"
    operator = make(command=command)
    operator.start("b", wait=False)
    log = tmp_path / "operator-b.log"
    until(lambda: log.exists() and log.read_text(), "it said nothing")
    assert log.read_text().splitlines()[0] == str(tmp_path / "kubeconfig-b")


# --- the probe --------------------------------------------------------------------------------------------------------


@contextmanager
def speaking(answer: bytes) -> Iterator[str]:
    """The URL of a server that answers one request with these bytes."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def serve() -> None:
            with suppress(OSError):
                connection, _ = listener.accept()
                with connection:
                    connection.recv(4096)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/readyz"
        thread.join()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", True),
        (b"HTTP/1.1 503 Wait\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", False),
        (b"this is no HTTP\r\n\r\n", False),
        (b"", False),
    ],
)
def test_only_200_is_ready(answer: bytes, expected: bool) -> None:
    with speaking(answer) as url:
        assert answers(url) is expected


def test_nobody_there_is_not_ready() -> None:
    assert not answers("http://127.0.0.1:9/readyz")


# --- Ctrl-C -----------------------------------------------------------------------------------------------------------

HARNESS = """
import io, signal, sys, time
from pathlib import Path
from twinloop.harness.history import Recorder
from twinloop.harness.job import Variant
from twinloop.harness.scenario import Settings
from twinloop.harness.supervisor import Supervisor

# A shell starts what runs in its background with SIGINT ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
recorder = Recorder(io.StringIO())
recorder.listeners.append(lambda record: print(record.kind, getattr(record, "what", ""), record.pid, flush=True))
operator = Supervisor(
    Variant(name="toy", command=sys.argv[1]), recorder=recorder, folder=Path(sys.argv[2]), namespace="shop",
    kubeconfigs=lambda _: Path("none"), settings=Settings(),
)
with operator:
    operator.start("a")
    operator.stop("a") if "stopping" in sys.argv else time.sleep(600)
"""


@pytest.mark.parametrize("moment", ["running", "stopping"])
def test_an_interrupted_harness_leaves_nothing_behind(tmp_path: Path, moment: str) -> None:
    command = f"{{python}} -S {TOY} {{health_port}} deaf"
    with subprocess.Popen(
        [sys.executable, "-c", HARNESS, command, str(tmp_path), moment],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=TOY.parents[2],
    ) as harness:
        assert harness.stdout is not None
        awaited = "ready" if moment == "running" else "signalled"
        line = next(line for line in harness.stdout if awaited in line)
        operator = int(line.split()[2])
        harness.send_signal(signal.SIGINT)
        _, said = harness.communicate(timeout=20)
    assert "KeyboardInterrupt" in said
    assert not alive(operator)
