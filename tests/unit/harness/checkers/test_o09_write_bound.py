"""O9: how much is written, and how much can be explained.

Left out: writes in the quiet window, which are O6's whatever their number.
"""

from __future__ import annotations

from support.histories import (
    NGINXPODS,
    PODS,
    STEP,
    Tale,
    assert_ok,
    assert_unknown,
    assert_violated,
    begun,
    plain_trial,
)
from twinloop.harness.checkers.o09_write_bound import NOTES, PER_FAULT, check


def test_no_more_than_needed() -> None:
    finding = check(plain_trial())
    assert_ok(finding)
    assert finding.numbers == {
        "writes": 5, "pods": 2, "notes": 0, "least": 3, "ratio": 1.67, "idle": 0, "events": 0,
    }  # fmt: skip


def test_the_scenarios_own_count_comes_first() -> None:
    tale = begun(settings={"writes": 5})
    assert check(tale.rests().cleans().trial()).numbers["ratio"] == 1.0


def flickering(times: int) -> Tale:
    """The operator writes a status back and forth, with nothing else happening."""
    tale = begun()
    for index in range(times):
        tale.says(readyReplicas=index % 2)
    return tale


def test_a_status_that_is_written_for_nothing() -> None:
    assert_violated(check(flickering(40).rests().cleans().trial()), "43 writes beside pods made and deleted")


def test_each_state_explains_one() -> None:
    tale = begun()
    for index in range(40):
        tale.becomes("web-0", ready=bool(index % 2))
        tale.says()
    assert_ok(check(tale.rests().cleans().trial()))


def test_writes_that_change_nothing_count() -> None:
    tale = begun()
    for _ in range(40):
        tale.says_again()
    finding = check(tale.rests().cleans().trial())
    assert_violated(finding, "43 writes beside pods made and deleted")
    assert finding.numbers["idle"] == 40


def test_a_fault_explains_a_few_more() -> None:
    least = next(times for times in range(100) if check(flickering(times).rests().cleans().trial()).verdict != "ok")
    tale = flickering(least)
    tale.fault("abort")
    assert_ok(check(tale.rests().cleans().trial()))
    tale = flickering(least + PER_FAULT)
    tale.fault("abort")
    assert_violated(check(tale.rests().cleans().trial()), "can be explained")


def annotated(tale: Tale, resource: str, name: str, times: int) -> Tale:
    """The operator writes one annotation after the other on an object."""
    for index in range(times):
        tale.patches(resource, name, {"metadata": {"annotations": {"note": str(index)}}})
    return tale


def noting(times: int) -> Tale:
    return annotated(begun(), NGINXPODS, "web", times)


def test_notes_to_itself_are_an_operators_style() -> None:
    finding = check(noting(4).rests().cleans().trial())
    assert_ok(finding)
    assert finding.numbers["notes"] == 4


def test_notes_without_end_are_not() -> None:
    assert_violated(check(noting(30 * NOTES).rests().cleans().trial()), "notes to itself")


def test_events_and_what_was_refused_are_counted_apart() -> None:
    tale = begun()
    tale.tells()
    for _ in range(40):
        tale.refused(tale.asks("patch", NGINXPODS, "web", subresource="status", body={}), 409)
    finding = check(tale.rests().cleans().trial())
    assert_ok(finding)
    assert (finding.numbers["events"], finding.numbers["writes"]) == (1, 5)


def test_a_stranger_explains_a_conflict_and_its_end() -> None:
    tale = begun()
    tale.stranger("web-9")
    tale.says(conditions=[])
    assert_ok(check(tale.after(STEP).rests().cleans().trial()))


def test_a_trial_that_ended_early_shows_nothing() -> None:
    assert_unknown(check(begun().trial()), "before its quiet window")


def test_changing_pods_again_and_again_has_to_be_explained() -> None:
    tale = annotated(begun(), PODS, "web-0", 60)
    assert_violated(check(tale.rests().cleans().trial()), "writes beside pods made and deleted")
