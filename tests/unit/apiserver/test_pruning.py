"""What a schema does not know goes, and field validation learns where it was.

The rules are those of apiextensions' schema/pruning; a real server reports the same paths, sorted.

Left out: metadata, which is read and not pruned (test_custom.py, and embedded objects below).
"""

from __future__ import annotations

import copy
from typing import Any

import pytest

from twinloop.apiserver.schemas import embedded, lists, pruning

Schema = dict[str, Any]

TEXT = {"type": "string"}
PRESERVE = {"x-kubernetes-preserve-unknown-fields": True}


def obj(properties: Schema, **more: Any) -> Schema:
    return {"type": "object", "properties": properties, **more}


WHOLE = {"apiVersion": "v1", "kind": "K", "metadata": {"name": "x", "unknown": 1}}
CASES: list[tuple[str, Any, Schema, Any, list[str]]] = [
    ("known", {"a": "x"}, obj({"a": TEXT}), {"a": "x"}, []),
    ("unknown", {"a": "x", "b": 1}, obj({"a": TEXT}), {"a": "x"}, ["b"]),
    ("below", {"s": {"a": "x", "b": {"c": 1}}}, obj({"s": obj({"a": TEXT})}), {"s": {"a": "x"}}, ["s.b"]),
    ("type and metadata of the root", WHOLE, obj({}), WHOLE, []),
    ("metadata elsewhere", {"s": {"metadata": {}}}, obj({"s": obj({})}), {"s": {}}, ["s.metadata"]),
    (
        "in lists",
        {"l": [{"a": "x"}, {"b": 1}]},
        obj({"l": {"type": "array", "items": obj({"a": TEXT})}}),
        {"l": [{"a": "x"}, {}]},
        ["l[1].b"],
    ),
    (
        "in maps",
        {"m": {"x": {"b": 1}}},
        obj({"m": {"type": "object", "additionalProperties": obj({"a": TEXT})}}),
        {"m": {"x": {}}},
        ["m.x.b"],
    ),
    (
        "additionalProperties: true lets one level in",
        {"m": {"x": 1, "y": {"z": 1}}},
        obj({"m": {"type": "object", "additionalProperties": True}}),
        {"m": {"x": 1, "y": {}}},
        ["m.y.z"],
    ),
    ("preserved", {"p": {"x": {"y": 1}}}, obj({"p": {"type": "object", **PRESERVE}}), {"p": {"x": {"y": 1}}}, []),
    (
        "known below preserved",
        {"p": {"x": 1, "k": {"a": "x", "b": 1}}},
        obj({"p": obj({"k": obj({"a": TEXT})}, **PRESERVE)}),
        {"p": {"x": 1, "k": {"a": "x"}}},
        ["p.k.b"],
    ),
    (
        "a list below preserved",
        {"p": [{"x": 1, "k": {"b": 1}}]},
        obj({"p": {"type": "array", "items": obj({"k": obj({})}, **PRESERVE), **PRESERVE}}),
        {"p": [{"x": 1, "k": {}}]},
        ["p[0].k.b"],
    ),
    (
        "an embedded object keeps its type and metadata",
        {"e": {**WHOLE, "spec": {"a": "x", "b": 1}, "extra": 1}},
        obj({"e": obj({"spec": obj({"a": TEXT})}, **{"x-kubernetes-embedded-resource": True})}),
        {"e": {**WHOLE, "spec": {"a": "x"}}},
        ["e.extra", "e.spec.b"],
    ),
    ("scalars in place of objects", {"s": "text"}, obj({"s": obj({"a": TEXT})}), {"s": "text"}, []),
    ("an object in place of a scalar", {"s": {"a": 1}}, obj({"s": TEXT}), {"s": {}}, ["s.a"]),
    ("sorted", {"b": 1, "c": 1, "a": 1}, obj({}), {}, ["a", "b", "c"]),
]


@pytest.mark.parametrize(
    ("given", "schema", "expected", "paths"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_pruning(given: Any, schema: Schema, expected: Any, paths: list[str]) -> None:
    found = copy.deepcopy(given)
    assert pruning.prune(found, schema) == paths
    assert found == expected


def test_a_value_that_is_no_whole_object_has_no_type_to_keep() -> None:
    found = {"apiVersion": "v1", "a": 1}
    assert pruning.prune(found, obj({}), root=False) == ["a"]
    assert found == {}


# ------------------------------------------------------------------ embedded objects

EMBEDDED = obj({"e": {"type": "object", "x-kubernetes-embedded-resource": True, **PRESERVE}})


def test_metadata_of_an_embedded_object_is_read_and_its_unknown_fields_reported() -> None:
    found = {"e": {"metadata": {"name": "x", "foo": 1, "labels": None}}}
    assert embedded.coerce(found, EMBEDDED) == ["e.metadata.foo"]
    assert found == {"e": {"metadata": {"name": "x"}}}


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"kind": 1}, "e.kind: Invalid value: 1: must be a string"),
        ({"apiVersion": []}, "e.apiVersion: Invalid value: []: must be a string"),
        ({"metadata": {"labels": {"a": 1}}}, "json: cannot unmarshal number into Go struct field ObjectMeta.labels"),
        ({"metadata": 5}, "json: cannot unmarshal number into Go value of type v1.ObjectMeta"),
    ],
    ids=repr,
)
def test_an_embedded_object_that_cannot_be_read_is_malformed(given: Any, problem: str) -> None:
    with pytest.raises(embedded.Malformed) as caught:
        embedded.coerce({"e": given}, EMBEDDED)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"apiVersion": "v1", "kind": "Pod"}, []),
        ({}, ["e.apiVersion: Required value", "e.kind: Required value"]),
        ({"apiVersion": "", "kind": ""}, ['e.apiVersion: Invalid value: "": must not be empty', 'e.kind: Invalid value: "": must not be empty']),
        (
            {"apiVersion": "a/b/c", "kind": "Pod"},
            ['e.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c'],
        ),
    ],
    ids=repr,
)  # fmt: skip
def test_an_embedded_object_has_to_say_what_it_is(given: Any, expected: list[str]) -> None:
    assert [str(each) for each in embedded.check({"e": given}, EMBEDDED)] == expected


def test_names_and_labels_of_embedded_objects_are_checked_where_they_stand() -> None:
    given = {"e": {"apiVersion": "v1", "kind": "a b", "metadata": {"labels": {"a b": "c"}}}}
    assert [each.path for each in embedded.check(given, EMBEDDED)] == ["e.kind", "e.metadata.labels"]


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (EMBEDDED, True),
        (obj({"l": {"type": "array", "items": EMBEDDED}}), True),
        (obj({"m": {"type": "object", "additionalProperties": EMBEDDED}}), True),
        (obj({"a": TEXT}, **{"x-kubernetes-embedded-resource": True}), False),
    ],
    ids=repr,
)
def test_schemas_without_embedded_objects_are_told_apart(schema: Schema, expected: bool) -> None:
    assert embedded.has_embedded(schema) is expected


# ------------------------------------------------------------------ sets and maps


def a_list(kind: str, *keys: str) -> Schema:
    items = {"type": "array", "x-kubernetes-list-type": kind, "x-kubernetes-list-map-keys": list(keys)}
    return obj({"l": {**items, "items": obj({"n": {"type": "array", "x-kubernetes-list-type": "set"}})}})


@pytest.mark.parametrize(
    ("schema", "given", "expected"),
    [
        (a_list("set"), ["a", "b"], []),
        (a_list("set"), ["a", "b", "a", "a"], ['l[2]: Duplicate value: "a"']),
        (a_list("set"), [1, "1", True, 1], ["l[3]: Duplicate value: 1"]),
        (a_list("set"), [{"a": 1}, {"a": 1}], ['l[1]: Duplicate value: {"a":1}']),
        (a_list("map", "k"), [{"k": "a"}, {"k": "b"}, {"k": "a", "v": 1}], ['l[2]: Duplicate value: {"k":"a"}']),
        (a_list("map", "k"), [{}, {"v": 1}], ["l[1]: Duplicate value: {}"]),
        (a_list("map", "k", "p"), [{"k": "a", "p": 1}, {"k": "a"}, {"p": 1, "k": "a"}], ['l[2]: Duplicate value: {"k":"a","p":1}']),
        (a_list("map", "k"), [{"k": 1}, "x"], ['l[1]: Invalid value: "x": must be an object for an array of list-type map']),
        (a_list("map", "k"), [{"k": 1, "n": [1, 1]}], ["l[0].n[1]: Duplicate value: 1"]),
        (a_list("atomic"), ["a", "a"], []),
    ],
    ids=repr,
)  # fmt: skip
def test_duplicates_are_told_once(schema: Schema, given: list[Any], expected: list[str]) -> None:
    assert [str(each) for each in lists.duplicates({"l": given}, schema)] == expected


def test_lists_in_maps_are_found_by_their_key() -> None:
    schema = obj({"m": {"type": "object", "additionalProperties": a_list("set")}})
    (found,) = lists.duplicates({"m": {"a.b": {"l": [1, 1]}}}, schema)
    assert found.path == "m[a.b].l[1]"


def test_schemas_without_such_lists_are_told_apart() -> None:
    assert lists.has_list_types(a_list("map", "k"))
    assert lists.has_list_types(obj({"m": {"type": "object", "additionalProperties": a_list("set")}}))
    assert not lists.has_list_types(obj({"l": {"type": "array", "items": TEXT, "x-kubernetes-list-type": "atomic"}}))
