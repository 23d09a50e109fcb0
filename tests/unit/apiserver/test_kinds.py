"""The registry of kinds and the server's clock: what is found by path, by name and by owner reference, and when.

Leaves out: which kinds there are (tests of builtin/ and schemas/), and what is published about them.
"""

from __future__ import annotations

import pytest

from support.bare_server import GadgetStrategy, ThingStrategy
from twinloop.apiserver.clock import ManualClock, WallClock, micro_timestamp, timestamp
from twinloop.apiserver.kinds import Kind, Registry

V1 = Kind("example.com", "v1", "Gadget", "gadgets", GadgetStrategy())
V2 = Kind("example.com", "v2", "Gadget", "gadgets", GadgetStrategy(), storage_version=False)
THING = Kind("", "v1", "Thing", "things", ThingStrategy())


@pytest.fixture
def registry() -> Registry:
    found = Registry()
    for kind in (V2, V1, THING):
        found.add(kind)
    return found


def test_a_kind_is_found_by_its_path_and_by_its_name(registry: Registry) -> None:
    assert registry.find("example.com", "v2", "gadgets") is V2
    assert registry.find("example.com", "v3", "gadgets") is None
    assert registry.by_kind("example.com/v1", "Gadget") is V1
    assert registry.by_kind("v1", "Thing") is THING
    assert registry.by_kind("v1", "Gadget") is None


def test_the_stored_version_of_a_resource_is_found(registry: Registry) -> None:
    assert registry.stored("example.com", "gadgets") is V1
    assert registry.stored("example.com", "others") is None


def test_a_group_is_there_as_long_as_one_of_its_kinds(registry: Registry) -> None:
    assert registry.has_group("example.com")
    registry.remove("example.com", "v1", "gadgets")
    assert registry.has_group("example.com")
    registry.remove("example.com", "v2", "gadgets")
    assert not registry.has_group("example.com")


def test_groups_of_custom_resources_are_told_from_built_in_ones(registry: Registry) -> None:
    assert registry.custom_group("example.com")
    assert not registry.custom_group("")


def test_every_change_counts_and_is_told(registry: Registry) -> None:
    told: list[int] = []
    registry.on_change.append(lambda: told.append(registry.generation))
    before = registry.generation
    registry.add(V1)
    registry.remove("example.com", "v1", "gadgets")
    registry.remove("example.com", "v1", "gadgets")
    assert told == [before + 1, before + 2]


def test_kinds_may_come_and_go_while_they_are_looked_at(registry: Registry) -> None:
    for kind in registry:
        registry.remove(kind.group, kind.version, kind.plural)
    assert list(registry) == []


def test_a_kind_knows_its_names() -> None:
    assert (V1.api_version, THING.api_version, V1.list_kind) == ("example.com/v1", "v1", "GadgetList")
    assert (V1.custom, THING.custom) == (True, False)
    assert V1.storage == ("example.com", "gadgets")


@pytest.mark.parametrize(
    ("group", "package"),
    [("", "core"), ("apps", "apps"), ("rbac.authorization.k8s.io", "rbac"), ("events.k8s.io", "core")],
)
def test_a_kind_knows_the_go_package_that_messages_name(group: str, package: str) -> None:
    assert Kind(group, "v1", "X", "xs", ThingStrategy()).go_package == package


# ------------------------------------------------------------------ time


def test_a_manual_clock_moves_when_it_is_told_and_wakes_who_waits() -> None:
    clock, woken = ManualClock(100.0), []
    clock.on_advance.append(lambda: woken.append(clock.now()))
    assert clock.now() == 100.0
    clock.advance(5)
    assert woken == [105.0]


def test_the_wall_clock_goes_on() -> None:
    assert WallClock().now() > 1_700_000_000


def test_times_are_written_in_utc() -> None:
    assert timestamp(1_700_000_000.9) == "2023-11-14T22:13:20Z"
    assert micro_timestamp(1_700_000_000.25) == "2023-11-14T22:13:20.250000Z"
