"""O6: who has nothing to do writes nothing, in the quiet window and after a restart, and reads no more than a poll would.

A write in the quiet window is a breach unless it was an answer to a change by somebody else (a pod that turned unready). So
is one that changed nothing, an Event that nobody's change explains, and any write of an operator that was stopped and started
again while everything was at rest. Attempts that the server refuses are retries, and O7's.

Limits: a window is short; what comes back every hour is not seen. Reads are bounded loosely: polling is a style, a hot loop is
a fault.
"""

from __future__ import annotations

from collections.abc import Sequence

from twinloop.harness.checkers.findings import Breach, unknown, verdict_of
from twinloop.harness.checkers.rests import Rest, restarts_at_rest
from twinloop.harness.checkers.trial_view import Trial
from twinloop.harness.checkers.writes import Write
from twinloop.harness.history import Mark, Request, StreamEvent
from twinloop.harness.verdict import Finding

ORACLE = "O6"

# An Event may be sent by a thread of its own, which has fallen behind; more of them are news of nothing.
LATE_EVENTS = 2
# Lists and gets: so many at once, so many each second, and so many for each line of a watch lately: a backlog is worked off.
READS, READS_A_SECOND, READS_A_LINE = 10, 20, 3
LATELY = 5.0
# Seconds in which a change by somebody else is answered; the words of a status wait for a back-off of at most this.
ANSWERED, WORDS = 2.0, 16.0


def check(trial: Trial) -> Finding:
    """See the module."""
    begin, end = trial.history.mark("quiet-begin"), trial.rest
    if begin is None or end is None:
        return unknown(ORACLE, "the trial ended before its quiet window")
    window = [write for write in trial.writes if begin.seq < write.seq < end.seq]
    breaches = [Breach(f"{write} when nothing was left to do", (write.seq,)) for write in _needless(trial, window)]
    breaches += _events(window) + _reads(trial, begin, end) + _after_restarts(trial)
    settled = trial.history.mark("settled")
    if not trial.settled and not breaches:
        why = settled.detail if settled and settled.detail else "it wrote until its time was over"
        return _restless(trial, why)
    return verdict_of(
        ORACLE, breaches, f"no write in {end.t - begin.t:.1f} quiet seconds", seconds=round(end.t - begin.t, 3)
    )


def _restless(trial: Trial, why: str) -> Finding:
    """The operator never rested: either something was still missing, or it kept writing for nothing."""
    begin, settled = trial.history.mark("faults-over"), trial.history.mark("settled")
    if begin is None or settled is None or settled.detail:
        return unknown(ORACLE, f"it never came to rest: {why}")
    late = [write for write in trial.changes if (begin.t + settled.t) / 2 < write.request.t < settled.t]
    needless = [Breach(f"{write} when nothing was left to do", (write.seq,)) for write in _needless(trial, late)]
    return verdict_of(ORACLE, needless, "all that it wrote so late was an answer to somebody else's change")


def _needless(trial: Trial, writes: Sequence[Write]) -> list[Write]:
    return [write for write in writes if write.counts and write.accepted and not _answers(trial, write)]


def _answers(trial: Trial, write: Write) -> bool:
    """Whether somebody else's change explains a write; a write that changes nothing answers nothing."""
    patience = WORDS if write.on_status and not _says_ready(write) else ANSWERED
    return not trial.idle(write) and trial.provoked(write, patience * _pace(trial))


def _pace(trial: Trial) -> float:
    return max(1.0, trial.lag)


def _says_ready(write: Write) -> bool:
    status = (write.request.body or {}).get("status") if isinstance(write.request.body, dict) else None
    conditions = (status or {}).get("conditions") or []
    return any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions)


def _events(window: Sequence[Write]) -> list[Breach]:
    events = [write for write in window if write.is_event and write.accepted]
    if len(events) <= LATE_EVENTS:
        return []
    return [Breach(f"{len(events)} Events about nothing new", tuple(write.seq for write in events))]


def _reads(trial: Trial, begin: Mark, end: Mark) -> list[Breach]:
    reads = [each for each in trial.history.of(Request) if begin.seq < each.seq < end.seq and _is_read(each)]
    lines = sum(begin.t - LATELY < each.t < end.t and each.delivered for each in trial.history.of(StreamEvent))
    most = READS + READS_A_SECOND * (end.t - begin.t) + READS_A_LINE * lines
    if len(reads) <= most:
        return []
    return [
        Breach(f"{len(reads)} reads in {end.t - begin.t:.1f} s of nothing to do", tuple(each.seq for each in reads))
    ]


def _is_read(request: Request) -> bool:
    return request.verb in {"get", "list"}


def _after_restarts(trial: Trial) -> list[Breach]:
    """What an operator wrote that was started again while nothing had changed."""
    return [
        Breach(f"after a restart without any change: {write}", (rest.started, write.seq))
        for rest in restarts_at_rest(trial)
        for write in _news(trial, rest)
    ]


def _news(trial: Trial, rest: Rest) -> list[Write]:
    return [
        write
        for write in trial.writes
        if rest.started < write.seq < rest.until
        and write.request.replica == rest.replica
        and write.accepted
        and (write.counts or write.is_event)
        # Whose truth came late was there all the same.
        and not trial.foreign_between(rest.number, trial.window(write)[1])
    ]
