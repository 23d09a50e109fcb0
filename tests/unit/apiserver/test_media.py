"""Which form of an answer a client gets: JSON or YAML, whole objects, metadata, Tables; and what is refused.

Messages were taken from kube-apiserver 1.34. Leaves out: the cells of Tables (test_table.py) and compression.
"""

from __future__ import annotations

import json

import pytest
import yaml

from support.bare_server import GADGETS, THINGS, BareServer, gadget, thing

AS = "application/json;as={};v=v1;g=meta.k8s.io"
READABLE = "application/json, application/yaml, application/vnd.kubernetes.protobuf"


@pytest.fixture
def api() -> BareServer:
    found = BareServer()
    found.thing("a")
    found.post(GADGETS, gadget("a"))
    return found


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "application/json",
        "application/json;q=0.5",
        "application/xml;q=0.5, */*;q=0.1",
        "application/vnd.kubernetes.protobuf, application/json",
        "application/json;as=Nothing;v=v1;g=meta.k8s.io,application/json",
    ],
)
def test_json_is_what_most_clients_get(api: BareServer, accept: str) -> None:
    reply = api.get(f"{THINGS}/a", accept=accept)
    assert (reply.code, reply.answer.content_type, reply.json["kind"]) == (200, "application/json", "Thing")


def test_a_wildcard_of_subtypes_is_understood_for_custom_resources_alone(api: BareServer) -> None:
    assert api.get(f"{THINGS}/a", accept="application/*").code == 406
    assert api.get(f"{GADGETS}/a", accept="application/*").code == 200


def test_who_asks_for_yaml_gets_yaml(api: BareServer) -> None:
    reply = api.get(f"{THINGS}/a", accept="application/yaml")
    assert reply.answer.content_type == "application/yaml"
    assert yaml.safe_load(reply.text) == api.get(f"{THINGS}/a").json


def test_a_failure_is_told_in_yaml_too(api: BareServer) -> None:
    reply = api.get(f"{THINGS}/nope", accept="application/yaml")
    assert yaml.safe_load(reply.text)["reason"] == "NotFound"


def test_quality_decides_between_two_forms(api: BareServer) -> None:
    reply = api.get(f"{THINGS}/a", accept="application/json;q=0.1, application/yaml;q=0.9")
    assert reply.answer.content_type == "application/yaml"


def test_pretty_answers_are_indented(api: BareServer) -> None:
    reply = api.get(f"{THINGS}/a?pretty=true")
    assert reply.text.startswith('{\n  "kind": "Thing",\n')
    assert reply.json == api.get(f"{THINGS}/a").json


def test_nothing_that_a_built_in_kind_can_be_made_of_is_not_acceptable(api: BareServer) -> None:
    reply = api.get(f"{THINGS}/a", accept="text/html")
    assert (reply.code, reply.reason, reply.json["details"]) == (406, "NotAcceptable", {})
    assert reply.message == f"406: Not Acceptable\n\nAvailable representations: {READABLE}"


def test_of_a_list_there_is_also_a_stream(api: BareServer) -> None:
    reply = api.get(THINGS, accept="text/html")
    assert reply.message.endswith(
        f"{READABLE}, application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch"
    )


def test_a_form_that_is_not_known_is_not_acceptable(api: BareServer) -> None:
    for path in (f"{THINGS}/a", f"{GADGETS}/a"):
        reply = api.get(path, accept=AS.format("Foo"))
        assert (reply.code, reply.message) == (406, f"only the following media types are accepted: {READABLE}")
        assert "details" not in reply.json


def test_a_watch_is_not_written_in_yaml(api: BareServer) -> None:
    reply = api.get(f"{THINGS}?watch=1", accept="application/yaml")
    assert reply.code == 406


def test_metadata_alone(api: BareServer) -> None:
    reply = api.get(f"{THINGS}/a", accept=AS.format("PartialObjectMetadata"))
    assert reply.json == {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": api.get(f"{THINGS}/a").meta,
    }


def test_a_list_of_metadata(api: BareServer) -> None:
    reply = api.get(THINGS, accept=AS.format("PartialObjectMetadataList"))
    assert (reply.json["kind"], reply.json["apiVersion"]) == ("PartialObjectMetadataList", "meta.k8s.io/v1")
    assert reply.json["items"] == [api.get(f"{THINGS}/a", accept=AS.format("PartialObjectMetadata")).json]


def test_one_object_is_no_list(api: BareServer) -> None:
    reply = api.get(f"{THINGS}/a", accept=AS.format("PartialObjectMetadataList"))
    assert (reply.code, reply.message) == (
        406,
        "you requested PartialObjectMetadataList, but the requested object is not a list (*core.Thing)",
    )
    assert api.get(f"{THINGS}/nope", accept=AS.format("PartialObjectMetadataList")).code == 404
    assert api.get(f"{GADGETS}/a", accept=AS.format("PartialObjectMetadataList")).code == 500


def test_a_list_is_no_object(api: BareServer) -> None:
    reply = api.get(THINGS, accept=AS.format("PartialObjectMetadata"))
    assert reply.message == "you requested PartialObjectMetadata, but the requested object is a list (*core.ThingList)"


def test_a_table(api: BareServer) -> None:
    reply = api.get(THINGS, accept=f"{AS.format('Table')},application/json")
    assert (reply.json["kind"], len(reply.json["rows"])) == ("Table", 1)
    assert reply.meta == api.get(THINGS).meta
    assert reply.json["rows"][0]["object"]["kind"] == "PartialObjectMetadata"


def test_a_table_with_whole_objects(api: BareServer) -> None:
    reply = api.get(f"{THINGS}?includeObject=Object", accept=AS.format("Table"))
    assert reply.json["rows"][0]["object"]["kind"] == "Thing"


def test_a_table_includes_what_there_is_to_include(api: BareServer) -> None:
    reply = api.get(f"{THINGS}?includeObject=Odd", accept=AS.format("Table"))
    assert reply.code == 400
    assert reply.message == (
        'Unable to convert to Table as requested: includeObject: Invalid value: "Odd": '
        "must be 'Metadata', 'Object', 'None', or empty"
    )


@pytest.mark.parametrize(("target", "kind"), [("Table", "Table"), ("PartialObjectMetadata", "PartialObjectMetadata")])
def test_a_bookmark_has_the_form_of_the_events(api: BareServer, target: str, kind: str) -> None:
    *_, last = api.watch(f"{THINGS}?allowWatchBookmarks=true", accept=AS.format(target)).read()
    assert (last["type"], last["object"]["kind"]) == ("BOOKMARK", kind)
    assert last["object"]["metadata"]["resourceVersion"] == str(api.version)


def test_a_bookmark_among_tables_is_a_row_of_empty_cells(api: BareServer) -> None:
    *_, last = api.watch(f"{GADGETS}?allowWatchBookmarks=true", accept=AS.format("Table")).read()
    (row,) = last["object"]["rows"]
    assert row["cells"] == ["", None]
    assert row["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


def test_a_watched_table_says_its_columns_once(api: BareServer) -> None:
    api.thing("b")
    tables = [each["object"] for each in api.watch(THINGS, accept=AS.format("Table")).read()]
    assert [each["kind"] for each in tables] == ["Table", "Table"]
    assert tables[0]["columnDefinitions"]
    assert tables[1]["columnDefinitions"] is None


def test_watched_metadata(api: BareServer) -> None:
    (event,) = api.watch(THINGS, accept=AS.format("PartialObjectMetadata")).read()
    assert (event["type"], event["object"]["kind"]) == ("ADDED", "PartialObjectMetadata")


# ------------------------------------------------------------------ lists as bytes


def test_items_of_a_built_in_list_leave_out_what_the_list_says(api: BareServer) -> None:
    (item,) = api.get(THINGS).json["items"]
    assert "kind" not in item
    assert "apiVersion" not in item


def test_items_of_a_custom_list_say_what_they_are(api: BareServer) -> None:
    (item,) = api.get(GADGETS).json["items"]
    assert (item["kind"], item["apiVersion"]) == ("Gadget", "example.com/v1")


def test_another_version_of_a_custom_resource_says_so(api: BareServer) -> None:
    path = GADGETS.replace("/v1/", "/v2/")
    assert api.get(f"{path}/a").json["apiVersion"] == "example.com/v2"
    (item,) = api.get(path).json["items"]
    assert item["apiVersion"] == "example.com/v2"
    (event,) = api.watch(path).read()
    assert event["object"]["apiVersion"] == "example.com/v2"


def test_a_custom_list_always_has_a_continue(api: BareServer) -> None:
    assert api.get(GADGETS).meta["continue"] == ""
    assert "continue" not in api.get(THINGS).meta


def test_an_empty_list_has_items(api: BareServer) -> None:
    assert api.get("/api/v1/machines").json["items"] == []


def test_a_list_joins_the_stored_bytes(api: BareServer) -> None:
    api.post(THINGS, thing("ü", meta={"name": "b", "annotations": {"a": "ü \u2028 <&>"}}))
    stored = [record.object() for record in api.storage.list(("", "things"))]
    listed = [{"kind": "Thing", "apiVersion": "v1", **item} for item in json.loads(api.get(THINGS).body)["items"]]
    assert listed == stored


# ------------------------------------------------------------------ bodies


@pytest.mark.parametrize(
    "content_type", ["", "application/json", "application/json; charset=utf-8", "APPLICATION/JSON"]
)
def test_a_body_is_json_unless_it_says_otherwise(api: BareServer, content_type: str) -> None:
    assert api.post(THINGS, thing("b"), content_type=content_type).code == 201


def test_a_body_can_be_yaml(api: BareServer) -> None:
    raw = b"apiVersion: v1\nkind: Thing\nmetadata: {name: b}\nspec: {colour: red}\n"
    assert api.post(THINGS, raw, content_type="application/yaml").json["spec"] == {"colour": "red"}


def test_another_body_is_an_unsupported_media_type(api: BareServer) -> None:
    reply = api.post(THINGS, b"x", content_type="text/plain")
    assert (reply.code, reply.reason) == (415, "UnsupportedMediaType")
    assert reply.message == (
        "the body of the request was in an unknown format - accepted media types include: "
        "application/json, application/yaml, application/vnd.kubernetes.protobuf"
    )


def test_what_cannot_be_answered_changes_nothing(api: BareServer) -> None:
    before = api.version
    assert api.post(THINGS, thing("b"), accept="text/html").code == 406
    assert api.version == before
