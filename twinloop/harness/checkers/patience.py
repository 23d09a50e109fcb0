"""How old a view an operator may act on: a moment, not counting the time in which it could not act at all.

A replica that was stopped by a signal, or that waited for a slow answer, goes on with what it had read before. `trial_view.py`
asks from when on something may still have been in a replica's mind.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from twinloop.harness.history import Process, Request, Response

# Seconds that an operator may act on what it has read: one visit takes far less, a busy machine may double it.
LAG = 1.0
# A request that took longer than this kept the operator waiting, and what it had read before grew old meanwhile.
SLOW = 0.2
# Real kubelets and real API servers are slower: see Settings. Beyond this a judge would be blind.
MOST_PATIENT = 5.0


@dataclass(frozen=True)
class Span:
    """A time in which a replica could not act."""

    start: float
    end: float


def lag(pace: float) -> float:
    """Seconds that an operator may act on what it has read, on a backend of this pace."""
    return LAG * min(MOST_PATIENT, max(1.0, pace))


def waits(
    processes: Iterable[Process], requests: Iterable[Request], responses: Mapping[int, Response]
) -> dict[str, list[Span]]:
    """By replica, when it could not act; latest first."""
    spans = stopped(processes)
    for request in requests:
        answer = responses.get(request.id)
        if request.verb != "watch" and answer is not None and answer.t - request.t > SLOW:
            spans[request.replica].append(Span(request.t, answer.t))
    for each in spans.values():
        each.sort(key=lambda span: span.end, reverse=True)
    return spans


def stopped(processes: Iterable[Process]) -> dict[str, list[Span]]:
    """By replica, between SIGSTOP and SIGCONT or whatever else happened to it then."""
    spans: dict[str, list[Span]] = defaultdict(list)
    since: dict[str, float] = {}
    for each in processes:
        if each.what == "signalled" and each.detail == "SIGSTOP":
            since[each.replica] = each.t
        elif each.replica in since and (each.what != "signalled" or each.detail == "SIGCONT"):
            spans[each.replica].append(Span(since.pop(each.replica), each.t))
    return spans


def back(t: float, seconds: float, spans: Iterable[Span]) -> float:
    """The time `seconds` before `t`, spans (latest first) not counted."""
    left, cursor = seconds, t
    for span in spans:
        if span.start < cursor:
            acting = cursor - min(span.end, cursor)
            if acting >= left:
                break
            left, cursor = left - acting, span.start
    return cursor - left
