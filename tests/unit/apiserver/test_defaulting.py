"""Defaults of a schema on their way into an object, and the nulls that go.

The rules are those of apiextensions' schema/defaulting, and so are most cases.

Left out: which defaults a definition may have (test_definitions_refused.py, test_structural.py).
"""

from __future__ import annotations

import copy
from typing import Any

import pytest

from twinloop.apiserver.schemas import default_values, defaulting

Schema = dict[str, Any]

NUMBER = {"type": "integer"}


def obj(properties: Schema, **more: Any) -> Schema:
    return {"type": "object", "properties": properties, **more}


NESTED = obj({"a": {**NUMBER, "default": 1}}, default={"b": 2})

FILLED: list[tuple[str, Any, Schema, Any]] = [
    ("nothing to fill in", {"a": 1}, obj({"a": NUMBER}), {"a": 1}),
    ("missing", {}, obj({"a": {**NUMBER, "default": 1}}), {"a": 1}),
    ("present", {"a": 5}, obj({"a": {**NUMBER, "default": 1}}), {"a": 5}),
    ("false and zero are present", {"a": 0}, obj({"a": {**NUMBER, "default": 1}}), {"a": 0}),
    ("a false default is one", {}, obj({"a": {"type": "boolean", "default": False}}), {"a": False}),
    ("an empty default is one", {}, obj({"a": {"type": "object", "default": {}}}), {"a": {}}),
    ("a default is completed by those below it", {}, obj({"n": NESTED}), {"n": {"a": 1, "b": 2}}),
    ("what is there is completed too", {"n": {}}, obj({"n": NESTED}), {"n": {"a": 1}}),
    ("without a default nothing below is made", {}, obj({"n": obj({"a": {**NUMBER, "default": 1}})}), {}),
    ("null where null is not allowed", {"a": None}, obj({"a": {**NUMBER, "default": 1}}), {"a": 1}),
    ("null where it is", {"a": None}, obj({"a": {**NUMBER, "default": 1, "nullable": True}}), {"a": None}),
    ("null without a default", {"a": None}, obj({"a": NUMBER}), {"a": None}),
    (
        "items of a list",
        {"l": [{}, {"a": 5}, None]},
        obj({"l": {"type": "array", "items": obj({"a": {**NUMBER, "default": 1}}, nullable=True)}}),
        {"l": [{"a": 1}, {"a": 5}, None]},
    ),
    (
        "null items take the default of items",
        {"l": [None, 3]},
        obj({"l": {"type": "array", "items": {**NUMBER, "default": 7}}}),
        {"l": [7, 3]},
    ),
    (
        "values of a map",
        {"m": {"x": {}, "y": None}},
        obj({"m": {"type": "object", "additionalProperties": obj({"a": {**NUMBER, "default": 1}}, default={})}}),
        {"m": {"x": {"a": 1}, "y": {"a": 1}}},
    ),
    (
        "a map of anything",
        {"m": {"x": None}},
        obj({"m": {"type": "object", "additionalProperties": True}}),
        {"m": {"x": None}},
    ),
    ("the wrong type is left alone", {"n": "text"}, obj({"n": obj({"a": {**NUMBER, "default": 1}})}), {"n": "text"}),
]


@pytest.mark.parametrize(
    ("given", "schema", "expected"), [case[1:] for case in FILLED], ids=[case[0] for case in FILLED]
)
def test_filling_in(given: Any, schema: Schema, expected: Any) -> None:
    defaulting.fill(given, schema)
    assert given == expected


def test_a_default_is_a_copy_each_time() -> None:
    schema = obj({"n": NESTED})
    first: Any = {}
    second: Any = {}
    defaulting.fill(first, schema)
    first["n"]["b"] = "changed"
    defaulting.fill(second, schema)
    assert second == {"n": {"a": 1, "b": 2}}
    assert schema == obj({"n": NESTED})


DROPPED: list[tuple[str, Any, Schema, Any]] = [
    ("plain", {"a": None, "b": 1}, obj({"a": NUMBER, "b": NUMBER}), {"b": 1}),
    ("nullable", {"a": None}, obj({"a": {**NUMBER, "nullable": True}}), {"a": None}),
    ("with a default", {"a": None}, obj({"a": {**NUMBER, "default": 1}}), {"a": None}),
    ("unknown", {"a": None}, obj({}), {"a": None}),
    ("below", {"n": {"a": None}}, obj({"n": obj({"a": NUMBER})}), {"n": {}}),
    ("in a map", {"m": {"a": None}}, obj({"m": {"type": "object", "additionalProperties": NUMBER}}), {"m": {}}),
    (
        "in a list only below the items",
        {"l": [None, {"a": None}]},
        obj({"l": {"type": "array", "items": obj({"a": NUMBER})}}),
        {"l": [None, {}]},
    ),
]


@pytest.mark.parametrize(
    ("given", "schema", "expected"), [case[1:] for case in DROPPED], ids=[case[0] for case in DROPPED]
)
def test_nulls_that_a_go_struct_would_not_keep_go(given: Any, schema: Schema, expected: Any) -> None:
    defaulting.drop_nulls(given, schema)
    assert given == expected


# ------------------------------------------------------------------ defaults that no schema may have


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (obj({"a": {**NUMBER, "default": 1}}), []),
        (
            obj({"a": {**NUMBER, "default": "x"}}),
            ['$.properties[a].default: Invalid value: "string":  in body must be of type integer: "string"'],
        ),
        (
            obj({"a": obj({"b": NUMBER}, default={"c": 1})}),
            ['$.properties[a].default: Invalid value: {"c":1}: must not have unknown fields'],
        ),
        (
            obj({"a": {"type": "array", "items": NUMBER, "default": [1, "x"]}}),
            ['$.properties[a].default.[1]: Invalid value: "string": [1] in body must be of type integer: "string"'],
        ),
        (
            obj({"l": {"type": "array", "items": {**NUMBER, "maximum": 3, "default": 5}}}),
            ["$.properties[l].items.default: Invalid value: 5:  in body should be less than or equal to 3"],
        ),
        (
            obj({"a": {**NUMBER, "default": 1, "x-kubernetes-validations": [{"rule": "self > 5"}]}}),
            ['$.properties[a].default: Invalid value: "integer": failed rule: self > 5'],
        ),
        (
            obj(
                {
                    "e": {
                        "type": "object",
                        "x-kubernetes-embedded-resource": True,
                        "x-kubernetes-preserve-unknown-fields": True,
                        "default": {"kind": "Pod"},
                    }
                }
            ),
            ["$.properties[e].default.apiVersion: Required value"],
        ),
    ],
    ids=repr,
)
def test_a_default_must_be_what_its_schema_accepts(schema: Schema, expected: list[str]) -> None:
    before = copy.deepcopy(schema)
    assert [str(each) for each in default_values.check(schema, "$")] == expected
    assert schema == before
