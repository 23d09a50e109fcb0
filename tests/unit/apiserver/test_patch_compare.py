"""How two states of an object differ, and which fields a configuration speaks of.

Left out: whose the differences are (test_managed_fields, test_apply).
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.apiserver.patches import compare, elements, fieldset
from twinloop.apiserver.patches.fieldset import Fields
from twinloop.apiserver.patches.typed import DEDUCED, Typed

STRING = {"type": "string"}
ITEM = {
    "type": "object",
    "properties": {"name": STRING, "x": STRING, "deep": {"type": "object", "properties": {"y": STRING}}},
}
BY_NAME = {"type": "array", "items": ITEM, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
TYPED = Typed(
    {
        "type": "object",
        "properties": {
            "s": STRING,
            "n": {"type": "integer"},
            "struct": {"type": "object", "properties": {"a": STRING, "b": STRING}},
            "labels": {"type": "object", "additionalProperties": STRING},
            "atom": {"type": "object", "properties": {"a": STRING}, "x-kubernetes-map-type": "atomic"},
            "list": {"type": "array", "items": STRING},
            "set": {"type": "array", "items": STRING, "x-kubernetes-list-type": "set"},
            "items": BY_NAME,
            "any": {"x-kubernetes-int-or-string": True},
        },
    }
)


def differences(old: dict[str, Any], new: dict[str, Any], typed: Typed = TYPED) -> tuple[Fields, Fields]:
    found = compare.compare(old, new, typed)
    return found.removed, found.changed


def test_equal_objects_have_no_differences() -> None:
    obj = {"s": "x", "labels": {"a": "1"}, "items": [{"name": "a", "x": "1"}]}
    found = compare.compare(obj, {key: obj[key] for key in reversed(obj)}, TYPED)
    assert found.same


def test_a_scalar_is_one_field() -> None:
    assert differences({"s": "x"}, {"s": "y"}) == ({}, {"f:s": {}})
    assert differences({}, {"s": "y"}) == ({}, {"f:s": {}})
    assert differences({"s": "x"}, {}) == ({"f:s": {}}, {})


def test_what_is_new_is_new_with_all_that_is_below() -> None:
    new = {"struct": {"a": "1"}, "labels": {"x": "1"}, "items": [{"name": "a", "deep": {"y": "1"}}]}
    assert differences({}, new) == (
        {},
        {
            "f:items": {".": {}, 'k:{"name":"a"}': {".": {}, "f:deep": {".": {}, "f:y": {}}, "f:name": {}}},
            "f:labels": {".": {}, "f:x": {}},
            "f:struct": {".": {}, "f:a": {}},
        },
    )


def test_what_was_there_is_not_in_the_difference_itself() -> None:
    assert differences({"labels": {"a": "1"}}, {"labels": {"a": "1", "b": "2"}}) == ({}, {"f:labels": {"f:b": {}}})
    assert differences({"labels": {"a": "1", "b": "2"}}, {"labels": {"a": "2"}}) == (
        {"f:labels": {"f:b": {}}},
        {"f:labels": {"f:a": {}}},
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [({"list": ["a"]}, {"list": ["a", "b"]}), ({"list": []}, {"list": ["a"]}), ({"list": None}, {"list": ["a"]})],
)
def test_an_atomic_list_is_one_field(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert differences(old, new) == ({}, {"f:list": {}})


def test_an_atomic_map_is_one_field() -> None:
    assert differences({"atom": {"a": "1"}}, {"atom": {"a": "2"}}) == ({}, {"f:atom": {}})
    assert differences({}, {"atom": {"a": "1"}}) == ({}, {"f:atom": {}})


def test_items_of_a_set_are_fields() -> None:
    assert differences({"set": ["a", "b"]}, {"set": ["c", "b"]}) == (
        {"f:set": {'v:"a"': {}}},
        {"f:set": {'v:"c"': {}}},
    )


def test_the_order_of_items_is_no_difference() -> None:
    assert compare.compare({"set": ["a", "b"]}, {"set": ["b", "a"]}, TYPED).same
    one, other = {"name": "a", "x": "1"}, {"name": "b", "x": "2"}
    assert compare.compare({"items": [one, other]}, {"items": [other, one]}, TYPED).same


def test_items_are_compared_with_the_one_of_the_same_keys() -> None:
    old = {"items": [{"name": "a", "x": "1"}, {"name": "b", "x": "1"}]}
    new = {"items": [{"name": "b", "x": "2"}, {"name": "c"}]}
    assert differences(old, new) == (
        {"f:items": {'k:{"name":"a"}': {".": {}, "f:name": {}, "f:x": {}}}},
        {"f:items": {'k:{"name":"b"}': {"f:x": {}}, 'k:{"name":"c"}': {".": {}, "f:name": {}}}},
    )


def test_an_empty_container_is_a_leaf_and_differs_from_null() -> None:
    assert differences({}, {"labels": {}, "set": []}) == ({}, {"f:labels": {}, "f:set": {}})
    assert differences({"labels": None}, {"labels": {}}) == ({}, {"f:labels": {}})
    assert differences({"labels": {}}, {"labels": None}) == ({}, {"f:labels": {}})


def test_null_takes_the_shape_of_the_other_side() -> None:
    assert differences({"labels": None}, {"labels": {"a": "1"}}) == ({}, {"f:labels": {"f:a": {}}})
    assert differences({"labels": {"a": "1"}}, {"labels": None}) == ({"f:labels": {"f:a": {}}}, {})


@pytest.mark.parametrize(
    ("old", "new", "removed", "changed"),
    [
        (["a", "a"], ["a", "a"], {}, {}),
        ([{"name": "a", "x": "1"}] * 2, [{"name": "a", "x": "2"}] * 2, {}, {'k:{"name":"a"}': {}}),
        (
            [{"name": "a", "x": "1"}] * 2,
            [{"name": "a", "x": "1"}],
            {'k:{"name":"a"}': {}},
            {'k:{"name":"a"}': {".": {}, "f:name": {}, "f:x": {}}},
        ),
        (
            [{"name": "a", "x": "1"}],
            [{"name": "a", "x": "1"}] * 2,
            {'k:{"name":"a"}': {".": {}, "f:name": {}, "f:x": {}}},
            {'k:{"name":"a"}': {}},
        ),
        ([], [{"name": "a"}] * 2, {}, {'k:{"name":"a"}': {}}),
        ([{"name": "a"}] * 2, [], {'k:{"name":"a"}': {}}, {}),
    ],
)
def test_duplicates_are_one_field_together(old: list[Any], new: list[Any], removed: Fields, changed: Fields) -> None:
    name = "set" if old and old[0] == "a" else "items"
    found = differences({name: old}, {name: new})
    assert found == ({f"f:{name}": removed} if removed else {}, {f"f:{name}": changed} if changed else {})


def test_a_value_of_another_type_is_changed_and_what_was_below_it_removed() -> None:
    assert differences({"x": {"a": 1}}, {"x": 1}, DEDUCED) == ({"f:x": {"f:a": {}}}, {"f:x": {}})
    assert differences({"x": 1}, {"x": {"a": 1}}, DEDUCED) == ({}, {"f:x": {".": {}, "f:a": {}}})
    assert differences({"x": [1]}, {"x": 1}, DEDUCED) == ({}, {"f:x": {}})
    assert differences({"x": [1]}, {"x": {"a": 1}}, DEDUCED) == ({}, {"f:x": {".": {}, "f:a": {}}})


def test_items_without_keys_cannot_be_compared() -> None:
    with pytest.raises(elements.NoElement):
        compare.compare({"items": []}, {"items": [{"x": "1"}]}, TYPED)


# ---------------------------------------------------------------- equality


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        ([1], [True], False),
        ({"a": {"b": 1}}, {"a": {"b": True}}, False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": [1, 2]}, {"a": [2, 1]}, False),
        (None, {}, False),
        ("1", 1, False),
    ],
)
def test_equality_is_that_of_json(one: Any, other: Any, equal: bool) -> None:
    assert compare.same(one, other) is equal


# ---------------------------------------------------------------- the set of a configuration


def test_a_configuration_speaks_of_leaves_items_and_undeclared_names() -> None:
    config = {
        "struct": {"a": "1"},
        "labels": {"x": "1"},
        "atom": {"a": "1"},
        "list": ["a"],
        "set": ["b", "a"],
        "items": [{"name": "a", "deep": {"y": "1"}}],
        "any": {"k": {"l": 1}},
    }
    assert compare.field_set(config, TYPED) == {
        "f:any": {"f:k": {".": {}, "f:l": {}}},
        "f:atom": {},
        "f:items": {'k:{"name":"a"}': {".": {}, "f:deep": {"f:y": {}}, "f:name": {}}},
        "f:labels": {"f:x": {}},
        "f:list": {},
        "f:set": {'v:"a"': {}, 'v:"b"': {}},
        "f:struct": {"f:a": {}},
    }


def test_an_empty_map_is_spoken_of_and_an_empty_list_of_items_is_not() -> None:
    config: dict[str, Any] = {"labels": {}, "struct": {}, "set": [], "items": [], "list": [], "s": None}
    assert compare.field_set(config, TYPED) == {"f:labels": {}, "f:list": {}, "f:s": {}, "f:struct": {}}


def test_of_duplicates_only_the_item_is_spoken_of() -> None:
    config = {"items": [{"name": "a", "x": "1"}, {"name": "a"}, {"name": "b", "x": "1"}]}
    assert compare.field_set(config, TYPED)["f:items"] == {
        'k:{"name":"a"}': {},
        'k:{"name":"b"}': {".": {}, "f:name": {}, "f:x": {}},
    }


# ---------------------------------------------------------------- properties


NAMES = st.sampled_from("abc")
MAPS = st.dictionaries(NAMES, st.sampled_from(["1", "2"]), max_size=3)
ITEMS = st.lists(
    st.fixed_dictionaries({"name": NAMES}, optional={"x": NAMES}), max_size=3, unique_by=lambda item: item["name"]
)
OBJECTS = st.fixed_dictionaries(
    {},
    optional={
        "s": NAMES,
        "struct": MAPS.map(lambda found: {key: value for key, value in found.items() if key != "c"}),
        "labels": MAPS,
        "atom": st.fixed_dictionaries({}, optional={"a": NAMES}),
        "list": st.lists(NAMES, max_size=2),
        "set": st.lists(NAMES, max_size=3, unique=True),
        "items": ITEMS,
    },
)


@given(OBJECTS, OBJECTS)
def test_what_one_way_removes_the_other_way_adds(one: dict[str, Any], other: dict[str, Any]) -> None:
    there, back = compare.compare(one, other, TYPED), compare.compare(other, one, TYPED)
    assert fieldset.difference(there.removed, back.changed) == {}
    assert set(fieldset.paths(fieldset.intersection(there.removed, there.changed))) == set()


@given(OBJECTS)
def test_nothing_differs_from_itself_and_everything_from_nothing(obj: dict[str, Any]) -> None:
    assert compare.compare(obj, dict(obj), TYPED).same
    added = compare.compare({}, obj, TYPED).changed
    assert fieldset.difference(compare.field_set(obj, TYPED), added) == {}
