"""The steps of an apply by themselves: merging values, taking fields out, checking against a schema, changed schemas.

The orders of merged lists, and the words for what does not fit, are those of a kube-apiserver that was asked. Left out:
whose fields they are (test_apply).
"""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.apiserver.failures import Failure
from twinloop.apiserver.patches import compare, conformity, fieldset, managers, merging, removing, reshaping
from twinloop.apiserver.patches.managers import Manager, Owned
from twinloop.apiserver.patches.typed import DEDUCED, Typed

STRING = {"type": "string"}
ITEM = {"type": "object", "properties": {"name": STRING, "x": STRING, "y": STRING}}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "s": STRING,
        "n": {"type": "integer"},
        "on": {"type": "boolean"},
        "struct": {"type": "object", "properties": {"a": STRING, "b": STRING}},
        "labels": {"type": "object", "additionalProperties": STRING},
        "atom": {"type": "object", "properties": {"a": STRING, "b": STRING}, "x-kubernetes-map-type": "atomic"},
        "list": {"type": "array", "items": STRING},
        "set": {"type": "array", "items": STRING, "x-kubernetes-list-type": "set"},
        "items": {
            "type": "array",
            "items": ITEM,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
        },
        "any": {"x-kubernetes-int-or-string": True},
        "time": {"type": "string", "format": "date-time"},
    },
}
TYPED = Typed(SCHEMA)


def merged(live: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    kept = copy.deepcopy((live, config))
    found = merging.merge(live, config, TYPED)
    assert (live, config) == kept
    return found


# ---------------------------------------------------------------- merging


def test_leaves_of_the_configuration_win_and_the_others_stay() -> None:
    live = {"s": "a", "struct": {"a": "1", "b": "2"}, "labels": {"x": "1"}}
    assert merged(live, {"s": "b", "struct": {"a": "3"}, "labels": {"y": "2"}}) == {
        "s": "b",
        "struct": {"a": "3", "b": "2"},
        "labels": {"x": "1", "y": "2"},
    }


def test_what_is_atomic_is_replaced() -> None:
    live = {"atom": {"a": "1", "b": "2"}, "list": ["a", "b"]}
    assert merged(live, {"atom": {"a": "3"}, "list": ["c"]}) == {"atom": {"a": "3"}, "list": ["c"]}


@pytest.mark.parametrize("empty", [{}, None])
def test_an_empty_map_of_the_configuration_is_kept_only_where_there_is_nothing(empty: Any) -> None:
    assert merged({"labels": {"a": "1"}}, {"labels": empty}) == {"labels": {"a": "1"}}
    assert merged({}, {"labels": empty}) == {"labels": empty}
    assert merged({"labels": {}}, {"labels": empty}) == {"labels": empty}


def test_null_of_the_configuration_is_a_scalars_value() -> None:
    assert merged({"s": "a"}, {"s": None}) == {"s": None}


@pytest.mark.parametrize(
    ("live", "config", "expected"),
    [
        ("ab", "cd", "abcd"),
        ("ab", "", "ab"),
        ("", "ab", "ab"),
        ("ab", "b", "ab"),
        ("abc", "cba", "cba"),
        ("abc", "ca", "bca"),
        ("abcd", "db", "acdb"),
        ("abc", "xb", "axbc"),
        ("abc", "bx", "abcx"),
        ("abc", "xay", "xabcy"),
        ("12345", "543", "12543"),
        ("cab", "abdc", "abdc"),
        ("abcdef", "fxcya", "bdefxcya"),
        ("abcdef", "bdac", "bdefac"),
    ],
)
def test_items_of_a_set_follow_the_configurations_order_as_far_as_it_goes(
    live: str, config: str, expected: str
) -> None:
    assert merged({"set": list(live)}, {"set": list(config)}) == {"set": list(expected)}


def test_items_with_keys_are_merged_into_one_another() -> None:
    live = {"items": [{"name": "a", "x": "1"}, {"name": "b", "x": "1"}]}
    config = {"items": [{"name": "b", "y": "2"}, {"name": "c"}]}
    assert merged(live, config) == {
        "items": [{"name": "a", "x": "1"}, {"name": "b", "x": "1", "y": "2"}, {"name": "c"}]
    }


def test_a_duplicate_of_the_live_object_stays_until_it_is_applied() -> None:
    live = {"items": [{"name": "a", "x": "1"}, {"name": "a", "x": "2"}, {"name": "b"}]}
    assert merged(live, {"items": [{"name": "b", "x": "3"}]})["items"] == [*live["items"][:2], {"name": "b", "x": "3"}]
    assert merged(live, {"items": [{"name": "a", "y": "3"}]})["items"] == [{"name": "a", "y": "3"}, {"name": "b"}]


def test_what_no_schema_describes_merges_by_its_shape() -> None:
    live = {"a": {"b": 1, "l": [1]}, "c": 1}
    assert merging.merge(live, {"a": {"d": 2, "l": [2]}, "c": {"e": 1}}, DEDUCED) == {
        "a": {"b": 1, "d": 2, "l": [2]},
        "c": {"e": 1},
    }


def name_of(item: Any) -> Any:
    return item["name"]


VALUES = st.fixed_dictionaries(
    {},
    optional={
        "s": st.sampled_from("ab"),
        "labels": st.dictionaries(st.sampled_from("ab"), st.sampled_from("12"), min_size=1),
        "list": st.lists(st.sampled_from("ab"), min_size=1, max_size=2),
        "set": st.lists(st.sampled_from("abcd"), min_size=1, unique=True),
        "items": st.lists(
            st.fixed_dictionaries({"name": st.sampled_from("abc")}, optional={"x": st.sampled_from("12")}),
            min_size=1,
            unique_by=name_of,
        ),
    },
)


@given(VALUES, VALUES)
def test_after_a_merge_the_configuration_is_there_and_nothing_else_is_lost(live: Any, config: Any) -> None:
    found = merged(live, config)
    assert compare.compare(config, found, TYPED).removed == {}
    assert fieldset.intersection(compare.compare(config, found, TYPED).changed, compare.field_set(config, TYPED)) == {}
    assert compare.compare(live, found, TYPED).removed == {}
    assert merged(found, config) == found, "applying again changes nothing"


@given(VALUES, VALUES)
def test_no_item_is_doubled(live: Any, config: Any) -> None:
    found = merged(live, config)
    assert sorted(found.get("set", [])) == sorted({*live.get("set", []), *config.get("set", [])})
    if "set" in config:
        assert [item for item in found["set"] if item in config["set"]] == config["set"]


# ---------------------------------------------------------------- removing


def test_members_go_with_all_that_is_below_them() -> None:
    obj = {"s": "a", "struct": {"a": "1", "b": "2"}, "items": [{"name": "a"}, {"name": "b", "x": "1", "y": "1"}]}
    fields = fieldset.of(("f:struct",), ("f:items", 'k:{"name":"a"}'), ("f:items", 'k:{"name":"b"}', "f:x"))
    kept = copy.deepcopy(obj)
    assert removing.remove(obj, fields, TYPED) == {"s": "a", "items": [{"name": "b", "y": "1"}]}
    assert obj == kept


def test_a_container_that_loses_all_but_is_no_member_becomes_null() -> None:
    assert removing.remove({"labels": {"a": "1"}}, fieldset.of(("f:labels", "f:a")), TYPED) == {"labels": None}
    assert removing.remove({"set": ["a"]}, fieldset.of(("f:set", 'v:"a"')), TYPED) == {"set": None}


def test_an_object_that_loses_all_is_empty() -> None:
    assert removing.remove({"s": "a"}, fieldset.of(("f:s",)), TYPED) == {}


def test_what_is_not_in_the_set_is_not_touched() -> None:
    obj = {"s": "a", "labels": {"a": "1"}}
    assert removing.remove(obj, fieldset.of(("f:n",), ("f:labels", "f:b")), TYPED) == obj


def test_named_fields_above_members_are_named() -> None:
    fields = fieldset.of(
        ("f:struct", "f:a"), ("f:labels", "f:x"), ("f:items", 'k:{"name":"a"}', "f:x"), ("f:any", "f:b", "f:c")
    )
    assert removing.with_named(fields, TYPED) == {
        "f:any": {".": {}, "f:b": {"f:c": {}}},
        "f:items": {".": {}, 'k:{"name":"a"}': {"f:x": {}}},
        "f:labels": {".": {}, "f:x": {}},
        "f:struct": {".": {}, "f:a": {}},
    }


# ---------------------------------------------------------------- conformity


FITS: dict[str, Any] = {
    "s": "a",
    "n": 1,
    "on": True,
    "struct": {"a": "1"},
    "labels": {"x": "1"},
    "list": ["a", "a"],
    "set": ["a", "b"],
    "items": [{"name": "a"}, {"name": "b"}],
    "any": {"k": [1, "x", None]},
    "time": "2026-01-01T00:00:00Z",
}


def test_what_fits_passes() -> None:
    conformity.check(FITS, TYPED, "x")
    conformity.check(dict.fromkeys(FITS), TYPED, "x")
    conformity.check({"n": 1.5, "any": 1}, TYPED, "x")


@pytest.mark.parametrize(
    ("obj", "why"),
    [
        ({"zz": 1}, ".zz: field not declared in schema"),
        ({"struct": {"c": 1}}, ".struct.c: field not declared in schema"),
        ({"s": 1}, ".s: expected string, got &value.valueUnstructured{Value:1}"),
        ({"s": True}, ".s: expected string, got &value.valueUnstructured{Value:true}"),
        ({"s": ["a", None]}, '.s: expected string, got &value.valueUnstructured{Value:[]interface {}{"a", interface {}(nil)}}'),
        ({"s": {"b": 1, "a": "x"}}, '.s: expected string, got &value.valueUnstructured{Value:map[string]interface {}{"a":"x", "b":1}}'),
        ({"n": "x"}, ".n: expected numeric (int or float), got string"),
        ({"n": True}, ".n: expected numeric (int or float), got bool"),
        ({"n": [1]}, ".n: expected numeric (int or float), got []interface {}"),
        ({"on": 1}, ".on: expected boolean, got &{1}"),
        ({"time": {"a": 1}}, ".time: expected any scalar, got &{map[a:1]}"),
        ({"labels": "a"}, ".labels: expected map, got &{a}"),
        ({"labels": [1]}, ".labels: expected map, got &{[1]}"),
        ({"labels": {"x": 1}}, ".labels.x: expected string, got &value.valueUnstructured{Value:1}"),
        ({"list": "a"}, ".list: expected list, got &{a}"),
        ({"list": [1]}, ".list[0]: expected string, got &value.valueUnstructured{Value:1}"),
        ({"set": [1]}, ".set[=1]: expected string, got &value.valueUnstructured{Value:1}"),
        ({"set": ["a", "a"]}, '.set: duplicate entries for key [="a"]'),
        ({"set": [{}]}, ".set: element 0: associative list without keys has an element that's a map type"),
        ({"items": [{"name": "a"}, {"name": "a"}]}, '.items: duplicate entries for key [name="a"]'),
        ({"items": [{"name": "a", "z": 1}]}, '.items[name="a"].z: field not declared in schema'),
        ({"items": [None]}, ".items: element 0: associative list with keys may not have a null element"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_a_500_with_the_path(obj: dict[str, Any], why: str) -> None:
    with pytest.raises(Failure) as caught:
        conformity.check(obj, TYPED, "failed")
    assert (caught.value.code, caught.value.reason, caught.value.message) == (500, "", f"failed: {why}")


def test_all_that_does_not_fit_is_told() -> None:
    with pytest.raises(Failure) as caught:
        conformity.check({"n": "x", "labels": 1, "zz": 1}, TYPED, "failed")
    assert caught.value.message == (
        "failed: errors:\n  .n: expected numeric (int or float), got string"
        "\n  .labels: expected map, got &{1}\n  .zz: field not declared in schema"
    )


def test_a_live_object_may_have_duplicates() -> None:
    conformity.check({"set": ["a", "a"], "items": [{"name": "a"}] * 2}, TYPED, "x", duplicates=True)


# ---------------------------------------------------------------- a schema that has changed


MANAGER = Manager("m", managers.UPDATE, "v1")


def after_change(fields: fieldset.Fields, **changed: Any) -> fieldset.Fields:
    view = Typed({**SCHEMA, "properties": {**SCHEMA["properties"], **changed}})
    return reshaping.reshaped({MANAGER: Owned(fields, "v1")}, view)[MANAGER].fields


@pytest.mark.parametrize("name", ["struct", "labels", "items", "set"])
def test_who_owned_parts_of_what_is_atomic_now_owns_it(name: str) -> None:
    schema = SCHEMA["properties"][name]
    atomic = {**schema, "x-kubernetes-map-type": "atomic", "x-kubernetes-list-type": "atomic"}
    fields = fieldset.of((f"f:{name}", "f:a"), (f"f:{name}",), ("f:s",))
    assert after_change(fields, **{name: atomic}) == {f"f:{name}": {}, "f:s": {}}


def test_a_schema_that_is_as_it_was_changes_no_set() -> None:
    fields = compare.whole(TYPED, FITS)
    assert after_change(fieldset.inner(fields)) == fieldset.inner(fields)


def test_what_no_schema_describes_stays_as_it_is() -> None:
    fields = fieldset.of(("f:zz", "f:a"), ("f:any", "f:k", "f:l"))
    assert after_change(fields) == fields
    owned = {MANAGER: Owned(fields, "v1")}
    assert reshaping.reshaped(owned, DEDUCED) is owned
