"""CustomResourceDefinitions on their way through the server: names, conditions, what is served, and the end.

A whole server without HTTP and with no controllers but its own; the time stands still. The conditions, their order and
their words were compared with kube-apiserver v1.34.4, where they come a moment later: here a tick is enough.

Left out: what a definition is refused for (test_definitions_refused.py), and what happens to objects of the kinds that
are defined (test_custom.py).
"""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest

from twinloop.apiserver.answer import Answer, WatchAnswer
from twinloop.apiserver.clock import ManualClock
from twinloop.apiserver.request import Request
from twinloop.apiserver.schemas import acceptance
from twinloop.apiserver.server import ApiServer

Object = dict[str, Any]

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
THINGS = "/apis/test.dev/v1/namespaces/default/things"
THING = {"apiVersion": "test.dev/v1", "kind": "Thing", "metadata": {"name": "x"}, "spec": {}}
VERSION: Object = {
    "name": "v1",
    "served": True,
    "storage": True,
    "schema": {
        "openAPIV3Schema": {
            "type": "object",
            "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer", "default": 3}}}},
        }
    },
}


def definition(plural: str = "things", kind: str = "Thing", **spec: Any) -> Object:
    names = {"plural": plural, "kind": kind, **spec.pop("names", {})}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.test.dev"},
        "spec": {
            "group": "test.dev",
            "scope": "Namespaced",
            "names": names,
            "versions": [copy.deepcopy(VERSION)],
            **spec,
        },
    }


class Cluster:
    """A server to which requests are plain calls."""

    def __init__(self) -> None:
        self.server = ApiServer(clock=ManualClock(), rng=random.Random(1), controllers=False)
        self.server.tick()

    def ask(self, method: str, path: str, body: Any = None, content: str = "application/json") -> tuple[int, Object]:
        path, _, query = path.partition("?")
        pairs = [(name, value) for name, _, value in (each.partition("=") for each in query.split("&")) if name]
        raw = b"" if body is None else json.dumps(body).encode()
        answer = self.server.handle(Request(method, path, pairs, {"content-type": content}, raw))
        assert isinstance(answer, Answer)
        return answer.code, json.loads(answer.body) if answer.body.startswith(b"{") else {}

    def define(self, given: Object) -> Object:
        code, found = self.ask("POST", DEFINITIONS, given)
        assert code == 201, found
        return found

    def status(self, name: str = "things.test.dev") -> Object:
        found: Object = self.ask("GET", f"{DEFINITIONS}/{name}")[1]["status"]
        return found

    def conditions(self, name: str = "things.test.dev") -> dict[str, tuple[str, str]]:
        return {each["type"]: (each["status"], each["reason"]) for each in self.status(name)["conditions"]}

    def events(self) -> list[tuple[str, list[str]]]:
        """Type and conditions of everything that happened to definitions."""
        found = self.server.storage.events_since(("apiextensions.k8s.io", "customresourcedefinitions"), 100)
        return [(each.type, _shown(each.record.object())) for each in found]


def _shown(stored: Object) -> list[str]:
    return [f"{each['type']}={each['status']} {each['reason']}" for each in stored["status"]["conditions"] or ()]


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


# ------------------------------------------------------------------ from definition to served kind


def test_a_definition_is_answered_without_names_and_conditions(cluster: Cluster) -> None:
    found = cluster.define(definition())
    assert found["status"] == {
        "conditions": None,
        "acceptedNames": {"plural": "", "kind": ""},
        "storedVersions": ["v1"],
    }
    assert found["metadata"]["generation"] == 1
    assert found["spec"]["names"] == {"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"}
    assert found["spec"]["conversion"] == {"strategy": "None"}


def test_its_kind_is_served_at_once(cluster: Cluster) -> None:
    assert cluster.ask("GET", THINGS)[0] == 404
    cluster.define(definition())
    assert cluster.ask("POST", THINGS, THING)[0] == 201
    assert cluster.ask("GET", f"{THINGS}/x")[1]["spec"] == {"a": 3}


def test_a_tick_gives_it_names_and_then_establishes_it(cluster: Cluster) -> None:
    cluster.define(definition(names={"shortNames": ["th"], "categories": ["all"]}))
    cluster.server.tick()
    assert cluster.status()["acceptedNames"] == {
        "plural": "things",
        "singular": "thing",
        "shortNames": ["th"],
        "kind": "Thing",
        "listKind": "ThingList",
        "categories": ["all"],
    }
    assert cluster.events() == [
        ("ADDED", []),
        ("MODIFIED", ["NamesAccepted=True NoConflicts", "Established=False Installing"]),
        ("MODIFIED", ["NamesAccepted=True NoConflicts", "Established=True InitialNamesAccepted"]),
    ]


def test_managed_fields_say_that_the_server_wrote_the_status(cluster: Cluster) -> None:
    cluster.define(definition())
    cluster.server.tick()
    managed = cluster.ask("GET", f"{DEFINITIONS}/things.test.dev")[1]["metadata"]["managedFields"]
    assert ("kube-apiserver", "status") in [(each["manager"], each.get("subresource")) for each in managed]


def test_nothing_is_left_to_do_afterwards(cluster: Cluster) -> None:
    cluster.define(definition())
    assert cluster.server.definitions.due() == cluster.server.clock.now()
    cluster.server.tick()
    revision = cluster.server.storage.revision
    assert cluster.server.definitions.due() is None
    cluster.server.tick()
    assert cluster.server.storage.revision == revision


def test_a_dry_run_defines_nothing(cluster: Cluster) -> None:
    assert cluster.ask("POST", f"{DEFINITIONS}?dryRun=All", definition())[0] == 201
    assert cluster.ask("GET", THINGS)[0] == 404


def test_a_format_that_nobody_checks_is_a_warning(cluster: Cluster) -> None:
    given = definition()
    given["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"] = {
        "a": {"type": "string", "format": "foo"},
        "b": {"type": "string", "format": "date-time"},
        "c": {"type": "integer", "format": "bar"},
    }
    answer = cluster.server.handle(
        Request("POST", DEFINITIONS, [], {"content-type": "application/json"}, json.dumps(given).encode())
    )
    assert answer.warnings == ['unrecognized format "foo"']


# ------------------------------------------------------------------ changes


def test_a_changed_schema_holds_for_the_next_request(cluster: Cluster) -> None:
    stored = cluster.define(definition())
    stored["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["a"]["maximum"] = 5
    code, changed = cluster.ask("PUT", f"{DEFINITIONS}/things.test.dev", stored)
    assert (code, changed["metadata"]["generation"]) == (200, 2)
    assert cluster.ask("POST", THINGS, {**THING, "spec": {"a": 6}})[0] == 422


def test_a_default_that_comes_later_shows_in_what_is_stored_already(cluster: Cluster) -> None:
    stored = cluster.define(definition())
    created = cluster.ask("POST", THINGS, THING)[1]
    fields = stored["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    fields["later"] = {"type": "string", "default": "new"}
    cluster.ask("PUT", f"{DEFINITIONS}/things.test.dev", stored)
    found = cluster.ask("GET", f"{THINGS}/x")[1]
    assert found["spec"] == {"a": 3, "later": "new"}
    assert found["metadata"] == created["metadata"], "and is no new version of it"


def test_objects_follow_their_definition_into_another_stored_version(cluster: Cluster) -> None:
    stored = cluster.define(definition())
    cluster.ask("POST", THINGS, THING)
    stored["spec"]["versions"][0]["storage"] = False
    stored["spec"]["versions"].append({**copy.deepcopy(VERSION), "name": "v2"})
    cluster.ask("PUT", f"{DEFINITIONS}/things.test.dev", stored)
    newer = THINGS.replace("/v1/", "/v2/")
    assert cluster.ask("GET", newer)[1]["items"][0]["apiVersion"] == "test.dev/v2"
    assert cluster.ask("GET", f"{THINGS}/x")[1]["apiVersion"] == "test.dev/v1"
    patched = cluster.ask("PATCH", f"{newer}/x", {"spec": {"a": 4}}, "application/merge-patch+json")
    assert patched[0] == 200


def test_watches_end_when_the_spec_changes_and_not_when_the_status_does(cluster: Cluster) -> None:
    """A real server tears down what served the objects; operators live through this at every upgrade of theirs."""
    cluster.define(definition())
    answer = cluster.server.handle(Request("GET", THINGS, [("watch", "1")], {}, b""))
    assert isinstance(answer, WatchAnswer)
    cluster.server.tick()
    assert not answer.stream.ended
    path = f"{DEFINITIONS}/things.test.dev"
    cluster.ask("PATCH", path, {"metadata": {"labels": {"a": "b"}}}, "application/merge-patch+json")
    assert not answer.stream.ended
    cluster.ask("PATCH", path, {"spec": {"names": {"categories": ["all"]}}}, "application/merge-patch+json")
    answer.stream.read()
    assert answer.stream.ended


def test_a_status_that_changes_does_not_rebuild_the_kind(cluster: Cluster) -> None:
    cluster.define(definition())
    generation = cluster.server.registry.generation
    cluster.server.tick()
    assert cluster.server.registry.generation == generation


def test_group_plural_scope_and_kind_stay_what_they_were(cluster: Cluster) -> None:
    cluster.define(definition())
    cluster.server.tick()
    stored = cluster.ask("GET", f"{DEFINITIONS}/things.test.dev")[1]
    stored["spec"]["scope"] = "Cluster"
    stored["spec"]["names"]["kind"] = "Other"
    code, failure = cluster.ask("PUT", f"{DEFINITIONS}/things.test.dev", stored)
    assert code == 422
    assert [each["field"] for each in failure["details"]["causes"]] == ["spec.scope", "spec.names.kind"]


def test_another_storage_version_is_remembered_beside_the_first(cluster: Cluster) -> None:
    stored = cluster.define(definition())
    second = {**copy.deepcopy(VERSION), "name": "v2"}
    stored["spec"]["versions"][0]["storage"] = False
    stored["spec"]["versions"].append(second)
    assert cluster.ask("PUT", f"{DEFINITIONS}/things.test.dev", stored)[0] == 200
    assert cluster.status()["storedVersions"] == ["v1", "v2"]
    stored = cluster.ask("GET", f"{DEFINITIONS}/things.test.dev")[1]
    stored["spec"]["versions"] = [second]
    code, failure = cluster.ask("PUT", f"{DEFINITIONS}/things.test.dev", stored)
    assert code == 422
    assert failure["details"]["causes"][0]["field"] == "status.storedVersions[0]"
    assert "v1 was previously a storage version" in failure["message"]


def test_a_client_cannot_write_spec_through_status_nor_status_through_spec(cluster: Cluster) -> None:
    cluster.define(definition())
    cluster.server.tick()
    path = f"{DEFINITIONS}/things.test.dev"
    stored = cluster.ask("GET", path)[1]
    before = copy.deepcopy(stored)
    stored["status"]["conditions"] = []
    cluster.ask("PUT", path, stored)
    assert cluster.status() == before["status"]
    stored = cluster.ask("GET", path)[1]
    stored["spec"]["names"]["shortNames"] = ["q"]
    cluster.ask("PUT", f"{path}/status", stored)
    assert cluster.ask("GET", path)[1]["spec"] == before["spec"]


def test_two_versions_serve_the_same_objects_each_in_its_own_shape(cluster: Cluster) -> None:
    other = copy.deepcopy(VERSION)
    other.update(name="v2", storage=False)
    fields = {"b": {"type": "string", "default": "two"}}
    other["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"] = fields
    cluster.define(definition(versions=[VERSION, other]))
    newer = THINGS.replace("/v1/", "/v2/")
    cluster.ask("POST", THINGS, {**THING, "spec": {"a": 7}})
    assert cluster.ask("GET", f"{newer}/x")[1]["spec"] == {}
    assert cluster.ask("GET", newer)[1]["items"][0]["apiVersion"] == "test.dev/v2"
    created = {**THING, "apiVersion": "test.dev/v2", "metadata": {"name": "y"}, "spec": {"b": "mine"}}
    assert cluster.ask("POST", newer, created)[1]["spec"] == {}, "the stored version does not know b"
    assert cluster.ask("GET", f"{THINGS}/y")[1]["spec"] == {"a": 3}


def test_a_version_that_is_not_served_is_not_there(cluster: Cluster) -> None:
    hidden = {**copy.deepcopy(VERSION), "name": "v2", "served": False, "storage": False}
    cluster.define(definition(versions=[VERSION, hidden]))
    assert cluster.ask("GET", THINGS)[0] == 200
    assert cluster.ask("GET", THINGS.replace("/v1/", "/v2/"))[0] == 404


# ------------------------------------------------------------------ names in conflict


def test_a_taken_kind_is_not_given_twice(cluster: Cluster) -> None:
    cluster.define(definition())
    cluster.define(definition("others", "Thing", names={"shortNames": ["things"]}))
    cluster.server.tick()
    assert cluster.conditions("others.test.dev") == {
        "NamesAccepted": ("False", "ListKindConflict"),
        "Established": ("False", "NotAccepted"),
    }
    assert cluster.status("others.test.dev")["acceptedNames"] == {"plural": "others", "kind": ""}
    assert cluster.ask("GET", THINGS.replace("things", "others"))[0] == 404
    assert cluster.conditions()["Established"] == ("True", "InitialNamesAccepted")


def test_a_name_that_becomes_free_goes_to_who_waits_for_it(cluster: Cluster) -> None:
    cluster.define(definition())
    cluster.define(definition("others", "Thing"))
    cluster.server.tick()
    cluster.ask("DELETE", f"{DEFINITIONS}/things.test.dev")
    cluster.server.tick()
    assert cluster.conditions("others.test.dev")["Established"] == ("True", "InitialNamesAccepted")
    assert cluster.ask("GET", THINGS.replace("things", "others"))[0] == 200


def test_other_groups_may_have_the_same_names() -> None:
    stored = definition()
    stored["status"] = {"acceptedNames": dict(stored["spec"]["names"])}
    assert acceptance.InUse.of([stored], "test.dev").kinds == {"Thing", ""}
    assert acceptance.InUse.of([stored], "other.dev").kinds == set()


@pytest.mark.parametrize(
    ("names", "reason", "message"),
    [
        ({"plural": "things", "kind": "New"}, "PluralConflict", '"things" is already in use'),
        ({"plural": "news", "singular": "th", "kind": "New"}, "SingularConflict", '"th" is already in use'),
        ({"plural": "news", "shortNames": ["n", "th"], "kind": "New"}, "ShortNamesConflict", '"th" is already in use'),
        (
            {"plural": "news", "shortNames": ["things", "th"], "kind": "New"},
            "ShortNamesConflict",
            '["things" is already in use, "th" is already in use]',
        ),
        ({"plural": "news", "kind": "Thing"}, "KindConflict", '"Thing" is already in use'),
        ({"plural": "news", "kind": "New", "listKind": "Thing"}, "ListKindConflict", '"Thing" is already in use'),
        ({"plural": "news", "kind": "New"}, "", ""),
    ],
    ids=lambda each: str(each)[:40],
)
def test_the_verdict_names_what_is_taken(names: Object, reason: str, message: str) -> None:
    in_use = acceptance.InUse({"things", "thing", "th"}, {"Thing"})
    verdict = acceptance.judge({"spec": {"names": names}}, in_use)
    assert (verdict.reason, verdict.message) == (reason, message)


def test_own_names_are_no_conflict_and_lost_ones_are_given_back() -> None:
    got = {"plural": "things", "kind": "Thing", "shortNames": ["th", "t"]}
    wanted = {"plural": "things", "kind": "Thing", "shortNames": ["th"]}
    in_use = acceptance.InUse({"things", "th", "t"}, {"Thing"})
    verdict = acceptance.judge({"spec": {"names": wanted}, "status": {"acceptedNames": got}}, in_use)
    assert (verdict.reason, verdict.names) == ("", wanted)


def test_a_condition_keeps_its_time_while_its_status_stays() -> None:
    stored: Object = {"status": {}}
    acceptance.set_condition(stored, "Ready", "True", "A", "a", 0.0)
    acceptance.set_condition(stored, "Ready", "True", "B", "b", 60.0)
    assert stored["status"]["conditions"] == [
        {
            "type": "Ready",
            "status": "True",
            "lastTransitionTime": "1970-01-01T00:00:00Z",
            "reason": "B",
            "message": "b",
        }
    ]
    acceptance.set_condition(stored, "Ready", "False", "C", "c", 60.0)
    assert stored["status"]["conditions"][0]["lastTransitionTime"] == "1970-01-01T00:01:00Z"


# ------------------------------------------------------------------ deletion


def test_a_deleted_definition_takes_its_objects_along(cluster: Cluster) -> None:
    cluster.define(definition())
    cluster.server.tick()
    for name in ("x", "y"):
        cluster.ask("POST", THINGS, {**THING, "metadata": {"name": name}})
    code, marked = cluster.ask("DELETE", f"{DEFINITIONS}/things.test.dev")
    assert code == 200
    assert marked["metadata"]["finalizers"] == ["customresourcecleanup.apiextensions.k8s.io"]
    assert marked["status"]["conditions"][2]["reason"] == "InstanceDeletionPending"
    assert "deletionGracePeriodSeconds" not in marked["metadata"]
    assert marked["metadata"]["generation"] == 1
    cluster.server.tick()
    assert cluster.ask("GET", f"{DEFINITIONS}/things.test.dev")[0] == 404
    assert cluster.ask("GET", THINGS)[0] == 404
    assert cluster.server.storage.list(("test.dev", "things")) == []


def test_the_last_event_is_the_state_before_the_finalizer_went(cluster: Cluster) -> None:
    cluster.define(definition())
    cluster.server.tick()
    cluster.ask("DELETE", f"{DEFINITIONS}/things.test.dev")
    cluster.server.tick()
    events = cluster.events()
    assert [kind for kind, _ in events[3:]] == ["MODIFIED", "MODIFIED", "DELETED"]
    assert events[-1][1][2] == "Terminating=True InstanceDeletionInProgress"


def test_nothing_can_be_created_meanwhile(cluster: Cluster) -> None:
    cluster.define(definition())
    cluster.ask("DELETE", f"{DEFINITIONS}/things.test.dev")
    code, failure = cluster.ask("POST", THINGS, THING)
    assert (code, failure["reason"]) == (405, "MethodNotAllowed")
    assert failure["message"] == "create not allowed while custom resource definition is terminating"


def test_an_object_with_a_finalizer_holds_its_definition_back(cluster: Cluster) -> None:
    cluster.define(definition())
    cluster.server.tick()
    cluster.ask("POST", THINGS, {**THING, "metadata": {"name": "x", "finalizers": ["test.dev/hold"]}})
    cluster.ask("DELETE", f"{DEFINITIONS}/things.test.dev")
    cluster.server.tick()
    assert cluster.conditions()["Terminating"] == ("True", "InstanceDeletionInProgress")
    assert cluster.ask("GET", f"{THINGS}/x")[1]["metadata"]["deletionTimestamp"]
    released = [{"op": "remove", "path": "/metadata/finalizers"}]
    cluster.ask("PATCH", f"{THINGS}/x", released, "application/json-patch+json")
    cluster.server.tick()
    assert cluster.ask("GET", f"{DEFINITIONS}/things.test.dev")[0] == 404


def test_a_definition_without_names_goes_without_looking_for_objects(cluster: Cluster) -> None:
    cluster.define(definition())
    cluster.define(definition("others", "Thing"))
    cluster.server.tick()
    cluster.ask("DELETE", f"{DEFINITIONS}/others.test.dev")
    cluster.server.tick()
    assert cluster.ask("GET", f"{DEFINITIONS}/others.test.dev")[0] == 404
    assert cluster.ask("GET", THINGS)[0] == 200


def test_a_second_definition_of_the_same_name_starts_afresh(cluster: Cluster) -> None:
    for _ in range(2):
        cluster.define(definition())
        cluster.server.tick()
        assert cluster.ask("POST", THINGS, THING)[0] == 201
        cluster.ask("DELETE", f"{DEFINITIONS}/things.test.dev")
        cluster.server.tick()


def test_a_restored_snapshot_brings_back_what_it_defined(cluster: Cluster) -> None:
    empty = cluster.server.storage.snapshot()
    cluster.define(definition())
    cluster.server.tick()
    full = cluster.server.storage.snapshot()
    cluster.server.storage.restore(empty)
    assert cluster.ask("GET", THINGS)[0] == 404
    cluster.server.storage.restore(full)
    assert cluster.ask("GET", THINGS)[0] == 200
