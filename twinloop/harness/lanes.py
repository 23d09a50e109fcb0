"""A history as lanes on one clock: what the user did, what went wrong, what the operator wrote, read and reconciled.

Pure. `outcome.py` keeps the timeline of a trial, `report/` draws it. A page has room for some dozens of items: equal ones
in a row become one, and what is still too much is left off and counted, reads before writes before the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from twinloop.harness.crashplans import describe
from twinloop.harness.faults import WRITES
from twinloop.harness.history import (
    Fault,
    History,
    Mark,
    Process,
    Record,
    Request,
    Response,
    Sample,
    StreamEvent,
    User,
)
from twinloop.harness.results import LaneItem, Timeline

MOST = 60
# What is left off last comes first.
_RANK = {"user": 0, "fault": 1, "process": 2, "write": 3, "reconcile": 4, "read": 5, "event": 6}


def timeline(history: History, trial: str, most: int = MOST) -> Timeline:
    """The lanes of a trial from its beginning to where nothing more is expected to happen."""
    end = history.mark("quiet-end")
    length = end.t if end else history.records[-1].t
    items = merged(sorted(_items(history, length), key=lambda item: (item.t, item.seq)))
    kept = _most_telling(items, most)
    begin = history.begin
    return Timeline(begin.scenario, begin.plan, begin.variant, trial, round(length, 3), kept, len(items) - len(kept))


def _items(history: History, length: float) -> Iterator[LaneItem]:
    answers = {each.request: each for each in history.of(Response)}
    for record in history.records:
        if record.t <= length:
            yield from _of_record(record, answers)
    yield from _reconciles([each for each in history.of(Sample) if each.t <= length])


def _of_record(record: Record, answers: dict[int, Response]) -> Iterator[LaneItem]:
    if isinstance(record, Request):
        yield _of_request(record, answers.get(record.id))
    elif isinstance(record, User):
        yield _item("user", record, f"{record.op} {record.resource.partition('.')[0]} {record.name}", record.code)
    elif isinstance(record, Fault):
        yield _item("fault", record, f"{record.action} {record.detail}".strip())
    elif isinstance(record, Process):
        code = "" if record.code is None else f" with {record.code}"
        yield _item("process", record, f"{record.what}{code} {record.detail}".strip())
    elif isinstance(record, StreamEvent):
        lost = "" if record.delivered else " (not delivered)"
        yield _item("event", record, f"{record.type} {record.resource.partition('.')[0]} {record.name}{lost}")
    elif isinstance(record, Mark) and record.name in {"faults-over", "settled"}:
        yield _item("user", record, record.name.replace("-", " ") + ("" if record.ok else ": never"))


def _item(lane: str, record: Record, text: str, code: int | None = None) -> LaneItem:
    return LaneItem(lane, round(record.t, 3), text, code=code or None, seq=record.seq)


def _of_request(request: Request, answer: Response | None) -> LaneItem:
    lane = "write" if request.verb in WRITES else "read"
    item = _item(lane, request, describe(request), answer.code if answer else None)
    # A watch lasts as long as the operator lives: its stream is no answer that somebody waits for.
    return item if answer is None or request.verb == "watch" else replace(item, end=round(answer.t, 3))


def _reconciles(samples: list[Sample]) -> Iterator[LaneItem]:
    """How many reconciles ended between two readings of the operator's own counter."""
    counted = [each for each in samples if each.reconciles is not None]
    for one, other in pairwise(counted):
        more = int((other.reconciles or 0) - (one.reconciles or 0))
        if more > 0 and one.pid == other.pid:
            yield LaneItem("reconcile", round(one.t, 3), _times("reconcile", more), round(other.t, 3), seq=other.seq)


def _times(text: str, count: int) -> str:
    return text if count == 1 else f"{text} \N{MULTIPLICATION SIGN} {count}"


def merged(items: list[LaneItem]) -> list[LaneItem]:
    """Equal items that follow one another in their lane become one, with their number and the time they took."""
    runs: list[list[LaneItem]] = []
    last: dict[str, list[LaneItem]] = {}
    for item in items:
        run = last.get(item.lane)
        if run and (run[0].text, run[0].code) == (item.text, item.code):
            run.append(item)
        else:
            last[item.lane] = [item]
            runs.append(last[item.lane])
    return [_one_for(run) for run in runs]


def _one_for(run: list[LaneItem]) -> LaneItem:
    if len(run) == 1:
        return run[0]
    return replace(run[0], text=_times(run[0].text, len(run)), end=max(each.end or each.t for each in run))


def _most_telling(items: list[LaneItem], most: int) -> list[LaneItem]:
    chosen = sorted(items, key=lambda item: (_RANK.get(item.lane, 9), item.t))[:most]
    return sorted(chosen, key=lambda item: (item.t, item.seq))
