"""O17: the ends of all plans of one story.

Left out: whether that end is the right one (test_o01_converges.py).
"""

from __future__ import annotations

from support.histories import PODS, assert_ok, assert_unknown, assert_violated, begun, plain
from twinloop.harness.checkers.o17_one_end import check_many


def test_all_come_to_one_end() -> None:
    finding = check_many([plain(plan=plan).trial() for plan in ("", "crash-1", "crash-2")])
    assert_ok(finding)
    assert finding.numbers == {"ends": 1, "compared": 3}


def test_one_comes_to_another() -> None:
    other = begun(plan="crash-2")
    other.put(PODS, "web-1", lambda pod: pod["metadata"]["labels"].update(extra="x"))
    trials = [plain().trial(), plain(plan="crash-1").trial(), other.rests().cleans().trial()]
    finding = check_many(trials)
    assert_violated(finding, "2 different ends; between no fault and crash-2 pods.web-1.labels.extra is missing here")
    assert finding.numbers["ends"] == 2


def test_the_pair_that_differs_least_is_shown() -> None:
    far, near = begun(plan="far"), begun(plan="near")
    far.user_edits(replicas=3)
    far.serves()
    near.put(PODS, "web-1", lambda pod: pod["metadata"]["labels"].update(extra="x"))
    trials = [far.rests().cleans().trial(), plain(plan="base").trial(), near.rests().cleans().trial()]
    assert_violated(check_many(trials), "3 different ends; between base and near")


def test_who_never_came_to_rest_is_left_out() -> None:
    restless = begun(plan="cut").rests(ok=False).cleans().trial()
    assert_unknown(check_many([plain().trial(), restless]), "fewer than two")
