"""The charts as data and as text: what is drawn where, what is left out and said, what they say to those who cannot see.

Left out: how it looks, and what the script makes of it (tests/harness/test_report_page.py opens it in a browser).
"""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.harness.report.charts.api_cost import api_cost
from twinloop.harness.report.charts.crash_strip import crash_strips
from twinloop.harness.report.charts.dumbbell import compared, describe, dumbbell
from twinloop.harness.report.charts.ecdf import ecdf
from twinloop.harness.report.charts.footprint import bands, footprints, rates, thinned
from twinloop.harness.report.charts.staircase import MARKS, staircase
from twinloop.harness.report.charts.staircase import describe as describe_stairs
from twinloop.harness.report.charts.timeline import chosen, timelines
from twinloop.harness.report.look import Looks
from twinloop.harness.report.scales import Linear
from twinloop.harness.results import CrashPoint, Footprint, LaneItem, Latency, Ratio, Staircase, Timeline

LOOKS = Looks(["handwritten", "kopf"])
TIMES = "\N{MULTIPLICATION SIGN}"


def latency(
    variant: str, *seconds: float | None, median: float | None = None, warm_up: int = 0, **more: Any
) -> Latency:
    samples = [
        {"block": 0, "index": n, "seconds": value, "warm_up": n < warm_up} for n, value in enumerate(seconds)
    ]  # fmt: skip
    return Latency("create", "ready", variant, samples, median, **more)


def ratio(value: float | None, low: float | None, high: float | None, call: str = "slower") -> Ratio:
    return Ratio("create", "ready", "kopf", "handwritten", value, low, high, None, None, call)


# --- dumbbell ---------------------------------------------------------------------------------------------------------


def test_a_slower_variant_is_further_right_and_each_has_its_own_mark() -> None:
    drawn = dumbbell([latency("handwritten", median=0.1), latency("kopf", median=0.4)], [], LOOKS).rows[0].plot
    fast, slow = re.findall(r'<use href="#(m\d)" x="([\d.]+)%"', drawn)
    assert float(fast[1]) < float(slow[1])
    assert fast[0] != slow[0]


def test_all_measures_share_one_axis() -> None:
    other = Latency("scale", "ready", "kopf", [], median=10.0)
    chart = dumbbell([latency("kopf", median=0.1), other], [], LOOKS)
    first, second = (float(re.findall(r'<use href="#m1" x="([\d.]+)%"', row.plot)[0]) for row in chart.rows)
    assert second - first > 50, "two decades apart"


def test_a_median_that_does_not_exist_is_drawn_at_the_end_and_named() -> None:
    drawn = dumbbell([latency("handwritten", median=0.1), latency("kopf", None, None, censored=2)], [], LOOKS)
    assert "never ▸" in drawn.rows[0].plot
    assert "kopf: median never, n = 2, 2 never" in drawn.rows[0].plot


def test_a_latency_in_words_counts_no_warm_up() -> None:
    said = describe(latency("kopf", 9.0, 0.3, 0.31, median=0.3, low=0.29, high=0.32, warm_up=1))
    assert said == "kopf: median 300 ms (95 % interval 290 ms to 320 ms), n = 2"


def test_a_comparison_belongs_to_its_row() -> None:
    mine, others = ratio(2.0, 1.5, 2.5), Ratio("scale", "ready", "kopf", "handwritten", 1, 1, 1, None, None, "none")
    row = dumbbell([latency("kopf", median=1.0)], [others, mine], LOOKS).rows[0]
    assert row.ratios == (mine,)


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        (ratio(2.58, 2.27, 2.92), f"2.58{TIMES} [2.27, 2.92]"), (ratio(2.58, 2.27, None), f"2.58{TIMES} [2.27, ∞]"),
        (ratio(2.58, None, None), f"2.58{TIMES}"), (ratio(None, None, None, "unknown"), ""),
    ],
)  # fmt: skip
def test_a_ratio_stands_with_its_interval(given_: Ratio, said: str) -> None:
    assert compared(given_) == said


# --- ECDF -------------------------------------------------------------------------------------------------------------


def samples_of(drawn: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(unescape(re.findall(r'data-samples="([^"]*)"', drawn)[0]))
    return found


def heights(drawn: str) -> list[float]:
    """How high each curve ends: 0 is the top."""
    return [float(each) for each in re.findall(r'd="M[^"]*V([\d.]+)" class="line', drawn)]


def test_a_curve_reaches_the_top_when_all_samples_ended() -> None:
    assert heights(ecdf([latency("kopf", 0.1, 0.2, 0.3)], LOOKS)) == [0]


def test_samples_that_never_ended_keep_the_curve_from_its_top() -> None:
    drawn = ecdf([latency("kopf", 0.1, 0.2, None, None)], LOOKS)
    assert heights(drawn) == [60], "half of 120 pixels"
    assert samples_of(drawn) == [{"name": "kopf", "n": 4, "done": [0.1, 0.2]}]


def test_each_sample_lifts_the_curve_by_its_share_of_all() -> None:
    drawn = re.findall(r'd="([^"]*)" class="line', ecdf([latency("kopf", 0.1, 0.2, None, None)], LOOKS))[0]
    assert re.findall(r"V([\d.]+)", drawn) == ["90", "60", "60"], "a quarter of 120 pixels each"


def test_the_warm_up_is_drawn_and_not_counted() -> None:
    drawn = ecdf([latency("kopf", 0.9, 0.1, 0.2, warm_up=1)], LOOKS)
    assert samples_of(drawn)[0]["n"] == 2
    assert 'class="raw warm v1"' in drawn


def test_without_a_sample_that_ended_there_is_no_curve() -> None:
    assert ecdf([latency("kopf", None, None)], LOOKS) == ""
    assert ecdf([], LOOKS) == ""


# --- staircase --------------------------------------------------------------------------------------------------------


def test_each_attempt_is_a_mark_that_says_its_gap() -> None:
    drawn = staircase([Staircase("away", "kopf", "create pods web-0", [0, 1, 3])], LOOKS)
    tips = re.findall(r'data-tip="([^"]*)"', drawn)
    assert len(tips) == 3
    assert tips[2] == "kopf: attempt 3, 3 s after the first, 2 s after the one before"


def test_a_storm_is_a_line_without_marks() -> None:
    drawn = staircase([Staircase("away", "kopf", "create", [n / 100 for n in range(MARKS + 1)])], LOOKS)
    assert "data-tip" not in drawn
    assert 'class="line v1"' in drawn


def test_the_stairs_in_words() -> None:
    assert describe_stairs(Staircase("s", "kopf", "w", [0, 1, 3])) == (
        "kopf: 3 attempts in 3 s, the first gap 1 s, the longest 2 s"
    )
    assert describe_stairs(Staircase("s", "kopf", "w", [0])) == "kopf: 1 attempt"


def test_nothing_was_tried_twice_nothing_is_drawn() -> None:
    assert staircase([Staircase("s", "kopf", "w", [])], LOOKS) == ""


# --- footprint --------------------------------------------------------------------------------------------------------


def test_cpu_is_drawn_as_a_rate() -> None:
    assert rates([[0, 0.0], [1, 0.5], [3, 0.75]]) == [(0, 0.5), (1, 0.5), (3, 0.125)]


def test_a_restart_counts_from_zero_and_never_below() -> None:
    assert rates([[0, 5.0], [1, 6.0], [2, 0.25]])[-1] == (2, 0.25)


def test_thinning_keeps_both_ends() -> None:
    points = [[float(n), 0.0, 0.0] for n in range(100)]
    kept = thinned(points, 7)
    assert len(kept) == 7
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    assert thinned(points[:5], 7) == points[:5]


def test_all_variants_have_one_scale() -> None:
    small = Footprint("idle", "handwritten", [[0, 0, 10e6, 1, 1], [5, 1, 20e6, 1, 1]])
    large = Footprint("idle", "kopf", [[0, 0, 40e6, 1, 1], [9, 1, 80e6, 1, 1]])
    drawn = footprints([small, large], LOOKS)
    assert len({re.findall(r'data-level="([^"]*)"', each.memory)[0] for each in drawn}) == 1
    assert len({re.findall(r'data-axis="([^"]*)"', each.memory)[0] for each in drawn}) == 1
    assert drawn[0].memory_text == "at most 20 MB resident"


def test_a_variant_without_two_samples_has_no_footprint() -> None:
    assert footprints([Footprint("idle", "kopf", [[0, 0, 1, 1, 1]])], LOOKS) == []


def test_a_fault_is_a_band_and_one_without_length_can_still_be_seen() -> None:
    drawn = bands([[1.0, 2.0, "away"], [3.0, 3.0, "crash"]], Linear(0, 10), 60)
    long, short = re.findall(r'x="([\d.]+)%" width="([\d.]+)%"', drawn)
    assert long == ("10", "10")
    assert 0 < float(short[1]) < 1
    assert "away: 1 s to 2 s" in drawn


# --- crash strip ------------------------------------------------------------------------------------------------------


def crash(variant: str, k: int, when: str, verdict: str = "ok") -> CrashPoint:
    return CrashPoint("crash", variant, k, when, "create pods web-0", verdict, f"trials/crash.w{k}-{when}/{variant}.0")


def test_a_row_a_moment_in_order_and_a_column_a_write() -> None:
    strip = crash_strips([crash("kopf", 2, "answered"), crash("kopf", 1, "before"), crash("kopf", 1, "committed")])[0]
    assert [name for name, _ in strip.rows] == ["before the write", "after commit", "after the answer"]
    assert strip.writes == (1, 2)
    assert [[bool(each) for each in row] for _, row in strip.rows] == [[True, False], [True, False], [False, True]]


def test_variants_with_fewer_writes_have_the_same_columns() -> None:
    strips = crash_strips([crash("handwritten", 1, "before"), crash("kopf", 1, "before"), crash("kopf", 2, "before")])
    assert [each.writes for each in strips] == [(1, 2), (1, 2)]


def test_a_cell_says_what_happened_in_words() -> None:
    points = [
        crash("kopf", 3, "committed", "violated"),
        crash("kopf", 3, "before"),
        crash("kopf", 3, "answered", "unknown"),
    ]
    strip = crash_strips(points)[0]
    said = [each.tip for _, row in strip.rows for each in row if each]
    assert said == [
        "kopf, killed before the write 3 (create pods web-0): ok",
        "kopf, killed after commit of write 3 (create pods web-0): violated",
        "kopf, killed after the answer of write 3 (create pods web-0): unknown",
    ]
    assert strip.summary == "1 of 3 crashes went well"


# --- API cost ---------------------------------------------------------------------------------------------------------


def test_sums_come_before_their_parts_and_all_bars_have_one_scale() -> None:
    lines = api_cost(
        {"handwritten": {"create pods": 4, "list pods": 1}, "kopf": {"create pods": 4, "patch nginxpods": 4}}
    )
    assert [(line.what, [bar.count for bar in line.bars]) for line in lines] == [
        ("writes", [4, 8]), ("create pods", [4, 4]), ("patch nginxpods", [0, 4]), ("reads", [1, 0]), ("list pods", [1, 0]),
    ]  # fmt: skip
    assert lines[0].bars[1].length == 1
    assert lines[1].bars[0].length == 0.5


def test_what_is_not_shown_is_summed_up() -> None:
    lines = api_cost({"kopf": {f"get thing-{n}": 10 - n for n in range(6)}}, most=4)
    assert (lines[-1].what, lines[-1].bars[0].count) == ("2 others", 5 + 6)


def test_a_watch_is_neither_a_read_nor_a_write() -> None:
    assert [line.group for line in api_cost({"kopf": {"watch pods": 2}})] == ["watches", "watches"]


# --- timeline ---------------------------------------------------------------------------------------------------------


def timeline(variant: str, *items: LaneItem, plan: str = "", length: float = 10.0, left_off: int = 0) -> Timeline:
    return Timeline("create", plan, variant, f"trials/create/{variant}.0", length, list(items), left_off)


def test_all_variants_of_a_plan_are_on_one_clock_with_the_same_lanes() -> None:
    group = timelines(
        [timeline("handwritten", LaneItem("user", 1, "create"), length=2), timeline("kopf", LaneItem("write", 9, "create"))], 50
    )[0]  # fmt: skip
    assert [each.lanes for each in group.lanes] == [("user", "write"), ("user", "write")]
    assert group.length == 10
    assert "M100 " in group.lanes[0].drawing, "one second of ten, though its own trial lasted two"


def test_each_plan_is_a_group() -> None:
    groups = timelines(
        [timeline("kopf", plan="first"), timeline("kopf", plan="second"), timeline("a", plan="first")], 50
    )
    assert [(each.plan, len(each.lanes)) for each in groups] == [("first", 2), ("second", 1)]


def test_an_item_that_ends_after_the_trial_makes_the_axis_longer() -> None:
    assert timelines([timeline("kopf", LaneItem("fault", 1, "away", 12.5), length=10)], 50)[0].length == 12.5


def test_what_lasts_is_a_bar_what_failed_a_dot_all_else_a_tick() -> None:
    drawn = timelines(
        [timeline("kopf", LaneItem("write", 1, "ok", 1.001, 201), LaneItem("write", 2, "no", None, 409),
                  LaneItem("write", 4, "gone", None, 0), LaneItem("reconcile", 3, "web", 4.0))], 50,
    )[0].lanes[0].drawing  # fmt: skip
    assert re.findall(r'd="([^"]*)" class="tick-mark l-write"', drawn) == ["M100 4v10"]
    assert re.findall(r'd="([^"]*)" class="failed"', drawn) == ["M200 9v0m200 0v0"]
    assert re.findall(r'd="([^"]*)" class="span l-reconcile"', drawn) == ["M300 27H400"]


def test_a_fault_that_lasts_shades_all_lanes() -> None:
    drawn = (
        timelines([timeline("kopf", LaneItem("fault", 2, "away", 7), LaneItem("write", 1, "x"))], 50)[0]
        .lanes[0]
        .drawing
    )
    assert 'x="20%" width="50%" y="0" height="36" class="band"' in drawn


def test_items_at_the_same_place_are_drawn_once_and_all_stay_for_the_script() -> None:
    lanes = timelines([timeline("kopf", *(LaneItem("event", 5 + n / 1e5, "x") for n in range(9)))], 50)[0].lanes[0]
    assert lanes.drawing.count("v10") == 1
    assert len(lanes.items) == 9


def test_truncation_is_announced_with_what_the_report_left_off() -> None:
    items = [LaneItem("event", n / 10, "x") for n in range(90)]
    assert timelines([timeline("kopf", *items, left_off=10)], 30)[0].lanes[0].left_off == (
        "30 of 100 items drawn, the history has all"
    )
    assert timelines([timeline("kopf", *items)], 200)[0].lanes[0].left_off == ""


def test_the_user_the_faults_and_the_process_are_never_thinned_out() -> None:
    essential = [LaneItem(lane, n, "x") for n in range(9) for lane in ("user", "fault", "process")]
    assert chosen([*essential, *(LaneItem("event", n, "x") for n in range(99))], 10)[:27] == sorted(
        essential, key=lambda item: ("user", "fault", "process").index(item.lane)
    )


def test_a_busy_lane_does_not_crowd_out_a_quiet_one() -> None:
    kept = chosen([LaneItem("event", n, "x") for n in range(500)] + [LaneItem("write", n, "y") for n in range(10)], 100)
    assert sum(each.lane == "write" for each in kept) == 10
    assert len(kept) == 100


def test_failures_are_kept_before_anything_else() -> None:
    items = [LaneItem("write", n, "x", code=500 if n % 50 == 7 else 200) for n in range(300)]
    assert sum(each.code == 500 for each in chosen(items, 10)) == 6


@given(
    st.lists(
        st.tuples(st.sampled_from(["user", "write", "read", "event", "reconcile"]), st.floats(0, 100)), max_size=200
    ),
    st.integers(0, 60),
)
def test_never_more_items_than_there_is_room_for_and_always_in_order(
    given_: list[tuple[str, float]], most: int
) -> None:
    items = [LaneItem(lane, t, "x") for lane, t in given_]
    kept = chosen(items, most)
    users = sum(item.lane == "user" for item in items)
    assert len(kept) <= max(most, users)
    assert len(kept) == min(len(items), max(most, users))
    for lane in ("user", "write", "read", "event", "reconcile"):
        times = [item.t for item in kept if item.lane == lane]
        assert times == sorted(times)
