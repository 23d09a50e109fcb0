"""Which bodies count as patches, and Go's words for those that do not.

Left out: how JSON is parsed and duplicates are found (codec), what the patches do.
"""

from __future__ import annotations

from typing import Any

import pytest

from twinloop.apiserver.failures import Failure
from twinloop.apiserver.patches import bodies

JSON = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"


def told(call: Any, *given: Any, **more: Any) -> tuple[int, str]:
    with pytest.raises(Failure) as caught:
        call(*given, **more)
    return caught.value.code, caught.value.message


def test_operations_are_a_list_of_objects() -> None:
    patch = [{"op": "add", "path": "/a", "value": 1}]
    assert bodies.operations(patch) == patch
    assert bodies.operations([]) == []


def test_null_is_a_json_patch_without_operations() -> None:
    assert bodies.operations(None) == []
    assert bodies.operations([None]) == [{}]


@pytest.mark.parametrize(
    ("value", "validated", "ignored"),
    [
        ({}, "object into Go value of type []handlers.jsonPatchOp", "object into Go value of type jsonpatch.Patch"),
        ("x", "string into Go value of type []handlers.jsonPatchOp", "string into Go value of type jsonpatch.Patch"),
        (1, "number into Go value of type []handlers.jsonPatchOp", "number into Go value of type jsonpatch.Patch"),
        (True, "bool into Go value of type []handlers.jsonPatchOp", "bool into Go value of type jsonpatch.Patch"),
        ([1], "number into Go value of type handlers.jsonPatchOp", "number into Go value of type jsonpatch.Operation"),
        ([[]], "array into Go value of type handlers.jsonPatchOp", "array into Go value of type jsonpatch.Operation"),
    ],
)
def test_what_is_no_json_patch_is_a_400(value: Any, validated: str, ignored: str) -> None:
    assert told(bodies.operations, value) == (400, f"error decoding patch: json: cannot unmarshal {validated}")
    assert told(bodies.operations, value, ignoring=True) == (400, f"json: cannot unmarshal {ignored}")


@pytest.mark.parametrize("field", ["op", "path", "from"])
def test_fields_of_an_operation_are_strings_when_validation_looks(field: str) -> None:
    patch = [{"op": "add", "path": "/a", field: 1}]
    why = f"error decoding patch: json: cannot unmarshal number into Go struct field jsonPatchOp.{field} of type string"
    assert told(bodies.operations, patch) == (400, why)
    assert bodies.operations(patch, ignoring=True) == patch


def test_unknown_fields_of_operations_are_found() -> None:
    patch: list[dict[str, Any]] = [{"op": "add", "path": "/a", "x": 1}, {"op": "test", "value": 1}, {"y": 2, "z": 3}]
    assert bodies.unknown_fields(patch) == [
        'json patch unknown field "[0].x"',
        'json patch unknown field "[2].y"',
        'json patch unknown field "[2].z"',
    ]


def test_a_merge_patch_is_an_object() -> None:
    assert bodies.merge({"a": None}) == {"a": None}
    assert bodies.merge({}, ignoring=True) == {}


@pytest.mark.parametrize("ignoring", [False, True])
def test_null_is_no_merge_patch(ignoring: bool) -> None:
    assert told(bodies.merge, None, ignoring=ignoring) == (400, "Invalid JSON Patch")


@pytest.mark.parametrize(("value", "kind"), [([], "array"), (1, "number"), ("a", "string"), (False, "bool")])
def test_another_value_is_no_merge_patch(value: Any, kind: str) -> None:
    why = f"error decoding patch: json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"
    assert told(bodies.merge, value) == (400, why)


@pytest.mark.parametrize("value", [1, "a", True])
def test_a_scalar_that_nothing_looked_at_is_no_merge_patch(value: Any) -> None:
    assert told(bodies.merge, value, ignoring=True) == (400, "Invalid JSON Patch")


def test_a_list_that_nothing_looked_at_becomes_the_object_and_fails_as_such() -> None:
    code, message = told(bodies.merge, [], ignoring=True)
    assert code == 422
    assert message == (
        ' "" is invalid: patch: Invalid value: "[]": '
        "couldn't get version/kind; json parse error: json: cannot unmarshal "
        'array into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; '
        'Kind string "json:\\"kind,omitempty\\"" }'
    )


def test_a_strategic_patch_is_an_object_or_null() -> None:
    assert bodies.strategic({"a": 1}) == {"a": 1}
    assert bodies.strategic(None) == {}
    why = "json: cannot unmarshal array into Go value of type map[string]interface {}"
    assert told(bodies.strategic, []) == (400, why)


@pytest.mark.parametrize(
    ("content_type", "ignoring", "message"),
    [
        (JSON, False, "error decoding patch: unexpected end of JSON input"),
        (JSON, True, "unexpected end of JSON input"),
        (MERGE, False, "error decoding patch: unexpected end of JSON input"),
        (MERGE, True, "Invalid JSON Patch"),
        (STRATEGIC, False, "unexpected end of JSON input"),
        (STRATEGIC, True, "unexpected end of JSON input"),
    ],
)
def test_each_type_of_patch_has_its_own_words_for_what_is_no_json(
    content_type: str, ignoring: bool, message: str
) -> None:
    failure = bodies.malformed(content_type, "unexpected end of JSON input", ignoring=ignoring)
    assert (failure.code, failure.reason, failure.message) == (400, "BadRequest", message)


def test_a_result_that_is_no_object_of_its_kind_is_a_422_of_nobody() -> None:
    failure = bodies.invalid_patch('{"data":1}', "why")
    assert failure.message == ' "" is invalid: patch: Invalid value: "{\\"data\\":1}": why'
    assert failure.details == {
        "causes": [{"reason": "FieldValueInvalid", "message": 'Invalid value: "{\\"data\\":1}": why', "field": "patch"}]
    }
