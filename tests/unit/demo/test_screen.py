"""Two columns and a table, as text.

Left out: colours; there are none.
"""

from __future__ import annotations

from twinloop.demo.screen import WIDTH, Screen, table
from twinloop.demo.steps import Step


def test_each_lane_has_its_column() -> None:
    lines: list[str] = []
    screen = Screen(["left", "right"], lines.append)
    screen.head()
    screen.tell("left", "it happened")
    screen.tell("right", "here too")
    assert lines == [
        f"{'left':{WIDTH}}right",
        f"{'----':{WIDTH}}-----",
        "it happened",
        f"{'':{WIDTH}}here too",
    ]


def test_a_reader_who_has_gone_disturbs_no_trial() -> None:
    def gone(line: str) -> None:
        raise BrokenPipeError

    Screen(["left", "right"], gone).tell("left", "it happened")


def test_the_table_has_a_row_a_step_and_the_sums() -> None:
    left, right = (
        [Step("create", 1.0, 3), Step("delete", 0.5, 1)],
        [Step("create", 2.0, 4), Step("delete", 0.25, 0)],
    )
    assert table({"left": left, "right": right}) == [
        "step               left  writes        right  writes",
        "create           1.00 s       3       2.00 s       4",
        "delete           0.50 s       1       0.25 s       0",
        "together         1.50 s       4       2.25 s       4",
    ]


def test_a_lane_that_did_not_come_to_the_end_has_gaps() -> None:
    lanes = {"left": [Step("create", 1.0, 3)], "right": [Step("create", 2.0, 4), Step("delete", 0.25, 0)]}
    assert table(lanes)[2:] == [
        "delete                -       -       0.25 s       0",
        "together         1.00 s       3       2.25 s       4",
    ]
