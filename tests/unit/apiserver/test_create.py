"""POST: bodies, names, field validation, dry run, and what the server fills in or refuses.

Codes and messages were taken from kube-apiserver 1.34. Leaves out: rules of single kinds, admission, managedFields.
"""

from __future__ import annotations

from typing import Any

import pytest

from support.bare_server import GADGETS, THINGS, BareServer, gadget, thing
from twinloop.apiserver.body import LIMIT
from twinloop.apiserver.storage import OBJECT_LIMIT


@pytest.fixture
def api() -> BareServer:
    return BareServer()


def told(reply: Any) -> tuple[int, str, str]:
    return reply.code, reply.reason, reply.message


def test_a_new_object_is_answered_as_it_is_stored(api: BareServer) -> None:
    reply = api.thing("a", colour="red")
    assert reply.code == 201
    assert reply.json["spec"] == {"colour": "red"}
    assert reply.meta["resourceVersion"] == str(api.version)
    assert (reply.meta["namespace"], reply.meta["creationTimestamp"]) == ("here", "2023-11-14T22:13:20Z")
    assert api.get(f"{THINGS}/a").json == reply.json


def test_defaults_are_filled_in(api: BareServer) -> None:
    assert api.thing("a").json["spec"] == {"colour": "grey"}


def test_what_only_the_server_sets_is_not_taken_from_the_client(api: BareServer) -> None:
    mine = {"uid": "mine", "creationTimestamp": "2020-01-01T00:00:00Z", "deletionTimestamp": "2020-01-01T00:00:00Z"}
    meta = api.post(THINGS, thing("a", meta=mine)).meta
    assert meta["uid"] != "mine"
    assert meta["creationTimestamp"] == "2023-11-14T22:13:20Z"
    assert "deletionTimestamp" not in meta


def test_two_objects_never_share_a_uid(api: BareServer) -> None:
    assert api.thing("a").meta["uid"] != api.thing("b").meta["uid"]


def test_a_name_that_is_taken_already_exists(api: BareServer) -> None:
    api.thing("a")
    before = api.version
    reply = api.thing("a")
    assert told(reply) == (409, "AlreadyExists", 'things "a" already exists')
    assert reply.json["details"] == {"name": "a", "kind": "things"}
    assert api.version == before


def test_a_name_that_is_being_deleted_says_so(api: BareServer) -> None:
    api.post(THINGS, thing("a", meta={"finalizers": ["x/y"]}))
    api.delete(f"{THINGS}/a")
    assert told(api.thing("a")) == (409, "AlreadyExists", 'object is being deleted: things "a" already exists')


def test_the_same_name_is_free_in_another_namespace(api: BareServer) -> None:
    api.thing("a")
    assert api.post(THINGS.replace("here", "there"), thing("a")).code == 201


def test_a_generated_name_avoids_those_that_are_taken(api: BareServer) -> None:
    state = api.rng.getstate()
    first = api.post(THINGS, thing("", meta={"generateName": "gen-"})).meta["name"]
    api.rng.setstate(state)
    second = api.post(THINGS, thing("", meta={"generateName": "gen-"})).meta["name"]
    assert first != second
    assert first.startswith("gen-")
    assert second.startswith("gen-")


def test_a_name_is_required(api: BareServer) -> None:
    assert told(api.post(THINGS, {"metadata": {}})) == (
        422,
        "Invalid",
        'Thing "" is invalid: metadata.name: Required value: name or generateName is required',
    )


def test_all_that_is_wrong_is_told_at_once(api: BareServer) -> None:
    reply = api.post(THINGS, thing("a", labels={"x": "-"}, bad=True))
    assert reply.message.startswith('Thing "a" is invalid: [metadata.labels: Invalid value: "-": a valid label must be')
    assert reply.message.endswith(", spec.bad: Invalid value: true: must not be]")
    assert [each["field"] for each in reply.json["details"]["causes"]] == ["metadata.labels", "spec.bad"]
    assert api.get(f"{THINGS}/a").code == 404


def test_another_namespace_than_the_paths_is_a_bad_request(api: BareServer) -> None:
    assert told(api.post(THINGS, thing("a", meta={"namespace": "there"}))) == (
        400,
        "BadRequest",
        "the namespace of the provided object does not match the namespace sent on the request",
    )


def test_a_kind_of_the_whole_cluster_has_no_namespace(api: BareServer) -> None:
    machine = {"kind": "Machine", "metadata": {"name": "m", "namespace": "here"}}
    assert "namespace" not in api.post("/api/v1/machines", machine).meta


def test_a_resource_version_has_no_place_in_a_new_object(api: BareServer) -> None:
    reply = api.post(THINGS, thing("a", meta={"resourceVersion": "5"}))
    assert told(reply) == (500, "", "resourceVersion should not be set on objects to be created")


def test_a_dry_run_answers_and_stores_nothing(api: BareServer) -> None:
    before = api.version
    reply = api.post(f"{THINGS}?dryRun=All", thing("a"))
    assert (reply.code, reply.json["spec"]) == (201, {"colour": "grey"})
    assert "resourceVersion" not in reply.meta
    assert reply.meta["uid"]
    assert (api.version, api.get(f"{THINGS}/a").code) == (before, 404)


def test_a_dry_run_of_a_taken_name_fails(api: BareServer) -> None:
    api.thing("a")
    assert api.post(f"{THINGS}?dryRun=All", thing("a")).code == 409


def test_the_kinds_own_warnings_reach_the_client(api: BareServer) -> None:
    reply = api.thing("a", old=1)
    assert reply.answer.warning_headers == ['299 - "spec.old: no longer used"']


def test_duplicate_owners_are_dropped_with_a_warning(api: BareServer) -> None:
    owner = {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u"}
    reply = api.post(THINGS, thing("a", meta={"ownerReferences": [owner, owner]}))
    assert reply.meta["ownerReferences"] == [owner]
    assert reply.warnings[0].startswith(".metadata.ownerReferences contains duplicate entries")


def test_who_writes_is_noted_in_managed_fields(api: BareServer) -> None:
    (entry,) = api.thing("a", colour="red").meta["managedFields"]
    assert (entry["manager"], entry["operation"], entry["apiVersion"]) == ("tester", "Update", "v1")
    (entry,) = api.post(f"{THINGS}?fieldManager=me", thing("b", colour="red")).meta["managedFields"]
    assert entry["manager"] == "me"


# ------------------------------------------------------------------ field validation

TWICE = b'{"kind":"Thing","metadata":{"name":"x","name":"a"},"extra":1,"spec":{"n":1,"n":2}}'
FINDINGS = ['duplicate field "metadata.name"', 'unknown field "extra"', 'duplicate field "spec.n"']


@pytest.mark.parametrize("query", ["", "?fieldValidation=Warn", "?fieldValidation="])
def test_unknown_and_duplicate_fields_are_warned_of(api: BareServer, query: str) -> None:
    reply = api.post(THINGS + query, TWICE)
    assert (reply.code, reply.warnings) == (201, FINDINGS)
    assert (reply.meta["name"], reply.json["spec"]["n"]) == ("a", 2)
    assert "extra" not in reply.json


def test_unknown_and_duplicate_fields_can_be_ignored(api: BareServer) -> None:
    reply = api.post(f"{THINGS}?fieldValidation=Ignore", TWICE)
    assert (reply.code, reply.warnings) == (201, [])


def test_unknown_and_duplicate_fields_can_be_refused(api: BareServer) -> None:
    reply = api.post(f"{THINGS}?fieldValidation=Strict", TWICE)
    text = 'Thing in version "v1" cannot be handled as a Thing: strict decoding error: ' + ", ".join(FINDINGS)
    assert told(reply) == (400, "BadRequest", text)
    assert api.get(f"{THINGS}/a").code == 404


def test_a_custom_resource_tells_duplicates_before_unknown_fields(api: BareServer) -> None:
    raw = TWICE.replace(b"Thing", b"Gadget").replace(b'{"kind"', b'{"apiVersion":"example.com/v1","kind"', 1)
    assert api.post(GADGETS, raw).warnings == [FINDINGS[0], FINDINGS[2], FINDINGS[1]]


def test_quotes_in_a_warning_are_escaped(api: BareServer) -> None:
    reply = api.post(THINGS, {**thing("a"), "x": 1})
    assert reply.answer.warning_headers == ['299 - "unknown field \\"x\\""']


def test_warnings_are_told_although_the_request_fails(api: BareServer) -> None:
    reply = api.post(THINGS, {**thing("a", bad=True), "x": 1})
    assert (reply.code, reply.warnings) == (422, ['unknown field "x"'])


# ------------------------------------------------------------------ bodies of built-in kinds

UNRECOGNISED = (
    "the object provided is unrecognized (must be of type Thing): couldn't get version/kind; json parse error: "
)
TYPE_META = 'Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"apiVersion":"v1",', UNRECOGNISED + 'unexpected end of JSON input ({"apiVersion":"v1",)'),
        (b"", UNRECOGNISED + "unexpected end of JSON input (<empty>)"),
        (b"[]", UNRECOGNISED + f"json: cannot unmarshal array into {TYPE_META} (5b5d)"),
        (b'"x"', UNRECOGNISED + f"json: cannot unmarshal string into {TYPE_META} (227822)"),
        (
            b"hello: world",
            UNRECOGNISED + "invalid character 'h' looking for beginning of value (68656c6c6f3a20776f726c64)",
        ),
        (
            b'{"apiVersion":1,"kind":"ConfigMap"}',
            UNRECOGNISED + "json: cannot unmarshal number into Go struct field .apiVersion of type string "
            '({"apiVersion":1,"kind":"Config ...)',
        ),
        (
            b'{"apiVersion":"v1","kind":"Machine"}',
            'Machine in version "v1" cannot be handled as a Thing: converting (v1.Machine) to (core.Thing): unknown conversion',
        ),
        (
            b'{"apiVersion":"v2","kind":"Thing"}',
            (
                'Thing in version "v2" cannot be handled as a Thing: no kind "Thing" is registered for version "v2" in scheme '
                '"pkg/runtime/scheme.go:110"'
            ),
        ),
        (
            b'{"apiVersion":"nope/v1","kind":"Foo"}',
            (
                'Foo in version "v1" cannot be handled as a Thing: no kind "Foo" is registered for version "nope/v1" in scheme '
                '"pkg/runtime/scheme.go:110"'
            ),
        ),
    ],
)
def test_a_body_that_is_no_such_object_is_a_bad_request(api: BareServer, body: bytes, message: str) -> None:
    before = api.version
    assert told(api.post(THINGS, body)) == (400, "BadRequest", message)
    assert api.version == before


@pytest.mark.parametrize("missing", ["kind", "apiVersion"])
def test_a_built_in_kind_may_leave_out_what_it_is(api: BareServer, missing: str) -> None:
    reply = api.post(THINGS, {name: value for name, value in thing("a").items() if name != missing})
    assert (reply.code, reply.json["kind"], reply.json["apiVersion"]) == (201, "Thing", "v1")


def test_null_is_an_object_without_fields(api: BareServer) -> None:
    assert api.post(THINGS, b"null").code == 422


# ------------------------------------------------------------------ bodies of custom resources


def test_a_custom_resource_must_say_its_kind(api: BareServer) -> None:
    reply = api.post(GADGETS, b'{"apiVersion":"example.com/v1"}')
    text = (
        "the object provided is unrecognized (must be of type Gadget): "
        """Object 'Kind' is missing in '{"apiVersion":"example.com/v1"}' ({"apiVersion":"example.com/v1" ...)"""
    )
    assert told(reply) == (400, "BadRequest", text)


@pytest.mark.parametrize("version", ["v1", "example.com/v2", ""])
def test_a_custom_resource_must_be_of_the_paths_version(api: BareServer, version: str) -> None:
    reply = api.post(GADGETS, {"apiVersion": version, "kind": "Gadget", "metadata": {"name": "a"}})
    assert told(reply) == (
        400,
        "BadRequest",
        f"the API version in the data ({version}) does not match the expected API version (example.com/v1)",
    )


def test_a_custom_resource_of_another_kind_is_invalid(api: BareServer) -> None:
    reply = api.post(GADGETS, {**gadget("a"), "kind": "Other"})
    assert told(reply) == (
        422,
        "Invalid",
        'Other.example.com "a" is invalid: kind: Invalid value: "Other": must be Gadget',
    )
    assert reply.json["details"]["kind"] == "Other"


def test_the_version_of_the_path_is_translated_to_the_stored_one(api: BareServer) -> None:
    path = GADGETS.replace("/v1/", "/v2/")
    reply = api.post(path, {**gadget("a", size=1), "apiVersion": "example.com/v2"})
    assert (reply.code, reply.json["apiVersion"]) == (201, "example.com/v2")
    assert api.get(f"{GADGETS}/a").json["apiVersion"] == "example.com/v1"
    assert reply.meta["managedFields"][0]["apiVersion"] == "example.com/v2"


# ------------------------------------------------------------------ sizes


def test_a_body_over_the_servers_limit_is_too_large(api: BareServer) -> None:
    reply = api.post(THINGS, b" " * (LIMIT + 1))
    assert told(reply) == (413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728")


def test_an_object_over_etcds_limit_is_refused_and_nothing_is_written(api: BareServer) -> None:
    before = api.version
    reply = api.post(THINGS, {**thing("a"), "data": {"x": "y" * OBJECT_LIMIT}})
    assert told(reply) == (500, "", "etcdserver: request is too large")
    assert (api.version, api.get(f"{THINGS}/a").code) == (before, 404)
