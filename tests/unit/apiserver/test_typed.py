"""Views of schemas: what merges learn of a built-in kind's OpenAPI schema and of a custom resource's.

Left out: whether a schema is a good one (schemas/), what merges do with the answers (test_apply and others).
"""

from __future__ import annotations

from typing import Any

import pytest

from twinloop.apiserver.builtin import documents
from twinloop.apiserver.patches import typed
from twinloop.apiserver.patches.typed import DEDUCED, UNTYPED, Typed

STRING = {"type": "string"}


def test_kinds_of_values() -> None:
    kinds: dict[str, dict[str, Any]] = {
        "map": {"type": "object", "additionalProperties": STRING},
        "struct": {"type": "object", "properties": {"a": STRING}},
        "list": {"type": "array", "items": STRING},
        "scalar": STRING,
        "untyped": {"x-kubernetes-int-or-string": True},
    }
    assert {name: Typed(schema).kind for name, schema in kinds.items()} == {name: name for name in kinds}


@pytest.mark.parametrize(
    ("schema", "scalar"),
    [
        ({"type": "integer", "format": "int32"}, "numeric"),
        ({"type": "number"}, "numeric"),
        ({"type": "boolean"}, "boolean"),
        ({"type": "string"}, "string"),
        ({"type": "string", "format": "byte"}, "string"),
        ({"type": "string", "format": "date-time"}, "untyped"),
        ({"type": "string", "format": "int-or-string"}, "untyped"),
        ({"x-kubernetes-int-or-string": True}, "untyped"),
        ({"type": "object"}, ""),
        ({"type": "array", "items": STRING}, ""),
    ],
)
def test_scalars_that_a_schema_takes(schema: dict[str, Any], scalar: str) -> None:
    assert Typed(schema).scalar == scalar


@pytest.mark.parametrize(
    ("extensions", "list_type", "keys"),
    [
        ({}, "atomic", ()),
        ({"x-kubernetes-list-type": "atomic"}, "atomic", ()),
        ({"x-kubernetes-list-type": "set"}, "set", ()),
        ({"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["a", "b"]}, "map", ("a", "b")),
        ({"x-kubernetes-patch-strategy": "merge", "x-kubernetes-patch-merge-key": "name"}, "map", ("name",)),
        ({"x-kubernetes-patch-strategy": "merge,retainKeys", "x-kubernetes-patch-merge-key": "n"}, "map", ("n",)),
        ({"x-kubernetes-patch-strategy": "merge"}, "set", ()),
        ({"x-kubernetes-patch-strategy": "retainKeys"}, "atomic", ()),
        ({"x-kubernetes-list-type": "atomic", "x-kubernetes-patch-strategy": "merge"}, "atomic", ()),
    ],
)
def test_types_of_lists(extensions: dict[str, Any], list_type: str, keys: tuple[str, ...]) -> None:
    view = Typed({"type": "array", "items": STRING, **extensions})
    assert (view.list_type, view.list_keys, view.atomic_list) == (list_type, keys, list_type == "atomic")


def test_patch_strategies_are_split() -> None:
    view = Typed({"type": "array", "items": STRING, "x-kubernetes-patch-strategy": "merge,retainKeys"})
    assert (view.patch_strategies, view.merge_key) == (["merge", "retainKeys"], "")
    assert Typed({}).patch_strategies == []


def test_an_undeclared_name_is_free_where_nothing_is_declared() -> None:
    assert Typed({"type": "object"}).field("x") is DEDUCED
    assert Typed({"type": "object", "properties": {"a": STRING}}).field("x") is None
    assert Typed({"type": "object", "properties": {"a": STRING}, "additionalProperties": True}).field("x") is DEDUCED
    assert Typed({"type": "object", "additionalProperties": False}).field("x") is None


def test_additional_properties_describe_undeclared_names() -> None:
    below = Typed({"type": "object", "additionalProperties": STRING}).field("x")
    assert below is not None
    assert below.scalar == "string"


def test_preserving_unknown_fields_goes_down_to_all_inline_schemas() -> None:
    inner = {"type": "object", "properties": {"z": STRING}}
    view = Typed(
        {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "properties": {"k": inner}},
    )
    below = view.fields["k"]
    assert (view.field("x"), below.field("x")) == (DEDUCED, DEDUCED)
    assert below.fields["z"].scalar == "string"


def test_what_no_schema_describes_merges_key_by_key_with_lists_in_one_piece() -> None:
    assert (DEDUCED.kind, DEDUCED.scalar, DEDUCED.atomic_map, DEDUCED.atomic_list) == (
        "untyped",
        "untyped",
        False,
        True,
    )
    assert DEDUCED.field("a") is DEDUCED
    assert (UNTYPED.atomic_map, UNTYPED.atomic_list) == (True, True)


def test_a_list_without_items_holds_values_in_one_piece() -> None:
    assert Typed({}).element is UNTYPED


# ---------------------------------------------------------------- references


NAMED: dict[str, Any] = {
    "Part": {"type": "object", "properties": {"a": STRING, "again": {"$ref": "#/Part"}}},
    "Atom": {"type": "object", "properties": {"a": STRING}, "x-kubernetes-map-type": "atomic"},
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {"oneOf": [{"type": "string"}, {"type": "number"}]},
    "io.k8s.apimachinery.pkg.runtime.RawExtension": {"type": "object"},
}


def refer(**properties: Any) -> Typed:
    return Typed({"type": "object", "properties": properties}, lambda name: NAMED[name.rpartition("/")[2]])


def test_a_reference_is_followed_once_and_shared() -> None:
    view = refer(one={"$ref": "#/Part"}, other={"allOf": [{"$ref": "#/Part"}], "default": {}})
    assert view.fields["one"] is view.fields["other"]
    assert view.fields["one"].name == "Part"


def test_a_schema_may_refer_to_itself() -> None:
    part = refer(one={"$ref": "#/Part"}).fields["one"]
    assert part.fields["again"] is part


def test_extensions_beside_a_reference_win() -> None:
    view = refer(
        granular={"allOf": [{"$ref": "#/Atom"}], "x-kubernetes-map-type": "granular"},
        atomic={"allOf": [{"$ref": "#/Part"}], "x-kubernetes-map-type": "atomic"},
        plain={"$ref": "#/Atom"},
    )
    assert {name: below.atomic_map for name, below in view.fields.items()} == {
        "granular": False,
        "atomic": True,
        "plain": True,
    }
    assert view.fields["atomic"].name == "Part"


def test_quantities_are_scalars_and_raw_extensions_one_piece() -> None:
    prefix = "#/io.k8s.apimachinery.pkg."
    view = refer(cpu={"$ref": f"{prefix}api.resource.Quantity"}, raw={"$ref": f"{prefix}runtime.RawExtension"})
    assert (view.fields["cpu"].kind, view.fields["cpu"].scalar) == ("scalar", "untyped")
    assert (view.fields["raw"].kind, view.fields["raw"].atomic_map) == ("untyped", True)


def test_defaults_stand_in_for_keys() -> None:
    view = Typed(
        {"type": "object", "properties": {"port": {"type": "integer"}, "protocol": {**STRING, "default": "TCP"}}}
    )
    assert view.defaults == {"protocol": "TCP"}


# ---------------------------------------------------------------- built-in kinds


@pytest.mark.parametrize(
    ("group", "kind", "zero"),
    [
        ("", "ConfigMap", {"metadata": {}}),
        ("", "Pod", {"metadata": {}, "spec": {"containers": None}, "status": {}}),
        ("", "Service", {"metadata": {}, "spec": {}, "status": {"loadBalancer": {}}}),
        (
            "apps",
            "Deployment",
            {
                "metadata": {},
                "spec": {
                    "selector": None,
                    "strategy": {},
                    "template": {"metadata": {}, "spec": {"containers": None}},
                },
                "status": {},
            },
        ),
    ],
)
def test_an_empty_go_struct_has_the_structs_below_it(group: str, kind: str, zero: dict[str, Any]) -> None:
    found = documents.typed(group, kind).zero
    assert {name: found[name] for name in zero if name != "spec"} == {
        name: zero[name] for name in zero if name != "spec"
    }
    for name, value in zero.get("spec", {}).items():
        below = found["spec"][name]
        assert (below["spec"], below["metadata"]) == (value["spec"], {}) if name == "template" else below == value


def test_pods_in_detail() -> None:
    spec = documents.typed("", "Pod").fields["spec"]
    container = spec.fields["containers"].element
    assert spec.fields["containers"].list_keys == ("name",)
    assert container.fields["ports"].list_keys == ("containerPort", "protocol")
    assert container.fields["ports"].element.defaults["protocol"] == "TCP"
    assert container.fields["resources"].fields["limits"].field("cpu").scalar == "untyped"  # type: ignore[union-attr]
    assert spec.fields["volumes"].patch_strategies == ["merge", "retainKeys"]
    assert spec.fields["tolerations"].atomic_list
    assert spec.fields["nodeSelector"].atomic_map


def test_metadata_of_a_built_in_kind() -> None:
    metadata = documents.typed("", "Pod").fields["metadata"]
    assert metadata.fields["finalizers"].list_type == "set"
    assert metadata.fields["ownerReferences"].list_keys == ("uid",)
    assert metadata.fields["ownerReferences"].element.atomic_map


# ---------------------------------------------------------------- custom resources


SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "default": {},
            "required": ["list"],
            "properties": {
                "list": {"type": "array", "items": STRING},
                "template": {"type": "object", "x-kubernetes-embedded-resource": True},
                "templates": {
                    "type": "array",
                    "items": {"type": "object", "x-kubernetes-embedded-resource": True, "properties": {"spec": STRING}},
                },
            },
        },
    },
}


def test_a_custom_resource_has_object_meta() -> None:
    view = typed.custom(SCHEMA)
    assert view.fields["metadata"].fields["finalizers"].list_type == "set"
    assert view.fields["metadata"].fields["ownerReferences"].list_keys == ("uid",)
    assert view.fields["metadata"].fields["labels"].kind == "map"
    assert view.fields["metadata"].field("nonsense") is None
    assert view.fields["apiVersion"].scalar == "string"


def test_so_have_embedded_objects() -> None:
    spec = typed.custom(SCHEMA).fields["spec"]
    for below in (spec.fields["template"], spec.fields["templates"].element):
        assert below.fields["metadata"].fields["finalizers"].list_type == "set"
    assert spec.fields["templates"].element.fields["spec"].scalar == "string"


def test_a_custom_resource_is_no_go_struct() -> None:
    assert typed.custom(SCHEMA).zero == {}
    assert not typed.custom(SCHEMA).native
    assert documents.typed("", "Pod").native


def test_the_schema_itself_stays_as_it_was() -> None:
    typed.custom(SCHEMA)
    assert set(SCHEMA["properties"]) == {"spec"}
    assert "properties" not in SCHEMA["properties"]["spec"]["properties"]["template"]
