"""DELETE of one object and of a collection: preconditions, grace, finalizers, propagation, dry run.

Codes and messages were taken from kube-apiserver 1.34. Leaves out: what the garbage collector and the kubelet do next
(test_garbage.py, test_kubelet.py), and the grace period that each kind takes.
"""

from __future__ import annotations

from typing import Any

import pytest

from support.bare_server import GADGETS, THINGS, BareServer, gadget, thing

A = f"{THINGS}/a"
START, LATER = "2023-11-14T22:13:20Z", "2023-11-14T22:13:50Z"


@pytest.fixture
def api() -> BareServer:
    found = BareServer()
    found.thing("a")
    return found


def told(reply: Any) -> tuple[int, str, str]:
    return reply.code, reply.reason, reply.message


def deletion(reply: Any) -> tuple[Any, Any]:
    return reply.meta.get("deletionTimestamp"), reply.meta.get("deletionGracePeriodSeconds")


def test_an_object_without_finalizers_goes_at_once(api: BareServer) -> None:
    uid = api.get(A).meta["uid"]
    reply = api.delete(A)
    assert (reply.code, reply.json) == (
        200,
        {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Success",
            "details": {"name": "a", "kind": "things", "uid": uid},
        },
    )
    assert api.get(A).code == 404


def test_a_custom_resources_status_names_its_group(api: BareServer) -> None:
    api.post(GADGETS, gadget("g"))
    assert api.delete(f"{GADGETS}/g").json["details"]["group"] == "example.com"


def test_some_kinds_answer_with_the_object(api: BareServer, monkeypatch: pytest.MonkeyPatch) -> None:
    strategy = api.registry.find("", "v1", "things").strategy  # type: ignore[union-attr]
    monkeypatch.setattr(strategy, "returns_deleted", True)
    assert api.delete(A).json["kind"] == "Thing"


def test_a_delete_of_nothing_is_not_found(api: BareServer) -> None:
    assert told(api.delete(f"{THINGS}/nope")) == (404, "NotFound", 'things "nope" not found')


# ------------------------------------------------------------------ preconditions


def test_another_uid_is_a_conflict(api: BareServer) -> None:
    uid = api.get(A).meta["uid"]
    text = (
        f'Operation cannot be fulfilled on Thing "a": the UID in the precondition (other) does not match the UID in record '
        f"({uid}). The object might have been deleted and then recreated"
    )
    assert told(api.delete(A, {"preconditions": {"uid": "other"}})) == (409, "Conflict", text)
    assert api.delete(A, {"preconditions": {"uid": uid}}).code == 200


def test_another_version_is_a_conflict(api: BareServer) -> None:
    version = api.get(A).meta["resourceVersion"]
    reply = api.delete(A, {"preconditions": {"resourceVersion": "1"}})
    assert reply.code == 409
    assert reply.message.endswith(
        f"the ResourceVersion in the precondition (1) does not match the ResourceVersion in record ({version}). "
        "The object might have been modified"
    )
    assert api.delete(A, {"preconditions": {"resourceVersion": version}}).code == 200


# ------------------------------------------------------------------ finalizers


def test_an_object_with_finalizers_is_marked_and_stays(api: BareServer) -> None:
    api.post(THINGS, thing("f", meta={"finalizers": ["x/y"]}))
    reply = api.delete(f"{THINGS}/f")
    assert (reply.code, reply.json["kind"], deletion(reply)) == (200, "Thing", (START, 0))
    assert api.get(f"{THINGS}/f").json == reply.json


def test_deleting_it_again_changes_nothing(api: BareServer) -> None:
    api.post(THINGS, thing("f", meta={"finalizers": ["x/y"]}))
    api.delete(f"{THINGS}/f")
    before = api.version
    api.clock.advance(60)
    assert deletion(api.delete(f"{THINGS}/f")) == (START, 0)
    assert api.version == before


def test_a_deletion_is_a_new_generation_where_there_are_any(api: BareServer) -> None:
    api.post(GADGETS, gadget("g", meta={"finalizers": ["x/y"]}))
    assert api.delete(f"{GADGETS}/g").meta["generation"] == 2


@pytest.mark.parametrize(
    ("options", "finalizers"),
    [
        ({"propagationPolicy": "Foreground"}, ["foregroundDeletion"]),
        ({"propagationPolicy": "Orphan"}, ["orphan"]),
        ({"orphanDependents": True}, ["orphan"]),
    ],
)
def test_propagation_is_a_finalizer_for_the_garbage_collector(
    api: BareServer, options: dict[str, Any], finalizers: list[str]
) -> None:
    reply = api.delete(A, options)
    assert (reply.meta["finalizers"], deletion(reply)) == (finalizers, (START, 0))


@pytest.mark.parametrize("options", [{}, {"propagationPolicy": "Background"}, {"orphanDependents": False}])
def test_in_the_background_the_object_goes_first(api: BareServer, options: dict[str, Any]) -> None:
    assert api.delete(A, options).json["kind"] == "Status"
    assert api.get(A).code == 404


def test_a_later_request_can_choose_another_propagation(api: BareServer) -> None:
    api.post(THINGS, thing("f", meta={"finalizers": ["x/y"]}))
    api.delete(f"{THINGS}/f", {"propagationPolicy": "Foreground"})
    assert api.delete(f"{THINGS}/f", {"propagationPolicy": "Orphan"}).meta["finalizers"] == ["x/y", "orphan"]
    assert api.delete(f"{THINGS}/f").meta["finalizers"] == ["x/y", "orphan"]
    assert api.delete(f"{THINGS}/f", {"propagationPolicy": "Background"}).meta["finalizers"] == ["x/y"]


def test_a_kind_that_is_not_collected_gets_no_such_finalizer(api: BareServer, monkeypatch: pytest.MonkeyPatch) -> None:
    strategy = api.registry.find("", "v1", "things").strategy  # type: ignore[union-attr]
    monkeypatch.setattr(strategy, "collected", False)
    assert api.delete(A, {"propagationPolicy": "Foreground"}).json["kind"] == "Status"


def test_an_object_that_stays_although_its_dependents_go_is_accepted(api: BareServer) -> None:
    api.post(THINGS, thing("f", meta={"finalizers": ["x/y"]}))
    assert api.delete(f"{THINGS}/f", {"orphanDependents": False}).code == 202


# ------------------------------------------------------------------ grace


@pytest.fixture
def graceful(api: BareServer) -> str:
    api.thing("p", grace=30)
    return f"{THINGS}/p"


def test_a_graceful_deletion_sets_the_time_of_the_end(api: BareServer, graceful: str) -> None:
    assert deletion(api.delete(graceful)) == (LATER, 30)
    assert deletion(api.get(graceful)) == (LATER, 30)


@pytest.mark.parametrize(("asked", "expected"), [(10, 10), (60, 60), (-5, 1)])
def test_the_grace_period_is_what_was_asked_for(api: BareServer, graceful: str, asked: int, expected: int) -> None:
    assert deletion(api.delete(graceful, {"gracePeriodSeconds": asked}))[1] == expected


def test_no_grace_removes_the_object_after_one_last_event(api: BareServer, graceful: str) -> None:
    watch = api.watch(f"{THINGS}?resourceVersion={api.version}")
    assert api.delete(graceful, {"gracePeriodSeconds": 0}).code == 200
    assert api.get(graceful).code == 404
    events = watch.read()
    assert [each["type"] for each in events] == ["MODIFIED", "DELETED"]
    assert events[1]["object"]["metadata"]["deletionGracePeriodSeconds"] == 0


def test_a_deletion_under_way_goes_on_unchanged(api: BareServer, graceful: str) -> None:
    api.delete(graceful)
    before = api.version
    for options in ({}, {"gracePeriodSeconds": 30}, {"gracePeriodSeconds": 90}):
        assert deletion(api.delete(graceful, options)) == (LATER, 30)
    assert api.version == before


def test_a_deletion_under_way_can_become_quicker(api: BareServer, graceful: str) -> None:
    api.delete(graceful)
    assert deletion(api.delete(graceful, {"gracePeriodSeconds": 10})) == ("2023-11-14T22:13:30Z", 10)


def test_a_shorter_grace_that_is_over_already_ends_soon(api: BareServer, graceful: str) -> None:
    api.delete(graceful)
    api.clock.advance(20)
    assert deletion(api.delete(graceful, {"gracePeriodSeconds": 5})) == ("2023-11-14T22:13:40Z", 1)


def test_the_second_delete_without_grace_removes_the_object(api: BareServer, graceful: str) -> None:
    api.delete(graceful)
    assert api.delete(graceful, {"gracePeriodSeconds": 0}).code == 200
    assert api.get(graceful).code == 404


def test_finalizers_hold_an_object_whose_grace_is_over(api: BareServer) -> None:
    api.post(THINGS, thing("f", meta={"finalizers": ["x/y"]}, grace=30))
    api.delete(f"{THINGS}/f")
    reply = api.delete(f"{THINGS}/f?gracePeriodSeconds=0")
    assert (reply.meta["finalizers"], deletion(reply)[1]) == (["x/y"], 0)
    assert api.patch(f"{THINGS}/f", {"metadata": {"finalizers": None}}).code == 200
    assert api.get(f"{THINGS}/f").code == 404


def test_taking_the_finalizers_leaves_an_object_that_still_has_grace(api: BareServer) -> None:
    api.post(THINGS, thing("f", meta={"finalizers": ["x/y"]}, grace=30))
    api.delete(f"{THINGS}/f")
    api.patch(f"{THINGS}/f", {"metadata": {"finalizers": None}})
    assert api.get(f"{THINGS}/f").code == 200


# ------------------------------------------------------------------ dry run and options


@pytest.mark.parametrize("options", [{}, {"propagationPolicy": "Foreground"}])
def test_a_dry_run_deletes_nothing(api: BareServer, options: dict[str, Any]) -> None:
    before = api.version
    assert api.delete(A, {**options, "dryRun": ["All"]}).code == 200
    assert api.delete(f"{A}?dryRun=All").code == 200
    assert (api.version, deletion(api.get(A))) == (before, (None, None))


def test_a_dry_run_shows_what_would_be_marked(api: BareServer, graceful: str) -> None:
    assert deletion(api.delete(f"{graceful}?dryRun=All")) == (LATER, 30)
    assert deletion(api.get(graceful)) == (None, None)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "couldn't get version/kind; json parse error: unexpected end of JSON input"),
        ({"gracePeriodSeconds": "x"}, "json: cannot unmarshal string into Go struct field DeleteOptions.gracePeriodSeconds of type int64"),
        ({"kind": "Foo"}, 'no kind "Foo" is registered for version "v1" in scheme "pkg/runtime/scheme.go:110"'),
    ],
)  # fmt: skip
def test_options_that_cannot_be_read_are_an_error(api: BareServer, body: Any, message: str) -> None:
    assert told(api.delete(A, body)) == (500, "", message)


def test_options_may_say_what_they_are(api: BareServer) -> None:
    assert api.delete(A, {"kind": "DeleteOptions", "apiVersion": "apps/v1", "extra": 1}).code == 200


def test_options_can_be_yaml_but_not_just_anything(api: BareServer) -> None:
    assert api.delete(A, b"{}", content_type="text/plain").code == 415
    assert deletion(api.delete(A, b"propagationPolicy: Foreground", content_type="application/yaml")) == (START, 0)


# ------------------------------------------------------------------ collections


@pytest.fixture
def many(api: BareServer) -> BareServer:
    for number, name in enumerate("bcd"):
        api.post(THINGS, thing(name, labels={"n": str(number)}))
    return api


def test_a_collection_is_deleted_and_listed(many: BareServer) -> None:
    reply = many.delete(THINGS)
    assert (reply.code, reply.json["kind"], reply.names) == (200, "ThingList", list("abcd"))
    assert many.get(THINGS).names == []


def test_selectors_and_pages_bound_what_is_deleted(many: BareServer) -> None:
    assert many.delete(f"{THINGS}?labelSelector=n>0").names == ["c", "d"]
    assert many.delete(f"{THINGS}?limit=1").names == ["a"]
    assert many.get(THINGS).names == ["b"]


def test_other_namespaces_are_left_alone(many: BareServer) -> None:
    many.post(THINGS.replace("here", "there"), thing("z"))
    many.delete(THINGS)
    assert many.get("/api/v1/things").names == ["z"]


def test_options_hold_for_each_object(many: BareServer) -> None:
    many.delete(THINGS, {"propagationPolicy": "Foreground"})
    items = many.get(THINGS).json["items"]
    assert [item["metadata"]["finalizers"] for item in items] == [["foregroundDeletion"]] * 4


def test_a_dry_run_of_a_collection_deletes_nothing(many: BareServer) -> None:
    assert many.delete(f"{THINGS}?dryRun=All").names == list("abcd")
    assert many.get(THINGS).names == list("abcd")


def test_an_empty_collection_is_deleted_without_ado(api: BareServer) -> None:
    assert api.delete(GADGETS).names == []
