"""What an update is forgiven: findings about what it did not change.

The rules are those of apiserver's ratcheting, which is on in every supported release.

Left out: rules in CEL, which are forgiven the same way (test_cel_rules.py), and the findings themselves
(test_validation_words.py).
"""

from __future__ import annotations

import copy
from typing import Any

import pytest

from twinloop.apiserver.schemas.correlation import Correlation, MapList
from twinloop.apiserver.schemas.schema import Schema
from twinloop.apiserver.schemas.validation import Validator

Object = dict[str, Any]

KEYED = {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"]}
SPEC: Object = {
    "type": "object",
    "properties": {
        "n": {"type": "integer", "maximum": 5},
        "m": {"type": "integer", "maximum": 5},
        "below": {"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}, "n": {"type": "integer"}}},
        "map": {"type": "object", "additionalProperties": {"type": "integer", "maximum": 5}},
        "keyed": {
            **KEYED,
            "items": {"type": "object", "properties": {"k": {"type": "string"}, "n": {"type": "integer", "maximum": 5}}},
        },
        "plain": {"type": "array", "items": {"type": "integer", "maximum": 5}},
        "either": {"type": "object", "properties": {"n": {"type": "integer"}}, "anyOf": [{"properties": {"n": {"maximum": 5}}}]},
    },
}  # fmt: skip
SCHEMA: Object = {"type": "object", "properties": {"spec": SPEC, "status": SPEC}}


def paths(new: Object, old: Object) -> list[str]:
    found = Schema(SCHEMA).validate({"spec": new}, {"spec": old})
    return [each.path for each in found]


CASES: list[tuple[str, Object, Object, list[str]]] = [
    ("a new mistake", {"n": 9}, {"n": 1}, ["spec.n"]),
    ("an old one", {"n": 9, "m": 2}, {"n": 9, "m": 1}, []),
    ("a changed one", {"n": 8}, {"n": 9}, ["spec.n"]),
    ("an old one beside a new one", {"n": 9, "m": 9}, {"n": 9}, ["spec.m"]),
    ("a field that was not there", {"n": 9}, {}, ["spec.n"]),
    ("a missing field below, unchanged", {"below": {"n": 1}, "n": 1}, {"below": {"n": 1}}, []),
    ("a missing field below, beside a change", {"below": {"n": 2}}, {"below": {"n": 1}}, ["spec.below.a"]),
    ("a value of a map", {"map": {"x": 9, "y": 1}}, {"map": {"x": 9}}, []),
    ("a new value of a map", {"map": {"x": 9, "y": 9}}, {"map": {"x": 9}}, ["spec.map.y"]),
    (
        "an item with a key, in another place",
        {"keyed": [{"k": "b", "n": 1}, {"k": "a", "n": 9}]},
        {"keyed": [{"k": "a", "n": 9}]},
        [],
    ),
    (
        "an item with another key",
        {"keyed": [{"k": "b", "n": 9}]},
        {"keyed": [{"k": "a", "n": 9}]},
        ["spec.keyed[0].n"],
    ),
    ("an item without a key", {"plain": [9, 1]}, {"plain": [9]}, ["spec.plain[0]"]),
    ("a list as a whole", {"plain": [9], "n": 1}, {"plain": [9]}, []),
    ("below anyOf", {"either": {"n": 9}, "m": 1}, {"either": {"n": 9}}, []),
]


@pytest.mark.parametrize(("new", "old", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_an_update_is_held_to_what_it_changes(new: Object, old: Object, expected: list[str]) -> None:
    assert paths(new, old) == expected


@pytest.mark.parametrize("name", ["kind", "apiVersion"])
def test_type_and_version_are_never_forgiven(name: str) -> None:
    schema = {"type": "object", "properties": {name: {"type": "string", "maxLength": 1}, "n": {"type": "integer"}}}
    found = Schema(schema).validate({name: "long", "n": 1}, {name: "long", "n": 2})
    assert [each.path for each in found] == [name]


def test_a_status_update_is_held_to_the_status() -> None:
    old = {"spec": {"n": 9}, "status": {"n": 9, "m": 1}}
    new = copy.deepcopy(old)
    new["status"]["m"] = 2
    assert Schema(SCHEMA).validate_status(new, old) == []
    new["status"]["m"] = 8
    (found,) = Schema(SCHEMA).validate_status(new, old)
    assert str(found) == "status.m: Invalid value: 8: m in body should be less than or equal to 5"


def test_duplicates_are_forgiven_when_there_were_some_before() -> None:
    twice = {"keyed": [{"k": "a"}, {"k": "a"}]}
    assert paths({**twice, "n": 1}, twice) == []
    assert paths(twice, {"keyed": [{"k": "a"}]}) == ["spec.keyed[1]"]


def test_without_a_schema_of_the_status_anything_may_be_written_there() -> None:
    schema = Schema({"type": "object", "x-kubernetes-preserve-unknown-fields": True})
    assert schema.validate_status({"status": 5}, {}) == []


# ------------------------------------------------------------------ correlation


def test_a_value_is_unchanged_when_all_of_it_is() -> None:
    old = {"spec": {"keyed": [{"k": "a"}, {"k": "b"}], "n": 1}}
    swapped = {"spec": {"keyed": [{"k": "b"}, {"k": "a"}], "n": 1}}
    assert Correlation(swapped, old, SCHEMA).unchanged
    assert not Correlation({"spec": {"n": 1}}, old, SCHEMA).unchanged
    assert not Correlation({"spec": {"keyed": [{"k": "a"}], "n": 1}}, old, SCHEMA).unchanged


def test_a_number_is_not_equal_to_one_of_another_type() -> None:
    schema = {"type": "number"}
    assert Correlation(1, 1, schema).unchanged
    assert not Correlation(1, 1.0, schema).unchanged
    assert not Correlation(1, True, schema).unchanged
    assert Correlation(None, None, schema).unchanged
    assert not Correlation(None, 0, schema).unchanged


def test_what_no_schema_describes_has_no_past() -> None:
    both = {"unknown": 1}
    assert Correlation(both, both, SCHEMA).key("unknown") is None
    assert Correlation("text", "text", SCHEMA).key("spec") is None


def test_items_are_found_by_all_of_their_keys() -> None:
    schema = {**KEYED, "x-kubernetes-list-map-keys": ["k", "p"]}
    items = [{"k": "a", "p": 1, "v": 1}, {"k": "a", "p": "1"}, {"k": "a"}, "text"]
    found = MapList(schema, items)
    assert found.get({"k": "a", "p": 1}) == items[0]
    assert found.get({"k": "a", "p": "1"}) == items[1]
    assert found.get({"k": "a"}) is None
    assert found.get("text") is None


# ------------------------------------------------------------------ what counts as best


def test_the_alternative_with_the_most_passed_checks_explains_a_failure() -> None:
    """Both fail; the second gets further."""
    near = {"properties": {"a": {"type": "string"}, "b": {"type": "integer", "maximum": 1}}}
    far = {"properties": {"a": {"type": "integer"}, "b": {"type": "boolean"}}}
    for keyword in ("anyOf", "oneOf"):
        for alternatives in ([near, far], [far, near]):
            found = Validator({"type": "object", keyword: alternatives}).check({"a": "x", "b": 2})
            assert [each.path for each in found] == ["<nil>", "b"], (keyword, alternatives)


def test_the_first_of_equals_explains_it() -> None:
    schema = {"type": "integer", "anyOf": [{"minimum": 5}, {"multipleOf": 7}]}
    found = [str(each) for each in Validator(schema).check(3)]
    assert found[1:] == ["<nil>: Invalid value: 3:  in body should be greater than or equal to 5"]
