"""Rules about single values, and selectors inside objects. Words are those of apimachinery's util/validation.

Left out: names and labels (test_metadata), which the server's names.py holds.
"""

from __future__ import annotations

from typing import Any

import pytest

from twinloop.apiserver.builtin import checks, labelselectors


def texts(found: Any) -> Any:
    return [str(each) for each in found]


@pytest.mark.parametrize(
    ("name", "problems"),
    [
        ("http", 0),
        ("a-1", 0),
        ("fifteen-letters", 0),
        ("sixteen-letters-", 2),
        ("HTTP", 2),
        ("80", 1),
        ("a--b", 1),
        ("-a", 1),
        ("", 2),
    ],
)
def test_names_of_ports(name: Any, problems: Any) -> None:
    assert len(checks.port_name_problems(name)) == problems


@pytest.mark.parametrize(("port", "right"), [(1, True), (65535, True), (0, False), (65536, False), (-1, False)])
def test_numbers_of_ports(port: Any, right: Any) -> None:
    assert texts(checks.port_number("p", port)) == (
        [] if right else [f"p: Invalid value: {port}: must be between 1 and 65535, inclusive"]
    )


def test_a_port_by_number_or_name() -> None:
    assert texts(checks.port_number_or_name("p", 80)) == texts(checks.port_number_or_name("p", "http")) == []
    assert texts(checks.port_number_or_name("p", 0))
    assert texts(checks.port_number_or_name("p", "80"))


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("a", ""),
        ("A.b_c-1", ""),
        ("a" * 253, ""),
        ("a" * 254, "no more than 253"),
        ("a b", "config key"),
        ("", "config key"),
        (".", "must not be '.'"),
        ("..", "must not be '..'"),
        ("..a", "must not start with '..'"),
        (".a", ""),
    ],
)
def test_keys_of_config_maps(key: Any, problem: Any) -> None:
    found = checks.config_key_problems(key)
    assert (problem in found[0]) if problem else not found


@pytest.mark.parametrize(("mode", "right"), [(None, True), (0, True), (0o777, True), (0o1000, False), (-1, False)])
def test_modes_of_files(mode: Any, right: Any) -> None:
    assert bool(texts(checks.file_mode("m", mode))) is not right


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("a/b", []),
        ("/a", ["must be a relative path"]),
        ("a/../b", ["must not contain '..'"]),
        ("/a/..", ["must be a relative path", "must not contain '..'"]),
        ("..a", ["must not start with '..'"]),
        ("../a", ["must not contain '..'"]),
        ("", []),
    ],
)
def test_paths_that_stay_below(path: Any, words: Any) -> None:
    assert texts(checks.not_reserved_path("p", path)) == [f'p: Invalid value: "{path}": {each}' for each in words]


@pytest.mark.parametrize(
    ("address", "right"), [("1.2.3.4", True), ("::1", True), ("1.2.3", False), ("x", False), ("", False)]
)
def test_addresses(address: Any, right: Any) -> None:
    assert bool(texts(checks.ip_address("ip", address))) is not right


@pytest.mark.parametrize(
    ("value", "needed", "expected"),
    [
        ("a", True, []),
        ("c", True, ['f: Unsupported value: "c": supported values: "a", "b"']),
        ("", True, ["f: Required value"]),
        ("", False, []),
    ],
)
def test_closed_sets(value: Any, needed: Any, expected: Any) -> None:
    assert texts(checks.one_of("f", value, ("a", "b"), needed=needed)) == expected


@pytest.mark.parametrize(
    ("selector", "paths"),
    [
        (None, []),
        ({}, []),
        ({"matchLabels": {"a": "b"}}, []),
        ({"matchLabels": {"a b": "c d"}}, ["s.matchLabels", "s.matchLabels"]),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]}, []),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn"}]}, ["s.matchExpressions[0].values"]),
        ({"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]}, ["s.matchExpressions[0].values"]),
        (
            {"matchExpressions": [{"key": "a b", "operator": "Gt"}]},
            ["s.matchExpressions[0].operator", "s.matchExpressions[0].key"],
        ),
        (
            {"matchExpressions": [{"key": "a", "operator": "In", "values": ["b", "c d"]}]},
            ["s.matchExpressions[0].values[1]"],
        ),
    ],
)
def test_label_selectors_are_checked(selector: Any, paths: Any) -> None:
    assert [each.path for each in checks.label_selector("s", selector)] == paths


def test_a_struct_is_shown_in_the_order_of_its_fields() -> None:
    (found,) = checks.shown_struct("s", {"B": 1, "A": "<"}, "why")
    assert str(found) == 's: Invalid value: {"B":1,"A":"\\u003c"}: why'


def expression(operator: Any, *values: Any, key: Any = "a") -> Any:
    return {"matchExpressions": [{"key": key, "operator": operator, **({"values": list(values)} if values else {})}]}


@pytest.mark.parametrize(
    ("selector", "labels", "matched"),
    [
        ({}, {}, True),
        ({"matchLabels": {"a": "b"}}, {"a": "b", "c": "d"}, True),
        ({"matchLabels": {"a": "b"}}, {"a": "c"}, False),
        ({"matchLabels": {"a": "b"}}, {}, False),
        (expression("In", "b", "c"), {"a": "c"}, True),
        (expression("In", "b"), {}, False),
        (expression("NotIn", "b"), {"a": "c"}, True),
        (expression("NotIn", "b"), {}, True),
        (expression("NotIn", "b"), {"a": "b"}, False),
        (expression("Exists"), {"a": ""}, True),
        (expression("Exists"), {}, False),
        (expression("DoesNotExist"), {}, True),
        (expression("DoesNotExist"), {"a": "b"}, False),
        ({"matchLabels": {"x": "y"}, **expression("Exists")}, {"x": "y"}, False),
    ],
)
def test_selectors_match_labels(selector: Any, labels: Any, matched: Any) -> None:
    assert labelselectors.matches(selector, labels) is matched


@pytest.mark.parametrize(
    ("selector", "text"),
    [
        (None, "<none>"),
        ({}, ""),
        ({"matchLabels": {"b": "2", "a": "1"}}, "a=1,b=2"),
        (expression("In", "z", "y"), "a in (y,z)"),
        (expression("NotIn", "y"), "a notin (y)"),
        (expression("Exists"), "a"),
        (expression("DoesNotExist"), "!a"),
        ({"matchLabels": {"b": "2"}, **expression("Exists", key="c")}, "b=2,c"),
    ],
)
def test_selectors_are_printed_as_a_query(selector: Any, text: Any) -> None:
    assert labelselectors.printed(selector) == text


@pytest.mark.parametrize(("labels", "text"), [(None, "<none>"), ({}, "<none>"), ({"b": "2", "a": "1"}, "a=1,b=2")])
def test_plain_labels_are_printed(labels: Any, text: Any) -> None:
    assert labelselectors.printed_labels(labels) == text
