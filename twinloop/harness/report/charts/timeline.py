"""Trials of several variants on one clock: a lane for the user, the faults, writes, reconciles, reads and watch events each.

The drawing is static; the page's script finds the item under the pointer in `Lanes.items`. Where there are more items than there is
room for, those of the busiest lanes go first, evenly, and the chart says how many are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from twinloop.harness.report import words
from twinloop.harness.report.charts.axis import NAMES, grid, names
from twinloop.harness.report.formats import duration, plural
from twinloop.harness.report.scales import Linear
from twinloop.harness.report.svg import UNITS, across, joined, path, percent, stretched, surface, tag
from twinloop.harness.results import LaneItem, Timeline

LANE = 18
# Whatever is longer than this part of the axis is drawn as a bar, the rest as a tick.
BAR = 0.004
# Never thinned out: there are few of them, and everything else is about them.
ESSENTIAL = ("user", "fault", "process")


@dataclass(frozen=True)
class Lanes:
    """One variant's drawing. `items` are those drawn, lane by lane, for the script; `left_off` says what is missing."""

    variant: str
    trial: str
    lanes: tuple[str, ...]
    drawing: Markup
    items: tuple[LaneItem, ...]
    left_off: str


@dataclass(frozen=True)
class Group:
    """The same plan of the same scenario under each variant; `axis` stands below them all."""

    plan: str
    length: float
    lanes: tuple[Lanes, ...]
    axis: Markup


def timelines(given: Sequence[Timeline], most: int) -> list[Group]:
    """A group for each plan."""
    plans = dict.fromkeys(each.plan for each in given)
    return [_group(plan, [each for each in given if each.plan == plan], most) for plan in plans]


def _group(plan: str, given: Sequence[Timeline], most: int) -> Group:
    length = max([each.length for each in given] + [_last(each) for each in given]) or 1.0
    time = Linear(0, length)
    used = {item.lane for each in given for item in each.items}
    shown = tuple(lane for lane in words.LANES if lane in used)
    axis = surface(names(time, 12, duration), height=NAMES, label=f"time, 0 to {duration(length)}", class_="axis")
    return Group(plan, length, tuple(_lanes(each, shown, time, most) for each in given), axis)


def _last(timeline: Timeline) -> float:
    return max((item.end if item.end is not None else item.t for item in timeline.items), default=0.0)


def _lanes(timeline: Timeline, shown: tuple[str, ...], time: Linear, most: int) -> Lanes:
    kept = chosen(timeline.items, most)
    height = LANE * len(shown)
    drawing = surface(
        _bands(kept, time, height),
        grid(time, height),
        stretched(
            path("".join(f"M0 {LANE * n}h{UNITS}" for n in range(1, len(shown))), class_="divider"),
            *(_lane([item for item in kept if item.lane == lane], n, lane, time) for n, lane in enumerate(shown)),
            height=height,
        ),
        tag("line", x1="0", x2="0", y1=0, y2=height, class_="cursor"),
        height=height, class_="plot timeline", tabindex=0, data_axis=time.spec(),
        label=f"{timeline.variant}: {plural(len(kept), 'item')} in {duration(time.high)}. Arrow keys go from one to the next.",
    )  # fmt: skip
    return Lanes(timeline.variant, timeline.trial, shown, drawing, tuple(kept), _left_off(timeline, len(kept)))


def _left_off(timeline: Timeline, kept: int) -> str:
    missing = timeline.left_off + len(timeline.items) - kept
    return f"{kept} of {plural(kept + missing, 'item')} drawn, the history has all" if missing else ""


def chosen(items: Sequence[LaneItem], most: int) -> list[LaneItem]:
    """At most about so many items, in order of lane and time: every lane gets an equal share, what one does not need goes to the others."""
    lanes = {
        name: sorted((each for each in items if each.lane == name), key=lambda item: item.t) for name in words.LANES
    }
    essential = [item for name in ESSENTIAL for item in lanes.pop(name)]
    room = max(most - len(essential), 0)
    kept = list(essential)
    for waiting, name in enumerate(sorted(lanes, key=lambda name: len(lanes[name]))):
        taken = _evenly(lanes[name], room // (len(lanes) - waiting))
        room -= len(taken)
        kept += taken
    order = {name: n for n, name in enumerate(words.LANES)}
    return sorted(kept, key=lambda item: (order[item.lane], item.t))


def _evenly(items: Sequence[LaneItem], most: int) -> list[LaneItem]:
    """At most so many of them; failures first, since they are what one looks for, then evenly over the rest."""
    if len(items) <= most:
        return list(items)
    failures = [item for item in items if _failed(item)][:most]
    rest, room = [item for item in items if not _failed(item)], most - len(failures)
    return failures + [rest[n * len(rest) // room] for n in range(room) if rest]


def _failed(item: LaneItem) -> bool:
    return item.code is not None and (item.code == 0 or item.code >= 400)


def _lane(items: Sequence[LaneItem], lane: int, name: str, time: Linear) -> Markup:
    """All items of a lane as three paths: bars, ticks, failures. Items at the same place are drawn once."""
    middle = LANE * lane + LANE // 2
    fine = [item for item in items if not _failed(item)]
    bars = "".join(dict.fromkeys(_bar(item, middle, time) for item in fine if _long(item, time)))
    ticks = _marks((time(item.t) for item in fine if not _long(item, time)), middle - 5, 10)
    dots = _marks((time(item.t) for item in items if _failed(item)), middle, 0)
    return joined(
        [
            path(bars, class_=f"span l-{name}"),
            path(ticks, class_=f"tick-mark l-{name}"),
            path(dots, class_="failed"),
        ]
    )


def _marks(places: Iterable[float], top: int, height: int) -> str:
    """Short vertical lines from left to right; each is written relative to the one before, which is half as long."""
    xs = sorted({across(place) for place in places})
    if not xs:
        return ""
    back = f"-{height}" if height else " 0"
    return f"M{xs[0]} {top}v{height}" + "".join(f"m{x - before}{back}v{height}" for before, x in pairwise(xs))


def _long(item: LaneItem, time: Linear) -> bool:
    return item.end is not None and time(item.end) - time(item.t) > BAR


def _bar(item: LaneItem, middle: int, time: Linear) -> str:
    end = item.t if item.end is None else item.end
    return f"M{across(time(item.t))} {middle}H{across(time(end))}"


def _bands(items: Sequence[LaneItem], time: Linear, height: float) -> Markup:
    """Faults that last, shaded over all lanes."""
    lasting = [item for item in items if item.lane == "fault" and item.end is not None]
    return joined(
        tag("rect", x=percent(time(item.t)), width=percent(max(time(item.end or 0) - time(item.t), 0.001)), y=0,
            height=height, class_="band")
        for item in lasting
    )  # fmt: skip
