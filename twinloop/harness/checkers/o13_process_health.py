"""O13: the process stays well: no end that nobody asked for, no exception that nobody caught, and a quick end when asked.

Looked at: how each process ended, whether it ever said that it was ready, how long it took to go after SIGTERM, and the lines
of its log that should not be there. Restarts are counted.

Limits: a process may be well and deaf; that is O15's.
"""

from __future__ import annotations

from collections.abc import Iterator

from twinloop.harness.checkers.findings import Breach, unknown, verdict_of
from twinloop.harness.checkers.trial_view import Trial
from twinloop.harness.history import LogAlarm, Process
from twinloop.harness.verdict import Finding

ORACLE = "O13"


def check(trial: Trial) -> Finding:
    """See the module."""
    started = [each for each in trial.processes if each.what == "started"]
    if not started:
        return unknown(ORACLE, "no process of the operator was seen")
    if trial.history.end is None:
        return unknown(ORACLE, "the history breaks off")
    breaches = [*_ends(trial), *_never_ready(trial, started)]
    breaches += [Breach(f"its log says: {each.text.strip()[:200]}", (each.seq,)) for each in trial.history.of(LogAlarm)]
    restarts = len(started) - len({each.replica for each in started})
    return verdict_of(ORACLE, breaches, f"{len(started)} processes came and went in good order", restarts=restarts)


def _ends(trial: Trial) -> Iterator[Breach]:
    asked: dict[str, Process] = {}
    for each in trial.processes:
        if each.what == "signalled" and each.detail == "SIGTERM":
            asked[each.replica] = each
        elif each.what == "killed" and each.replica in asked:
            # The supervisor's patience was over. Its own records say so, and a crash on purpose comes without SIGTERM.
            yield Breach(f"replica {each.replica} did not go within {trial.bound('grace'):g} s of SIGTERM", (each.seq,))
            asked.pop(each.replica)
        elif each.what == "exited":
            yield from _end(trial, each, asked.pop(each.replica, None))


def _end(trial: Trial, end: Process, asked: Process | None) -> Iterator[Breach]:
    if not end.expected:
        yield Breach(f"replica {end.replica} ended by itself, with {_status(end)}", (end.seq,))
    elif asked is not None and end.code != 0:
        yield Breach(f"replica {end.replica} answered SIGTERM with {_status(end)}", (asked.seq, end.seq))
    elif asked is not None and end.t - asked.t > trial.bound("grace"):
        yield Breach(f"replica {end.replica} took {end.t - asked.t:.1f} s to go", (asked.seq, end.seq))


def _status(end: Process) -> str:
    code = end.code or 0
    return f"signal {-code}" if code < 0 else f"exit status {code}"


def _never_ready(trial: Trial, started: list[Process]) -> Iterator[Breach]:
    """Processes that never said that they were ready, and had the time to."""
    for each in started:
        later = [other for other in trial.processes if other.replica == each.replica and other.seq > each.seq]
        ready = any(other.what == "ready" for other in later[:1])
        until = next((other.t for other in later if other.what != "ready"), trial.history.records[-1].t)
        if not ready and until - each.t >= trial.bound("start"):
            yield Breach(f"replica {each.replica} was not ready after {until - each.t:.1f} s", (each.seq,))
