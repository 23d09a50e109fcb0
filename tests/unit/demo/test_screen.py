"""Two columns and a table, as text.

Left out: colours; there are none.
"""

from __future__ import annotations

from twinloop.demo.screen import WIDTH, Screen, table


def test_each_lane_has_its_column() -> None:
    lines: list[str] = []
    now = iter([0.0, 10.0, 10.5, 12.25])
    screen = Screen(["left", "right"], lines.append, lambda: next(now))
    screen.head()
    screen.step("do something")
    screen.tell("left", "it happened")
    screen.tell("right", "here too")
    assert lines == [
        f"{'left':{WIDTH}}right",
        f"{'----':{WIDTH}}-----",
        "",
        "== do something",
        "  0.50 s  it happened",
        f"{'':{WIDTH}}  2.25 s  here too",
    ]


def test_the_table_has_a_row_a_step_and_the_sums() -> None:
    seconds = {"create": {"left": 1.0, "right": 2.0}, "delete": {"left": 0.5, "right": 0.25}}
    writes = {"create": {"left": 3, "right": 4}, "delete": {"left": 1, "right": 0}}
    assert table(["left", "right"], seconds, writes) == [
        "step               left  writes        right  writes",
        "create           1.00 s       3       2.00 s       4",
        "delete           0.50 s       1       0.25 s       0",
        "together         1.50 s       4       2.25 s       4",
    ]
