"""Who owns the replicas, between an object and its scale subresource.

The cases were seen on a real Deployment. Left out: the Scale itself and its verbs (test_scale).
"""

from __future__ import annotations

from typing import Any

from twinloop.apiserver.patches import scale_fields

PATHS: dict[str, tuple[str, ...] | None] = {"apps/v1": ("spec", "replicas")}
TIME = "2026-01-01T00:00:00Z"
REPLICAS: dict[str, Any] = {"f:spec": {"f:replicas": {}}}
MORE: dict[str, Any] = {"f:spec": {"f:paused": {}, "f:replicas": {}}}


def entry(
    manager: str,
    fields: dict[str, Any],
    operation: str = "Update",
    version: str = "apps/v1",
    time: str | None = TIME,
    through: str = "",
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "manager": manager,
        "operation": operation,
        "apiVersion": version,
        "time": time,
        "fieldsType": "FieldsV1",
    }
    found |= {"fieldsV1": fields, "subresource": through}
    return {key: value for key, value in found.items() if value}


def on_scale(manager: str, **more: Any) -> dict[str, Any]:
    return entry(manager, REPLICAS, version="autoscaling/v1", **more)


def test_a_scale_shows_who_owns_the_replicas() -> None:
    entries = [entry("a", MORE, "Apply"), entry("b", {"f:spec": {"f:paused": {}}}), entry("c", REPLICAS)]
    assert scale_fields.to_scale(entries, PATHS) == [on_scale("a", operation="Apply"), on_scale("c")]


def test_an_object_without_owners_has_a_scale_without_any() -> None:
    assert scale_fields.to_scale(None, PATHS) == []


def test_entries_of_versions_that_are_not_served_are_left_out() -> None:
    entries = [entry("a", REPLICAS, version="apps/v0"), entry("b", REPLICAS)]
    assert scale_fields.to_scale(entries, PATHS) == [on_scale("b")]
    assert scale_fields.to_object(entries, [on_scale("b")], "apps/v1", PATHS) == [entry("b", REPLICAS, time=None)]


def test_a_version_without_a_scale_keeps_its_entries() -> None:
    entries = [entry("a", REPLICAS, version="apps/v2")]
    assert scale_fields.to_object(entries, [], "apps/v1", {**PATHS, "apps/v2": None}) == entries


def test_who_scales_takes_the_replicas_and_gets_no_time() -> None:
    before = [entry("a", MORE, "Apply")]
    scaled = [on_scale("b", through="scale", time=TIME)]
    assert scale_fields.to_object(before, scaled, "apps/v1", PATHS) == [
        entry("a", {"f:spec": {"f:paused": {}}}, "Apply"),
        entry("b", REPLICAS, time=None, through="scale"),
    ]


def test_who_owned_nothing_else_is_gone() -> None:
    scaled = [on_scale("b", through="scale")]
    assert scale_fields.to_object([entry("a", REPLICAS)], scaled, "apps/v1", PATHS) == [
        entry("b", REPLICAS, time=None, through="scale")
    ]


def test_an_applier_that_keeps_the_replicas_keeps_its_entry() -> None:
    before = [entry("a", MORE, "Apply")]
    assert scale_fields.to_object(before, scale_fields.to_scale(before, PATHS), "apps/v1", PATHS) == before


def test_an_updater_that_keeps_the_replicas_ends_up_with_two_entries() -> None:
    """Its entry is known by its version, which is another one on the Scale; a real server does the same."""
    before = [entry("a", MORE)]
    assert scale_fields.to_object(before, scale_fields.to_scale(before, PATHS), "apps/v1", PATHS) == [
        entry("a", REPLICAS, time=None),
        entry("a", {"f:spec": {"f:paused": {}}}),
    ]


def test_an_entry_made_through_scale_keeps_its_time_where_it_has_one() -> None:
    before = [entry("a", REPLICAS, "Apply", through="scale")]
    scaled = [on_scale("a", operation="Apply", through="scale", time="2026-02-01T00:00:00Z")]
    assert scale_fields.to_object(before, scaled, "apps/v1", PATHS) == before


def test_replicas_may_stand_anywhere() -> None:
    paths: dict[str, tuple[str, ...] | None] = {"example.dev/v1": ("spec", "size", "wanted")}
    fields: dict[str, Any] = {"f:spec": {"f:size": {"f:wanted": {}}}}
    entries = [entry("a", fields, version="example.dev/v1")]
    assert scale_fields.to_scale(entries, paths) == [on_scale("a")]
    assert scale_fields.to_object(None, [on_scale("b")], "example.dev/v1", paths) == [
        entry("b", fields, version="example.dev/v1", time=None)
    ]
