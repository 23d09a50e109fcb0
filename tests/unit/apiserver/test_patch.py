"""PATCH as a request: content types, what a patched object must be, conflicts, apply that creates.

Codes and messages were taken from kube-apiserver 1.34. Leaves out: what each kind of patch makes of a document, and
conflicts between managers (tests of patches/).
"""

from __future__ import annotations

from typing import Any

import pytest

from support.bare_server import GADGETS, MERGE, THINGS, BareServer, gadget, thing
from twinloop.apiserver.verbs.patch import _converted

JSON = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"


@pytest.fixture
def api() -> BareServer:
    found = BareServer()
    found.thing("a", colour="red")
    found.post(GADGETS, gadget("g"))
    return found


def told(reply: Any) -> tuple[int, str, str]:
    return reply.code, reply.reason, reply.message


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (MERGE, {"spec": {"colour": "blue"}}),
        (f"{MERGE}; charset=utf-8", {"spec": {"colour": "blue"}}),
        (STRATEGIC, {"spec": {"colour": "blue"}}),
        (JSON, [{"op": "test", "path": "/spec/colour", "value": "red"}, {"op": "replace", "path": "/spec/colour", "value": "blue"}]),
    ],
)  # fmt: skip
def test_each_kind_of_patch_changes_the_object(api: BareServer, content_type: str, body: Any) -> None:
    reply = api.patch(f"{THINGS}/a", body, content_type)
    assert (reply.code, reply.json["spec"]) == (200, {"colour": "blue"})
    assert api.get(f"{THINGS}/a").json == reply.json


@pytest.mark.parametrize("content_type", ["application/json", "", "text/plain"])
def test_a_patch_of_no_known_kind_is_an_unsupported_media_type(api: BareServer, content_type: str) -> None:
    reply = api.patch(f"{THINGS}/a", {}, content_type)
    assert told(reply) == (415, "UnsupportedMediaType", "415: Unsupported Media Type")


def test_custom_resources_have_no_strategic_merge(api: BareServer) -> None:
    reply = api.patch(f"{GADGETS}/g", {}, STRATEGIC)
    text = "the body of the request was in an unknown format - accepted media types include: "
    assert told(reply) == (415, "UnsupportedMediaType", f"{text}{JSON}, {MERGE}, {APPLY}")


def test_a_patch_of_nothing_is_not_found_whatever_is_in_it(api: BareServer) -> None:
    bodies: tuple[Any, ...] = ({}, b"{")
    for body in bodies:
        assert told(api.patch(f"{THINGS}/nope", body)) == (404, "NotFound", 'things "nope" not found')


def test_a_patch_conflicts_only_when_it_names_a_version(api: BareServer) -> None:
    api.patch(f"{THINGS}/a", {"spec": {"x": 1}})
    assert api.patch(f"{THINGS}/a", {"metadata": {"resourceVersion": "1"}}).code == 409
    present = api.get(f"{THINGS}/a").meta["resourceVersion"]
    assert api.patch(f"{THINGS}/a", {"metadata": {"resourceVersion": present}, "spec": {"x": 2}}).code == 200
    assert api.patch(f"{THINGS}/a", {"spec": {"x": 3}}).code == 200


def test_a_failed_test_changes_nothing(api: BareServer) -> None:
    before = api.version
    assert api.patch(f"{THINGS}/a", [{"op": "test", "path": "/spec/colour", "value": "no"}], JSON).code == 422
    assert api.version == before


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"metadata": {"name": "b"}}, "the name of the object (b) does not match the name on the URL (a)"),
        ({"metadata": {"namespace": "b"}}, "the namespace of the provided object does not match the namespace sent on the request"),
        (b"{", "error decoding patch: unexpected end of JSON input"),
        (b"[]", "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}"),
    ],
)  # fmt: skip
def test_a_patch_that_makes_no_sense_is_a_bad_request(api: BareServer, body: Any, message: str) -> None:
    assert told(api.patch(f"{THINGS}/a", body)) == (400, "BadRequest", message)


def quoted(reply: Any) -> tuple[str, str]:
    """The object that a 422 about a patch quotes, and what is wrong with it."""
    assert reply.code == 422
    (cause,) = reply.json["details"]["causes"]
    assert (cause["field"], cause["reason"]) == ("patch", "FieldValueInvalid")
    value, _, why = cause["message"].removeprefix('Invalid value: "').partition('}": ')
    return value.replace('\\"', '"') + "}", why


def test_a_patch_cannot_make_another_kind_of_a_built_in_object(api: BareServer) -> None:
    shown, why = quoted(api.patch(f"{THINGS}/a", {"kind": "Machine"}))
    assert why == "converting (v1.Machine) to (core.Thing): unknown conversion"
    assert shown.startswith('{"apiVersion":"v1","kind":"Machine","metadata":{"name":"a","namespace":"here","uid":')
    _, why = quoted(api.patch(f"{THINGS}/a", {"apiVersion": "v2"}))
    assert why.startswith('no kind "Thing" is registered for version "v2"')


def test_a_patch_cannot_make_another_kind_of_a_custom_resource(api: BareServer) -> None:
    reply = api.patch(f"{GADGETS}/g", {"kind": "Other"})
    assert told(reply) == (
        422,
        "Invalid",
        'Other.example.com "g" is invalid: kind: Invalid value: "Other": must be Gadget',
    )
    reply = api.patch(f"{GADGETS}/g", {"apiVersion": "example.com/v2"})
    assert reply.message.endswith('apiVersion: Invalid value: "example.com/v2": must be example.com/v1')


def test_a_custom_resource_of_a_version_that_is_not_there_has_no_known_fields(api: BareServer) -> None:
    reply = api.patch(f"{GADGETS}/g", {"apiVersion": "example.com/v9", "spec": {"x": 1}})
    assert (reply.code, reply.warnings) == (422, ['unknown field "spec"'])


def test_a_custom_resource_of_another_group_is_refused_unseen(api: BareServer) -> None:
    reply = api.patch(f"{GADGETS}/g", {"apiVersion": "other/v1", "extra": 1})
    assert (reply.code, reply.warnings) == (422, [])


@pytest.mark.parametrize(
    ("why", "told"),
    [
        ("json: cannot unmarshal string into Go struct field A.b of type int32", "unrecognized type: int32"),
        ("json: cannot unmarshal object into Go struct field A.b of type string", "unrecognized type: string"),
        ("json: cannot unmarshal string into Go struct field A.b of type []string", "cannot restore slice from string"),
        (
            "json: cannot unmarshal number into Go struct field A.b of type map[string]string",
            "cannot restore map from int64",
        ),
        (
            "json: cannot unmarshal array into Go struct field A.b of type v1.PodSpec",
            "cannot restore struct from: slice",
        ),
        ("something else", "something else"),
    ],
)
def test_strategic_merges_word_misfits_in_their_own_way(why: str, told: str) -> None:
    assert _converted(why) == told


def test_unknown_fields_of_a_patched_object_are_warned_of_or_refused(api: BareServer) -> None:
    reply = api.patch(f"{THINGS}/a", {"extra": 1, "spec": {"x": 1}})
    assert (reply.code, reply.warnings) == (200, ['unknown field "extra"'])
    assert "extra" not in reply.json
    shown, why = quoted(api.patch(f"{THINGS}/a?fieldValidation=Strict", {"extra": 1, "spec": {"x": 2}}))
    assert why == 'strict decoding error: unknown field "extra"'
    assert '"extra":1' in shown
    assert api.get(f"{THINGS}/a").json["spec"]["x"] == 1


def test_fields_that_stand_twice_in_a_patch_are_told(api: BareServer) -> None:
    reply = api.patch(f"{THINGS}/a", b'{"spec":{"x":1,"x":2}}')
    assert (reply.json["spec"]["x"], reply.warnings) == (2, ['duplicate field "spec.x"'])
    reply = api.patch(f"{THINGS}/a", b'[{"op":"add","path":"/spec/x","path":"/spec/y","value":1}]', JSON)
    assert reply.warnings == ['json patch duplicate field "[0].path"']


def test_a_patch_that_leaves_no_object_is_refused(api: BareServer) -> None:
    reply = api.patch(f"{THINGS}/a", [{"op": "replace", "path": "", "value": []}], JSON)
    assert reply.code == 422
    assert "cannot unmarshal array" in reply.message


# ------------------------------------------------------------------ apply


def applied(name: str, **spec: Any) -> dict[str, Any]:
    return thing(name, **spec)


def test_an_apply_creates_what_is_not_there(api: BareServer) -> None:
    reply = api.patch(f"{THINGS}/new?fieldManager=me", applied("new", colour="blue"), APPLY)
    assert (reply.code, reply.json["spec"]) == (201, {"colour": "blue"})
    (entry,) = reply.meta["managedFields"]
    assert (entry["manager"], entry["operation"]) == ("me", "Apply")


def test_an_apply_again_changes_nothing(api: BareServer) -> None:
    api.patch(f"{THINGS}/new?fieldManager=me", applied("new", colour="blue"), APPLY)
    before = api.version
    api.clock.advance(60)
    assert api.patch(f"{THINGS}/new?fieldManager=me", applied("new", colour="blue"), APPLY).code == 200
    assert api.version == before


def test_an_apply_takes_back_what_it_no_longer_says(api: BareServer) -> None:
    api.patch(f"{THINGS}/new?fieldManager=me", applied("new", colour="blue", x=1), APPLY)
    reply = api.patch(f"{THINGS}/new?fieldManager=me", applied("new", colour="blue"), APPLY)
    assert reply.json["spec"] == {"colour": "blue"}


def test_an_apply_can_be_yaml(api: BareServer) -> None:
    raw = b"apiVersion: v1\nkind: Thing\nmetadata:\n  name: new\nspec:\n  colour: blue\n"
    assert api.patch(f"{THINGS}/new?fieldManager=me", raw, APPLY).code == 201


def test_an_apply_of_anothers_field_is_a_conflict_unless_forced(api: BareServer) -> None:
    body = applied("a", colour="blue")
    reply = api.patch(f"{THINGS}/a?fieldManager=me", body, APPLY)
    assert (reply.code, reply.reason) == (409, "Conflict")
    assert [each["field"] for each in reply.json["details"]["causes"]] == [".spec.colour"]
    assert api.patch(f"{THINGS}/a?fieldManager=me&force=true", body, APPLY).json["spec"] == {"colour": "blue"}


def test_an_apply_without_a_manager_is_invalid(api: BareServer) -> None:
    reply = api.patch(f"{THINGS}/a", applied("a"), APPLY)
    assert (reply.code, reply.json["details"]["causes"][0]["field"]) == (422, "fieldManager")


def test_an_apply_that_is_no_yaml_is_a_bad_request(api: BareServer) -> None:
    reply = api.patch(f"{THINGS}/a?fieldManager=me", b"a: [", APPLY)
    assert reply.code == 400
    assert reply.message.startswith("error decoding YAML: ")
    assert api.patch(f"{THINGS}/a?fieldManager=me", b"5", APPLY).code == 400


def test_a_dry_run_of_an_apply_creates_nothing(api: BareServer) -> None:
    before = api.version
    assert api.patch(f"{THINGS}/new?fieldManager=me&dryRun=All", applied("new"), APPLY).code == 201
    assert (api.version, api.get(f"{THINGS}/new").code) == (before, 404)
