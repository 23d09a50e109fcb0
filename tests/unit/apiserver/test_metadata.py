"""ObjectMeta by itself: names, what the server fills in, what it refuses, what an update cannot change.

Messages were taken from kube-apiserver 1.34. Leaves out: when the verbs call this (test_create.py, test_update.py) and
the rules of single kinds about their names.
"""

from __future__ import annotations

import random
import re
from typing import Any

import pytest

from twinloop.apiserver import metadata, names
from twinloop.apiserver.failures import Failure
from twinloop.apiserver.metadata import any_name

QUALIFIED = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)


def found(**meta: Any) -> list[str]:
    """What is wrong with the metadata of an object in a namespace."""
    return list(map(str, metadata.validate({"name": "a", "namespace": "ns", **meta}, namespaced=True, check=any_name)))


# ------------------------------------------------------------------ names


@pytest.mark.parametrize("name", ["a", "a-b", "a.b", "0", "a" * 253, "a.b-c.d"])
def test_a_dns_subdomain_is_a_name(name: str) -> None:
    assert names.dns_subdomain(name) == []


@pytest.mark.parametrize("name", ["", "A", "a_b", "-a", "a-", ".a", "a..b", "a/b", "a\n"])
def test_what_is_no_dns_subdomain_is_explained(name: str) -> None:
    (message,) = names.dns_subdomain(name)
    assert message.startswith("a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters")


def test_a_name_that_is_too_long_is_explained() -> None:
    assert names.dns_subdomain("a" * 254) == ["must be no more than 253 characters"]
    assert names.dns_label("a" * 64) == ["must be no more than 63 characters"]


def test_a_label_with_dots_is_told_so() -> None:
    assert names.dns_label("a.b") == ["must not contain dots"]


def test_a_service_name_starts_with_a_letter() -> None:
    assert names.dns_1035_label("a1") == []
    assert names.dns_1035_label("1a")[0].startswith("a DNS-1035 label must")


def test_a_prefix_may_end_in_a_dash() -> None:
    assert names.dns_subdomain("web-", prefix=True) == []
    assert names.dns_subdomain("web_", prefix=True) != []


@pytest.mark.parametrize("name", [".", ".."])
def test_dots_alone_are_no_path_segment(name: str) -> None:
    assert names.any_segment(name) == [f"may not be '{name}'"]


def test_slashes_and_percent_signs_are_no_part_of_a_path_segment() -> None:
    assert names.any_segment("a/b%") == ["may not contain '/'", "may not contain '%'"]


@pytest.mark.parametrize("name", ["a", "example.com/a", "A_b.c"])
def test_a_qualified_name(name: str) -> None:
    assert names.qualified_name(name) == []


@pytest.mark.parametrize(
    ("name", "messages"),
    [
        ("a b", [QUALIFIED]),
        ("/a", ["prefix part must be non-empty"]),
        ("a/", ["name part must be non-empty", QUALIFIED]),
        ("a" * 64, ["name part must be no more than 63 characters"]),
    ],
)
def test_what_is_no_qualified_name_is_explained(name: str, messages: list[str]) -> None:
    assert names.qualified_name(name) == messages


def test_two_slashes_are_too_many() -> None:
    (message,) = names.qualified_name("a/b/c")
    assert message.startswith("a qualified name must consist of")
    assert message.endswith("with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')")


# ------------------------------------------------------------------ what the server fills in


def test_system_fields_of_a_new_object_are_the_servers() -> None:
    meta: dict[str, Any] = {
        "name": "a",
        "uid": "mine",
        "selfLink": "x",
        "deletionTimestamp": "t",
        "creationTimestamp": "t",
    }
    metadata.wipe_system_fields(meta)
    assert meta == {"name": "a"}
    metadata.fill_system_fields(meta, 1_700_000_000.9, random.Random(1))
    assert meta["creationTimestamp"] == "2023-11-14T22:13:20Z"
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", meta["uid"])


def test_a_name_is_generated_from_a_prefix() -> None:
    meta = {"generateName": "web-"}
    metadata.generate_name(meta, random.Random(1))
    assert re.fullmatch(r"web-[bcdfghjklmnpqrstvwxz2456789]{5}", meta["name"])


def test_a_name_wins_over_a_prefix() -> None:
    meta = {"generateName": "web-", "name": "a"}
    metadata.generate_name(meta, random.Random(1))
    assert meta["name"] == "a"


def test_a_long_prefix_is_cut_so_that_the_name_is_a_label() -> None:
    meta = {"generateName": "w" * 100}
    metadata.generate_name(meta, random.Random(1))
    assert len(meta["name"]) == 63


def test_the_namespace_comes_from_the_path() -> None:
    meta = {"name": "a"}
    metadata.match_namespace(meta, "ns")
    assert meta == {"name": "a", "namespace": "ns"}


def test_another_namespace_than_the_paths_is_refused() -> None:
    with pytest.raises(Failure) as failure:
        metadata.match_namespace({"namespace": "other"}, "ns")
    assert (
        failure.value.message == "the namespace of the provided object does not match the namespace sent on the request"
    )


def test_an_object_of_the_whole_cluster_loses_its_namespace() -> None:
    meta = {"name": "a", "namespace": "ns"}
    metadata.match_namespace(meta, "")
    assert meta == {"name": "a"}


def test_empty_collections_are_left_out_as_in_go() -> None:
    meta: dict[str, Any] = {"name": "a", "labels": {}, "finalizers": [], "ownerReferences": None, "generateName": ""}
    metadata.drop_empty(meta)
    assert meta == {"name": "a"}


def test_owner_references_that_stand_there_twice_are_dropped_with_a_warning() -> None:
    one, two = {"uid": "1", "name": "a"}, {"uid": "2", "name": "b"}
    meta: dict[str, Any] = {"ownerReferences": [one, two, dict(one)]}
    (warning,) = metadata.dedup_owner_references(meta)
    assert meta["ownerReferences"] == [one, two]
    assert warning.endswith("please fix your requests; duplicate UID(s) observed: 1")
    assert metadata.dedup_owner_references(meta) == []


# ------------------------------------------------------------------ what is refused


def test_sound_metadata_passes() -> None:
    owner = {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u", "controller": True}
    assert (
        found(labels={"a/b": "c"}, annotations={"A/b": "any thing"}, ownerReferences=[owner], finalizers=["a/b"]) == []
    )


def test_a_name_is_required() -> None:
    assert found(name="") == ["metadata.name: Required value: name or generateName is required"]


def test_a_bad_prefix_is_told_beside_the_name() -> None:
    assert found(generateName="a/") == ["metadata.generateName: Invalid value: \"a/\": may not contain '/'"]


def test_a_namespace_is_required_where_the_kind_has_one() -> None:
    assert found(namespace="") == ["metadata.namespace: Required value"]


def test_a_namespace_is_forbidden_where_the_kind_has_none() -> None:
    errors = metadata.validate({"name": "a", "namespace": "b"}, namespaced=False, check=any_name)
    assert list(map(str, errors)) == ["metadata.namespace: Forbidden: not allowed on this type"]


def test_labels_are_checked_by_key_and_value() -> None:
    key, value = found(labels={"a b": "c d"})
    assert key == f'metadata.labels: Invalid value: "a b": {QUALIFIED}'
    assert value.startswith(
        'metadata.labels: Invalid value: "c d": a valid label must be an empty string or consist of'
    )


def test_annotation_keys_are_checked_without_regard_to_case() -> None:
    assert found(annotations={"Example.COM/Key": "v"}) == []
    assert found(annotations={"x y": "v"}) == [f'metadata.annotations: Invalid value: "x y": {QUALIFIED}']


def test_annotations_have_a_common_limit() -> None:
    assert found(annotations={"a": "x" * 262_144}) == [
        "metadata.annotations: Too long: may not be more than 262144 bytes"
    ]
    assert found(annotations={"a": "x" * 262_143}) == []


def test_an_owner_reference_must_be_complete() -> None:
    assert found(ownerReferences=[{"apiVersion": "", "kind": "", "name": "", "uid": ""}]) == [
        'metadata.ownerReferences.apiVersion: Invalid value: "": version must not be empty',
        'metadata.ownerReferences.kind: Invalid value: "": must not be empty',
        'metadata.ownerReferences.name: Invalid value: "": must not be empty',
        'metadata.ownerReferences.uid: Invalid value: "": must not be empty',
    ]


def test_only_one_owner_is_the_controller() -> None:
    owners = [{"apiVersion": "v1", "kind": "Pod", "name": each, "uid": each, "controller": True} for each in "abc"]
    errors = found(ownerReferences=owners)
    assert [error.rpartition("references for ")[2] for error in errors] == ["Pod/a and Pod/b", "Pod/a and Pod/c"]


def test_an_event_owns_nothing() -> None:
    (error,) = found(ownerReferences=[{"apiVersion": "v1", "kind": "Event", "name": "e", "uid": "u"}])
    assert error.endswith("/v1, Kind=Event is disallowed from being an owner")


def test_finalizers_of_built_in_kinds_are_qualified_or_kubernetes_own() -> None:
    assert found(finalizers=["kubernetes", "foregroundDeletion"]) == []
    assert found(finalizers=["mine"]) == [
        'metadata.finalizers[0]: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified'
    ]


def test_finalizers_of_custom_resources_only_have_to_be_names() -> None:
    meta = {"name": "a", "namespace": "ns", "finalizers": ["mine"]}
    assert metadata.validate(meta, namespaced=True, check=any_name, core=False) == []


def test_an_object_is_not_orphaned_and_deleted_in_foreground_at_once() -> None:
    (error,) = found(finalizers=["orphan", "foregroundDeletion"])
    assert error.endswith("finalizer orphan and foregroundDeletion cannot be both set")


def test_managed_fields_have_a_known_operation() -> None:
    assert found(managedFields=[{"operation": "Guess"}]) == [
        'metadata.managedFields[0].operation: Invalid value: "Guess": must be `Apply` or `Update`'
    ]


# ------------------------------------------------------------------ what an update cannot change

OLD = {"name": "a", "namespace": "ns", "uid": "u", "creationTimestamp": "t", "generation": 3}


def test_identity_and_birth_are_immutable() -> None:
    errors = metadata.validate_update({**OLD, "uid": "v", "creationTimestamp": "s"}, OLD)
    assert list(map(str, errors)) == [
        'metadata.uid: Invalid value: "v": field is immutable',
        'metadata.creationTimestamp: Invalid value: "s": field is immutable',
    ]


def test_an_update_cannot_begin_a_deletion() -> None:
    errors = metadata.validate_update({**OLD, "deletionTimestamp": "t", "deletionGracePeriodSeconds": 5}, OLD)
    assert [each.path for each in errors] == ["metadata.deletionTimestamp", "metadata.deletionGracePeriodSeconds"]


def test_what_an_update_leaves_out_is_carried_over() -> None:
    old = {**OLD, "deletionTimestamp": "d", "deletionGracePeriodSeconds": 0}
    meta: dict[str, Any] = {"name": "a", "namespace": "ns"}
    metadata.keep_immutable(meta, old)
    metadata.carry_generation(meta, old)
    assert meta == old


def test_a_generation_is_never_the_clients() -> None:
    meta = {"generation": 99}
    metadata.carry_generation(meta, {})
    assert meta == {}


def test_finalizers_can_go_but_not_come_while_an_object_is_being_deleted() -> None:
    old = {**OLD, "deletionTimestamp": "d", "finalizers": ["a/b", "c/d"]}
    assert metadata.validate_update({**old, "finalizers": ["c/d"]}, old) == []
    (error,) = metadata.validate_update({**old, "finalizers": ["a/b", "z/z", "e/f"]}, old)
    assert str(error) == (
        "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, "
        'found new finalizers []string{"e/f", "z/z"}'
    )
