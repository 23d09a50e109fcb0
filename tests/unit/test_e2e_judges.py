"""The judges of the end-to-end suite, on records written by hand: each must find what it is there to find.

Left out: how a record comes about (test_e2e_recorder) and everything that needs a cluster.
"""

from __future__ import annotations

from typing import Any

import pytest

from e2e import judges
from e2e.record import GAP, LISTED, Entry, Record, Unchecked

Object = dict[str, Any]


def pod(name: str, uid: str = "", *, ready: bool = True, terminating: bool = False, **metadata: Any) -> Object:
    meta = {"name": name, "uid": uid or f"uid-{name}", **metadata}
    if terminating:
        meta["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    return {"metadata": meta, "status": {"conditions": [{"type": "Ready", "status": str(ready)}]}}


def nginxpod(name: str = "web", **ready: str) -> Object:
    conditions = [{"type": "Ready", **ready}] if ready else []
    return {"metadata": {"name": name, "uid": f"uid-{name}"}, "status": {"conditions": conditions}}


def event(name: str, reason: str, involved: str = "web", count: int = 1, source: str = judges.EVENT_SOURCE) -> Object:
    return {
        "metadata": {"name": name, "uid": f"uid-{name}"},
        "reason": reason,
        "count": count,
        "source": {"component": source},
        "involvedObject": {"name": involved},
    }


def record(*steps: tuple[float, str, str, Object]) -> Record:
    """A record that starts with an empty list of each kind at moment 0."""
    listed = [Entry(0, kind, LISTED, {}) for kind in ("pods", "nginxpods", "events")]
    return Record((*listed, *(Entry(*step) for step in steps)))


def pods(*steps: tuple[float, str, Object]) -> Record:
    return record(*[(at, "pods", type_, obj) for at, type_, obj in steps])


TWO_READY = [(1.0, "ADDED", pod("web-0")), (1.0, "ADDED", pod("web-1"))]
NAMES = ["web-0", "web-1"]


def test_most_down_counts_missing_terminating_and_unready_pods() -> None:
    found = pods(
        *TWO_READY,
        (2.0, "MODIFIED", pod("web-1", terminating=True)),
        (3.0, "MODIFIED", pod("web-0", ready=False)),
        (4.0, "DELETED", pod("web-1", terminating=True)),
        (5.0, "MODIFIED", pod("web-0")),
        (6.0, "ADDED", pod("web-1", "new")),
    )
    assert judges.most_down(found, NAMES, since=1.0) == judges.Worst(2, 3.0, ("web-0", "web-1"))


def test_most_down_of_a_proper_rollout_is_one() -> None:
    found = pods(
        *TWO_READY,
        (2.0, "MODIFIED", pod("web-1", terminating=True)),
        (3.0, "DELETED", pod("web-1", terminating=True)),
        (4.0, "ADDED", pod("web-1", "new", ready=False)),
        (5.0, "MODIFIED", pod("web-1", "new")),
        (6.0, "MODIFIED", pod("web-0", terminating=True)),
    )
    assert judges.most_down(found, NAMES, since=1.0).count == 1


def test_most_down_looks_at_the_state_in_which_the_window_begins() -> None:
    found = pods(*TWO_READY, (2.0, "DELETED", pod("web-0")), (2.0, "DELETED", pod("web-1")), (9.0, "ADDED", pod("x")))
    assert judges.most_down(found, NAMES, since=5.0).count == 2


def test_most_down_does_not_look_behind_the_window() -> None:
    found = pods(*TWO_READY, (9.0, "DELETED", pod("web-0")), (9.0, "DELETED", pod("web-1")))
    assert judges.most_down(found, NAMES, since=1.0, until=5.0).count == 0


def test_most_taken_leaves_pods_alone_that_only_are_not_ready() -> None:
    found = pods(
        *TWO_READY, (2.0, "MODIFIED", pod("web-0", ready=False)), (3.0, "MODIFIED", pod("web-1", terminating=True))
    )
    assert judges.most_taken(found, NAMES, since=1.0).names == ("web-1",)


def test_first_list_counts_as_one_state() -> None:
    listed = [Entry(0.0, "pods", LISTED, pod("web-0")), Entry(0.0, "pods", LISTED, pod("web-1"))]
    assert judges.most_down(Record(tuple(listed)), NAMES).count == 0


def test_judges_do_not_know_when_the_watch_lost_history() -> None:
    found = pods(*TWO_READY, (5.0, GAP, {}))
    with pytest.raises(Unchecked):
        judges.most_down(found, NAMES, since=1.0)
    with pytest.raises(Unchecked):
        judges.writes(found, since=1.0)
    assert judges.most_down(found, NAMES, since=1.0, until=4.0).count == 0
    assert judges.most_down(found, NAMES, since=5.0).count == 0
    with pytest.raises(Unchecked):
        judges.most_down(found, NAMES, since=1.0, until=5.0)


def test_judges_do_not_know_what_nobody_recorded() -> None:
    with pytest.raises(Unchecked):
        judges.deleted(Record(()))


def test_states_behind_a_gap_are_right_again() -> None:
    found = pods(*TWO_READY, (5.0, GAP, {}), (5.0, "DELETED", pod("web-1")), (7.0, "MODIFIED", pod("web-0")))
    assert judges.most_down(found, NAMES, since=6.0) == judges.Worst(1, 6.0, ("web-1",))


def test_uids_tell_how_often_a_pod_was_replaced() -> None:
    found = pods(*TWO_READY, (2.0, "DELETED", pod("web-0")), (3.0, "ADDED", pod("web-0", "new")))
    assert judges.uids(found, "web-0") == ["uid-web-0", "new"]
    assert judges.uids(found, "web-1") == ["uid-web-1"]


def test_created_and_deleted_give_names_in_order() -> None:
    found = pods(
        *TWO_READY,
        (2.0, "MODIFIED", pod("web-1", terminating=True)),
        (3.0, "MODIFIED", pod("web-1", terminating=True, annotations={"more": "of it"})),
        (4.0, "DELETED", pod("web-1", terminating=True)),
        (4.5, "DELETED", pod("web-0")),
        (5.0, "ADDED", pod("web-1", "new")),
    )
    assert judges.created(found) == ["web-0", "web-1", "web-1"]
    assert judges.deleted(found) == ["web-1", "web-0"]
    assert judges.created(found, since=4.5) == ["web-1"]
    assert judges.deleted(found, since=2.0) == ["web-0"]


def test_what_was_there_from_the_beginning_was_not_created() -> None:
    found = Record((Entry(0.0, "pods", LISTED, pod("web-0")), Entry(1.0, "pods", "ADDED", pod("web-1"))))
    assert judges.created(found) == ["web-1"]


def test_reasons_give_the_course_of_a_condition() -> None:
    found = record(
        (1.0, "nginxpods", "ADDED", nginxpod()),
        (2.0, "nginxpods", "MODIFIED", nginxpod(status="False", reason="Progressing")),
        (3.0, "nginxpods", "MODIFIED", nginxpod(status="False", reason="Progressing")),
        (4.0, "nginxpods", "MODIFIED", nginxpod(status="True", reason="AllReady")),
    )
    assert judges.reasons(found, "web") == [("", ""), ("False", "Progressing"), ("True", "AllReady")]
    assert judges.reasons(found, "web", since=3.5) == [("False", "Progressing"), ("True", "AllReady")]
    assert judges.reasons(found, "web", "Stalled") == [("", "")]


def test_event_count_adds_up_repetitions_and_skips_other_sources() -> None:
    found = record(
        (1.0, "events", "ADDED", event("a", "Ready")),
        (2.0, "events", "ADDED", event("b", "Ready")),
        (3.0, "events", "MODIFIED", event("b", "Ready", count=3)),
        (4.0, "events", "ADDED", event("c", "Ready", involved="other")),
        (5.0, "events", "ADDED", event("d", "Ready", source="kubelet")),
    )
    assert judges.event_count(found, "Ready", "web") == 4


def _written_by(manager: str, second: int, obj: Object) -> Object:
    fields = [{"manager": manager, "time": f"2026-01-01T00:00:0{second}Z"}]
    return {**obj, "metadata": {**obj["metadata"], "managedFields": fields}}


def test_writes_finds_any_change_of_a_nginxpod() -> None:
    found = record((1.0, "nginxpods", "ADDED", nginxpod()), (2.0, "nginxpods", "MODIFIED", nginxpod(status="True")))
    assert judges.writes(found, since=1.0) == ["modified nginxpods web"]
    assert judges.writes(found, since=2.0) == []


@pytest.mark.parametrize("manager", sorted(judges.CLUSTER_WRITERS))
def test_writes_passes_over_what_the_cluster_does_to_a_pod(manager: str) -> None:
    before = _written_by(manager, 1, pod("web-0", ready=False))
    assert (
        judges.writes(pods((1.0, "ADDED", before), (2.0, "MODIFIED", _written_by(manager, 2, pod("web-0")))), since=1.0)
        == []
    )


def test_writes_finds_a_pod_changed_by_somebody_else() -> None:
    steps = [(1.0, "ADDED", pod("web-0")), (2.0, "MODIFIED", _written_by("kubectl", 2, pod("web-0")))]
    assert judges.writes(pods(*steps), since=1.0) == ["modified pods web-0"]


def test_writes_finds_a_pod_changed_by_somebody_beside_the_kubelet() -> None:
    fields = [{"manager": "kubelet", "time": "1"}, {"manager": "kubectl", "time": "2"}]
    steps = [(1.0, "ADDED", pod("web-0")), (2.0, "MODIFIED", pod("web-0", managedFields=fields))]
    assert judges.writes(pods(*steps), since=1.0) == ["modified pods web-0"]


def test_writes_takes_a_change_of_status_without_a_trace_for_the_kubelets() -> None:
    steps = [(1.0, "ADDED", pod("web-0", ready=False)), (2.0, "MODIFIED", pod("web-0"))]
    assert judges.writes(pods(*steps), since=1.0) == []
    steps = [(1.0, "ADDED", pod("web-0")), (2.0, "MODIFIED", pod("web-0", labels={"a": "b"}))]
    assert judges.writes(pods(*steps), since=1.0) == ["modified pods web-0"]


def test_writes_finds_a_pod_that_is_made_or_deleted() -> None:
    found = pods(
        (1.0, "ADDED", pod("web-0")),
        (2.0, "MODIFIED", _written_by("kubelet", 2, pod("web-0", terminating=True))),
        (3.0, "DELETED", pod("web-0", terminating=True)),
        (4.0, "ADDED", pod("web-0", "new")),
        (5.0, "DELETED", pod("web-0", "new")),
    )
    assert judges.writes(found, since=1.0) == ["modified pods web-0", "added pods web-0", "deleted pods web-0"]


def test_writes_counts_our_events_and_no_others() -> None:
    found = record(
        (1.0, "pods", "ADDED", pod("web-0")),
        (2.0, "events", "ADDED", event("a", "Pulled", source="kubelet")),
        (3.0, "events", "ADDED", event("b", "Ready")),
        (4.0, "events", "DELETED", event("b", "Ready")),
    )
    assert judges.writes(found, since=1.0) == ["added events b"]
