"""The same thing tried again and again: which requests are one another's repetition, and when each came.

Used by the oracle of retries, and by whoever draws them. Attempts of one process at the same request form a streak until one
succeeds; of a watch, an attempt fails when it is refused or ends within a second. What somebody else's change provoked is
marked as `woken`: it would have come without any failure.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from twinloop.harness.checkers.right import concerned
from twinloop.harness.checkers.trial_view import Trial
from twinloop.harness.checkers.writes import Write
from twinloop.harness.history import Request, Response

# A stream that lived as long as this was a good one.
GOOD_STREAM = 1.0
# Seconds from the beginning of a visit to its writes.
VISIT = 0.25

Key = tuple[str, str, int, str, str, str, str]


@dataclass(frozen=True)
class Attempt:
    """One of a streak. `wait`: seconds that the server asked to wait after it, 0 when it named no time."""

    request: Request
    woken: bool = False
    wait: float = 0.0


@dataclass
class Streak:
    """Attempts at the same request, all failed but perhaps the last."""

    what: str
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def failures(self) -> int:
        """How many there were, without the first."""
        return len(self.attempts) - 1


def streaks(trial: Trial) -> list[Streak]:
    """All streaks with at least one failure, in the order of their beginnings."""
    found: list[Streak] = []
    keyed: dict[Key, list[Request]] = defaultdict(list)
    for request in trial.requests.values():
        keyed[_key(trial, request)].append(request)
    for requests in keyed.values():
        found += _of_key(trial, requests)
    return sorted(found, key=lambda streak: streak.attempts[0].request.seq)


def _of_key(trial: Trial, requests: list[Request]) -> Iterator[Streak]:
    streak = Streak(_what(requests[0]))
    last: Request | None = None
    for request in requests:
        woken = last is not None and _woken(trial, last, request)
        streak.attempts.append(Attempt(request, woken, _wait(trial, request)))
        last = request
        if not failed(trial, request):
            if streak.failures:
                yield streak
            streak, last = Streak(_what(request)), None
    if streak.attempts:
        yield streak


def _key(trial: Trial, request: Request) -> Key:
    life = sum(
        each.what == "started" and each.replica == request.replica for each in trial.processes if each.seq < request.seq
    )
    # Lists of different pods are different requests.
    name = request.name or Write(request, None).name or request.query.get("labelSelector", "")
    # Two clients of one process, each with its own back-off, are not one another's repetition: kopf's, and its operator's.
    return (request.replica, request.user_agent, life, request.verb, request.resource, request.subresource, name)


def _what(request: Request) -> str:
    return str(Write(request, None))


def failed(trial: Trial, request: Request) -> bool:
    """Whether the operator has to try again: refused, unanswered, or a watch that ended at once."""
    response = trial.responses.get(request.id)
    if response is None or not 200 <= response.code < 300:
        return True
    end = trial.stream_ends.get(request.id)
    return end is not None and end.why != "client" and end.t - response.t < GOOD_STREAM


def _wait(trial: Trial, request: Request) -> float:
    """The seconds of a Retry-After, as the answer or the rule that forged it names them."""
    response = trial.responses.get(request.id)
    if response is None or response.code not in {429, 503}:
        return 0.0
    return _seconds(response) or next(
        (
            float(rule.get("how", {}).get("retry_after") or 0)
            for rule in trial.begin.rules
            if rule["id"] == response.forged
        ),
        0.0,
    )


def _seconds(response: Response) -> float:
    details = response.body.get("details") if isinstance(response.body, dict) else None
    return float((details or {}).get("retryAfterSeconds") or 0)


def _woken(trial: Trial, last: Request, request: Request) -> bool:
    """Whether the operator was told something new about the same NginxPod between two attempts, by somebody else's hand."""
    about = _about(request.resource, request.name or Write(request, None).name)
    seqs = trial.news.get((request.replica, about), []) if about else []
    heard = seqs[: bisect_right(seqs, request.seq)]
    if any(seq > last.seq for seq in heard):
        return True
    # What was heard while the first of the two was being prepared asks for another visit right after it. One piece of news
    # was what it was prepared for.
    earlier = [seq for seq in heard if trial.history.records[seq - 1].t > last.t - VISIT * trial.lag]
    return len(earlier) > 1


def _about(resource: str, name: str) -> str:
    return name if resource.startswith("nginxpods.") else concerned(name)
