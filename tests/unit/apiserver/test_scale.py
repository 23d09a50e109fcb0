"""The scale subresource: how an object is shown as a Scale, and how a changed Scale is written back.

Compared with kube-apiserver 1.34. Leaves out: `kubectl scale` over HTTP, and the checks of a CustomResourceDefinition's
paths (tests of schemas/).
"""

from __future__ import annotations

from typing import Any

import pytest

from support.bare_server import GADGETS, BareServer, GadgetStrategy, gadget
from twinloop.apiserver.scale import scale_of
from twinloop.apiserver.strategy import ScalePaths

SCALE = f"{GADGETS}/g/scale"
APPLY = "application/apply-patch+yaml"
PATHS = ScalePaths(("spec", "replicas"), ("status", "replicas"), ("spec", "selector"))


@pytest.fixture
def api() -> BareServer:
    found = BareServer()
    found.post(GADGETS, gadget("g", replicas=2))
    found.patch(f"{GADGETS}/g/status", {"status": {"replicas": 1, "selector": "app=g"}})
    return found


def body(replicas: Any, **meta: str) -> dict[str, Any]:
    return {
        "apiVersion": "autoscaling/v1",
        "kind": "Scale",
        "metadata": {"name": "g", **meta},
        "spec": {"replicas": replicas},
    }


def test_an_object_is_shown_as_a_scale(api: BareServer) -> None:
    meta = api.get(f"{GADGETS}/g").meta
    assert api.get(SCALE).json == {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {
            "name": "g",
            "namespace": "here",
            "uid": meta["uid"],
            "resourceVersion": meta["resourceVersion"],
            "creationTimestamp": meta["creationTimestamp"],
        },
        "spec": {"replicas": 2},
        "status": {"replicas": 1, "selector": "app=g"},
    }


def test_what_an_object_does_not_say_is_nothing() -> None:
    shown = scale_of({"metadata": {"name": "a"}, "spec": "odd"}, PATHS)
    assert (shown["spec"], shown["status"]) == ({}, {"replicas": 0})


@pytest.mark.parametrize(
    ("selector", "text"),
    [
        ("a=b", "a=b"),
        ({"matchLabels": {"b": "2", "a": "1"}}, "a=1,b=2"),
        (
            {
                "matchLabels": {"a": "1"},
                "matchExpressions": [
                    {"key": "k", "operator": "In", "values": ["y", "x"]},
                    {"key": "k", "operator": "NotIn", "values": ["z"]},
                    {"key": "k", "operator": "Exists"},
                    {"key": "k", "operator": "DoesNotExist"},
                ],
            },
            "a=1,k in (x,y),k notin (z),k,!k",
        ),
    ],
)
def test_a_selector_is_shown_as_text(selector: Any, text: str) -> None:
    assert scale_of({"metadata": {}, "spec": {"selector": selector}}, PATHS)["status"]["selector"] == text


def test_a_scale_that_is_put_changes_the_object(api: BareServer) -> None:
    reply = api.put(SCALE, body(5))
    assert (reply.code, reply.json["spec"]) == (200, {"replicas": 5})
    assert api.get(f"{GADGETS}/g").json["spec"] == {"replicas": 5}
    assert api.get(f"{GADGETS}/g").meta["generation"] == 2


def test_a_scale_that_is_patched_changes_the_object(api: BareServer) -> None:
    assert api.patch(SCALE, {"spec": {"replicas": 6}}).json["spec"] == {"replicas": 6}
    assert api.get(f"{GADGETS}/g").json["spec"] == {"replicas": 6}


def test_only_the_wanted_replicas_can_be_set(api: BareServer) -> None:
    reply = api.patch(SCALE, {"spec": {"replicas": 6}, "status": {"replicas": 9}, "metadata": {"labels": {"a": "b"}}})
    assert reply.json["status"]["replicas"] == 1
    assert "labels" not in api.get(f"{GADGETS}/g").meta


def test_a_scale_that_changes_nothing_is_no_write_once_the_owners_are_settled(api: BareServer) -> None:
    """A real server first splits the replicas off the entry of whoever wrote them, then forgets them: two writes."""
    for _ in range(2):
        api.put(SCALE, body(2))
    before = api.version
    assert api.put(SCALE, body(2)).code == 200
    assert api.version == before


def test_a_scale_of_an_older_state_is_a_conflict(api: BareServer) -> None:
    reply = api.put(SCALE, body(5, resourceVersion="1"))
    assert (reply.code, reply.reason) == (409, "Conflict")
    assert reply.message.startswith(
        'Operation cannot be fulfilled on gadgets.example.com "g": the object has been modified'
    )


def test_a_scale_of_another_object_is_a_bad_request(api: BareServer) -> None:
    reply = api.put(SCALE, body(5, name="h"))
    assert (reply.code, reply.message) == (400, "the name of the object (h) does not match the name on the URL (g)")


def test_a_scale_of_nothing_is_not_found(api: BareServer) -> None:
    for reply in (
        api.get(f"{GADGETS}/no/scale"),
        api.patch(f"{GADGETS}/no/scale", {}),
        api.put(f"{GADGETS}/no/scale", body(1, name="no")),
    ):
        assert (reply.code, reply.message) == (404, 'gadgets.example.com "no" not found')


def test_replicas_are_a_number(api: BareServer) -> None:
    assert api.put(SCALE, body("many")).code == 400
    assert api.get(f"{GADGETS}/g").json["spec"] == {"replicas": 2}


def test_a_dry_run_scales_nothing(api: BareServer) -> None:
    assert api.put(f"{SCALE}?dryRun=All", body(7)).json["spec"] == {"replicas": 7}
    assert api.get(f"{GADGETS}/g").json["spec"] == {"replicas": 2}


def test_who_scales_is_noted_without_a_time_as_on_a_real_server(api: BareServer) -> None:
    api.put(f"{SCALE}?fieldManager=scaler", body(5))
    (entry,) = [each for each in api.get(f"{GADGETS}/g").meta["managedFields"] if each["manager"] == "scaler"]
    assert (entry["subresource"], entry["operation"]) == ("scale", "Update")
    assert "time" not in entry


def owners(api: BareServer) -> dict[str, Any]:
    return {each["manager"]: each["fieldsV1"] for each in api.get(f"{GADGETS}/g").meta["managedFields"]}


def test_who_scales_takes_the_replicas_from_whoever_had_them(api: BareServer) -> None:
    api.patch(f"{GADGETS}/g?fieldManager=both", {"spec": {"replicas": 3, "size": 1}})
    api.patch(f"{SCALE}?fieldManager=scaler", {"spec": {"replicas": 5}})
    assert "f:replicas" not in owners(api)["both"]["f:spec"]
    assert owners(api)["scaler"] == {"f:spec": {"f:replicas": {}}}


def test_an_applied_scale_meets_conflicts_and_force_settles_them(api: BareServer) -> None:
    api.patch(f"{SCALE}?fieldManager=one", {"spec": {"replicas": 3}})
    reply = api.patch(f"{SCALE}?fieldManager=two", body(4), APPLY)
    assert (reply.code, reply.message) == (
        409,
        'Apply failed with 1 conflict: conflict with "one" with subresource "scale" using autoscaling/v1: .spec.replicas',
    )
    assert api.patch(f"{SCALE}?fieldManager=two&force=true", body(4), APPLY).json["spec"] == {"replicas": 4}
    assert "one" not in owners(api)
    assert owners(api)["two"] == {"f:spec": {"f:replicas": {}}}


def test_fewer_than_none_is_a_fault_of_a_built_in_kinds_scale(api: BareServer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert api.put(SCALE, body(-1)).code == 200  # a custom resource's own validation would say something
    monkeypatch.setattr(GadgetStrategy, "merges_strategically", lambda self: True)
    reply = api.put(SCALE, body(-1))
    assert (reply.code, reply.message) == (
        422,
        'Scale.autoscaling "g" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    )
