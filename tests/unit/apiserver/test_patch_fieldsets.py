"""Sets of fields as FieldsV1 writes them, and the path elements they are made of.

The sets are checked against plain sets of paths, which is what they stand for. Left out: how sets come from objects
(test_patch_compare).
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.apiserver.patches import elements, fieldset
from twinloop.apiserver.patches.fieldset import Fields
from twinloop.apiserver.patches.typed import Typed

STRING = {"type": "string"}
PATHS = st.sets(
    st.lists(st.sampled_from(["f:a", "f:b", 'k:{"name":"c"}', 'v:"d"']), min_size=1, max_size=4).map(tuple), max_size=8
)


def members(fields: Fields) -> set[tuple[str, ...]]:
    return set(fieldset.paths(fields))


def below(path: tuple[str, ...], others: set[tuple[str, ...]]) -> bool:
    return any(path[: len(other)] == other for other in others)


# ---------------------------------------------------------------- sets


@given(PATHS)
def test_a_set_has_what_it_was_made_of(paths: set[tuple[str, ...]]) -> None:
    fields = fieldset.of(*paths)
    assert members(fields) == paths
    assert all(fieldset.has(fields, path) for path in paths)
    assert not fieldset.has(fields, ("f:zz",))


@given(PATHS, PATHS)
def test_union_difference_and_intersection_are_those_of_sets(one: set[Any], other: set[Any]) -> None:
    first, second = fieldset.of(*one), fieldset.of(*other)
    assert members(fieldset.union(first, second)) == one | other
    assert members(fieldset.difference(first, second)) == one - other
    assert members(fieldset.intersection(first, second)) == one & other


@given(PATHS, PATHS)
def test_a_recursive_difference_takes_what_is_below_too(one: set[Any], other: set[Any]) -> None:
    found = fieldset.recursive_difference(fieldset.of(*one), fieldset.of(*other))
    assert members(found) == {path for path in one if not below(path, other)}


@given(PATHS, PATHS)
def test_no_operation_changes_a_set_or_leaves_an_element_without_members(one: set[Any], other: set[Any]) -> None:
    first, second = fieldset.of(*one), fieldset.of(*other)
    kept = json.dumps([first, second])
    for operation in (fieldset.union, fieldset.difference, fieldset.recursive_difference, fieldset.intersection):
        found = operation(first, second)
        assert found == fieldset.of(*members(found))
    assert json.dumps([first, second]) == kept


@given(PATHS)
def test_a_tidy_set_is_the_same_set_in_order(paths: set[tuple[str, ...]]) -> None:
    fields = fieldset.of(*sorted(paths, reverse=True))
    found = fieldset.tidy(fields)
    assert found == fields
    assert list(found) == sorted(found, key=elements.order)


def test_a_member_with_members_below_it_carries_a_dot() -> None:
    assert fieldset.of(("f:a",), ("f:a", "f:b"), ("f:c", "f:d")) == {"f:a": {".": {}, "f:b": {}}, "f:c": {"f:d": {}}}


def test_paths_come_level_by_level_below_each_element() -> None:
    fields = fieldset.of(
        ("f:b",), ("f:a", "f:x"), ("f:a",), ("f:a", "f:x", "f:y"), ("f:c", 'k:{"n":10}'), ("f:c", 'k:{"n":9}')
    )
    assert list(fieldset.paths(fields)) == [
        ("f:a",),
        ("f:b",),
        ("f:a", "f:x"),
        ("f:a", "f:x", "f:y"),
        ("f:c", 'k:{"n":9}'),
        ("f:c", 'k:{"n":10}'),
    ]


def test_tidying_rewrites_what_a_client_wrote_in_its_own_way() -> None:
    given = {"f:b": {}, "f:a": {'k:{ "z" : 1, "a" : "x" }': {".": {}}, "v: 1": {}}, "q:future": {"f:c": {}}}
    assert json.dumps(fieldset.tidy(given)) == json.dumps({"f:a": {'k:{"a":"x","z":1}': {}, "v:1": {}}, "f:b": {}})


@pytest.mark.parametrize(
    "fields", [{"f": {}}, {"name": {}}, {"f:a": 1}, {"f:a": []}, {"k:{": {}}, {"v:": {}}, {"": {}}]
)
def test_what_is_no_set_is_a_value_error(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        fieldset.tidy(fields)


# ---------------------------------------------------------------- elements


def keyed(*keys: str, **defaults: Any) -> Typed:
    properties = {key: {**STRING, **({"default": defaults[key]} if key in defaults else {})} for key in keys}
    items = {"type": "object", "properties": properties}
    return Typed(
        {"type": "array", "items": items, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)}
    )


SET = Typed({"type": "array", "items": STRING, "x-kubernetes-list-type": "set"})


@pytest.mark.parametrize(
    ("typed", "item", "element"),
    [
        (keyed("name"), {"name": "c", "x": 1}, 'k:{"name":"c"}'),
        (keyed("name"), {"name": 'a"b'}, 'k:{"name":"a\\"b"}'),
        (keyed("name"), {"name": "a<b>&c"}, 'k:{"name":"a\\u003cb\\u003e\\u0026c"}'),
        (keyed("name"), {"name": "\u2028é"}, 'k:{"name":"\\u2028é"}'),
        (keyed("port"), {"port": 80}, 'k:{"port":80}'),
        (keyed("proto", "port"), {"port": 80, "proto": "UDP"}, 'k:{"port":80,"proto":"UDP"}'),
        (keyed("port", "proto", proto="TCP"), {"port": 80}, 'k:{"port":80,"proto":"TCP"}'),
        (keyed("port", "proto"), {"port": 80}, 'k:{"port":80}'),
        (keyed("on"), {"on": True}, 'k:{"on":true}'),
        (SET, "a", 'v:"a"'),
        (SET, 1, "v:1"),
        (SET, False, "v:false"),
    ],
)
def test_an_item_is_known_by_its_keys_or_its_value(typed: Typed, item: Any, element: str) -> None:
    assert elements.of_item(typed, item) == element


@pytest.mark.parametrize(
    ("typed", "item", "why"),
    [
        (keyed("name"), None, "associative list with keys may not have a null element"),
        (keyed("name"), "x", "associative list with keys may not have non-map elements"),
        (
            keyed("a", "b"),
            {"c": 1},
            (
                'associative list with keys has an element that omits all key fields ["a" "b"]'
                " (and doesn't have default values for any key fields)"
            ),
        ),
        (SET, {}, "associative list without keys has an element that's a map type"),
        (SET, [], "not supported: associative list with lists as elements"),
        (SET, None, "associative list without keys has an element that's an explicit null"),
    ],
)
def test_an_item_may_have_nothing_to_be_known_by(typed: Typed, item: Any, why: str) -> None:
    with pytest.raises(elements.NoElement) as caught:
        elements.of_item(typed, item)
    assert str(caught.value) == why


@pytest.mark.parametrize(
    ("element", "shown"),
    [
        ("f:spec", ".spec"),
        ("f:a.b/c", ".a.b/c"),
        ('k:{"name":"c"}', '[name="c"]'),
        ('k:{"containerPort":80,"protocol":"TCP"}', '[containerPort=80,protocol="TCP"]'),
        ('v:"a\\u003cb"', '[="a<b"]'),
        ("v:1", "[=1]"),
        ("v:true", "[=true]"),
        ("i:3", "[3]"),
    ],
)
def test_people_see_another_form(element: str, shown: str) -> None:
    assert elements.shown(element) == shown


def test_elements_have_an_order_by_kind_and_then_by_value() -> None:
    ordered = [
        "f:a",
        "f:b",
        'k:{"a":1}',
        'k:{"a":2}',
        'k:{"a":10}',
        'k:{"a":"1"}',
        "v:2",
        "v:10",
        'v:"a"',
        "v:true",
        "i:2",
        "i:10",
    ]
    assert sorted(ordered[5:] + ordered[:5], key=elements.order) == ordered
