"""Paths into JSON: what they find and what they take away.

Left out: JSONPath as kubectl knows it. These paths are for the cases alone.
"""

from __future__ import annotations

from typing import Any

import pytest

from conformance.paths import find, without

OBJECT: dict[str, Any] = {
    "metadata": {"labels": {"a.b/c": "x"}, "name": "n"},
    "items": [{"name": "one", "n": 1}, {"name": "two", "n": 2}],
    "none": None,
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata.name", "n"),
        ("metadata.labels.[a.b/c]", "x"),
        ("items.1.n", 2),
        ("items.[name=two].n", 2),
        ("items.*.n", [1, 2]),
        ("metadata.*", [{"a.b/c": "x"}, "n"]),
        ("metadata.missing.deeper", None),
        ("items.7.n", None),
        ("items.[name=three]", None),
        ("metadata.name.deeper", None),
        ("none", None),
    ],
)
def test_finds(path: str, value: Any) -> None:
    assert find(OBJECT, path) == value


@pytest.mark.parametrize(
    ("path", "left"),
    [
        ("a", {"b": {"c": 1, "d": [{"e": 1}, {"e": 2}]}}),
        ("b.c", {"a": 1, "b": {"d": [{"e": 1}, {"e": 2}]}}),
        ("b.d.0", {"a": 1, "b": {"c": 1, "d": [{"e": 2}]}}),
        ("b.d.*.e", {"a": 1, "b": {"c": 1, "d": [{}, {}]}}),
        ("b.d.*", {"a": 1, "b": {"c": 1, "d": []}}),
        ("b.missing.x", {"a": 1, "b": {"c": 1, "d": [{"e": 1}, {"e": 2}]}}),
    ],
)
def test_takes_away_and_leaves_the_original_alone(path: str, left: Any) -> None:
    value = {"a": 1, "b": {"c": 1, "d": [{"e": 1}, {"e": 2}]}}
    if path == "a":
        left = {"b": value["b"]}
    assert without(value, path) == left
    assert value == {"a": 1, "b": {"c": 1, "d": [{"e": 1}, {"e": 2}]}}
