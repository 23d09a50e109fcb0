"""Label and field selectors: what they match, and what the server says of those that it cannot parse.

The messages were taken from kube-apiserver 1.34. Leaves out: which fields a kind offers (its own tests), and selectors
turning updates into additions and deletions (test_watch.py).
"""

from __future__ import annotations

import pytest

from twinloop.apiserver.failures import Failure
from twinloop.apiserver.selectors import parse_fields, parse_labels

LABELS = {"app": "web", "tier": "front", "size": "10", "in": "x", "example.com/a": "b", "empty": ""}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "app",
        "app=web",
        "app==web",
        "app = web",
        "app!=db",
        "missing!=web",
        "!missing",
        "! missing",
        "app in (web)",
        "app in (db,web)",
        "app in ( db , web )",
        "app notin (db)",
        "missing notin (db)",
        "app=web,tier=front",
        "app,tier , size",
        "size>9",
        "size<11",
        "size > 9 , size < 11",
        "in=x",
        "in in (x)",
        "in",
        "example.com/a=b",
        "empty=",
        "empty==",
        "empty in ()",
        "empty in (,x)",
        "empty,app=web",
    ],
)
def test_a_selector_matches(text: str) -> None:
    assert parse_labels(text).matches(LABELS)


@pytest.mark.parametrize(
    "text",
    [
        "missing",
        "app=db",
        "app!=web",
        "!app",
        "app in (db)",
        "missing in (db)",
        "app notin (web,db)",
        "app=web,tier=back",
        "size>10",
        "size<10",
        "app>1",
        "missing>1",
        "missing<1",
        "app=",
    ],
)
def test_a_selector_does_not_match(text: str) -> None:
    assert not parse_labels(text).matches(LABELS)


def test_a_selector_without_requirements_is_recognised() -> None:
    assert not parse_labels("")
    assert parse_labels("app")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("a=b=c", "found '=', expected: ',' or 'end of string'"),
        ("!a=b", "found '=', expected: ',' or 'end of string'"),
        ("a in (x", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("a in x", "unable to parse requirement: found 'x' expected: '('"),
        ("a in (=)", "unable to parse requirement: found '(', expected: ',', ')' or identifier"),
        ("a in (x=", "unable to parse requirement: found '=', expected: ',' or ')'"),
        ("a in (x,=)", "unable to parse requirement: found '=', expected: ',', or identifier"),
        ("a=!", "unable to parse requirement: found '!', expected: identifier"),
        ("!", "unable to parse requirement: found '', expected: identifier"),
        (",", "found ',', expected: !, identifier, or 'end of string'"),
        ("=a", "found '=', expected: !, identifier, or 'end of string'"),
        ("a,,b", "found ',', expected: identifier after ','"),
        ("a,", "found '', expected: identifier after ','"),
        (
            "a>x",
            (
                'unable to parse requirement: values[0]: Invalid value: "x": '
                "for 'Gt', 'Lt' operators, the value must be an integer"
            ),
        ),
    ],
)
def test_what_is_no_label_selector_is_a_bad_request(text: str, message: str) -> None:
    with pytest.raises(Failure) as failure:
        parse_labels(text)
    assert (failure.value.code, failure.value.reason, failure.value.message) == (400, "BadRequest", message)


def test_a_malformed_key_is_quoted_without_a_path() -> None:
    with pytest.raises(Failure) as failure:
        parse_labels("-a")
    assert failure.value.message.startswith('unable to parse requirement: <nil>: Invalid value: "-a": name part must')


def test_a_malformed_value_is_named_by_its_place_and_key() -> None:
    with pytest.raises(Failure) as failure:
        parse_labels("a in (ok,-)")
    assert failure.value.message.startswith(
        'unable to parse requirement: values[0][a]: Invalid value: "-": a valid label'
    )


def test_two_malformed_values_are_both_told() -> None:
    with pytest.raises(Failure) as failure:
        parse_labels("a in (-,_)")
    assert failure.value.message.startswith("unable to parse requirement: [values[0][a]: ")
    assert "values[1][a]: " in failure.value.message


# ------------------------------------------------------------------ fields


def fields(text: str) -> dict[str, bool]:
    """Which of four objects a selector picks."""
    selector = parse_fields(text, {"name", "node"}.__contains__, '"{}" is not known'.format)
    objects = {"a": {"name": "a", "node": "n1"}, "b": {"name": "b", "node": ""}, "c": {"name": "c"}}
    return {key: selector.matches(values) for key, values in objects.items()}


@pytest.mark.parametrize(
    ("text", "picked"),
    [
        ("", "abc"),
        ("name=a", "a"),
        ("name==a", "a"),
        ("name!=a", "bc"),
        ("node=", "bc"),
        ("node!=", "a"),
        ("name!=a,node=", "bc"),
        ("name=a,name=b", ""),
        (",name=a,", "a"),
    ],
)
def test_a_field_selector_picks(text: str, picked: str) -> None:
    assert "".join(key for key, matches in fields(text).items() if matches) == picked


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("other=x", '"other" is not known'),
        ("name", "invalid selector: 'name'; can't understand 'name'"),
        ("name=a,node", "invalid selector: 'name=a,node'; can't understand 'node'"),
        ("name=a=b", "invalid field selector: unescaped character in value: 61"),
        ("name=a\\b", "invalid field selector: invalid escape sequence: \\b"),
        ("name=a\\", "invalid field selector: invalid escape sequence: \\"),
    ],
)
def test_what_is_no_field_selector_is_a_bad_request(text: str, message: str) -> None:
    with pytest.raises(Failure) as failure:
        fields(text)
    assert (failure.value.code, failure.value.message) == (400, message)


def test_commas_and_equal_signs_in_a_value_can_be_escaped() -> None:
    selector = parse_fields("name=a\\,b\\=c\\\\d", {"name"}.__contains__, str)
    assert selector.matches({"name": "a,b=c\\d"})


def test_the_exact_value_of_a_field_is_known() -> None:
    selector = parse_fields("name=a,node!=b", {"name", "node"}.__contains__, str)
    assert (selector.exact("name"), selector.exact("node")) == ("a", "")
