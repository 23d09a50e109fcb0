"""What a history is boiled down to for the report: counts, samples, retries, footprint. Nothing here is a verdict.

Pure functions from a `History`; `outcome.py` gathers them for a trial, `lanes.py` does the same for the timeline.

    numbers        writes, requests, converged, restarts, cpu, rss ... of one trial
    requests       how often each verb went to each resource
    staircases     when a failing thing was tried again
    footprint      CPU and memory over time, thinned, with the time of the faults
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

from twinloop.harness.crashplans import describe
from twinloop.harness.faults import WRITES
from twinloop.harness.history import Fault, History, Measured, Process, Record, Request, Response, Sample
from twinloop.harness.results import Footprint, Staircase

# A staircase has at least this many steps: two attempts show no rule.
MIN_ATTEMPTS = 3
MAX_ATTEMPTS = 40
MAX_STAIRCASES = 3
# Enough for a small chart; the history has all of them.
MAX_POINTS = 30


def numbers(history: History) -> dict[str, Any]:
    """One trial in numbers. None: not known, or, of `converged`, never."""
    spoken = [each for each in _until_rest(history) if isinstance(each, Request)]
    samples = history.of(Sample)
    return {
        "writes": sum(each.verb in WRITES for each in spoken),
        "requests": len(spoken),
        "converged": converged(history),
        "restarts": restarts(history),
        "cpu": round(_total_of_processes(samples), 3) if samples else None,
        "rss": max((each.rss for each in samples), default=None),
        "threads": max((each.threads for each in samples), default=None),
        "bytes": sum(each.size for each in history.of(Response)),
    }


def _until_rest(history: History) -> Iterator[Record]:
    """What belongs to the story: not the canary, the restart and the clean-up, which the frame adds to every trial."""
    rest = history.mark("quiet-end")
    return (each for each in history.records if rest is None or each.seq < rest.seq)


def converged(history: History) -> float | None:
    """Seconds from the end of the story and of its faults to the expected table, None when it never held."""
    over, settled = history.mark("faults-over"), history.mark("settled")
    if over is None or settled is None or not settled.ok:
        return None
    # The mark comes when nobody has written for `quiet` seconds; the state was there before.
    return round(max(0.0, settled.t - over.t - float(history.begin.settings.get("quiet", 0.0))), 4)


def restarts(history: History) -> int:
    """How often the operator ended though nobody had asked it to."""
    return sum(each.what == "exited" and not each.expected for each in history.of(Process))


def _total_of_processes(samples: Iterable[Sample]) -> float:
    """CPU seconds of all processes of all replicas; each counts from its own start."""
    last: dict[tuple[str, int], float] = {}
    for each in samples:
        last[each.replica, each.pid] = max(each.cpu, last.get((each.replica, each.pid), 0.0))
    return sum(last.values())


def requests(history: History) -> dict[str, int]:
    """As in "create pods" -> how often, most often first; the sum is the number `requests`."""
    spoken = (each for each in _until_rest(history) if isinstance(each, Request))
    counted = Counter(_kind_of(each) for each in spoken)
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))


def _kind_of(request: Request) -> str:
    resource = request.resource.partition(".")[0] or "(no resource)"
    return f"{request.verb} {resource}/{request.subresource}".rstrip("/")


def measured(history: History) -> list[Measured]:
    """The latency samples, those of the warm-up too."""
    return history.of(Measured)


def added(history: History) -> list[float]:
    """What the proxy took on top of the server, in seconds, of each answer that it passed on."""
    return [each.added for each in history.of(Response) if not each.forged and each.code]


def staircases(history: History) -> list[Staircase]:
    """The things that were tried again and again, those with the most attempts first."""
    answers = {each.request: each for each in history.of(Response)}
    tried: dict[str, list[Request]] = defaultdict(list)
    failed: Counter[str] = Counter()
    for request in _until_rest(history):
        if isinstance(request, Request):
            tried[describe(request)].append(request)
            failed[describe(request)] += _failed(request, answers.get(request.id))
    chosen = sorted((what for what in tried if failed[what] >= MIN_ATTEMPTS - 1), key=lambda what: -failed[what])
    return [_staircase(history, what, tried[what]) for what in chosen[:MAX_STAIRCASES] if len(tried[what]) >= 3]


def _failed(request: Request, answer: Response | None) -> bool:
    """Whether it has to be tried again. That an object is not there is an answer."""
    if answer is not None and answer.code == 404 and request.verb == "get":
        return False
    return answer is None or answer.code == 0 or answer.code >= 400


def _staircase(history: History, what: str, tried: list[Request]) -> Staircase:
    first = tried[0].t
    attempts = [round(each.t - first, 3) for each in tried[:MAX_ATTEMPTS]]
    return Staircase(scenario=history.begin.scenario, variant=history.begin.variant, what=what, attempts=attempts)


def footprint(history: History) -> Footprint | None:
    """CPU and memory of replica "a" over the trial, None without samples."""
    samples = [each for each in history.of(Sample) if each.replica == "a"]
    if not samples:
        return None
    points = [[round(t, 2), round(cpu, 3), rss, threads, fds] for t, cpu, rss, threads, fds in _running(samples)]
    bands = [[round(start, 2), round(end, 2), text] for start, end, text in fault_bands(history)]
    return Footprint(history.begin.scenario, history.begin.variant, thinned(points, MAX_POINTS), bands)


def _running(samples: list[Sample]) -> Iterator[tuple[float, float, int, int, int]]:
    """The samples with the CPU of earlier processes added: after a restart the line goes on, it does not fall."""
    before = last = 0.0
    pid = samples[0].pid
    for each in samples:
        if each.pid != pid:
            pid, before, last = each.pid, before + last, 0.0
        last = max(last, each.cpu)
        yield each.t, before + last, each.rss, each.threads, each.fds


def thinned(points: list[list[float]], most: int) -> list[list[float]]:
    """At most so many of them, evenly, the first and the last among them."""
    if len(points) <= most:
        return points
    step = (len(points) - 1) / (most - 1)
    return [points[round(index * step)] for index in range(most)]


# Firings closer together than this are one band: a storm of cut streams is one fault to the eye.
JOIN = 0.25


def fault_bands(history: History) -> list[tuple[float, float, str]]:
    """From when to when which fault was at work, from its first firing to its last."""
    at: dict[str, list[float]] = defaultdict(list)
    for fault in history.of(Fault):
        at[fault.action].append(fault.t)
    return sorted(band for action, times in at.items() for band in _joined(times, action))


def _joined(times: list[float], action: str) -> Iterator[tuple[float, float, str]]:
    start = times[0]
    for one, other in pairwise([*times, float("inf")]):
        if other - one > JOIN:
            yield start, one, action
            start = other
