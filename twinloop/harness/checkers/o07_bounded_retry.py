"""O7: what fails is tried again, with patience: fewer and fewer attempts a second, and none before the server's own time.

For each streak of failing attempts at one request the number of attempts by a time is bounded by a curve with room for the
doubling of a few milliseconds, for three attempts at once on a conflict, and for one a second for ever. Attempts that
somebody else's change provoked are not counted. A watch that ends within a second is a failure like any other, so that
reopening without a pause is seen.

Limits: a fault of three attempts shows no rate. How an operator spreads its attempts (jitter) is not judged.
"""

from __future__ import annotations

import math

from twinloop.harness.checkers.attempts import Streak, streaks
from twinloop.harness.checkers.findings import Breach, unknown, verdict_of
from twinloop.harness.checkers.trial_view import Trial
from twinloop.harness.verdict import Finding

ORACLE = "O7"

# The curve: so many at once, and a factor on the doublings of the first delay, and so many a second.
AT_ONCE, DOUBLINGS, A_SECOND = 8, 2.0, 1.0
FIRST_DELAY = 0.005
# A Retry-After is met when no more than this part of it is missing: clocks and sleeps are coarse.
MET = 0.95


def most(seconds: float) -> float:
    """How many attempts at one request there may be in the first `seconds` of its failing."""
    return AT_ONCE + DOUBLINGS * math.log2(1 + seconds / FIRST_DELAY) + A_SECOND * seconds


def check(trial: Trial) -> Finding:
    """See the module."""
    if trial.history.end is None:
        return unknown(ORACLE, "the history breaks off")
    found = streaks(trial)
    breaches = [breach for streak in found for breach in (_storm(streak), _impatient(streak)) if breach]
    failures = sum(streak.failures for streak in found)
    worst = max((rate for streak in found if (rate := _rate(streak))), default=0.0)
    good = f"{failures} repetitions of {len(found)} failed requests, none too soon" if found else "nothing failed"
    return verdict_of(ORACLE, breaches, good, failures=failures, streaks=len(found), rate=round(worst, 1))


def _times(streak: Streak) -> list[float]:
    """When the attempts came that nobody provoked, since the first."""
    start = streak.attempts[0].request.t
    return [each.request.t - start for each in streak.attempts if not each.woken]


def _storm(streak: Streak) -> Breach | None:
    times = _times(streak)
    for number, seconds in enumerate(times, 1):
        if number > most(seconds):
            return Breach(
                f"{streak.what}: {len(times)} attempts in {times[-1]:.1f} s, {_rate(streak):.0f} a second",
                tuple(each.request.seq for each in streak.attempts[:10]),
            )
    return None


def _rate(streak: Streak) -> float:
    """Attempts a second of a streak long enough to have one."""
    times = _times(streak)
    return (len(times) - 1) / times[-1] if len(times) > 5 and times[-1] > 0 else 0.0


def _impatient(streak: Streak) -> Breach | None:
    for before, after in zip(streak.attempts, streak.attempts[1:], strict=False):
        gap = after.request.t - before.request.t
        if before.wait and not after.woken and gap < before.wait * MET:
            return Breach(
                f"{streak.what}: tried again after {gap:.2f} s, the server had asked for {before.wait:g} s",
                (before.request.seq, after.request.seq),
            )
    return None
