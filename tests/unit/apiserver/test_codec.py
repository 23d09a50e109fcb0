"""JSON in and out: duplicates, Go's words for malformed input, numbers, text that is no Unicode, how objects are stored.

Messages were taken from kube-apiserver 1.34. Leaves out: what a verb makes of a malformed body (test_body.py).
"""

from __future__ import annotations

import contextlib
import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.apiserver import codec


def message(body: bytes) -> str:
    with pytest.raises(codec.Malformed) as error:
        codec.decode(body)
    return str(error.value)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "unexpected end of JSON input"),
        (b"  ", "unexpected end of JSON input"),
        (b"{", "unexpected end of JSON input"),
        (b'{"a":', "unexpected end of JSON input"),
        (b'{"a', "unexpected end of JSON input"),
        (b"hello", "invalid character 'h' looking for beginning of value"),
        (b"{a:1}", "invalid character 'a' looking for beginning of object key string"),
        (b'{"a" 1}', "invalid character '1' after object key"),
        (b'{"a":1 "b":2}', "invalid character '\"' after object key:value pair"),
        (b'{"a":[1 2]}', "invalid character '2' after array element"),
        (b'[{"a":[1]} 2]', "invalid character '2' after array element"),
        (b"{} {}", "invalid character '{' after top-level value"),
        (b'{"a":"\n"}', "invalid character '\\n' in string literal"),
        (b'{"a":NaN}', "invalid character 'N' looking for beginning of value"),
        (b'{"a":-Infinity}', "invalid character '-' looking for beginning of value"),
    ],
)
def test_malformed_json_is_told_in_gos_words(body: bytes, expected: str) -> None:
    assert message(body) == expected


def test_nesting_without_end_is_an_error_and_no_crash() -> None:
    assert message(b"[" * 100_000) == "exceeded max depth"


def test_a_number_without_end_is_an_error_and_no_crash() -> None:
    assert message(b"9" * 10_000)
    assert "cannot unmarshal number 1e999" in message(b"[1e999]")


def test_a_field_that_comes_twice_counts_last_and_is_told() -> None:
    decoded = codec.decode(b'{"a":{"b":1,"b":2},"c":[{"d":1,"d":1}],"a":{"b":3}}')
    assert decoded.value == {"a": {"b": 3}, "c": [{"d": 1}]}
    assert decoded.duplicates == ['duplicate field "a.b"', 'duplicate field "c[0].d"', 'duplicate field "a"']


def test_without_duplicates_nothing_is_told() -> None:
    assert codec.decode(b'{"a":{"a":1},"b":[{"a":1},{"a":1}]}').duplicates == []


def test_problems_are_put_in_the_order_of_the_text() -> None:
    decoded = codec.decode(b'{"m":{"n":1,"n":2},"x":1,"d":{"a":1,"a":2}}')
    problems = ['duplicate field "m.n"', 'duplicate field "d.a"', 'unknown field "x"']
    assert decoded.in_order(problems) == ['duplicate field "m.n"', 'unknown field "x"', 'duplicate field "d.a"']


@pytest.mark.parametrize(
    ("text", "value"),
    [("1.0", 1), ("1e3", 1000), ("1.5", 1.5), ("-2.0", -2), ("1e300", 1e300), ("123456789012", 123456789012)],
)
def test_whole_numbers_are_stored_as_such(text: str, value: float) -> None:
    decoded = codec.decode(f"[{text}]".encode())
    assert decoded.floats is not text.isdigit()
    (stored,) = codec.whole(decoded.value)
    assert (stored, type(stored)) == (value, type(value))


def test_a_whole_number_with_a_point_is_no_integer_to_a_schema() -> None:
    assert isinstance(codec.decode(b"1.0").value, float)


@pytest.mark.parametrize("body", [b'"\xff"', b'"\\ud800"', b'"\\udc00"', b'"\\ud800x"', b'"\\ud800\\u0041"'])
def test_what_is_no_unicode_becomes_the_replacement_character(body: bytes) -> None:
    assert "\ufffd" in codec.decode(body).value
    codec.encode(codec.decode(body).value)


def test_surrogate_pairs_stay_one_character() -> None:
    assert codec.decode(b'"\\ud83d\\ude00"').value == "\U0001f600"


@pytest.mark.parametrize(
    ("value", "name"),
    [(True, "bool"), (1, "number"), (1.5, "number"), ("", "string"), ([], "array"), ({}, "object"), (None, "null")],
)
def test_values_have_the_names_that_go_gives_them(value: Any, name: str) -> None:
    assert codec.go_type(value) == name


def test_a_stored_object_begins_with_kind_and_version_whatever_it_began_with() -> None:
    obj = {"spec": {"a": 1}, "metadata": {"labels": {}, "name": "x"}, "apiVersion": "v1", "kind": "Pod"}
    raw, head = codec.encode_stored(obj)
    assert raw == b'{"kind":"Pod","apiVersion":"v1","metadata":{"name":"x","labels":{}},"spec":{"a":1}}'
    assert raw[:head] == codec.head_of("Pod", "v1") == b'{"kind":"Pod","apiVersion":"v1",'
    assert codec.decode_stored(raw) == obj


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_what_is_encoded_is_decoded_again(value: Any) -> None:
    raw = codec.encode(value)
    assert codec.decode(raw).value == json.loads(raw) == value


@given(values)
def test_a_copy_is_equal_and_shares_nothing(value: Any) -> None:
    before = copy.deepcopy(value)
    made = codec.copy(value)
    assert made == value
    _spoil(made)
    assert value == before


def _spoil(value: Any) -> None:
    if isinstance(value, dict):
        for each in value.values():
            _spoil(each)
        value["spoilt"] = True
    elif isinstance(value, list):
        for each in value:
            _spoil(each)
        value.append("spoilt")


@given(st.binary(max_size=60) | st.text(alphabet='{}[]":,\\u0d8a1 en', max_size=40).map(str.encode))
def test_any_bytes_are_json_or_malformed(body: bytes) -> None:
    with contextlib.suppress(codec.Malformed):  # any other error is a bug
        codec.encode(codec.decode(body).value)
