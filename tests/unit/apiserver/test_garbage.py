"""The garbage collector: what becomes of dependents in the order in which a watcher of a real cluster sees it.

Runs the whole server with this controller alone. Leaves out: finalizers of other programs beyond one that waits, and
the 410 or 404 of requests about what was collected (the verbs' tests).
"""

from __future__ import annotations

from typing import Any

import pytest

from support.live_server import THINGS, LiveServer, config_map, owned_by, thing

MAPS = "/api/v1/namespaces/here/configmaps"
NEVER = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
def live() -> LiveServer:
    found = LiveServer("garbage")
    found.namespace("here")
    return found


def owner(live: LiveServer, name: str = "owner") -> dict[str, Any]:
    return live.create(MAPS, config_map(name))


def dependent(live: LiveServer, name: str, *references: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return live.create(MAPS, config_map(name, ownerReferences=list(references), **metadata))


# ------------------------------------------------------------------ background


def test_dependents_are_deleted_after_their_owner(live: LiveServer) -> None:
    found = owner(live)
    dependent(live, "child", owned_by(found))
    live.settle()
    live.delete(f"{MAPS}/owner")
    assert live.exists(f"{MAPS}/child")
    live.settle()
    assert live.seen("configmaps")[2:] == ["DELETED owner", "DELETED child"]


def test_a_chain_of_owners_goes_to_its_end(live: LiveServer) -> None:
    first = owner(live)
    second = dependent(live, "second", owned_by(first))
    dependent(live, "third", owned_by(second))
    live.delete(f"{MAPS}/owner")
    live.settle()
    assert live.seen("configmaps")[-3:] == ["DELETED owner", "DELETED second", "DELETED third"]


def test_a_dependent_whose_owner_never_existed_is_deleted(live: LiveServer) -> None:
    dependent(live, "child", {"apiVersion": "v1", "kind": "ConfigMap", "name": "nobody", "uid": NEVER})
    live.settle()
    assert live.seen("configmaps") == ["ADDED child", "DELETED child"]


def test_a_successor_of_the_same_name_is_no_owner(live: LiveServer) -> None:
    found = owner(live)
    reference = owned_by(found)
    live.delete(f"{MAPS}/owner")
    owner(live)
    dependent(live, "child", reference)
    live.settle()
    assert not live.exists(f"{MAPS}/child")
    assert live.exists(f"{MAPS}/owner")


def test_the_right_uid_under_another_name_is_no_owner(live: LiveServer) -> None:
    reference = owned_by(owner(live)) | {"name": "other"}
    dependent(live, "child", reference)
    live.settle()
    assert not live.exists(f"{MAPS}/child")


def test_an_owner_in_another_namespace_counts_as_gone(live: LiveServer) -> None:
    live.namespace("there")
    far = live.create("/api/v1/namespaces/there/configmaps", config_map("far"))
    dependent(live, "child", owned_by(far))
    live.settle()
    assert not live.exists(f"{MAPS}/child")
    assert live.exists("/api/v1/namespaces/there/configmaps/far")


def test_an_owner_without_a_namespace_is_found_from_any(live: LiveServer) -> None:
    dependent(live, "child", owned_by(live.get("/api/v1/namespaces/here")))
    live.settle()
    assert live.exists(f"{MAPS}/child")


def test_a_dependent_of_a_kind_that_nobody_serves_is_left_alone(live: LiveServer) -> None:
    dependent(live, "child", {"apiVersion": "nowhere.example/v1", "kind": "Nope", "name": "x", "uid": NEVER})
    live.settle(60)
    assert live.seen("configmaps") == ["ADDED child"]


def test_a_dependent_is_judged_once_its_owners_kind_is_served(live: LiveServer) -> None:
    dependent(live, "child", {"apiVersion": "example.com/v1", "kind": "Thing", "name": "x", "uid": NEVER})
    live.settle()
    live.serve_things()
    live.settle()
    assert not live.exists(f"{MAPS}/child")


def test_a_reference_that_comes_later_is_judged_too(live: LiveServer) -> None:
    owner(live, "child")
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "nobody", "uid": NEVER}
    live.patch(f"{MAPS}/child", {"metadata": {"ownerReferences": [reference]}})
    live.settle()
    assert not live.exists(f"{MAPS}/child")


def test_custom_resources_own_and_are_owned(live: LiveServer) -> None:
    live.serve_things()
    found = live.create(THINGS.format("here"), thing("owner"))
    dependent(live, "child", owned_by(found))
    live.create(THINGS.format("here"), thing("small", ownerReferences=[owned_by(found)]))
    live.delete(f"{THINGS.format('here')}/owner")
    live.settle()
    assert sorted(live.seen("things", "configmaps")[-3:]) == ["DELETED child", "DELETED owner", "DELETED small"]


def test_a_finalizer_on_the_dependent_is_waited_for(live: LiveServer) -> None:
    dependent(live, "child", owned_by(owner(live)), finalizers=["example.com/hold"])
    live.delete(f"{MAPS}/owner")
    live.settle()
    assert live.get(f"{MAPS}/child")["metadata"]["deletionTimestamp"]
    live.patch(f"{MAPS}/child", {"metadata": {"finalizers": None}})
    assert not live.exists(f"{MAPS}/child")


# ------------------------------------------------------------------ several owners


def test_only_the_dangling_reference_is_removed_while_another_owner_lives(live: LiveServer) -> None:
    first, second = owner(live, "first"), owner(live, "second")
    dependent(live, "child", owned_by(first), owned_by(second))
    live.delete(f"{MAPS}/first")
    live.settle()
    assert live.get(f"{MAPS}/child")["metadata"]["ownerReferences"] == [owned_by(second)]
    live.delete(f"{MAPS}/second")
    live.settle()
    assert not live.exists(f"{MAPS}/child")


def test_an_owner_that_waits_is_let_go_by_a_dependent_with_another_owner(live: LiveServer) -> None:
    first, second = owner(live, "first"), owner(live, "second")
    dependent(live, "child", owned_by(first, block=True), owned_by(second))
    live.delete(f"{MAPS}/first", {"propagationPolicy": "Foreground"})
    live.settle()
    assert not live.exists(f"{MAPS}/first")
    assert live.get(f"{MAPS}/child")["metadata"]["ownerReferences"] == [owned_by(second)]


# ------------------------------------------------------------------ foreground


def test_foreground_deletion_takes_the_owner_last(live: LiveServer) -> None:
    found = owner(live)
    dependent(live, "blocking", owned_by(found, block=True))
    dependent(live, "free", owned_by(found))
    live.settle()
    live.forget()
    live.delete(f"{MAPS}/owner", {"propagationPolicy": "Foreground"})
    live.settle()
    seen = live.seen("configmaps")
    assert seen[0] == "MODIFIED owner"
    assert sorted(seen[1:3]) == ["DELETED blocking", "DELETED free"]
    assert seen[3:] == ["DELETED owner"]


def test_foreground_deletion_waits_for_a_blocking_dependent_that_is_held(live: LiveServer) -> None:
    found = owner(live)
    dependent(live, "held", owned_by(found, block=True), finalizers=["example.com/hold"])
    live.delete(f"{MAPS}/owner", {"propagationPolicy": "Foreground"})
    live.settle(60)
    assert live.get(f"{MAPS}/owner")["metadata"]["finalizers"] == ["foregroundDeletion"]
    live.patch(f"{MAPS}/held", {"metadata": {"finalizers": None}})
    live.settle()
    assert live.seen("configmaps")[-2:] == ["DELETED held", "DELETED owner"]


def test_foreground_deletion_does_not_wait_for_a_dependent_that_does_not_block(live: LiveServer) -> None:
    dependent(live, "held", owned_by(owner(live)), finalizers=["example.com/hold"])
    live.delete(f"{MAPS}/owner", {"propagationPolicy": "Foreground"})
    live.settle()
    assert not live.exists(f"{MAPS}/owner")
    assert live.exists(f"{MAPS}/held")


def test_foreground_deletion_goes_down_the_chain(live: LiveServer) -> None:
    middle = dependent(live, "middle", owned_by(owner(live), block=True))
    dependent(live, "leaf", owned_by(middle, block=True))
    live.settle()
    live.forget()
    live.delete(f"{MAPS}/owner", {"propagationPolicy": "Foreground"})
    live.settle()
    deleted = [each for each in live.seen("configmaps") if each.startswith("DELETED")]
    assert deleted == ["DELETED leaf", "DELETED middle", "DELETED owner"]


def test_a_circle_of_owners_that_wait_for_each_other_is_opened(live: LiveServer) -> None:
    first = owner(live, "first")
    second = dependent(live, "second", owned_by(first, block=True))
    live.patch(f"{MAPS}/first", {"metadata": {"ownerReferences": [owned_by(second, block=True)]}})
    live.settle()
    live.delete(f"{MAPS}/first", {"propagationPolicy": "Foreground"})
    live.settle()
    assert not live.exists(f"{MAPS}/first")
    assert not live.exists(f"{MAPS}/second")


# ------------------------------------------------------------------ orphan


def test_orphaned_dependents_lose_the_reference_before_the_owner_goes(live: LiveServer) -> None:
    found = owner(live)
    dependent(live, "child", owned_by(found, block=True))
    live.settle()
    live.forget()
    live.delete(f"{MAPS}/owner", {"propagationPolicy": "Orphan"})
    assert live.get(f"{MAPS}/owner")["metadata"]["finalizers"] == ["orphan"]
    live.settle()
    assert live.seen("configmaps") == ["MODIFIED owner", "MODIFIED child", "DELETED owner"]
    assert "ownerReferences" not in live.get(f"{MAPS}/child")["metadata"]


# ------------------------------------------------------------------ how it works


def test_without_the_controller_nothing_is_collected() -> None:
    live = LiveServer()
    live.namespace("here")
    dependent(live, "child", {"apiVersion": "v1", "kind": "ConfigMap", "name": "nobody", "uid": NEVER})
    live.settle(60)
    assert live.exists(f"{MAPS}/child")


def test_a_delay_leaves_the_garbage_lying_for_a_while(live: LiveServer) -> None:
    collector = next(each for each in live.server.controllers if each.name == "garbage")
    collector.delay = 5.0  # type: ignore[attr-defined]
    dependent(live, "child", {"apiVersion": "v1", "kind": "ConfigMap", "name": "nobody", "uid": NEVER})
    live.settle(4)
    assert live.exists(f"{MAPS}/child")
    live.settle(2)
    assert not live.exists(f"{MAPS}/child")


def test_what_was_collected_before_a_restore_is_collected_again(live: LiveServer) -> None:
    found = owner(live)
    dependent(live, "child", owned_by(found))
    live.settle()
    snapshot = live.server.storage.snapshot()
    live.delete(f"{MAPS}/owner")
    live.settle()
    live.server.storage.restore(snapshot)
    live.settle()
    assert live.exists(f"{MAPS}/child")
    live.delete(f"{MAPS}/owner")
    live.settle()
    assert not live.exists(f"{MAPS}/child")


def test_many_dependents_are_collected_in_several_rounds(live: LiveServer) -> None:
    found = owner(live)
    for number in range(120):
        dependent(live, f"child-{number}", owned_by(found))
    live.settle()
    live.delete(f"{MAPS}/owner")
    live.server.tick()
    left = len(live.get(MAPS)["items"])
    assert 0 < left < 120  # other requests get their turn in between
    live.settle()
    assert live.get(MAPS)["items"] == []


def test_a_waiting_owner_does_not_have_its_dependents_judged_again_and_again(live: LiveServer) -> None:
    found = owner(live)
    for number in range(120):
        dependent(live, f"held-{number}", owned_by(found, block=True), finalizers=["example.com/hold"])
    live.settle()
    live.delete(f"{MAPS}/owner", {"propagationPolicy": "Foreground"})
    live.settle()
    collector = next(each for each in live.server.controllers if each.name == "garbage")
    live.patch(f"{MAPS}/held-7", {"metadata": {"finalizers": None}})
    assert len(collector.agenda) == 1  # the owner alone


def test_many_orphans_are_let_go_in_several_rounds(live: LiveServer) -> None:
    found = owner(live)
    for number in range(120):
        dependent(live, f"child-{number}", owned_by(found))
    live.settle()
    live.delete(f"{MAPS}/owner", {"propagationPolicy": "Orphan"})
    live.server.tick()
    assert live.exists(f"{MAPS}/owner")
    live.settle()
    children = live.get(MAPS)["items"]
    assert len(children) == 120
    assert all("ownerReferences" not in each["metadata"] for each in children)


def test_events_are_never_collected(live: LiveServer) -> None:
    about = {"kind": "ConfigMap", "namespace": "here", "name": "x"}
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "nobody", "uid": NEVER}
    event = {"metadata": {"name": "e", "ownerReferences": [reference]}, "involvedObject": about}
    live.create("/api/v1/namespaces/here/events", event)
    live.settle()
    assert live.exists("/api/v1/namespaces/here/events/e")
