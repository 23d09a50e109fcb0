"""Times in objects: RFC 3339 in, UTC out, and Go's words for what is no time.

Left out: more than the years 1 to 9999, and leap seconds, which Go refuses too.
"""

from __future__ import annotations

from typing import Any

import pytest

from twinloop.apiserver.builtin import scalars
from twinloop.apiserver.builtin.scalars import Unreadable

SECONDS = "2006-01-02T15:04:05Z07:00"
MICRO = "2006-01-02T15:04:05.000000Z07:00"


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z"),
        ("2024-01-01T01:00:00+01:00", "2024-01-01T00:00:00Z"),
        ("2023-12-31T23:30:00-00:30", "2024-01-01T00:00:00Z"),
        ("2024-01-01T00:00:00.999Z", "2024-01-01T00:00:00Z"),
        ("2024-01-01T00:00:00,5Z", "2024-01-01T00:00:00Z"),
        ("2024-02-29T12:00:00Z", "2024-02-29T12:00:00Z"),
        ("0001-01-01T00:00:00Z", None),
    ],
)
def test_a_time_is_written_in_utc_with_whole_seconds(given: Any, written: Any) -> None:
    assert scalars.time(given) == written


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("yesterday", f'parsing time "yesterday" as "{SECONDS}": cannot parse "yesterday" as "2006"'),
        ("", f'parsing time "" as "{SECONDS}": cannot parse "" as "2006"'),
        ("2024", f'parsing time "2024" as "{SECONDS}": cannot parse "" as "-"'),
        ("2024-01-01", f'parsing time "2024-01-01" as "{SECONDS}": cannot parse "" as "T"'),
        (
            "2024-01-01 10:00:00Z",
            f'parsing time "2024-01-01 10:00:00Z" as "{SECONDS}": cannot parse " 10:00:00Z" as "T"',
        ),
        (
            "2024-01-01T10:00:00",
            f'parsing time "2024-01-01T10:00:00" as "{SECONDS}": cannot parse "" as "Z07:00"',
        ),
        ("2024-13-01T00:00:00Z", 'parsing time "2024-13-01T00:00:00Z": month out of range'),
        ("2024-02-30T00:00:00Z", 'parsing time "2024-02-30T00:00:00Z": day out of range'),
        ("2024-01-01T25:00:00Z", 'parsing time "2024-01-01T25:00:00Z": hour out of range'),
        ("2024-01-01T00:60:00Z", 'parsing time "2024-01-01T00:60:00Z": minute out of range'),
        ("2024-01-01T00:00:60Z", 'parsing time "2024-01-01T00:00:60Z": second out of range'),
        ("2024-01-01T00:00:00Zx", 'parsing time "2024-01-01T00:00:00Zx": extra text: "x"'),
        (
            "2024-01-01T00:00:00+25:00",
            'parsing time "2024-01-01T00:00:00+25:00": time zone offset hour out of range',
        ),
    ],
)
def test_what_is_no_time_is_refused_in_words_of_go(given: Any, problem: Any) -> None:
    with pytest.raises(Unreadable) as error:
        scalars.time(given)
    assert str(error.value) == problem


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("2024-01-01T00:00:00.000001Z", "2024-01-01T00:00:00.000001Z"),
        ("2024-01-01T02:00:00.500000+02:00", "2024-01-01T00:00:00.500000Z"),
        ("0001-01-01T00:00:00.000000Z", None),
    ],
)
def test_a_micro_time_has_six_digits(given: Any, written: Any) -> None:
    assert scalars.micro_time(given) == written


@pytest.mark.parametrize(
    ("given", "rest"),
    [("2024-01-01T00:00:00Z", "Z"), ("2024-01-01T00:00:00.123Z", ".123Z"), ("2024-01-01T00:00:00.Z", ".Z")],
)
def test_a_micro_time_with_fewer_digits_is_none(given: Any, rest: Any) -> None:
    with pytest.raises(Unreadable) as error:
        scalars.micro_time(given)
    assert str(error.value) == f'parsing time "{given}" as "{MICRO}": cannot parse "{rest}" as ".000000"'


@pytest.mark.parametrize("read", [scalars.time, scalars.micro_time])
@pytest.mark.parametrize(("given", "what"), [(5, "number"), (True, "bool"), ({}, "object"), ([], "array")])
def test_a_time_is_a_string(read: Any, given: Any, what: Any) -> None:
    with pytest.raises(Unreadable, match=f"cannot unmarshal {what} into Go value of type string"):
        read(given)
