"""Numbers as a person reads them. Left out: the script's own words for the same numbers (test_script.py)."""

from __future__ import annotations

import pytest

from twinloop.harness.report import formats

NONE = "\N{EN DASH}"
TIMES = "\N{MULTIPLICATION SIGN}"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"), (0.0004, "0.4 ms"), (0.00412, "4.12 ms"), (0.0312, "31.2 ms"), (0.31, "310 ms"), (0.9994, "999 ms"),
        (0.9996, "1 s"), (2.494, "2.49 s"), (37.06, "37.1 s"), (99.94, "99.9 s"), (99.96, "1 min 40 s"), (120, "2 min"),
        (125.4, "2 min 5 s"), (None, "never"),
    ],
)  # fmt: skip
def test_a_duration_has_three_figures_and_the_unit_that_suits_it(seconds: float | None, said: str) -> None:
    assert formats.duration(seconds) == said


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (44_500_000, "44.5 MB"), (2.1e9, "2.1 GB"), (None, NONE)],
)
def test_bytes_are_counted_in_thousands(count: float | None, said: str) -> None:
    assert formats.size(count) == said


def test_a_size_of_a_terabyte_is_still_said_in_gigabytes() -> None:
    assert formats.size(3.2e12) == "3200 GB"


@pytest.mark.parametrize(
    ("ratio", "said"),
    [(1, "1" + TIMES), (2.58, "2.58" + TIMES), (0.943, "0.94" + TIMES), (14.2, "14.2" + TIMES), (None, NONE)],
)
def test_a_ratio_has_two_decimals_at_most(ratio: float | None, said: str) -> None:
    assert formats.factor(ratio) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [(7, "7"), (7.0, "7"), (2.5, "2.5"), (12345, "12\u202f345"), (None, NONE), ("many", "many"), (True, "True")],
)
def test_a_count_keeps_its_thousands_apart(value: object, said: str) -> None:
    assert formats.count(value) == said


def test_one_and_many() -> None:
    assert formats.plural(1, "crash", "crashes") == "1 crash"
    assert formats.plural(2, "crash", "crashes") == "2 crashes"
    assert formats.plural(0, "write") == "0 writes"
