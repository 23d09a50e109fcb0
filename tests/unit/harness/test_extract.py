"""What a history is boiled down to: numbers, retries, footprint, crash plans, lanes. Left out: verdicts, and statistics."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.trials import Writing
from twinloop.harness import extract, lanes
from twinloop.harness.crashplans import of_plan, plan_name, plans, what_was_hit, writes_of_story
from twinloop.harness.faults import Act
from twinloop.harness.history import Fault, Process, Sample, StreamEvent, User
from twinloop.harness.results import LaneItem


@pytest.fixture
def trial(tmp_path: Path) -> Writing:
    return Writing(tmp_path / "history.jsonl", settings={"quiet": 0.3})


def rest(trial: Writing, settled: bool = True) -> None:
    trial.mark("story-end")
    trial.mark("faults-over")
    trial.mark("settled", settled, after=1.3)
    trial.mark("quiet-begin")
    trial.mark("quiet-end", after=0.6)


def sample(cpu: float, *, pid: int = 1, rss: int = 10, reconciles: float | None = None) -> Sample:
    return Sample(replica="a", pid=pid, cpu=cpu, rss=rss, threads=2, fds=5, reconciles=reconciles)


def test_what_the_frame_adds_is_not_counted(trial: Writing) -> None:
    trial.ask("list")
    trial.mark("story-begin")
    trial.ask("create")
    trial.ask("patch", "nginxpods.twinloop.dev", subresource="status", name="web")
    rest(trial)
    trial.ask("create")  # the canary's
    history = trial.close()
    found = extract.numbers(history)
    assert (found["writes"], found["requests"]) == (2, 3)
    assert extract.requests(history) == {"create pods": 1, "list pods": 1, "patch nginxpods/status": 1}


def test_converged_is_measured_from_the_end_of_the_faults_without_the_quiet_time(trial: Writing) -> None:
    rest(trial)
    assert extract.converged(trial.close()) == pytest.approx(1.0)


def test_what_never_got_there_never_converged(trial: Writing) -> None:
    rest(trial, settled=False)
    assert extract.converged(trial.close()) is None


def test_only_ends_that_nobody_asked_for_are_restarts(trial: Writing) -> None:
    trial.write(Process(replica="a", what="exited", code=1))
    trial.write(Process(replica="a", what="exited", code=-9, expected=True))
    trial.write(Process(replica="a", what="started"))
    assert extract.restarts(trial.close()) == 1


def test_cpu_is_added_up_over_processes(trial: Writing) -> None:
    for each in (sample(0.5), sample(0.7), sample(0.1, pid=2), sample(0.3, pid=2, rss=70)):
        trial.write(each)
    found = extract.numbers(trial.close())
    assert (found["cpu"], found["rss"]) == (1.0, 70)


def test_what_was_not_measured_is_not_known(trial: Writing) -> None:
    found = extract.numbers(trial.close())
    assert (found["cpu"], found["rss"], found["converged"]) == (None, None, None)


def test_a_footprint_goes_on_where_the_last_process_ended(trial: Writing) -> None:
    for each in (sample(0.5), sample(0.2, pid=2), sample(0.4, pid=2)):
        trial.write(each)
    found = extract.footprint(trial.close())
    assert found is not None
    assert [point[1] for point in found.points] == pytest.approx([0.5, 0.7, 0.9])


def test_a_footprint_is_thinned_and_keeps_both_ends(trial: Writing) -> None:
    for number in range(200):
        trial.write(sample(number / 100))
    found = extract.footprint(trial.close())
    assert found is not None
    assert len(found.points) == extract.MAX_POINTS
    assert (found.points[0][1], found.points[-1][1]) == (0.0, 1.99)


def test_firings_close_together_are_one_band(trial: Writing) -> None:
    for after in (0.01, 0.1, 0.1, 2.0):
        trial.write(Fault(rule="r", action="cut"), after)
    trial.write(Fault(rule="s", action="error"), 0.05)
    bands = extract.fault_bands(trial.close())
    assert [band[2] for band in bands] == ["cut", "cut", "error"]
    assert [band[1] - band[0] for band in bands] == pytest.approx([0.2, 0, 0])


def test_a_thing_that_failed_again_and_again_is_a_staircase(trial: Writing) -> None:
    for after in (0.01, 0.1, 0.2, 0.4):
        trial.ask("create", code=403, after=after, body={"metadata": {"name": "web-0"}})
    trial.ask("create", code=201, after=0.8, body={"metadata": {"name": "web-0"}})
    trial.ask("create", code=403, body={"metadata": {"name": "web-1"}})
    (found,) = extract.staircases(trial.close())
    assert found.what == "create pods web-0"
    assert found.attempts == pytest.approx([0, 0.101, 0.302, 0.703, 1.504])


def test_what_the_proxy_added_is_kept(trial: Writing) -> None:
    trial.ask("get")
    assert extract.added(trial.close()) == [0.0004]


# --- crash plans -----------------------------------------------------------------------------------------------------------


def test_the_writes_of_the_story_are_counted_from_its_beginning_to_rest(trial: Writing) -> None:
    trial.ask("create", name="before")
    trial.mark("story-begin")
    trial.ask("create")
    trial.ask("get")
    trial.ask("delete", name="web-0", code=404)
    trial.ask("create", "events")
    rest(trial)
    trial.ask("create", name="canary")
    assert [each.verb for each in writes_of_story(trial.close())] == ["create", "delete", "create"]


def test_without_a_rest_everything_counts(trial: Writing) -> None:
    trial.mark("story-begin")
    trial.ask("create")
    assert len(writes_of_story(trial.close(outcome=None))) == 1


def test_there_are_three_crashes_for_each_write() -> None:
    made = plans(2)
    assert list(made) == [
        "write-01-before", "write-01-committed", "write-01-answered",
        "write-02-before", "write-02-committed", "write-02-answered",
    ]  # fmt: skip
    (rule,) = made["write-02-committed"]
    assert (rule.act, rule.first, rule.times, rule.since, rule.how) == (Act.CRASH, 2, 1, "story", {"when": "committed"})
    assert rule.match.verb == "write"


def test_a_plan_is_read_back_from_its_name() -> None:
    assert of_plan(plan_name(12, "answered")) == (12, "answered")
    for other in ("", "write-x-before", "write-1-never", "event", "write-01"):
        assert of_plan(other) is None


def test_what_was_hit_is_named(trial: Writing) -> None:
    asked = trial.ask("patch", "nginxpods.twinloop.dev", subresource="status", name="web")
    trial.write(Fault(rule="write-01-before", action="crash", request=asked.id))
    assert what_was_hit(trial.close()) == "patch nginxpods/status web"


def test_what_was_never_hit_has_no_name(trial: Writing) -> None:
    trial.ask("create")
    assert what_was_hit(trial.close()) == ""


# --- lanes -----------------------------------------------------------------------------------------------------------------


def test_everything_has_its_lane(trial: Writing) -> None:
    trial.write(Process(replica="a", what="started"))
    trial.write(User(op="create", resource="nginxpods.twinloop.dev", namespace="n", name="web", code=201))
    trial.ask("create", code=201)
    trial.ask("list")
    trial.write(StreamEvent(request=2, type="ADDED", resource="pods", name="web-0", delivered=False))
    trial.write(Fault(rule="r", action="drop"))
    found = lanes.timeline(trial.close(), "trials/x")
    assert [(each.lane, each.text, each.code) for each in found.items] == [
        ("process", "started", None),
        ("user", "create nginxpods web", 201),
        ("write", "create pods", 201),
        ("read", "list pods", 200),
        ("event", "ADDED pods web-0 (not delivered)", None),
        ("fault", "drop", None),
    ]
    assert found.items[2].end is not None
    assert found.left_off == 0
    assert [each.seq for each in found.items] == [2, 3, 4, 6, 8, 9]


def test_a_watch_is_a_moment_and_no_span(trial: Writing) -> None:
    trial.ask("watch")
    (item,) = lanes.timeline(trial.close(), "").items
    assert item.end is None


def test_reconciles_are_read_from_the_operators_own_counter(trial: Writing) -> None:
    for each in (
        sample(0, reconciles=1),
        sample(0, reconciles=1),
        sample(0, reconciles=4),
        sample(0, pid=2, reconciles=9),
    ):
        trial.write(each, 0.1)
    (item,) = lanes.timeline(trial.close(), "").items
    assert (item.lane, item.text, item.t, item.end) == ("reconcile", "reconcile \N{MULTIPLICATION SIGN} 3", 0.21, 0.31)


def test_the_clean_up_is_not_drawn(trial: Writing) -> None:
    rest(trial)
    trial.ask("delete", name="web-0", after=5)
    found = lanes.timeline(trial.close(), "")
    assert [each.lane for each in found.items] == ["user", "user"]
    assert found.length < 3


def item(lane: str, t: float, text: str = "x", code: int | None = None) -> LaneItem:
    return LaneItem(lane, t, text, code=code)


def test_equal_items_in_a_row_become_one() -> None:
    run = [
        item("read", 1),
        item("event", 1.5),
        item("read", 2),
        item("read", 3),
        item("read", 4, code=500),
        item("read", 5),
    ]
    found = [(each.lane, each.text, each.t, each.end, each.code) for each in lanes.merged(run)]
    assert found == [
        ("read", "x \N{MULTIPLICATION SIGN} 3", 1, 3, None), ("event", "x", 1.5, None, None), ("read", "x", 4, None, 500), ("read", "x", 5, None, None),
    ]  # fmt: skip


def test_what_is_too_much_is_left_off_and_said_events_first(trial: Writing) -> None:
    for number in range(10):
        trial.write(StreamEvent(request=1, type="ADDED", resource="pods", name=f"web-{number}"))
        trial.write(User(op="create", resource="pods", namespace="n", name=f"web-{number}"))
    found = lanes.timeline(trial.close(), "", most=12)
    assert (len(found.items), found.left_off) == (12, 8)
    assert sum(each.lane == "user" for each in found.items) == 10
    assert [each.t for each in found.items] == sorted(each.t for each in found.items)
