"""Quantities: which forms stay, which become others, what is refused. Expected values are those of apimachinery v0.34.4.

Left out: arithmetic, which is Python's own on the numbers that `amount` returns.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.apiserver.builtin import quantities
from twinloop.apiserver.builtin.quantities import QuantityError

CANONICAL = {
    "1": "1", "0": "0", "0.5": "500m", "1000m": "1", "100m": "100m", "1.5": "1500m", "1.500": "1.500", "2000": "2k",
    "10000": "10k", "1500": "1500", "1k": "1k", "1000k": "1M", "100000000k": "100G", "1E": "1E", "12E": "12E",
    "1Ki": "1Ki", "100Ki": "100Ki", "1024Ki": "1Mi", "1.5Gi": "1536Mi", "0.5Gi": "512Mi", "1025Mi": "1025Mi",
    "0.3Ki": "307200m", "1.5Ki": "1536", "-1.5Mi": "-1536Ki", "1e3": "1e3", "1E3": "1E3", "1e-3": "1e-3",
    "2e21": "2e21", "1n": "1n", "1u": "1u", "0.0000000001": "1n", "0.1n": "1n", "1.0000000000000000001": "1000000001n",
    "010": "010", "+5": "+5", "-3": "-3", ".5": "500m", "5.": "5.", " 5 ": "5", "0m": "0", "00": "0", "m": "0", "-": "0",
}  # fmt: skip


@pytest.mark.parametrize("text", CANONICAL)
def test_a_quantity_is_written_in_its_canonical_form(text: Any) -> None:
    assert quantities.canonical(text) == CANONICAL[text]


@pytest.mark.parametrize("text", ["foo", "", "1 Gi", "1.2.3", "1Gi2x", "0x10", "1_000", "½"])
def test_what_is_no_quantity_is_refused(text: Any) -> None:
    with pytest.raises(QuantityError, match="quantities must match the regular expression"):
        quantities.canonical(text)


@pytest.mark.parametrize("text", ["1kk", "--1", "1ki", "1Mm", "1e", "1mi"])
def test_a_suffix_that_nobody_knows_is_refused(text: Any) -> None:
    with pytest.raises(QuantityError, match="unable to parse quantity's suffix"):
        quantities.canonical(text)


@pytest.mark.parametrize("text", ["Pi", "Ei", "e-27"])
def test_a_large_suffix_without_a_number_is_refused(text: Any) -> None:
    with pytest.raises(QuantityError, match="unable to parse numeric part of quantity"):
        quantities.canonical(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [("100m", "0.1"), ("1Gi", "1073741824"), ("1e3", "1000"), ("-2k", "-2000"), ("1.5Ki", "1536"), ("1n", "1E-9")],
)
def test_the_number_behind_a_quantity(text: Any, number: Any) -> None:
    assert quantities.amount(text) == Decimal(number)


def test_what_is_finer_than_a_billionth_is_rounded_up() -> None:
    assert quantities.amount("0.0000000001") == Decimal("1E-9")
    assert quantities.amount("-0.0000000001") == Decimal("-1E-9")


def test_a_binary_amount_ends_where_int64_does() -> None:
    assert quantities.amount("99999999999Ei") == 2**63 - 1


@pytest.mark.parametrize(
    ("text", "whole", "milli"),
    [("100m", 1, 100), ("1", 1, 1000), ("0.0001", 1, 1), ("1.5", 2, 1500), ("-1500m", -1, -1500)],
)
def test_integers_are_rounded_up(text: Any, whole: Any, milli: Any) -> None:
    assert (quantities.whole(text), quantities.milli(text)) == (whole, milli)


@pytest.mark.parametrize(
    ("number", "style", "written"),
    [
        ("0", "decimal", "0"),
        ("1000", "decimal", "1k"),
        ("0.25", "decimal", "250m"),
        ("1048576", "binary", "1Mi"),
        ("1000", "binary", "1k"),
        ("1536.5", "binary", "1536500m"),
        ("2000", "exponent", "2e3"),
        ("-3072", "binary", "-3Ki"),
    ],
)
def test_a_number_is_written_in_a_style(number: Any, style: Any, written: Any) -> None:
    assert quantities.written(Decimal(number), style) == written


@pytest.mark.parametrize(
    ("text", "style"),
    [("1", "decimal"), ("1Ki", "binary"), ("1e3", "exponent"), ("0.5Ki", "binary"), ("0.0001Ki", "decimal")],
)
def test_the_style_of_a_quantity(text: Any, style: Any) -> None:
    assert quantities.style_of(text) == style


TEXTS = st.builds(
    "{}{}{}".format,
    st.integers(-(10**6), 10**6),
    st.sampled_from(["", ".5", ".25", ".001"]),
    st.sampled_from(["", "m", "k", "M", "Ki", "Mi", "Gi", "e3"]),
)


@given(TEXTS)
def test_the_canonical_form_means_the_same_and_stays(text: Any) -> None:
    written = quantities.canonical(text)
    assert quantities.amount(written) == quantities.amount(text)
    assert quantities.amount(quantities.canonical(written)) == quantities.amount(text)
