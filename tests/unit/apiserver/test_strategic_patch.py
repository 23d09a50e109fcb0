"""Strategic merge patch: merging by key, directives, the order of lists, and the failures that are bare 500s.

The schema is a small one of our own, made like those of Kubernetes; where a case matters for pods it is taken from
apimachinery's own tests. Left out: unknown fields, which decoding reports after the patch.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest

from twinloop.apiserver.failures import Failure
from twinloop.apiserver.patches import list_order, strategic
from twinloop.apiserver.patches.typed import Typed

STRING = {"type": "string"}
NUMBER = {"type": "integer"}


def merging(items: dict[str, Any], key: str = "", strategy: str = "merge") -> dict[str, Any]:
    by_key = {"x-kubernetes-patch-merge-key": key} if key else {}
    return {"type": "array", "items": items, "x-kubernetes-patch-strategy": strategy, **by_key}


ENV = {"type": "object", "properties": {"name": STRING, "value": STRING}}
SCHEMAS: dict[str, Any] = {
    "test.Spec": {
        "type": "object",
        "properties": {
            "containers": merging({"$ref": "#/test.Container"}, "name"),
            "volumes": merging({"$ref": "#/test.Volume"}, "name", "merge,retainKeys"),
            "finalizers": merging(STRING),
            "tolerations": {"type": "array", "items": {"type": "object", "properties": {"key": STRING}}},
            "args": {"type": "array", "items": STRING},
            "labels": {"type": "object", "additionalProperties": STRING},
            "nested": {"type": "object", "additionalProperties": {"$ref": "#/test.Volume"}},
            "strategy": {"allOf": [{"$ref": "#/test.Strategy"}], "x-kubernetes-patch-strategy": "retainKeys"},
            "whole": {"allOf": [{"$ref": "#/test.Strategy"}], "x-kubernetes-patch-strategy": "replace"},
            "keyless": merging({"type": "object", "properties": {"a": STRING}}),
            "replicas": NUMBER,
        },
    },
    "test.Container": {
        "type": "object",
        "properties": {"name": STRING, "image": STRING, "env": merging(ENV, "name"), "args": {"type": "array", "items": STRING}},
    },
    "test.Volume": {"type": "object", "properties": {"name": STRING, "emptyDir": {"type": "object"}, "secret": {"type": "object"}}},
    "test.Strategy": {"type": "object", "properties": {"type": STRING, "rolling": {"type": "object", "properties": {"max": NUMBER}}}},
}  # fmt: skip
ROOT = {"type": "object", "properties": {"spec": {"$ref": "#/test.Spec"}}}
TYPED = Typed(ROOT, lambda reference: SCHEMAS[reference.rpartition("/")[2]])


def patched(spec: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """The spec after a patch of it, with a check that neither changes."""
    doc, given = {"spec": spec}, {"spec": patch}
    kept = copy.deepcopy((doc, given))
    found: dict[str, Any] = strategic.apply(doc, given, TYPED)["spec"]
    assert (doc, given) == kept
    return found


def refused(spec: dict[str, Any], patch: dict[str, Any]) -> tuple[int, str, str]:
    with pytest.raises(Failure) as caught:
        patched(spec, patch)
    return caught.value.code, caught.value.reason, caught.value.message


def containers(*names: str) -> list[dict[str, Any]]:
    return [{"name": name, "image": name.upper()} for name in names]


def names(items: list[dict[str, Any]]) -> list[str]:
    return [item["name"] for item in items]


# ---------------------------------------------------------------- maps


def test_maps_merge_and_null_removes() -> None:
    assert patched({"replicas": 1, "labels": {"a": "1", "b": "2"}}, {"labels": {"a": None, "c": "3"}}) == {
        "replicas": 1,
        "labels": {"b": "2", "c": "3"},
    }


def test_null_for_what_is_not_there_is_dropped() -> None:
    assert patched({}, {"replicas": None, "labels": {"a": None, "b": "1"}}) == {"labels": {"b": "1"}}


def test_another_type_replaces() -> None:
    assert patched({"labels": {"a": "1"}}, {"labels": "x"}) == {"labels": "x"}
    assert patched({"labels": "x"}, {"labels": {"a": "1", "b": None}}) == {"labels": {"a": "1"}}


def test_replace_takes_the_patch_for_the_whole_map() -> None:
    assert patched({"labels": {"a": "1"}}, {"labels": {"$patch": "replace", "b": "2"}}) == {"labels": {"b": "2"}}


def test_delete_empties_a_map() -> None:
    assert patched({"labels": {"a": "1"}}, {"labels": {"$patch": "delete"}}) == {"labels": {}}


def test_a_directive_on_what_is_not_there_adds_nothing() -> None:
    assert patched({}, {"labels": {"$patch": "delete"}, "containers": [{"name": "a", "$patch": "delete"}]}) == {
        "containers": []
    }


def test_a_map_with_strategy_replace_is_replaced() -> None:
    spec = {"whole": {"type": "A", "rolling": {"max": 1}}}
    assert patched(spec, {"whole": {"type": "B"}}) == {"whole": {"type": "B"}}


def test_replace_can_be_asked_for_the_whole_object() -> None:
    assert strategic.apply({"spec": {}, "kind": "X"}, {"$patch": "replace", "kind": "Y"}, TYPED) == {"kind": "Y"}
    assert strategic.apply({"spec": {}}, {"$patch": "delete"}, TYPED) == {}


def test_an_unknown_directive_is_a_500_that_shows_the_map_as_go_prints_it() -> None:
    assert refused({"labels": {"a": "1"}}, {"labels": {"$patch": "bad", "b": "2"}}) == (
        500,
        "",
        "unknown patch type: bad in map: map[$patch:bad b:2]",
    )


def test_an_unknown_field_takes_the_value_as_it_is_and_cannot_be_merged() -> None:
    assert patched({}, {"unknown": {"a": 1}}) == {"unknown": {"a": 1}}
    why = 'unable to find api field in struct Spec for the json field "unknown"'
    assert refused({"unknown": {"a": 1}}, {"unknown": {"a": 2}}) == (500, "", why)


def test_maps_in_a_map_of_anything_cannot_be_merged() -> None:
    why = "merging an object in json but data type is not struct, instead is: map"
    assert refused({"nested": {"x": {"name": "a"}}}, {"nested": {"x": {"name": "b"}}}) == (500, "", why)


def test_a_kind_without_a_schema_has_no_strategic_merge() -> None:
    with pytest.raises(Failure) as caught:
        strategic.apply({}, {}, None)
    assert (caught.value.code, caught.value.message) == (415, "strategic merge patch format is not supported")


# ---------------------------------------------------------------- retainKeys


def test_retain_keys_clears_what_it_does_not_list() -> None:
    spec = {"strategy": {"type": "Rolling", "rolling": {"max": 1}}}
    assert patched(spec, {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}) == {
        "strategy": {"type": "Recreate"}
    }


def test_retain_keys_works_in_items_of_lists() -> None:
    spec = {"volumes": [{"name": "v", "emptyDir": {}}]}
    patch = {"volumes": [{"name": "v", "secret": {"a": "b"}, "$retainKeys": ["name", "secret"]}]}
    assert patched(spec, patch) == {"volumes": [{"name": "v", "secret": {"a": "b"}}]}


@pytest.mark.parametrize("keys", [1, "type", ["rolling"], []])
def test_retain_keys_must_list_what_the_patch_brings(keys: Any) -> None:
    found = refused({"strategy": {}}, {"strategy": {"$retainKeys": keys, "type": "A"}})
    assert found == (400, "BadRequest", "invalid patch format of retainKeys")


def test_retain_keys_need_not_list_what_goes() -> None:
    spec = {"strategy": {"type": "A", "rolling": {"max": 1}}}
    assert patched(spec, {"strategy": {"$retainKeys": [], "rolling": None}}) == {"strategy": {}}


# ---------------------------------------------------------------- lists of maps


def test_items_merge_by_key_and_new_ones_come_last() -> None:
    spec = {"containers": containers("a", "b")}
    found = patched(spec, {"containers": [{"name": "b", "image": "new"}, {"name": "c"}]})["containers"]
    assert found == [{"name": "a", "image": "A"}, {"name": "b", "image": "new"}, {"name": "c"}]


def test_lists_below_items_merge_too() -> None:
    spec = {"containers": [{"name": "a", "env": [{"name": "X", "value": "1"}, {"name": "Y", "value": "2"}]}]}
    patch = {"containers": [{"name": "a", "env": [{"name": "Y", "value": "3"}, {"name": "X", "$patch": "delete"}]}]}
    assert patched(spec, patch)["containers"] == [{"name": "a", "env": [{"name": "Y", "value": "3"}]}]


def test_an_item_of_a_patch_keeps_its_place_relative_to_others_of_the_patch() -> None:
    spec = {"containers": containers("a", "b", "c")}
    found = patched(spec, {"containers": [{"name": "c"}, {"name": "a"}]})["containers"]
    assert names(found) == ["b", "c", "a"]


def test_a_deleted_item_is_gone_wherever_it_stands() -> None:
    spec = {"containers": containers("a", "b", "c")}
    patch = {"containers": [{"name": "b", "$patch": "delete"}, {"name": "zz", "$patch": "delete"}]}
    assert names(patched(spec, patch)["containers"]) == ["a", "c"]


def test_replace_in_a_list_takes_the_patch_for_the_whole_list() -> None:
    spec = {"containers": containers("a", "b")}
    patch = {"containers": [{"name": "c"}, {"$patch": "replace"}, {"name": "a", "image": "x"}]}
    assert patched(spec, patch)["containers"] == [{"name": "c"}, {"name": "a", "image": "x"}]


def test_an_atomic_list_is_replaced() -> None:
    spec = {"tolerations": [{"key": "a"}, {"key": "b"}], "args": ["x", "y"]}
    assert patched(spec, {"tolerations": [{"key": "c"}], "args": ["z"]}) == {
        "tolerations": [{"key": "c"}],
        "args": ["z"],
    }


def test_two_empty_lists_stay_empty() -> None:
    assert patched({"containers": []}, {"containers": []}) == {"containers": []}


@pytest.mark.parametrize(
    ("patch", "why"),
    [
        ([{"image": "x"}], "map: map[image:x] does not contain declared merge key: name"),
        ([{"$patch": "delete"}], "map: map[$patch:delete] does not contain declared merge key: name"),
        ([{"name": "a", "$patch": "merge"}], "merging lists cannot yet be specified in the patch"),
        ([{"name": "a", "$patch": "bad"}], "unknown patch type: bad in map: map[$patch:bad name:a]"),
        (["a"], "list element types are not identical: [[map[image:A name:a]] [a]]"),
        ([{"name": "a"}, None], "list element types are not identical: [[map[image:A name:a]] [map[name:a] <nil>]]"),
        ([[]], "list element types are not identical: [[map[image:A name:a]] [[]]]"),
    ],
)
def test_an_item_that_fits_no_merge_is_a_500(patch: list[Any], why: str) -> None:
    assert refused({"containers": containers("a")}, {"containers": patch}) == (500, "", why)


def test_a_list_of_maps_without_a_key_cannot_be_merged() -> None:
    why = "cannot merge lists without merge key for struct"
    assert refused({"keyless": [{"a": "1"}]}, {"keyless": [{"a": "2"}]}) == (500, "", why)


def test_a_list_of_lists_is_a_422() -> None:
    code, reason, message = refused({"finalizers": []}, {"finalizers": [["a"]]})
    assert (code, reason) == (422, "Invalid")
    assert message == "the server rejected our request due to an error in our request"


# ---------------------------------------------------------------- lists of scalars


def test_scalars_merge_as_a_set() -> None:
    found = patched({"finalizers": ["a", "b"]}, {"finalizers": ["b", "c"]})["finalizers"]
    assert found == ["a", "b", "c"]


def test_scalars_are_deleted_by_a_list_beside() -> None:
    spec = {"finalizers": ["a", "b", "c"]}
    assert patched(spec, {"$deleteFromPrimitiveList/finalizers": ["b", "zz"]}) == {"finalizers": ["a", "c"]}
    assert patched({}, {"$deleteFromPrimitiveList/finalizers": ["b"]}) == {}
    assert patched(spec, {"$deleteFromPrimitiveList/finalizers": None}) == {}
    assert patched(spec, {"$deleteFromPrimitiveList/finalizers": "a"}) == spec


def test_scalars_of_an_atomic_list_can_be_deleted_too() -> None:
    assert patched({"args": ["a", "b"]}, {"$deleteFromPrimitiveList/args": ["a"]}) == {"args": ["b"]}


def test_a_delete_list_must_say_what_of() -> None:
    found = refused({}, {"$deleteFromPrimitiveList": ["a"]})
    assert found == (400, "BadRequest", "invalid patch format of primitive list")


@pytest.mark.parametrize(
    ("items", "expected"),
    [([1, 2, 1], [1, 2]), ([1, 1, 2, 3], [1, 3, 2]), ([1, 1, 1], [1]), ([True, 1], [True, 1]), ([], [])],
)
def test_the_last_item_takes_the_place_of_a_duplicate(items: list[Any], expected: list[Any]) -> None:
    found = list_order.deduplicated(items)
    assert [(type(item), item) for item in found] == [(type(item), item) for item in expected]


# ---------------------------------------------------------------- setElementOrder


@pytest.mark.parametrize(
    ("live", "patch", "order", "expected"),
    [
        ("abc", "", "cba", "cba"),
        ("abc", "d", "dabc", "dabc"),
        ("abc", "d", "adbc", "adbc"),
        ("abc", "", "ca", "bca"),
        ("abcd", "", "db", "acdb"),
        ("", "ab", "ab", "ab"),
        ("abc", "", "", "abc"),
    ],
)
def test_items_stand_in_the_order_that_is_asked_for(live: str, patch: str, order: str, expected: str) -> None:
    given: dict[str, Any] = {"$setElementOrder/containers": [{"name": name} for name in order]}
    given |= {"containers": [{"name": name} for name in patch]} if patch else {}
    spec = {"containers": containers(*live)} if live else {}
    assert names(patched(spec, given)["containers"]) == list(expected)


def test_scalars_can_be_ordered() -> None:
    patch = {"finalizers": ["c"], "$setElementOrder/finalizers": ["c", "b", "a"]}
    assert patched({"finalizers": ["a", "b"]}, patch) == {"finalizers": ["c", "b", "a"]}


def test_deleting_and_ordering_go_together() -> None:
    patch = {
        "containers": [{"name": "b", "$patch": "delete"}],
        "$setElementOrder/containers": [{"name": "c"}, {"name": "a"}],
    }
    assert names(patched({"containers": containers("a", "b", "c")}, patch)["containers"]) == ["c", "a"]


def test_an_order_for_what_is_not_there_adds_nothing() -> None:
    assert patched({}, {"$setElementOrder/containers": [{"name": "a"}]}) == {}


@pytest.mark.parametrize(
    ("patch", "order"),
    [(["a", "b"], ["b", "a"]), (["z"], ["a"]), (["a", "z"], ["a"])],
)
def test_a_patch_must_keep_its_own_order(patch: list[str], order: list[str]) -> None:
    given = {
        "containers": [{"name": name} for name in patch],
        "$setElementOrder/containers": [{"name": name} for name in order],
    }
    code, reason, message = refused({"containers": containers("a", "b")}, given)
    shown = [" ".join(f"map[name:{name}]" for name in each) for each in (patch, order)]
    assert (code, reason) == (500, "")
    assert message == (f"The order in patch list:\n[{shown[0]}]\n doesn't match $setElementOrder list:\n[{shown[1]}]\n")


def test_a_directive_at_the_end_is_still_looked_for_in_the_order() -> None:
    """Odd, but so the real server is: an item with $patch is passed over only while the order goes on."""
    order = [{"name": "a"}, {"name": "b"}]
    given = [{"name": "a"}, {"$patch": "replace"}, {"name": "b"}]
    list_order.check(given, order, "name")
    with pytest.raises(Failure):
        list_order.check([*given, {"$patch": "replace"}], order, "name")


@pytest.mark.parametrize(
    ("patch", "found"),
    [
        ({"$setElementOrder": []}, (400, "BadRequest", "invalid patch format of setElementOrder list")),
        (
            {"$setElementOrder/containers": 1},
            (500, "", "expected a []interface {}, but received a int64"),
        ),
        (
            {"$setElementOrder/containers": [{"name": "a"}], "containers": {}},
            (500, "", "expected a []interface {}, but received a map[string]interface {}"),
        ),
        (
            {"$setElementOrder/unknown": [{"name": "a"}]},
            (500, "", 'unable to find api field in struct Spec for the json field "unknown"'),
        ),
        (
            {"$setElementOrder/containers": [{"title": "a"}], "containers": [{"name": "a"}]},
            (500, "", "map: map[title:a] does not contain declared merge key: name"),
        ),
    ],
)
def test_a_malformed_order_is_refused(patch: dict[str, Any], found: tuple[int, str, str]) -> None:
    assert refused({"containers": containers("a")}, patch) == found


def test_an_item_that_the_order_does_not_name_goes_ahead_of_its_neighbour() -> None:
    """What Go's insertion sort makes of a comparison that is none; seen when an order names nothing at all."""
    assert list_order.ordered(["a", "b", "n"], [], ["b", "a"], "", maps=False) == ["n", "b", "a"]
