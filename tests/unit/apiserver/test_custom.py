"""The strategy of custom resources: what each kind of write may change, and what it is told.

Strategies are asked directly, with the project's own CustomResourceDefinition and small ones; the same writes were sent
to kube-apiserver v1.34.4.

Left out: what schemas say (test_validation_*.py, test_pruning.py, test_defaulting.py), the verbs that ask a strategy
(test_create.py, test_update.py), and Scale objects (test_scale.py).
"""

from __future__ import annotations

import copy
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from twinloop.apiserver.failures import Failure
from twinloop.apiserver.schemas.custom import CustomStrategy
from twinloop.apiserver.schemas.schema import Schema
from twinloop.apiserver.strategy import ScalePaths

Object = dict[str, Any]

NGINXPODS = yaml.safe_load((Path(__file__).resolve().parents[3] / "crds/nginxpods.yaml").read_text())
ANYTHING = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def nginxpods(**options: Any) -> CustomStrategy:
    return CustomStrategy("NginxPod", "twinloop.dev/v1alpha1", NGINXPODS["spec"]["versions"][0], **options)


def strategy(schema: Object = ANYTHING, **version: Any) -> CustomStrategy:
    return CustomStrategy("Thing", "test.dev/v1", {"schema": {"openAPIV3Schema": schema}, **version})


def thing(**fields: Any) -> Object:
    return {"apiVersion": "test.dev/v1", "kind": "Thing", "metadata": {"name": "x"}, **fields}


def web(**spec: Any) -> Object:
    return {
        "apiVersion": "twinloop.dev/v1alpha1",
        "kind": "NginxPod",
        "metadata": {"name": "web"},
        "spec": spec,
    }


def incoming(asked: CustomStrategy, obj: Object) -> Object:
    asked.decode(obj)
    asked.default(obj)
    return obj


# ------------------------------------------------------------------ decoding


def test_unknown_fields_are_reported_by_path_and_dropped() -> None:
    obj = {**web(replica=3), "top": 1, "metadata": {"name": "web", "foo": 1}}
    assert nginxpods().decode(obj) == [
        'unknown field "metadata.foo"',
        'unknown field "spec.replica"',
        'unknown field "top"',
    ]
    assert obj == web()


def test_metadata_that_go_could_not_read_is_a_bad_request() -> None:
    obj = {**web(), "metadata": {"name": "web", "labels": {"a": 1}}}
    with pytest.raises(Failure) as caught:
        nginxpods().decode(obj)
    assert caught.value.code == 400
    assert caught.value.message == (
        'NginxPod in version "v1alpha1" cannot be handled as a NginxPod: json: cannot unmarshal number into Go struct '
        "field ObjectMeta.labels of type string"
    )


def test_nulls_go_where_neither_null_nor_a_default_is_allowed() -> None:
    properties = {
        "plain": {"type": "string"},
        "nullable": {"type": "string", "nullable": True},
        "defaulted": {"type": "string", "default": "d"},
    }
    asked = strategy({"type": "object", "properties": {"spec": {"type": "object", "properties": properties}}})
    obj = incoming(asked, thing(spec=dict.fromkeys(properties)))
    assert obj["spec"] == {"nullable": None, "defaulted": "d"}


# ------------------------------------------------------------------ creation


def test_a_new_object_has_generation_one_and_the_defaults_of_its_schema() -> None:
    obj = incoming(nginxpods(), web())
    nginxpods().prepare_create(obj, 0.0)
    assert obj["metadata"]["generation"] == 1
    assert obj["spec"] == {"replicas": 1, "image": "nginxinc/nginx-unprivileged:stable", "port": 8080}
    assert obj["status"] == {"observedGeneration": -1}


def test_a_status_given_on_creation_is_dropped_when_it_has_a_subresource() -> None:
    obj = incoming(nginxpods(), {**web(), "status": {"replicas": 7}})
    nginxpods().prepare_create(obj, 0.0)
    assert obj["status"] == {"observedGeneration": -1}
    plain = thing(status={"a": 1})
    strategy().prepare_create(plain, 0.0)
    assert plain["status"] == {"a": 1}


def test_nothing_is_created_while_the_definition_is_being_deleted() -> None:
    with pytest.raises(Failure, match="create not allowed while custom resource definition is terminating") as caught:
        nginxpods(terminating=True).prepare_create(web(), 0.0)
    assert (caught.value.code, caught.value.reason) == (405, "MethodNotAllowed")


# ------------------------------------------------------------------ updates


def stored() -> Object:
    obj = incoming(nginxpods(), web(replicas=2))
    obj["metadata"].update(generation=4, labels={"a": "b"}, uid="u")
    obj["status"] = {"observedGeneration": 4, "replicas": 2}
    return obj


def test_a_changed_spec_is_a_new_generation_and_labels_are_not() -> None:
    labelled = stored()
    labelled["metadata"]["labels"] = {"c": "d"}
    nginxpods().prepare_update(labelled, stored(), "")
    assert labelled["metadata"]["generation"] == 4
    scaled = stored()
    scaled["spec"]["replicas"] = 3
    nginxpods().prepare_update(scaled, stored(), "")
    assert scaled["metadata"]["generation"] == 5


def test_a_plain_update_leaves_the_status_alone() -> None:
    obj = stored()
    obj["status"] = {"replicas": 9}
    nginxpods().prepare_update(obj, stored(), "")
    assert obj["status"] == stored()["status"]
    assert obj["metadata"]["generation"] == 4
    del obj["status"]
    nginxpods().prepare_update(obj, stored(), "")
    assert obj["status"] == stored()["status"]


def test_a_status_update_changes_nothing_else() -> None:
    obj = stored()
    obj["spec"]["replicas"] = 9
    obj["metadata"]["labels"] = {"new": "label"}
    obj["metadata"]["managedFields"] = [{"manager": "m"}]
    obj["status"] = {"observedGeneration": 5}
    metadata = obj["metadata"]
    nginxpods().prepare_update(obj, stored(), "status")
    assert obj["spec"] == stored()["spec"]
    assert obj["status"] == {"observedGeneration": 5}
    assert obj["metadata"] == {**stored()["metadata"], "managedFields": [{"manager": "m"}]}
    assert obj["metadata"] is metadata, "the verbs hold on to it"


def test_a_status_that_is_taken_away_comes_back_as_its_default() -> None:
    obj = stored()
    del obj["status"]
    nginxpods().prepare_update(obj, stored(), "status")
    assert obj["status"] == {"observedGeneration": -1}


def test_without_a_subresource_a_changed_status_is_a_new_generation() -> None:
    old = thing(status={"a": 1})
    old["metadata"]["generation"] = 1
    obj = thing(status={"a": 2})
    strategy().prepare_update(obj, old, "")
    assert obj["status"] == {"a": 2}
    assert obj["metadata"]["generation"] == 2


def test_a_status_update_is_judged_by_the_schema_of_the_status_alone() -> None:
    obj = stored()
    obj["spec"]["replicas"] = 200
    obj["status"]["replicas"] = -1
    found = [str(each) for each in nginxpods().validate_update(obj, stored(), "status")]
    assert found == [
        "status.replicas: Invalid value: -1: replicas in body should be greater than or equal to 0",
        ".status.replicas: Invalid value: -1: should be a non-negative integer",
    ]


def test_a_resource_version_is_asked_for() -> None:
    assert not nginxpods().allow_unconditional_update
    assert not nginxpods().merges_strategically()


# ------------------------------------------------------------------ scale


def test_scale_paths_are_those_of_the_definition() -> None:
    paths = ScalePaths(("spec", "replicas"), ("status", "replicas"), ("status", "selector"))
    assert nginxpods().scale() == paths
    assert strategy().scale() is None


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"spec": {"n": 3}}, []),
        ({}, []),
        ({"spec": None}, []),
        ({"spec": {"n": -1}}, [".spec.n: Invalid value: -1: should be a non-negative integer"]),
        ({"spec": {"n": 2**31}}, [".spec.n: Invalid value: 2147483648: should be less than or equal to 2147483647"]),
        (
            {"spec": {"n": "x"}},
            [".spec.n: Invalid value: 0: .spec.n accessor error: x is of the type string, expected int64"],
        ),
        (
            {"spec": {"n": 1.5}},
            [".spec.n: Invalid value: 0: .spec.n accessor error: 1.5 is of the type float64, expected int64"],
        ),
        (
            {"spec": "x"},
            [
                (
                    ".spec.n: Invalid value: 0: .spec.n accessor error: x is of the type string, expected "
                    "map[string]interface{}"
                )
            ],
        ),
        (
            {"status": {"s": 5}},
            ['.status.s: Invalid value: "": .status.s accessor error: 5 is of the type int64, expected string'],
        ),
        (
            {"status": [1]},
            [
                (
                    ".status.n: Invalid value: 0: .status.n accessor error: [1] is of the type []interface {}, expected "
                    "map[string]interface{}"
                ),
                (
                    '.status.s: Invalid value: "": .status.s accessor error: [1] is of the type []interface {}, expected '
                    "map[string]interface{}"
                ),
            ],
        ),
    ],
    ids=repr,
)
def test_replicas_that_no_scale_could_show_are_refused(fields: Object, expected: list[str]) -> None:
    scale = {"specReplicasPath": ".spec.n", "statusReplicasPath": ".status.n", "labelSelectorPath": ".status.s"}
    asked = strategy(subresources={"scale": scale})
    assert [str(each) for each in asked.validate(thing(**fields))] == expected


# ------------------------------------------------------------------ versions, selectors, columns


def test_a_version_shows_what_it_knows_and_the_stored_one_keeps_what_it_knows() -> None:
    first = {"type": "object", "properties": {"a": {"type": "string", "default": "one"}}}
    second = {"type": "object", "properties": {"b": {"type": "string", "default": "two"}}}
    version = {"schema": {"openAPIV3Schema": second}}
    newer = CustomStrategy("Thing", "test.dev/v2", version, stored=Schema(first))
    obj = thing(a="x")
    newer.from_storage(obj)
    assert obj == thing()
    newer.default(obj)
    assert obj == thing(b="two")
    newer.to_storage(obj)
    assert obj == thing(a="one")


def test_selectable_fields_are_texts_and_empty_when_absent() -> None:
    paths = [{"jsonPath": path} for path in (".spec.s", ".spec.i", ".spec.b", ".spec.none")]
    asked = strategy(selectableFields=paths)
    assert asked.selectable_names() == {"spec.s", "spec.i", "spec.b", "spec.none"}
    assert asked.selectable(thing(spec={"s": "a", "i": 3, "b": False})) == {
        "spec.s": "a",
        "spec.i": "3",
        "spec.b": "false",
        "spec.none": "",
    }
    assert asked.unknown_field("spec.x") == "field label not supported: spec.x"


def test_columns_are_the_name_and_those_of_the_definition_or_the_age() -> None:
    assert [column.name for column in nginxpods().columns] == [
        "Name", "Desired", "Ready", "Status", "Age", "Reason", "Image",
    ]  # fmt: skip
    assert [column.priority for column in nginxpods().columns] == [0, 0, 0, 0, 0, 1, 1]
    assert [column.name for column in strategy().columns] == ["Name", "Age"]
    (column,) = strategy(additionalPrinterColumns=[{"name": "A", "type": "string", "jsonPath": ".spec.a"}]).columns[1:]
    assert column.description == "Custom resource definition column (in JSONPath format): .spec.a"


def test_cells_follow_the_columns() -> None:
    obj = stored()
    obj["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"
    obj["status"]["conditions"] = [
        {"type": "Other", "reason": "No"},
        {"type": "Ready", "reason": "AllReady", "message": ""},
    ]
    now = 1767225600.0 + 90
    expected = ["web", 2, None, "AllReady", "90s", "", "nginxinc/nginx-unprivileged:stable"]
    assert nginxpods().cells(obj, now) == expected


# ------------------------------------------------------------------ warnings


@pytest.mark.parametrize(
    ("finalizer", "warnings"),
    [
        ("test.dev/hold", []),
        ("foregroundDeletion", []),
        (
            "hold",
            [
                (
                    'metadata.finalizers: "hold": prefer a domain-qualified finalizer name to avoid accidental conflicts with '
                    "other finalizer writers"
                )
            ],
        ),
        (
            "test.dev",
            [
                (
                    'metadata.finalizers: "test.dev": prefer a domain-qualified finalizer name including a path (/) to avoid '
                    "accidental conflicts with other finalizer writers"
                )
            ],
        ),
    ],
)
def test_a_new_finalizer_that_others_may_choose_too_is_a_warning(finalizer: str, warnings: list[str]) -> None:
    obj = thing()
    obj["metadata"]["finalizers"] = [finalizer]
    assert strategy().warnings(obj, None) == warnings
    assert strategy().warnings(obj, copy.deepcopy(obj)) == []


def test_fifty_microseconds_or_so_for_all_that_a_write_asks() -> None:
    """Generous, since other tests run beside it; a slip to milliseconds shows."""
    asked, obj = nginxpods(), web(replicas=2)
    started = time.perf_counter()
    for _ in range(500):
        asked.decode(obj)
        asked.default(obj)
        assert not asked.validate(obj)
    assert (time.perf_counter() - started) / 500 < 0.001
