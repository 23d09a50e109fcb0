"""Server-side apply: who gets what, what goes when it is given up, what is refused and how that is told.

Named after structured-merge-diff's merge tests and apimachinery's managedfields tests where one exists. Left out:
random sequences on a real server (test_recorded_patches), the steps by themselves (test_patch_merging), what a kind
makes of the result, and who may be a field manager (test_options).
"""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop.apiserver.builtin import documents
from twinloop.apiserver.clock import timestamp
from twinloop.apiserver.failures import Failure
from twinloop.apiserver.patches import apply, compare, fieldset, managed_fields, merge_patch, typed
from twinloop.apiserver.patches.typed import Typed

Object = dict[str, Any]

NOW = 1_700_000_000.0
STRING = {"type": "string"}
ITEM = {"type": "object", "properties": {"name": STRING, "x": STRING, "y": STRING}}
THINGS = typed.custom(
    {
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "properties": {
                    "a": STRING,
                    "b": STRING,
                    "deep": {"type": "object", "properties": {"er": {"type": "object", "properties": {"z": STRING}}}},
                    "map": {"type": "object", "additionalProperties": STRING},
                    "atom": {"type": "object", "properties": {"a": STRING}, "x-kubernetes-map-type": "atomic"},
                    "list": {"type": "array", "items": STRING},
                    "set": {"type": "array", "items": STRING, "x-kubernetes-list-type": "set"},
                    "items": {
                        "type": "array",
                        "items": ITEM,
                        "x-kubernetes-list-type": "map",
                        "x-kubernetes-list-map-keys": ["name"],
                    },
                },
            },
            "status": {"type": "object", "properties": {"phase": STRING}},
        },
    }
)
CONFIG_MAPS = documents.typed("", "ConfigMap")


def thing(spec: Any = None, **more: Any) -> Object:
    found: Object = {"apiVersion": "example.dev/v1", "kind": "Thing", "metadata": {"name": "a"}, **more}
    return found if spec is None else {**found, "spec": spec}


def config_map(data: Any = None, **metadata: Any) -> Object:
    found: Object = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", **metadata}}
    return found if data is None else {**found, "data": data}


def applied(
    live: Object | None, config: Object, manager: str = "m", *, force: bool = False, now: float = NOW, view: Typed | None = None, **more: Any
) -> Object:  # fmt: skip
    """The object after an apply, with a check that neither the stored object nor the configuration changes."""
    kept = copy.deepcopy((live, config))
    by = apply.Applier(manager, config["apiVersion"], config["kind"], now, force=force, **more)
    view = view or (CONFIG_MAPS if config["kind"] == "ConfigMap" else THINGS)
    try:
        found = apply.apply(live, config, by, view)
    finally:
        assert (live, config) == kept
    if live is None:
        found["metadata"]["uid"] = "u"
    managed_fields.keep_times(found, live or found)
    return found


def refused(*given: Any, **more: Any) -> Failure:
    with pytest.raises(Failure) as caught:
        applied(*given, **more)
    return caught.value


def updated(live: Object, patch: Object, manager: str = "u", now: float = NOW) -> Object:
    obj = merge_patch.apply(live, patch)
    view = CONFIG_MAPS if obj["kind"] == "ConfigMap" else THINGS
    managed_fields.update(obj, live, manager, api_version=obj["apiVersion"], now=now, typed=view)
    return obj


def entries(obj: Object) -> list[Object]:
    found: list[Object] = obj["metadata"].get("managedFields", [])
    return found


def owned(obj: Object) -> dict[str, Any]:
    """What below spec or data belongs to whom; updaters stand in brackets."""
    found = {}
    for entry in entries(obj):
        name = entry["manager"] if entry["operation"] == "Apply" else f"[{entry['manager']}]"
        found[name] = entry["fieldsV1"].get("f:spec") or entry["fieldsV1"].get("f:data") or entry["fieldsV1"]
    return found


# ---------------------------------------------------------------- creating and adding


def test_an_apply_creates_what_is_not_there() -> None:
    made = applied(None, thing({"a": "1", "deep": {"er": {"z": "1"}}}))
    assert made["spec"] == {"a": "1", "deep": {"er": {"z": "1"}}}
    assert entries(made) == [
        {
            "manager": "m",
            "operation": "Apply",
            "apiVersion": "example.dev/v1",
            "time": timestamp(NOW),
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:spec": {"f:a": {}, "f:deep": {"f:er": {"f:z": {}}}}},
        }
    ]


def test_applied_fields_are_written_in_order() -> None:
    made = applied(None, thing({"set": ["b", "a"], "b": "1", "map": {"y": "1", "x": "1"}, "a": "1"}))
    assert json.dumps(entries(made)[0]["fieldsV1"]["f:spec"]) == (
        '{"f:a": {}, "f:b": {}, "f:map": {"f:x": {}, "f:y": {}}, "f:set": {"v:\\"a\\"": {}, "v:\\"b\\"": {}}}'
    )


def test_appliers_of_different_fields_do_not_meet() -> None:
    obj = applied(applied(None, thing({"a": "1"}), "one"), thing({"b": "2"}), "two")
    assert obj["spec"] == {"a": "1", "b": "2"}
    assert owned(obj) == {"one": {"f:a": {}}, "two": {"f:b": {}}}


def test_who_applies_the_same_value_owns_it_too() -> None:
    obj = applied(applied(None, thing({"a": "1"}), "one"), thing({"a": "1"}), "two")
    assert owned(obj) == {"one": {"f:a": {}}, "two": {"f:a": {}}}


def test_an_updater_shares_what_it_wrote_with_who_applies_the_same() -> None:
    obj = updated(applied(None, thing({"a": "1"}), "one"), {"spec": {"b": "2"}})
    assert owned(applied(obj, thing({"a": "1", "b": "2"}), "one")) == {
        "one": {"f:a": {}, "f:b": {}},
        "[u]": {"f:b": {}},
    }


def test_system_fields_of_a_configuration_are_nobodys() -> None:
    config = thing({"a": "1"})
    config["metadata"] |= {"namespace": "n", "uid": "u", "resourceVersion": "1", "generation": 1, "labels": {"x": "1"}}
    obj = applied(None, config)
    assert entries(obj)[0]["fieldsV1"] == {"f:metadata": {"f:labels": {"f:x": {}}}, "f:spec": {"f:a": {}}}


def test_a_configuration_of_nothing_but_a_name_owns_nothing() -> None:
    assert entries(applied(None, thing())) == []


# ---------------------------------------------------------------- giving up


def test_a_field_that_is_no_longer_applied_goes() -> None:
    obj = applied(applied(None, thing({"a": "1", "b": "2"})), thing({"a": "1"}))
    assert (obj["spec"], owned(obj)) == ({"a": "1"}, {"m": {"f:a": {}}})


def test_a_field_of_another_applier_stays_when_it_is_given_up() -> None:
    obj = applied(applied(None, thing({"a": "1", "b": "2"}), "one"), thing({"b": "2"}), "two")
    obj = applied(obj, thing({"a": "1"}), "one")
    assert (obj["spec"], owned(obj)) == ({"a": "1", "b": "2"}, {"one": {"f:a": {}}, "two": {"f:b": {}}})


def test_a_field_of_an_updater_stays_when_it_is_given_up() -> None:
    obj = applied(None, thing({"a": "1"}), "one")
    obj = updated(obj, {"spec": {"a": "2"}})
    obj = applied(obj, thing({"a": "2"}), "one")
    assert applied(obj, thing({}), "one")["spec"] == {"a": "2"}


def test_a_field_that_nobody_owns_stays() -> None:
    obj = applied(None, thing({"a": "1"}))
    obj["spec"]["b"] = "by the server"
    assert applied(obj, thing({"a": "2"}))["spec"] == {"a": "2", "b": "by the server"}


def test_structs_that_held_nothing_else_go_too() -> None:
    obj = applied(None, thing({"a": "1", "deep": {"er": {"z": "1"}}}))
    assert applied(obj, thing({"a": "1"}))["spec"] == {"a": "1"}


def test_a_struct_stays_for_what_others_have_in_it() -> None:
    obj = applied(None, thing({"map": {"x": "1"}}), "one")
    obj = applied(obj, thing({"map": {"y": "1"}}), "two")
    assert applied(obj, thing({"a": "1"}), "one")["spec"] == {"a": "1", "map": {"y": "1"}}


def test_items_that_are_no_longer_applied_go() -> None:
    obj = applied(None, thing({"items": [{"name": "p"}, {"name": "q", "x": "1"}], "set": ["p", "q"]}))
    obj = applied(obj, thing({"items": [{"name": "q"}], "set": ["q"]}))
    assert obj["spec"] == {"items": [{"name": "q"}], "set": ["q"]}


def test_an_item_with_a_field_of_somebody_else_loses_only_what_is_given_up() -> None:
    obj = applied(None, thing({"items": [{"name": "p", "x": "1"}]}), "one")
    obj = applied(obj, thing({"items": [{"name": "p", "y": "2"}]}), "two")
    obj = applied(obj, thing({"a": "1"}), "one")
    assert obj["spec"]["items"] == [{"name": "p", "y": "2"}]


def test_giving_up_everything_leaves_the_object() -> None:
    obj = applied(applied(None, thing({"a": "1"})), thing())
    assert ("spec" in obj, entries(obj)) == (False, [])


def test_a_map_that_somebody_owns_as_empty_becomes_null_in_a_custom_resource() -> None:
    """A real server then refuses it by its schema; in a Go struct there is no such null."""
    obj = applied(applied(None, thing({"map": {}}), "one"), thing({"map": {"x": "1"}}), "two")
    assert applied(obj, thing({"a": "1"}), "two")["spec"] == {"a": "1", "map": None}
    live = applied(applied(None, config_map({"k": "v"}, labels={}), "one"), config_map(labels={"x": "1"}), "two")
    assert "labels" not in applied(live, config_map(annotations={"x": "1"}), "two")["metadata"]


# ---------------------------------------------------------------- conflicts


def test_another_value_for_somebody_elses_field_is_a_conflict() -> None:
    obj = applied(None, thing({"a": "1"}), "one")
    failure = refused(obj, thing({"a": "2"}), "two")
    assert failure.status == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'Apply failed with 1 conflict: conflict with "one": .spec.a',
        "reason": "Conflict",
        "details": {
            "causes": [{"reason": "FieldManagerConflict", "message": 'conflict with "one"', "field": ".spec.a"}]
        },
        "code": 409,
    }


def test_conflicts_are_told_by_manager() -> None:
    obj = applied(None, thing({"a": "1", "b": "1"}), "one")
    obj = updated(obj, {"spec": {"items": [{"name": "p", "x": "1"}]}}, "two")
    failure = refused(obj, thing({"a": "2", "b": "2", "items": [{"name": "p", "x": "2"}]}), "three")
    assert failure.message == (
        'Apply failed with 3 conflicts: conflicts with "one":\n- .spec.a\n- .spec.b\n'
        'conflicts with "two" using example.dev/v1:\n- .spec.items[name="p"].x'
    )
    assert [cause["message"] for cause in (failure.details or {})["causes"]] == [
        'conflict with "one"',
        'conflict with "one"',
        'conflict with "two" using example.dev/v1',
    ]


def test_a_subresource_is_told_with_its_manager() -> None:
    live = applied(None, thing({"a": "1"}))
    obj = {**live, "status": {"phase": "x"}}
    managed_fields.update(obj, live, "s", api_version="example.dev/v1", now=NOW, typed=THINGS, subresource="status")
    config = thing(status={"phase": "y"})
    assert refused(obj, config, "t", subresource="status").message == (
        'Apply failed with 1 conflict: conflict with "s" with subresource "status" using example.dev/v1: .status.phase'
    )


def test_force_takes_the_field() -> None:
    obj = applied(applied(None, thing({"a": "1", "b": "1"}), "one"), thing({"a": "2"}), "two", force=True)
    assert (obj["spec"], owned(obj)) == ({"a": "2", "b": "1"}, {"one": {"f:b": {}}, "two": {"f:a": {}}})


def test_who_lost_a_field_by_force_meets_a_conflict_too() -> None:
    obj = applied(applied(None, thing({"a": "1"}), "one"), thing({"a": "2"}), "two", force=True)
    assert refused(obj, thing({"a": "1"}), "one").message.endswith('conflict with "two": .spec.a')


def test_atomic_values_are_in_conflict_as_a_whole() -> None:
    obj = applied(None, thing({"atom": {"a": "1"}, "list": ["a"]}), "one")
    failure = refused(obj, thing({"atom": {"a": "2"}, "list": ["a", "b"]}), "two")
    assert failure.message.splitlines() == [
        'Apply failed with 2 conflicts: conflicts with "one":',
        "- .spec.atom",
        "- .spec.list",
    ]


def test_items_of_a_set_are_never_in_conflict() -> None:
    obj = applied(applied(None, thing({"set": ["a"]}), "one"), thing({"set": ["b"]}), "two")
    assert obj["spec"]["set"] == ["a", "b"]


def test_removing_a_field_of_ones_own_that_others_do_not_own_is_no_conflict() -> None:
    obj = updated(applied(None, thing({"a": "1"}), "one"), {"spec": {"b": "2"}})
    assert applied(obj, thing({}), "one")["spec"] == {"b": "2"}


# ---------------------------------------------------------------- subresources and versions


def test_a_plain_apply_owns_no_status_and_a_status_apply_no_spec() -> None:
    config = thing({"a": "1"}, status={"phase": "x"})
    assert owned(applied(None, config)) == {"m": {"f:a": {}}}
    live = applied(None, thing({"b": "1"}), "one")
    through = applied(live, config, "two", subresource="status")
    assert entries(through)[1]["fieldsV1"] == {"f:status": {"f:phase": {}}}
    assert entries(through)[1]["subresource"] == "status"


def test_a_kind_without_a_status_subresource_has_its_status_applied() -> None:
    assert entries(applied(None, thing(status={"phase": "x"}), reset={}))[0]["fieldsV1"] == {
        "f:status": {"f:phase": {}}
    }


def test_an_apply_in_another_version_goes_on_with_the_same_entry() -> None:
    live = applied(None, thing({"a": "1", "b": "1"}))
    config = {**thing({"a": "1"}), "apiVersion": "example.dev/v2"}
    obj = applied({**live, "apiVersion": "example.dev/v2"}, config)
    assert [(entry["apiVersion"], entry["fieldsV1"]) for entry in entries(obj)] == [
        ("example.dev/v2", {"f:spec": {"f:a": {}}})
    ]


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"apiVersion": "example.dev/v2"}, "invalid object type: example.dev/v2, Kind=Thing"),
        ({"apiVersion": "v1", "kind": "Pod"}, "invalid object type: /v1, Kind=Pod"),
        ({"apiVersion": None, "kind": None}, "invalid object type: /, Kind="),
        ({"metadata": {"managedFields": []}}, "metadata.managedFields must be nil"),
        ({"metadata": {"managedFields": [{}]}}, "metadata.managedFields must be nil"),
    ],
)
def test_a_configuration_that_makes_no_sense_is_a_400(change: Object, message: str) -> None:
    by = apply.Applier("m", "example.dev/v1", "Thing", NOW)
    with pytest.raises(Failure) as caught:
        apply.apply(None, {**thing({"a": "1"}), **change}, by, THINGS)
    assert (caught.value.code, caught.value.reason, caught.value.message) == (400, "BadRequest", message)


def test_managed_fields_may_be_null() -> None:
    assert owned(applied(None, {**thing({"a": "1"}), "metadata": {"name": "a", "managedFields": None}})) == {
        "m": {"f:a": {}}
    }


@pytest.mark.parametrize(
    ("config", "why"),
    [
        (thing({"zz": 1}), "(/a; example.dev/v1, Kind=Thing): .spec.zz: field not declared in schema"),
        ({**thing(), "metadata": "x"}, "(/; example.dev/v1, Kind=Thing): .metadata: expected map, got &{x}"),
        (config_map({"k": [1]}, namespace="n"), "(n/a; /v1, Kind=ConfigMap): .data.k: expected string, got &value.valueUnstructured{Value:[]interface {}{1}}"),
        (thing({"set": ["a", "a"]}), '(/a; example.dev/v1, Kind=Thing): .spec.set: duplicate entries for key [="a"]'),
    ],
)  # fmt: skip
def test_a_configuration_that_does_not_fit_its_schema_is_a_500(config: Object, why: str) -> None:
    failure = refused(None, config)
    assert (failure.code, failure.message) == (500, f"failed to create typed patch object {why}")


def test_without_a_schema_anything_fits() -> None:
    by = apply.Applier("m", "v1", "X", NOW)
    made = apply.apply(None, {"apiVersion": "v1", "kind": "X", "metadata": {}, "any": {"thing": [1]}}, by)
    assert entries(made)[0]["fieldsV1"] == {"f:any": {".": {}, "f:thing": {}}}


# ---------------------------------------------------------------- times


def test_an_apply_of_nothing_new_changes_nothing() -> None:
    live = applied(None, thing({"a": "1", "set": ["p"], "items": [{"name": "q"}]}))
    assert applied(live, thing({"a": "1", "set": ["p"], "items": [{"name": "q"}]}), now=NOW + 60) == live


def test_an_apply_that_changes_the_object_has_its_own_time() -> None:
    live = applied(None, thing({"a": "1"}))
    assert entries(applied(live, thing({"a": "2"}), now=NOW + 60))[0]["time"] == timestamp(NOW + 60)


def test_who_joins_as_an_owner_without_a_change_has_no_time() -> None:
    obj = applied(applied(None, thing({"a": "1"}), "one"), thing({"a": "1"}), "two", now=NOW + 60)
    assert {entry["manager"]: entry.get("time") for entry in entries(obj)} == {"one": timestamp(NOW), "two": None}


def test_entries_of_others_keep_their_times() -> None:
    obj = updated(applied(None, thing({"a": "1"}), "one"), {"spec": {"b": "1"}}, now=NOW + 1)
    obj = applied(obj, thing({"a": "2"}), "one", now=NOW + 60)
    assert [(entry["manager"], entry["time"]) for entry in entries(obj)] == [
        ("one", timestamp(NOW + 60)),
        ("u", timestamp(NOW + 1)),
    ]


# ---------------------------------------------------------------- objects without entries


def test_what_was_there_before_the_first_apply_belongs_to_whoever_came_before() -> None:
    live = thing({"a": "1", "b": "1"}, status={"phase": "x"})
    failure = refused(live, thing({"a": "2"}))
    assert failure.message == (
        'Apply failed with 1 conflict: conflict with "before-first-apply" using example.dev/v1: .spec.a'
    )
    obj = applied(live, thing({"a": "2"}), force=True)
    assert owned(obj) == {"m": {"f:a": {}}, "[before-first-apply]": {".": {}, "f:b": {}}}


# ---------------------------------------------------------------- from kubectl's client-side apply


def client_side(data: Object, **labels: str) -> Object:
    """An object as `kubectl apply` without --server-side creates it."""
    config = config_map(data, **({"labels": labels} if labels else {}))
    text = json.dumps(config) + "\n"
    obj = copy.deepcopy(config)
    obj["metadata"] |= {"annotations": {apply.LAST_APPLIED: text}, "uid": "u"}
    managed_fields.update(obj, None, "kubectl-client-side-apply", api_version="v1", now=NOW, typed=CONFIG_MAPS)
    return obj


def test_kubectl_may_change_what_it_applied_from_the_clients_side() -> None:
    obj = applied(client_side({"k": "1", "l": "1"}), config_map({"k": "2", "l": "1"}), "kubectl")
    assert obj["data"] == {"k": "2", "l": "1"}
    assert owned(obj)["kubectl"] == {"f:k": {}, "f:l": {}}
    assert owned(obj)["[kubectl-client-side-apply]"] == {".": {}, "f:l": {}}


def test_others_may_not() -> None:
    failure = refused(client_side({"k": "1"}), config_map({"k": "2"}), "other")
    assert failure.message == (
        'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using v1: .data.k'
    )


def test_kubectl_may_not_change_what_somebody_has_edited_since() -> None:
    live = updated(client_side({"k": "1", "l": "1"}), {"data": {"k": "edited"}}, "editor")
    failure = refused(live, config_map({"k": "2", "l": "2"}), "kubectl")
    assert failure.message == 'Apply failed with 1 conflict: conflict with "editor" using v1: .data.k'


@pytest.mark.parametrize("text", ["", "{", "[]", '{"apiVersion": "v2"}', '{"apiVersion": "v1", "zz": 1}'])
def test_an_annotation_that_says_nothing_allows_nothing(text: str) -> None:
    live = client_side({"k": "1"})
    live["metadata"]["annotations"][apply.LAST_APPLIED] = text
    assert refused(live, config_map({"k": "2"}), "kubectl").code == 409


def test_the_annotation_follows_what_kubectl_applies() -> None:
    config = config_map({"l": "<é>"}, annotations={"x": "1"})
    obj = applied(client_side({"k": "1"}), config, "kubectl")
    assert obj["metadata"]["annotations"][apply.LAST_APPLIED] == (
        '{"apiVersion":"v1","data":{"l":"\\u003cé\\u003e"},"kind":"ConfigMap",'
        '"metadata":{"annotations":{"x":"1"},"name":"a"}}\n'
    )


def test_only_kubectl_writes_the_annotation_and_only_where_it_is() -> None:
    live = client_side({"k": "1"})
    kept = live["metadata"]["annotations"][apply.LAST_APPLIED]
    assert applied(live, config_map({"l": "1"}), "other")["metadata"]["annotations"][apply.LAST_APPLIED] == kept
    assert "annotations" not in applied(None, config_map({"l": "1"}), "kubectl")["metadata"]


def test_an_annotation_that_would_be_too_large_is_dropped() -> None:
    obj = applied(client_side({"k": "1"}), config_map({"k": "1", "l": "x" * 300_000}), "kubectl")
    assert apply.LAST_APPLIED not in obj["metadata"]["annotations"]


# ---------------------------------------------------------------- properties


def name_of(item: Any) -> Any:
    return item["name"]


NAMES = st.sampled_from("ab")
SPECS = st.fixed_dictionaries(
    {},
    optional={
        "a": NAMES,
        "deep": st.fixed_dictionaries({}, optional={"er": st.fixed_dictionaries({}, optional={"z": NAMES})}),
        "map": st.dictionaries(NAMES, NAMES, min_size=1),
        "list": st.lists(NAMES, max_size=2),
        "set": st.lists(st.sampled_from("abc"), unique=True, min_size=1),
        "items": st.lists(
            st.fixed_dictionaries({"name": NAMES}, optional={"x": NAMES}),
            min_size=1,
            unique_by=name_of,
        ),
    },
)
WRITES = st.lists(st.tuples(st.sampled_from(["one", "two", "[u]"]), SPECS), min_size=1, max_size=4)


def after(writes: list[tuple[str, Object]]) -> Object:
    """What comes of some writes; appliers force."""
    obj: Object | None = None
    for manager, spec in writes:
        if manager.startswith("[") and obj is not None:
            obj = updated(obj, {"spec": spec})
        else:
            obj = applied(obj, thing(spec), manager, force=True)
    assert obj is not None
    return obj


@settings(max_examples=60)
@given(WRITES, SPECS)
def test_what_is_applied_is_there_and_owned(writes: list[tuple[str, Object]], spec: Object) -> None:
    obj = applied(after(writes), thing(spec), "me", force=True)
    config = thing(spec)
    assert compare.compare(config, obj, THINGS).removed == {}
    mine: Any = next((entry["fieldsV1"] for entry in entries(obj) if entry["manager"] == "me"), {})
    assert mine == fieldset.difference(compare.field_set(config, THINGS), managed_fields.STRIPPED)


@settings(max_examples=60)
@given(WRITES, SPECS)
def test_applying_twice_is_applying_once(writes: list[tuple[str, Object]], spec: Object) -> None:
    once = applied(after(writes), thing(spec), "me", force=True)
    assert applied(once, thing(spec), "me", now=NOW + 60) == once


@settings(max_examples=60)
@given(WRITES)
def test_who_leaves_takes_along_only_what_is_nobody_elses(writes: list[tuple[str, Object]]) -> None:
    obj = after(writes)
    left = applied(obj, thing(), "one", force=True)
    gone = compare.compare(obj, left, THINGS).removed
    for entry in entries(left):
        assert entry["manager"] != "one"
        assert fieldset.intersection(entry["fieldsV1"], gone) == {}


@settings(max_examples=60)
@given(WRITES)
def test_nobody_owns_what_is_not_there(writes: list[tuple[str, Object]]) -> None:
    obj = after(writes)
    there = compare.compare({}, obj, THINGS).changed
    for entry in entries(obj):
        assert fieldset.difference(entry["fieldsV1"], there) == {}


@settings(max_examples=60)
@given(WRITES, SPECS)
def test_a_conflict_is_what_force_takes(writes: list[tuple[str, Object]], spec: Object) -> None:
    obj = after(writes)
    forced = applied(obj, thing(spec), "me", force=True)
    try:
        calm = applied(obj, thing(spec), "me")
    except Failure as failure:
        fields = {cause["field"] for cause in (failure.details or {})["causes"]}
        assert fields
        assert forced != obj
    else:
        assert calm == forced
