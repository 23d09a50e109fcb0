"""O16: the same spec on different ways.

Left out: what the spec ought to come to (test_o01_converges.py).
"""

from __future__ import annotations

from support.histories import PODS, Tale, assert_ok, assert_unknown, assert_violated, begun, plain
from twinloop.harness.checkers.o16_path_independence import check_many
from twinloop.harness.scenario import IMAGE, OTHER_IMAGE


def there_and_back() -> Tale:
    tale = begun()
    tale.user_edits(replicas=3, image=OTHER_IMAGE)
    tale.serves()
    tale.user_edits(replicas=2, image=IMAGE)
    tale.serves()
    return tale


def test_there_and_back_is_where_it_was() -> None:
    assert_ok(check_many([there_and_back().rests().cleans().trial()]))


def test_something_stays_behind() -> None:
    tale = there_and_back()
    tale.put(PODS, "web-1", lambda pod: pod["metadata"]["labels"].update(visited="b"))
    assert_violated(
        check_many([tale.rests().cleans().trial()]), 'pods.web-1.labels.visited is "b" here and missing there'
    )


def test_a_generation_is_no_difference_and_a_count_is() -> None:
    tale = there_and_back()
    tale.says(readyReplicas=1)
    assert_violated(check_many([tale.rests().cleans().trial()]), "status.readyReplicas is 1 here and 2 there")


def test_two_trials_of_one_spec() -> None:
    assert_ok(check_many([plain().trial(), plain().trial()]))


def test_what_was_not_done_is_no_rest() -> None:
    tale = begun()
    tale.user_edits(replicas=3)
    tale.user_edits(replicas=2)
    tale.user_edits(replicas=3)
    tale.serves()
    assert_unknown(check_many([tale.rests().cleans().trial()]), "no spec was come to twice")


def test_one_spec_once() -> None:
    assert_unknown(check_many([plain().trial()]), "no spec was come to twice")
