"""PUT and what patches come down to: optimistic locking, what stays, what changes nothing, finalizers.

Codes and messages were taken from kube-apiserver 1.34. Leaves out: how patches are computed (tests of patches/), rules
of single kinds.
"""

from __future__ import annotations

from typing import Any

import pytest

from support.bare_server import GADGETS, THINGS, BareServer, gadget, thing

MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


@pytest.fixture
def api() -> BareServer:
    found = BareServer()
    found.thing("a", colour="red")
    found.post(GADGETS, gadget("g", replicas=1))
    return found


def told(reply: Any) -> tuple[int, str, str]:
    return reply.code, reply.reason, reply.message


def fresh(api: BareServer, path: str = f"{THINGS}/a", **changes: Any) -> dict[str, Any]:
    return {**api.get(path).json, **changes}


# ------------------------------------------------------------------ locking


def test_an_update_of_the_state_that_was_read_succeeds(api: BareServer) -> None:
    reply = api.put(f"{THINGS}/a", fresh(api, spec={"colour": "blue"}))
    assert (reply.code, reply.json["spec"], reply.meta["resourceVersion"]) == (
        200,
        {"colour": "blue"},
        str(api.version),
    )


def test_an_update_of_an_older_state_is_a_conflict(api: BareServer) -> None:
    old = fresh(api)
    api.put(f"{THINGS}/a", fresh(api, spec={"colour": "blue"}))
    before = api.version
    reply = api.put(f"{THINGS}/a", {**old, "spec": {"colour": "green"}})
    assert told(reply) == (409, "Conflict", f'Operation cannot be fulfilled on things "a": {MODIFIED}')
    assert reply.json["details"] == {"name": "a", "kind": "things"}
    assert api.version == before


@pytest.mark.parametrize("version", [None, "", "0"])
def test_an_update_without_a_version_overwrites_where_the_kind_allows_it(api: BareServer, version: str | None) -> None:
    meta = {} if version is None else {"resourceVersion": version}
    assert api.put(f"{THINGS}/a", thing("a", meta=meta, colour="blue")).code == 200


@pytest.mark.parametrize("version", [None, "0"])
def test_an_update_without_a_version_is_invalid_for_custom_resources(api: BareServer, version: str | None) -> None:
    meta = {} if version is None else {"resourceVersion": version}
    reply = api.put(f"{GADGETS}/g", gadget("g", meta=meta))
    text = 'gadgets.example.com "g" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update'
    assert told(reply) == (422, "Invalid", text)


def test_a_version_that_is_none_is_an_error(api: BareServer) -> None:
    reply = api.put(f"{THINGS}/a", thing("a", meta={"resourceVersion": "abc"}))
    assert told(reply) == (500, "", 'strconv.ParseUint: parsing "abc": invalid syntax')


def test_an_update_of_another_incarnation_is_a_conflict(api: BareServer) -> None:
    uid = api.get(f"{THINGS}/a").meta["uid"]
    text = (
        'Operation cannot be fulfilled on things "a": StorageError: invalid object, Code: 4, Key: /registry/things/here/a, '
        f"ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: other, UID in object meta: {uid}"
    )
    assert told(api.put(f"{THINGS}/a", thing("a", meta={"uid": "other"}))) == (409, "Conflict", text)


def test_the_key_of_a_custom_resource_names_its_group(api: BareServer) -> None:
    reply = api.put(f"{GADGETS}/g", gadget("g", meta={"uid": "other", "resourceVersion": "1"}))
    assert "Key: /registry/example.com/gadgets/here/g, " in reply.message


# ------------------------------------------------------------------ whose body it is


def test_an_update_of_nothing_is_not_found(api: BareServer) -> None:
    assert told(api.put(f"{THINGS}/nope", thing("nope"))) == (404, "NotFound", 'things "nope" not found')


def test_an_update_may_create_where_the_kind_allows_it(api: BareServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(api.registry.find("", "v1", "things").strategy), "allow_create_on_update", True)  # type: ignore[union-attr]
    reply = api.put(f"{THINGS}/new", thing("new"))
    assert (reply.code, reply.json["spec"]) == (201, {"colour": "grey"})
    assert reply.meta["uid"]


@pytest.mark.parametrize(
    ("meta", "message"),
    [
        ({"name": "b"}, "the name of the object (b) does not match the name on the URL (a)"),
        ({"name": ""}, "the name of the object (a based on URL) was undeterminable: name must be provided"),
        (
            {"namespace": "there"},
            "the namespace of the provided object does not match the namespace sent on the request",
        ),
    ],
)
def test_a_body_about_another_object_is_a_bad_request(api: BareServer, meta: dict[str, str], message: str) -> None:
    assert told(api.put(f"{THINGS}/a", thing("a", meta=meta))) == (400, "BadRequest", message)


# ------------------------------------------------------------------ what stays


def test_birth_and_identity_stay_whatever_is_sent(api: BareServer) -> None:
    before = api.get(f"{THINGS}/a").meta
    meta = {"creationTimestamp": "2020-01-01T00:00:00Z", "generation": 99, "selfLink": "x"}
    after = api.put(f"{THINGS}/a", thing("a", meta=meta)).meta
    assert (after["uid"], after["creationTimestamp"]) == (before["uid"], before["creationTimestamp"])
    assert "generation" not in after


def test_an_update_cannot_begin_a_deletion(api: BareServer) -> None:
    reply = api.put(f"{THINGS}/a", thing("a", meta={"deletionTimestamp": "2020-01-01T00:00:00Z"}))
    text = 'metadata.deletionTimestamp: Invalid value: "2020-01-01T00:00:00Z": field is immutable'
    assert told(reply) == (422, "Invalid", f'Thing "a" is invalid: {text}')


def test_what_is_wrong_with_an_updates_metadata_is_listed_twice_as_on_a_real_server(api: BareServer) -> None:
    reply = api.patch(f"{THINGS}/a", {"metadata": {"uid": "zz"}})
    assert reply.message == 'Thing "a" is invalid: metadata.uid: Invalid value: "zz": field is immutable'
    assert [cause["field"] for cause in reply.json["details"]["causes"]] == ["metadata.uid", "metadata.uid"]


def test_a_generation_counts_changes_of_the_spec(api: BareServer) -> None:
    assert api.patch(f"{GADGETS}/g", {"metadata": {"labels": {"x": "1"}}}).meta["generation"] == 1
    assert api.patch(f"{GADGETS}/g", {"spec": {"replicas": 2}}).meta["generation"] == 2


def test_a_plain_update_leaves_the_status_and_a_status_update_the_spec(api: BareServer) -> None:
    api.patch(f"{GADGETS}/g/status", {"status": {"replicas": 1}, "spec": {"replicas": 7}})
    reply = api.patch(f"{GADGETS}/g", {"status": {"replicas": 9}, "spec": {"replicas": 2}})
    assert (reply.json["spec"], reply.json["status"]) == ({"replicas": 2}, {"replicas": 1})


# ------------------------------------------------------------------ what changes nothing


def test_an_update_that_changes_nothing_keeps_the_version(api: BareServer) -> None:
    before = api.version
    api.clock.advance(100)
    assert api.put(f"{THINGS}/a", fresh(api)).meta["resourceVersion"] == api.get(f"{THINGS}/a").meta["resourceVersion"]
    assert api.patch(f"{THINGS}/a", {}).code == 200
    assert api.patch(f"{THINGS}/a", {"spec": {"colour": "red"}, "metadata": {"uid": None}}).code == 200
    assert api.version == before


def test_an_update_of_managed_fields_times_alone_changes_nothing(api: BareServer) -> None:
    before, obj = api.version, fresh(api)
    obj["metadata"]["managedFields"][0]["time"] = "2030-01-01T00:00:00Z"
    api.put(f"{THINGS}/a", obj)
    assert api.version == before


def test_a_dry_run_answers_and_changes_nothing(api: BareServer) -> None:
    before = api.version
    reply = api.put(f"{THINGS}/a?dryRun=All", thing("a", colour="blue"))
    assert (reply.json["spec"], reply.meta["resourceVersion"]) == (
        {"colour": "blue"},
        api.get(f"{THINGS}/a").meta["resourceVersion"],
    )
    assert (api.version, api.get(f"{THINGS}/a").json["spec"]) == (before, {"colour": "red"})


def test_an_invalid_update_changes_nothing(api: BareServer) -> None:
    before = api.version
    assert api.patch(f"{THINGS}/a", {"spec": {"bad": True}}).code == 422
    assert (api.version, api.get(f"{THINGS}/a").json["spec"]) == (before, {"colour": "red"})


# ------------------------------------------------------------------ finalizers


def finalized(api: BareServer, *finalizers: str) -> None:
    api.post(THINGS, thing("f", meta={"finalizers": list(finalizers)}))
    api.delete(f"{THINGS}/f")


def test_taking_the_last_finalizer_from_a_deleting_object_removes_it(api: BareServer) -> None:
    finalized(api, "x/y")
    last = api.get(f"{THINGS}/f").json
    watch = api.watch(f"{THINGS}?resourceVersion={api.version}")
    reply = api.patch(f"{THINGS}/f", {"metadata": {"finalizers": None, "labels": {"last": "one"}}})
    assert (reply.code, reply.meta["labels"], reply.meta["resourceVersion"]) == (
        200,
        {"last": "one"},
        last["metadata"]["resourceVersion"],
    )
    assert api.get(f"{THINGS}/f").code == 404
    (event,) = watch.read()
    assert event["type"] == "DELETED"
    assert event["object"] == {**last, "metadata": {**last["metadata"], "resourceVersion": str(api.version)}}


def test_a_dry_run_of_it_removes_nothing(api: BareServer) -> None:
    finalized(api, "x/y")
    assert "finalizers" not in api.patch(f"{THINGS}/f?dryRun=All", {"metadata": {"finalizers": None}}).meta
    assert api.get(f"{THINGS}/f").code == 200


def test_an_object_stays_while_a_finalizer_is_left(api: BareServer) -> None:
    finalized(api, "x/y", "x/z")
    api.patch(f"{THINGS}/f", {"metadata": {"finalizers": ["x/z"]}})
    assert api.get(f"{THINGS}/f").meta["finalizers"] == ["x/z"]


def test_taking_finalizers_from_an_object_that_is_not_deleted_removes_nothing(api: BareServer) -> None:
    api.post(THINGS, thing("f", meta={"finalizers": ["x/y"]}))
    api.patch(f"{THINGS}/f", {"metadata": {"finalizers": None}})
    assert api.get(f"{THINGS}/f").code == 200


def test_no_finalizer_is_added_to_a_deleting_object(api: BareServer) -> None:
    finalized(api, "x/y")
    reply = api.patch(f"{THINGS}/f", {"metadata": {"finalizers": ["x/y", "x/z"]}})
    assert reply.code == 422
    assert reply.message.endswith('found new finalizers []string{"x/z"}')


def test_a_deletion_cannot_be_taken_back(api: BareServer) -> None:
    finalized(api, "x/y")
    api.patch(f"{THINGS}/f", {"metadata": {"deletionTimestamp": None, "deletionGracePeriodSeconds": None}})
    assert api.get(f"{THINGS}/f").meta["deletionTimestamp"] == "2023-11-14T22:13:20Z"
